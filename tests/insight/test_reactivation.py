"""Kaplan-Meier's curve: a published example, a second implementation, and who is counted."""

import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from ibis import memtable

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import reactivation
from rekindle.insight.models import Interval
from rekindle.insight.reactivation import Curve, kaplan_meier
from rekindle.moment import parse_as_of
from tests.insight.histories import history

AS_OF = parse_as_of("2026-09-01", "UTC")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def curve(events: list[int], censored: list[int]) -> Curve | CannotTell:
    days = sorted({*events, *censored})
    counts = [np.array([float(part.count(day)) for day in days]) for part in (events, censored)]
    return kaplan_meier(np.array(days, dtype=float), *counts)


def test_remission_under_6_mp() -> None:
    """Freireich et al. (1963): 21 children with leukaemia on 6-MP, weeks in remission; Kalbfleisch & Prentice (2002), table 1.1.

    Estimates and limits on the log-log scale as Stata's manual prints them for these data (sts list).
    """
    found = curve([6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
    assert isinstance(found, Curve)
    assert (found.spells, found.returned, found.days.tolist()) == (21, 9, [6, 7, 10, 13, 16, 22, 23])
    assert found.staying.round(4).tolist() == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert found.low.round(4).tolist() == [0.6197, 0.5631, 0.5032, 0.4316, 0.3675, 0.2678, 0.1881]
    assert found.high.round(4).tolist() == [0.9516, 0.9228, 0.8894, 0.8491, 0.8049, 0.7468, 0.6801]
    assert (found.median.low, found.median.estimate, found.median.high) == (13.0, 23.0, math.inf)
    back = found.back_by(10.5)
    assert isinstance(back, Interval)
    assert (round(back.low, 4), round(back.estimate, 4), round(back.high, 4)) == (0.1106, 0.2471, 0.4968)
    early = found.back_by(5)
    assert isinstance(early, Interval)
    assert early.estimate == 0.0


def test_nothing_is_said_beyond_the_last_day_watched_unless_all_are_back() -> None:
    found = curve([3, 5, 8, 8, 20], [10, 26, 26])
    assert isinstance(found, Curve)
    assert found.followed == 26
    assert isinstance(found.back_by(26), Interval)
    beyond = found.back_by(27)
    assert isinstance(beyond, CannotTell)
    assert beyond.reason == "Followed for 26 days so far."
    whole = curve([1, 2, 3, 4, 5], [])
    assert isinstance(whole, Curve)
    assert whole.back_by(90) == whole.back_by(5)


def test_plain_python_draws_the_same_curve() -> None:
    chance = np.random.default_rng(4)
    times = chance.integers(1, 40, 300).tolist()
    ends = (chance.random(300) < 0.6).tolist()
    found = curve([t for t, end in zip(times, ends, strict=True) if end], [t for t, end in zip(times, ends, strict=True) if not end])
    assert isinstance(found, Curve)
    away, greenwood = 1.0, 0.0
    for day, staying, low, high in zip(found.days, found.staying, found.low, found.high, strict=True):
        risk, gone = sum(t >= day for t in times), sum(t == day and end for t, end in zip(times, ends, strict=True))
        away *= 1 - gone / risk
        greenwood += gone / (risk * (risk - gone)) if risk > gone else math.inf
        assert staying == pytest.approx(away)
        if away > 0:
            width = 1.959963984540054 * math.sqrt(greenwood) / -math.log(away)
            assert (low, high) == (pytest.approx(away ** math.exp(width)), pytest.approx(away ** math.exp(-width)))


def test_nobody_left_ends_at_nothing_and_few_give_a_reason() -> None:
    found = curve([1, 2, 3, 4, 5, 6], [])
    assert isinstance(found, Curve)
    assert (found.staying[-1], found.low[-1]) == (0.0, 0.0)
    assert np.isfinite([found.low, found.high]).all()
    assert isinstance(found.median, reactivation.Interval)
    assert isinstance(curve([1, 2, 3, 4], [9] * 50), CannotTell)
    rare = curve([1, 2, 3, 4, 5], [9] * 50)
    assert isinstance(rare, Curve)
    assert isinstance(rare.median, CannotTell)


def test_a_known_rate_lies_in_the_interval_as_often_as_it_says() -> None:
    """Exponential returns at 1 % a day with uniform censoring: at day 60 the truth is exp(-0.6)."""
    held = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        time, end = np.ceil(chance.exponential(100, 150)), np.ceil(chance.uniform(20, 200, 150))
        seen, came = np.minimum(time, end), time <= end
        counts = [np.array([float((seen[part] == day).sum()) for day in np.unique(seen)]) for part in (came, ~came)]
        found = kaplan_meier(np.unique(seen), *counts)
        assert isinstance(found, Curve)
        back = found.back_by(60)
        assert isinstance(back, Interval)
        held += back.low <= 1 - math.exp(-0.6) <= back.high
    assert 182 <= held <= 198


def test_a_lapse_is_watched_from_its_beginning_to_the_next_order_or_the_end(warehouse: Warehouse) -> None:
    end = AS_OF.last_day
    rows = [("Tea", 300, 100, 250), ("Tea", 300, 100, None), (None, 300, 200, None), ("Tea", 300, 100, 100)]
    columns = {
        "category": [kind for kind, *_ in rows], "day": [end - timedelta(days=age) for _, age, _, _ in rows],
        "horizon": [horizon for _, _, horizon, _ in rows], "gap": [gap for *_, gap in rows],
        "lapsed": [gap is None or gap > horizon for _, _, horizon, gap in rows],
    }
    spells = reactivation.spells(memtable(pa.table(columns)), AS_OF)
    found = [(row["group"], row["days"], row["returned"]) for row in warehouse.arrow(spells).to_pylist()]
    assert sorted(found) == [("Tea", 150, True), ("Tea", 200, False), ("unknown", 100, False)]
    counts = warehouse.arrow(reactivation.reduced(spells)).to_pylist()
    assert {"group": "Tea", "days": 150, "returned": 1, "watched": 0} in counts
    assert list(reactivation.curves(warehouse.arrow(reactivation.reduced(spells)))) == ["Tea", "unknown"]


def test_after_a_message_the_next_order_counts_and_one_of_its_day_does_not(warehouse: Warehouse) -> None:
    day = date(2026, 5, 1)
    made = memtable(pa.table({"customer_id": ["a", "b", "c"], "group": ["credit", "credit", "reminder"], "day": [day] * 3}))
    bought = [("a", 0), ("a", 9), ("a", 20), ("b", -3)]
    days = memtable(pa.table({"customer_id": [who for who, _ in bought], "day": [day + timedelta(days=n) for _, n in bought]}))
    rows = warehouse.arrow(reactivation.after_offers(made, days, AS_OF)).to_pylist()
    watched = (AS_OF.last_day - day).days
    assert sorted((row["group"], row["days"], row["returned"]) for row in rows) == [
        ("credit", 9, True), ("credit", watched, False), ("reminder", watched, False),
    ]


def test_a_message_of_the_day_under_way_was_watched_for_no_day(warehouse: Warehouse) -> None:
    made = memtable(pa.table({"customer_id": ["a"], "group": ["credit"], "day": [AS_OF.day]}))
    bought = memtable(pa.table({"customer_id": ["b"], "day": [date(2026, 5, 1)]}))
    rows = warehouse.arrow(reactivation.after_offers(made, bought, AS_OF)).to_pylist()
    assert rows == [{"group": "credit", "days": 0, "returned": False}]
