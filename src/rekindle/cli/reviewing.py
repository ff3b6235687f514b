"""`review`, `handbook`, `baseline` and `blocker`: what keeps programs honest between two plans.

Knows nothing of how anything is counted.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, AsOfRun, DryRun, a_day
from rekindle.cli.output import counted, emit, may_write, progress, shown
from rekindle.cli.store import opened
from rekindle.errors import CannotTell, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from rekindle.learn.review_pack import PackFacts
    from rekindle.service.flow.baselines import Kept
    from rekindle.service.flow.reviews import Due

By = Annotated[str | None, typer.Option(metavar="NAME", help="Who says so. Default: you.")]
Wanted = Annotated[str | None, typer.Argument(metavar="PROGRAM", help="One program's review. Default: the monthly page, of all.")]
PageFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The page. Default: below var/reviews of the store.")]


def review(  # noqa: PLR0913  one argument for each option of the command
    context: typer.Context,
    program: Wanted = None,
    done: Annotated[bool, typer.Option("--done", help="Of a program: its review was held. What it had stopped goes on.")] = False,
    note: Annotated[str, typer.Option(metavar="WORDS", help="What it found and decided, for the record.")] = "",
    by: By = None,
    as_of: AsOfRun = None,
    out: PageFile = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write the monthly review as one page that prints well, or say that a program was reviewed. Programs that nobody reviews pause."""
    if program is None and (done or note):
        raise UsageError("--done and --note are of one program", "Name it: rekindle review win-back --done")
    may_write(out)
    if program is not None:
        _of_program(context.obj, program, (done, note, by or operator()), dry_run, as_json)
        return
    from rekindle.learn.review_pack import render_pack
    from rekindle.service.flow import documents, insights, review_facts

    with opened(context.obj) as store, progress("Gathering"):
        instant, held = store.as_of_plan(as_of), documents.approved(store.settings)
        asked = review_facts.Review(store.settings, store.warehouse, held, instant, store.now, publish=not dry_run)
        facts = review_facts.gather(asked)
        page = out or review_facts.page_path(store.settings, instant)
        if not dry_run:
            insights.write_whole(page, render_pack(facts))
    emit({**_pack_json(facts), "page": page}, [*_pack_lines(facts), *([] if dry_run else [f"Page           {shown(page)}"])], as_json)


def _of_program(folder: Path, name: str, said: tuple[bool, str, str], dry_run: bool, as_json: bool) -> None:
    from rekindle.service.flow import documents, reviews

    (done, note, who), (chosen, at) = said, _ledger(folder)
    held, today = documents.approved(chosen), moment.local_day(at, chosen.timezone)
    reviews.one_of(held, name)
    if done and not dry_run:
        reviews.hold(held, name, who, at, today, note)
    found = next(one for one in reviews.due(held) if one.program == name)
    last = moment.local_day(found.last, chosen.timezone) if found.last else None
    lines = [
        f"Program        {name}, owned by {found.owner or 'nobody'}",
        f"Last held      {last or 'never'}{': ' + found.note if found.note else ''}",
        f"Next due       {found.on}, {found.state(today)}; its marketing waits from {found.until + timedelta(days=1)} on",
    ]
    emit(_due_json(found, today) | {"last": last}, lines, as_json)


def _due_json(one: "Due", today: date) -> dict[str, object]:
    return {
        "program": one.program, "owner": one.owner, "due": one.on, "grace_until": one.until, "state": one.state(today), "note": one.note,
    }  # fmt: skip


def _pack_json(facts: "PackFacts") -> dict[str, object]:
    from rekindle.service.flow import targets

    standings, audit = targets.to_json(facts.targets, facts.as_of, facts.currency), facts.audit
    return {
        "as_of": facts.as_of.instant, "since": facts.since, "targets": standings["targets"], "learned": list(facts.learned),
        "levels": [{"words": one.words, "now": one.now, "before": one.before, "change": one.change} for one in facts.levels],
        "proposed": list(facts.proposed),
        "reviews": [{"program": one.program, "due": one.on, "state": one.state, "owner": one.owner} for one in facts.reviews],
        "blockers": [{"number": one.number, "text": one.text, "owner": one.owner, "due": one.due} for one in facts.blockers],
        "functions": {name: list(said) for name, said in facts.functions.items()},
        "audit": {"digest": audit.digest, "findings": list(audit.findings), "signed_by": audit.signed_by} if audit else None,
    }


def _pack_lines(facts: "PackFacts") -> list[str]:
    behind = [one.target.name for one in facts.targets if one.status == "behind"]
    late = [f"{one.program} ({one.state}, due {one.on})" for one in facts.reviews if one.state in ("overdue", "past its grace")]
    stood = ", ".join(f"{facts.counted(one)} {one}" for one in ("on track", "behind", "cannot tell"))
    lines = [f"Targets        {stood}{': ' + ', '.join(behind) + ' behind' if behind else ''}"]
    lines += [f"Reviews        {', '.join(late) if late else 'none overdue'}"]
    lines += [f"In the way     {counted(len(facts.blockers), 'blocker', 'blockers')}"] if facts.blockers else []
    signed = "none was made" if facts.audit is None else facts.audit.signed_by and f"signed off by {facts.audit.signed_by}"
    return [*lines, f"Audit          {signed or 'waits for a sign-off: rekindle audit --sign-off last'}"]


def handbook(context: typer.Context, out: PageFile = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Write the handbook as one page: programs and their journeys, segments, measures, targets, rules. From the approved documents."""
    from rekindle.learn.handbook import render_handbook
    from rekindle.service.flow import documents, handbooks, insights

    may_write(out)
    chosen, at = _ledger(context.obj)
    held = documents.approved(chosen)
    page = out or chosen.var / "reports" / "handbook.html"
    facts = handbooks.gather(chosen, held, moment.AsOf(at, chosen.timezone))
    if not dry_run:
        insights.write_whole(page, render_handbook(facts))
    named = {"programs": [one.name for one in held.programs], "segments": [one.name for one in held.segments]}
    emit({**named, "page": page}, [f"Handbook       {shown(page)}" if not dry_run else f"Would write    {shown(page)}"], as_json)


def _ledger(folder: Path) -> tuple[settings.Settings, "datetime"]:
    """A store whose ledger is in use from here on, and its present instant: of a simulated marketplace, its clock."""
    from rekindle.service.config import use_ledger
    from rekindle.service.flow import worlds

    chosen = settings.load(folder)
    use_ledger(chosen)
    return chosen, worlds.clock(chosen) or moment.now()


baselines = typer.Typer(help="Frozen baselines: how things stood before a program began.", no_args_is_help=True, rich_markup_mode=None)


def freeze(
    context: typer.Context,
    program: Annotated[str | None, typer.Argument(metavar="PROGRAM", help="Whose. Default: of every program that has none.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Where one is frozen, let it give way. It stays in the log.")] = False,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Freeze how things stand: levels of the last year, the segments' definitions, and a hash. No program goes live without."""
    from rekindle.service.flow import baselines as flow
    from rekindle.service.flow import documents

    who = by or operator()
    with opened(context.obj) as store, progress("Counting"):
        held, before = documents.approved(store.settings), set(flow.kept(store.settings))
        lacking = [one.name for one in flow.needed(held) if one.name not in before] if program is None else [program]
        if not dry_run and program is not None:
            flow.freeze(store.settings, store.warehouse, held, program, who, store.now, again=again)
        elif not dry_run:
            lacking = _filled(flow.fill(store.settings, store.warehouse, held, who, store.now))
        lines = [_line(one, flow.kept(store.settings)[one]) for one in lacking] if not dry_run else [f"Would freeze   {', '.join(lacking)}"]
    emit({"frozen": lacking, "by": who}, lines or ["Every program has one."], as_json)


def _filled(found: "tuple[str, ...] | CannotTell") -> list[str]:
    from rekindle.errors import BadData

    if isinstance(found, CannotTell):
        raise BadData(f"no baseline can be frozen: {found.reason}", "Import orders and run: rekindle run")
    return list(found)


def _line(name: str, one: "Kept") -> str:
    held = one.baseline
    return f"{name:<18} {held.since} to {held.until}, {held.audience.customers:,} customers, {held.digest[:12]}, by {one.by}"


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """List the frozen baselines, and what has changed since in the definitions that they were counted by."""
    from rekindle.learn.baseline import write
    from rekindle.service.flow import baselines as flow
    from rekindle.service.flow import documents

    chosen, _ = _ledger(context.obj)
    held, found = documents.approved(chosen), flow.kept(chosen)
    changed = {name: one.changed(held) for name, one in found.items()}
    lines = [_line(name, one) + (f"; changed since: {', '.join(changed[name])}" if changed[name] else "") for name, one in found.items()]
    data = [{"baseline": write(one.baseline), "by": one.by, "at": one.at, "changed": list(changed[name])} for name, one in found.items()]
    emit({"baselines": data}, lines or ["No baseline is frozen."], as_json)


blockers = typer.Typer(help="What stands in the way of programs, and whose it is.", no_args_is_help=True, rich_markup_mode=None)


def add(  # noqa: PLR0913  one argument for each option of the command
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What stands in the way, in a sentence.")],
    owner: Annotated[str, typer.Option(metavar="NAME", help="Who is to clear it away.")],
    due: Annotated[str, typer.Option(metavar="DAY", help="By when, such as 2026-12-24.")],
    function: Annotated[str, typer.Option(metavar="NAME", help="Whose it is: marketing, product, support, data or operations.")],
    program: Annotated[str, typer.Option(metavar="PROGRAM", help="Of which program. Default: of the whole store.")] = "",
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write a blocker down, with owner and day. It stands in every review until it is gone."""
    from rekindle.learn.review_pack import FUNCTIONS
    from rekindle.service.flow import documents, reviews
    from rekindle.service.programs import actions
    from rekindle.service.programs.models import Blocker

    chosen, at = _ledger(context.obj)
    if function not in FUNCTIONS:
        raise UsageError(f"there is no function '{function}'", f"Name one of {', '.join(FUNCTIONS)}.")
    if program:
        reviews.one_of(documents.approved(chosen), program)
    row = Blocker(
        text=text[:500], function=function, program=program, owner=owner, due=a_day(due, "Write it as 2026-12-24."),
        opened_by=by or operator(), opened_at=at,
    )  # fmt: skip
    number = None if dry_run else actions.block(row)
    emit({"number": number}, [f"Blocker        {number or 'would be written down'}: {text} ({owner}, by {row.due})"], as_json)


def open_ones(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Those that are gone, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what stands in the way, the most urgent first."""
    from rekindle.service.programs import queries

    _ledger(context.obj)
    found = queries.blockers(resolved=every)
    data = [
        {
            "number": one.pk, "text": one.text, "function": one.function, "program": one.program, "owner": one.owner, "due": one.due,
            "resolved_by": one.resolved_by, "resolved_at": one.resolved_at, "resolution": one.resolution,
        }
        for one in found
    ]  # fmt: skip
    lines = [
        f"{one.pk:>4}  {one.due}  {one.function:<11} {one.program or 'all':<16} {one.text} ({one.owner})"
        + (f"; gone since {one.resolved_at:%Y-%m-%d}: {one.resolution}" if one.resolved_at else "")
        for one in found
    ]
    emit({"blockers": data}, lines or ["Nothing is in the way."], as_json)


def resolve(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Its number, as the list has it.")],
    note: Annotated[str, typer.Option(metavar="WORDS", help="How it was cleared away.")] = "",
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say that a blocker is gone. It stays in the record."""
    from rekindle.service.programs import actions, queries

    _, at = _ledger(context.obj)
    if dry_run:
        queries.open_blocker(number)
    else:
        actions.unblock(number, by or operator(), at, note)
    emit({"number": number, "resolved": not dry_run}, [f"Blocker        {number} {'would be' if dry_run else 'is'} gone"], as_json)


COMMANDS: dict[str, Callable[..., None]] = {"review": review, "handbook": handbook}
_PARTS: tuple[tuple[typer.Typer, dict[str, Callable[..., None]]], ...] = (
    (baselines, {"freeze": freeze, "list": listed}),
    (blockers, {"add": add, "list": open_ones, "resolve": resolve}),
)
for part, commands in _PARTS:
    for name, command in commands.items():
        part.command(name, short_help=f"{(command.__doc__ or '').partition('. ')[0].rstrip('.')}.")(command)
