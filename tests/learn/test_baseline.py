"""Levels of a period by hand, and a baseline that is read as it was written."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from rekindle.decide.arms import Shop
from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.learn import baseline
from rekindle.learn.baseline import Baseline, Levels, Spread
from rekindle.learn.outcomes import Window
from tests.decide.shop import ROWS, customer, documents, instant, program
from tests.insight.histories import line, order, write


def at(day: float) -> datetime:
    return instant(day).naive


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    priced = order("priced", "twice", at(3), 2_000, lines=1)
    orders = [
        order("before", "once", at(-0.1), 99_999), order("first", "once", at(0), 1_000), priced, order("again", "twice", at(20), 3_000),
        order("same day", "busy", at(5), 500), order("same day too", "busy", at(5.3), 700),
        order("void", "once", at(6), 5_000, cancelled=True), order("after", "once", at(40), 77_777),
    ]
    back = [{"return_id": "r", "order_id": "again", "customer_id": "twice", "returned_at": at(25), "amount": 1_000, "quantity": 1}]
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("baseline")) as opened:
        write(opened, {"orders": orders, "order_lines": [line(priced, 1, "p", 2_000, cost=1_500)], "returns": back})
        yield opened


def window() -> Window:
    return Window(instant(30), Decimal("0.40"), {}, Shop("EUR", 26, {}, ()))


def test_levels_are_of_orders_that_stand_in_the_period(warehouse: Warehouse) -> None:
    """Margin: 40 % of what has no cost, less what came back at that margin; 500 of the priced order."""
    start = instant(0).day
    baskets = baseline.bought(warehouse, window(), start)
    found = baseline.levels(warehouse, baskets, baskets)
    assert found == Levels(customers=3, buyers=3, repeaters=1, orders=5, spend=1_000 + 2_000 + 3_000 + 1_200, margin=400 + 500 + 800 + 480)
    assert found.average_order_value == 7_200 / 5


def test_the_spread_is_of_customers_and_of_as_many_last_weeks(warehouse: Warehouse) -> None:
    """Bought were 1,000 once, 2,000 and 3,000 on days 3 and 20, 500 and 700 on day 5. Days 23 to 29 are the last week, with no order."""
    found = baseline.spread(warehouse, baseline.bought(warehouse, window(), instant(0).day), window())
    assert (found.spend_spend, found.spend_orders) == (1_000**2 + 5_000**2 + 1_200**2, 1_000 + 2 * 5_000 + 2 * 1_200)
    assert found.orders_orders == 1 + 4 + 4
    assert found.weeks[:5] == ((0, 0), (1, 0), (1, 0), (2, 1), (3, 2)), "from days 23, 16, 9 and 2 on, and with the order of before"
    assert found.weeks[-1] == (3, 2)
    assert len(found.weeks) == 13
    nobody = baseline.bought(warehouse, window(), instant(30).day)
    assert baseline.spread(warehouse, nobody, window()).spend_spend == 0


def test_of_nobody_nothing_can_be_told(warehouse: Warehouse) -> None:
    baskets = baseline.bought(warehouse, window(), instant(0).day)
    nobody = baseline.levels(warehouse, baskets.filter(baskets.customer_id == "nobody"), baskets)
    assert nobody == Levels(0, 0, 0, 0, 0, 0)
    assert isinstance(nobody.average_order_value, CannotTell)


def test_a_program_s_baseline_counts_whom_its_rule_held_for(warehouse: Warehouse) -> None:
    mine = program(audience={"enter": "orders >= 2"})
    rows = [customer("once", orders=1), customer("twice", orders=2), customer("busy", orders=2), customer("idle", orders=3)]
    profile = warehouse.keep(pa.Table.from_pylist(rows, schema=ROWS.to_pyarrow()))
    given = baseline.Frozen(profile, baseline.bought(warehouse, window(), instant(0).day), documents(mine), window(), instant(0).day)
    (found,) = baseline.freeze(warehouse, [mine], given)
    assert (found.audience.customers, found.audience.buyers, found.audience.orders) == (3, 2, 4)
    assert found.everyone.customers == 4
    assert (found.program, found.rule, found.until - found.since) == ("back", "orders >= 2", timedelta(days=29))


HELD = Baseline(
    "win-back", "v", "true", date(2025, 1, 1), date(2025, 12, 31), Levels(1, 1, 0, 1, 5, 2), Levels(9, 8, 7, 6, 5, 4),
    {"new": ("abc", "orders == 1")}, "0.40",
)  # fmt: skip


def test_a_baseline_of_before_the_spread_keeps_its_text_and_its_digest() -> None:
    text = baseline.write(HELD)
    assert "spread" not in text
    assert baseline.read(text).digest == HELD.digest
    spread = Spread(9.0, 4.0, 2.0, ((1, 0), (2, 1)))
    newer = replace(HELD, spread=spread)
    assert baseline.read(baseline.write(newer)) == newer
    assert newer.digest != HELD.digest


def test_what_is_written_is_read_and_any_change_is_another_digest() -> None:
    assert baseline.read(baseline.write(HELD)) == HELD
    pairs = (("2025-12-31", "2025-12-30"), ('"0.40"', '"0.41"'), ("orders == 1", "orders == 2"))
    others = [baseline.write(HELD).replace(*pair) for pair in pairs]
    assert len({HELD.digest, *(baseline.read(one).digest for one in others)}) == 4
    with pytest.raises(BadData, match="cannot be read"):
        baseline.read('{"program": "win-back"}')


@pytest.mark.parametrize(
    ("first", "days"), [(date(2020, 1, 1), 365), (date(2025, 12, 4), 28), (date(2025, 12, 5), None), (None, None)]
)
def test_a_period_is_a_year_or_what_there_is_of_it(first: date | None, days: int | None) -> None:
    found = baseline.period(first, date(2025, 12, 31))
    assert (None if isinstance(found, CannotTell) else (found[1] - found[0]).days + 1) == days
