"""`events`, `pause` and `resume`: what became of messages, and programs that are held back.

Knows nothing of what follows from an event.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import counted, emit
from rekindle.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from rekindle.service.events.actions import Recorded

By = Annotated[str | None, typer.Option(metavar="NAME", help="Who says so. Default: you.")]
ProgramName = Annotated[str, typer.Argument(metavar="PROGRAM", help="The program's name.")]


def events(
    context: typer.Context,
    mailboxes: Annotated[list[Path], typer.Argument(metavar="MAILBOX...", help="An mbox file, a Maildir, a folder of .eml, or a message.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take in bounces and complaints that came by mail. Repeating it changes nothing; the mailboxes stay as they are."""
    from rekindle.service.flow.returned_mail import take_in

    done = take_in(mailboxes, _opened(context.obj)[1], dry_run)
    told = ", ".join(f"{kind} {count:,}" for kind, count in done.kinds.items()) or "no report"
    lines = [f"Read           {counted(done.messages, 'message', 'messages')}: {told}"]
    data: dict[str, object] = {"messages": done.messages, "kinds": done.kinds}
    if done.recorded is not None:
        data |= _json(done.recorded)
        lines += _lines(done.recorded)
    emit(data, lines, as_json)


def pause(
    context: typer.Context,
    program: ProgramName,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Why, for the record.")] = "by hand",
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Hold a program's marketing back. What is planned waits until somebody resumes it; news of orders goes on."""
    from rekindle.service.programs import actions

    who, at = by or operator(), _of_program(context.obj, program)
    changed = _changes(program, paused=True) if dry_run else actions.pause(program, reason, who, at)
    _say(program, "paused", changed, dry_run, as_json)


def resume(context: typer.Context, program: ProgramName, by: By = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Let a paused program's marketing go again. Its complaints count anew from now."""
    from rekindle.service.programs import actions

    who, at = by or operator(), _of_program(context.obj, program)
    changed = _changes(program, paused=False) if dry_run else actions.resume(program, who, at)
    _say(program, "running", changed, dry_run, as_json)


def _opened(folder: Path) -> tuple[settings.Settings, "datetime"]:
    """A store whose ledger is in use from here on, and its present instant: of a simulated marketplace, its clock."""
    from rekindle.service.config import use_ledger
    from rekindle.service.flow import worlds

    chosen = settings.load(folder)
    use_ledger(chosen)
    return chosen, worlds.clock(chosen) or moment.now()


def _of_program(folder: Path, program: str) -> "datetime":
    """The present instant of a store that has the program."""
    from rekindle.service.flow.documents import approved

    chosen, at = _opened(folder)
    names = sorted(one.name for one in approved(chosen).programs)
    if program not in names:
        raise UsageError(f"there is no approved program '{program}'", f"Name one of {', '.join(names)}.")
    return at


def _changes(program: str, *, paused: bool) -> bool:
    from rekindle.service.programs import queries

    return (program in queries.paused()) != paused


def _say(program: str, state: str, changed: bool, dry_run: bool, as_json: bool) -> None:
    words = f"would be {state}" if dry_run else f"is {state}"
    lines = [f"Program        {program} {words if changed else f'is {state} already'}"]
    emit({"program": program, "state": state, "changed": changed}, lines, as_json)


def _json(done: "Recorded") -> dict[str, object]:
    return {
        "new": done.new, "ours": done.ours, "suppressed": done.suppressed, "opted_out": done.opted_out, "settled": done.settled,
        "paused": list(done.paused),
    }  # fmt: skip


def _lines(done: "Recorded") -> list[str]:
    lines = [
        f"New            {counted(done.new, 'event', 'events')}, {done.ours:,} about messages of this store",
        f"Followed       {done.suppressed:,} suppressed, {done.opted_out:,} opted out, {done.settled:,} settled",
    ]
    return [*lines, *(f"Paused         {name}: too many complaints. Resume it with: rekindle resume {name}" for name in done.paused)]


COMMANDS = {"events": events, "pause": pause, "resume": resume}
