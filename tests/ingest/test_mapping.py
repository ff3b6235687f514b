"""Files that no preset knows."""

import gzip
import json
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from rekindle.ingest.identity import customer_id_of, identity_key
from tests.data import shared
from tests.ingest.conftest import conserved

PAID = "sources: [{kind: lines, columns: {%scustomer_id: who, ordered_at: at, product_id: sku, amount: paid}}]\n"
CDNOW = "sources: [{kind: orders, columns: {customer_id: %s, ordered_at: date, total: amount}}]\n"


def test_cdnow_has_no_order_ids(shop):
    mapping = shop.file("map.yaml", CDNOW % "sample_id")
    path = shared("cdnow/cdnow_sample.parquet")
    first = shop.load(path, mapping=mapping)
    assert conserved(first)
    assert (first.report.read, first.report.customers, first.report.rejected) == (6_919, 2_357, {})
    assert first.report.orders == first.report.accepted
    before = shop.facts()
    assert (shop.load(path, mapping=mapping).report.new, shop.facts()) == (0, before)
    assert min(shop.rows("orders", "purchase_day"))[0] == date(1997, 1, 1)


def test_the_whole_of_cdnow(shop):
    report = shop.load(shared("cdnow/cdnow_master.parquet"), mapping=shop.file("map.yaml", CDNOW % "customer_id")).report
    assert (report.read, report.customers) == (69_659, 23_570)
    assert report.read == report.accepted + report.duplicates
    assert report.orders == report.accepted


def test_two_equal_orders_of_a_day_differ_in_another_column(shop):
    mapping = shop.file("map.yaml", CDNOW % "who")
    path = shop.file("o.csv", "who,date,amount,discs\na,1997-01-01,5,1\na,1997-01-01,5,2\na,1997-01-01,5,2\n")
    report = shop.load(path, mapping=mapping).report
    assert (report.read, report.duplicates, report.orders, report.gross) == (3, 1, 2, 1000)
    turned = shop.file("p.csv", "who,date,amount,discs\na,1997-01-01,5,2\na,1997-01-01,5,1\n")
    assert shop.load(turned, mapping=mapping).report.new == 0


def test_one_row_per_line_makes_orders(shop):
    columns = "order_id: Nr, customer_id: Kunde, ordered_at: Datum, product_id: Artikel, price: Preis, quantity: Menge, shipping: Porto"
    mapping = shop.file("map.yaml", f"sources: [{{kind: lines, decimal: ',', columns: {{{columns}}}}}]\n")
    lines = "1;7;2026-03-01 23:30:00;a;1,25;2;4,90\n1;7;2026-03-01 23:30:00;b;10,00;1;4,90\n2;8;2026-03-02;a;1.000,00;1;\n"
    text = "Nr;Kunde;Datum;Artikel;Preis;Menge;Porto\n" + lines
    report = shop.load(shop.file("zeilen.csv.gz", gzip.compress(text.encode())), mapping=mapping).report
    assert (report.orders, report.customers, report.gross) == (2, 2, 101_250)
    assert shop.rows("orders", "order_id", "net", "shipping", "lines", "purchase_day", "ordered_at") == [
        ("1", 1250, 490, 2, date(2026, 3, 1), datetime(2026, 3, 1, 22, 30)),
        ("2", 100_000, 0, 1, date(2026, 3, 2), datetime(2026, 3, 1, 23)),
    ]  # fmt: skip


def test_lines_without_order_ids_belong_together_by_customer_and_time(shop):
    mapping = shop.file("map.yaml", PAID % "")
    path = shop.file("l.csv", "who,at,sku,paid\na,2026-01-01 10:00,x,5\na,2026-01-01 10:00,y,6\na,2026-01-02 10:00,x,5\n")
    report = shop.load(path, mapping=mapping).report
    assert (report.orders, report.gross) == (2, 1600)
    assert shop.load(path, mapping=mapping).report.new == 0


MARKET = """
sources:
- {kind: orders, file: orders.csv, columns: {order_id: id, customer_id: who, ordered_at: at, total: total, country: land}}
- {kind: lines, file: lines.jsonl, columns: {order_id: id, product_id: sku, seller_id: seller, amount: amount, cost: cost}}
- kind: products
  file: products.parquet
  columns: {product_id: sku, name: name, category: category, price: price, cost: cost, in_stock: stock}
- {kind: sellers, file: sellers.csv, columns: {seller_id: id, name: name, suspended: suspended}}
- {kind: shipments, file: shipments.csv, columns: {order_id: id, shipped_at: sent, promised_at: promised, delivered_at: delivered}}
- {kind: returns, file: returns.csv, columns: {order_id: id, returned_at: at, amount: amount, reason: why}}
- {kind: reviews, file: reviews.csv, columns: {order_id: id, rating: stars, reviewed_at: at}}
- {kind: tickets, file: tickets.csv, columns: {ticket_id: id, customer_id: who, topic: topic, opened_at: opened, closed_at: closed}}
- {kind: events, file: events.csv, columns: {message_id: id, customer_id: who, name: name, occurred_at: at, value: said}}
- {kind: credits, file: credits.csv, columns: {credit_id: id, customer_id: who, amount: of, spent: used, issued_at: at, expires_on: until}}
- kind: promotions
  file: promotions.csv
  columns: {promotion_id: id, seller_id: seller, product_id: sku, category: group, percent: part, amount: off, starts_at: fro, ends_at: to}
- {kind: touches, file: touches.csv, columns: {touch_key: key, customer_id: who, status: status, settled_at: at}}
- {kind: contacts, file: contacts.csv, columns: {customer_id: who, email: mail, email_consent: ok, consent_at: since, birthday: born}}
- {kind: customers, file: customers.csv, columns: {customer_id: who, country: land}}
"""
FILES = {
    "orders.csv": "id,who,at,total,land\n1,ann,2026-01-01,30,DE\n2,bob,2026-01-02,20,\n",
    "lines.jsonl": "\n".join(
        json.dumps(row)
        for row in (
            {"id": 1, "sku": "x", "seller": "s1", "amount": "10.00", "cost": 4},
            {"id": 1, "sku": "y", "seller": "s1", "amount": "20.00"},
            {"id": 9, "sku": "y", "seller": "s1", "amount": "20.00"},
        )
    ),
    "sellers.csv": "id,name,suspended\ns1,Ada,no\n",
    "shipments.csv": "id,sent,promised,delivered\n1,2026-01-03,2026-12-24,2026-01-09\n2,,2026-01-05,\n",
    "returns.csv": "id,at,amount,why\n1,2026-01-12,-10,too small\n",
    "reviews.csv": "id,stars,at\n1,1,2026-01-13\n2,6,2026-01-13\n",
    "tickets.csv": "id,who,topic,opened,closed\nt1,ann,late 4111111111111111,2026-01-10,\n",
    "events.csv": "id,who,name,at,said\ne1,ann,Product Unavailable,2026-01-14T10:00:00Z,\ne2,bob,Survey Answered,2026-01-15T10:00:00Z,9\n",
    "credits.csv": "id,who,of,used,at,until\ng1,ann,5,,2026-01-20,2026-12-31\ng2,bob,10.00,2.50,2026-01-20,\n",
    "promotions.csv": "id,seller,sku,group,part,off,fro,to\na,s1,x,,0.15,,2026-12-01,2026-12-24\nb,s1,,tools,,2.00,2026-01-01,\n",
    "touches.csv": "key,who,status,at\nk1,ann,sent,2026-02-01\n",
    "contacts.csv": "who,mail,ok,since,born\nann,Ann@Example.com,yes,2026-01-01,1990-02-03\n",
    "customers.csv": "who,land\ncleo,FR\n",
}


def market(shop):
    paths = [shop.file(name, text) for name, text in FILES.items()]
    products = {"sku": ["x", "y"], "name": ["Axe", "Yo-yo"], "category": ["tools", None], "price": [10.0, 20.005]}
    products |= {"cost": [4, None], "stock": [True, False]}
    pq.write_table(pa.table(products), shop.folder / "products.parquet")
    return [*paths, shop.folder / "products.parquet"]


def test_every_kind_in_one_call(shop):
    imported = shop.load(*market(shop), mapping=shop.file("map.yaml", MARKET))
    assert conserved(imported)
    assert imported.report.rejected == {"order": 1, "rating": 1}
    ann = customer_id_of("ann", "shop", identity_key(shop.settings.var))
    assert shop.rows("orders", "order_id", "net", "lines") == [("1", 3000, 2), ("2", 2000, 0)]
    assert shop.rows("order_lines", "line_no", "product_id", "customer_id", "purchase_day", "amount", "cost") == [
        (1, "x", ann, date(2026, 1, 1), 1000, 400), (2, "y", ann, date(2026, 1, 1), 2000, None),
    ]  # fmt: skip
    assert shop.rows("products", "product_id", "category", "price", "cost", "in_stock") == [
        ("x", "tools", 1000, 400, True),
        ("y", None, 2001, None, False),
    ]
    assert shop.rows("sellers", "seller_id", "name", "suspended") == [("s1", "Ada", False)]
    assert shop.rows("shipments", "promised_at", "shipped_at") == [
        (datetime(2026, 1, 4, 23), None), (datetime(2026, 12, 23, 23), datetime(2026, 1, 2, 23)),
    ]  # fmt: skip
    assert shop.rows("returns", "order_id", "customer_id", "amount", "reason", "open") == [("1", ann, 1000, "too small", False)]
    assert shop.rows("reviews", "customer_id", "rating") == [(ann, 1)]
    assert shop.rows("tickets", "ticket_id", "topic", "closed_at") == [("t1", "late [card number]", None)]
    assert shop.rows("events", "message_id", "name", "occurred_at", "value") == [
        ("e1", "Product Unavailable", datetime(2026, 1, 14, 10), None), ("e2", "Survey Answered", datetime(2026, 1, 15, 10), "9"),
    ]  # fmt: skip
    assert shop.rows("credits", "credit_id", "amount", "spent", "expires_on") == [
        ("g1", 500, 0, date(2026, 12, 31)), ("g2", 1000, 250, None),
    ]  # fmt: skip
    assert shop.rows("promotions", "promotion_id", "seller_id", "product_id", "category", "percent", "amount", "ends_at") == [
        ("a", "s1", "x", None, 0.15, None, datetime(2026, 12, 23, 23)), ("b", "s1", None, "tools", None, 200, None),
    ]  # fmt: skip
    assert shop.rows("touches", "touch_key", "status", "settled_at") == [("k1", "sent", datetime(2026, 1, 31, 23))]
    assert sorted(row[0] or "" for row in shop.rows("customers", "country")) == ["", "DE", "FR"]
    (person,) = imported.contacts.to_pylist()
    assert (person["customer_id"], person["external_id"]) == (ann, "ann")
    assert (person["email"], person["birthday"]) == ("Ann@Example.com", date(1990, 2, 3))
    assert sorted(row["external_id"] for row in imported.external_ids.to_pylist()) == ["ann", "bob", "cleo"]


def test_every_kind_twice_and_in_several_calls_says_nothing_new(shop):
    mapping, paths = shop.file("map.yaml", MARKET), market(shop)
    shop.load(*paths, mapping=mapping)
    before = shop.facts()
    assert shop.load(*paths, mapping=mapping).report.new == 0
    for path in paths[:3]:
        assert shop.load(path, mapping=mapping).report.new == 0
    assert shop.facts() == before


def test_lines_may_follow_their_orders(shop):
    mapping, paths = shop.file("map.yaml", MARKET), {path.name: path for path in market(shop)}
    shop.load(paths["orders.csv"], mapping=mapping)
    assert shop.rows("orders", "order_id", "lines") == [("1", 0), ("2", 0)]
    shop.load(paths["lines.jsonl"], mapping=mapping)
    assert shop.rows("orders", "order_id", "lines") == [("1", 2), ("2", 0)]
    assert shop.load(paths["orders.csv"], mapping=mapping).report.changed == 0


def test_a_mapping_that_names_its_files_needs_no_others(shop):
    market(shop)
    assert shop.load(mapping=shop.file("map.yaml", MARKET)).report.orders == 2


def test_customers_of_another_source_are_others(shop):
    path = shop.file("orders.csv", FILES["orders.csv"])
    one = "sources: [{kind: orders, source: %s, columns: {order_id: id, customer_id: who, ordered_at: at, total: total}}]\n"
    shop.load(path, mapping=shop.file("a.yaml", one % "shop"))
    shop.load(path, mapping=shop.file("b.yaml", one % "pos"))
    assert [row[0] for row in shop.rows("orders", "order_id")] == ["1", "2", "pos:1", "pos:2"]
    assert len(shop.rows("customers", "customer_id")) == 4


def test_a_later_export_supersedes_an_order_and_keeps_when_a_customer_was_first_seen(shop):
    mapping = shop.file("map.yaml", PAID % "order_id: id, ")
    shop.load(shop.file("a.csv", "id,who,at,sku,paid\n1,a,2026-01-01,x,5\n1,a,2026-01-01,y,6\n"), mapping=mapping)
    report = shop.load(shop.file("b.csv", "id,who,at,sku,paid\n1,a,2026-01-01,y,6\n2,a,2026-02-01,x,5\n"), mapping=mapping).report
    assert (report.new, report.changed) == (2, 2)
    assert shop.rows("order_lines", "order_id", "product_id", "amount") == [("1", "y", 600), ("2", "x", 500)]
    assert shop.rows("orders", "order_id", "net") == [("1", 600), ("2", 500)]
    assert shop.rows("customers", "first_seen_at") == [(datetime(2025, 12, 31, 23),)]


def test_people_without_a_mapping(shop):
    path = shop.file("people.csv", "E-mail,First Name,Phone,Accepts Email Marketing,Shoe size\nAnn@Example.com,Ann,+49 1,yes,38\n")
    imported = shop.load(path, role="contacts", preset="online-retail")
    (person,) = imported.contacts.to_pylist()
    assert (person["external_id"], person["email"]) == ("ann@example.com", "Ann@Example.com")
    assert (person["first_name"], person["email_consent"]) == ("Ann", True)
    assert (imported.report.orders, imported.report.customers) == (0, 1)
