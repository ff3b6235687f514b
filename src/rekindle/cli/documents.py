"""`check`, `submit` and `approve`: documents from a store folder to the ledger.

Knows nothing of what they say.
"""

import getpass
from typing import Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.options import AsJson
from rekindle.cli.output import emit, say
from rekindle.cli.store import opened
from rekindle.errors import UsageError

_BAD = 3


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Name every mistake in the store's documents, with file, line and remedy. Exits with 3 where there is an error."""
    from rekindle.deliver.templates import address_warning
    from rekindle.program import checking

    held = settings.load(context.obj)
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


def submit(context: typer.Context, as_json: AsJson = False) -> None:
    """Submit the store's documents to the ledger as versions that never change."""
    from rekindle.service.flow import documents

    with opened(context.obj) as store:
        versions = documents.submit(store.settings, store.now)
    lines = [f"{version.digest[:12]}   {version.name}" for version in versions]
    emit({"versions": [{"name": one.name, "digest": one.digest} for one in versions]}, [*lines, "Next           rekindle approve HASH, or --all"], as_json)


def approve(
    context: typer.Context,
    digest: Annotated[str | None, typer.Argument(metavar="HASH", help="A version that was submitted.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Submit and approve the folder's documents as they are.")] = False,
    by: Annotated[str | None, typer.Option(help="Who says yes.", show_default="you")] = None,
    as_json: AsJson = False,
) -> None:
    """Say yes to a version, for the mailbox: plans read approved versions alone."""
    from rekindle.service.flow import documents
    from rekindle.service.programs.actions import approve as approve_version

    if (digest is None) == (not all_):
        raise UsageError("approve takes a HASH or --all", "Write the hash that rekindle submit printed, or --all.")
    who = by or getpass.getuser()
    with opened(context.obj) as store:
        if digest is not None:
            approved = [approve_version(digest, who, store.now)]
        else:
            approved = [version.digest for version in documents.approve_all(store.settings, who, store.now)]
    say(f"Approved by {who}, for the mailbox alone: nothing leaves this machine.")
    emit({"approved": approved, "by": who}, [one[:12] for one in approved], as_json)


COMMANDS = {"check": check, "submit": submit, "approve": approve}
