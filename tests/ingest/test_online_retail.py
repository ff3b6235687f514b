"""The published counts of UCI Online Retail."""

import pytest

from tests.data import shared
from tests.ingest.conftest import conserved

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def pounds(shop):
    return shop.settings.model_copy(update={"currency": "GBP", "timezone": "Europe/London"})


def test_published_counts(shop):
    path = shared("online_retail.parquet")
    first = shop.load(path, preset="online-retail", settings=pounds(shop))
    report = first.report.to_json()
    assert (report["read"], report["duplicates"], report["orders"], report["customers"]) == (541_909, 5_268, 18_532, 4_338)
    assert (report["gross"], report["currency"]) == (8_887_208.89, "GBP")
    assert report["rejected"] == {"customer": 135_037, "price": 40}
    assert (report["accepted"], report["returns"]) == (401_564, 3_654)
    assert conserved(first)
    assert shop.facts()["order_lines"] == 392_692
    assert len(shop.parked()) == 1


@pytest.mark.long
def test_the_whole_file_twice_says_nothing_new(shop):
    path = shared("online_retail.parquet")
    shop.load(path, preset="online-retail", settings=pounds(shop))
    before = shop.facts()
    second = shop.load(path, preset="online-retail", settings=pounds(shop))
    assert (second.report.new, second.report.changed) == (0, 0)
    assert shop.facts() == before
    assert len(shop.parked()) == 1


def test_fees_are_of_the_order_and_no_products(shop):
    path = shop.file(
        "retail.csv",
        HEADER
        + "536365,85123A,HEART,2,12/1/2010 8:26,2.55,17850.0,United Kingdom\n"
        + "536365,POST,POSTAGE,1,2010-07-01 08:26:00,18,17850,France\n",
    )
    shop.load(path, preset="online-retail", settings=pounds(shop))
    assert shop.rows("orders", "order_id", "net", "lines") == [("536365", 2310, 2)]
    assert shop.rows("order_lines", "amount", "product_id") == [(510, "85123A"), (1800, None)]
    assert shop.rows("products", "product_id", "name", "category") == [("85123A", "HEART", None)]


def test_cancelled_invoices_are_returns(shop):
    path = shop.file(
        "retail.csv",
        HEADER
        + "536365,85123A,HEART,2,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
        + "C536379,85123A,HEART,-1,2010-12-02 09:00:00,2.55,17850,United Kingdom\n"
        + "C536379,22423,STAND,-1,2010-12-02 09:00:00,12.75,17850,United Kingdom\n",
    )
    report = shop.load(path, preset="online-retail", settings=pounds(shop)).report
    assert (report.orders, report.returns, report.accepted, report.gross) == (1, 1, 3, 510)
    assert shop.rows("returns", "product_id", "quantity", "amount", "order_id") == [("22423", 1, 1275, None), ("85123A", 1, 255, None)]
