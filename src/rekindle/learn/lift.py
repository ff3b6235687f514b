"""What a program was worth: the difference of outcomes between who was assigned to it and its control.

Knows nothing of how outcomes came about. Only a concurrent randomised comparison is called lift.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import tea_tasting as tt
from scipy.special import ndtri
from tea_tasting.aggr import Aggregates

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval

LEAST_CONTROL = 20
"""Rounds in the control below which no difference is shown: a mean of fewer heavy-tailed margins has no honest interval."""

LEAST_ORDERERS = 10
"""Rounds with an order, on either side, below which no difference is shown: before that, the interval is the luck of a few orders."""

MEASURES = ("margin", "spend", "retained", "activated")
POWER, LEVEL = 0.80, 0.95


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treated against control for one measure.

    Args:
        difference: Treated minus control, per customer, with a 95 % interval; or why there is none.
        control_mean: The control's mean.
        p_value: Two-sided; None where there is no difference to test.
    """

    difference: Interval | CannotTell
    control_mean: float
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Lift:
    """What a program was worth so far.

    Args:
        program: Its name.
        treated, control: Rounds by standing.
        measures: Measure to comparison: margin and spend in minor units a customer, retained and activated as shares.
        cohorts: The same by lapsed cohort.
        cohort_sizes: Cohort to (treated, control).
        detectable: The smallest true difference in margin that a design of this size would show four times in five, minor units.
        first_day, last_day: Days of the first entry and the last seen fact.
    """

    program: str
    treated: int
    control: int
    measures: dict[str, Comparison]
    cohorts: dict[str, dict[str, Comparison]]
    cohort_sizes: dict[str, tuple[int, int]]
    detectable: float | CannotTell
    first_day: date | None
    last_day: date

    @property
    def weeks(self) -> int:
        """Whole weeks since the first entry, at least one."""
        return max(1, round((self.last_day - self.first_day + timedelta(days=1)).days / 7)) if self.first_day else 0


def reduce(outcomes: ir.Table, *by: str) -> ir.Table:
    """Counts, means, variances and covariances with the baseline, per group: all that a comparison needs."""
    parts: dict[str, ir.Value] = {"n": outcomes.count(), "mean_baseline": outcomes.baseline.mean(), "var_baseline": outcomes.baseline.var()}
    for name in MEASURES:
        parts |= {
            f"mean_{name}": outcomes[name].mean(), f"var_{name}": outcomes[name].var(),
            f"cov_{name}": outcomes[name].cov(outcomes.baseline),
        }
    return outcomes.group_by(*by).aggregate(**parts)


def measure(warehouse: Warehouse, outcomes: ir.Table, program: str, last_day: date) -> Lift:
    """Reduces outcomes in the engine and compares them.

    Args:
        warehouse: Runs the reduction.
        outcomes: From `outcomes.outcomes`, kept.
        program: Its name.
        last_day: The last day of facts.
    """
    whole = {row["standing"]: row for row in warehouse.arrow(reduce(outcomes, "standing")).to_pylist()}
    parts: dict[str, dict[str, dict[str, float]]] = {}
    named = outcomes.mutate(cohort=outcomes.cohort.fill_null("other"))
    for row in warehouse.arrow(reduce(named, "cohort", "standing")).to_pylist():
        parts.setdefault(row["cohort"], {})[row["standing"]] = row
    first = warehouse.scalar(outcomes.entered_at.min())
    return Lift(
        program=program, treated=_size(whole, "treated"), control=_size(whole, "control"), measures=compare(whole),
        cohorts={cohort: compare(rows) for cohort, rows in sorted(parts.items())},
        cohort_sizes={cohort: (_size(rows, "treated"), _size(rows, "control")) for cohort, rows in sorted(parts.items())},
        detectable=_detectable_of(whole), first_day=first.date() if first else None, last_day=last_day,
    )


def compare(rows: dict[str, dict[str, float]]) -> dict[str, Comparison]:
    """Every measure of one group of rounds, treated against control.

    Args:
        rows: Standing to the row of `reduce`.
    """
    control_n, treated_n = _size(rows, "control"), _size(rows, "treated")
    if control_n < LEAST_CONTROL or treated_n < LEAST_CONTROL:
        why = CannotTell(f"{control_n} in the control and {treated_n} treated; {LEAST_CONTROL} of each are needed")
        mean = {name: float(rows["control"][f"mean_{name}"]) if control_n else 0.0 for name in MEASURES}
        return {name: Comparison(why, mean[name], None) for name in MEASURES}
    ordered = {name: round(rows[name]["mean_retained"] * rows[name]["n"]) for name in ("control", "treated")}
    if min(ordered.values()) < LEAST_ORDERERS:
        few = f"{ordered['control']} of the control and {ordered['treated']} of the others have ordered so far"
        early = CannotTell(f"{few}; {LEAST_ORDERERS} of each are needed")
        return {name: Comparison(early, float(rows["control"][f"mean_{name}"]), None) for name in MEASURES}
    return {name: _compared(rows["control"], rows["treated"], name) for name in MEASURES}


def _compared(control: dict[str, float], treated: dict[str, float], name: str) -> Comparison:
    if not control[f"var_{name}"] and not treated[f"var_{name}"]:
        return Comparison(CannotTell(f"no differences in {name} yet, in either group"), float(control[f"mean_{name}"]), None)
    varies = control["var_baseline"] > 0 and treated["var_baseline"] > 0
    result = tt.Mean(name, "baseline" if varies else None, confidence_level=LEVEL).analyze_aggregates(
        _aggregates(control, name), _aggregates(treated, name)
    )
    return Comparison(
        Interval(result.effect_size_ci_lower, result.effect_size, result.effect_size_ci_upper),
        float(control[f"mean_{name}"]), float(result.pvalue),
    )


def _aggregates(row: dict[str, float], name: str) -> Aggregates:
    return Aggregates(
        count_=int(row["n"]),
        mean_={name: row[f"mean_{name}"], "baseline": row["mean_baseline"]},
        var_={name: row[f"var_{name}"], "baseline": row["var_baseline"]},
        cov_={(name, "baseline"): row[f"cov_{name}"]},
    )


def detectable(variance: float, treated: int, control: int) -> float:
    """The smallest true difference that shows with a power of 80 % at the 5 % level, two-sided.

    >>> round(detectable(100.0, 900, 100), 3)
    2.953
    """
    z = float(ndtri(POWER) + ndtri(1 - (1 - LEVEL) / 2))
    return z * float(np.sqrt(variance * (1 / treated + 1 / control)))


def _detectable_of(rows: dict[str, dict[str, float]]) -> float | CannotTell:
    counts = {name: _size(rows, name) for name in ("treated", "control")}
    if min(counts.values()) < 2:
        return CannotTell("nobody has been compared yet")
    variance = sum((counts[name] - 1) * rows[name]["var_margin"] for name in counts) / (sum(counts.values()) - 2)
    return detectable(variance, counts["treated"], counts["control"])


def _size(rows: dict[str, dict[str, float]], standing: str) -> int:
    return int(rows[standing]["n"]) if standing in rows else 0
