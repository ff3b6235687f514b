"""How many a plan decided for what and left alone for which reason, and how groups fared by it: a small file that pages read.

Knows nothing of single customers. A page that shows months of plans never opens their rows.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from rekindle import moment
from rekindle.decide.arms import MILLI
from rekindle.decide.fairness import Verdict
from rekindle.decide.planner import Plan
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.moment import AsOf

COUNTS, FAIRNESS = "counts.json", "fairness.json"
KEPT = timedelta(days=400)
"""How long counts are kept: a year and what it is compared with."""

_BY = ("program", "stage", "arm", "offer", "reason", "channel", "fresh", "service")


@dataclass(frozen=True, slots=True)
class Cell:
    """Due customers who have all this in common; money in minor units.

    Args:
        program, stage: For which they were due.
        arm: The variant drawn, `nothing` among them; None where a refusal came before the draw.
        offer: What it gives; None where nothing goes.
        reason: Why they are left alone; None for a decision.
        channel: By which the message goes; None where none does.
        fresh: Whether this is new: a decision, or a refusal whose reason changed.
        service: Whether it is about the customer's own order.
        customers: How many.
        cost: What their messages are expected to cost.
        ceiling: The same if every offer is taken.
        margin: What they are expected to bring, from assumed priors.
    """

    program: str
    stage: str
    arm: str | None
    offer: str | None
    reason: str | None
    channel: str | None
    fresh: bool
    service: bool
    customers: int
    cost: float
    ceiling: float
    margin: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What a plan amounts to.

    Args:
        plan: Its hash.
        at: Its instant.
        rehearsal: Whether it was decided as if everyone had agreed.
        cells: Its customers.
        fairness: How groups of customers fared by it; empty where the rules name none, or it was never committed.
    """

    plan: str
    at: datetime
    rehearsal: bool
    cells: tuple[Cell, ...]
    fairness: tuple[Verdict, ...] = ()


def write(folder: Path, warehouse: Warehouse, plan: Plan, as_of: AsOf) -> None:
    """Writes a plan's counts.

    Args:
        folder: The plan's, below `var/plans`.
        warehouse: Counts.
        plan: The plan.
        as_of: Its instant.
    """
    rows = plan.rows
    summed = {name: rows[column].fill_null(0).sum() for name, column in _SUMS.items()}
    found = warehouse.arrow(rows.group_by(*_BY).aggregate(customers=rows.count(), **summed).order_by(*_BY)).to_pylist()
    cells = [{**one, **{name: round(one[name] / MILLI, 3) for name in _SUMS}} for one in found]
    told = {"as_of": as_of.naive.isoformat(), "rehearsal": plan.rehearsal, "cells": cells}
    (folder / COUNTS).write_text(json.dumps(told, indent=0) + "\n", encoding="utf-8")


_SUMS = {"cost": "expected_cost", "ceiling": "cost_ceiling", "margin": "expected_margin"}


def judged(var: Path, plan: str, verdicts: Iterable[Verdict]) -> None:
    """Writes down how groups fared by a plan that is being committed; nothing where no files of it were written.

    Args:
        var: Where a store's files lie.
        plan: Its hash.
        verdicts: One a group.
    """
    folder = var / "plans" / plan
    if folder.is_dir():
        (folder / FAIRNESS).write_text(json.dumps([_verdict(one) for one in verdicts], indent=0) + "\n", encoding="utf-8")


def forget_old(folder: Path) -> None:
    """Removes the counts of plans of long ago, and what is left of their folders.

    Args:
        folder: `var/plans`.
    """
    oldest = (moment.now() - KEPT).timestamp()
    for path in folder.glob(f"*/{COUNTS}"):
        if path.stat().st_mtime < oldest:
            (path.parent / FAIRNESS).unlink(missing_ok=True)
            path.unlink()
    for path in folder.iterdir():
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def counts(var: Path, ready: Iterable[str] | None = None) -> tuple[Counts, ...]:
    """The counts of plans, the newest first.

    Args:
        var: Where a store's files lie.
        ready: Of these plans alone; of all where not given.
    """
    wanted = None if ready is None else frozenset(ready)
    found = [
        _read(path, path.stat().st_mtime_ns, _stamp(path.with_name(FAIRNESS)))
        for path in (var / "plans").glob(f"*/{COUNTS}") if wanted is None or path.parent.name in wanted
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.plan), reverse=True))


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=512)
def _read(path: Path, written: int, judged_at: int) -> Counts:  # noqa: ARG001  by when it was written: a file that is written anew is read anew
    told = json.loads(path.read_text(encoding="utf-8"))
    verdicts = json.loads(path.with_name(FAIRNESS).read_text(encoding="utf-8")) if judged_at else []
    at = datetime.fromisoformat(told["as_of"]).replace(tzinfo=UTC)
    return Counts(path.parent.name, at, told["rehearsal"], tuple(Cell(**one) for one in told["cells"]), tuple(map(_verdict_of, verdicts)))


def _verdict(one: Verdict) -> dict[str, object]:
    told = {"cannot_tell": one.disparity.reason} if isinstance(one.disparity, CannotTell) else asdict(one.disparity)
    return {name: getattr(one, name) for name in ("column", "group", "customers", "worth", "rest", "passed")} | {"disparity": told}


def _verdict_of(one: Mapping[str, Any]) -> Verdict:
    told = one["disparity"]
    disparity = CannotTell(told["cannot_tell"]) if "cannot_tell" in told else Interval(**told)
    return Verdict(one["column"], one["group"], one["customers"], one["worth"], one["rest"], disparity, one["passed"])
