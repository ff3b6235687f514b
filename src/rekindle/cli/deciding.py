"""`plan` and `send`: what to do now for whom, and doing it.

Knows nothing of how it is decided.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle import money
from rekindle.cli.options import AsJson, AsOfDay, DryRun
from rekindle.cli.output import emit, progress, say
from rekindle.cli.store import opened
from rekindle.errors import StoreUnavailable

if TYPE_CHECKING:
    from rekindle.decide.summary import PlanSummary
    from rekindle.service.flow.planning import Planned
    from rekindle.settings import Settings


def plan(
    context: typer.Context,
    as_of: AsOfDay = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the messages as CSV for any other sender.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Decide for every customer who is due: which variant, or why not. Without --dry-run messages go to the outbox."""
    from rekindle.service.flow import documents, exporting, insights, planning

    with opened(context.obj) as store, progress("Deciding"):
        instant = store.as_of(as_of)
        held = documents.approved(store.settings)
        warn_of_changes(store.settings)
        built, _ = insights.profiles(store.settings, store.warehouse, instant)
        planned = planning.make(store.settings, store.warehouse, built, held, instant)
        if out is not None:
            rows = exporting.messages(store.settings, store.warehouse, planned, built, held)
            write_csv(out, exporting.COLUMNS, rows)
        touches = 0 if dry_run else planning.commit(store.settings, store.warehouse, planned, built, held)
    emit(summary_json(planned, touches), lines(planned, touches, store.settings), as_json)


def warn_of_changes(settings: "Settings") -> None:
    """Says which documents of the folder are not the approved ones."""
    from rekindle.service.flow import documents

    for name in documents.unsubmitted(settings):
        say(f"{name} differs from its approved version, which is used. Approve it with: rekindle approve --all")


def write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows as CSV; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for row in rows:
                writer.writerow({name: _cell(row[name]) for name in columns})
    except OSError as error:
        raise StoreUnavailable(f"cannot write {path}: {error.strerror}", "Name a file that you may write.") from error


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def summary_json(planned: "Planned", touches: int) -> dict[str, object]:
    """The plan as JSON; money in minor units."""
    found = planned.summary
    margin = found.expected_margin
    return {
        "as_of": planned.as_of.instant, "hash": found.digest, "rehearsal": found.rehearsal, "repeated": planned.repeated,
        "decisions": found.decisions, "messages": found.messages, "new_touches": touches, "by_program": found.by_program,
        "by_stage": found.by_stage, "by_arm": found.by_arm, "refusals": found.refusals, "standing": found.standing,
        "cost_ceiling": round(found.cost_ceiling, 3), "expected_cost": round(found.expected_cost, 3),
        "expected_margin": {
            "estimate": round(margin.estimate), "low": round(margin.low), "high": round(margin.high), "basis": "assumed", "unit": "minor",
        },
        "budget_scale": found.scale, "decisions_file": planned.decisions_file,
    }


def lines(planned: "Planned", touches: int, settings: "Settings") -> Iterable[str]:
    """The plan for people."""
    from rekindle.decide.guardrails import REASONS

    found: PlanSummary = planned.summary
    margin, currency = found.expected_margin, settings.currency
    low, middle, high = (money.show(value, currency, whole=True) for value in (margin.low, margin.estimate, margin.high))
    yield f"Plan           {found.digest} as of {planned.as_of.day}" + (" (a rehearsal: no contacts are known)" if found.rehearsal else "")
    yield f"Decided        {found.decisions:,} customers, {found.messages:,} of them get a message: " + _listed(found.by_arm)
    yield "By stage       " + _listed(found.by_stage)
    yield "Left alone     " + _listed({REASONS[reason]: count for reason, count in found.refusals.items()})
    yield f"Cost           at most {money.show(found.cost_ceiling, currency)}, expected {money.show(found.expected_cost, currency)}"
    yield f"Margin         {middle} expected ({low} to {high}, assumed until outcomes speak)"
    yield f"Outbox         {touches:,} new messages" + (" (this very plan was made before)" if planned.repeated else "")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"


def send(context: typer.Context, as_of: AsOfDay = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Hand over the messages that are due: to the mailbox under var/mail, from which nothing leaves this machine."""
    from rekindle.service.flow import dispatching

    with opened(context.obj) as store, progress("Sending"):
        instant = store.as_of(as_of)
        dispatching.refuse_rehearsal(store.settings)
        at = dispatching.sending_instant(instant)
        if dry_run:
            waiting = dispatching.waiting(at)
            emit({"due": waiting, "at": at}, [f"Due            {waiting:,} messages at {at:%Y-%m-%d %H:%M} UTC"], as_json)
            return
        done = dispatching.dispatch(store.settings, store.warehouse, at)
    shown = {"due": done.planned, "postponed": done.postponed, **done.by_status}
    words = ", ".join(f"{status} {count:,}" for status, count in done.by_status.items()) or "none"
    emit(dict(shown), [f"Due            {done.planned:,}: {words}" + (f"; {done.postponed:,} wait for the morning" if done.postponed else "")], as_json)


COMMANDS = {"plan": plan, "send": send}
