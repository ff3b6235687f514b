"""Two groups of customers compared, stratum by stratum: the difference, its interval, and what could have been seen.

Knows nothing of who is compared. Within a stratum both groups were drawn by the same chance. What the covariate foretells is taken out
(CUPED), with one slope for all strata:

    y' = y - theta x,    theta = sum of the strata's cov(x, y) / sum of their var(x)
    difference = sum of w (mean' of one - mean' of the other),    w = the stratum's part of all rows

The variance is Welch's in each stratum, the degrees of freedom Satterthwaite's; with one stratum this is Welch's test of y'.
Source: Deng, Xu, Kohavi & Walker (2013), Improving the sensitivity of online controlled experiments by utilizing pre-experiment data; Deng,
Knoblich & Lu (2018), Applying the delta method in metric analytics, for ratios; Miratrix, Sekhon & Yu (2013) for the strata.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.maturity import LEAST
from rekindle.learn.measures import CATALOGUE, Measure
from rekindle.learn.sequential import confidence_sequence
from rekindle.learn.sums import Floats, Sums

LEAST_ORDERERS = 10
"""Rows with an order, on either side, below which no difference is shown: before that, the interval is the luck of a few orders."""

LEAST_ERRORS = 4.0
"""Standard errors that the control's mean must be above nought by, for a share of it to have an interval by the delta method."""

POWER, LEVEL = 0.80, 0.95


@dataclass(frozen=True, slots=True)
class Relative:
    """A difference as a share of the control's mean.

    Args:
        difference: With a 95 % interval by the delta method, 0.1: a tenth more.
        p_value: Two-sided, by the same errors; that of the difference itself is what decides.
    """

    difference: Interval
    p_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treated against control for one measure.

    Args:
        difference: Treated minus control, per customer, with a 95 % interval; or why there is none.
        control_mean: The control's mean, by the same weights.
        p_value: Two-sided; None where there is no difference to test.
        error: Standard error; None as well.
        detectable: The smallest true difference that would have shown four times in five; None as well.
        narrower: By how much the covariate made the interval narrower, a share of 1; 0 without one.
        adjusted: The p-value with all parts that are shown beside it taken into account; None where it stands alone.
        relative: The difference as a share of the control's mean; None but of means of money, and where that mean is hardly above nought.
        any_day: The difference with an interval that holds however often it is looked at; None where `difference` is all there is.
    """

    difference: Interval | CannotTell
    control_mean: float
    p_value: float | None = None
    error: float | None = None
    detectable: float | None = None
    narrower: float = 0.0
    adjusted: float | None = None
    relative: Relative | None = None
    any_day: Interval | None = None

    @property
    def told_apart(self) -> bool:
        """Whether it can be told apart from nought: by the adjusted p-value where there is one, by the interval where there is none."""
        if isinstance(self.difference, CannotTell):
            return False
        p_value = self.p_value if self.adjusted is None else self.adjusted
        return p_value < 1 - LEVEL if p_value is not None else self.difference.low > 0 or self.difference.high < 0


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Of S strata: how many rows, their mean and their variance."""

    n: Floats
    mean: Floats
    variance: Floats

    def squared_error(self, weights: Floats) -> tuple[float, float]:
        """Of the weighted mean; and what it loses by degrees of freedom."""
        parts = weights**2 * self.variance / self.n
        return float(parts.sum()), float((parts**2 / (self.n - 1)).sum())


def compare(treated: Sums, control: Sums, names: tuple[str, ...] = tuple(CATALOGUE)) -> dict[str, Comparison]:
    """Measures of two groups, or why they are not told.

    Args:
        treated: Of S strata, two rows or more in each.
        control: Of the same strata.
        names: Of measures.
    """
    why = _too_few(treated, control)
    if why is not None:
        return {name: Comparison(why, _mean(control, CATALOGUE[name]), detectable=_would_show(treated, control, name)) for name in names}
    return {name: compared(treated, control, name) for name in names}


def _too_few(treated: Sums, control: Sums) -> CannotTell | None:
    rows = {"control": int(control.n.sum()), "treated": int(treated.n.sum())}
    if min(rows.values()) < LEAST:
        return CannotTell(f"{rows['control']} in the control and {rows['treated']} treated; {LEAST} of each are needed")
    ordered = {name: round(float(one["y:retained"].sum())) for name, one in (("control", control), ("treated", treated))}
    if min(ordered.values()) < LEAST_ORDERERS:
        few = f"{ordered['control']} of the control and {ordered['treated']} of the others have ordered so far"
        return CannotTell(f"{few}; {LEAST_ORDERERS} of each are needed")
    return None


def _would_show(treated: Sums, control: Sums, name: str) -> float | None:
    """What could be seen with so few, where it can be said at all."""
    return compared(treated, control, name).detectable if len(control) and float(control.n.sum()) > 1 else None


def _mean(sums: Sums, measure: Measure) -> float:
    """Over all strata together, 0 where there is nobody."""
    whole = sums.values.sum(axis=0)
    at = sums.names.index
    below = whole[at(f"y:{measure.over}")] if measure.over else whole[at("n")]
    return float(whole[at(f"y:{measure.column}")] / below) if below else 0.0


def compared(treated: Sums, control: Sums, name: str) -> Comparison:
    """One measure of two groups that are large enough, in every stratum two rows or more."""
    measure = CATALOGUE[name]
    both = treated.n + control.n
    weights = both / both.sum()
    if measure.over:
        return _ratio(treated, control, name, weights)
    theta = slope(treated, control, measure.column)
    groups = [_adjusted(one, measure.column, theta) for one in (treated, control)]
    plain = [_adjusted(one, measure.column, 0.0) for one in (treated, control)]
    control_mean = float((weights * plain[1].mean).sum())
    if not any(one.variance.sum() for one in plain):
        return Comparison(CannotTell(f"no differences in {name} yet, in either group"), control_mean)
    if measure.of_some and min(_as_many(one, measure.column) for one in (treated, control)) < LEAST_ORDERERS:
        return Comparison(CannotTell(f"{name} rests on fewer orders than {LEAST_ORDERERS} equal ones of each are"), control_mean)
    estimate = float((weights * (groups[0].mean - groups[1].mean)).sum())
    before = np.sqrt(sum(one.squared_error(weights)[0] for one in plain))
    told = _told(estimate, groups, weights, control_mean, float(before))
    if measure.unit != "money":
        return told
    foretold = theta * float((weights * (treated["x"] + control["x"]) / both).sum())
    return replace(told, relative=_relative(groups, weights, foretold))


def _as_many(sums: Sums, column: str) -> float:
    """How many equal amounts vary as much as those of a column do: at most how many there are that are not nought."""
    squares = float(sums[f"yy:{column}"].sum())
    return float(sums[f"y:{column}"].sum()) ** 2 / squares if squares else 0.0


def slope(treated: Sums, control: Sums, column: str) -> float:
    """Theta: how much of an outcome a unit of the covariate foretells; 0 where either group's covariate does not vary."""
    both = Sums(treated.names, treated.values + control.values)
    across = [float((one["xx"] - one["x"] ** 2 / one.n).sum()) for one in (treated, control)]
    scale = max(float(both["xx"].sum()), 1.0) * 1e-12
    if min(across) <= scale:
        return 0.0
    varies = float((both["xx"] - both["x"] ** 2 / both.n).sum())
    return float((both[f"xy:{column}"] - both["x"] * both[f"y:{column}"] / both.n).sum()) / varies


def _adjusted(sums: Sums, column: str, theta: float) -> _Group:
    n, x, y = sums.n, sums["x"], sums[f"y:{column}"]
    yy, xx, xy = sums[f"yy:{column}"] - y**2 / n, sums["xx"] - x**2 / n, sums[f"xy:{column}"] - x * y / n
    spread = np.maximum(yy - 2 * theta * xy + theta**2 * xx, 0.0)
    return _Group(n, (y - theta * x) / n, spread / (n - 1))


def _ratio(treated: Sums, control: Sums, name: str, weights: Floats) -> Comparison:
    """A ratio of means: its difference by the delta method."""
    measure = CATALOGUE[name]
    groups, ratios = [], []
    for one in (treated, control):
        n, y, z = one.n, one[f"y:{measure.column}"], one[f"y:{measure.over}"]
        below = float((weights * z / n).sum())
        ratio = float((weights * y / n).sum()) / below if below else 0.0
        yy, zz = one[f"yy:{measure.column}"] - y**2 / n, one[f"yy:{measure.over}"] - z**2 / n
        yz = one[f"yz:{name}"] - y * z / n
        spread = np.maximum(yy - 2 * ratio * yz + ratio**2 * zz, 0.0) / (n - 1)
        groups.append(_Group(n, y / n, spread / below**2 if below else spread))
        ratios.append(ratio)
    if not any(one.variance.sum() for one in groups):
        return Comparison(CannotTell(f"no differences in {name} yet, in either group"), ratios[1])
    return _told(ratios[0] - ratios[1], groups, weights, ratios[1])


def _freedom(errors: list[tuple[float, float]]) -> float:
    """Satterthwaite's degrees of freedom of a difference, by the squared error of each side and what it loses."""
    variance = sum(one for one, _ in errors)
    return variance**2 / sum(lost for _, lost in errors) if variance else float("inf")


def _relative(groups: list[_Group], weights: Floats, foretold: float) -> Relative | None:
    """The ratio of the two means less 1; its error by the delta method, its degrees of freedom those of the difference.

    Args:
        groups: Treated and control, without what the covariate foretells.
        weights: Of the strata.
        foretold: What it foretells of everybody, a row.
    """
    means = [float((weights * one.mean).sum()) + foretold for one in groups]
    errors = [one.squared_error(weights) for one in groups]
    if means[1] <= 0 or means[1] ** 2 < LEAST_ERRORS**2 * errors[1][0]:
        return None
    ratio, scales = means[0] / means[1], (1 / means[1] ** 2, means[0] ** 2 / means[1] ** 4)
    error, freedom = float(np.sqrt(sum(scale * one for scale, (one, _) in zip(scales, errors, strict=True)))), _freedom(errors)
    half = float(stdtrit(freedom, 1 - (1 - LEVEL) / 2)) * error
    p_value = float(2 * stdtr(freedom, -abs(ratio - 1) / error)) if error else 0.0
    return Relative(Interval(ratio - 1 - half, ratio - 1, ratio - 1 + half), p_value)


def _told(estimate: float, groups: list[_Group], weights: Floats, control_mean: float, before: float = 0.0) -> Comparison:
    """The interval by Student's t.

    Args:
        estimate: The difference.
        groups: Treated and control.
        weights: Of the strata.
        control_mean: Of the measure.
        before: The standard error without the covariate; 0 where there is none.
    """
    errors = [one.squared_error(weights) for one in groups]
    variance = sum(one for one, _ in errors)
    freedom, error = _freedom(errors), float(np.sqrt(variance))
    half = float(stdtrit(freedom, 1 - (1 - LEVEL) / 2)) * error
    p_value = float(2 * stdtr(freedom, -abs(estimate) / error)) if error else 0.0
    narrower = 1 - error / before if before else 0.0
    return Comparison(
        Interval(estimate - half, estimate, estimate + half), control_mean, p_value, error, seen(error), max(narrower, 0.0)
    )


def for_ever(told: Comparison, rows: int, tightest_at: int) -> Interval | None:
    """A difference with an interval that may be read at any time; None where there is no difference.

    Args:
        told: The difference with its standard error.
        rows: Of both groups together.
        tightest_at: At how many rows the interval is to be tightest; fixed before anybody looks.

    >>> found = for_ever(Comparison(Interval(-1.96, 0, 1.96), 0.0, error=1.0), 2_000, 2_000)
    >>> round(found.low, 2), round(found.high, 2)
    (-3.04, 3.04)
    """
    if isinstance(told.difference, CannotTell) or told.error is None:
        return None
    return confidence_sequence(told.difference.estimate, rows * told.error**2, rows, tightest_at)


def seen(error: float) -> float:
    """The smallest true difference that shows with a power of 80 % at the 5 % level, two-sided, by its standard error.

    >>> round(seen(1.0), 3)
    2.802
    """
    return float(ndtri(POWER) + ndtri(1 - (1 - LEVEL) / 2)) * error


def detectable(variance: float, treated: int, control: int) -> float:
    """The same before anything is measured, of two groups whose outcomes vary so much.

    >>> round(detectable(100.0, 900, 100), 3)
    2.953
    """
    return seen(float(np.sqrt(variance * (1 / treated + 1 / control))))


def holm(p_values: list[float | None]) -> list[float | None]:
    """P-values such that the chance of any false one among them stays below the level (Holm 1979); what has none keeps none.

    >>> [None if one is None else round(one, 3) for one in holm([0.01, None, 0.04, 0.03])]
    [0.03, None, 0.06, 0.06]
    """
    known = sorted((one, place) for place, one in enumerate(p_values) if one is not None)
    found: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p_value, place) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * p_value))
        found[place] = least
    return found
