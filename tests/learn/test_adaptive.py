"""Differences between variants that were drawn by chances which moved with what came before."""

import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.adaptive import Weighed, compared, contrast

TESTS, NIGHTS, A_NIGHT, FLOOR = 20_000, 25, 200, 0.05


def nights(chance: np.random.Generator, tests: int, arms: int, rates: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """Orders under Thompson's rule, learned anew every night: counts, orders and chances, (tests, nights, 1, arms)."""
    count, orders, chances = (np.zeros((tests, NIGHTS, 1, arms)) for _ in range(3))
    drawn, bought = np.zeros((tests, arms)), np.zeros((tests, arms))
    likely = np.full((tests, arms), 1 / arms)
    for night in range(NIGHTS):
        if night:
            mean = (bought + 1) / (drawn + 2)
            guess = mean[:, None] + np.sqrt(mean * (1 - mean) / (drawn + 2))[:, None] * chance.standard_normal((tests, 40, arms))
            likely = FLOOR + (1 - arms * FLOOR) * (guess == guess.max(axis=2, keepdims=True)).mean(axis=1)
        sent = chance.multinomial(A_NIGHT, likely)
        came = chance.binomial(sent, rates)
        count[:, night, 0], orders[:, night, 0], chances[:, night, 0] = sent, came, likely
        drawn, bought = drawn + sent, bought + came
    return count, orders, chances


def test_adaptive_nulls_err_seven_and_a_half_in_a_hundred_at_most() -> None:
    count, orders, chances = nights(np.random.default_rng(25), TESTS, 2, (0.1, 0.1))
    found = contrast(Weighed.alike(count, orders, orders, chances), 0, 1)
    assert 0.03 < (np.abs(found.z) > 1.96).mean() <= 0.075
    assert abs(found.estimate.mean()) < 4 * found.estimate.std() / TESTS**0.5, "and it leans to neither side"


def test_plain_means_of_the_same_nights_err_more_and_lean() -> None:
    count, orders, chances = nights(np.random.default_rng(26), 4_000, 3, (0.1, 0.1, 0.1))
    n, total = count.sum(axis=(1, 2)), orders.sum(axis=(1, 2))
    mean = total / n
    error = np.sqrt((mean * (1 - mean) / n)[:, :2].sum(axis=1))
    naive = np.abs((mean[:, 0] - mean[:, 1]) / error) > 1.96
    honest = np.abs(contrast(Weighed.alike(count, orders, orders, chances), 0, 1).z) > 1.96
    assert naive.mean() > honest.mean()
    assert mean.mean() < 0.0985, "a mean that was drawn less after bad luck keeps the bad luck"


def test_a_true_difference_is_in_the_interval() -> None:
    count, orders, chances = nights(np.random.default_rng(27), 2_000, 2, (0.13, 0.10))
    found = contrast(Weighed.alike(count, orders, orders, chances), 0, 1)
    assert found.estimate.mean() == pytest.approx(0.03, abs=0.001)
    assert 0.9 <= (np.abs(found.estimate - 0.03) < 1.96 * found.error).mean() <= 0.97


def test_with_one_version_and_one_chance_it_is_the_difference_of_means() -> None:
    chance = np.random.default_rng(2)
    first, second = chance.gamma(2.0, 5.0, 4_000), chance.gamma(2.0, 4.0, 1_000)
    count = np.array([[[4_000.0, 1_000.0]]])
    total, squares = (np.array([[[one.sum(), two.sum()]]]) for one, two in ((first, second), (first**2, second**2)))
    found = contrast(Weighed.alike(count, total, squares, np.array([[[0.8, 0.2]]])), 0, 1)
    assert float(found.estimate) == pytest.approx(first.mean() - second.mean(), rel=0.02)
    plain = np.sqrt(first.var() / 4_000 + second.var() / 1_000)
    assert float(found.error) == pytest.approx(plain, rel=0.05)


def test_chances_that_differ_within_a_version_are_weighed_by_hand_too() -> None:
    chance = np.random.default_rng(6)
    versions = np.repeat([0, 1], 3_000)
    p = np.where(chance.random(6_000) < 0.5, 0.3, 0.6)
    drawn = (chance.random(6_000) >= p).astype(int)
    y = chance.gamma(1.0, 10.0, 6_000) + 2.0 * (drawn == 0)
    own = np.where(drawn == 0, p, 1 - p)
    parts = (np.ones(6_000), y, 1 / own, y / own, 1 / own**2, y / own**2, y**2 / own**2)
    cells = [np.array([[[one[(versions == v) & (drawn == a)].sum() for a in (0, 1)]] for v in (0, 1)]) for one in parts]
    sums = Weighed(*cells)
    found = contrast(sums, 0, 1)
    means = np.array([[y[(versions == 0) & (drawn == a)].mean() for a in (0, 1)]] * 2)
    m = means[versions]
    score = m[:, 0] - m[:, 1] + np.where(drawn == 0, (y - m[:, 0]) / own, -(y - m[:, 1]) / own)
    assert float(found.estimate) == pytest.approx(score.mean(), rel=1e-9)
    assert float(found.error) == pytest.approx(score.std() / 6_000**0.5, rel=1e-9)


def test_it_says_when_it_cannot_tell() -> None:
    fair = np.full((1, 1, 2), 0.5)
    few = np.array([[[30.0, 19.0]]])
    assert compared(Weighed.alike(few, few, few, fair), 0, 1) == CannotTell("30 decisions against 19; 20 of each are needed")
    many, none = np.array([[[30.0, 30.0]]]), np.zeros((1, 1, 2))
    assert compared(Weighed.alike(many, none, none, fair), 0, 1) == CannotTell("nothing differs among them yet")


def test_the_interval_is_two_sided() -> None:
    fair, count = np.full((1, 1, 2), 0.5), np.array([[[400.0, 400.0]]])
    told = compared(Weighed.alike(count, count * [0.6, 0.5], count * [0.6, 0.5], fair), 0, 1)
    assert isinstance(told, tuple)
    interval, p_value = told
    assert isinstance(interval, Interval)
    assert interval.estimate == pytest.approx(0.1, abs=1e-9)
    assert interval.high - interval.estimate == pytest.approx(interval.estimate - interval.low)
    assert 0.0 < p_value < 0.05


def test_a_version_in_which_one_of_the_two_had_no_chance_changes_neither_estimate_nor_error() -> None:
    """Wherever it stands among the versions: 100,000 decisions that could only be the other tell nothing of the difference."""
    chance = np.random.default_rng(3)
    values = chance.normal(1.0, 10.0, (2, 500))
    count, total, squares = (np.array([[part]]) for part in ([500.0, 500.0], values.sum(axis=1), (values**2).sum(axis=1)))
    alone = contrast(Weighed.alike(count, total, squares, np.full((1, 1, 2), 0.5)), 0, 1)
    certain = np.array([[[0.0, 100_000.0]]])
    for order in (1, -1):
        parts = [np.concatenate([one, two][::order]) for one, two in (
            (count, certain), (total, certain), (squares, certain * 101), (np.full((1, 1, 2), 0.5), np.ones((1, 1, 2))),
        )]  # fmt: skip
        found = contrast(Weighed.alike(*parts), 0, 1)
        assert float(found.estimate) == pytest.approx(float(alone.estimate), rel=1e-12)
        assert float(found.error) == pytest.approx(float(alone.error), rel=1e-12)
        assert float(found.error) == pytest.approx(0.632, abs=0.03)
        assert float(found.decisions) == 1_000
