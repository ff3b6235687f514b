"""What was published last, for a process that must never open history: profiles, and why customers leave.

Knows nothing of how either is made.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rekindle.history.customer_rows import rows_of
from rekindle.moment import AsOf
from rekindle.settings import Settings

PROFILE, SUMMARY, DIAGNOSIS, CAUSES, STEPS = "profile.parquet", "insight.json", "diagnosis.json", "causes.parquet", "steps.parquet"


@dataclass(frozen=True, slots=True)
class Known:
    """A customer's row of a snapshot.

    Args:
        as_of: The snapshot's name: a day, or an instant of UTC.
        row: The row's columns.
    """

    as_of: str
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Went:
    """Why a customer may have left, and what led up to it.

    Args:
        as_of: The diagnosis's name.
        causes: place, cause and evidence, the likeliest first; none of who does not slip away.
        steps: at (naive UTC), step, fact and order_id, in order.
    """

    as_of: str
    causes: tuple[Mapping[str, Any], ...]
    steps: tuple[Mapping[str, Any], ...]


def profiles(var: Path) -> Path | None:
    """The latest published profiles; None where there are none."""
    return _latest(var / "insight", PROFILE)


def as_of(settings: Settings) -> AsOf | None:
    """The instant of the latest profiles; None where there are none."""
    found = _latest(settings.var / "insight", SUMMARY)
    return AsOf(datetime.fromisoformat(_read(found)["as_of"]), settings.timezone) if found else None


def summary(var: Path) -> Mapping[str, Any]:
    """What the latest profiles amount to, as `rekindle insight --json` tells it; empty where there are none."""
    found = _latest(var / "insight", SUMMARY)
    return _read(found) if found else {}


def known_of(var: Path, customer_id: str) -> Known | None:
    """A customer's row of the latest profiles; None where there are none, or the customer is not among them.

    Args:
        var: Where a store's files lie.
        customer_id: Whose.
    """
    path = profiles(var)
    found = rows_of([path], customer_id) if path else []
    return Known(path.parent.name, found[0]) if path and found else None


def diagnosis(var: Path) -> Mapping[str, Any] | None:
    """The latest diagnosis as `rekindle diagnose --json` tells it; None where there is none."""
    found = _latest(var / "diagnosis", DIAGNOSIS)
    return _read(found) if found else None


def went(var: Path, customer_id: str) -> Went | None:
    """What the latest diagnosis found about a customer; None where there is none.

    Args:
        var: Where a store's files lie.
        customer_id: Whose.
    """
    path = _latest(var / "diagnosis", DIAGNOSIS)
    if path is None:
        return None
    causes, steps = (path.with_name(name) for name in (CAUSES, STEPS))
    named = rows_of([causes], customer_id, ("place",)) if causes.is_file() else []
    walked = rows_of([steps], customer_id, ("at", "turn", "fact")) if steps.is_file() else []
    return Went(path.parent.name, tuple(named), tuple(walked))


def _latest(folder: Path, name: str) -> Path | None:
    return max(folder.glob(f"*/{name}"), key=lambda path: path.parent.name, default=None)


def _read(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

