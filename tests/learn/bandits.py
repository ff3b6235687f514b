"""Stages whose truth is known: what each variant brings in each context, how it was drawn, and what another table would bring.

Knows nothing of the estimators. Variants are drawn by context and pay by context, so comparing them without it misleads.
"""

from dataclasses import dataclass

import numpy as np

from rekindle.learn.off_policy import Logged, one_by_one

CONTEXTS, ARMS = 6, 4
FLOOR = 0.1
"""The part of all draws that explores: every variant alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Bandit:
    """The truth: `pays` (C, A) per decision, `drawn` (C, A) the logged chances, `wanted` (C, A) the other table, `share` (C,)."""

    pays: np.ndarray
    drawn: np.ndarray
    wanted: np.ndarray
    share: np.ndarray

    @property
    def value(self) -> float:
        """What `wanted` brings per decision."""
        return self.value_of(self.wanted)

    def value_of(self, table: np.ndarray) -> float:
        """What a table brings per decision."""
        return float(self.share @ (self.pays * table).sum(axis=1))

    def log(self, chance: np.random.Generator, rounds: int, steady: bool = False) -> Logged:
        """Decisions with outcomes: an order with a gamma margin or nothing, or where `steady` something always, within a third or so."""
        context = chance.choice(CONTEXTS, rounds, p=self.share)
        arm = (chance.random(rounds)[:, None] > self.drawn[context].cumsum(axis=1)[:, :-1]).sum(axis=1)
        pays = self.pays[context, arm]
        order = chance.random(rounds) < pays / 10
        outcome = chance.gamma(9.0, pays / 9) if steady else order * chance.gamma(4.0, 2.5, rounds)
        return one_by_one(context, arm, self.drawn[context, arm], outcome, (CONTEXTS, ARMS))


def bandit(chance: np.random.Generator) -> Bandit:
    """One at random. Contexts that buy more anyway get other variants more often: averages over contexts are confounded."""
    level = np.linspace(1.0, 9.0, CONTEXTS)
    pays = (level[:, None] + chance.normal(0.0, 1.0, (CONTEXTS, ARMS))).clip(0.2, 9.8)
    logits = np.linspace(-1.0, 1.0, CONTEXTS)[:, None] * chance.permutation(np.linspace(-1.0, 1.0, ARMS)) * 1.8
    drawn, wanted = (np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for one in (logits, 1.5 * pays))
    return Bandit(pays, (1 - FLOOR) * drawn + FLOOR / ARMS, wanted, chance.dirichlet(np.full(CONTEXTS, 8.0)))


def main_effects(logged: Logged) -> np.ndarray:
    """A wrong model, (N, A): the context's mean and the variant's, less the mean of all, by the other half of the decisions.

    It knows nothing of what suits whom, and takes a variant that good contexts got for a good variant.
    """
    half, means = logged.unit % 2, np.empty(logged.eligible.shape)
    for one in (0, 1):
        other = half != one
        total = logged.total[other]
        by_context, by_arm = (
            np.bincount(codes[other], total, size) / np.bincount(codes[other], minlength=size)
            for codes, size in ((logged.context, CONTEXTS), (logged.arm, ARMS))
        )
        means[half == one] = (by_context[:, None] + by_arm - total.mean())[logged.context[half == one]]
    return means
