"""Which friction belongs to which purchase, to the day, and when a purchase is old enough to tell."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.insight import friction_orders
from rekindle.moment import parse_as_of
from tests.insight.histories import Fact, history, line, order, write

AS_OF = parse_as_of("2026-09-01", "Europe/Berlin")
NOON = datetime(2026, 3, 10, 12)
DAY = timedelta(days=1)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def flagged(warehouse: Warehouse) -> dict[tuple[str, date], set[str]]:
    rows = warehouse.arrow(friction_orders.table(warehouse, AS_OF)).to_pylist()
    return {(row["customer_id"], row["day"]): {kind for kind in friction_orders.FLAGS if row[kind]} for row in rows}


def test_a_friction_belongs_to_the_purchase_it_names(warehouse: Warehouse) -> None:
    first, second = order("a", "c", NOON, 100), order("b", "c", NOON + 20 * DAY, 100)
    after = {"customer_id": "c", "order_id": "a"}
    write(
        warehouse,
        {
            "orders": [first, second],
            "shipments": [{**after, "shipment_id": "s", "promised_at": NOON + 4 * DAY, "delivered_at": NOON + 6 * DAY}],
            "returns": [
                {**after, "return_id": "r", "returned_at": NOON + 44 * DAY, "quantity": 1, "amount": 5},
                {**after, "return_id": "late", "order_id": "b", "returned_at": NOON + 66 * DAY, "quantity": 1, "amount": 5},
                {**after, "return_id": "money", "order_id": "b", "returned_at": NOON + 30 * DAY, "quantity": 0, "amount": 5},
            ],
            "reviews": [{**after, "review_id": "v", "rating": 2, "reviewed_at": NOON + DAY}],
            "tickets": [
                {**after, "ticket_id": "t", "opened_at": NOON + DAY, "closed_at": NOON + 8 * DAY + timedelta(seconds=1)},
                {**after, "ticket_id": "u", "order_id": "b", "opened_at": NOON + 21 * DAY, "closed_at": NOON + 28 * DAY},
            ],
        },
    )
    assert flagged(warehouse) == {
        ("c", date(2026, 3, 10)): {"late_delivery", "return", "bad_review", "open_ticket"},
        ("c", date(2026, 3, 30)): {"refund", "answered_ticket"},
    }


def test_a_friction_without_an_order_belongs_to_the_purchase_before_it(warehouse: Warehouse) -> None:
    loose = [
        {"review_id": name, "customer_id": "c", "rating": 1, "reviewed_at": at}
        for name, at in (("x", NOON - DAY), ("y", NOON + 19 * DAY), ("z", NOON + 66 * DAY))
    ]
    write(warehouse, {"orders": [order("a", "c", NOON, 100), order("b", "c", NOON + 20 * DAY, 100)], "reviews": loose})
    assert flagged(warehouse) == {("c", date(2026, 3, 10)): {"bad_review"}, ("c", date(2026, 3, 30)): set()}


@pytest.mark.parametrize(
    ("before", "counts"),
    [
        (timedelta(minutes=4), True), (timedelta(hours=23), True), (timedelta(hours=24), False), (timedelta(0), True),
        (-timedelta(hours=1), False),
    ],
)
def test_a_stockout_counts_that_was_met_on_the_way_to_the_purchase(warehouse: Warehouse, before: timedelta, counts: bool) -> None:
    met = {"message_id": "m", "customer_id": "c", "name": "Product Unavailable", "occurred_at": NOON - before}
    write(warehouse, {"orders": [order("a", "c", NOON, 100)], "events": [met]})
    assert flagged(warehouse) == {("c", date(2026, 3, 10)): {"stockout"} if counts else set()}


def test_a_purchase_has_the_two_categories_that_most_was_spent_on(warehouse: Warehouse) -> None:
    made = [order("a", "c", NOON, 900, lines=4), order("b", "d", NOON, 100, lines=1), order("e", "f", NOON, 100)]
    lines = [line(made[0], n, product, amount) for n, (product, amount) in enumerate((("p", 200), ("q", 300), ("p", 150), ("r", 300)), 1)]
    products = [{"product_id": name, "category": kind} for name, kind in (("p", "Tea"), ("q", "Pets"), ("r", "Garden"), ("x", None))]
    write(warehouse, {"orders": made, "order_lines": [*lines, line(made[1], 1, "x", 100)], "products": products})
    rows = {row["customer_id"]: row for row in warehouse.arrow(friction_orders.table(warehouse, AS_OF)).to_pylist()}
    assert [(rows[name]["category"], rows[name]["second"]) for name in ("c", "d", "f")] == [("Tea", "Garden"), (None, None), (None, None)]
    assert rows["c"]["net"] == 900


def bought(seed: int) -> list[Fact]:
    chance = np.random.default_rng(seed)
    made = []
    for customer in range(60):
        at = NOON - 500 * DAY + DAY * int(chance.integers(0, 300))
        while at < AS_OF.naive + 30 * DAY:
            made.append(order(f"o{len(made)}", f"c{customer}", at, int(chance.integers(1, 90)) * 100))
            at += DAY * int(chance.integers(1, 140))
    return made


def test_what_followed_is_what_plain_python_says(warehouse: Warehouse) -> None:
    made = bought(7)
    write(warehouse, {"orders": made})
    rows = warehouse.arrow(friction_orders.followed(warehouse, friction_orders.table(warehouse, AS_OF), AS_OF)).to_pylist()
    days: dict[str, list[date]] = {}
    for one in made:
        if one["ordered_at"] < AS_OF.naive:
            days.setdefault(one["customer_id"], []).append(one["purchase_day"])
    gaps = [(b - a).days for mine in days.values() for a, b in zip(mine, mine[1:], strict=False)]
    usual = 2 * sum(gaps) / len(gaps)
    expected = {}
    for customer, mine in days.items():
        for place, day in enumerate(mine):
            rhythm = ((day - mine[0]).days + usual) / (place + 2)
            horizon = min(max(int(2 * rhythm + 0.5), 28), 365)
            gap = (mine[place + 1] - day).days if place + 1 < len(mine) else None
            if (AS_OF.last_day - day).days >= max(horizon, 45):
                expected[customer, day] = (place + 1, horizon, gap is None or gap > horizon, gap)
    assert {(row["customer_id"], row["day"]): (row["number"], row["horizon"], row["lapsed"], row["gap"]) for row in rows} == expected
    assert len({lapsed for _, _, lapsed, _ in expected.values()}) == 2


def test_cells_hold_every_purchase_once_and_the_placebo_only_those_that_another_followed(warehouse: Warehouse) -> None:
    write(warehouse, {"orders": bought(8)})
    followed = friction_orders.followed(warehouse, friction_orders.table(warehouse, AS_OF), AS_OF)
    rows = warehouse.arrow(followed).to_pylist()
    cells = warehouse.arrow(friction_orders.cells(warehouse, followed)).to_pylist()
    assert sum(one["n"] for one in cells) == len(rows)
    assert sum(one["lapses"] for one in cells) == sum(row["lapsed"] for row in rows)
    again = [row for row in rows if row["gap"] is not None and (AS_OF.last_day - row["day"]).days - row["gap"] >= 45]
    placebo = warehouse.arrow(friction_orders.placebo(warehouse, followed, AS_OF)).to_pylist()
    assert (sum(one["n"] for one in placebo), sum(one["lapses"] for one in placebo)) == (len(again), sum(row["lapsed"] for row in again))
    assert {one["bucket"] for one in cells} <= set(range(64))
    assert {one["category"] for one in cells} == {0}


def test_the_placebo_has_the_friction_of_the_next_purchase(warehouse: Warehouse) -> None:
    made = [order("a", "c", NOON - 60 * DAY, 100), order("b", "c", NOON + 30 * DAY, 100)]
    low = {"review_id": "v", "customer_id": "c", "order_id": "b", "rating": 1, "reviewed_at": NOON + 31 * DAY}
    write(warehouse, {"orders": made, "reviews": [low]})
    followed = friction_orders.followed(warehouse, friction_orders.table(warehouse, AS_OF), AS_OF)
    own = warehouse.arrow(friction_orders.cells(warehouse, followed)).to_pylist()
    nxt = warehouse.arrow(friction_orders.placebo(warehouse, followed, AS_OF)).to_pylist()
    assert [one["bad_review"] for one in own] == [False]
    assert [(one["bad_review"], one["n"]) for one in nxt] == [(True, 1)]


def test_a_large_store_is_told_from_whole_customers_drawn_by_hash(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    write(warehouse, {"orders": bought(8)})
    followed = friction_orders.followed(warehouse, friction_orders.table(warehouse, AS_OF), AS_OF)
    rows = warehouse.arrow(followed).to_pylist()
    most = len(rows) // 2
    monkeypatch.setattr(friction_orders, "MOST", most)
    share = round(most / len(rows) * 16**6)
    drawn = [row for row in rows if int(md5(row["customer_id"].encode(), usedforsecurity=False).hexdigest()[2:8], 16) < share]
    cells = warehouse.arrow(friction_orders.cells(warehouse, followed)).to_pylist()
    assert sum(one["n"] for one in cells) == len(drawn) < len(rows)
    assert sum(one["lapses"] for one in cells) == sum(row["lapsed"] for row in drawn)
