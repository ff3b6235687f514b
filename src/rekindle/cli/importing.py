"""`import`: files into history and ledger, with a quality report.

Knows nothing of how a file is read.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import money
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import counted, emit, progress, shown
from rekindle.cli.store import Open, opened
from rekindle.errors import UsageError

if TYPE_CHECKING:
    from rekindle.ingest import QualityReport


def import_(  # noqa: PLR0913  the options of the command
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Parquet, CSV or JSON lines; .gz too.")] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="A known file: online-retail, shopify-orders or contacts.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="A mapping file for anything else (docs/import.md).")] = None,
    contacts: Annotated[bool, typer.Option("--contacts", help="The files hold contacts and consent.")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Try the parked rows again, after a fix.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take files into history, and contacts into the ledger. The same file twice changes nothing; bad rows are parked.

    A mapping names what each file holds: orders, lines, customers, contacts, products, sellers, shipments, returns, reviews,
    tickets, events, credits, promotions or touches.
    """
    from rekindle.service.flow.importing import How, take_again, take_in

    if replay and (files or dry_run):
        raise UsageError("--replay takes no files and no --dry-run", "Write --replay with the preset or mapping of the parked rows.")
    how = How(preset, map_, contacts)
    with opened(context.obj) as store, progress("Importing"):
        if replay:
            report = take_again(store.settings, store.warehouse, how, store.now)
        else:
            report = take_in(store.settings, store.warehouse, files or [], how, store.now, dry_run)
    emit(report.to_json(), lines(report, store, dry_run), as_json)


def lines(report: "QualityReport", store: Open, dry_run: bool = False) -> Iterable[str]:
    """The quality report for people."""
    rejected: Mapping[str, int] = report.rejected
    parts = f"{report.accepted:,} accepted, {report.duplicates:,} duplicates, {sum(rejected.values()):,} rejected"
    yield f"Read           {counted(report.read, 'row', 'rows')}: {parts}"
    if rejected:
        yield "Rejected       " + ", ".join(f"{reason} {count:,}" for reason, count in rejected.items())
    customers = counted(report.customers, "customer", "customers")
    if report.orders or report.returns:
        facts = f"{counted(report.orders, 'order', 'orders')} and {counted(report.returns, 'return', 'returns')}"
        yield f"Found          {facts} of {customers}, goods worth {money.show(report.gross, report.currency)}"
    else:
        yield f"Found          {customers}"
    if dry_run:
        yield "Dry run        nothing was changed"
        return
    if report.orders or report.returns or report.new or report.changed:
        yield f"History        {counted(report.new, 'new fact', 'new facts')}, {report.changed:,} changed"
    for path in report.parked:
        yield f"Parked         {shown(store.settings.root / path)}"
    if any(UNREADABLE not in path for path in report.parked):
        yield f"               Mend the cause, then: {store.command('import --replay')} with the same preset or mapping"
    if any(UNREADABLE in path for path in report.parked):
        yield "               What is unreadable there is no row: export it again as UTF-8 text, and import that"


UNREADABLE = "-unreadable-"

COMMANDS = {"import": import_}
