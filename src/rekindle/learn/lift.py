"""What a program was worth: the difference of outcomes between who was assigned to it and its control.

Knows nothing of how outcomes came about. Only a concurrent randomised comparison is called lift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import tea_tasting as tt
from tea_tasting.aggr import Aggregates

from rekindle.decide.due import Past
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.learn import comparison, outcomes
from rekindle.learn.comparison import LEVEL, Comparison
from rekindle.learn.maturity import LEAST, STEP, Maturity, maturity
from rekindle.learn.measures import CATALOGUE, FIRST, SHOWN
from rekindle.learn.strata import aligned
from rekindle.learn.sums import Cells, Flags, Sums, folded
from rekindle.program.documents import Program

KEYS = ("program", "standing", "epoch", "control_share", "policy", "context", "cohort", "value_tier", "cause", "month", "matured")
"""What the cells of a program's rounds are told apart by."""

BY_SEGMENT = ("program", "standing", "epoch", "control_share", "policy", "context", "segments")
PARTS = {"cohort": "cohort", "tier": "value_tier", "cause": "cause"}
"""What a program's lift is shown by, besides segments, and the key of the cells."""

TIGHTEST_AT = 2_000
"""Rounds at which the interval of a margin that may be read every day is tightest; fixed, because it may not depend on what came."""

STRATA = ("policy", "context")
"""What a program's rounds are stratified by, besides what their standing was drawn by."""


@dataclass(frozen=True, slots=True)
class Part:
    """The lift among some of a program's customers, such as those of a tier.

    Args:
        treated, control: Rounds by standing.
        measures: Measure to comparison.
    """

    treated: int
    control: int
    measures: dict[str, Comparison]


@dataclass(frozen=True, slots=True)
class Lift:
    """What a program was worth so far.

    Args:
        program: Its name.
        treated, control: Rounds that are counted, by standing.
        measures: Measure to comparison, stratified.
        parts: What it is shown by, to value, to the lift there; p-values adjusted over all of them together (Holm).
        quarters: Quarter, such as 2026-Q4, to the lift of the rounds whose window ended in it; of the last quarters alone.
        pooled: Margin without strata; or why there is none.
        reversed_by: By what the margin turns its sign once it is compared like with like; empty where it does not.
        maturity: How far the rounds have come.
        first_day, last_day: Days of the first entry and the last seen fact.
    """

    program: str
    treated: int
    control: int
    measures: dict[str, Comparison]
    parts: dict[str, dict[str, Part]]
    pooled: Interval | CannotTell
    reversed_by: tuple[str, ...]
    maturity: Maturity
    first_day: date | None
    last_day: date
    cells: Cells | None = field(default=None, repr=False)
    quarters: dict[str, Part] = field(default_factory=dict)

    @property
    def weeks(self) -> int:
        """Over how many whole weeks a round is counted, at least one where any is."""
        return max(1, round(self.maturity.window_days / 7)) if self.maturity.window_days else 0

    @property
    def cohorts(self) -> dict[str, dict[str, Comparison]]:
        """The measures of each lapsed cohort."""
        return {name: part.measures for name, part in self.parts.get("cohort", {}).items()}

    @property
    def cohort_sizes(self) -> dict[str, tuple[int, int]]:
        """How many were treated and in the control, by lapsed cohort."""
        return {name: (part.treated, part.control) for name, part in self.parts.get("cohort", {}).items()}

    @property
    def detectable(self) -> float | CannotTell:
        """The smallest true difference in margin that a comparison of this size shows four times in five, minor units."""
        first = self.measures.get(FIRST)
        if first is None or first.detectable is None:
            return first.difference if first is not None and isinstance(first.difference, CannotTell) else CannotTell(NOBODY)
        return first.detectable


NOBODY = "nobody has been compared yet"


def of_programs(
    warehouse: Warehouse, past: Past, programs: Sequence[Program], window: outcomes.Window, entered: ir.Table
) -> tuple[Lift, ...]:
    """What each program was worth so far, in one pass over all of them.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: The programs.
        window: What is counted.
        entered: Their rounds, from `outcomes.rounds`, kept.
    """
    every: dict[str, dict[str, dict[int, int]]] = {program.name: {} for program in programs}
    for (name, standing), one_side in outcomes.ages(warehouse, entered, "program", "standing").items():
        every[name][standing] = one_side
    found = {one.name: _maturity(every[one.name], one.goal.horizon_days, window.as_of.day) for one in programs}
    windows = {name: one.window_days for name, one in found.items() if one.window_days}
    cells, lifts = None, []
    if windows:
        old = outcomes.old_enough(entered, windows, window.as_of)
        cells = outcomes.summed_up(warehouse, past, programs, window, old, (*KEYS, "segments"))
    for name, ages in every.items():
        oldest = max((age for one in ages.values() for age in one), default=None)
        days = (None if oldest is None else window.as_of.day - timedelta(days=oldest), window.as_of.last_day)
        if cells is None or name not in windows:
            lifts.append(_nothing_yet(name, found[name], days, _why(ages)))
        else:
            mine = cells.only(cells.keys["program"] == name)
            marked = mine.only(mine.keys["segments"] != "")
            lifts.append(measure(name, folded(mine, KEYS), folded(marked, BY_SEGMENT), found[name], days))
    return tuple(lifts)


def not_begun(program: Program, window: outcomes.Window) -> Lift:
    """A program where nobody has entered any."""
    return _nothing_yet(program.name, _maturity({}, program.goal.horizon_days, window.as_of.day), (None, window.as_of.last_day), _why({}))


def _maturity(ages: Mapping[str, Mapping[int, int]], horizon_days: int, day: date) -> Maturity:
    return maturity(ages, horizon_days, day, never=len(ages) < len(outcomes.STANDINGS))


def _why(ages: Mapping[str, Mapping[int, int]]) -> str:
    rounds = {name: sum(ages.get(name, {}).values()) for name in outcomes.STANDINGS}
    if min(rounds.values()) < LEAST:
        return f"{rounds['control']} in the control and {rounds['treated']} treated; {LEAST} of each are needed"
    return f"fewer than {LEAST} of the control or of the others entered {STEP} days ago or earlier"


def measure(program: str, cells: Cells, by_segment: Cells, found: Maturity, days: tuple[date | None, date]) -> Lift:
    """A program's lift from the sums of its rounds.

    Args:
        program: Its name.
        cells: By `KEYS`.
        by_segment: By `BY_SEGMENT`, of the rounds that know their segments.
        found: How far the rounds have come.
        days: Of the first entry and the last seen fact.
    """
    treated, control = aligned(cells, STRATA)
    measures = comparison.compare(treated, control)
    if not found.early:
        rows = int(treated.n.sum() + control.n.sum())
        measures[FIRST] = replace(measures[FIRST], any_day=comparison.for_ever(measures[FIRST], rows, TIGHTEST_AT))
    parts = {name: _parts(cells, key) for name, key in PARTS.items()}
    parts["segment"] = _segments(by_segment)
    parts = _adjusted({name: found for name, found in parts.items() if found})
    pooled = _pooled(cells)
    turned = (*_reversed(cells, measures[FIRST], pooled), *_reversed_by_segment(by_segment))
    return Lift(program, *_sizes(cells), measures, parts, pooled, turned, found, *days, cells, _parts(cells, "matured"))


def _nothing_yet(program: str, found: Maturity, days: tuple[date | None, date], why: str) -> Lift:
    """A program of whose rounds none can be counted yet."""
    cannot = Comparison(CannotTell(why), 0.0)
    return Lift(program, 0, 0, {name: cannot for name in CATALOGUE}, {}, CannotTell(why), (), found, *days)


def _part(cells: Cells) -> Part:
    return Part(*_sizes(cells), comparison.compare(*aligned(cells, STRATA), SHOWN))


def _sizes(cells: Cells) -> tuple[int, int]:
    """Treated and control, in a stratum that is compared or not."""
    is_treated = cells.keys["standing"] == "treated"
    return int(cells.sums.n[is_treated].sum()), int(cells.sums.n[~is_treated].sum())


def _parts(cells: Cells, name: str) -> dict[str, Part]:
    values = [str(one) for one in np.unique(cells.keys[name]) if one]
    return {value: _part(cells.only(cells.keys[name] == value)) for value in values}


def _segments(cells: Cells) -> dict[str, Part]:
    """By segment; a customer may be in several."""
    return {name: _part(cells.only(inside)) for name, inside in _members(cells).items()}


def _members(cells: Cells) -> dict[str, Flags]:
    """Segment to the (C,) cells whose customers are in it."""
    memberships = [set(one.split("|")) - {""} for one in cells.keys["segments"]]
    return {name: np.array([name in one for one in memberships], dtype=bool) for name in sorted(set().union(*memberships))}


def _adjusted(parts: dict[str, dict[str, Part]]) -> dict[str, dict[str, Part]]:
    """With the p-values of every measure adjusted over all parts that are shown."""
    places = [(dimension, value) for dimension, found in parts.items() for value in found]
    for name in SHOWN:
        p_values = comparison.holm([parts[one][value].measures[name].p_value for one, value in places])
        for (dimension, value), adjusted in zip(places, p_values, strict=True):
            part = parts[dimension][value]
            told = replace(part.measures[name], adjusted=adjusted)
            parts[dimension][value] = replace(part, measures={**part.measures, name: told})
    return parts


def _pooled(cells: Cells) -> Interval | CannotTell:
    """Everybody together, whatever they were drawn by: the textbook's answer, shown beside the stratified one."""
    is_treated = cells.keys["standing"] == "treated"
    groups = [cells.sums.only(side).gathered(np.zeros(int(side.sum()), dtype=np.int64), 1) for side in (is_treated, ~is_treated)]
    told = comparison.compare(groups[0], groups[1], (FIRST,))[FIRST].difference
    if isinstance(told, CannotTell):
        return told
    covariate = "baseline" if comparison.slope(groups[0], groups[1], FIRST) else None
    result = tt.Mean(FIRST, covariate, confidence_level=LEVEL).analyze_aggregates(*(_aggregates(one) for one in reversed(groups)))
    return Interval(result.effect_size_ci_lower, result.effect_size, result.effect_size_ci_upper)


def _aggregates(sums: Sums) -> Aggregates:
    """Margin and baseline of one stratum, as tea-tasting has them."""
    n, x, y = (float(sums[name][0]) for name in ("n", "x", f"y:{FIRST}"))
    xx, yy, xy = (float(sums[name][0]) for name in ("xx", f"yy:{FIRST}", f"xy:{FIRST}"))
    return Aggregates(
        count_=int(n), mean_={FIRST: y / n, "baseline": x / n},
        var_={FIRST: (yy - y * y / n) / (n - 1), "baseline": (xx - x * x / n) / (n - 1)},
        cov_={(FIRST, "baseline"): (xy - x * y / n) / (n - 1)},
    )


def _reversed(cells: Cells, stratified: Comparison, pooled: Interval | CannotTell) -> tuple[str, ...]:
    """By what the pooled margin turns its sign, where the pooled or the stratified one can be told apart from nought."""
    if isinstance(pooled, CannotTell):
        return ()
    found = {"policy and context": stratified}
    for name, key in PARTS.items():
        found[name] = comparison.compare(*aligned(cells, (key,)), (FIRST,))[FIRST]
    return tuple(name for name, one in found.items() if _turned(one, pooled))


def _reversed_by_segment(cells: Cells) -> tuple[str, ...]:
    """By which segments, in or not, one by one, the pooled margin of the rounds that know theirs turns its sign."""
    pooled, turned = _pooled(cells), []
    if isinstance(pooled, CannotTell):
        return ()
    for name, inside in _members(cells).items():
        sides = Cells({**cells.keys, "inside": inside.astype(str)}, cells.sums)
        if _turned(comparison.compare(*aligned(sides, ("inside",)), (FIRST,))[FIRST], pooled):
            turned.append(f"segment {name}")
    return tuple(turned)


def _turned(one: Comparison, pooled: Interval) -> bool:
    """Whether it has the other sign, and one of the two can be told apart from nought."""
    other = one.difference
    clear = pooled.low > 0 or pooled.high < 0
    return isinstance(other, Interval) and other.estimate * pooled.estimate < 0 and (clear or one.told_apart)
