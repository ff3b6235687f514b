"""How the store's targets stand: what was measured of each, held against what is expected, and kept for pages that never open history.

Knows nothing of how lift is measured: it reads the published results of `learn`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rekindle import money
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.learn import before_after, conduct, scorecard
from rekindle.learn.baseline import WEEKS, Baseline
from rekindle.learn.before_after import Change, Period
from rekindle.learn.conduct import Reception
from rekindle.learn.scorecard import MEASURE, Found, Standing
from rekindle.moment import AsOf, local_day, start_of_day
from rekindle.program.documents import Documents
from rekindle.program.targets import LIFTS, MONEY, Target, days_of, quarter_of
from rekindle.service.flow import baselines
from rekindle.service.flow.insights import write_whole
from rekindle.settings import Settings

LEAST = 100
"""Messages handed over in a quarter below which their rates say nothing."""

FILE = "targets.json"

_Compared = tuple[Found, float | CannotTell | None, Interval | CannotTell | None]
"""What was measured, what it is compared with, and how far the two are apart where that is a period of before."""


@dataclass(frozen=True, slots=True)
class _Quarter:
    """What the quarter's targets are judged by.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: The instant.
        name: Of the quarter.
        learned: What `learn` found last in it, its JSON; None where it found nothing.
        store: The baseline of everyone; None where none is frozen.
        receptions: Of the quarter's messages.
    """

    settings: Settings
    warehouse: Warehouse
    as_of: AsOf
    name: str
    learned: Mapping[str, Any] | None
    store: Baseline | None
    receptions: tuple[Reception, ...]


def standings(settings: Settings, warehouse: Warehouse, documents: Documents, as_of: AsOf, publish: bool = True) -> tuple[Standing, ...]:
    """How the targets of the quarter of an instant stand, in the order of their document.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        as_of: The instant.
        publish: Whether the result is kept under `var/rhythm`.
    """
    name = quarter_of(as_of.seen_day)
    held, since = baselines.first_kept(settings), start_of_day(days_of(name)[0], as_of.timezone).replace(tzinfo=None)
    receptions = conduct.receptions(warehouse, conduct.Period(since, as_of.naive))
    learned = _in_quarter(learned_of(settings, as_of), settings, name)
    quarter = _Quarter(settings, warehouse, as_of, name, learned, held.baseline if held else None, receptions)
    found = tuple(_judged(quarter, target) for target in documents.targets if target.holds_in(name))
    if publish:
        text = json.dumps(to_json(found, as_of, settings.currency), indent=1, ensure_ascii=False)
        write_whole(settings.var / "rhythm" / FILE, text)
    return found


def changes(settings: Settings, warehouse: Warehouse, as_of: AsOf) -> tuple[Change, ...]:
    """The levels of the quarter of an instant against the frozen baseline, targets or not; none where nothing is frozen.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: The instant.
    """
    held = baselines.first_kept(settings)
    if held is None:
        return ()
    first = days_of(quarter_of(as_of.seen_day))[0]
    now = baselines.period_of(settings, warehouse, as_of, first)
    return before_after.changes(now, Period(held.baseline.everyone, held.baseline.spread), _weeks(first, as_of))


def _weeks(first: date, as_of: AsOf) -> int:
    """The whole weeks from a day on."""
    return ((as_of.last_day - first).days + 1) // 7


def _judged(quarter: _Quarter, target: Target) -> Standing:
    if target.metric in LIFTS:
        found: _Compared = (_lift(quarter, target), None, None)
    elif target.metric in ("opt_out_rate", "complaint_rate"):
        found = (_rate(quarter, target), None, None)
    else:
        found = _level(quarter, target)
    level, baseline, change = found if target.baseline is None else (found[0], target.baseline, None)
    return scorecard.judged(target, quarter.name, level, baseline, quarter.as_of.last_day, change)


def _lift(quarter: _Quarter, target: Target) -> Found:
    if quarter.learned is None:
        return CannotTell(f"nothing was measured in {quarter.name} yet")
    mine = [one for one in quarter.learned["programs"] if one["program"] == target.program]
    if not mine:
        return CannotTell(f"{target.program} was not measured yet")
    whole = mine[0].get("quarters", {}).get(quarter.name)
    if whole is None:
        return CannotTell(f"no round of {target.program} has come to the end of its window in {quarter.name} yet")
    part = whole["measures"][MEASURE[target.metric]]
    if "difference" not in part:
        return CannotTell(str(part.get("cannot_tell", "it was not measured yet")))
    unit = 10 ** money.exponent(quarter.settings.currency) if target.metric in MONEY else 1
    return Interval(part["low"] / unit, part["difference"] / unit, part["high"] / unit)


def _level(quarter: _Quarter, target: Target) -> _Compared:
    """What the quarter's customers do, against the frozen baseline."""
    if quarter.store is None:
        why = CannotTell("no baseline is frozen yet")
        return why, why, None
    first, before = days_of(quarter.name)[0], Period(quarter.store.everyone, quarter.store.spread)
    now = baselines.period_of(quarter.settings, quarter.warehouse, quarter.as_of, first)
    if target.metric == "repeat_purchase_rate":
        return _repeat(now, before, _weeks(first, quarter.as_of))
    change = before_after.order_value_change(now, before)
    return change, 0.0, change


def _repeat(now: Period, before: Period, weeks: int) -> _Compared:
    """The share who ordered again in the quarter's last whole weeks, against as many last weeks of the baseline."""
    if not weeks:
        young = CannotTell("the quarter has no whole week yet")
        return young, young, None
    weeks = min(weeks, WEEKS)
    return now.repeat_rate(weeks), before.repeat_rate(weeks), before_after.repeat_change(now, before, weeks)


def _rate(quarter: _Quarter, target: Target) -> Found:
    mine = [one for one in quarter.receptions if target.program in (None, one.program)]
    if target.metric == "complaint_rate":
        mine = [one for one in mine if one.channel == "email"]
    handed = sum(one.handed_over for one in mine)
    if handed < LEAST:
        return CannotTell(f"{handed} messages went out in {quarter.name}; {LEAST} are needed")
    told = sum(one.complaints if target.metric == "complaint_rate" else one.opt_outs for one in mine)
    return told / handed


def learned_of(settings: Settings, as_of: AsOf) -> Mapping[str, Any] | None:
    """What `learn` found last, and not after an instant: its JSON; None where it never did.

    Args:
        settings: The store's.
        as_of: The instant.
    """
    every = (json.loads(path.read_text(encoding="utf-8")) for path in (settings.var / "learn").glob("*.json"))
    past = [(datetime.fromisoformat(one["as_of"]), one) for one in every]
    seen = [one for one in past if one[0] <= as_of.instant]
    return max(seen, key=lambda one: one[0])[1] if seen else None


def _in_quarter(learned: Mapping[str, Any] | None, settings: Settings, quarter: str) -> Mapping[str, Any] | None:
    """What was found, if that was in a quarter or after it."""
    if learned is None:
        return None
    return learned if local_day(datetime.fromisoformat(learned["as_of"]), settings.timezone) >= days_of(quarter)[0] else None


def to_json(found: tuple[Standing, ...], as_of: AsOf, currency: str) -> dict[str, object]:
    """Standings as JSON: numbers in the unit of their measure, and as people read them."""
    return {"as_of": as_of.instant.isoformat(), "targets": [_json(one, currency) for one in found]}


def _json(one: Standing, currency: str) -> dict[str, object]:
    target, found = one.target, one.found
    number = _apart(Interval(found, found, found) if isinstance(found, float) else found)
    base = {"cannot_tell": one.baseline.reason} if isinstance(one.baseline, CannotTell) else one.baseline
    return {
        "target": target.name, "metric": target.metric, "words": scorecard.WORDS[target.metric], "program": target.program,
        "owner": target.owner, "quarter": one.quarter, "expect": list(target.expect), "baseline": base, "status": one.status,
        "why": one.why, "found": number, "change": _apart(one.change), "shown": scorecard.shown_found(one, currency),
        "expected": scorecard.shown_range(target, currency),
    }  # fmt: skip


def _apart(change: Interval | CannotTell | None) -> dict[str, object] | None:
    if isinstance(change, CannotTell):
        return {"cannot_tell": change.reason}
    return {"estimate": change.estimate, "low": change.low, "high": change.high} if change else None


def published(var: Path) -> Mapping[str, Any] | None:
    """How the targets stood when they were last looked at, as `to_json` writes it; None before the first time.

    Args:
        var: Where a store's files lie.
    """
    path = var / "rhythm" / FILE
    found: Mapping[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found
