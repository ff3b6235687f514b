"""What the next table of chances would be, cell by cell with its reasons, and what it is expected to cost and bring.

Knows nothing of how a policy chooses: `policies` does.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from rekindle.decide.policy import Policy
from rekindle.errors import CannotTell
from rekindle.learn.allocation import Allocation, Flags
from rekindle.learn.board import Board, rounded
from rekindle.learn.evidence import Evidence, Floats
from rekindle.learn.policy_terms import Group as Group
from rekindle.learn.policy_terms import Terms as Terms
from rekindle.learn.posterior import IDLE_CHANCE, LEAST_ORDERS, Z95, posterior_of, rest_of
from rekindle.program.documents import NOTHING

NEAR = 1e-3
"""A chance that is no more above its floor is at its floor."""

SLIGHT = 0.05
"""A chance that nothing works below which it is not mentioned."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One chance of the table, and why it is what it is.

    Args:
        program, stage, context, arm: Where.
        weight: The chance, before it is renormalised over the variants that a customer may get.
        decisions, exposure: Evidence in the cell.
        mean, low, high: What a decision brings more than `nothing` in this context, minor units, with a 95 % interval.
        best_chance: How likely the arm is the best of the context, by what the policy goes by.
        why: In words.
    """

    program: str
    stage: str
    context: str
    arm: str
    weight: float
    decisions: float
    exposure: float
    mean: float
    low: float
    high: float
    best_chance: float
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A table that may be approved.

    Args:
        policy: The table.
        cells: Its cells in the order of the evidence; the row for any other context has none.
        spend_expected: What the table is expected to cost in the period, minor units.
        margin_expected: What it is expected to bring more than contacting nobody, in the period, minor units.
        maturity: (program, stage) to the share of its answers that should have come by now, or why it cannot be told.
        notes: What a reader has to know besides, such as floors that gave way.
    """

    policy: Policy
    cells: tuple[Cell, ...]
    spend_expected: float
    margin_expected: float
    maturity: Mapping[tuple[str, str], float | CannotTell]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one stage; arrays are (C, A) unless said, minor units more than `nothing`.

    Args:
        evidence: The stage.
        mean, sd: Of each context's own effects.
        worth, doubt: Mean and standard deviation of what the policy goes by: the context's own where it may differ, else the variant's,
            with the doubt whether any variant works.
        over: (A,); the variant's effect over all contexts.
        opened: Whether the context may differ.
        idle_chance: How likely it is that no variant of the stage works.
        draws: (K, C, A); of what the policy goes by.
    """

    evidence: Evidence
    mean: Floats
    sd: Floats
    worth: Floats
    doubt: Floats
    over: Floats
    opened: Flags
    idle_chance: float
    draws: Floats

    @classmethod
    def of(cls, evidence: Evidence, draws: int, seed: int, doubt: float = IDLE_CHANCE) -> Self:
        """By the posterior of a stage; the draws hang on the seed and the stage's name alone."""
        posterior = posterior_of(evidence, doubt)
        chance = np.random.default_rng([seed, zlib.crc32(f"{evidence.program}:{evidence.stage}".encode())])
        (mean, sd), (worth, unsure), (over, _) = posterior.moments(), posterior.believed(), posterior.pooled_moments()
        return cls(
            evidence, mean, sd, worth, unsure, over, posterior.opened, posterior.idle_chance, posterior.policy_draws(chance, draws)
        )

    @property
    def best_chance(self) -> Floats:
        """(C, A); the share of draws in which a variant is the best of those that anybody may get."""
        can = np.asarray(self.evidence.allowed > 0)
        can[:, -1] = True
        backwards = np.where(can, self.draws, -np.inf)[..., ::-1].argmax(axis=2)
        best = self.draws.shape[2] - 1 - backwards
        return np.asarray((best[..., None] == np.arange(self.draws.shape[2])).mean(axis=0))

    @property
    def fixed(self) -> int:
        """The best single variant, or `nothing`: the index of what is expected to bring most over all contexts together."""
        worth = self.evidence.candidates @ (self.worth * self.evidence.allowed)
        worth[-1] = 0.0
        return int(len(worth) - 1 - worth[::-1].argmax())


def proposal(name: str, rows: Board, beliefs: tuple[Belief, ...], found: Allocation, terms: Terms) -> Proposal:
    """Makes the table of an allocation, with its reasons.

    Args:
        name: The policy's.
        rows: The rows that were allocated.
        beliefs: By stage, in the board's order.
        found: The allocation.
        terms: What it had to keep.
    """
    weights = rounded(rows.fitting(found.weights, found.least, terms))
    worth = rows.wide([one.worth for one in beliefs])
    cells = [
        cell for stage, belief in enumerate(beliefs)
        for cell in _cells(belief, rows.narrow(weights, stage), rows.narrow(found.least, stage), rows.narrow(rows.reach, stage))
    ]
    return Proposal(
        Policy(name, rows.table(weights)), tuple(cells), rows.spend(weights),
        float((rows.chances(weights) * worth).sum(axis=1) @ rows.size),
        {(one.program, one.stage): maturity(one) for one in rows.evidence}, _notes(beliefs, found, terms),
    )


def maturity(one: Evidence) -> float | CannotTell:
    """The share of a stage's answers that should have come by now."""
    decisions = float(one.decisions.sum())
    return float(one.exposure.sum()) / decisions if decisions > 0 else CannotTell("no decision of this stage has been drawn yet")


def _notes(beliefs: tuple[Belief, ...], found: Allocation, terms: Terms) -> tuple[str, ...]:
    said = [
        f"{one.evidence.program}/{one.evidence.stage}: with a chance of {100 * one.idle_chance:.0f} % no variant brings an order more; "
        "so often their chances are their floors"
        for one in beliefs if one.idle_chance > SLIGHT
    ]
    if terms.overspent > 0 and terms.budget is not None:
        said.append(f"the last period spent {terms.overspent:.0f} minor units above its budget: this one has so much less, for all alike")
    if found.short:
        names = ", ".join(found.short)
        kept = f"those of the variants that use it are kept at {100 * found.kept:.0f} %"
        said.append(f"too small for the least chance of every variant: {names}; {kept}")
    return tuple(said)


def _cells(belief: Belief, weights: Floats, least: Floats, reach: Floats) -> Iterator[Cell]:
    one, best, mean, sd = belief.evidence, belief.best_chance, belief.mean, belief.sd
    words = _words(belief, weights, least, reach)
    for context, where in enumerate(one.contexts):
        for arm, name in enumerate(one.arms):
            at, half = (context, arm), Z95 * float(sd[context, arm])
            yield Cell(
                one.program, one.stage, where, name, float(weights[at]), float(one.decisions[at]), float(one.exposure[at]),
                float(mean[at]), float(mean[at]) - half, float(mean[at]) + half, float(best[at]), words[context][arm],
            )


def _words(belief: Belief, weights: Floats, least: Floats, reach: Floats) -> list[list[str]]:
    """Why each chance is what it is, by context and variant."""
    one, fixed, best, own, over, opened = belief.evidence, belief.fixed, belief.best_chance, belief.mean, belief.over, belief.opened
    lines = []
    for context in range(len(one.contexts)):
        line = []
        for arm, name in enumerate(one.arms):
            at = (context, arm)
            if name == NOTHING:
                line.append(_of_nothing(fixed == arm, float(weights[at]), float(least[at])))
            elif reach[at] <= 0:
                line.append("no customer of this context may get it, or it stays below the margin floor")
            else:
                basis = _basis(one, at, bool(opened[at]), (float(own[at]), float(over[arm])))
                line.append(f"{basis}; {_outcome(fixed == arm, float(weights[at]), float(least[at]), float(best[at]))}")
        lines.append(line)
    return lines


def _basis(one: Evidence, at: tuple[int, int], opened: bool, worth: tuple[float, float]) -> str:
    """What a chance rests on."""
    own, over = worth
    if one.exposure[:, at[1]].sum() <= 0:
        return f"not tried yet: the documents assume {over:+.1f} a decision"
    if opened:
        return f"brings {own:+.1f} a decision here, {over:+.1f} over all contexts"
    mine, none = one.orders[at], rest_of(one).orders[at]
    few = f"{mine:.0f} orders with it here and {none:.0f} with `{NOTHING}`, {LEAST_ORDERS} of each are needed before it may differ"
    return f"goes by all contexts together, {over:+.1f} a decision: {few}"


def _outcome(fixed: bool, weight: float, least: float, best: float) -> str:
    """What came of it."""
    said = ["the best single variant"] if fixed else []
    said.append(f"best of this context with a chance of {100 * best:.0f} %")
    return ", ".join([*said, "kept at its least chance"] if weight <= least + NEAR else said)


def _of_nothing(fixed: bool, weight: float, least: float) -> str:
    if weight <= least + NEAR:
        return "kept at its least chance, so that there is always something to compare with"
    return "no variant is expected to bring more over all contexts" if fixed else "what other chances, and the budget, leave"
