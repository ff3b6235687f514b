"""How much of an answer should have come by now: a published table, a known truth, a second implementation, and what it is for."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from ibis import memtable

from rekindle.insight import reactivation
from rekindle.learn import delay
from rekindle.learn.delay import Curve, Delays, Floats
from tests.insight.histories import history

DAY = 86_400


def counted(rows: list[tuple[str, int, bool]], horizon: int, stage: str = "s") -> Delays:
    """Curves of decisions: variant, day of the order or last day watched, whether it ended in an order."""
    keys = sorted({(arm, day) for arm, day, _ in rows})
    sides = [[sum(one == (*key, side) for one in rows) for key in keys] for side in (True, False)]
    columns = {"stage": [stage] * len(keys), "arm": [arm for arm, _ in keys], "days": [day for _, day in keys]}
    return delay.measure(pa.table({**columns, "returned": sides[0], "watched": sides[1]}), horizon)


SIX_MP = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_remission_under_6_mp_and_placebo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Freireich et al. (1963), Blood 21; Gehan (1965), Biometrika 52: weeks in remission of 21 pairs of children with leukaemia.

    Kaplan and Meier's estimates for both groups as Kleinbaum & Klein (2012), Survival Analysis, chapter 2, print them. With nothing
    to draw towards, the curve is the share of those relapsed within 35 weeks who had relapsed by then.
    """
    monkeypatch.setattr(delay, "STRENGTH", 0)
    rows = [("6-MP", day, True) for day in SIX_MP[0]] + [("6-MP", day, False) for day in SIX_MP[1]]
    found = counted(rows + [("placebo", day, True) for day in PLACEBO], 35)
    shares = found.of("s", "6-MP").shares
    printed = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    for week, staying in printed.items():
        assert shares[week] == pytest.approx((1 - staying) / (1 - 0.448), abs=0.002)
    assert shares[35] == 1.0
    shares = found.of("s", "placebo").shares
    staying = {1: 0.90, 2: 0.81, 3: 0.76, 4: 0.67, 5: 0.57, 8: 0.38, 11: 0.29, 12: 0.19, 15: 0.14, 17: 0.10, 22: 0.05, 23: 0.0}
    for week, left in staying.items():
        assert 1 - shares[week] == pytest.approx(left, abs=0.006)


def plain_python(rows: list[tuple[int, bool]], horizon: int) -> list[float]:
    """The share back by every day, one day after the other."""
    away, found = 1.0, [0.0]
    for day in range(1, horizon + 1):
        risk, gone = sum(at >= day for at, _ in rows), sum(at == day and end for at, end in rows)
        away *= 1 - gone / risk if risk else 1.0
        found.append(1 - away)
    return found


def test_plain_python_draws_the_same_curve_and_the_same_pull() -> None:
    chance = np.random.default_rng(3)
    rows = [("ab"[n % 2], int(chance.integers(1, 41)), bool(chance.random() < (0.7, 0.3)[n % 2])) for n in range(400)]
    rows += [("a", 40, False), ("b", 40, False)]  # watched to the end, so that nothing is told beyond
    found = counted(rows, 40)
    whole = plain_python([one[1:] for one in rows], 40)
    orders = sum(end for *_, end in rows)
    pool = [(orders * share / whole[-1] + 10 * day / 40) / (orders + 10) for day, share in enumerate(whole)]
    assert found.pools["s"].shares.tolist() == pytest.approx(pool)
    for arm in "ab":
        own = plain_python([one[1:] for one in rows if one[0] == arm], 40)
        orders = sum(end for name, _, end in rows if name == arm)
        mixed = [(orders * share / own[-1] + 10 * towards) / (orders + 10) for share, towards in zip(own, pool, strict=True)]
        assert found.of("s", arm).shares.tolist() == pytest.approx(mixed)
        assert found.of("s", arm).orders == orders


@pytest.mark.parametrize(("mean", "followed"), [(5.0, 20), (12.0, 30), (25.0, 60)])
def test_a_known_delay_is_found_however_many_are_still_awaited(mean: float, followed: int) -> None:
    """One in ten answers after an exponential time; decisions on every day so far, 500 a day. Five seeds' mean is within 5 points."""
    horizon, days = 60, np.arange(61)
    truth = (1 - np.exp(-days / mean)) / (1 - np.exp(-horizon / mean))
    off = np.zeros(horizon + 1)
    for seed in range(5):
        off += _measured(np.random.default_rng(seed), mean, followed, horizon) - truth
    assert np.abs(off / 5).max() < 0.05


def _measured(chance: np.random.Generator, mean: float, followed: int, horizon: int) -> Floats:
    age = np.repeat(np.arange(1, followed + 1), 500)
    came = np.where(chance.random(len(age)) < 0.1, np.ceil(chance.exponential(mean, len(age))), np.inf)
    came = np.where(came <= horizon, came, np.inf)
    seen = came <= age
    at = np.where(seen, came, age).astype(int)
    rows = {"stage": ["s"] * (horizon + 1), "arm": ["a"] * (horizon + 1), "days": np.arange(horizon + 1)}
    sides = {name: np.bincount(at[side], minlength=horizon + 1) for name, side in (("returned", seen), ("watched", ~seen))}
    return delay.measure(pa.table({**rows, **sides}), horizon).of("s", "a").shares


def test_orders_that_come_evenly_are_expected_to_go_on_coming_evenly() -> None:
    rows = [("a", day, True) for day in range(1, 31) for _ in range(5)] + [("a", 30, False)] * 20_000
    assert counted(rows, 90).of("s", "a").shares == pytest.approx(np.arange(91) / 90, abs=0.01)


def test_what_is_slow_because_nothing_came_at_the_end_has_no_tail() -> None:
    rows = [("a", 1, True)] * 90 + [("a", 30, False)] * 500
    shares = counted(rows, 60).of("s", "a").shares
    assert shares[1] > 0.85
    assert shares[30] == pytest.approx(1.0, abs=0.06)


def test_few_orders_are_drawn_towards_the_pool_and_none_are_the_pool() -> None:
    many = [("slow", 20, True)] * 500 + [("slow", 60, False)] * 50
    few = [("quick", 1, True)] * 6 + [("silent", 5, False)] * 30
    found = counted(many + few, 60)
    pool = found.pools["s"].shares
    assert found.of("s", "silent").shares.tolist() == found.of("s", "never seen").shares.tolist() == pool.tolist()
    assert found.of("s", "quick").shares[1] == pytest.approx((6 + 10 * pool[1]) / 16)
    assert found.of("s", "slow").shares[19] < 0.03
    assert found.of("elsewhere", "any").shares.tolist() == delay.even(60).shares.tolist()


def test_the_pool_of_few_orders_is_an_even_arrival() -> None:
    found = counted([("a", 1, True)] * 4 + [("a", 9, False)] * 90, 30)
    assert found.pools["s"].shares.tolist() == found.of("s", "a").shares.tolist() == pytest.approx(np.arange(31) / 30)


def test_half_of_the_answers_and_weights_between_two_days() -> None:
    curve = Curve(np.array([0.0, 0.2, 0.6, 1.0]), 9)
    assert curve.weight(np.array([0.0, 0.5, 1.75, 3.0, 9.0])).tolist() == pytest.approx([0.0, 0.1, 0.5, 1.0, 1.0])
    assert curve.days_until(0.5) == pytest.approx(1.75)


def test_time_is_counted_in_whole_days_that_are_over(tmp_path: Path) -> None:
    """An order of the day under way does not count yet: those who did not order have not been watched for that day either."""
    three = 3 * DAY
    rows = [(three, 0), (three, DAY - 1), (three, DAY), (three + 500, three + 499), (three, None), (DAY - 1, 5), (three, three - 1)]
    table = {"stage": ["s"] * len(rows), "arm": ["a"] * len(rows), "age": [age for age, _ in rows], "answer": [at for _, at in rows]}
    with history(tmp_path) as warehouse:
        found = warehouse.arrow(delay.watched(memtable(pa.table(table)))).to_pylist()
    assert {row["days"]: (row["returned"], row["watched"]) for row in found} == {0: (0, 1), 1: (2, 0), 2: (1, 0), 3: (1, 2)}


FAST, SLOW = (0.05, 1.0), (0.06, 8.0)
"""The chance of an order and its mean delay in days, exponential: the better variant is eight times slower."""

HORIZON = 60


def traffic(seed: int, weigh: bool, days: int = 20, daily: int = 1_000, better: float = SLOW[0]) -> Floats:
    """A daily Thompson loop: the share of the day's customers who are given the slow variant, day by day.

    Chances of an order are drawn from a beta distribution of orders and of decisions less orders; decisions count in full, or by their
    curve. Each variant keeps the exploration floor of 2 %.
    """
    chance = np.random.default_rng(seed)
    truth = (FAST, (better, SLOW[1]))
    age, came = [np.empty(0, int)] * 2, [np.empty(0)] * 2
    shares = []
    for _ in range(days + 1):
        found = curves(age, came) if weigh else None
        drawn = np.empty((2_000, 2))
        for arm in range(2):
            orders = float((came[arm] <= age[arm]).sum())
            tried = float(found.of("s", str(arm)).weight(age[arm]).sum()) if found else float(len(age[arm]))
            drawn[:, arm] = chance.beta(1 + orders, 20 + max(tried - orders, 0.0), 2_000)
        slow = 0.02 + 0.96 * float((drawn[:, 1] > drawn[:, 0]).mean())
        shares.append(slow)
        sizes = chance.multinomial(daily, (1 - slow, slow))
        for arm, (rate, mean) in enumerate(truth):
            answers = np.maximum(np.ceil(chance.exponential(mean, sizes[arm])), 1.0)
            answers[(chance.random(sizes[arm]) >= rate) | (answers > HORIZON)] = np.inf
            age[arm] = np.concatenate([age[arm], np.zeros(sizes[arm], int)]) + 1
            came[arm] = np.concatenate([came[arm], answers])
    return np.array(shares)


def curves(age: list[np.ndarray], came: list[np.ndarray]) -> Delays:
    """Curves of variants 0, 1 and so on, from the ages of their decisions and the days on which orders come (inf: never)."""
    columns: dict[str, list[object]] = {name: [] for name in ("stage", "arm", "days", "returned", "watched")}
    for arm in range(len(age)):
        seen = came[arm] <= age[arm]
        at = np.where(seen, came[arm], age[arm]).astype(int)
        sides = [np.bincount(at[side], minlength=HORIZON + 1) for side in (seen, ~seen)]
        for name, values in zip(columns, (["s"] * (HORIZON + 1), [str(arm)] * (HORIZON + 1), range(HORIZON + 1), *sides), strict=True):
            columns[name] += list(values)
    return delay.measure(pa.table(columns), HORIZON)


def test_the_better_but_slower_variant_has_its_traffic_by_day_20() -> None:
    """Counted in full, decisions of yesterday hold the slow variant down; weighted by the delay curve it wins (SCIENCE.md 1.7)."""
    naive = np.mean([traffic(seed, weigh=False) for seed in range(20)], axis=0)
    ours = np.mean([traffic(seed, weigh=True) for seed in range(20)], axis=0)
    assert 0.06 <= naive.mean() <= 0.13
    assert naive[20] <= 0.13
    assert ours[20] >= 0.80
    assert ours[20] > ours[10] > ours[2]


def test_a_slower_variant_that_is_worse_does_not_win() -> None:
    found = np.mean([traffic(seed, weigh=True, days=40, better=0.04) for seed in range(12)], axis=0)
    assert found[20] < 0.4
    assert found[40] < 0.05


def test_the_curve_is_kaplan_and_meiers_of_insight() -> None:
    """There is one implementation: here it is only completed and drawn towards the pool."""
    found = reactivation.kaplan_meier(np.array([1.0, 4, 9]), np.array([5.0, 3, 0]), np.array([0.0, 1, 6]))
    assert isinstance(found, reactivation.Curve)
    shares = delay.completed(found, 9).shares
    assert shares[4] == pytest.approx(1.0)
    assert shares[3] == pytest.approx((5 / 15) / (1 - 10 / 15 * 7 / 10))
    assert math.isclose(shares[0], 0.0)
