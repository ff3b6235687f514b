"""All programs together against the holdout: who is compared, what counts, and that every year stays."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from rekindle.decide import due
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.models import Interval
from rekindle.learn import as_json, outcomes
from rekindle.learn.sequential import confidence_sequence
from rekindle.learn.suite import TIGHTEST_AT, Suite, suite
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import order, write

GOAL = {"metric": "incremental_margin", "horizon": "60d"}
PROGRAMS = (program(goal=GOAL), program("other", goal={**GOAL, "horizon": "90d"}))
OUT = {"arm": None, "propensity": None, "channel": None, "offer": None, "standing": "holdout", "reason": "held_out"}
IDLE = {**OUT, "standing": "control", "reason": "control"}


def worth(warehouse: Warehouse, day: float) -> Suite:
    as_of = instant(day)
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP)
    return suite(warehouse, past, PROGRAMS, replace(window, sold=outcomes.priced(warehouse, past, window)))


def everybody() -> tuple[list[dict[str, object]], list[dict[str, object]], dict[str, list[float]]]:
    """Four hundred customers: a fifth held out, some in a control; who is not held out orders twice as often."""
    chance, rows, orders = np.random.default_rng(31), [], []
    margins: dict[str, list[float]] = {"holdout": [], "treated": []}
    for number in range(400):
        name, held = f"c{number}", number % 5 == 0
        share = {"holdout_share": 0.2, "control_share": 0.1}
        rows.append({"customer_id": name, "day": 0, **share, **(OUT if held else IDLE if number % 7 == 1 else {})})
        rows.append({"customer_id": name, "day": 30, "program": "other", "episode": "second", **share, **(OUT if held else {})})
        bought = bool(chance.random() < (0.3 if held else 0.6))
        if bought:
            orders.append(order(f"o{number}", name, instant(70).naive, 5_000))
        sent = 0 if held else 1 if number % 7 == 1 else 2
        margins["holdout" if held else "treated"].append(2_000.0 * bought - sent)
    return rows, orders, margins


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, dict[str, list[float]]]]:
    rows, orders, margins = everybody()
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("suite")) as opened:
        write(opened, {"orders": orders})
        decider = Decider(opened)
        decider.remember(*rows)
        next_year = [{**row, "day": 310, "episode": "next"} for row in rows if row["day"] == 0][:90]
        decider.remember(*next_year)
        yield opened, margins


def test_everybody_counts_once_a_year_with_all_messages_of_all_programs(warehouse: tuple[Warehouse, dict[str, list[float]]]) -> None:
    opened, margins = warehouse
    found = worth(opened, 95)
    (epoch,) = found.epochs
    assert (epoch.year, epoch.others, epoch.holdout, found.maturity.window_days, found.anytime) == (2026, 320, 80, 90, True)
    others, held = np.array(margins["treated"]), np.array(margins["holdout"])
    error = float(np.sqrt(others.var(ddof=1) / 320 + held.var(ddof=1) / 80))
    told = epoch.measures["margin"].difference
    assert isinstance(told, Interval)
    assert told.estimate == pytest.approx(others.mean() - held.mean())
    for_ever = confidence_sequence(told.estimate, 400 * error**2, 400, TIGHTEST_AT)
    assert (told.low, told.high) == pytest.approx((for_ever.low, for_ever.high))
    assert told.high - told.low > 2 * 1.96 * error * 1.3, "wider than a look that was planned"
    assert epoch.measures["margin"].told_apart == (told.low > 0)
    sent = sum(0 if number % 5 == 0 else 1 if number % 7 == 1 else 2 for number in range(400))
    assert epoch.cost == pytest.approx(sent), "a minor unit a message, of this year's customers alone"
    half = for_ever.high - told.estimate
    chance = np.random.default_rng(7)
    truth = epoch.measures["margin"].detectable
    assert np.mean(chance.normal(truth, error, 20_000) > half) == pytest.approx(0.8, abs=0.01), "four times in five it shows"
    spend = epoch.measures["spend"]
    assert spend.difference.high - spend.difference.low == pytest.approx(2 * 1.98 * spend.error, rel=0.02)


def test_the_holdout_is_looked_at_by_what_was_logged(warehouse: tuple[Warehouse, dict[str, list[float]]]) -> None:
    check = worth(warehouse[0], 95).check
    assert (check.group, check.counted, check.seen, check.expected, check.alarm) == ("holdout", 400, 80, pytest.approx(80), False)


def test_a_past_year_stays_as_it_was_and_the_next_is_an_experiment_of_its_own(warehouse: tuple[Warehouse, dict[str, list[float]]]) -> None:
    """Of the next year nobody has ordered, so that it says nothing yet; the first still says what it said."""
    before, after = worth(warehouse[0], 95), worth(warehouse[0], 405)
    assert [epoch.year for epoch in after.epochs] == [2026, 2027]
    assert after.epochs[0] == before.epochs[0]
    assert (after.epochs[1].others, after.epochs[1].holdout, after.epochs[1].cost) == (72, 18, pytest.approx(72 - 10))
    assert isinstance(after.epochs[1].measures["margin"].difference, CannotTell)


def test_an_early_reading_may_not_be_read_again_and_again(warehouse: tuple[Warehouse, dict[str, list[float]]]) -> None:
    """Ninety days are the horizon: after 60 the window is 56, and the next day's may be another."""
    early, whole = worth(warehouse[0], 75), worth(warehouse[0], 95)
    assert (early.maturity.window_days, early.anytime) == (56, False)
    promised = [{name: part["anytime"] for name, part in as_json.suite(one)["epochs"][0]["measures"].items()} for one in (early, whole)]
    assert not any(promised[0].values())
    assert {name for name, one in promised[1].items() if one} == {"margin"}, "the others are for one look"


def test_too_early_is_not_yet(warehouse: tuple[Warehouse, dict[str, list[float]]]) -> None:
    found = worth(warehouse[0], 20)
    assert (found.epochs, found.maturity.window_days, found.maturity.young) == ((), 0, 400)
