"""`export` and `erase`: what is held of a customer, as a copy, and gone.

Knows nothing of where data lies.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import counted, emit, may_write, progress, say, shown

if TYPE_CHECKING:
    from rekindle.service.flow.erasing import Erased
    from rekindle.settings import Settings

Who = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer's id, their id in your files, or their e-mail address.")]
Several = Annotated[
    list[str] | None,
    typer.Argument(metavar="CUSTOMER...", help="Customers as above. None: those who asked by page, API or Shopify and wait."),
]


def erase(context: typer.Context, customers: Several = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Erase customers: from history, ledger and every file that Rekindle wrote. It cannot be undone; a receipt says what was done."""
    from rekindle.service.flow.erasing import erase_asked
    from rekindle.service.people.queries import find
    from rekindle.service.privacy import actions, queries
    from rekindle.service.privacy.models import ERASURE

    store, at = _opened(context.obj), moment.now()
    found = sorted({find(one) for one in customers or ()})
    if dry_run:
        waiting = queries.open_requests(ERASURE).count()
        rows = {one: sum(map(len, queries.rows_of(one).values())) for one in found}
        lines = [f"Would erase    {one}: {counted(count, 'row', 'rows')} in the ledger" for one, count in rows.items()]
        lines.append(f"Asked for      {counted(waiting, 'erasure waits', 'erasures wait')}")
        emit({"customers": found, "asked": waiting}, lines, as_json)
        return
    for one in found:
        actions.ask(ERASURE, one, "command", at)
    with progress("Erasing"):
        done = erase_asked(store, at, say)
    emit(_json(done), _lines(done), as_json)


def export(
    context: typer.Context,
    customer: Who,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the copy goes. Default: var/exports of the store.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write everything that is held of a customer into one JSON file, readable by you alone. A receipt says that it was done."""
    from rekindle.service.flow.copying import copy_of
    from rekindle.service.people.queries import find
    from rekindle.service.privacy.queries import rows_of

    may_write(out)
    store, at = _opened(context.obj), moment.now()
    if dry_run:
        counts = {name: len(rows) for name, rows in rows_of(find(customer)).items()}
        rows = counted(sum(counts.values()), "row", "rows")
        emit({"ledger": counts}, [f"Would copy     {rows} of the ledger, and what history and files hold"], as_json)
        return
    with progress("Gathering"):
        receipt, path = copy_of(store, find(customer), at, out, say)
    said = {"receipt": receipt.number, "file": path, "digest": receipt.digest, "done": json.loads(receipt.done)}
    emit(said, [f"Copy           {shown(path)}", f"Receipt        {receipt.number}"], as_json)


def do_what_was_asked(folder: Path) -> None:
    """Writes the copies and does the erasures that wait, and says so; nothing where none do.

    Args:
        folder: The store's; its history is not open.
    """
    from rekindle.service.flow.copying import copy_asked
    from rekindle.service.flow.erasing import erase_asked

    store, at = _opened(folder), moment.now()
    for path in copy_asked(store, at, say):
        say(f"Copy           {shown(path)}: a customer asked for it")
    done = erase_asked(store, at, say)
    if done is not None:
        say("\n".join(_lines(done)))


def _opened(folder: Path) -> "Settings":
    from rekindle.service.config import use_ledger

    chosen = settings.load(folder)
    use_ledger(chosen)
    return chosen


def _json(done: "Erased | None") -> dict[str, object]:
    if done is None:
        return {"customers": 0, "receipts": []}
    return {
        "customers": done.customers, "history": done.history, "ledger": done.ledger, "files": done.files,
        "receipts": [{"receipt": one.number, "digest": one.digest} for one in done.receipts], "still_named": list(done.still_named),
    }  # fmt: skip


def _lines(done: "Erased | None") -> Iterable[str]:
    if done is None:
        yield "Erased         nobody: no erasure waits"
        return
    rows, gone = sum(done.history.values()), sum(done.ledger.values())
    yield f"Erased         {counted(done.customers, 'customer', 'customers')}: {rows:,} rows of history, {gone:,} of the ledger"
    yield "Files          " + (", ".join(f"{name} {count:,}" for name, count in done.files.items()) or "none named them")
    for one in done.receipts:
        yield f"Receipt        {one.number}, digest {one.digest[:16]}"
    for path in done.still_named:
        yield f"Still named    in {shown(path)}: a file of yours; Rekindle leaves such rows out from now on"


COMMANDS = {"export": export, "erase": erase}
