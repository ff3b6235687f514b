"""`import`: files into history and ledger, with a quality report.

Knows nothing of how a file is read.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import money
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import emit, progress
from rekindle.cli.store import opened
from rekindle.errors import UsageError

if TYPE_CHECKING:
    from rekindle.ingest import QualityReport


def import_(  # noqa: PLR0913  the options of the command
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Parquet, CSV or JSON lines; .gz too.")] = None,
    preset: Annotated[str | None, typer.Option(help="A known file: online-retail, shopify-orders.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="A mapping file for anything else (docs/import.md).")] = None,
    contacts: Annotated[bool, typer.Option("--contacts", help="The files hold contacts and consent.")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Try the parked rows again, after a fix.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take files into history, and contacts into the ledger. The same file twice changes nothing; bad rows are parked."""
    from rekindle.service.flow.importing import How, take_again, take_in

    if replay and (files or dry_run):
        raise UsageError("--replay takes no files and no --dry-run", "Write --replay with the preset or mapping of the parked rows.")
    how = How(preset, map_, contacts)
    with opened(context.obj) as store, progress("Importing"):
        if replay:
            report = take_again(store.settings, store.warehouse, how, store.now)
        else:
            report = take_in(store.settings, store.warehouse, files or [], how, store.now, dry_run)
    emit(dict(report.to_json()), lines(report), as_json)


def lines(report: "QualityReport") -> Iterable[str]:
    """The quality report for people."""
    rejected: Mapping[str, int] = report.rejected
    why = ", ".join(f"{reason} {count:,}" for reason, count in rejected.items()) or "none"
    yield f"Read           {report.read:,} rows: {report.accepted:,} accepted, {report.duplicates:,} duplicates, {sum(rejected.values()):,} rejected"
    yield f"Rejected       {why}"
    yield f"Found          {report.orders:,} orders and {report.returns:,} returns of {report.customers:,} customers"
    yield f"Goods          {money.show(report.gross, report.currency)}"
    yield f"History        {report.new:,} new facts, {report.changed:,} changed"
    for path in report.parked:
        yield f"Parked         {path} (mend the cause, then: rekindle import --replay)"


COMMANDS = {"import": import_}
