"""`plan` and `send`: what to do now for whom, and doing it.

Knows nothing of how it is decided.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle import moment, money
from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, AsOfDay, DryRun
from rekindle.cli.output import counted, emit, may_write, progress, say, shown
from rekindle.cli.store import Open, opened
from rekindle.errors import CannotTell, StoreUnavailable

if TYPE_CHECKING:
    from rekindle.decide.summary import PlanSummary
    from rekindle.program.documents import Documents
    from rekindle.service.flow.planning import Planned
    from rekindle.service.flow.sending import Sent


def plan(
    context: typer.Context,
    as_of: AsOfDay = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the messages as CSV for any other sender.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Decide for every customer who is due. The variant, or why not; without --dry-run messages go to the outbox."""
    from rekindle.service.console.actions import note_deed
    from rekindle.service.flow import documents, exporting, insights, planning

    may_write(out)
    with opened(context.obj) as store, progress("Deciding"):
        instant = store.as_of(as_of)
        held = documents.approved(store.settings)
        warn_of_changes(store)
        built, _ = insights.profiles(store.settings, store.warehouse, instant, publish=not dry_run)
        planned = planning.make(store.settings, store.warehouse, built, held, instant, publish=not dry_run)
        if out is not None:
            note_deed(operator(), "took messages out", f"{planned.summary.digest}, as a file", moment.now())
            write_csv(out, exporting.COLUMNS, exporting.messages(store.settings, store.warehouse, planned, built, held))
        touches = 0 if dry_run else planning.commit(store.settings, store.warehouse, planned, built, held)
        said = [*lines(planned, store, held), _outbox(planned, touches, dry_run), *awaiting_lines(store), *_written(out)]
    emit(summary_json(planned, touches), said, as_json)


def warn_of_changes(store: Open) -> None:
    """Says which documents of the folder are not the approved ones."""
    from rekindle.service.flow import documents

    for name in documents.unsubmitted(store.settings):
        say(f"{name} differs from its approved version, which is used. Approve it with: {store.command('approve --all')}")


def write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows as CSV; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    from rekindle.service.flow.spreadsheets import cell

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for row in rows:
                writer.writerow({name: cell(row[name]) for name in columns})
    except OSError as error:
        raise StoreUnavailable(f"cannot write {path}: {error.strerror}", "Name a file that you may write.") from error


def summary_json(planned: "Planned", touches: int) -> dict[str, object]:
    """The plan as JSON; money in minor units."""
    found = planned.summary
    margin, most = found.expected_margin, found.concentration
    return {
        "as_of": planned.as_of.instant, "hash": found.digest, "rehearsal": found.rehearsal, "repeated": planned.repeated,
        "decisions": found.decisions, "messages": found.messages, "new_touches": touches, "by_program": found.by_program,
        "by_stage": found.by_stage, "by_arm": found.by_arm, "by_offer": found.by_offer, "refusals": found.refusals,
        "standing": found.standing,
        "cost_ceiling": round(found.cost_ceiling, 3), "expected_cost": round(found.expected_cost, 3),
        "expected_margin": {
            "estimate": round(margin.estimate), "low": round(margin.low), "high": round(margin.high), "basis": "assumed", "unit": "minor",
        },
        "budget_scale": found.scale, "decisions_file": planned.decisions_file,
        "sellers": [
            {"seller": name, "by_shop": round(shop), "by_seller": round(own), "unit": "minor"}
            for name, (shop, own) in found.by_seller.items()
        ],
        "seller_concentration": None if isinstance(most, CannotTell) else {
            "seller": most.seller, "share": round(most.share, 4), "limit": most.limit, "passed": most.passed,
        },
    }  # fmt: skip


def lines(planned: "Planned", store: Open, held: "Documents") -> Iterable[str]:
    """The plan for people; messages are called by what they give, for names of variants are the documents' own."""
    from rekindle.decide.guardrails import REASONS
    from rekindle.decide.sums import named
    from rekindle.program.documents import NOTHING

    found: PlanSummary = planned.summary
    margin, currency = found.expected_margin, store.settings.currency
    low, middle, high = (money.show(value, currency, whole=True) for value in (margin.low, margin.estimate, margin.high))
    yield f"Plan           {found.digest} as of {planned.as_of.day}" + (", a rehearsal: no contacts are known" if found.rehearsal else "")
    yield f"Proposed       {counted(found.messages, 'message', 'messages')}: {named(found.by_offer, held.offers)}"
    yield f"By stage       {_listed(found.by_stage)}"
    yield "Left alone     " + _listed(
        {REASONS[reason]: count for reason, count in found.refusals.items()} | {"drawn to hear nothing": found.by_arm.get(NOTHING, 0)}
    )
    yield f"Cost           at most {money.show(found.cost_ceiling, currency)}, expected {money.show(found.expected_cost, currency)}"
    yield f"Margin         {middle} expected ({low} to {high}), assumed until outcomes speak"
    if not isinstance(found.concentration, CannotTell):
        most = found.concentration
        words = "within" if most.passed else "more than"
        yield f"Sellers        {most.share:.0%} of spending on sellers' goods goes to {most.seller}: {words} the {most.limit:.0%} allowed"


def _listed(counts: Mapping[str, int]) -> str:
    ordered = sorted(((name, count) for name, count in counts.items() if count), key=lambda one: -one[1])
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in ordered) or "none"


def _outbox(planned: "Planned", touches: int, dry_run: bool) -> str:
    if planned.plan.rehearsal:
        return "Outbox         nothing: a rehearsal is never sent"
    if dry_run:
        return "Outbox         nothing: a dry run changes nothing"
    again = ": this very plan was made before" if planned.repeated else ""
    return f"Outbox         {counted(touches, 'new message', 'new messages')}{again}"


def awaiting_lines(store: Open) -> list[str]:
    """What to type so that the messages of a plan may leave this machine."""
    from rekindle.service.flow import plan_approving

    waiting = plan_approving.awaiting(store.settings)
    return [f"Approve        {store.command(f'approve {one.plan[:12]} --send {one.messages}')}" for one in waiting]


def _written(out: Path | None) -> list[str]:
    return [f"Written        {shown(out.resolve())}"] if out else []


def send(context: typer.Context, as_of: AsOfDay = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Hand over the messages that are due. By the senders of rekindle.toml; from the mailbox nothing leaves this machine."""
    from rekindle.service.flow import dispatching, sending
    from rekindle.service.flow.cycle import close_cycle

    with opened(context.obj) as store:
        dispatching.refuse_rehearsal()
        instant = store.as_of(as_of)
        at = dispatching.sending_instant(instant)
        if dry_run:
            free, held = dispatching.waiting(store.settings, at)
            words = f"Due            {counted(free, 'message', 'messages')} at {at:%Y-%m-%d %H:%M} UTC"
            emit({"due": free, "held": held, "at": at}, [words, *_held(store, held)], as_json)
            return
        quiet = dispatching.make_ready(store.settings, store.warehouse, at, instant.shifted)
    with progress("Sending"):  # history is free for other jobs meanwhile
        done = sending.send_due(store.settings, at if instant.shifted else None, quiet=quiet)
    with opened(context.obj) as store:
        close_cycle(store.settings, store.warehouse, at if instant.shifted else store.now)
        emit(sent_json(done), list(sent_lines(done, store)), as_json)


def sent_json(done: "Sent") -> dict[str, object]:
    """What became of the messages that were due, as JSON."""
    return {"due": done.planned, "postponed": done.postponed, "held": done.held, "left_unknown": done.left, **done.by_status}


def sent_lines(done: "Sent", store: Open) -> Iterable[str]:
    """What became of them, for people."""
    from rekindle.service.flow.plan_approving import leaving

    counts = {**done.by_status, **({"put off": done.postponed} if done.postponed else {}), **({"held": done.held} if done.held else {})}
    words = ", ".join(f"{status} {count:,}" for status, count in counts.items())
    yield f"Due            {counted(done.planned, 'message', 'messages')}" + (f": {words}" if words else "")
    yield from _held(store, done.held)
    if done.by_status.get("sent"):
        out = leaving(store.settings)
        told = ", ".join(f"{channel} by {name}" for channel, name in out.items())
        yield f"Senders        {told}" if out else f"Mailbox        {shown(store.settings.var / 'mail')}; nothing left this machine"


def _held(store: Open, held: int) -> Iterable[str]:
    """What lets the messages go that wait for a person."""
    from rekindle.service.programs.queries import paused

    if held:
        yield from awaiting_lines(store)
        yield from (f"Paused         {program}: {store.command(f'resume {program}')}" for program in sorted(paused()))


COMMANDS = {"plan": plan, "send": send}
