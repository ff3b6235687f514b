"""The way of a customer in order, and where it stopped."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from ibis import memtable

from rekindle.history.warehouse import Warehouse
from rekindle.insight import journey
from rekindle.moment import parse_as_of
from tests.insight.histories import history, order, write

AS_OF = parse_as_of("2026-09-01", "UTC")
AT = datetime(2026, 3, 10, 12)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with history(tmp_path_factory.mktemp("journey")) as opened:
        write(opened, facts())
        yield opened


def facts() -> dict[str, list[dict[str, object]]]:
    """One customer with everything, one who ordered twice and no more, one who only looked."""
    mine = {"customer_id": "c", "order_id": "a"}
    return {
        "orders": [
            order("a", "c", AT, 100), order("d1", "d", AT, 100), order("d2", "d", AT + 5 * DAY, 100),
            order("void", "d", AT + 9 * DAY, 100, cancelled=True), order("later", "c", AS_OF.naive, 100),
        ],
        "events": [
            {"message_id": "m1", "customer_id": "c", "name": "Product Viewed", "occurred_at": AT - DAY},
            {"message_id": "m2", "customer_id": "e", "name": "Product Viewed", "occurred_at": AT},
            {"message_id": "m3", "customer_id": "c", "name": "Page Scrolled", "occurred_at": AT},
            {"message_id": "m4", "customer_id": "c", "name": "Why Prompt Answered: price", "occurred_at": AT + 90 * DAY},
        ],
        "shipments": [{**mine, "shipment_id": "s", "promised_at": AT + 2 * DAY, "delivered_at": AT + 3 * DAY}],
        "reviews": [{**mine, "review_id": "v", "rating": 1, "reviewed_at": AT + 4 * DAY}],
        "tickets": [{**mine, "ticket_id": "t", "opened_at": AT + 5 * DAY, "closed_at": AT + 70 * DAY}],
        "returns": [{**mine, "return_id": "r", "returned_at": AT + 6 * DAY, "amount": 1}],
        "touches": [
            {"touch_key": "k", "customer_id": "c", "status": "sent", "settled_at": AT + 80 * DAY},
            {"touch_key": "l", "customer_id": "c", "status": "failed", "settled_at": AT + 80 * DAY},
        ],
    }


WAY = [
    ("viewed", "event m1"), ("ordered", "order a"), ("delivered_late", "shipment s"), ("reviewed_low", "review v"), ("asked", "ticket t"),
    ("returned", "return r"), ("answered", "ticket t"), ("contacted", "touch k"), ("told_why", "event m4"),
]


def test_every_known_step_before_the_instant_is_there_in_order(warehouse: Warehouse) -> None:
    rows = warehouse.arrow(journey.of_customer(journey.steps(warehouse, AS_OF), "c")).to_pylist()
    assert [(row["step"], row["fact"]) for row in rows] == WAY
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert {row["step"] for row in rows} <= set(journey.STEPS)


def test_a_customer_stopped_at_the_last_own_step_from_the_last_order_on(warehouse: Warehouse) -> None:
    silent = memtable({"customer_id": ["c", "d"], "last_order_id": ["a", "d2"]})
    found = {row["customer_id"]: row for row in warehouse.arrow(journey.dropoffs(journey.steps(warehouse, AS_OF), silent)).to_pylist()}
    assert {name: (row["dropoff_step"], row["dropoff_at"], row["dropoff_fact"]) for name, row in found.items()} == {
        "c": ("returned", AT + 6 * DAY, "return r"), "d": ("ordered", AT + 5 * DAY, "order d2"),
    }


def test_the_funnel_counts_members_that_came_so_far(warehouse: Warehouse) -> None:
    members = memtable({"customer_id": ["c", "d", "e", "f"], "purchase_days": [1, 4, 0, 0]})
    row = warehouse.row(journey.funnel(journey.steps(warehouse, AS_OF), members))
    assert row == {
        "members": 4, "viewed": 2, "ordered": 2, "delivered": 1, "reviewed": 1, "ordered_twice": 1, "ordered_four_times": 1,
    }
    assert set(row) == {"members", *journey.FUNNEL}


def test_mermaid_has_a_section_for_each_month_and_nothing_of_its_own_in_ids(warehouse: Warehouse) -> None:
    rows = warehouse.arrow(journey.of_customer(journey.steps(warehouse, AS_OF), "c")).to_pylist()
    lines = journey.to_mermaid(rows).splitlines()
    assert lines[:2] == ["timeline", "    section 2026-03"]
    assert lines[2:4] == ["        03-09 12.00 : looked at a product (event m1)", "        03-10 12.00 : ordered (order a)"]
    assert [line for line in lines if "section" in line] == ["    section 2026-03", "    section 2026-05", "    section 2026-06"]
    told = journey.to_mermaid([{"at": AT, "step": "ordered", "fact": "order a:b;c{d}\n<e>"}]).splitlines()
    assert told[-1] == "        03-10 12.00 : ordered (order a_b_c_d___e_)"
