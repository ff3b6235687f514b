"""Margin at risk against shops in which it is known who lapsed."""

import numpy as np
import pytest

from rekindle.insight.models import Interval, LapseTuples, MbgNbd, at_risk_interval, fit_mbg_nbd
from tests.insight.models.truth import histories, shop

TRUTH = (0.9, 6.0, 0.7, 2.5)


def known(parameters: tuple[float, ...], covariance: np.ndarray) -> MbgNbd:
    return MbgNbd(*parameters, 0.0, 0, covariance, "good", "given")


def test_the_interval_covers_the_margin_that_lapsed_customers_really_took_along() -> None:
    """160 shops of 1,500 customers; at 90 % some 144 intervals hold the truth, give or take 4 (one standard deviation)."""
    rng, covered = np.random.default_rng(2), 0
    oracle = known(TRUTH, np.eye(4))
    for _ in range(160):
        truth = shop(rng, 1_500, TRUTH, 104.0, 1)
        margin = rng.gamma(4.0, 2.5, 1_500)
        lost = float(margin @ (~truth.alive * oracle.expected_orders_if_alive(truth.histories, 26.0)))
        fitted = fit_mbg_nbd(truth.histories)
        assert isinstance(fitted, MbgNbd)
        interval = at_risk_interval(fitted, truth.histories, margin, 26.0, level=0.9)
        covered += interval.low <= lost <= interval.high
    assert 133 <= covered <= 155


def test_the_estimate_is_the_sum_and_the_parts_of_the_variance_are_as_stated() -> None:
    rows = LapseTuples(np.array([0, 2, 2]), np.array([0.0, 5.0, 9.0]), np.array([20.0, 30.0, 30.0]), np.array([1, 4, 1]))
    margin = np.array([10.0, 80.0, 5.0])
    certain = known(TRUTH, np.zeros((4, 4)))
    alive, orders = certain.p_alive(rows), certain.expected_orders_if_alive(rows, 26.0)
    interval = at_risk_interval(certain, rows, margin, 26.0)
    assert interval.estimate == pytest.approx(float(margin @ ((1 - alive) * orders)), rel=1e-12)
    chance = np.sqrt(np.sum(np.array([1, 4, 1]) * (np.array([10.0, 20.0, 5.0]) * orders) ** 2 * alive * (1 - alive)))
    assert np.log(interval.high / interval.estimate) == pytest.approx(1.959963985 * chance / interval.estimate, rel=1e-6)
    assert interval.low * interval.high == pytest.approx(interval.estimate**2)


def test_doubt_about_parameters_widens_it_by_the_slope() -> None:
    rows, margin = histories((1, 3.0, 20.0), (0, 0.0, 40.0)), np.array([10.0, 30.0])
    covariance = np.diag([0.0, 0.04, 0.0, 0.0])

    def log_variance(model: MbgNbd) -> float:
        interval = at_risk_interval(model, rows, margin, 26.0)
        return float(np.log(interval.high / interval.estimate) / 1.959963985) ** 2

    def estimate(alpha: float) -> float:
        return at_risk_interval(known((0.9, alpha, 0.7, 2.5), covariance), rows, margin, 26.0).estimate

    slope = (estimate(6.0 * np.exp(1e-4)) - estimate(6.0 * np.exp(-1e-4))) / 2e-4 / estimate(6.0)
    added = log_variance(known(TRUTH, covariance)) - log_variance(known(TRUTH, np.zeros((4, 4))))
    assert added == pytest.approx(0.04 * slope**2, rel=1e-4)


def test_nothing_at_stake_is_nothing_at_risk() -> None:
    model = known(TRUTH, np.eye(4))
    assert at_risk_interval(model, histories(), np.array([]), 26.0) == Interval(0.0, 0.0, 0.0)
    assert at_risk_interval(model, histories((0, 0.0, 9.0)), np.array([0.0]), 26.0) == Interval(0.0, 0.0, 0.0)
