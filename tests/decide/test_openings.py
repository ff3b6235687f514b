"""What opens a round: facts of a little shop in Berlin, looked at on a Monday, and which rounds are open then."""

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from rekindle.decide import openings
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import Program
from tests.decide.shop import MONDAY, ROWS, Decider, customer, instant, program
from tests.insight.histories import Fact, line, order, write

NOW = MONDAY.replace(tzinfo=None)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def parcel(of: Fact, promised: float, delivered: float | None, number: int = 1) -> Fact:
    """Promised and delivered so many days ago."""
    return {
        "shipment_id": f"{of['order_id']}-{number}", "order_id": of["order_id"], "customer_id": of["customer_id"],
        "promised_at": ago(promised), "delivered_at": None if delivered is None else ago(delivered),
    }


FIRST, SECOND = order("a1", "anna", ago(40), 5_000, lines=2), order("a2", "anna", ago(3), 2_000, lines=1)
LATE, NEW, OLD = order("b1", "ben", ago(12), 4_000), order("c1", "cleo", ago(2), 3_000), order("c0", "cleo", ago(400), 3_000)
VOID, SPLIT = order("d1", "dora", ago(1), 1_000, cancelled=True), order("e1", "emil", ago(9), 1_000)
FACTS = {
    "orders": [FIRST, SECOND, LATE, NEW, OLD, VOID, SPLIT],
    "order_lines": [line(FIRST, 1, "mug", 1_000), line(FIRST, 2, "pot", 4_000), line(SECOND, 1, "tea", 2_000)],
    "products": [
        {"product_id": "mug", "category": "Kitchen"}, {"product_id": "pot", "category": "Kitchen"},
        {"product_id": "tea", "category": "Tea"},
    ],
    "shipments": [
        parcel(FIRST, 36, 35), parcel(SECOND, 1, 0.5), parcel(LATE, 5, None), parcel(NEW, -1, None),
        parcel(SPLIT, 4, 3, 1), parcel(SPLIT, 2, None, 2),
    ],
    "reviews": [{"review_id": "r1", "customer_id": "anna", "order_id": "a2", "product_id": "tea", "rating": 5, "reviewed_at": ago(0.2)}],
}
PEOPLE = [
    customer("anna", last_order_id="a2", first_day=date(2026, 1, 21), last_day=date(2026, 2, 27)),
    customer("ben", last_order_id="b1", first_day=date(2026, 2, 18), last_day=date(2026, 2, 18)),
    customer("cleo", last_order_id="c1", first_day=date(2025, 1, 26), last_day=date(2026, 2, 28), average_days_between_orders=50.0),
    customer("emil", last_order_id="e1", first_day=date(2024, 2, 29), last_day=date(2026, 2, 21)),
    customer("nora", last_order_id=None, first_day=None, last_day=None, lifecycle="prospect"),
]


@pytest.fixture(scope="module")
def shop(shared_decider: Decider) -> Warehouse:
    write(shared_decider.warehouse, FACTS)
    return shared_decider.warehouse


def moment(on: str, **more: object) -> Program:
    return program(trigger={"on": on, **more}, exit=["opt_out", "erasure"])


def found(shop: Warehouse, wanted: Program, by: str = "episode") -> dict[object, dict[str, object]]:
    """Open rounds by episode, or by customer."""
    profile = shop.keep(pa.Table.from_pylist(PEOPLE, schema=ROWS.to_pyarrow()))
    rows = shop.arrow(openings.find(shop, profile, wanted, instant(0))).to_pylist()
    assert len({(row["customer_id"], row["episode"]) for row in rows}) == len(rows)
    return {row[by]: row for row in rows}


def test_a_lapse_is_about_the_last_order_of_everyone_who_ordered(shop: Warehouse) -> None:
    rows = found(shop, program())
    assert {(row["customer_id"], name) for name, row in rows.items()} == {("anna", "a2"), ("ben", "b1"), ("cleo", "c1"), ("emil", "e1")}
    assert rows["b1"]["opened_at"] == datetime(2026, 2, 18)


def test_every_order_that_stands_opens_a_round_and_a_later_one_is_known(shop: Warehouse) -> None:
    rows = found(shop, moment("order"))
    assert set(rows) == {"a1", "a2", "b1", "c1", "e1"}, "d1 was cancelled, c0 is too long ago"
    assert rows["a1"]["opened_at"] == FIRST["ordered_at"]
    assert [rows[name]["later_order"] for name in ("a1", "a2")] == [True, False]
    assert (rows["a1"]["opening_product"], rows["a1"]["opening_category"]) == ("pot", "Kitchen"), "what most was paid for"
    assert rows["b1"]["opening_product"] is None
    assert [rows[name]["reviewed"] for name in ("a1", "a2")] == [False, True]


def test_a_first_order_opens_one_round(shop: Warehouse) -> None:
    assert set(found(shop, moment("first_order"))) == {"a1", "b1"}, "the only order of emil that is known is not his first"


def test_an_order_after_a_long_silence_is_a_comeback(shop: Warehouse) -> None:
    rows = found(shop, moment("comeback"))
    assert set(rows) == {"c1"}, "398 days of silence are over four times 50; the 37 days of anna are not over four times 40"


def test_an_order_is_delivered_once_all_its_parcels_are(shop: Warehouse) -> None:
    rows = found(shop, moment("delivery"))
    assert set(rows) == {"a1", "a2"}
    assert (rows["a2"]["opened_at"], rows["a2"]["opening_day"]) == (ago(0.5), ago(1).date())


def test_a_promise_that_passed_opens_a_round_until_the_parcel_is_there(shop: Warehouse) -> None:
    rows = found(shop, moment("late_delivery"))
    assert {name: row["opened_at"] for name, row in rows.items()} == {"b1": ago(5), "e1": ago(2)}


def test_an_anniversary_comes_every_year_but_the_first_and_on_the_day_before_where_there_is_no_leap_day(shop: Warehouse) -> None:
    people = found(shop, moment("anniversary", ahead="3d"), by="customer_id")
    assert set(people) == {"cleo", "emil"}
    assert (people["emil"]["opening_day"], people["emil"]["episode"]) == (date(2026, 2, 28), "2026")
    assert people["cleo"]["opening_day"] == date(2026, 1, 26)
    assert people["cleo"]["later_order"], "cleo ordered after the day"
