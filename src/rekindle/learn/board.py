"""All contexts of all stages, one below another: they share the period's budget, so they stand in one allocation.

Knows nothing of what variants bring, nor of how chances are found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rekindle.decide.policy import ANY
from rekindle.errors import BadData
from rekindle.learn.allocation import Cap, Fairness, Flags, Limits, channel_caps
from rekindle.learn.evidence import Evidence, Floats
from rekindle.learn.policy_terms import Terms

GRAIN = 1_000_000
"""Chances are multiples of one over this, so that a version's digest does not hang on the last bit of a sum."""

HALVINGS = 40
TOLERANCE = 1e-9

NODES = 40
"""Points at which the integral over who may get what is taken."""

LEAST_IDLE = 1e-12


@dataclass(frozen=True, slots=True)
class Board:
    """The rows of an allocation; R rows, A columns, of which the last is `nothing`.

    A stage with fewer variants than another has columns that nobody may get.

    Args:
        evidence: The stages.
        stage: (R,); the index of each row's stage.
        size: (R,); customers in the period.
        reach: (R, A); the share of them who may get the variant.
        cost: (R, A); what one costs, minor units.
        channels: (R, A).
    """

    evidence: tuple[Evidence, ...]
    stage: NDArray[np.intp]
    size: Floats
    reach: Floats
    cost: Floats
    channels: NDArray[np.str_]

    @property
    def allowed(self) -> Flags:
        """(R, A); what anybody may get."""
        return self.reach > 0

    def wide(self, arrays: Sequence[Floats]) -> Floats:
        """The stages' arrays (..., C, A) one below another, `nothing` in the last column."""
        return np.concatenate([_widened(array, self.reach.shape[1]) for array in arrays], axis=-2)

    def narrow(self, rows: Floats, stage: int) -> Floats:
        """A stage's own part of an array (R, A): its contexts and variants."""
        mine, arms = rows[self.stage == stage], len(self.evidence[stage].arms)
        return np.concatenate([mine[:, : arms - 1], mine[:, -1:]], axis=1)

    def limits(self, terms: Terms) -> Limits:
        """The terms as limits over these rows."""
        use = self.reach * self.cost
        caps = [Cap(f"budget of {name}", use * self._of(name)[:, None], most) for name, most in sorted(terms.budgets.items())]
        caps += channel_caps(self.channels, dict(terms.capacity), self.reach)
        names = [where for one in self.evidence for where in one.contexts]
        shares = np.array([[group.shares.get(name, 0.0) for name in names] for group in terms.groups])
        fairness = Fairness(shares, use, terms.disparity) if terms.groups else None
        return Limits(self.allowed, terms.spendable, tuple(caps), fairness, terms.floor_arm, terms.floor_nothing)

    def chances(self, weights: Floats) -> Floats:
        """(R, A); the share of a context's customers who get each variant, after renormalising over what each customer may get.

        Only the share who may get each variant is known, not who may get which together: they are taken to fall independently. The mean
        of a chance over the sum of those that a customer may get is an integral of products (E[1/X] is that of E[exp(-sX)] over s), taken
        by Gauss and Legendre's rule.
        """
        if ((self.reach == 0) | (self.reach == 1)).all():
            reached = weights * self.reach
            return np.asarray(reached / reached.sum(axis=1, keepdims=True))
        idle = np.maximum(weights[:, -1:], LEAST_IDLE)
        share, ratio = self.reach[:, :-1], weights[:, :-1] / idle
        found = np.zeros(weights.shape)
        for at, part in zip(*_nodes(), strict=True):
            power = at**ratio
            each = 1 - share + share * power
            whole = each.prod(axis=1, keepdims=True)
            found[:, :-1] += part * share * ratio * power / np.maximum(each, LEAST_IDLE) * whole
            found[:, -1] += part * whole[:, 0]
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def spend(self, weights: Floats) -> float:
        """What a table is expected to cost in the period, minor units."""
        return float((self.chances(weights) * self.cost).sum(axis=1) @ self.size)

    def fitting(self, weights: Floats, least: Floats, terms: Terms) -> Floats:
        """The chances, mixed with the floors as far as they would use more than there is; the floors with `nothing`, should they do so.

        An allocation counts a variant for the customers who may get it; the chances of the others are renormalised over what is left to
        them, so more is spent. The part that is kept is found by bisection.

        Args:
            weights: (R, A).
            least: (R, A); floors; what is left goes to `nothing`.
            terms: Budgets and capacities.
        """
        fits, bare = self._fits(terms), least.copy()
        bare[:, -1] = 1 - bare[:, :-1].sum(axis=1)
        if fits(weights):
            return weights
        if fits(bare):
            return _between(bare, weights, fits)
        idle = np.zeros(weights.shape)
        idle[:, -1] = 1.0
        return _between(idle, bare, fits)

    def table(self, weights: Floats) -> tuple[tuple[str, str, str, str, float], ...]:
        """The rows of a policy; a context of no evidence gets the mean of its stage's contexts, weighted by their customers."""
        found: list[tuple[str, str, str, str, float]] = []
        for stage, one in enumerate(self.evidence):
            mine = self.narrow(weights, stage)
            share = one.candidates if one.candidates.sum() > 0 else np.ones(len(one.contexts))
            whole = dict(zip(one.contexts, mine, strict=True))
            if ANY not in whole:
                whole[ANY] = rounded((share @ mine)[None] / share.sum())[0]
            found += [
                (one.program, one.stage, where, arm, float(weight))
                for where, line in whole.items() for arm, weight in zip(one.arms, line, strict=True)
            ]
        return tuple(found)

    def _of(self, program: str) -> Floats:
        """(R,); 1 for the rows of a program."""
        return np.array([float(self.evidence[one].program == program) for one in self.stage])

    def _fits(self, terms: Terms) -> Callable[[Floats], bool]:
        """Whether chances keep budgets and capacities, as renormalised."""
        every: list[tuple[Floats, float]] = [] if terms.spendable is None else [(self.cost, terms.spendable)]
        every += [(self.cost * self._of(name)[:, None], most) for name, most in terms.budgets.items()]
        every += [((self.channels == name).astype(np.float64), most) for name, most in terms.capacity.items()]

        def fits(weights: Floats) -> bool:
            chances = self.chances(weights) * self.size[:, None]
            return all(float((chances * use).sum()) <= most * (1 + TOLERANCE) + TOLERANCE for use, most in every)

        return fits


def board(evidence: Sequence[Evidence], terms: Terms) -> Board:
    """Puts the stages one below another.

    Raises:
        BadData: There is no evidence, or a stage comes twice.
    """
    names = [(one.program, one.stage) for one in evidence]
    if not names or len(set(names)) < len(names):
        raise BadData("the evidence names no stage, or one twice", "Give the evidence of each stage once.")
    width = max(len(one.arms) for one in evidence)
    reach = [np.where(_barred(one, terms), 0.0, one.allowed.clip(0.0, 1.0)) for one in evidence]
    for array in reach:
        array[:, -1] = 1.0
    channels = [np.array([one.channels[:-1] + ("",) * (width - len(one.arms) + 1)] * len(one.contexts)) for one in evidence]
    return Board(
        tuple(evidence), np.repeat(np.arange(len(evidence)), [len(one.contexts) for one in evidence]),
        np.concatenate([one.candidates for one in evidence]), np.concatenate([_widened(array, width) for array in reach]),
        np.concatenate([_widened(one.cost, width) for one in evidence]), np.concatenate(channels),
    )


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Points and weights of Gauss and Legendre's rule between 0 and 1."""
    points, weights = np.polynomial.legendre.leggauss(NODES)
    return (points + 1) / 2, weights / 2


def rounded(weights: Floats) -> Floats:
    """Chances as multiples of one over `GRAIN`; what is rounded off goes to `nothing`, the last column."""
    grains = np.floor(weights * GRAIN + 1e-4)
    grains[:, -1] = GRAIN - grains[:, :-1].sum(axis=1)
    return np.asarray(grains / GRAIN)


def _between(low: Floats, high: Floats, fits: Callable[[Floats], bool]) -> Floats:
    """Chances on the way from those that fit to those that do not, as far as they fit."""
    near, far = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        near, far = (middle, far) if fits(middle * high + (1 - middle) * low) else (near, middle)
    return near * high + (1 - near) * low


def _barred(one: Evidence, terms: Terms) -> Flags:
    cells = [[(one.program, one.stage, where, arm) in terms.barred for arm in one.arms] for where in one.contexts]
    return np.array(cells, dtype=bool)


def _widened(array: Floats, width: int) -> Floats:
    """The array with columns of 0 before its last one."""
    blank = np.zeros((*array.shape[:-1], width - array.shape[-1]))
    return np.concatenate([array[..., :-1], blank, array[..., -1:]], axis=-1)
