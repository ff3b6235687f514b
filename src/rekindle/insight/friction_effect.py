"""How much more often customers lapse after a friction than they would have without it, adjusted, with an interval.

Knows nothing of tables and engines: cells with counts come in. Estimator: the lapses seen after purchases with the friction, over the
lapses that a logistic regression fitted on purchases without it expects of the same purchases (standardisation to the exposed,
g-computation). A purchase's cell is its number, tenure, value, categories, season and the frictions that come earlier in `RANK`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import expit, stdtrit

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RANK = {"price_rise": 0, "stockout": 0, "late_delivery": 1, "return": 2, "refund": 2, "bad_review": 3, "open_ticket": 3}
"""Frictions in the order in which they come about: one of a lower rank may cause one of a higher, never the reverse.

So an effect is adjusted for frictions of a lower rank (confounders: a late parcel makes a bad review and a lapse), and not for those of
the same or a higher rank (mediators: the bad review is a way in which the late parcel works, and belongs to its effect).
"""

ANSWERED = "answered_ticket"
"""A flag beside the frictions: purchases with an answered ticket are left out where an unanswered one is compared with none."""

COVARIATES = ("number", "tenure", "value", "category", "second", "season")
BUCKETS = 64
LEAST = 10
"""Purchases with a friction, and lapses expected of them without it, below which no ratio is given.

Not a rule on the lapses seen: to speak only where many are seen would make every effect larger than it is.
"""

_RIDGE = 1e-3
_STEPS = 25
_ARRIVED = 1e-8


@dataclass(frozen=True, slots=True)
class Effect:
    """What a friction does to the chance of a lapse.

    Args:
        kind: A key of `RANK`.
        purchases: With the friction, old enough to tell.
        lapsed: Of them, followed by a lapse.
        expected: Of them, that would have been without the friction.
        ratio: Risk with over risk without the friction, 95 % interval.
        difference: Risk with less risk without, 95 % interval.
    """

    kind: str
    purchases: int
    lapsed: int
    expected: float
    ratio: Interval
    difference: Interval


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Factors of a logistic regression by distinct combination of their levels; a design matrix that is never written out.

    Args:
        factors: The levels of each factor, from 0, one element per combination; level 0 of each is the baseline, the intercept is apart.
        sizes: Levels of each factor.
        place: The combination of each cell.
    """

    factors: tuple[Ints, ...]
    sizes: tuple[int, ...]
    place: Ints

    @property
    def combinations(self) -> int:
        """How many there are."""
        return len(self.factors[0])

    def predictor(self, beta: Floats) -> Floats:
        """Intercept and coefficients added up, per combination."""
        total, at = np.full(self.combinations, beta[0]), 1
        for factor, size in zip(self.factors, self.sizes, strict=True):
            total += np.concatenate(([0.0], beta[at : at + size - 1]))[factor]
            at += size - 1
        return total

    def score(self, weights: Floats) -> Floats:
        """The design's transpose times weights."""
        parts = [_summed(factor, weights, size)[1:] for factor, size in zip(self.factors, self.sizes, strict=True)]
        return np.concatenate(([weights.sum()], *parts))

    def product(self, weights: Floats) -> Floats:
        """The design's transpose times the weighted design: every pair of factors is a table of sums."""
        rows = [[np.array([[weights.sum()]]), *(self._pair(None, b, weights) for b in range(len(self.sizes)))]]
        for a in range(len(self.sizes)):
            rows.append([self._pair(None, a, weights).T, *(self._pair(a, b, weights) for b in range(len(self.sizes)))])
        return np.block(rows)

    def _pair(self, a: int | None, b: int, weights: Floats) -> Floats:
        size, other = self.sizes[b], 2 if a is None else self.sizes[a]
        code = (1 if a is None else self.factors[a]) * size + self.factors[b]
        return _summed(code, weights, other * size).reshape(other, size)[1:, 1:]


def effect(cells: pa.Table, kind: str) -> Effect | CannotTell:
    """Estimates one friction's effect.

    Args:
        cells: `COVARIATES` (whole numbers from 0), a boolean per key of `RANK` and `ANSWERED`, bucket (0 to 63, by customer),
            n (purchases) and lapses. A customer's purchases are in one bucket, so the spread over buckets is that over customers.
        kind: A key of `RANK`.

    Returns:
        The effect, or why it cannot be told. Source: Hernan & Robins (2020), Causal Inference, chapter 13 (standardisation); intervals by
        the influence function summed over groups of customers, with Student's t (Kott 2001, the delete-a-group jackknife).
    """
    if kind == "open_ticket":
        cells = cells.filter(pa.array(~_flag(cells, ANSWERED) | _flag(cells, kind)))
    exposed, n, lapses = _flag(cells, kind), _number(cells, "n"), _number(cells, "lapses")
    purchases, lapsed = int(n[exposed].sum()), int(lapses[exposed].sum())
    if not purchases:
        return CannotTell("None is in the data that is old enough to tell.")
    if purchases < LEAST or n[~exposed].sum() < LEAST:
        enough = "purchase with it is" if purchases == 1 else "purchases with it are"
        return CannotTell(f"Only {purchases} {enough} old enough to tell; {LEAST} are needed.")
    grid = _grid(cells, [one for one, rank in RANK.items() if rank < RANK[kind]])
    free = [_summed(grid.place, np.where(exposed, 0.0, values), grid.combinations) for values in (n, lapses)]
    beta, curvature = _fit(grid, free[0], free[1])
    risk = expit(grid.predictor(beta))[grid.place]
    expected = float((n * risk)[exposed].sum())
    if expected < LEAST or not lapsed:
        return CannotTell(f"{lapsed} lapses followed it where {expected:.1f} were to be expected; at least 1 and {LEAST} are needed.")
    leverage = _summed(grid.place, np.where(exposed, n * risk * (1 - risk), 0.0), grid.combinations)
    pull = grid.predictor(np.asarray(np.linalg.solve(curvature, grid.score(leverage)), dtype=np.float64))[grid.place]
    bucket: Ints = _number(cells, "bucket").astype(np.int64)
    score = _summed(bucket, np.where(exposed, 0.0, lapses - n * risk) * pull, BUCKETS)
    seen, hoped, count = (_summed(bucket, np.where(exposed, one, 0.0), BUCKETS) for one in (lapses, n * risk, n))
    return _effect(kind, seen, hoped + score, count, expected)


def _effect(kind: str, seen: Floats, without: Floats, count: Floats, expected: float) -> Effect:
    """The effect from sums per bucket: lapses seen, what the expected ones lean on, purchases."""
    lapsed, purchases = seen.sum(), count.sum()
    log_ratio, risk = float(np.log(lapsed / expected)), (lapsed - expected) / purchases
    wide = _error(seen / lapsed - without / expected) * _student()
    far = _error((seen - without - count * risk) / purchases) * _student()
    ratio = Interval(float(np.exp(log_ratio - wide)), float(np.exp(log_ratio)), float(np.exp(log_ratio + wide)))
    return Effect(kind, int(purchases), int(lapsed), expected, ratio, Interval(float(risk - far), float(risk), float(risk + far)))


def _error(influence: Floats) -> float:
    """The standard error of a sum from its parts by bucket."""
    return float(np.sqrt(BUCKETS / (BUCKETS - 1) * ((influence - influence.mean()) ** 2).sum()))


def _student() -> float:
    return float(stdtrit(BUCKETS - 1, 0.975))


def _fit(grid: _Grid, n: Floats, lapses: Floats) -> tuple[Floats, Floats]:
    """Logistic regression on counts by Newton's method with a trace of a ridge: coefficients and curvature."""
    ridge = np.full(1 + sum(grid.sizes) - len(grid.sizes), _RIDGE)
    ridge[0] = 0.0
    beta = np.zeros(len(ridge))
    beta[0] = np.log((lapses.sum() + 0.5) / (n.sum() - lapses.sum() + 0.5))
    curvature = np.diag(ridge)
    for _ in range(_STEPS):
        risk = expit(grid.predictor(beta))
        curvature = grid.product(n * risk * (1 - risk)) + np.diag(ridge)
        step = np.linalg.solve(curvature, grid.score(lapses - n * risk) - ridge * beta)
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _ARRIVED:
            break
    return beta, curvature


def _grid(cells: pa.Table, flags: list[str]) -> _Grid:
    """The distinct combinations of covariates and of frictions that come earlier."""
    columns = [_number(cells, name).astype(np.int64) for name in COVARIATES] + [_flag(cells, name).astype(np.int64) for name in flags]
    key = np.zeros(cells.num_rows, dtype=np.int64)
    for column in columns:
        key = key * (int(column.max()) + 1) + column
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    levels = [np.unique(column[first], return_inverse=True) for column in columns]
    return _Grid(tuple(code for _, code in levels), tuple(len(names) for names, _ in levels), place)


def _summed(code: Ints, values: Floats, size: int) -> Floats:
    """Sums of the values by code, from 0 to below `size`."""
    return np.asarray(np.bincount(code, weights=values, minlength=size), dtype=np.float64)


def _flag(cells: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    return np.asarray(cells[name], dtype=np.bool_)


def _number(cells: pa.Table, name: str) -> Floats:
    return np.asarray(cells[name], dtype=np.float64)
