"""A shop's export as Shopify writes it: quoting, several lines an order, refunds, other alphabets."""

from datetime import date, datetime

from tests.ingest.conftest import conserved

_HEADER = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,"
    "Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,"
    "Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Country,Shipping Country,"
    "Notes,Cancelled at,Payment Method,Refunded Amount,Vendor,Tags,Lineitem discount,Phone"
)
EXPORT = (
    _HEADER
    + """
#1001,Łucja@Example.com,paid,2026-03-01 10:00:05 +0100,fulfilled,2026-03-03 09:00:00 +0100,yes,EUR,54.90,4.90,10.44,70.24,FRÜHLING,5.00,Standard,2026-03-01 10:00:00 +0100,2,"Kerze ""Café"", rot",20.00,,K-1,true,true,fulfilled,Łucja Żółć,PL,PL,"zwei
Zeilen, bitte",,card,0.00,Atelier,vip,0.00,+48 600 000 000
#1001,Łucja@Example.com,,,,,,,,,,,,,,2026-03-01 10:00:00 +0100,1,Дом — свеча,19.90,,K-2,true,true,fulfilled,,,,,,,,Atelier,,0.00,
#1002,bo@example.com,partially_refunded,2026-04-01 00:30:00 +0200,fulfilled,2026-04-02 09:00:00 +0200,no,EUR,30.00,0.00,0.00,30.00,,0.00,Standard,2026-04-01 00:30:00 +0200,3,花瓶,10.00,,V-1,true,true,fulfilled,Bo,DE,DE,,,card,10.00,Atelier,,0.00,
#1003,bo@example.com,voided,,unfulfilled,,yes,EUR,12.00,0.00,0.00,12.00,,0.00,Standard,2026-05-01 12:00:00 +0200,1,Vase 4111111111111111,12.00,,,true,true,pending,Bo,DE,DE,,2026-05-02 09:00:00 +0200,card,12.00,Atelier,,0.00,
#1004,,paid,2026-05-03 12:00:00 +0200,fulfilled,,no,EUR,8.00,0.00,0.00,8.00,,0.00,Standard,2026-05-03 12:00:00 +0200,1,Karte,8.00,,C-1,true,true,fulfilled,Kasse,DE,DE,,,cash,0.00,Atelier,,0.00,
#1005,tax@example.com,paid,2026-05-04 12:00:00 +0200,fulfilled,,no,EUR,119.00,0.00,19.00,119.00,,0.00,Standard,2026-05-04 12:00:00 +0200,1,Lampe,119.00,,L-1,true,true,fulfilled,Tax Payer,DE,DE,,,card,0.00,Licht,,0.00,
"""  # noqa: E501  rows as Shopify writes them
)


def test_orders_lines_refunds_and_cancelled_orders(shop):
    imported = shop.load(shop.file("orders_export.csv", EXPORT), preset="shopify-orders")
    report = imported.report
    assert conserved(imported)
    assert (report.read, report.accepted, report.rejected, report.orders, report.customers) == (6, 5, {"customer": 1}, 4, 3)
    assert report.gross == 5490 + 3000 + 10000
    columns = ("order_id", "ordered_at", "purchase_day", "net", "discount", "shipping", "tax", "code", "cancelled", "lines")
    assert shop.rows("orders", *columns) == [
        ("#1001", datetime(2026, 3, 1, 9), date(2026, 3, 1), 5490, 500, 490, 1044, "FRÜHLING", False, 2),
        ("#1002", datetime(2026, 3, 31, 22, 30), date(2026, 4, 1), 3000, 0, 0, 0, None, False, 1),
        ("#1003", datetime(2026, 5, 1, 10), date(2026, 5, 1), 1200, 0, 0, 0, None, True, 1),
        ("#1005", datetime(2026, 5, 4, 10), date(2026, 5, 4), 10000, 0, 0, 1900, None, False, 1),
    ]
    assert shop.rows("order_lines", "order_id", "product_id", "quantity", "amount")[:3] == [
        ("#1001", "K-1", 2, 4000), ("#1001", "K-2", 1, 1990), ("#1002", "V-1", 3, 3000),
    ]  # fmt: skip
    assert shop.rows("returns", "return_id", "order_id", "amount", "returned_at", "reason", "open") == [
        ("#1002/refund", "#1002", 1000, datetime(2026, 4, 2, 7), "refund", False),
    ]
    assert ('Kerze "Café", rot', "K-1") in shop.rows("products", "name", "product_id")
    assert "Vase [card number]" in [name for (name,) in shop.rows("products", "name")]
    assert shop.rows("sellers", "seller_id") == [("Atelier",), ("Licht",)]


def test_people_go_to_the_ledger_and_not_into_history(shop):
    imported = shop.load(shop.file("orders_export.csv", EXPORT), preset="shopify-orders")
    people = {row["external_id"]: row for row in imported.contacts.to_pylist()}
    assert sorted(people) == ["bo@example.com", "tax@example.com", "łucja@example.com"]
    lucja, bo = people["łucja@example.com"], people["bo@example.com"]
    assert (lucja["first_name"], lucja["last_name"], lucja["phone"], lucja["email_consent"]) == ("Łucja", "Żółć", "+48 600 000 000", True)
    assert (lucja["consent_at"], lucja["consent_source"]) == (datetime(2026, 3, 1, 9), "shopify export")
    assert (bo["email_consent"], bo["sms_consent"]) == (True, None)
    assert imported.external_ids.num_rows == 3
    shop.warehouse.backend.raw_sql("checkpoint")
    stored = (shop.settings.var / "history.duckdb").read_bytes()
    assert "example.com" not in stored.decode("latin-1")


def test_the_same_export_twice_and_a_changed_order(shop):
    shop.load(shop.file("orders_export.csv", EXPORT), preset="shopify-orders")
    before = shop.facts()
    again = shop.load(shop.file("orders_export.csv", EXPORT), preset="shopify-orders").report
    assert (again.new, again.changed) == (0, 0)
    assert shop.facts() == before
    changed = EXPORT.replace(",EUR,54.90,", ",EUR,35.00,").replace("\n#1001,Łucja@Example.com,,", "\n#1006,Łucja@Example.com,,", 1)
    shop.load(shop.file("orders_export.csv", changed.replace("\n#1006", "\n#1005")), preset="shopify-orders")
    assert [row for row in shop.rows("orders", "order_id", "net", "lines") if row[0] == "#1001"] == [("#1001", 3500, 1)]
    assert [row[1] for row in shop.rows("order_lines", "order_id", "product_id") if row[0] == "#1001"] == ["K-1"]


def test_a_dry_run_reports_and_writes_nothing(shop):
    report = shop.load(shop.file("orders_export.csv", EXPORT), preset="shopify-orders", dry_run=True).report
    assert (report.accepted, report.parked) == (5, ())
    assert shop.facts() == {}
    assert shop.parked() == []
