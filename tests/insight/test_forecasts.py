"""Scores, tenths and ratios against plain Python, customer by customer."""

import math

import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.insight.forecasts import Forecast, Outcomes, expected_over_actual, silence_shares
from rekindle.insight.models import Interval

LATER = [[0, 0, 1, 3], [2], [0, 0, 0, 0, 0], [1, 1, 0], [5, 0, 0, 7]]
"""Orders that came, customer by customer, of five histories."""
SILENCE = np.array([10, 89, 90, 300, 4])
CHANCE = np.array([0.3, 0.95, 0.01, 0.5, 0.6])
EVERYONE = [(chance, silence, n) for chance, silence, orders in zip(CHANCE, SILENCE, LATER, strict=True) for n in orders]


@pytest.fixture
def outcomes() -> Outcomes:
    counted = (len, sum, lambda one: sum(n * n for n in one), lambda one: sum(n > 0 for n in one))
    columns = ([count(orders) for orders in LATER] for count in counted)
    return Outcomes(SILENCE, *map(np.array, columns))


def test_scores_are_those_of_every_customer(outcomes: Outcomes) -> None:
    brier = sum((chance - (n > 0)) ** 2 for chance, _, n in EVERYONE) / len(EVERYONE)
    loss = -sum(math.log(chance if n else 1 - chance) for chance, _, n in EVERYONE) / len(EVERYONE)
    found = outcomes.forecast(CHANCE)
    assert (found.brier, found.log_loss) == pytest.approx((brier, loss))
    assert (outcomes.total, outcomes.ordered) == (17, 20)


def test_a_sure_forecast_that_is_right_is_best_and_one_that_is_wrong_costs_a_limited_price() -> None:
    one = Outcomes(np.array([1, 1]), np.array([5, 5]), np.array([5, 0]), np.array([5, 0]), np.array([5, 0]))
    assert one.forecast(np.array([1.0, 0.0])) == Forecast(0.0, pytest.approx(1e-6))
    assert one.forecast(np.array([0.0, 1.0])) == Forecast(1.0, pytest.approx(-math.log(1e-6)))


def test_the_rule_has_two_shares_by_silence(outcomes: Outcomes) -> None:
    shares = silence_shares(outcomes, 90)
    recent = [n > 0 for _, silence, n in EVERYONE if silence < 90]
    long = [n > 0 for _, silence, n in EVERYONE if silence >= 90]
    assert shares == pytest.approx(((sum(recent) + 1) / (len(recent) + 2), (sum(long) + 1) / (len(long) + 2)))
    assert outcomes.by_silence(shares, 90).tolist() == [shares[0], shares[0], shares[1], shares[1], shares[0]]


def test_the_rules_best_shares_are_its_best() -> None:
    """No other two shares score better, as far as the added one of two allows."""
    rng = np.random.default_rng(1)
    customers = np.full(400, 5)
    again = rng.binomial(5, rng.beta(1, 2, 400))
    one = Outcomes(rng.integers(0, 200, 400), customers, again, again, again)
    best = one.forecast(one.by_silence(silence_shares(one, 90), 90))
    for shift in (-0.03, 0.03):
        for side in (0, 1):
            shares = list(silence_shares(one, 90))
            shares[side] += shift
            other = one.forecast(one.by_silence((shares[0], shares[1]), 90))
            assert (other.brier, other.log_loss) > (best.brier, best.log_loss)


def test_tenths_hold_everybody_once_in_order() -> None:
    rng = np.random.default_rng(4)
    customers = rng.integers(1, 30, 3_000)
    chance = rng.beta(1, 3, 3_000)
    again = rng.binomial(customers, chance)
    one = Outcomes(rng.integers(0, 90, 3_000), customers, 2 * again, 4 * again, again)
    tenths = one.tenths_by_chance(chance)
    assert [round(tenth.customers / one.total, 2) for tenth in tenths] == [0.1] * 10
    assert [tenth.predicted for tenth in tenths] == sorted(tenth.predicted for tenth in tenths)
    assert sum(tenth.customers for tenth in tenths) == one.total
    assert sum(tenth.customers * tenth.actual.estimate for tenth in tenths) == pytest.approx(again.sum())
    held = sum(tenth.actual.low <= tenth.predicted <= tenth.actual.high for tenth in tenths)
    assert held >= 8
    orders = one.tenths_by_orders(2 * chance)
    assert [tenth.actual.estimate for tenth in orders] == pytest.approx([2 * tenth.actual.estimate for tenth in tenths])


def test_tenths_have_the_intervals_of_the_literature() -> None:
    """Wilson's for 3 of 10 is 0.108 to 0.603 (Newcombe 1998, method 3); a mean's is 1.96 standard errors either way."""
    one = Outcomes(np.array([1]), np.array([10]), np.array([6]), np.array([12]), np.array([3]))
    (tenth,) = one.tenths_by_chance(np.array([0.4]))
    assert (tenth.customers, tenth.predicted) == (10, 0.4)
    assert tenth.actual == Interval(pytest.approx(0.1078, abs=1e-4), 0.3, pytest.approx(0.6032, abs=1e-4))
    (tenth,) = one.tenths_by_orders(np.array([0.7]))
    half = 1.959964 * math.sqrt((12 / 10 - 0.36) / 10)
    assert tenth.actual == Interval(pytest.approx(0.6 - half), 0.6, pytest.approx(0.6 + half))


def test_the_ratio_has_the_interval_of_what_came_by_chance(outcomes: Outcomes) -> None:
    """In 2,000 shops that order exactly as expected the interval holds 1 in 95 % of them."""
    expected = np.array([0.4, 1.0, 0.1, 0.8, 2.0])
    found = expected_over_actual(outcomes, expected)
    assert isinstance(found, Interval)
    spread = sum((n - one) ** 2 for one, orders in zip(expected, LATER, strict=True) for n in orders)
    half = 1.959964 * math.sqrt(spread) / 20
    assert (found.low, found.estimate, found.high) == pytest.approx((13.5 / 20 / (1 + half), 13.5 / 20, 13.5 / 20 / (1 - half)))
    rng, held, size = np.random.default_rng(2), 0, np.array([300, 500, 700])
    mean = np.array([0.2, 0.7, 1.5])
    for _ in range(2_000):
        came = [rng.poisson(one, n) for one, n in zip(mean, size, strict=True)]
        columns = ([int(f(one)) for one in came] for f in (np.sum, lambda one: np.sum(one**2), lambda one: np.sum(one > 0)))
        ratio = expected_over_actual(Outcomes(np.zeros(3, dtype=int), size, *map(np.array, columns)), mean)
        held += isinstance(ratio, Interval) and ratio.low <= 1 <= ratio.high
    assert 0.935 < held / 2_000 < 0.965


def test_without_orders_there_is_no_ratio() -> None:
    nobody = Outcomes(np.array([1]), np.array([10]), np.array([0]), np.array([0]), np.array([0]))
    assert expected_over_actual(nobody, np.array([0.1])) == CannotTell("nobody ordered in the horizon")
    few = Outcomes(np.array([1]), np.array([10]), np.array([1]), np.array([1]), np.array([1]))
    assert expected_over_actual(few, np.array([0.1])) == CannotTell("only 1 orders came")
