"""`policy`: versions of the table of chances, proposed, compared, approved and taken back.

Knows nothing of how a version is chosen.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, money
from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, AsOfDay, DryRun
from rekindle.cli.output import counted, emit, progress, say, shown
from rekindle.cli.store import Open, opened
from rekindle.errors import CannotTell, UsageError

if TYPE_CHECKING:
    from rekindle.decide.policy import Policy
    from rekindle.insight.models import Interval
    from rekindle.learn.offers_table import Line
    from rekindle.learn.policies import Proposer
    from rekindle.learn.versions import Change, Version
    from rekindle.program.documents import Documents
    from rekindle.service.flow.policy_approving import Held, Yes
    from rekindle.service.flow.policy_proposals import News

SHOWN, FEW = 12, 3
"""Changes and notes that are printed; the page and --json have all."""

By = Annotated[str | None, typer.Option(metavar="NAME", help="Who says yes. Default: you.")]

app = typer.Typer(
    help="Versions of the table of chances: how likely each kind of customer is to get each variant.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def propose(
    context: typer.Context,
    as_of: AsOfDay = None,
    by_policy: Annotated[
        str, typer.Option("--policy", metavar="NAME", help="Who chooses: learning, best-fixed-arm or ranked.")
    ] = "learning",
    table: Annotated[Path | None, typer.Option("--table", metavar="FILE", help="A table of your own, as show --json gives it.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Propose a new version from what decisions brought so far. It is kept with its evidence and a page; plans go by it once approved."""
    from rekindle.service.flow import documents, policies, policy_page, policy_proposals

    with opened(context.obj) as store, progress("Learning from what decisions brought"):
        asked = policy_proposals.Question(store.settings, store.warehouse, documents.approved(store.settings), store.as_of(as_of))
        version = policy_proposals.by_hand(asked, table) if table else policy_proposals.propose(asked, _proposer(by_policy))
        known = policy_proposals.already(store.settings, version)
        page = None
        if not dry_run and version.name != version.before:
            policies.keep(store.settings, version, store.now)
            page = policy_page.publish(store.settings, policies.read(store.settings, version.name))
    lines = [*_described(version, store), *([f"Known          {known}"] if known else [])]
    following = [f"Page           {shown(page)}", f"Next           {store.command(f'policy approve {version.name}')}"] if page else []
    emit({**_json(version), "new": known is None, "page": page}, [*lines, *following], as_json)


def _proposer(name: str) -> "Proposer":
    from rekindle.decide.policy import EQUAL
    from rekindle.learn.policies import POLICIES

    if name == EQUAL:
        raise UsageError("equal chances need no proposal", f"Go back to them with: rekindle policy rollback {EQUAL}")
    if name not in POLICIES:
        raise UsageError(f"there is no policy '{name}'", f"Write one of {', '.join(one for one in POLICIES if one != EQUAL)}.")
    return POLICIES[name]()


def show(
    context: typer.Context,
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help="One version. Default: a list of all.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """List the versions with who approved them and when, or show one. The one in force is marked; --json of one can be edited."""
    from rekindle.service.flow import policies, policy_page

    with opened(context.obj) as store:
        if version is None:
            _list(store, as_json)
            return
        found = policies.read(store.settings, version)
        standing = policy_page.standing(store.settings, found.name)
        page = None if dry_run or not found.changes else policy_page.publish(store.settings, found)
        lines = [*_described(found, store), f"Standing       {standing.words}", *_table(found)]
    data = {**_json(found), "standing": standing.words, "page": page}
    emit(data, [*lines, *([f"Page           {shown(page)}"] if page else [])], as_json)


def _list(store: Open, as_json: bool) -> None:
    from rekindle.decide.policy import EQUAL
    from rekindle.service.flow import policies

    reign, entries = policies.reigning(store.settings), policies.entries(store.settings)
    listed = [one for one in entries if one.way != policies.BY_RULE or one.name == EQUAL]
    data = [
        {"version": one.name, "way": one.way, "proposed_at": one.proposed_at, "in_force": one.name == reign[-1],
         "approvals": [{"by": yes.by, "at": yes.at, "since": yes.since} for yes in one.approvals]}
        for one in listed
    ]  # fmt: skip
    lines = [f"In force       {reign[-1]}", f"Before         {', '.join(reversed(reign[:-1])) or 'none'}"]
    for one in listed:
        said = "; ".join(f"approved by {yes.by} on {_day(yes.at, store)}, from {_day(yes.since, store)} on" for yes in one.approvals)
        lines.append(f"{one.name:<26} {said or f'proposed on {_day(one.proposed_at, store)}, not approved'}")
    emit({"in_force": reign[-1], "before": list(reversed(reign[:-1])), "versions": data}, lines, as_json)


def diff(
    context: typer.Context,
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help="What it would become. Default: what was proposed last.")] = None,
    against: Annotated[str | None, typer.Option("--from", metavar="VERSION", help="What it is now. Default: the one in force.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions chance by chance. Those that differ most come first; nothing is changed."""
    from rekindle.learn.versions import changes
    from rekindle.service.flow import documents, policies

    with opened(context.obj) as store:
        held = documents.approved(store.settings)
        new = _policy(store, held, version or _waiting(store))
        old = _policy(store, held, against) if against else policies.in_force(store.settings, held)
        moved = sorted((one for one in changes(old, new, held.programs) if one.differs), key=lambda one: -abs(one.moved))
    head = f"{old.version} to {new.version}: {counted(len(moved), 'chance differs', 'chances differ')}"
    emit({"from": old.version, "to": new.version, "changes": [_change(one) for one in moved]}, [head, *_changed(moved)], as_json)


def _policy(store: Open, held: "Documents", name: str) -> "Policy":
    from rekindle.decide.policy import EQUAL, equal_chance
    from rekindle.service.flow import policies

    return equal_chance(held.programs) if name == EQUAL else policies.read(store.settings, name).policy


def _waiting(store: Open) -> str:
    """The version that was proposed last and that nobody approved.

    Raises:
        BadData: There is none.
    """
    from rekindle.errors import BadData
    from rekindle.service.flow import policies

    name = policies.proposed(store.settings)
    if name is None:
        raise BadData("no version of the table of chances waits for approval", f"Propose one with: {store.command('policy propose')}")
    return name


def approve(
    context: typer.Context,
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help="In full. Default: you are asked to type it.")] = None,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say yes to a version by typing its whole name. Plans go by it from now on, unless the rules' groups would be treated unequally."""
    from rekindle.service.flow import policies, policy_approving, policy_page

    with opened(context.obj) as store:
        name = policies.read(store.settings, version).name if version else _waiting(store)
        if version != name and not dry_run:
            _confirm(name, store)
        with progress("Judging a plan by it"):
            held = policy_approving.approve(store.settings, store.warehouse, name, _yes(store, by), dry_run)
        page = None if dry_run else policy_page.publish(store.settings, policies.read(store.settings, name))
        lines = [*_verdicts(held), *([f"Page           {shown(page)}"] if page else [])]
        emit(_held(held, by, dry_run), [_headline("Would approve" if dry_run else "Approved", held), *lines], as_json)


def rollback(
    context: typer.Context,
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Which one, or equal-chance. Default: the one that was in force before.")
    ] = None,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Go back to the version in force before, to a named one, or to equal chances. Plans go by it from now on; nothing is deleted."""
    from rekindle.service.flow import policy_approving

    with opened(context.obj) as store:
        held = policy_approving.rollback(store.settings, _yes(store, by), version, dry_run)
        emit(_held(held, by, dry_run), [_headline("Would go back" if dry_run else "Back", held)], as_json)


def offers(context: typer.Context, as_of: AsOfDay = None, as_json: AsJson = False) -> None:
    """Show which offers bring more than nothing, in which contexts. Each against customers who might have got it and heard nothing."""
    from rekindle.learn.offers_table import advice, offers_table
    from rekindle.service.flow import documents, policy_proposals

    with opened(context.obj) as store, progress("Learning from what decisions brought"):
        held = documents.approved(store.settings)
        asked = policy_proposals.Question(store.settings, store.warehouse, held, store.as_of(as_of))
        found = offers_table(policy_proposals.evidence_of(asked), {one.name: one for one in held.programs})
    data = [
        {"program": one.program, "context": one.context, "offer": one.offer, "decisions": one.decisions, "nothing": one.nothing,
         "conversion": _interval(one.conversion), "margin": _interval(one.margin), "advice": advice(one)}
        for one in found
    ]  # fmt: skip
    emit({"offers": data}, _offer_lines(found, store.settings.currency) if found else ["No decision has been drawn yet."], as_json)


def _interval(one: "Interval | CannotTell") -> dict[str, object]:
    return {"cannot_tell": one.reason} if isinstance(one, CannotTell) else {"low": one.low, "estimate": one.estimate, "high": one.high}


def _offer_lines(found: Iterable["Line"], currency: str) -> Iterable[str]:
    """A line for each offer and context of which something can be told, and how many of which nothing can."""
    from rekindle.learn.offers_table import advice

    yield "More than nothing brought: orders per 100 decisions, margin a decision, each with its 95 % interval"
    silent = 0
    for one in found:
        if isinstance(one.conversion, CannotTell) or isinstance(one.margin, CannotTell):
            silent += 1
            continue
        orders = f"{one.conversion.estimate:+.1%} ({one.conversion.low:+.1%} to {one.conversion.high:+.1%})"
        low, middle, high = (money.show(part, currency) for part in (one.margin.low, one.margin.estimate, one.margin.high))
        said = f"; {advice(one)}" if advice(one) else ""
        worth = f"margin {middle} ({low} to {high}), {one.decisions:,} decisions"
        yield f"{one.program}, {one.context}, {one.offer}: orders {orders}, {worth}{said}"
    if silent:
        yield f"{counted(silent, 'offer and context has', 'offers and contexts have')} too few orders to tell (--json says why)"


def _confirm(name: str, store: Open) -> None:
    """Asks for the version's whole name on a terminal.

    Raises:
        UsageError: It is no terminal, or another name was typed.
    """
    import sys

    remedy = f"Write it in full: {store.command(f'policy approve {name}')}"
    if not sys.stdin.isatty():
        raise UsageError("an approval takes the whole name of the version", remedy)
    say(f"Type {name} to approve it:")
    if sys.stdin.readline().strip() != name:
        raise UsageError("what was typed is not the name of the version, so nothing was approved", remedy)


def _yes(store: Open, by: str | None) -> "Yes":
    from rekindle.service.flow.policy_approving import Yes

    return Yes(by or operator(), store.now, store.as_of(None))


def _day(at: datetime, store: Open) -> date:
    """A day in the store's time zone."""
    return moment.local_day(at, store.settings.timezone)


def _headline(done: str, held: "Held") -> str:
    return f"{done:<15}{held.name}, in force instead of {held.before}"


def _held(held: "Held", by: str | None, dry_run: bool) -> dict[str, object]:
    return {
        "in_force": held.before if dry_run else held.name, "version": held.name, "before": held.before, "by": by or operator(),
        "dry_run": dry_run,
        "fairness": [{"column": one.column, "group": one.group, "passed": one.passed, "words": one.words} for one in held.verdicts],
    }  # fmt: skip


def _verdicts(held: "Held") -> list[str]:
    return [f"Fairness       {one.words}" for one in held.verdicts]


def _described(version: "Version", store: Open) -> Iterable[str]:
    """A version for people."""
    day = _day(version.as_of, store)
    yield f"Version        {version.name}, {version.way}, of facts before {day}; in force then: {version.before}"
    yield f"Evidence       {counted(version.decisions, 'decision', 'decisions')}, {counted(version.orders, 'order', 'orders')} after them"
    yield f"Changes        {len(version.differing):,} of {counted(len(version.changes), 'chance', 'chances')}"
    yield from _changed(version.differing)
    yield from _ahead(version, store.settings.currency)
    yield from (f"Note           {note}" for note in version.notes[:FEW])
    if len(version.notes) > FEW:
        yield f"{'':<15}and {len(version.notes) - FEW:,} more (the page and --json have all)"


def _changed(moved: Iterable["Change"]) -> Iterable[str]:
    listed = list(moved)
    for one in listed[:SHOWN]:
        place = f"{one.program}, {one.stage}, {one.context}: {one.arm}"
        yield f"               {one.before:>6.1%} to {one.after:>6.1%}  {place}"
    if len(listed) > SHOWN:
        yield f"               and {len(listed) - SHOWN:,} more (the page and --json have all)"


def _ahead(version: "Version", currency: str) -> Iterable[str]:
    ahead = version.outlook
    if isinstance(ahead, CannotTell):
        yield f"Cost           cannot tell: {ahead.reason}"
        return
    spend, before = (money.show(one, currency) for one in (ahead.spend, ahead.spend_before))
    limit = "no limit" if ahead.budget is None else f"at most {money.show(ahead.budget, currency)}"
    yield f"Cost           {spend} expected in {ahead.days} days, {limit}; before: {before}"
    low, middle, high = (money.show(one, currency) for one in (ahead.more.low, ahead.more.estimate, ahead.more.high))
    yield f"Worth          {middle} more than before expected in {ahead.days} days ({low} to {high})"


def news_lines(news: "News | CannotTell | None", store: Open) -> Iterable[str]:
    """That a new version would differ from the one in force, and how to see it; nothing where it would not."""
    if news is not None and not isinstance(news, CannotTell):
        yield f"Chances        {news.words}. See it with: {store.command('policy propose')}"


def news_json(news: "News | CannotTell | None") -> dict[str, object] | None:
    """The same as JSON."""
    if news is None:
        return None
    if isinstance(news, CannotTell):
        return {"differs": False, "why": news.reason}
    return {"differs": True, "chances": news.chances, "most": _change(news.most)}


def _table(version: "Version") -> Iterable[str]:
    """The table itself, a line for each context of each stage."""
    cells: dict[tuple[str, str, str], dict[str, float]] = {}
    for program, stage, where, arm, weight in sorted(version.policy.rows):
        cells.setdefault((program, stage, where), {})[arm] = weight
    for place, chances in cells.items():
        yield f"{', '.join(place)}: " + ", ".join(f"{arm} {chance:.1%}" for arm, chance in chances.items())


def _json(version: "Version") -> dict[str, object]:
    from rekindle.learn.versions.text import as_json

    return as_json(version)


def _change(one: "Change") -> dict[str, object]:
    return {"program": one.program, "stage": one.stage, "context": one.context, "arm": one.arm, "before": one.before, "after": one.after}


COMMANDS: dict[str, Callable[..., None]] = {
    "propose": propose, "show": show, "diff": diff, "approve": approve, "rollback": rollback, "offers": offers,
}  # fmt: skip
for name, command in COMMANDS.items():
    app.command(name, short_help=f"{(command.__doc__ or '').partition('. ')[0].rstrip('.')}.")(command)
