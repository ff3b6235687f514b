"""Qini's coefficient against plain loops over its definition, and what it refuses to say. Published values: `tests/published`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.errors import BadData, CannotTell
from rekindle.learn.qini import curve, qini

PEOPLE = st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.booleans()), min_size=2, max_size=40)


def loop_area(answered: list[bool], score: list[float], treated: list[bool]) -> float:
    """Area between the gain and the straight line to its end, by scikit-uplift's published definition, customer by customer."""
    points = [(0, 0.0)]
    for least in sorted(set(score), reverse=True):
        taken = [at for at in range(len(score)) if score[at] >= least]
        mine = [at for at in taken if treated[at]]
        others = [at for at in taken if not treated[at]]
        share = len(mine) / len(others) if others else 0.0
        points.append((len(taken), sum(answered[at] for at in mine) - sum(answered[at] for at in others) * share))
    area = sum((right[0] - left[0]) * (right[1] + left[1]) / 2 for left, right in zip(points, points[1:], strict=False))
    return area - points[-1][0] * points[-1][1] / 2


def loop(answered: list[bool], score: list[float], treated: list[bool]) -> float | None:
    best = [float(yes) if group else -float(yes) for yes, group in zip(answered, treated, strict=True)]
    most = loop_area(answered, best, treated)
    return loop_area(answered, score, treated) / most if most > 0 else None


@given(PEOPLE)
def test_it_is_what_plain_loops_have(people: list[tuple[bool, int, bool]]) -> None:
    answered, score, treated = (list(column) for column in zip(*people, strict=True))
    found = qini(np.array(answered), np.array(score, dtype=float), np.array(treated))
    alike = len(set(treated)) == 1 or len(set(answered)) == 1
    if alike or (expected := loop(answered, [float(one) for one in score], treated)) is None:
        assert isinstance(found, CannotTell)
    else:
        assert found == pytest.approx(expected, abs=1e-12)


def campaign(seed: int, size: int = 4_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who answered, whom a message moves and by how much, and who was drawn."""
    chance = np.random.default_rng(seed)
    moved, treated = chance.uniform(-0.1, 0.4, size), chance.random(size) < 0.5
    return chance.random(size) < 0.2 + moved * treated, moved, treated


def test_the_best_order_is_one_and_chance_is_nought() -> None:
    answered, moved, treated = campaign(1)
    best = answered * np.where(treated, 1.0, -1.0)
    assert qini(answered, best, treated) == 1.0
    assert qini(answered, np.zeros(len(best)), treated) == 0.0
    by_luck = [qini(answered, np.random.default_rng(seed).random(len(best)), treated) for seed in range(200)]
    assert abs(np.mean(by_luck)) < 4 * np.std(by_luck) / np.sqrt(200)
    assert qini(answered, moved, treated) > 5 * np.std(by_luck)
    assert qini(answered, -moved, treated) < -5 * np.std(by_luck)


def test_the_order_of_rows_and_the_scale_of_scores_do_not_matter() -> None:
    answered, moved, treated = campaign(2)
    coarse = np.round(moved, 1)
    row = np.random.default_rng(3).permutation(len(moved))
    found = qini(answered, coarse, treated)
    assert qini(answered[row], coarse[row], treated[row]) == pytest.approx(found, abs=1e-12)
    assert qini(answered, np.exp(5 * coarse), treated) == pytest.approx(found, abs=1e-12)


def test_the_curve_ends_at_what_everybody_gained() -> None:
    answered, moved, treated = campaign(4)
    taken, gain = curve(answered, moved, treated)
    assert (taken[0], gain[0], taken[-1]) == (0, 0, len(moved))
    lift = answered[treated].mean() - answered[~treated].mean()
    assert gain[-1] == pytest.approx(lift * treated.sum())


def test_what_tells_nothing_is_refused() -> None:
    answered, moved, treated = campaign(5, 50)
    assert isinstance(qini(answered, moved, np.ones(50, dtype=bool)), CannotTell)
    assert isinstance(qini(answered, moved, np.zeros(50, dtype=bool)), CannotTell)
    assert isinstance(qini(np.zeros(50, dtype=bool), moved, treated), CannotTell)
    assert isinstance(qini(np.ones(50, dtype=bool), moved, treated), CannotTell)
    with pytest.raises(BadData, match="differ in length"):
        qini(answered, moved[1:], treated)
    with pytest.raises(BadData, match="no number"):
        qini(answered, np.where(moved > 0, moved, np.nan), treated)
