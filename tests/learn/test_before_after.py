"""Before and after: against a second implementation, a simulated truth, and never without enough of both periods."""

import numpy as np
import pytest
import tea_tasting as tt
from tea_tasting.aggr import Aggregates

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.insight.models.shares import share_difference
from rekindle.learn.baseline import WEEKS, Levels, Spread
from rekindle.learn.before_after import Period, changes, order_value_change, repeat_change


def bought(chance: np.random.Generator, buyers: int, worth: float) -> tuple[np.ndarray, np.ndarray]:
    """What each buyer spent and how often: who orders often has a size of basket of their own."""
    orders = 1 + chance.poisson(0.8, buyers)
    mine = worth * chance.lognormal(-0.125, 0.5, buyers)
    spend = np.array([mine[at] * chance.lognormal(-0.02, 0.2, count).sum() for at, count in enumerate(orders)])
    return np.rint(spend), orders.astype(float)


def period(spend: np.ndarray, orders: np.ndarray, weeks: tuple[tuple[int, int], ...] = ((50, 9),) * WEEKS) -> Period:
    levels = Levels(len(spend), len(spend), int((orders > 1).sum()), int(orders.sum()), int(spend.sum()), 0)
    return Period(levels, Spread(float(spend @ spend), float(spend @ orders), float(orders @ orders), weeks))


def aggregates(spend: np.ndarray, orders: np.ndarray) -> Aggregates:
    return Aggregates(
        count_=len(spend), mean_={"spend": spend.mean(), "orders": orders.mean()},
        var_={"spend": spend.var(ddof=1), "orders": orders.var(ddof=1)}, cov_={("orders", "spend"): np.cov(spend, orders)[0, 1]},
    )


def told(found: Interval | CannotTell) -> tuple[float, float, float]:
    assert isinstance(found, Interval), found
    return found.low, found.estimate, found.high


def test_the_order_value_is_as_tea_tasting_has_a_ratio_of_means_by_customer() -> None:
    chance = np.random.default_rng(3)
    before, now = bought(chance, 900, 4_000), bought(chance, 300, 4_400)
    other = tt.RatioOfMeans("spend", "orders", use_t=False).analyze_aggregates(aggregates(*before), aggregates(*now))
    found = told(order_value_change(period(*now), period(*before)))
    assert found == pytest.approx((other.rel_effect_size_ci_lower, other.rel_effect_size, other.rel_effect_size_ci_upper), rel=1e-5)


def test_the_interval_holds_a_known_change_of_the_order_value() -> None:
    """Of 400 pairs of periods with baskets a tenth larger 380 are expected, three standard deviations either way."""
    chance, held = np.random.default_rng(8), 0
    for _ in range(400):
        low, _, high = told(order_value_change(period(*bought(chance, 200, 4_400)), period(*bought(chance, 600, 4_000))))
        held += low <= 0.1 <= high
    assert abs(held - 380) <= 3 * (400 * 0.05 * 0.95) ** 0.5


def test_the_share_who_order_again_is_compared_over_as_many_weeks() -> None:
    """Over a longer period more people order twice: that is no change."""
    chance = np.random.default_rng(1)
    weeks = tuple((40 * one, 5 * one * one) for one in range(1, WEEKS + 1))
    now, before = (period(*bought(chance, 100, 4_000), weeks) for _ in range(2))
    assert told(repeat_change(now, before, 4))[1] == 0
    assert (now.repeat_rate(1), now.repeat_rate(8)) == (5 / 40, 320 / 320)
    better = period(*bought(chance, 100, 4_000), ((40, 12),) * WEEKS)
    assert repeat_change(better, before, 1) == share_difference((12, 40), (5, 40))


def test_what_cannot_be_told_says_why() -> None:
    chance = np.random.default_rng(2)
    many, few = period(*bought(chance, 100, 4_000)), period(*bought(chance, 19, 4_000), ((19, 3),) * WEEKS)
    older = Period(many.levels, None)
    for one in (order_value_change(few, many), repeat_change(few, many, 2), repeat_change(many, few, 2)):
        assert isinstance(one, CannotTell)
        assert "20 are needed" in one.reason
    for one in (order_value_change(many, older), repeat_change(many, older, 2), older.repeat_rate(2)):
        assert isinstance(one, CannotTell)
        assert "freeze another with --again" in one.reason
    free = period(np.zeros(50), np.ones(50))
    assert isinstance(order_value_change(free, many), CannotTell)
    assert isinstance(period(*bought(chance, 1, 1.0), ((0, 0),) * WEEKS).repeat_rate(3), CannotTell)


def test_both_levels_are_told_with_their_change_and_the_second_from_a_whole_week_on() -> None:
    chance = np.random.default_rng(5)
    now, before = period(*bought(chance, 200, 4_000)), period(*bought(chance, 600, 4_000))
    worth, again = changes(now, before, 2)
    assert (worth.now, worth.before) == (now.levels.spend / now.levels.orders, before.levels.spend / before.levels.orders)
    assert worth.told.endswith("not yet distinguishable from the baseline")
    assert (again.words, again.now, again.told) == (
        "buyers who ordered again, over 2 weeks", 9 / 50, "+0.0 points (-15.2 to +15.2), not yet distinguishable from the baseline",
    )  # fmt: skip
    assert [one.words for one in changes(now, before, 99)][1] == "buyers who ordered again, over 13 weeks"
    assert len(changes(now, before, 0)) == 1
    better = period(*bought(chance, 400, 8_000))
    assert "distinguishable" not in changes(better, before, 0)[0].told
    assert changes(better, Period(before.levels, None), 0)[0].told.endswith("freeze another with --again")
