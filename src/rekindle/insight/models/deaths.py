"""How much of a customer's lifetime ends unseen after some age, and at which rates and ages: integrals over the time of death.

Knows nothing of likelihoods and of today. Orders come at a gamma distributed rate (shape r, inverse scale alpha weeks), death at another
(shape s, inverse scale beta weeks). Every term of the sums is positive: nothing cancels, and all moments come from the same nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from rekindle.insight.models.tuples import Floats, Rows, Standing
from rekindle.insight.models.two_fates import UPPER

Point = tuple[float, float, float, float]
"""r, alpha (weeks), s, beta (weeks)."""

GONE = 32.0                 # where the integrand has fallen by e^-32 it ends
POINTS = (8, 10, 12, 15, 18, 22, 28, 36, 48)
BLOCK = 32_768              # nodes at a time, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True, eq=False)
class Deaths:
    """Of distinct pairs: what follows if no order is seen after the pair's age.

    Args:
        share: P(death before `end` and no order until then), given alive at the age [m], in (0, 1).
        mean: Means over the time u of such a death of log(alpha + u), alpha / (alpha + u), log(beta + u), beta / (beta + u) [4, m].
        square: Means of their products, at `UPPER` [10, m].
    """

    share: Floats
    mean: Floats
    square: Floats


def shares(point: Point, pairs: Standing, end: float) -> Floats:
    """`Deaths.share` alone [m]."""
    share = np.empty(len(pairs))
    for rows, weight, _, _ in _nodes(point, pairs, end):
        share[rows] = weight.sum(axis=1)
    return share


def deaths(point: Point, pairs: Standing, end: float) -> Deaths:
    """Shares and moments of the deaths of customers who stood so, and then kept silent.

    Args:
        point: Parameters.
        pairs: Repeats and age.
        end: Weeks after the first order at which nobody looks any more; beyond every age.

    Source: docs/models.md, equation 11.
    """
    _, alpha, _, beta = point
    count = len(pairs)
    found = Deaths(np.empty(count), np.empty((4, count)), np.empty((10, count)))
    for rows, weight, late_order, late_death in _nodes(point, pairs, end):
        share = weight.sum(axis=1)
        found.share[rows] = share
        weight /= share[:, None]
        features = np.log(late_order), alpha / late_order, np.log(late_death), beta / late_death
        weighted = [weight * feature for feature in features]
        for i, each in enumerate(weighted):
            found.mean[i, rows] = each.sum(axis=1)
        for at, (row, column) in enumerate(zip(*UPPER, strict=True)):
            found.square[at, rows] = np.einsum("mq,mq->m", weighted[row], features[column])
    return found


def _nodes(point: Point, pairs: Standing, end: float) -> Iterator[tuple[Rows, Floats, Floats, Floats]]:
    """Block by block: which pairs, the weights [b, q] that add up to their shares, alpha + u and beta + u [b, q].

    Gauss-Legendre in the logarithm of u plus the smaller of alpha and beta, in which the nearest singularity lies pi away.
    """
    r, alpha, s, beta = point
    k, order, death = r + pairs.repeats.astype(np.float64), alpha + pairs.age, beta + pairs.age
    near = np.minimum(order, death)
    until = np.minimum(end - pairs.age, np.minimum(_ends(order, k), death * np.expm1(min(GONE / s, 600.0))))
    length = np.log1p(until / near)
    fall = k * np.log1p(until / order) + s * np.log1p(until / death)
    points = np.searchsorted(POINTS, np.minimum(needed(fall, length), POINTS[-1]))
    for which, count in enumerate(POINTS):
        chosen = np.flatnonzero(points == which)
        step = BLOCK // count
        place, weight = _rule(count)
        for begin in range(0, len(chosen), step):
            rows = chosen[begin : begin + step]
            later = near[rows, None] * np.expm1(length[rows, None] * place)
            fallen = k[rows, None] * np.log1p(later / order[rows, None]) + s * np.log1p(later / death[rows, None])
            late_order, late_death = order[rows, None] + later, death[rows, None] + later
            scale = (s * length[rows])[:, None] * weight
            yield rows, scale * np.exp(-fallen) * np.minimum(late_order, late_death) / late_death, late_order, late_death


def _ends(order: Floats, k: Floats) -> Floats:
    return order * np.expm1(np.minimum(GONE / k, 600.0))


def needed(fall: Floats, length: Floats) -> Floats:
    """Nodes for shares right to 1e-11 where the logarithm of the integrand falls by `fall` over `length` of the variable [m]."""
    return 6 + 2 * np.sqrt(fall) + 1.9 * length


@cache
def _rule(count: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre points and weights on (0, 1)."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return (points + 1) / 2, weights / 2
