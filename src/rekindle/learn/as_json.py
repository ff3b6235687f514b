"""What was learned as plain values, for the file that the report and the console read.

Knows nothing of how it was measured. Money in minor units; a part that is not known says why under `cannot_tell`.
"""

from collections.abc import Mapping
from dataclasses import asdict

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.comparison import Comparison
from rekindle.learn.lift import Lift, Part
from rekindle.learn.maturity import Maturity
from rekindle.learn.measures import CATALOGUE, FIRST
from rekindle.learn.mismatch import Check
from rekindle.learn.stages import Against, StageLift
from rekindle.learn.suite import Suite
from rekindle.learn.trend import Trend, trend

Json = dict[str, object]


def interval(found: Interval | CannotTell) -> Json:
    """A difference with its ends, or why there is none."""
    if isinstance(found, CannotTell):
        return {"cannot_tell": found.reason}
    return {"difference": found.estimate, "low": found.low, "high": found.high}


def comparison(name: str, part: Comparison) -> Json:
    """One measure of two groups."""
    measure = CATALOGUE[name]
    return {
        "words": measure.words, "unit": measure.unit, "better": measure.better, "control_mean": part.control_mean, "p_value": part.p_value,
        "p_adjusted": part.adjusted, "told_apart": part.told_apart, "detectable": part.detectable, "narrower": part.narrower,
        **interval(part.difference), "relative": _relative(part), "any_day": interval(part.any_day) if part.any_day else None,
    }


def _relative(part: Comparison) -> Json | None:
    return {**interval(part.relative.difference), "p_value": part.relative.p_value} if part.relative else None


def measures(found: Mapping[str, Comparison]) -> Json:
    """Measures by name."""
    return {name: comparison(name, part) for name, part in found.items()}


def maturity(found: Maturity) -> Json:
    """How far rounds have come, days as text."""
    days = {name: day.isoformat() if day else None for name, day in (("next_on", found.next_on), ("all_on", found.all_on))}
    return {**asdict(found), **days, "early": found.early}


def check(program: str, found: Check) -> Json:
    """A group against its chance."""
    return {"program": program, **asdict(found), "alarm": found.alarm}


def lift(one: Lift, stages: tuple[StageLift, ...]) -> Json:
    """A program."""
    return {
        "program": one.program, "treated": one.treated, "control": one.control, "weeks": one.weeks,
        "measures": measures(one.measures),
        "cohorts": {cohort: measures(parts) for cohort, parts in one.cohorts.items()},
        "by": {name: {value: _part(part) for value, part in found.items()} for name, found in one.parts.items()},
        "adjusted_by": "holm", "pooled": interval(one.pooled), "reversed_by": list(one.reversed_by),
        "detectable_margin": one.detectable.reason if isinstance(one.detectable, CannotTell) else one.detectable,
        "quarters": {quarter: _part(part) for quarter, part in one.quarters.items()},
        "maturity": maturity(one.maturity), "stages": [_stage(stage) for stage in stages],
        "trend": _trend(trend(one)),
    }


def _trend(found: Trend) -> Json:
    months = [
        {
            "month": one.month, "treated": one.treated, "control": one.control, "measures": measures(one.measures), "cost": one.cost,
            "redeemed": one.redeemed, "anyway": asdict(one.anyway) if one.anyway else None, "margin_each": one.margin_each,
        }
        for one in found.months
    ]
    return {"months": months, "alarms": list(found.alarms)}


def _part(part: Part) -> Json:
    return {"treated": part.treated, "control": part.control, "measures": measures(part.measures)}


def _stage(stage: StageLift) -> Json:
    by = {name: {value: _against(one) for value, one in found.items()} for name, found in stage.by.items()}
    curves = {arm: list(curve) for arm, curve in stage.curves.items()}
    return {"stage": stage.stage, "maturity": maturity(stage.maturity), "versions": stage.versions, "by": by, "curves": curves}


def _against(one: Against) -> Json:
    return {"arms": list(one.arms), "decisions": one.decisions, "nothing": one.nothing, "measures": measures(one.measures)}


def suite(found: Suite) -> Json:
    """All programs together; of each measure whether its interval may be read at any time, or is for one look."""
    epochs = [
        {
            "year": one.year, "others": one.others, "holdout": one.holdout, "cost": one.cost,
            "measures": {
                name: {**comparison(name, part), "anytime": found.anytime and name == FIRST} for name, part in one.measures.items()
            },
        }
        for one in found.epochs
    ]  # fmt: skip
    return {"maturity": maturity(found.maturity), "epochs": epochs}
