"""How many orders a customer who is alive will still place in a given time, under beta-geometric lapse.

Knows nothing of whether the customer is alive.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import hyp2f1

from rekindle.insight.models.tuples import Floats

LARGEST_A = 20.0            # beyond, the closed form multiplies vanishing by infinite terms
NEAR_ONE = 1e-4             # so near to a = 1 the closed form divides nothing by nothing
BLOCK = 8_192               # pairs at a time, so that a block's nodes stay in the processor's cache
NODES = (16, 64)            # fewest and most points of a quadrature rule
FEW = 24                    # points where a is large


def orders_ahead(shape: Floats, time: Floats, a: float, b: Floats) -> Floats:
    """Mean of (1 - (1 + p time)^-shape) / p over p ~ Beta(a, b): orders to come if alive [n], finite and not negative.

    The rate is gamma distributed with this shape, and time is counted in its inverse scales. The closed form serves where it is well
    conditioned, and quadrature where a is large or a term leaves the floating numbers.

    Args:
        shape: Of the rate's posterior [n].
        time: Horizon over the rate's inverse scale [n].
        a: Of the chance to lapse.
        b: Of the same, posterior [n]; runs of equal values make quadrature quicker.

    Source: docs/models.md, equations 4 to 6.
    """
    orders = np.full(len(shape), np.nan) if a > LARGEST_A else closed_form(shape, time, a, b)
    left = ~(np.isfinite(orders) & (orders >= 0))
    if left.any():
        orders[left] = quadrature(shape[left], time[left], a, b[left])
    return orders


def closed_form(shape: Floats, time: Floats, a: float, b: Floats) -> Floats:
    """The mean by the hypergeometric function after Euler's transform; at a = 1 the straight line between either side.

    Source: docs/models.md, equation 5; Fader, Hardie & Lee (2005), equation 10, transformed.
    """
    if abs(a - 1) >= NEAR_ONE:
        return _transformed(shape, time, a, b)
    share = (a - 1 + NEAR_ONE) / (2 * NEAR_ONE)
    return (1 - share) * _transformed(shape, time, 1 - NEAR_ONE, b) + share * _transformed(shape, time, 1 + NEAR_ONE, b)


def _transformed(shape: Floats, time: Floats, a: float, b: Floats) -> Floats:
    c = a + b - 1
    with np.errstate(over="ignore", invalid="ignore"):
        kept = (1 + time) ** (1 - a) * hyp2f1(c - shape, a - 1, c, time / (1 + time))
        return np.asarray(c * (1 - kept) / (a - 1), dtype=np.float64)


def quadrature(shape: Floats, time: Floats, a: float, b: Floats) -> Floats:
    """The mean by Gauss-Jacobi quadrature: positive terms only, so that nothing cancels or overflows, less exact for long times.

    Source: docs/models.md, equation 6; Golub & Welsch (1969), Calculation of Gauss quadrature rules.
    """
    orders = np.empty(len(shape))
    for part, p, weight in _points(time, a, b):
        gone = -np.expm1(-shape[part, None] * np.log1p(p * time[part, None]))
        orders[part] = np.sum(weight * gone / p, axis=1)
    return orders


def order_pairs_ahead(shape: Floats, time: Floats, a: float, b: Floats) -> Floats:
    """Mean of N (N - 1) of the N orders to come if alive, under the same assumptions as `orders_ahead` [n].

    Where a term leaves the floating numbers it is that of a customer who never lapses, which is more.

    Source: docs/models.md, equation 14.
    """
    most = shape * (shape + 1) * time**2
    more = quadrature(shape, time, a - 1, b + 1) if a > LARGEST_A else closed_form(shape, time, a - 1, b + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        pairs = 2 * b * (more - orders_ahead(shape, time, a, b))
    return np.where(np.isfinite(pairs), np.clip(pairs, 0.0, most), most)


def _points(time: Floats, a: float, b: Floats) -> Iterator[tuple[slice, Floats, Floats]]:
    """Block by block: which rows, and points and weights [n, points] of their Beta(a, b)."""
    for begin in range(0, len(b), BLOCK):
        part = slice(begin, begin + BLOCK)
        distinct, row = np.unique(b[part], return_inverse=True)
        p, weight = beta_nodes(a, distinct, _count(a, time[part]))
        yield part, p[row], weight[row]


def _count(a: float, time: Floats) -> int:
    """How many points: few where a large a keeps chances away from nothing, else more for longer times."""
    return FEW if a >= LARGEST_A - 1 else int(np.clip(np.ceil(7 * np.sqrt(1 + time.max())), *NODES))


def beta_nodes(a: float, b: Floats, count: int) -> tuple[Floats, Floats]:
    """Points and weights [n, count] whose weighted sums are means over Beta(a, b) of polynomials up to degree 2 count - 1."""
    k = np.arange(count, dtype=np.float64)
    s = a + b[:, None] - 2
    middle = np.empty((len(b), count))
    middle[:, :1] = a / (s + 2)
    middle[:, 1:] = (2 * k[1:] * (k[1:] + s + 1) + s * a) / ((2 * k[1:] + s) * (2 * k[1:] + s + 2))
    aside = np.empty((len(b), count - 1))
    aside[:, :1] = a * b[:, None] / ((s + 2) ** 2 * (s + 3))
    j = k[2:]
    aside[:, 1:] = j * (j + a - 1) * (j + b[:, None] - 1) * (j + s) / ((2 * j + s) ** 2 * ((2 * j + s) ** 2 - 1))
    matrix = np.zeros((len(b), count, count))
    at = np.arange(count)
    matrix[:, at, at] = middle
    matrix[:, at[1:], at[:-1]] = np.sqrt(aside)
    points, vectors = np.linalg.eigh(matrix)
    return np.maximum(points, np.finfo(np.float64).tiny), vectors[:, 0, :] ** 2
