"""Margin at risk, and what a horizon brings, against shops in which it is known who lapsed and what they order next."""

import numpy as np
import pytest

from rekindle.insight.models import (
    Interval,
    LapseTuples,
    MbgNbd,
    ParetoNbd,
    at_risk_interval,
    fit_mbg_nbd,
    fit_pareto_nbd,
    orders_interval,
)
from tests.insight.models.truth import Truth, histories, leaving_shop, orders_after, orders_after_leaving, shop

TRUTH = (0.9, 6.0, 0.7, 2.5)
LEAVING = (0.9, 6.0, 0.7, 20.0)


def known(parameters: tuple[float, ...], covariance: np.ndarray) -> MbgNbd:
    return MbgNbd(*parameters, 0.0, 0, covariance, "good", "given")


def world(kind, rng: np.random.Generator) -> tuple[Truth, np.ndarray]:
    """A shop of 1,500 customers as a model assumes it, and their orders of the next 26 weeks."""
    if kind is ParetoNbd:
        truth = leaving_shop(rng, 1_500, LEAVING, 104.0)
        return truth, orders_after_leaving(rng, truth, 26.0)
    truth = shop(rng, 1_500, TRUTH, 104.0, 1)
    return truth, orders_after(rng, truth, 26.0)


def covered(fit, kind, parameters: tuple[float, ...], shops: int) -> tuple[int, int]:
    """In how many shops the 90 % interval held what lapsed customers took along, and in how many what all order next."""
    rng, lost_within, next_within = np.random.default_rng(2), 0, 0
    oracle = kind(*parameters, 0.0, 0, np.eye(4), "good", "given")
    for _ in range(shops):
        truth, coming = world(kind, rng)
        margin = rng.gamma(4.0, 2.5, 1_500)
        lost = float(margin @ (~truth.alive * oracle.expected_orders_if_alive(truth.histories, 26.0)))
        fitted = fit(truth.histories)
        assert isinstance(fitted, kind)
        interval = at_risk_interval(fitted, truth.histories, margin, 26.0, level=0.9)
        lost_within += interval.low <= lost <= interval.high
        interval = orders_interval(fitted, truth.histories, margin, 26.0, level=0.9)
        next_within += interval.low <= margin @ coming <= interval.high
    return lost_within, next_within


KINDS = [(fit_pareto_nbd, ParetoNbd, LEAVING), (fit_mbg_nbd, MbgNbd, TRUTH)]


@pytest.mark.parametrize(("fit", "kind", "parameters"), KINDS)
def test_the_intervals_cover_what_lapsed_customers_took_along_and_what_all_order_next(fit, kind, parameters) -> None:
    """50 shops; at 90 % some 45 intervals hold the truth, give or take 2.1 (one standard deviation)."""
    assert all(39 <= count <= 50 for count in covered(fit, kind, parameters, 50))


@pytest.mark.long
@pytest.mark.parametrize(("fit", "kind", "parameters"), KINDS)
def test_the_intervals_cover_in_four_hundred_shops(fit, kind, parameters) -> None:
    """Some 360 intervals hold the truth, give or take 6 (one standard deviation)."""
    assert all(342 <= count <= 378 for count in covered(fit, kind, parameters, 400))


def test_what_a_horizon_brings_varies_as_simulated_customers_do() -> None:
    """With known parameters only the customers' own chance is left: 4,000 futures of six histories, weights shared by 20 customers each."""
    rows = histories((0, 0.0, 30.0), (1, 4.0, 30.0), (5, 29.0, 30.0), (30, 50.0, 52.0), (2, 3.0, 90.0), (0, 0.0, 2.0))
    rows = LapseTuples(rows.repeats, rows.last, rows.age, np.full(6, 20))
    model = ParetoNbd(*LEAVING, 0.0, 0, np.zeros((4, 4)), "good", "given")
    rng, futures = np.random.default_rng(4), 4_000
    alive = rng.random((futures, 120)) < np.repeat(model.p_alive(rows), 20)
    rate = rng.gamma(np.repeat(0.9 + rows.repeats, 20), 1 / np.repeat(6.0 + rows.age, 20), (futures, 120))
    death = rng.exponential(1 / rng.gamma(0.7, 1 / np.repeat(20.0 + rows.age, 20), (futures, 120)))
    weight = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 1.0])
    total = (alive * rng.poisson(rate * np.minimum(death, 26.0))) @ np.repeat(weight, 20)
    interval = orders_interval(model, rows, 20 * weight, 26.0)
    assert interval.estimate == pytest.approx(total.mean(), abs=4 * total.std() / np.sqrt(futures))
    deviation = np.log(interval.high / interval.estimate) / 1.959963985 * interval.estimate
    assert deviation == pytest.approx(total.std(), rel=0.05)


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
    assert orders_interval(model, histories((0, 0.0, 9.0)), np.array([0.0]), 26.0) == Interval(0.0, 0.0, 0.0)
