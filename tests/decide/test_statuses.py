"""Of one order the latest status is told: what is overtaken is not told late."""

from datetime import timedelta

import pytest

from tests.decide.shop import MONDAY, Decider, customer, program
from tests.decide.test_moments import CAPS, stage
from tests.insight.histories import order, write

NOW = MONDAY.replace(tzinfo=None)
HOUR = timedelta(hours=1)
NAMES = ("under way", "late", "arrived", "half")


def news(name: str, on: str) -> object:
    enters = {"enter": "orders > 0", "reenter": {"not_before": "0d"}}
    return program(
        name, **{"class": "service"}, trigger={"on": on}, audience=enters, exit=["erasure"], caps=CAPS, stages={"told": stage("told")}
    )


CONFIRMED, LATE, ARRIVED = news("confirmed", "order"), news("late", "late_delivery"), news("arrived", "delivery")


@pytest.fixture
def orders(decider: Decider) -> Decider:
    """One order is under way, one late, one has arrived late, one of which a parcel has arrived and one is late."""
    parcels = [
        {"shipment_id": "late", "order_id": "late", "promised_at": NOW + 9 * HOUR},
        {"shipment_id": "arrived", "order_id": "arrived", "promised_at": NOW + 9 * HOUR, "delivered_at": NOW + 11 * HOUR},
        {"shipment_id": "half 1", "order_id": "half", "promised_at": NOW + 9 * HOUR, "delivered_at": NOW + 8 * HOUR},
        {"shipment_id": "half 2", "order_id": "half", "promised_at": NOW + 9 * HOUR},
    ]
    write(decider.warehouse, {"orders": [order(name, name, NOW + HOUR, 1_000) for name in NAMES], "shipments": parcels})
    return decider


def told(decider: Decider, day: float, keep: bool = True) -> dict[tuple[str, str], str | None]:
    people = [customer(name, last_order_id=name, last_day=NOW.date(), first_day=NOW.date()) for name in NAMES]
    made = decider.plan(day, people)
    if keep:
        decider.keep(made, day)
    return {(row["customer_id"], row["program"]): row["reason"] for row in decider.rows(made)}


def test_the_latest_status_of_an_order_goes_and_the_earlier_ones_never(orders: Decider) -> None:
    mine = orders.with_documents(CONFIRMED, LATE, ARRIVED)
    assert told(mine, 0.5) == {
        ("under way", "confirmed"): None,
        ("late", "confirmed"): "overtaken", ("late", "late"): None,
        ("arrived", "confirmed"): "overtaken", ("arrived", "arrived"): None,
        ("half", "confirmed"): "overtaken", ("half", "late"): None,
    }
    assert told(mine, 1) == {
        (name, "confirmed"): "overtaken" for name in ("late", "arrived", "half")
    }, "what was overtaken is not told late"
    entered = {(row["program"], row["entered_at"] is None) for row in mine.rows(mine.plan(1.5, [customer("late", last_order_id="late")]))}
    assert entered == {("confirmed", True)}


def test_without_another_program_nothing_overtakes(orders: Decider) -> None:
    assert told(orders.with_documents(CONFIRMED), 0.5) == {
        (name, "confirmed"): None for name in NAMES
    }


def test_a_status_that_comes_later_is_told_later(orders: Decider) -> None:
    mine = orders.with_documents(CONFIRMED, ARRIVED)
    assert told(mine, 0.1)["arrived", "confirmed"] is None
    assert told(mine, 0.5) == {("arrived", "arrived"): None}
