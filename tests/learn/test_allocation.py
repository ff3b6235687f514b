"""Allocations against linear programmes written out, limits that must hold whatever the numbers, and floors that give way."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from rekindle.errors import Refused
from rekindle.learn.allocation import Allocation, Cap, Fairness, Limits, allocate, averaged, by_highs, channel_caps

Problem = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def problem(seed: int, contexts: int = 8, arms: int = 4) -> Problem:
    """Worth, cost, size and what is allowed; some variants are free, some harm."""
    chance = np.random.default_rng(seed)
    worth, cost = chance.normal(4, 20, (contexts, arms)), chance.gamma(1, 10, (contexts, arms)) * (chance.random((contexts, arms)) < 0.8)
    worth[:, -1], cost[:, -1] = 0.0, 0.0
    return worth, cost, chance.gamma(2, 50, contexts), chance.random((contexts, arms)) < 0.85


def used(weights: np.ndarray, use: np.ndarray, size: np.ndarray) -> float:
    return float((size[:, None] * weights * use).sum())


def by_linprog(worth: np.ndarray, size: np.ndarray, limits: Limits, caps: tuple[Cap, ...], least: np.ndarray) -> float:
    """The most that any chances bring which keep floors and limits: the programme as it stands in the docs, one variable a cell."""
    shape = worth.shape
    above = [(size[:, None] * cap.use).ravel() for cap in caps]
    whole = [np.repeat(np.arange(shape[0]) == row, shape[1]) for row in range(shape[0])]
    bounds = [(low, None if can else low) for low, can in zip(least.ravel(), limits.open.ravel(), strict=True)]
    most = [cap.most for cap in caps]
    found = linprog(-(size[:, None] * worth).ravel(), above, most, np.array(whole, dtype=float), np.ones(shape[0]), bounds)
    assert found.status == 0
    return float(-found.fun)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("share", [0.15, 0.5, 2.0])
def test_bisection_brings_what_linprog_does(seed: int, share: float) -> None:
    worth, cost, size, allowed = problem(seed)
    limits = Limits(allowed, budget=share * used(np.full(worth.shape, 0.25), cost, size))
    found = averaged(worth[None], cost, size, limits)
    best = by_linprog(worth, size, limits, limits.all_caps(cost, size), found.least)
    assert used(found.weights, worth, size) == pytest.approx(best, rel=1e-6)
    assert used(found.weights, cost, size) <= limits.budget * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_several_limits_that_bind_bring_what_linprog_does(seed: int) -> None:
    worth, cost, size, allowed = problem(seed)
    channels = np.tile(["email", "sms", "email", ""], (len(size), 1))
    capacity = channel_caps(channels, {"email": 0.2 * size.sum(), "sms": 0.1 * size.sum()}, np.ones(worth.shape))
    limits = Limits(allowed, 0.4 * used(np.full(worth.shape, 0.25), cost, size), capacity)
    found = averaged(worth[None], cost, size, limits)
    caps = limits.all_caps(cost, size)
    assert [used(found.weights, cap.use, size) <= cap.most * (1 + 1e-6) for cap in caps] == [True] * 3
    assert used(found.weights, worth, size) == pytest.approx(by_linprog(worth, size, limits, caps, found.least), rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_groups_fare_alike_at_the_least_loss(seed: int) -> None:
    worth, cost, size, allowed = problem(seed)
    shares = np.random.default_rng(seed).random((2, len(size)))
    limits = Limits(allowed, 0.6 * used(np.full(worth.shape, 0.25), cost, size), fairness=Fairness(shares, cost, 0.1))
    found = averaged(np.stack([worth, -worth, worth**2 / 20]), cost, size, limits)
    for share in shares:
        given = (found.weights * cost).sum(axis=1) * size
        mine, rest = given @ share / (size @ share), given @ (1 - share) / (size @ (1 - share))
        assert min(mine, rest) >= 0.9 * max(mine, rest) * (1 - 1e-6)
    assert used(found.weights, cost, size) <= limits.budget * (1 + 1e-6)
    one = averaged(worth[None], cost, size, limits)
    best = by_linprog(worth, size, limits, limits.all_caps(cost, size), one.least)
    assert used(one.weights, worth, size) == pytest.approx(best, rel=1e-5)
    free = averaged(worth[None], cost, size, replace(limits, fairness=None))
    assert used(one.weights, worth, size) <= used(free.weights, worth, size) * (1 + 1e-9)


def test_a_budget_that_binds_is_spent_to_the_last() -> None:
    worth, cost, size, allowed = problem(1, 40, 5)
    draws = np.random.default_rng(2).normal(15, 20, (60, *worth.shape))
    draws[:, :, -1] = 0.0
    limits = Limits(allowed, budget=0.3 * used(np.full(worth.shape, 0.2), cost, size))
    found = averaged(draws, cost, size, limits)
    assert used(found.weights, cost, size) == pytest.approx(limits.budget, rel=1e-9)
    alone = [allocate(draw, cost, size, limits) for draw in draws]
    assert found.weights == pytest.approx(np.mean(alone, axis=0))
    assert [used(one, cost, size) for one in alone] == pytest.approx([limits.budget] * 60, rel=1e-9)


def test_by_hand_two_contexts_share_a_budget() -> None:
    """The first gets twice as much for a unit of the budget, so it is served first; the second with what is left."""
    worth, cost = np.array([[4.0, 0.0], [2.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    limits = Limits(np.ones((2, 2), dtype=bool), budget=130.0, floor_arm=0.0, floor_nothing=0.1)
    assert allocate(worth, cost, np.array([100.0, 100.0]), limits) == pytest.approx(np.array([[0.9, 0.1], [0.4, 0.6]]))


def test_a_middle_variant_is_not_skipped_at_the_margin() -> None:
    """With a dear, a middling and no variant the budget is met between two neighbours, not between the dear one and none."""
    worth, cost = np.array([[10.0, 8.0, 0.0]]), np.array([[10.0, 4.0, 0.0]])
    limits = Limits(np.ones((1, 3), dtype=bool), budget=700.0, floor_arm=0.0, floor_nothing=0.0)
    assert allocate(worth, cost, np.array([100.0]), limits) == pytest.approx(np.array([[0.5, 0.5, 0.0]]))


def test_what_brings_nothing_is_left_at_its_floor() -> None:
    found = allocate(np.array([[-1.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 0.0]]), np.ones(1), Limits(np.ones((1, 3), dtype=bool)))
    assert found == pytest.approx(np.array([[0.02, 0.02, 0.96]]))


def test_floors_of_what_costs_something_give_way_in_proportion_where_the_budget_is_too_small_for_them() -> None:
    cost = np.array([[10.0, 30.0, 0.0, 0.0]] * 2)
    limits = Limits(np.ones((2, 4), dtype=bool), budget=40.0)
    found = averaged(np.array([[[5.0, 5.0, 5.0, 0.0]] * 2]), cost, np.array([100.0, 100.0]), limits)
    assert found.kept == pytest.approx(40 / 160)
    assert found.short == ("budget",)
    assert found.weights[0] == pytest.approx([0.005, 0.005, 0.94, 0.05])  # the free one is best, and keeps its floor
    assert used(found.weights, cost, np.array([100.0, 100.0])) == pytest.approx(40.0)


def test_a_budget_of_nothing_leaves_what_is_free() -> None:
    found = allocate(np.array([[5.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 0.0]]), np.ones(1), Limits(np.ones((1, 3), dtype=bool), 0.0))
    assert found == pytest.approx(np.array([[0.0, 0.95, 0.05]]))


def test_a_cost_next_to_nothing_is_no_price_without_end() -> None:
    limits = Limits(np.ones((2, 2), dtype=bool), budget=1.0)
    found = allocate(np.array([[100.0, 0.0], [1.0, 0.0]]), np.array([[1e-309, 0.0], [1.0, 0.0]]), np.full(2, 100.0), limits)
    assert found[0] == pytest.approx([0.95, 0.05])
    assert found[1] == pytest.approx([0.01, 0.99])


def test_floors_of_very_many_variants_leave_nothing_its_own() -> None:
    allowed = np.ones((1, 81), dtype=bool)
    found = allocate(np.zeros((1, 81)), np.zeros((1, 81)), np.ones(1), Limits(allowed))
    assert found[0, -1] == pytest.approx(0.05)
    assert found[0, :-1] == pytest.approx(0.95 / 80)


def test_floors_give_way_to_fairness_too() -> None:
    """A group that may get nothing of worth: the other then gets nothing of worth either, unless a disparity is allowed."""
    cost, size = np.array([[10.0, 0.0], [0.0, 0.0]]), np.array([100.0, 100.0])
    fair = Fairness(np.array([[1.0, 0.0]]), cost, 0.1)
    limits = Limits(np.array([[True, True], [False, True]]), fairness=fair)
    found = averaged(np.array([[[5.0, 0.0], [0.0, 0.0]]]), cost, size, limits)
    assert (found.kept, found.short) == (pytest.approx(0.0, abs=1e-6), ("fairness",))
    assert found.weights == pytest.approx(np.array([[0.0, 1.0], [0.0, 1.0]]), abs=1e-6)


def test_limits_that_no_chances_keep_are_refused() -> None:
    with pytest.raises(Refused, match="no chances keep all limits"):
        by_highs(np.zeros((1, 2)), np.ones((1, 2), dtype=bool), [Cap("budget", np.ones((1, 2)), 0.5)], np.ones(1))


numbers = st.floats(-100, 100, allow_nan=False)


@st.composite
def allocations(draw: st.DrawFn) -> tuple[Problem, float]:
    contexts, arms = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells = st.lists(numbers, min_size=contexts * arms, max_size=contexts * arms)
    worth = np.array(draw(cells)).reshape(contexts, arms)
    cost = np.abs(np.array(draw(cells)).reshape(contexts, arms)) * draw(st.sampled_from([0.0, 1.0]))
    worth[:, -1], cost[:, -1] = 0.0, 0.0
    size = np.abs(np.array(draw(st.lists(numbers, min_size=contexts, max_size=contexts))))
    allowed = np.array(draw(st.lists(st.booleans(), min_size=contexts * arms, max_size=contexts * arms))).reshape(contexts, arms)
    return (worth, cost, size, allowed), draw(st.floats(0, 1e4))


def solved(given_problem: Problem, budget: float | None) -> Allocation:
    worth, cost, size, allowed = given_problem
    return averaged(np.stack([worth, worth[::-1]]), cost, size, Limits(allowed, budget))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(allocations())
def test_chances_sum_to_one_keep_floors_and_the_budget(case: tuple[Problem, float]) -> None:
    (worth, cost, size, allowed), budget = case
    found = solved(case[0], budget)
    assert np.isfinite(found.weights).all()
    assert found.weights.sum(axis=1) == pytest.approx(1.0)
    assert (found.weights >= found.least - 1e-12).all()
    assert (found.weights[:, :-1][~allowed[:, :-1]] == 0).all()
    assert (found.weights[:, -1] >= 0.05 - 1e-12).all()
    assert used(found.weights, cost, size) <= budget + 1e-6
    free = allowed & (cost == 0)
    assert (found.weights[free] >= 0.02 - 1e-12).all()
    if found.kept == 1:
        assert (found.weights[allowed] >= 0.02 - 1e-12).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(allocations(), st.floats(1, 3))
def test_a_larger_budget_never_brings_less_where_floors_hold(case: tuple[Problem, float], times: float) -> None:
    (worth, cost, size, _), budget = case
    less, more, whole = solved(case[0], budget), solved(case[0], budget * times), solved(case[0], None)
    if less.kept == 1:
        brings = [used(one.weights, (worth + worth[::-1]) / 2, size) for one in (less, more, whole)]
        costs = [used(one.weights, cost, size) for one in (less, more, whole)]
        if len(worth) == 1:  # of one context both draws are the same, and the mean brings what each does
            assert brings == sorted(brings) or brings == pytest.approx(sorted(brings), abs=1e-4)
        assert costs[0] <= costs[1] * (1 + 1e-9) + 1e-6
        assert costs[1] <= costs[2] * (1 + 1e-9) + 1e-6
