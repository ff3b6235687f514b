"""Stages whose truth is known: how customers order, what each variant adds, and the evidence that decisions about them leave.

Knows nothing of the estimators. Margins are heavy-tailed and most of them nought; money is in minor units.
"""

from dataclasses import dataclass

import numpy as np

from rekindle.learn.evidence import Evidence
from rekindle.program.documents import NOTHING

CONTEXTS = tuple(f"{tier}/{cohort}" for tier in ("high", "mid", "occasional") for cohort in ("other", "long_inactive", "none"))
ARMS = ("reminder", "shipping", "credit", NOTHING)
PRIOR_MEAN, PRIOR_SD = np.array([15.0, 20.0, 25.0, 0.0]), np.array([20.0, 25.0, 32.0, 0.0])
TAIL = 0.7
"""Spread of the logarithm of an order's margin."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """The truth: chance of an order without a message (C,), mean margin of an order (C,), effect (C, A) and cost (C, A)."""

    base: np.ndarray
    margin: np.ndarray
    effect: np.ndarray
    cost: np.ndarray

    @property
    def chance(self) -> np.ndarray:
        """(C, A); of an order."""
        return np.clip(self.base[:, None] + (self.effect + self.cost) / self.margin[:, None], 0.0, 1.0)


def stage(effect: np.ndarray, cost: float = 20.0) -> Stage:
    """One of nine contexts and three variants, of which the two last cost something."""
    base = np.repeat([0.20, 0.12, 0.08], 3) * np.tile([1.0, 0.7, 1.1], 3)
    costs = np.tile([0.1, cost / 2, cost, 0.0], (len(CONTEXTS), 1))
    return Stage(base, np.repeat([2600.0, 1600.0, 1100.0], 3), effect, costs)


def idle_stage(cost: float = 20.0) -> Stage:
    """One in which no variant brings an order more."""
    nothing = stage(np.zeros((len(CONTEXTS), len(ARMS))), cost)
    return Stage(nothing.base, nothing.margin, -nothing.cost, nothing.cost)


def empty(truth: Stage, candidates: float = 500.0) -> Evidence:
    """The evidence of no decision."""
    zero = np.zeros(truth.effect.shape)
    return Evidence(
        "win-back", "reconnect", CONTEXTS, ARMS, zero, zero, zero, zero, zero, np.full(len(CONTEXTS), candidates), truth.cost,
        np.ones(zero.shape), PRIOR_MEAN, PRIOR_SD, ("email", "email", "sms", ""),
    )


def followed(before: Evidence, truth: Stage, decisions: np.ndarray, chance: np.random.Generator, seen: float = 1.0) -> Evidence:
    """The evidence with more decisions, (C, A), of whose answers the share `seen` has come."""
    orders = chance.binomial(decisions.astype(int), truth.chance)
    come = chance.binomial(orders, seen)
    total, squares = np.zeros(orders.shape), np.zeros(orders.shape)
    for at in np.ndindex(*orders.shape):
        margins = truth.margin[at[0]] * chance.lognormal(-(TAIL**2) / 2, TAIL, come[at])
        total[at], squares[at] = margins.sum() - seen * decisions[at] * truth.cost[at], (margins**2).sum()
    sums = {"decisions": decisions, "exposure": seen * decisions, "total": total, "squares": squares, "orders": come}
    kept = {name: getattr(before, name) for name in Evidence.__slots__}
    return Evidence(**kept | {name: kept[name] + more for name, more in sums.items()})

