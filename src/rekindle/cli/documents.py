"""`check`, `submit`, `approve` and `pull`: documents from a store folder to the ledger, and back.

Knows nothing of what they say.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import emit, say
from rekindle.cli.store import Open, opened
from rekindle.errors import UsageError

if TYPE_CHECKING:
    from rekindle.program.checking import Finding
    from rekindle.program.documents import Documents
    from rekindle.program.lint import Measured
    from rekindle.service.flow.going_live import Lacking
    from rekindle.service.flow.plan_approving import Waiting

_BAD = 3


Matrix = Annotated[bool, typer.Option("--matrix", help="Print who may get what instead: by stage, lapsed cohort and value tier.")]


def check(context: typer.Context, matrix: Matrix = False, as_json: AsJson = False) -> None:
    """Name every mistake in the store's documents and texts. With file, line and remedy; exits with 3 where there is an error."""
    from rekindle.program import checking

    if matrix:
        _show_matrix(checking.load(settings.load(context.obj).root), as_json)
        return
    found = _checked(context.obj)
    errors = sum(finding.severity == "error" for finding in found.findings)
    lines = [*map(str, found.findings), *(f"{settings.FILE_NAME}: warning: {said}" for said in found.examples)]
    shown = [
        {"file": one.file, "line": one.line, "rule": one.rule, "message": one.message, "remedy": one.remedy, "severity": one.severity}
        for one in found.findings
    ]
    measured = [
        {"file": f"content/{one.file}", "language": one.language, "words": one.words, "grade": one.grade, "generic": one.generic}
        for one in found.messages
    ]
    publish = dict(zip(("name", "text"), found.record, strict=True)) if found.record else None
    told = [f"Publish for DKIM the TXT record {publish['name']}: {publish['text']}"] if publish else []
    record = {"findings": shown, "errors": errors, "settings": list(found.examples), "messages": measured, "dkim": publish}
    emit(record, [*(lines or ["Nothing to mend."]), *told], as_json)
    if errors:
        raise typer.Exit(_BAD)


@dataclass(frozen=True, slots=True)
class _Checked:
    """What `check` has found.

    Args:
        findings: In the documents, the texts and the settings.
        examples: Settings that are still the example, where that does no harm.
        messages: Mails, measured.
        record: What is to be published for DKIM: name and text.
    """

    findings: "tuple[Finding, ...]"
    examples: tuple[str, ...] = ()
    messages: "tuple[Measured, ...]" = ()
    record: tuple[str, str] | None = None


def _checked(root: Path) -> _Checked:
    """Everything that is wrong; of a store whose settings cannot be used, what is wrong with them and with its documents."""
    from rekindle.program import checking
    from rekindle.service.flow import linting, order_margins, placeholders, reviews, senders, setting_lines, signing, spending

    now = moment.now()
    try:
        held = settings.load(root)
    except settings.WrongSettings as wrong:
        return _Checked((*setting_lines.examined(root, wrong), *checking.check(root)))
    today = moment.local_day(now, held.timezone)
    documents = checking.check(held.root, today=today, held=reviews.next_days(held), earns=order_margins.earnings(held))
    try:
        content, signature = linting.examined(held), signing.examined(held)
        rest = (*senders.examined(held), *placeholders.examined(held), *spending.examined(held, now))
    except Exception:
        say("\n".join(map(str, documents)))
        raise
    findings = (*documents, *content.findings, *signature.findings, *rest)
    return _Checked(findings, placeholders.warnings(held), content.messages, signature.record)


def _show_matrix(documents: "Documents", as_json: bool) -> None:
    from rekindle.program import matrix

    rows = [
        {"program": program.name, "stage": cell.stage, "cohort": cell.cohort, "tier": cell.tier, "skipped": cell.skipped,
         "variants": [{"arm": one.arm, "offer": one.offer, "kind": one.kind, "price": one.price, "some": one.some} for one in cell.choices]}
        for program in documents.programs for cell in matrix.cells(program, documents.offers)
    ]  # fmt: skip
    pages = [matrix.page(program, documents.offers, note="").rstrip("\n") for program in documents.programs]
    emit({"matrix": rows}, ["\n\n".join([matrix.NOTE.rstrip("\n"), *pages])], as_json)


def submit(context: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Submit the store's documents to the ledger. They become versions that never change; approve makes plans use them."""
    from rekindle.service.flow import documents

    with opened(context.obj) as store:
        changed = documents.unsubmitted(store.settings)
        if dry_run:
            emit({"changed": list(changed)}, [f"Changed        {', '.join(changed) or 'nothing'}"], as_json)
            return
        versions = documents.submit(store.settings, store.now)
    lines = [f"{version.digest[:12]}   {version.name}{'' if version.name in changed else ', approved'}" for version in versions]
    following = [f"Next           {store.command('approve --all')}"] if changed else []
    emit({"versions": [{"name": one.name, "digest": one.digest} for one in versions]}, [*lines, *following], as_json)


def approve(  # noqa: PLR0913  one argument for each option of the command
    context: typer.Context,
    digest: Annotated[str | None, typer.Argument(metavar="HASH", help="A version, or a plan that waits; its first characters do.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Submit and approve the folder's documents as they are.")] = False,
    send: Annotated[int | None, typer.Option(metavar="N", help="Of a plan: how many messages leave this machine, as plan said.")] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who says yes. Default: you.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say yes to a version, or to a plan. Plans read approved versions; a plan sends nothing out of this machine without a yes."""
    from rekindle.service.flow import approving, documents, plan_approving
    from rekindle.service.programs.queries import version

    if (digest is None) == (not all_):
        raise UsageError("approve takes a HASH or --all", "Write the hash that rekindle submit printed, or --all.")
    who = by or operator()
    with opened(context.obj) as store:
        if digest and (plan := plan_approving.named(store.settings, digest)):
            approve_plan(store, plan, send, who, dry_run)
            emit({"approved": [] if dry_run else [plan.plan], "messages": plan.messages, "by": who}, [plan.plan[:12]], as_json)
            return
        if dry_run:
            wanted = [version(digest).digest] if digest else list(documents.unsubmitted(store.settings))
            emit({"would_approve": wanted, "by": who}, [f"Would approve  {', '.join(wanted) or 'nothing new'}, by {who}"], as_json)
            return
        _refuse_mistakes(store, digest)
        held = approving.proposed(store.settings, digest)
        approving.refuse_unfair(store.settings, store.warehouse, held)
        approved, lines = _approved(store, digest, who)
        out, lacking = plan_approving.leaving(store.settings), _filled(store, held, who)
    say(f"Approved by {who}{'; a plan waits for a yes of its own' if out else ', for the mailbox alone: nothing leaves this machine'}.")
    for one in lacking:
        say(f"Not live yet   {one.program}: {' and '.join(one.what)}. {one.remedy}")
    emit({"approved": approved, "by": who}, lines, as_json)


def _refuse_mistakes(store: Open, digest: str | None) -> None:
    """Lets a version be approved only while it and the store's texts with it have no error; the folder's documents are looked at later."""
    from rekindle.service.flow import documents, drafts, linting
    from rekindle.service.programs.queries import version

    wanted = version(digest) if digest else None
    linting.refuse_errors(store.settings, {wanted.name: wanted.text} if wanted else {})
    if wanted:
        documents.refuse_errors(drafts.examine(store.settings, wanted.name, wanted.text, today=None).errors)


def _filled(store: Open, held: "Documents | None", who: str) -> "tuple[Lacking, ...]":
    """Freezes what baselines can be frozen, and returns what programs lack still where messages would leave this machine."""
    from rekindle.service.flow import baselines, going_live, plan_approving

    if held is None:
        return ()
    baselines.fill(store.settings, store.warehouse, held, who, store.now)
    return going_live.lacking(store.settings, held, store.now) if plan_approving.leaving(store.settings) else ()


def _approved(store: Open, digest: str | None, who: str) -> tuple[list[str], list[str]]:
    """Approves a version, or all of the folder's: the digests, and what is said of them."""
    from rekindle.service.flow import documents, drafts
    from rekindle.service.programs.actions import approve as approve_version
    from rekindle.service.programs.queries import version

    if digest is not None:
        approved = approve_version(digest, who, store.now)
        drafts.pull(store.settings, version(approved).name)
        return [approved], [approved[:12]]
    changed = documents.unsubmitted(store.settings)
    versions = documents.approve_all(store.settings, who, store.now)
    lines = [f"{one.digest[:12]}   {one.name}" for one in versions if one.name in changed]
    return [version.digest for version in versions], [*lines, f"{len(versions) - len(lines)} unchanged"]


def approve_plan(store: Open, plan: "Waiting", typed: int | None, who: str, dry_run: bool) -> None:
    """Says yes to a plan's leaving this machine.

    Args:
        store: The open store.
        plan: The plan.
        typed: How many messages leave this machine, as the person typed it.
        who: The person.
        dry_run: Whether nothing is to be changed.
    """
    from rekindle.service.flow import linting, plan_approving

    if dry_run:
        say(f"Would approve  {plan.plan[:12]}: {plan.messages} messages would leave this machine")
        return
    linting.refuse_errors(store.settings)
    plan_approving.approve(store.settings, plan, typed, who, store.now)
    say(f"Approved by {who}: {plan.messages} messages leave this machine when they are due.")


def pull(context: typer.Context, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Write approved versions into the store folder. A file with changes of its own that nobody submitted stays as it is."""
    from rekindle.service.flow import drafts

    with opened(context.obj) as store:
        written, left = drafts.pull(store.settings, dry_run=dry_run)
    word = "Would write" if dry_run else "Written"
    lines = [f"{word:<15}{', '.join(written) or 'nothing'}"]
    lines += [f"Left alone     {name}: it has changes that nobody submitted" for name in left]
    emit({"written": list(written), "left_alone": list(left)}, lines, as_json)


COMMANDS = {"check": check, "submit": submit, "approve": approve, "pull": pull}
