"""How a policy chooses the next table: at equal chances, always the best variant, the best of each context, or by what may be best.

Knows nothing of customers. Every policy keeps the same terms, and anything that has `name` and `propose` is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from rekindle.learn.allocation import Allocation, averaged, floors
from rekindle.learn.board import Board, board
from rekindle.learn.evidence import Evidence, Floats
from rekindle.learn.policy_update import Belief, Proposal, Terms, proposal
from rekindle.learn.posterior import IDLE_CHANCE

DRAWS = 200

SPREAD = 0.3
"""Floors try every variant already; full draws would pay a second time for knowledge that comes slowly. Chosen in the known world on seeds
that its figures are not of; docs/policy.md says what less and more would do."""


class Proposer(Protocol):
    """A way of choosing the next table."""

    @property
    def name(self) -> str:
        """What the table is called."""

    def propose(self, evidence: Sequence[Evidence], terms: Terms) -> Proposal:
        """The next table.

        Args:
            evidence: One of each stage.
            terms: What the table has to keep.

        Raises:
            BadData: There is no evidence, or a stage comes twice.
            Refused: No chances keep the terms.
        """


@dataclass(frozen=True, slots=True)
class EqualChance:
    """Every variant that anybody of a context may get, and `nothing`, has the same chance, as far as the budget goes."""

    name: str = "equal-chance"

    def propose(self, evidence: Sequence[Evidence], terms: Terms) -> Proposal:
        """As of `Proposer`."""
        rows, beliefs = board(evidence, terms), _beliefs(evidence)
        can = rows.limits(terms).open
        return proposal(self.name, rows, beliefs, _spread(rows, can / can.sum(axis=1, keepdims=True), terms), terms)


@dataclass(frozen=True, slots=True)
class BestFixedArm:
    """Each stage's best single variant, or `nothing`, for all contexts alike, as far as the budget goes."""

    name: str = "best-fixed-arm"

    def propose(self, evidence: Sequence[Evidence], terms: Terms) -> Proposal:
        """As of `Proposer`."""
        rows, beliefs = board(evidence, terms), _beliefs(evidence)
        chosen = rows.wide([np.eye(len(one.evidence.arms))[[one.fixed] * len(one.evidence.contexts)] for one in beliefs])
        chosen = np.where(rows.allowed, chosen, 0.0)
        chosen[:, -1] = 1 - chosen[:, :-1].sum(axis=1)
        return proposal(self.name, rows, beliefs, _spread(rows, chosen, terms), terms)


@dataclass(frozen=True, slots=True)
class Ranked:
    """The variants that are expected to bring most for what they cost, context by context, without regard to how sure that is."""

    name: str = "ranked"

    def propose(self, evidence: Sequence[Evidence], terms: Terms) -> Proposal:
        """As of `Proposer`."""
        rows, beliefs = board(evidence, terms), _beliefs(evidence)
        worth = rows.wide([one.worth for one in beliefs])
        found = averaged((worth * rows.reach)[None], rows.reach * rows.cost, rows.size, rows.limits(terms))
        return proposal(self.name, rows, beliefs, found, terms)


@dataclass(frozen=True, slots=True)
class Learning:
    """Each choice as often as it is the best that the budget allows, by what is known of the effects (Thompson draws, averaged).

    Args:
        draws: Joint draws of all effects; each is solved.
        seed: Of the draws.
        spread: How far the draws go from the mean, as a share of what is not known: 1 is Thompson sampling in full, 0 the mean alone.
        caution: Standard deviations that are taken off what a variant is drawn to bring more than `nothing`.
        doubt: How likely it is before any data that no variant of a stage works; from 0 to below 1.
    """

    draws: int = DRAWS
    seed: int = 0
    spread: float = SPREAD
    caution: float = 0.0
    doubt: float = IDLE_CHANCE
    name: str = "learning"

    def propose(self, evidence: Sequence[Evidence], terms: Terms) -> Proposal:
        """As of `Proposer`."""
        rows, beliefs = board(evidence, terms), _beliefs(evidence, self.draws, self.seed, self.doubt)
        worth = rows.wide([one.worth + self.spread * (one.draws - one.worth) - self.caution * one.doubt for one in beliefs])
        worth *= rows.reach
        found = averaged(worth, rows.reach * rows.cost, rows.size, rows.limits(terms))
        return proposal(self.name, rows, beliefs, found, terms)


POLICIES: Mapping[str, type[EqualChance] | type[BestFixedArm] | type[Ranked] | type[Learning]] = MappingProxyType(
    {"equal-chance": EqualChance, "best-fixed-arm": BestFixedArm, "ranked": Ranked, "learning": Learning}
)


def _beliefs(evidence: Sequence[Evidence], draws: int = DRAWS, seed: int = 0, doubt: float = IDLE_CHANCE) -> tuple[Belief, ...]:
    return tuple(Belief.of(one, draws, seed, doubt) for one in evidence)


def _spread(rows: Board, choice: Floats, terms: Terms) -> Allocation:
    """Chances that choose the same whatever the budget, mixed with the floors; `proposal` lowers them to what there is."""
    least, kept, short = floors(rows.reach * rows.cost, rows.size, rows.limits(terms))
    return Allocation(least + (1 - least.sum(axis=1, keepdims=True)) * choice, least, kept, short)
