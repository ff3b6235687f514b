"""`check`, `submit` and `approve`: documents from a store folder to the ledger.

Knows nothing of what they say.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import emit, say
from rekindle.cli.store import opened
from rekindle.errors import UsageError

if TYPE_CHECKING:
    from rekindle.program.documents import Documents

_BAD = 3


Matrix = Annotated[bool, typer.Option("--matrix", help="Print who may get what instead: by stage, lapsed cohort and value tier.")]


def check(context: typer.Context, matrix: Matrix = False, as_json: AsJson = False) -> None:
    """Name every mistake in the store's documents. With file, line and remedy; exits with 3 where there is an error."""
    from rekindle.deliver.templates import address_warning
    from rekindle.program import checking

    held = settings.load(context.obj)
    if matrix:
        _show_matrix(checking.load(held.root), as_json)
        return
    findings = checking.check(held.root, today=moment.local_day(moment.now(), held.timezone))
    errors = sum(finding.severity == "error" for finding in findings)
    address = address_warning(held.sender.postal_address)
    lines = [str(finding) for finding in findings] + ([f"rekindle.toml: warning: {address}"] if address else [])
    shown = [
        {"file": one.file, "line": one.line, "rule": one.rule, "message": one.message, "remedy": one.remedy, "severity": one.severity}
        for one in findings
    ]
    emit({"findings": shown, "errors": errors, "settings": [address] if address else []}, lines or ["Nothing to mend."], as_json)
    if errors:
        raise typer.Exit(_BAD)


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


def approve(
    context: typer.Context,
    digest: Annotated[str | None, typer.Argument(metavar="HASH", help="A version that was submitted, or its first characters.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Submit and approve the folder's documents as they are.")] = False,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who says yes. Default: you.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say yes to a version, for the mailbox. Plans read approved versions alone."""
    from rekindle.service.flow import approving, documents
    from rekindle.service.programs.actions import approve as approve_version
    from rekindle.service.programs.queries import version

    if (digest is None) == (not all_):
        raise UsageError("approve takes a HASH or --all", "Write the hash that rekindle submit printed, or --all.")
    who = by or operator()
    with opened(context.obj) as store:
        if dry_run:
            wanted = [version(digest).digest] if digest else list(documents.unsubmitted(store.settings))
            emit({"would_approve": wanted, "by": who}, [f"Would approve  {', '.join(wanted) or 'nothing new'}, by {who}"], as_json)
            return
        approving.refuse_unfair(store.settings, store.warehouse, approving.proposed(store.settings, digest))
        if digest is not None:
            approved = [approve_version(digest, who, store.now)]
            lines = [approved[0][:12]]
        else:
            changed = documents.unsubmitted(store.settings)
            versions = documents.approve_all(store.settings, who, store.now)
            approved = [version.digest for version in versions]
            lines = [f"{one.digest[:12]}   {one.name}" for one in versions if one.name in changed]
            lines.append(f"{len(versions) - len(lines)} unchanged")
    say(f"Approved by {who}, for the mailbox alone: nothing leaves this machine.")
    emit({"approved": approved, "by": who}, lines, as_json)


COMMANDS = {"check": check, "submit": submit, "approve": approve}
