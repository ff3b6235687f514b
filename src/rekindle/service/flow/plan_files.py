"""What a plan leaves in `var/plans` for whoever asks about it: every due customer's row, and what budgets left of the chances.

Knows nothing of deciding. The files go after 30 days, the counts later; the journal keeps what was decided.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rekindle import moment
from rekindle.decide.budget import Part
from rekindle.decide.planner import Plan
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.service.flow import plan_counts

KEPT = timedelta(days=30)
"""How long the files of a plan are kept, but for its counts."""

ROWS, BUDGETS = "decisions.parquet", "budgets.json"


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """The files of one plan.

    Args:
        plan: Its hash.
        rows: Every due customer, decided or left alone.
        scales: What budgets left of the chances, by program and payer.
        rehearsal: Whether it was decided as if everyone had agreed.
    """

    plan: str
    rows: Path
    scales: Mapping[Part, float]
    rehearsal: bool


def write(var: Path, warehouse: Warehouse, plan: Plan, as_of: AsOf) -> Path:
    """Writes a plan's files and removes those of old plans.

    Args:
        var: Where a store's files lie.
        warehouse: Writes the rows.
        plan: The plan.
        as_of: Its instant.

    Returns:
        The file of its rows.
    """
    folder = var / "plans" / plan.digest
    warehouse.write_parquet(plan.rows, folder / ROWS)
    scales = [{"program": program, "payer": payer, "scale": scale} for (program, payer), scale in sorted(plan.scales.items())]
    told = {"as_of": as_of.naive.isoformat(), "rehearsal": plan.rehearsal, "scales": scales}
    (folder / BUDGETS).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    plan_counts.write(folder, warehouse, plan, as_of)
    _forget_old(var / "plans")
    return folder / ROWS


def _forget_old(folder: Path) -> None:
    oldest = (moment.now() - KEPT).timestamp()
    for path in folder.glob(f"*/{ROWS}"):
        if path.stat().st_mtime < oldest:
            (path.parent / BUDGETS).unlink(missing_ok=True)
            path.unlink()
    plan_counts.forget_old(folder)


def of_instant(var: Path, as_of: AsOf, ready: frozenset[str]) -> PlanFiles | None:
    """The files of the plan of an instant: of one that is in the journal, else of the one written last; None where there is none.

    Args:
        var: Where a store's files lie.
        as_of: The instant.
        ready: Plans of the instant in the journal.
    """
    found = sorted(_at(var / "plans", as_of.naive), key=lambda one: (one.plan in ready, one.rows.stat().st_mtime))
    return found[-1] if found else None


def _at(folder: Path, instant: datetime) -> Iterator[PlanFiles]:
    for path in folder.glob(f"*/{BUDGETS}"):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["as_of"] == instant.isoformat() and (path.parent / ROWS).is_file():
            scales = {(one["program"], one["payer"]): float(one["scale"]) for one in told["scales"]}
            yield PlanFiles(path.parent.name, path.parent / ROWS, scales, told["rehearsal"])
