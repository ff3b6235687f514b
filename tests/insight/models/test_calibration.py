"""A calibration table against counting by hand, and a model that knows the truth."""

import numpy as np
import pytest

from rekindle.insight.models.calibration import Decile, by_decile


def by_hand(expected: list[float], actual: list[float], customers: list[int]) -> list[Decile]:
    """Spells the customers out one by one; without ties, and with tenths that cut no row."""
    each = sorted((e, a) for e, a, n in zip(expected, actual, customers, strict=True) for _ in range(n))
    tenth = len(each) // 10
    groups = [each[i : i + tenth] for i in range(0, len(each), tenth)]
    return [Decile(sum(e for e, _ in g) / tenth, sum(a for _, a in g) / tenth, tenth) for g in groups]


def test_rows_that_stand_for_customers_are_the_customers_spelled_out() -> None:
    rng = np.random.default_rng(1)
    expected, actual, customers = rng.random(40), rng.integers(0, 5, 40), np.tile([2, 1, 1, 4], 10)
    expected, mixed = np.sort(expected), rng.permutation(40)
    got = by_decile(expected[mixed], actual[mixed], customers[mixed])
    wanted = by_hand(expected.tolist(), actual.tolist(), customers.tolist())
    assert [part.customers for part in got] == [8] * 10
    assert [part.expected for part in got] == pytest.approx([part.expected for part in wanted])
    assert [part.actual for part in got] == pytest.approx([part.actual for part in wanted])


def test_equal_expectations_stay_together_whatever_their_order() -> None:
    expected, actual = np.array([0.1] * 6 + [0.5, 0.7, 0.9, 1.1]), np.array([0, 0, 0, 3, 3, 3, 1, 1, 1, 1])
    parts = by_decile(expected, actual)
    assert parts[0] == Decile(pytest.approx(0.1), pytest.approx(1.5), 6)
    assert [part.customers for part in parts] == [6, 1, 1, 1, 1]
    assert by_decile(expected[::-1], actual[::-1]) == parts


def test_who_knows_the_truth_is_calibrated() -> None:
    rng = np.random.default_rng(2)
    mean = rng.gamma(0.7, 2.0, 200_000)
    for part in by_decile(mean, rng.poisson(mean)):
        assert part.customers == 20_000
        assert part.actual == pytest.approx(part.expected, abs=5 * np.sqrt(part.expected / 20_000) + 1e-9)


def test_nobody_has_no_table() -> None:
    assert by_decile(np.array([]), np.array([])) == ()
