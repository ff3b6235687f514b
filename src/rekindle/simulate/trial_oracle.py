"""The best table of chances that there is under the same contexts, budget and floors, for who knows the truth.

Knows nothing of evidence. What a variant is worth in a context is the mean of its true worth over those who came due there. A touch also
wears the customer out for the next one, which these means leave out: so tables are made at several prices of a touch, each is played for a
year, and the one that is truly worth most in the second half-year is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rekindle.learn.allocation import Limits, allocate
from rekindle.learn.policy_terms import Terms
from rekindle.simulate.chance import Floats
from rekindle.simulate.trial_evidence import PERIOD
from rekindle.simulate.trial_practices import PARTS, ByTable
from rekindle.simulate.trial_program import CONTEXTS
from rekindle.simulate.trial_world import YEAR_DAYS, TrialWorld

PRICES = (0.0, 6.0)
"""Of a touch, minor units."""

ROUNDS = 2
"""How often the means are taken anew from the year of the table that they gave."""

Player = Callable[[tuple[Floats, ...]], tuple[Floats, ByTable]]


@dataclass(frozen=True, slots=True)
class Oracle:
    """The best table found.

    Args:
        weights: By stage, (contexts, arms).
        weekly: What its year is truly worth, as of `trial.play`.
        price: The price of a touch that it was made at.
    """

    weights: tuple[Floats, ...]
    weekly: Floats
    price: float


def best_table(world: TrialWorld, terms: Terms, player: Player, half: int, prices: tuple[float, ...] = PRICES) -> Oracle:
    """Searches it.

    Args:
        world: The world.
        terms: Budget and floors.
        player: Plays a year by a table.
        half: First week of the second half-year.
        prices: Of a touch, minor units; the first is taken while the means are taken anew.
    """
    found: list[Oracle] = []
    weights = world.tried.weights(None)
    for turn in range(ROUNDS + 1):
        weekly, practice = player(weights)
        found.append(Oracle(weights, weekly, prices[0]))
        if turn < ROUNDS:
            weights = _table(world, practice, terms, prices[0])
    for price in prices[1:]:
        weights = _table(world, practice, terms, price)
        found.append(Oracle(weights, player(weights)[0], price))
    return max(found, key=lambda one: float(one.weekly[half:, PARTS.index("net")].sum()))


def floors_alone(world: TrialWorld, terms: Terms) -> tuple[Floats, ...]:
    """The table that gives each variant its least chance and `nothing` all the rest."""
    tables = []
    for step in world.tried.steps:
        least = np.where(step.may, terms.floor_arm, 0.0)
        tables.append(np.append(least, 1 - least.sum(axis=1, keepdims=True), axis=1))
    return tuple(tables)


def _table(world: TrialWorld, practice: ByTable, terms: Terms, price: float) -> tuple[Floats, ...]:
    """All stages solved together for the chances that are worth most."""
    width = max(len(step.options) for step in world.tried.steps)
    worth, cost, size, may = [], [], [], []
    for number, step in enumerate(world.tried.steps):
        mine = [one for one in practice.log if one.step == number]
        sums = np.zeros((3, len(CONTEXTS), width + 1))
        count = np.zeros(len(CONTEXTS))
        for one in mine:
            np.add.at(sums[0][:, : len(step.options)], one.context, one.worth * one.can)
            np.add.at(sums[1][:, : len(step.options)], one.context, one.cost * one.can)
            np.add.at(sums[2][:, : len(step.options)], one.context, one.can)
            count += np.bincount(one.context, minlength=len(CONTEXTS))
        many = np.where(sums[2] > 0, sums[2], 1.0)
        worth.append(np.where(sums[2] > 0, sums[0] / many - price, 0.0))
        cost.append(sums[1] / many)
        size.append(count * PERIOD / YEAR_DAYS)
        open_to = np.zeros((len(CONTEXTS), width + 1), dtype=bool)
        open_to[:, : len(step.options)] = step.may
        open_to[:, -1] = True
        may.append(open_to)
    limits = Limits(np.concatenate(may), terms.budget, floor_arm=terms.floor_arm, floor_nothing=terms.floor_nothing)
    weights = allocate(np.concatenate(worth), np.concatenate(cost), np.concatenate(size), limits)
    rows = np.split(weights, len(world.tried.steps))
    return tuple(
        np.append(row[:, : len(step.options)], row[:, -1:], axis=1) for row, step in zip(rows, world.tried.steps, strict=True)
    )
