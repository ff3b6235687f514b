"""Credits and sellers' promotions: what contradicts itself waits with its reason, the rest is held as the file says."""

from datetime import date, datetime

import pytest

from rekindle.errors import BadData
from tests.ingest.conftest import conserved

CREDITS = """
sources:
- kind: credits
  columns: {credit_id: id, customer_id: who, amount: of, spent: used, issued_at: at, expires_on: until}
"""
PROMOTIONS = """
sources:
- kind: promotions
  columns: {promotion_id: id, seller_id: seller, product_id: sku, percent: part, amount: off, starts_at: from, ends_at: to}
"""
GOOD_CREDIT = "good,ann,5,1,2026-03-01 10:00,2026-04-01\n"
GOOD_PROMOTION = "good,s1,,0.1,,2026-03-01,2026-04-01\n"


def taken(shop, mapping, text):
    imported = shop.load(shop.file("facts.csv", text), mapping=shop.file("map.yaml", mapping))
    assert conserved(imported)
    return imported.report


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,,5,1,2026-03-01,", "customer"),
        ("x,ann,,1,2026-03-01,", "price"),
        ("x,ann,much,1,2026-03-01,", "price"),
        ("x,ann,-5,0,2026-03-01,", "price"),
        ("x,ann,0,0,2026-03-01,", "price"),
        ("x,ann,5,-1,2026-03-01,", "price"),
        ("x,ann,1e30,0,2026-03-01,", "price"),
        ("x,ann,5,0,,", "date"),
        ("x,ann,5,0,2027-03-01,", "date"),
        ("x,ann,5,0,2026-03-01,soon", "date"),
        (",ann,5,0,2026-03-01,", "id"),
        ("x,ann,5,5.01,2026-03-01,", "spent"),
        ("x,ann,5,0,2026-03-01 10:00,2026-02-28", "period"),
        ("x,an\x00n,5,0,2026-03-01,", "unreadable"),
    ],
)
def test_a_credit_that_cannot_be_waits_with_its_reason(shop, row, reason):
    report = taken(shop, CREDITS, f"id,who,of,used,at,until\n{GOOD_CREDIT}{row}\n")
    assert report.rejected == {reason: 1}
    assert shop.rows("credits", "credit_id", "amount", "spent") == [("good", 500, 100)]
    assert len(shop.parked()) == 1


def test_a_credit_may_be_spent_whole_and_end_on_the_day_it_began(shop):
    taken(shop, CREDITS, "id,who,of,used,at,until\na,ann,5,5,2026-03-01 23:30,2026-03-01\nb,ann,5,,2026-03-01,\n")
    assert shop.rows("credits", "credit_id", "amount", "spent", "issued_at", "expires_on") == [
        ("a", 500, 500, datetime(2026, 3, 1, 22, 30), date(2026, 3, 1)), ("b", 500, 0, datetime(2026, 2, 28, 23), None),
    ]  # fmt: skip


def test_a_later_file_says_that_a_credit_was_spent(shop):
    taken(shop, CREDITS, "id,who,of,used,at,until\n" + GOOD_CREDIT)
    report = taken(shop, CREDITS, "id,who,of,used,at,until\n" + GOOD_CREDIT.replace(",5,1,", ",5,5,"))
    assert (report.new, report.changed) == (0, 1)
    assert shop.rows("credits", "credit_id", "spent") == [("good", 500)]


def test_credits_without_ids_are_the_same_the_next_time(shop):
    mapping = CREDITS.replace("credit_id: id, ", "")
    text = "who,of,used,at,until\nann,5,1,2026-03-01,\nann,5,2,2026-03-01,\n"
    assert taken(shop, mapping, text).accepted == 2
    assert taken(shop, mapping, text).new == 0
    assert [row[1] for row in shop.rows("customers", "customer_id", "first_seen_at")] == [datetime(2026, 2, 28, 23)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",s1,,0.1,,2026-03-01,", "id"),
        ("x,,,0.1,,2026-03-01,", "id"),
        ("x,s1,,,,2026-03-01,", "discount"),
        ("x,s1,,0.1,5,2026-03-01,", "discount"),
        ("x,s1,,10,,2026-03-01,", "discount"),
        ("x,s1,,1,,2026-03-01,", "discount"),
        ("x,s1,,0,,2026-03-01,", "discount"),
        ("x,s1,,-0.1,,2026-03-01,", "discount"),
        ("x,s1,,ten,,2026-03-01,", "discount"),
        ("x,s1,,,0,2026-03-01,", "discount"),
        ("x,s1,,,-5,2026-03-01,", "price"),
        ("x,s1,,0.1,,,", "date"),
        ("x,s1,,0.1,,2026-03-01,2026-02-01", "period"),
        ("x,s1,,0.1,,2026-03-01,2026-03-01", "period"),
    ],
)
def test_a_promotion_that_cannot_be_waits_with_its_reason(shop, row, reason):
    report = taken(shop, PROMOTIONS, f"id,seller,sku,part,off,from,to\n{GOOD_PROMOTION}{row}\n")
    assert report.rejected == {reason: 1}
    assert shop.rows("promotions", "promotion_id", "percent") == [("good", 0.1)]


def test_promotions_may_lie_ahead_and_decimals_may_be_commas(shop):
    mapping = PROMOTIONS.replace("kind: promotions", "kind: promotions\n  decimal: \",\"")
    taken(shop, mapping, "id;seller;sku;part;off;from;to\na;s1;p1;0,25;;2027-03-01;\nb;s2;;;1.234,50;2027-03-01;2027-04-01\n")
    assert shop.rows("promotions", "promotion_id", "product_id", "percent", "amount", "ends_at") == [
        ("a", "p1", 0.25, None, None), ("b", None, None, 123_450, datetime(2027, 3, 31, 22)),
    ]  # fmt: skip


def test_promotions_in_another_currency_and_of_another_source(shop):
    mapping = PROMOTIONS.replace("amount: off,", "amount: off, currency: money,")
    mapping = mapping.replace("kind: promotions", "kind: promotions\n  source: pos")
    report = taken(shop, mapping, "id,seller,sku,part,off,money,from,to\na,s1,p1,,5,EUR,2026-03-01,\nb,s1,p1,,5,USD,2026-03-01,\n")
    assert report.rejected == {"currency": 1}
    assert shop.rows("promotions", "promotion_id", "seller_id", "product_id") == [("pos:a", "pos:s1", "pos:p1")]


def test_a_mapping_of_credits_needs_when_they_were_given(shop):
    text = "sources: [{kind: credits, columns: {customer_id: a, amount: b}}]"
    with pytest.raises(BadData, match="credits need the column issued_at"):
        shop.load(shop.file("facts.csv", "a,b\n1,2\n"), mapping=shop.file("map.yaml", text))
