"""Looking often: boundaries against published tables, and 20,000 comparisons of two groups that do not differ."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from rekindle.learn.sequential import (
    boundaries,
    confidence_sequence,
    crossing,
    repeated_interval,
    sequence_radius,
    spent,
)

TESTS, LOOKS, EACH = 20_000, 5, 60
"""Comparisons, looks at each, and customers that each side gains between two looks."""

DAILY = [k / 28 for k in range(1, 29)]
"""Four weeks of looks."""


def evenly(looks: int) -> list[float]:
    return [k / looks for k in range(1, looks + 1)]


def test_boundaries_are_those_of_lan_and_demets_program() -> None:
    # Reboussin, DeMets, Kim & Lan (2000), Computations for group sequential boundaries using the Lan-DeMets spending function method,
    # Controlled Clinical Trials 21, O'Brien-Fleming type, two-sided .05, five looks; also in the manual of R's ldbounds
    assert boundaries(evenly(5)) == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


CONSTANTS = [(2, 2.178, 1.977), (3, 2.289, 2.004), (4, 2.361, 2.024), (5, 2.413, 2.040), (10, 2.555, 2.087)]
"""Looks, and Pocock's and O'Brien & Fleming's constants: Jennison & Turnbull (2000), Group Sequential Methods, tables 2.1 and 2.3."""


@pytest.mark.parametrize(("looks", "pocock", "obrien_fleming"), CONSTANTS)
def test_the_recursion_gives_the_constants_of_jennison_and_turnbull(looks: int, pocock: float, obrien_fleming: float) -> None:
    shares = evenly(looks)
    flat = brentq(lambda c: sum(crossing(shares, [c] * looks)) - 0.05, 1.9, 3.0)
    falling = brentq(lambda c: sum(crossing(shares, [c / share**0.5 for share in shares])) - 0.05, 1.9, 3.0)
    assert (flat, falling) == pytest.approx((pocock, obrien_fleming), abs=6e-4)


@pytest.mark.parametrize("shares", [(1.0,), (0.3, 1.0), (0.1, 0.15, 0.8, 0.95, 1.0), DAILY])
def test_all_looks_together_spend_alpha(shares: tuple[float, ...]) -> None:
    bounds = boundaries(shares)
    crossed = np.cumsum(crossing(shares, bounds))
    assert crossed[-1] == pytest.approx(0.05, abs=1e-9)
    assert crossed == pytest.approx([spent(share) for share in shares], abs=1e-9)
    assert all(earlier > later for earlier, later in pairwise(bounds) if earlier < 9)


def test_one_look_is_the_fixed_test() -> None:
    assert boundaries((1.0,))[0] == pytest.approx(norm.ppf(0.975), abs=1e-9)
    found = repeated_interval(1.0, 0.5, (1.0,))
    assert (found.low, found.high) == pytest.approx((1 - 0.5 * norm.ppf(0.975), 1 + 0.5 * norm.ppf(0.975)))


def test_more_than_was_planned_is_the_last_look() -> None:
    assert boundaries((0.5, 1.2)) == boundaries((0.5, 1.0))
    with pytest.raises(ValueError, match="must rise"):
        boundaries((0.5, 1.0, 1.2))
    with pytest.raises(ValueError, match="must rise"):
        boundaries(())


@pytest.mark.parametrize("shares", [evenly(5), DAILY])
def test_power_is_at_least_95_percent_of_the_fixed_design(shares: list[float]) -> None:
    for power in (0.5, 0.8, 0.9):
        drift = norm.ppf(0.975) + norm.ppf(power)
        assert sum(crossing(shares, boundaries(shares), drift)) >= 0.95 * power


@pytest.fixture(scope="module")
def nothing_works() -> tuple[np.ndarray, np.ndarray]:
    """Differences and standard errors at every look, (tests, looks): heavy-tailed margins, most of them nought, alike on both sides."""
    chance = np.random.default_rng(20_261_126)
    shape = (2, TESTS, LOOKS, EACH)
    margin = np.where(chance.random(shape, dtype=np.float32) < 0.3, chance.standard_gamma(1.5, shape, dtype=np.float32), 0)
    n = EACH * np.arange(1, LOOKS + 1)
    total, squares = (np.cumsum(part, axis=2) for part in (margin.sum(axis=3), (margin**2).sum(axis=3)))
    mean = total / n
    variance = (squares - n * mean**2) / (n - 1)
    return mean[0] - mean[1], np.sqrt((variance / n).sum(axis=0))


def test_group_sequential_errs_five_in_a_hundred(nothing_works: tuple[np.ndarray, np.ndarray]) -> None:
    difference, error = nothing_works
    ever = (np.abs(difference / error) > boundaries(evenly(LOOKS))).any(axis=1)
    assert 0.045 <= ever.mean() <= 0.055
    naive = (np.abs(difference / error) > norm.ppf(0.975)).any(axis=1)
    assert naive.mean() > 0.12, "looking five times without a plan is what this is for"


def test_a_confidence_sequence_errs_five_in_a_hundred_at_most(nothing_works: tuple[np.ndarray, np.ndarray]) -> None:
    difference, error = nothing_works
    n = 2.0 * EACH * np.arange(1, LOOKS + 1)
    outside = np.abs(difference) > sequence_radius(n, tightest_at=n[2]) * error * np.sqrt(n)
    assert 0.0 < outside.any(axis=1).mean() <= 0.05


def test_a_confidence_sequence_holds_at_a_thousand_looks() -> None:
    steps = np.cumsum(np.random.default_rng(3).standard_normal((2_000, 1_000)), axis=1)
    n = np.arange(1.0, 1_001.0)
    outside = np.abs(steps / n) > sequence_radius(n, tightest_at=500.0)
    assert 0.01 < outside.any(axis=1).mean() <= 0.05


def test_a_confidence_sequence_is_the_formula_written_out() -> None:
    # SCIENCE: mu +/- s sqrt(N) sqrt(2 (N rho^2 + 1) / (N^2 rho^2) log(sqrt(N rho^2 + 1) / alpha)), s the standard error
    n, at, error = 3_461.0, 10_000.0, 0.125
    rho = np.sqrt((-2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)) / at)
    half = error * np.sqrt(n) * np.sqrt(2 * (n * rho**2 + 1) / (n**2 * rho**2) * np.log(np.sqrt(n * rho**2 + 1) / 0.05))
    found = confidence_sequence(0.29, error**2 * n, n, tightest_at=at)
    assert (found.low, found.estimate, found.high) == pytest.approx((0.29 - half, 0.29, 0.29 + half), rel=1e-12)


def test_a_confidence_sequence_is_tightest_where_it_was_meant_to_be() -> None:
    n = np.array([2_000.0])
    widths = [sequence_radius(n, tightest_at=at)[0] for at in (500.0, 2_000.0, 8_000.0)]
    assert widths[1] == min(widths)
