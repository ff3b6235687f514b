"""What the delay curve does for the learning policy itself: the daily loop of `test_delay` with its posterior, draws and floors."""

import numpy as np

from rekindle.learn.delay import Floats
from rekindle.learn.evidence import Evidence
from rekindle.learn.policies import Learning
from rekindle.learn.policy_terms import Terms
from rekindle.program.documents import NOTHING
from tests.learn.test_delay import FAST, HORIZON, SLOW, curves

MARGIN, DAILY = 1_000.0, 1_000
TRUTH = (FAST, SLOW, (0.01, 30.0))
"""Chance of an order and its mean delay, of the quick variant, of the better but slower one, and of `nothing`."""


def sums(age: list[np.ndarray], came: list[np.ndarray], weigh: bool) -> Evidence:
    """What has been seen by now; without weighing every decision is exposed in full."""
    decisions = np.array([[float(len(one)) for one in age]])
    orders = np.array([[float((one <= old).sum()) for one, old in zip(came, age, strict=True)]])
    exposure = decisions
    if weigh:
        found = curves(age, came)
        exposure = np.array([[float(found.of("s", str(arm)).weight(old).sum()) for arm, old in enumerate(age)]])
    prior = np.array([25.0, 25.0, 0.0])
    return Evidence(
        "p", "s", ("mid/other",), ("quick", "slow", NOTHING), decisions, exposure, orders * MARGIN, orders * MARGIN**2, orders,
        np.array([float(DAILY)]), np.zeros((1, 3)), np.ones((1, 3)), prior, prior, ("email", "email", ""),
    )


def traffic(seed: int, weigh: bool, days: int = 20) -> Floats:
    """The slow variant's share of those who are written to, day by day."""
    chance = np.random.default_rng(seed)
    age, came = [np.empty(0, int)] * 3, [np.empty(0)] * 3
    weights, shares = np.full(3, 1 / 3), []
    for day in range(days + 1):
        if day:
            proposed = Learning(draws=100, seed=seed * 100 + day).propose((sums(age, came, weigh),), Terms())
            weights = np.array([cell.weight for cell in proposed.cells])
            weights = weights / weights.sum()
        shares.append(weights[1] / weights[:2].sum())
        sizes = chance.multinomial(DAILY, weights)
        for arm, (rate, mean) in enumerate(TRUTH):
            answers = np.maximum(np.ceil(chance.exponential(mean, sizes[arm])), 1.0)
            answers[(chance.random(sizes[arm]) >= rate) | (answers > HORIZON)] = np.inf
            age[arm] = np.concatenate([age[arm], np.zeros(sizes[arm], int)]) + 1
            came[arm] = np.concatenate([came[arm], answers])
    return np.array(shares)


def test_the_learning_policy_turns_to_the_better_but_slower_variant() -> None:
    """It hedges more than bare Thompson sampling does: floors, doubt that anything works, and wider intervals while answers are awaited."""
    naive = np.mean([traffic(seed, weigh=False) for seed in range(8)], axis=0)
    ours = np.mean([traffic(seed, weigh=True) for seed in range(8)], axis=0)
    assert naive[20] < 0.35
    assert ours[20] > 0.80
    assert ours[20] > ours[2] + 0.2
