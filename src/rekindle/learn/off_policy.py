"""What another table of chances would have brought, from decisions that are made already.

Knows nothing of customers, programs or how the other table came about. Four answers to the same question:

    ips            mean of w y                                        w = wanted chance / logged chance of what was drawn
    snips          sum of w y / sum of w
    direct         mean of sum_a wanted_a m_a                         m: what a model says that each variant brings
    doubly_robust  mean of sum_a wanted_a m_a + w (y - m of what was drawn)

The first two need the logged chances alone, the third a right model, the last is right where either is. All are linear in sums, so
decisions alike may come as one row.
Source: Dudik, Erhan, Langford & Li (2014), Doubly Robust Policy Evaluation and Optimization, Statistical Science 29(4); Swaminathan &
Joachims (2015), The Self-Normalized Estimator for Counterfactual Learning; Chernozhukov et al. (2018) for the cross-fitting.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from rekindle.errors import BadData, CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.evidence import Floats

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

IPS, SNIPS, DIRECT, DOUBLY_ROBUST = METHODS = ("ips", "snips", "direct", "doubly_robust")

LEAST_EFFECTIVE = 200.0
"""Effective decisions below which no value is given."""

LEAST_ANSWERED = 10.0
"""Effective decisions that something followed, below which no value is given: before that, the interval is the luck of a few orders."""

LEAST_UNITS = 30
"""Customers, or groups of them, below which the spread between them is not known."""

UNSEEN_AT_MOST = 0.01
"""The part of the wanted chances that may go to variants which nobody in the context ever drew."""

MISFIT = 4.0
"""Standard errors that the mean weight may be off 1 before the logged chances count as wrong."""

FOLDS = 5
LEAN = 10.0
"""Decisions that a variant's mean over all contexts counts for in the mean of a cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """Decisions of one stage with what followed; a row is one decision, or several alike. N rows, A arms, `nothing` the last.

    Args:
        context: (N,); row of the table of chances.
        arm: (N,); its column: what was drawn.
        propensity: (N,); the chance that the draw had, as executed: after eligibility and budget. Above 0, at most 1.
        decisions: (N,); how many decisions the row stands for.
        total: (N,); what followed them, summed.
        answered: (N,); how many of them something followed, such as an order.
        eligible: (N, A); which variants could be had.
        unit: (N,); whose decisions: rows of one unit may depend on each other. Codes from 0; a customer, or a group of customers.
        contexts: How many contexts there are.

    Raises:
        BadData: Shapes do not fit together, a code is out of range, a chance is not one, or something drawn was not eligible.
    """

    context: Ints
    arm: Ints
    propensity: Floats
    decisions: Floats
    total: Floats
    answered: Floats
    eligible: Flags
    unit: Ints
    contexts: int

    def __post_init__(self) -> None:
        rows, arms = self.eligible.shape
        columns = (self.context, self.arm, self.propensity, self.decisions, self.total, self.answered, self.unit)
        remedy = "Gather the decisions anew; every column has a row per decision, every code its place."
        if any(one.shape != (rows,) for one in columns):
            raise BadData("columns of logged decisions differ in length", remedy)
        if not rows:
            return
        codes = ((self.context, self.contexts), (self.arm, arms), (self.unit, rows))
        if any(one.min() < 0 or one.max() >= limit for one, limit in codes):
            raise BadData("a logged decision has a context, variant or unit that there is not", remedy)
        if not ((self.propensity > 0) & (self.propensity <= 1 + 1e-9)).all():
            raise BadData("a logged decision had a chance of nought, or of more than one", remedy)
        if not np.isfinite(self.total).all() or not (self.decisions > 0).all():
            raise BadData("a row of logged decisions has no decision, or an outcome that is no number", remedy)
        if not self.eligible[np.arange(rows), self.arm].all():
            raise BadData("a logged decision drew a variant that could not be had", remedy)

    @property
    def arms(self) -> int:
        """How many variants there are, `nothing` among them."""
        return int(self.eligible.shape[1])

    @property
    def units(self) -> int:
        """How many units there are decisions of."""
        return int(np.count_nonzero(np.bincount(self.unit)))


def one_by_one(context: Ints, arm: Ints, propensity: Floats, outcome: Floats, shape: tuple[int, int]) -> Logged:
    """Decisions of as many customers, each of whom could have had every variant; `shape` is (contexts, arms)."""
    rows, followed = len(outcome), np.asarray(outcome, dtype=float)
    everything = np.ones((rows, shape[1]), dtype=bool)
    return Logged(
        context, arm, propensity, np.ones(rows), followed, (followed != 0).astype(float), everything, np.arange(rows), shape[0]
    )


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far the logged decisions speak for a wanted table.

    Args:
        decisions: How many there are.
        effective: How many decisions drawn by the wanted table would be as good: (sum of w)^2 / sum of w^2.
        answered: The same among those that something followed.
        mean_weight: 1 where the logged chances are right and cover what is wanted.
        largest: The part of all weight that one decision has.
        unseen: The part of the wanted chances that goes to variants which nobody in the context drew.
        by_context: Effective decisions of each context.
    """

    decisions: float
    effective: float
    answered: float
    mean_weight: float
    largest: float
    unseen: float
    by_context: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value per decision, in the unit of the outcomes.

    Args:
        method: One of `METHODS`.
        value: The estimate.
        interval: 95 %; or why there is none.
        overlap: What it stands on.
    """

    method: str
    value: float
    interval: Interval | CannotTell
    overlap: Overlap

    @property
    def error(self) -> float | CannotTell:
        """Standard error: half the interval over 1.96."""
        return self.interval if isinstance(self.interval, CannotTell) else (self.interval.high - self.interval.low) / 2 / 1.959964


def value(logged: Logged, table: Floats, method: str = DOUBLY_ROBUST, model: Floats | None = None) -> Estimate | CannotTell:
    """What a table of chances would have brought per decision.

    Args:
        logged: Decisions.
        table: (C, A); weights, renormalised over what each customer can have.
        method: One of `METHODS`.
        model: (N, A); what each variant was expected to bring in each row, learned from other rows; by default `cell_means`.

    Returns:
        The estimate with a 95 % interval, or why the decisions do not tell.

    >>> chance = np.random.default_rng(5)
    >>> arm = chance.integers(0, 2, 4_000)
    >>> sold = one_by_one(np.zeros(4_000, dtype=int), arm, np.full(4_000, 0.5), chance.normal(10.0 + 2 * (arm == 0), 3.0), (1, 2))
    >>> always = value(sold, np.array([[1.0, 0.0]]))
    >>> round(always.value, 1), round(always.interval.low, 1), round(always.interval.high, 1)
    (12.1, 11.9, 12.2)
    >>> bool(value(sold, np.array([[1.0, 0.0]]), "ips").overlap.effective == (arm == 0).sum())
    True
    """
    return value_of_chances(logged, spread(logged, table), method, model)


def value_of_chances(
    logged: Logged, wanted: Floats, method: str = DOUBLY_ROBUST, model: Floats | None = None
) -> Estimate | CannotTell:
    """`value` of chances that are not a table's: (N, A), each row summing to 1 over what could be had.

    Raises:
        BadData: The method is none, or shapes do not fit.
    """
    if method not in METHODS:
        raise BadData(f"there is no method '{method}'", f"Use one of {', '.join(METHODS)}.")
    if wanted.shape != logged.eligible.shape:
        raise BadData(f"wanted chances have the shape {wanted.shape}, decisions {logged.eligible.shape}", "Give a row per decision.")
    met = overlap(logged, wanted)
    if (why := _refusal(logged, wanted, met)) is not None:
        return why
    if method == SNIPS:
        weight = _weights(logged, wanted)
        return _estimate(logged, method, (weight * logged.total, weight * logged.decisions), met)
    scores = _scores(logged, wanted, method, model)
    found = _estimate(logged, method, (scores, logged.decisions), met)
    if method == DIRECT:
        return replace(found, interval=CannotTell("a direct estimate errs as its model does, and the decisions do not show how far"))
    return found


def difference(logged: Logged, wanted: Floats, other: Floats, model: Floats | None = None) -> Estimate | CannotTell:
    """How much more the first chances would have brought than the second, doubly robust; each (N, A).

    The interval is of the difference: what both would have drawn alike cancels out of it. The overlap is that of the thinner of the two.
    """
    met = [overlap(logged, one) for one in (wanted, other)]
    for chances, one in zip((wanted, other), met, strict=True):
        if (why := _refusal(logged, chances, one)) is not None:
            return why
    scores = _scores(logged, wanted, DOUBLY_ROBUST, model) - _scores(logged, other, DOUBLY_ROBUST, model)
    return _estimate(logged, DOUBLY_ROBUST, (scores, logged.decisions), min(met, key=lambda one: one.effective))


def spread(logged: Logged, table: Floats) -> Floats:
    """(N, A); a table's chances in each row, renormalised over what could be had. Where nothing of it could, `nothing`.

    Args:
        logged: Decisions.
        table: (C, A); weights of at least 0.

    Raises:
        BadData: The table has another shape, or a weight that is none.
    """
    if table.shape != (logged.contexts, logged.arms) or not (np.isfinite(table) & (table >= 0)).all():
        remedy = f"Give {logged.contexts} contexts by {logged.arms} variants, each of at least 0."
        raise BadData(f"a table of chances has the shape {table.shape}, or a weight that is none", remedy)
    wanted = table[logged.context] * logged.eligible
    whole = wanted.sum(axis=1)
    wanted[whole <= 0, -1] = 1.0
    return np.asarray(wanted / np.where(whole > 0, whole, 1.0)[:, None])


def always(logged: Logged, arm: int) -> Floats:
    """(N, A); the chances of giving everybody who can have it one variant, and the others `nothing`."""
    table = np.zeros((logged.contexts, logged.arms))
    table[:, arm] = 1.0
    return spread(logged, table)


def folds(logged: Logged, count: int = FOLDS) -> Ints:
    """(N,); which of some parts a row falls into: all rows of a unit into the same."""
    return logged.unit % count


def part(logged: Logged, rows: Flags) -> Logged:
    """Some of the rows."""
    unit = np.unique(logged.unit[rows], return_inverse=True)[1]
    return Logged(
        logged.context[rows], logged.arm[rows], logged.propensity[rows], logged.decisions[rows], logged.total[rows], logged.answered[rows],
        logged.eligible[rows], unit, logged.contexts,
    )


def held_out(logged: Logged, learn: Callable[[Logged], Floats], count: int = FOLDS) -> Floats:
    """(N, A); chances of each row by the table that the other parts' decisions taught.

    The value of these is what learning is worth. That of a table on the decisions it was learned from is not: it has picked their luck.

    Args:
        logged: Decisions.
        learn: From decisions to a table, (C, A).
        count: Of parts.
    """
    fold, wanted = folds(logged, count), np.zeros(logged.eligible.shape)
    for one in range(count):
        mine = fold == one
        if mine.any():
            wanted[mine] = spread(logged, learn(part(logged, ~mine)))[mine]
    return wanted


def cell_means(logged: Logged, count: int = FOLDS) -> Floats:
    """(N, A); what each variant brought in the context of each row, by the decisions of other parts.

    A cell's mean is drawn towards the variant's over all contexts by `LEAN` decisions, and that towards the mean of all.
    """
    fold, shape = folds(logged, count), (count, logged.contexts, logged.arms)
    at = np.ravel_multi_index((fold, logged.context, logged.arm), shape)
    sums = [np.bincount(at, one, int(np.prod(shape))).reshape(shape) for one in (logged.decisions, logged.total)]
    seen, total = (one.sum(axis=0) - one for one in sums)
    whole = total.sum(axis=(1, 2)) / np.maximum(seen.sum(axis=(1, 2)), 1.0)
    variant = (total.sum(axis=1) + LEAN * whole[:, None]) / (seen.sum(axis=1) + LEAN)
    means = (total + LEAN * variant[:, None, :]) / (seen + LEAN)
    return np.asarray(means[fold, logged.context])


def overlap(logged: Logged, wanted: Floats) -> Overlap:
    """How far the decisions speak for wanted chances, (N, A)."""
    weight, count = _weights(logged, wanted), logged.decisions
    cells = np.bincount(logged.context * logged.arms + logged.arm, minlength=logged.contexts * logged.arms)
    unseen = cells.reshape(logged.contexts, logged.arms)[logged.context] == 0
    whole, decisions = float(weight @ count), float(count.sum())
    sums, squares = (np.bincount(logged.context, one * count, logged.contexts) for one in (weight, weight**2))
    return Overlap(
        decisions=decisions, effective=_effective(weight, count), answered=_effective(weight, logged.answered),
        mean_weight=whole / decisions if decisions else 0.0, largest=float(weight.max()) / whole if whole else 0.0,
        unseen=float((wanted * unseen).sum(axis=1) @ count) / decisions if decisions else 0.0,
        by_context=tuple((sums**2 / np.where(squares > 0, squares, 1.0)).tolist()),
    )


def _weights(logged: Logged, wanted: Floats) -> Floats:
    drawn = np.take_along_axis(wanted, logged.arm[:, None], axis=1)[:, 0]
    return np.asarray(drawn / logged.propensity)


def _effective(weight: Floats, count: Floats) -> float:
    squares = float(weight**2 @ count)
    return float(weight @ count) ** 2 / squares if squares else 0.0


def _scores(logged: Logged, wanted: Floats, method: str, model: Floats | None) -> Floats:
    """(N,); what each row adds to the sum that the value is the mean of."""
    weight = _weights(logged, wanted)
    if method == IPS:
        return weight * logged.total
    means = cell_means(logged) if model is None else model
    expected = logged.decisions * (wanted * means).sum(axis=1)
    if method == DIRECT:
        return np.asarray(expected)
    drawn = np.take_along_axis(means, logged.arm[:, None], axis=1)[:, 0]
    return np.asarray(expected + weight * (logged.total - logged.decisions * drawn))


def _refusal(logged: Logged, wanted: Floats, met: Overlap) -> CannotTell | None:
    if met.effective < LEAST_EFFECTIVE:
        few = f"{met.decisions:.0f} decisions speak for this table as {met.effective:.0f} of its own would"
        return CannotTell(f"{few}; {LEAST_EFFECTIVE:.0f} are needed")
    if met.unseen > UNSEEN_AT_MOST:
        return CannotTell(f"{met.unseen:.1%} of its chances go to variants that nobody in the context has had; 1 % may")
    if met.answered < LEAST_ANSWERED:
        few = f"something followed on {met.answered:.0f} of the decisions that speak for this table"
        return CannotTell(f"{few}; {LEAST_ANSWERED:.0f} are needed")
    if (units := logged.units) < LEAST_UNITS:
        return CannotTell(f"{units} customers or groups of them were decided on; {LEAST_UNITS} are needed")
    off = _ratio(logged, (_weights(logged, wanted) * logged.decisions, logged.decisions))
    if abs(off[0] - 1) > max(MISFIT * off[1], met.unseen + 1e-6):
        wrong = f"the logged chances do not fit the draws: weights should average 1 and average {off[0]:.2f}"
        return CannotTell(f"{wrong}, {abs(off[0] - 1) / max(off[1], 1e-12):.0f} standard errors off")
    return None


def _ratio(logged: Logged, parts: tuple[Floats, Floats]) -> tuple[float, float]:
    """Ratio of two sums and its standard error from the spread between units, (N,) each."""
    above, below = (np.bincount(logged.unit, one) for one in parts)
    ratio, units = float(above.sum() / below.sum()), logged.units
    left = above - ratio * below
    return ratio, float(np.sqrt(units / max(units - 1, 1) * (left**2).sum()) / below.sum())


def _estimate(logged: Logged, method: str, parts: tuple[Floats, Floats], met: Overlap) -> Estimate:
    found, error = _ratio(logged, parts)
    reach = float(stdtrit(logged.units - 1, 0.975)) * error
    return Estimate(method, found, Interval(found - reach, found, found + reach), met)
