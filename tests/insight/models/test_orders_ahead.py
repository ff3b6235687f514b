"""The closed form and quadrature are two implementations of one mean; each is right where it is used."""

import numpy as np
import pytest
from scipy.special import digamma

from rekindle.insight.models.orders_ahead import LARGEST_A, NEAR_ONE, beta_nodes, closed_form, order_pairs_ahead, orders_ahead, quadrature

SHAPES = np.array([0.3, 1.6, 12.6, 200.6, 10_000.6])
TIMES = np.array([3.0, 2.0, 1.0, 0.5, 0.4])
BETAS = np.array([0.4, 2.6, 13.6, 201.6, 10_001.6])


@pytest.mark.parametrize("a", [0.05, 0.8, 0.999, 1.001, 3.0, 19.0])
def test_the_closed_form_is_the_quadrature(a: float) -> None:
    assert closed_form(SHAPES, TIMES, a, BETAS) == pytest.approx(quadrature(SHAPES, TIMES, a, BETAS), rel=1e-9)


@pytest.mark.parametrize("a", [1 - NEAR_ONE, 1 - NEAR_ONE / 3, 1.0, 1 + NEAR_ONE / 2])
def test_a_equal_to_one_is_no_hole(a: float) -> None:
    assert orders_ahead(SHAPES, TIMES, a, BETAS) == pytest.approx(quadrature(SHAPES, TIMES, a, BETAS), rel=1e-7)


def test_large_a_and_impossible_terms_are_left_to_quadrature() -> None:
    large = np.full(5, 8_000.0)
    assert (orders_ahead(SHAPES, TIMES, LARGEST_A + 1, BETAS) == quadrature(SHAPES, TIMES, LARGEST_A + 1, BETAS)).all()
    certain = -np.expm1(-SHAPES * np.log1p(0.5 * TIMES)) / 0.5
    assert orders_ahead(SHAPES, TIMES, 8_000.0, large) == pytest.approx(certain, rel=1e-3)
    beyond = orders_ahead(np.array([0.1]), np.array([1e5]), 0.1, np.array([900.0]))
    assert np.isfinite(beyond).all()
    assert beyond[0] > 0


@pytest.mark.parametrize("a", [0.05, 0.8, 1.0, 1.001, 2.0, 19.0, 25.0])
def test_pairs_of_orders_are_the_slope_in_the_chance(a: float) -> None:
    """N (N - 1) of who lapses with chance p has the mean -2 (1 - p) times the slope of the mean of N in p."""
    p, weight = beta_nodes(a, BETAS, 64)
    k, t = SHAPES[:, None], TIMES[:, None]
    fall = k * np.log1p(p * t)
    slope = (-np.expm1(-fall) - k * p * t / (1 + p * t) * np.exp(-fall)) / p**2
    slope = np.where(k * p * t < 1e-5, k * (k + 1) * t**2 / 2, slope)
    pairs = 2 * np.sum(weight * (1 - p) * slope, axis=1)
    assert order_pairs_ahead(SHAPES, TIMES, a, BETAS) == pytest.approx(pairs, rel=1e-6)


def test_nothing_to_compute_and_no_time_give_nothing() -> None:
    none = np.array([])
    assert len(orders_ahead(none, none, 0.8, none)) == 0
    assert orders_ahead(SHAPES, np.zeros(5), 0.8, BETAS).tolist() == [0.0] * 5


def test_nodes_have_the_moments_of_the_beta_distribution() -> None:
    b = np.array([0.3, 2.0, 5_000.0])
    for a in (0.02, 1.0, 700.0):
        p, weight = beta_nodes(a, b, 24)
        assert weight.sum(axis=1) == pytest.approx(np.ones(3), rel=1e-12)
        assert (weight * p).sum(axis=1) == pytest.approx(a / (a + b), rel=1e-11)
        assert (weight * p**2).sum(axis=1) == pytest.approx(a * (a + 1) / ((a + b) * (a + b + 1)), rel=1e-11)
    p, weight = beta_nodes(5.0, np.array([3.0]), 60)
    assert (weight * np.log(p)).sum() == pytest.approx(digamma(5.0) - digamma(8.0), rel=1e-6)
