"""A version of the table of chances as the text that is kept of it for good, and back.

Knows nothing of where it is kept. What was written once can be read by every later Rekindle: keys are added and never change.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rekindle.decide.policy_text import from_json, to_json
from rekindle.errors import BadData, CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.versions.facts import Change, Evident, Judged, Outlook, Version

_JUDGED = ("before", "after", "more")


def write(version: Version) -> str:
    """The text."""
    return json.dumps(as_json(version), ensure_ascii=False, indent=1)


def as_json(version: Version) -> dict[str, object]:
    """The version as JSON: money in minor units, chances and shares from 0 to 1."""
    return {
        **to_json(version.policy), "way": version.way, "as_of": version.as_of.isoformat(), "before": version.before,
        "changes": [_change(one, version.evidence.get((one.program, one.stage, one.context, one.arm))) for one in version.changes],
        "outlook": _outlook(version.outlook),
        "maturity": [
            {"program": program, "stage": stage, **_number(share)} for (program, stage), share in version.maturity.items()
        ],
        "value": [
            {"program": one.program, "stage": one.stage, **{name: _interval(getattr(one, name)) for name in _JUDGED}}
            for one in version.value
        ],
        "notes": list(version.notes),
    }  # fmt: skip


def read(text: str) -> Version:
    """The version of a text.

    Raises:
        BadData: It is no version, or its table is not the one that it was kept with.
    """
    try:
        data = json.loads(text)
        policy = from_json(data)
        if policy.version != data["version"]:
            remedy = "Restore the ledger from a backup; propose a table of your own with: rekindle policy propose --table FILE"
            raise BadData(f"the text of {data['version']} was changed after it was kept", remedy)
        return Version(
            policy, data["way"], datetime.fromisoformat(data["as_of"]), data["before"],
            tuple(Change(*_place(one), one["before"], one["after"]) for one in data["changes"]),
            {_place(one): _evident(one) for one in data["changes"] if "decisions" in one},
            _outlook_of(data["outlook"]),
            {(one["program"], one["stage"]): _share(one) for one in data["maturity"]},
            tuple(Judged(one["program"], one["stage"], *(_told(one[name]) for name in _JUDGED)) for one in data["value"]),
            tuple(data["notes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"a version of the table of chances cannot be read: {error}", "Restore the ledger from a backup.") from error


def _place(one: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return one["program"], one["stage"], one["context"], one["arm"]


def _change(one: Change, known: Evident | None) -> dict[str, object]:
    shown = {"program": one.program, "stage": one.stage, "context": one.context, "arm": one.arm, "before": one.before, "after": one.after}
    if known is None:
        return shown
    return {
        **shown, "decisions": known.decisions, "orders": known.orders, "margin": _interval(known.margin),
        "best_chance": known.best_chance, "why": known.why, "customers": known.customers,
        "reach": known.reach,
    }  # fmt: skip


def _evident(one: Mapping[str, Any]) -> Evident:
    margin = one["margin"]
    known = Interval(margin["low"], margin["estimate"], margin["high"])
    return Evident(one["decisions"], one["orders"], known, one["best_chance"], one["why"], one["customers"], one["reach"])


def _outlook(one: Outlook | CannotTell) -> dict[str, object]:
    if isinstance(one, CannotTell):
        return {"cannot_tell": one.reason}
    return {
        "days": one.days, "budget": one.budget, "spend": one.spend, "spend_before": one.spend_before, "gain": _interval(one.gain),
        "gain_before": _interval(one.gain_before), "more": _interval(one.more),
    }  # fmt: skip


def _outlook_of(one: Mapping[str, Any]) -> Outlook | CannotTell:
    if "cannot_tell" in one:
        return CannotTell(one["cannot_tell"])
    gains = (Interval(one[name]["low"], one[name]["estimate"], one[name]["high"]) for name in ("gain", "gain_before", "more"))
    return Outlook(one["days"], one["budget"], one["spend"], one["spend_before"], *gains)


def _number(share: float | CannotTell) -> dict[str, object]:
    return {"cannot_tell": share.reason} if isinstance(share, CannotTell) else {"share": share}


def _share(one: Mapping[str, Any]) -> float | CannotTell:
    return CannotTell(one["cannot_tell"]) if "cannot_tell" in one else float(one["share"])


def _interval(one: Interval | CannotTell) -> dict[str, object]:
    if isinstance(one, CannotTell):
        return {"cannot_tell": one.reason}
    return {"low": one.low, "estimate": one.estimate, "high": one.high}


def _told(one: Mapping[str, Any]) -> Interval | CannotTell:
    return CannotTell(one["cannot_tell"]) if "cannot_tell" in one else Interval(one["low"], one["estimate"], one["high"])
