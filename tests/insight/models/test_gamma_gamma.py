"""What an order brings: the truth of simulated values, a second implementation, and thin or odd data."""

import numpy as np
import pytest
from scipy.special import gammaln

from rekindle.errors import CannotTell
from rekindle.insight.models import GammaGamma, fit_gamma_gamma
from rekindle.insight.models.gamma_gamma import _likelihood


def values(rng: np.random.Generator, customers: int, p: float, q: float, v: float) -> tuple[np.ndarray, np.ndarray]:
    orders = rng.integers(1, 8, customers)
    scale = rng.gamma(q, 1 / v, customers)
    return orders, rng.gamma(p * orders) / scale / orders


def test_simulated_parameters_are_recovered_within_three_standard_errors() -> None:
    orders, mean = values(np.random.default_rng(4), 20_000, 5.0, 3.5, 12_000.0)
    fitted = fit_gamma_gamma(orders, mean)
    assert isinstance(fitted, GammaGamma)
    assert (fitted.customers, fitted.quality) == (20_000, "good")
    deviation = np.log(np.array([fitted.p, fitted.q, fitted.v]) / [5.0, 3.5, 12_000.0]) / np.sqrt(np.diag(fitted.covariance))
    assert np.abs(deviation).max() < 3


def test_twenty_random_starts_end_in_one_optimum() -> None:
    orders, mean = values(np.random.default_rng(6), 3_000, 5.0, 3.5, 12_000.0)
    plain = fit_gamma_gamma(orders, mean)
    assert isinstance(plain, GammaGamma)
    for p, q, v in np.exp(np.random.default_rng(7).uniform(-3, 3, (20, 3))):
        found = fit_gamma_gamma(orders, mean, start=(p, q, v * 12_000.0))
        assert isinstance(found, GammaGamma)
        assert list(found.parameters.values()) == pytest.approx(list(plain.parameters.values()), rel=1e-6)
        assert (found.log_likelihood, found.quality) == (pytest.approx(plain.log_likelihood, abs=1e-6), "good")


def test_density_and_expectation_are_the_integrals_over_the_latent_scale() -> None:
    p, q, v, x, mean = 5.0, 3.5, 12.0, 3, 9.0
    log_scale = np.arange(-40, 8, 0.01)
    scale = np.exp(log_scale)
    prior = q * np.log(v) + q * log_scale - v * scale - gammaln(q)
    own = p * x * (np.log(x) + log_scale) + (p * x - 1) * np.log(mean) - x * scale * mean - gammaln(p * x)
    weight = np.exp(prior + own) * 0.01
    surface = _likelihood(np.array([float(x)]), np.array([mean]), np.ones(1))
    point = np.log([p, q, v])
    assert surface(point).height == pytest.approx(np.log(weight.sum()), rel=1e-9)
    steps = 1e-5 * np.eye(3)
    slopes = [(surface(point + step).height - surface(point - step).height) / 2e-5 for step in steps]
    bends = [(surface(point + step).gradient - surface(point - step).gradient) / 2e-5 for step in steps]
    assert surface(point).gradient == pytest.approx(slopes, rel=1e-6)
    assert surface(point).hessian == pytest.approx(np.array(bends), rel=1e-6, abs=1e-6)
    fitted = GammaGamma(p, q, v, 0.0, 1, np.eye(3), "good", "given")
    assert fitted.expected_value(np.array([x]), np.array([mean]))[0] == pytest.approx((weight * p / scale).sum() / weight.sum(), rel=1e-9)


def test_counts_stand_for_customers_and_losses_stay_out() -> None:
    orders, mean = values(np.random.default_rng(8), 400, 5.0, 3.5, 12.0)
    plain = fit_gamma_gamma(orders, mean)
    odd_orders, odd_mean = np.append(orders, [0, 3, 2]), np.append(mean, [7.0, -4.0, 0.0])
    odd = fit_gamma_gamma(odd_orders, odd_mean, np.ones(403, dtype=np.int64))
    double = fit_gamma_gamma(orders, mean, np.full(400, 2))
    assert isinstance(plain, GammaGamma)
    assert isinstance(double, GammaGamma)
    assert odd == plain
    assert double.customers == 800
    assert double.log_likelihood == pytest.approx(2 * plain.log_likelihood, rel=1e-9)


@pytest.mark.parametrize(("count", "value"), [(1, 20.0), (5, 20.0), (3_000, 0.01), (100_000, 1e9)])
def test_one_price_for_all_is_weak_and_expects_that_price(count: int, value: float) -> None:
    fitted = fit_gamma_gamma(np.full(count, 3), np.full(count, value))
    assert isinstance(fitted, GammaGamma)
    assert fitted.quality == "weak"
    assert fitted.expected_value(np.array([3]), np.array([value]))[0] == pytest.approx(value, rel=0.05)
    assert np.isfinite(fitted.covariance).all()


def test_no_order_cannot_tell() -> None:
    none = fit_gamma_gamma(np.array([], dtype=np.int64), np.array([]))
    assert isinstance(none, CannotTell)
    assert fit_gamma_gamma(np.array([2, 0]), np.array([-1.0, 5.0])) == none


def test_values_without_a_mean_cannot_tell() -> None:
    orders, mean = values(np.random.default_rng(9), 20_000, 5.0, 0.6, 12.0)
    fitted = fit_gamma_gamma(orders, mean)
    assert isinstance(fitted, CannotTell)
    assert "q = 0.59" in fitted.reason
