"""Each bad file gets one message with its remedy, and the store stays as it was."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.errors import BadData, UsageError
from tests.ingest.conftest import conserved, opened
from tests.ingest.test_online_retail import HEADER as RETAIL
from tests.ingest.test_shopify_orders import EXPORT

MAPPING = "sources: [{kind: orders, columns: {order_id: id, customer_id: who, ordered_at: at, total: total}}]\n"
LINES = "sources: [{kind: lines, columns: {order_id: id, customer_id: who, ordered_at: at, price: price, quantity: n, product_id: sku}}]\n"
GOOD = b"id,who,at,total\n1,ann,2026-01-02 10:00:00,10\n"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """One store for all files that are refused: none of them may change it."""
    with opened(tmp_path_factory.mktemp("stocked")) as shop:
        shop.load(shop.file("good.csv", GOOD), mapping=shop.file("good.yaml", MAPPING))
        yield shop


def refused(shop, path, words, *, mapping=MAPPING, preset=None):
    rules = shop.file("map.yaml", mapping)
    before = shop.facts()
    assert before["orders"] == 1
    with pytest.raises(BadData, match=words) as caught:
        shop.load(path, preset=preset, mapping=None if preset else rules)
    assert caught.value.exit_code == 3
    assert caught.value.remedy.endswith(".")
    assert shop.facts() == before
    assert shop.parked() == []


def partly(shop, content, *, mapping=MAPPING, name="orders.csv"):
    imported = shop.load(shop.file(name, content), mapping=shop.file("map.yaml", mapping))
    assert conserved(imported)
    return imported.report


def test_an_empty_file(stocked):
    refused(stocked, stocked.file("orders.csv", b""), "is empty")


def test_an_empty_gzip(stocked):
    refused(stocked, stocked.file("orders.csv.gz", gzip.compress(b"")), "is empty")


def test_a_header_alone(stocked):
    refused(stocked, stocked.file("orders.csv", b"id,who,at,total\n"), "a header but no row")


def test_a_missing_file(stocked):
    refused(stocked, stocked.folder / "absent.csv", "there is no file")


def test_a_folder(stocked):
    refused(stocked, stocked.folder, "is a folder")


def test_an_unreadable_file(stocked, monkeypatch):
    path = stocked.file("orders.csv", GOOD)
    opened = type(path).open

    def locked(self, *arguments, **options):
        if self.name == "orders.csv":
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **options)

    monkeypatch.setattr(type(path), "open", locked)
    refused(stocked, path, "Permission denied. Check the file's permissions")


def test_an_ending_that_says_nothing(stocked):
    refused(stocked, stocked.file("orders.xlsx", GOOD), "no ending that Rekindle reads")


def test_the_wrong_preset_names_the_right_one(stocked):
    path = stocked.file("orders.csv", EXPORT)
    refused(stocked, path, "has no column 'InvoiceNo'.* It fits --preset shopify-orders", preset="online-retail")


def test_a_preset_where_none_fits(stocked):
    refused(stocked, stocked.file("orders.csv", GOOD), "Describe its columns in a mapping file", preset="shopify-orders")


def test_a_column_that_is_not_there(stocked):
    path = stocked.file("orders.csv", b"id,who,at,Totals\n1,a,2026-01-01,1\n")
    refused(stocked, path, "no column 'total' for total; the nearest is 'Totals'")


def test_a_truncated_parquet(stocked):
    table = pa.table({"id": ["1"] * 1000, "who": ["a"] * 1000, "at": ["2026-01-01"] * 1000, "total": ["1"] * 1000})
    pq.write_table(table, stocked.folder / "whole.parquet")
    content = (stocked.folder / "whole.parquet").read_bytes()
    refused(stocked, stocked.file("orders.parquet", content[: len(content) // 2]), "is damaged")


def test_a_truncated_gzip(stocked):
    content = gzip.compress(GOOD + b"".join(b"%d,bob,2026-01-02,%d\n" % (n, n) for n in range(2, 20_000)))
    refused(stocked, stocked.file("orders.csv.gz", content[: len(content) // 2]), "is damaged")


def test_text_that_is_not_utf8(shop):
    report = partly(shop, GOOD + b"2,J\xf6rg,2026-01-02,11\n3,bob,2026-01-03,12\n")
    assert (report.read, report.accepted, report.rejected) == (3, 2, {"unreadable": 1})
    assert [name.split("-")[1] for name in shop.parked()] == ["unreadable"]


def test_nothing_but_text_that_is_not_utf8(stocked):
    refused(stocked, stocked.file("orders.csv", b"id,who,at,total\n2,J\xf6rg,2026-01-02,11\n"), "unreadable 1.*UTF-8")


def test_utf16(stocked):
    refused(stocked, stocked.file("orders.csv", GOOD.decode().encode("utf-16")), "is UTF-16")


def test_nul_bytes(shop):
    report = partly(shop, GOOD + b"2,an\x00n,2026-01-02,11\n")
    assert (report.accepted, report.rejected) == (1, {"unreadable": 1})


def test_a_ten_megabyte_field(shop):
    report = partly(shop, GOOD + b"2," + b"x" * 10_000_000 + b",2026-01-02,11\n3,bob,2026-01-03,12\n")
    assert (report.read, report.accepted, report.rejected) == (3, 2, {"unreadable": 1})


def test_a_ten_megabyte_field_in_json_lines_and_parquet(shop):
    rows = [{"id": "1", "who": who, "at": "2026-01-02", "total": "5"} for who in ("x" * 10_000_000, "ann")]
    report = partly(shop, "\n".join(json.dumps(row) for row in rows), name="orders.jsonl")
    assert (report.read, report.accepted, report.rejected) == (2, 1, {"unreadable": 1})
    pq.write_table(pa.Table.from_pylist(rows), shop.folder / "orders.parquet")
    report = shop.load(shop.folder / "orders.parquet", mapping=shop.folder / "map.yaml").report
    assert (report.read, report.accepted, report.rejected) == (2, 1, {"unreadable": 1})


def test_lines_of_another_shape_and_an_open_quote(shop):
    report = partly(shop, GOOD + b'2,bob\n3,bob,2026-01-03,12,extra,more\n\n4,"bob\n5,bob,2026-01-03,12\n')
    assert (report.read, report.accepted, report.rejected) == (4, 1, {"unreadable": 3})


def test_json_that_is_none(shop):
    lines = '{"id": 1, "who": "ann", "at": "2026-01-02", "total": 2.50}\n\nnot json\n[1]\n{"id": 2, "who": "bob"}\n'
    report = partly(shop, lines, name="orders.jsonl")
    assert (report.read, report.accepted, report.rejected) == (4, 1, {"unreadable": 2, "price": 1})


def test_mixed_line_endings_are_read(shop):
    report = partly(shop, b"id,who,at,total\r\n1,ann,2026-01-02,10\n2,bob,2026-01-02,10\r\n")
    assert (report.read, report.accepted) == (2, 2)


def test_naive_and_aware_times_in_one_column(shop, stocked):
    content = GOOD + b"2,bob,2026-01-02T10:00:00Z,11\n"
    refused(stocked, stocked.file("orders.csv", content), "column 'at' of orders.csv mixes times")
    stated = MAPPING.replace("kind: orders,", "kind: orders, timezone: Europe/Berlin,")
    assert partly(shop, content, mapping=stated).accepted == 2


def test_dates_in_the_future_and_before_shops(shop):
    report = partly(shop, GOOD + b"2,bob,2026-11-24 10:00:00,1\n3,bob,2026-11-23 08:00:00,1\n4,bob,1066-10-14,1\n")
    assert (report.accepted, report.rejected) == (2, {"date": 2})


def test_negative_quantities(shop):
    rows = "1,ann,2026-01-02,5,2,x\n2,bob,2026-01-02,5,-1,x\n3,bob,2026-01-02,5,0,x\n"
    report = partly(shop, f"id,who,at,price,n,sku\n{rows}", mapping=LINES)
    assert (report.accepted, report.rejected, report.gross) == (1, {"quantity": 2}, 1000)


def test_mixed_currencies(shop):
    mapping = MAPPING.replace("total: total", "total: total, currency: money")
    report = partly(shop, "id,who,at,total,money\n1,ann,2026-01-02,5,EUR\n2,bob,2026-01-02,5,usd\n", mapping=mapping)
    assert (report.accepted, report.rejected) == (1, {"currency": 1})


def test_another_currency_altogether(stocked):
    mapping = MAPPING.replace("total: total", "total: total, currency: money")
    path = stocked.file("orders.csv", "id,who,at,total,money\n2,bob,2026-01-02,5,USD\n")
    refused(stocked, path, 'currency 1\\). Set currency = "USD" in rekindle.toml', mapping=mapping)


def test_a_preset_in_another_currency(stocked):
    path = stocked.file("r.csv", RETAIL + "1,22423,A,1,2010-12-01,1,7,UK\n")
    refused(stocked, path, 'Set currency = "GBP"', preset="online-retail")


def test_the_first_rule_is_the_reason(shop):
    report = partly(shop, "id,who,at,total\n1,,never,x\n2,ann,never,x\n3,ann,never,1\n4,ann,2026-01-02,1\n,ann,2026-01-02,1\n")
    assert report.rejected == {"customer": 1, "price": 1, "date": 1, "id": 1}


def test_amounts_that_no_shop_has(shop):
    rows = "1,ann,2026-01-02,999999999,999999999,x\n2,a,2026-01-02,1e30,1,x\n3,a,2026-01-02,1,1,x\n4,a,2026-01-02,123456789,100000,x\n"
    report = partly(shop, f"id,who,at,price,n,sku\n{rows}", mapping=LINES)
    assert (report.accepted, report.rejected, report.gross) == (2, {"price": 2}, 100 + 1_234_567_890_000_000)


def test_one_id_for_two_things(shop):
    report = partly(shop, GOOD + b"1,ann,2026-01-03 10:00:00,12\n")
    assert report.rejected == {"repeated": 1}
    assert shop.rows("orders", "order_id", "net") == [("1", 1200)]


def test_an_order_of_two_customers(shop):
    rows = "1,ann,2026-01-02,5,1,x\n1,bob,2026-01-02,5,1,y\n2,bob,2026-01-02,5,1,y\n"
    report = partly(shop, f"id,who,at,price,n,sku\n{rows}", mapping=LINES)
    assert (report.accepted, report.rejected, report.orders) == (1, {"order": 2}, 1)


@pytest.mark.parametrize("name", ["a'b.csv", "a[1].csv", "a*.csv", 'q"uote.csv'])
def test_file_names_are_only_names(shop, name):
    assert partly(shop, GOOD, name=name).accepted == 1


def test_column_names_are_only_names(shop):
    mapping = 'sources: [{kind: orders, columns: {order_id: "i\'d", customer_id: \'w"ho\', ordered_at: "a{t}", total: total}}]\n'
    report = partly(shop, "i'd,\"w\"\"ho\",a{t},total,TOTAL,,total\n1,ann,2026-01-02,10,x,y,z\n", mapping=mapping)
    assert report.accepted == 1


def test_a_mapping_is_checked(shop):
    for text, words in (
        ("sources: [{kind: orders, columns: {customer_id: a, ordered_at: b, totl: c}}]", "no column 'totl'; the nearest is 'total'"),
        ("sources: [{kind: orders, columns: {customer_id: a, ordered_at: b}}]", "orders need the column total"),
        ("sources: [{kind: order, columns: {}}]", "sources.0.kind"),
        ("sources: []", "sources"),
        ("a: [", "not valid YAML"),
        ("sources: [{kind: sellers, columns: {seller_id: a}, timezone: Mars}]", "'Mars' is not a time zone"),
        ("sources: [{kind: sellers, columns: {seller_id: a}, currency: XXY}]", "not an ISO 4217"),
        ("sources: [{kind: sellers, file: other.csv, columns: {seller_id: a}}]", "no source of the mapping takes good"),
    ):
        with pytest.raises(BadData, match=words):
            shop.load(shop.file("good.csv", GOOD), mapping=shop.file("map.yaml", text))


def test_neither_preset_nor_mapping(shop):
    with pytest.raises(UsageError, match="--preset online-retail"):
        shop.load(shop.file("good.csv", GOOD))
    with pytest.raises(UsageError, match="no preset 'shopfy'"):
        shop.load(shop.file("good.csv", GOOD), preset="shopfy")
