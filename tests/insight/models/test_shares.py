"""Shares and their differences against published tables."""

import pytest

from rekindle.insight.models.shares import share_difference, share_interval

NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]
"""Newcombe (1998), Interval estimation for the difference between independent proportions, table II, method 10."""


@pytest.mark.parametrize(("one", "other", "low", "high"), NEWCOMBE)
def test_newcombe_1998_table_two(one: tuple[int, int], other: tuple[int, int], low: float, high: float) -> None:
    found = share_difference(one, other)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    turned = share_difference(other, one)
    assert (turned.low, turned.estimate, turned.high) == pytest.approx((-found.high, -found.estimate, -found.low))


@pytest.mark.parametrize(
    ("yes", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
)
def test_newcombe_1998_single_proportions(yes: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3."""
    found = share_interval(yes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
