"""A copy of everything that is held of one customer, as one JSON file.

Knows nothing of who asks. What is written here is gathered from every table that names customers, so that none is left out by oversight.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rekindle.history import erasing as history
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.config import ledger_named
from rekindle.service.flow import personal_files
from rekindle.service.privacy import actions, queries
from rekindle.service.privacy.models import ACCESS, Receipt
from rekindle.settings import Settings

FOLDER = "exports"

Tables = Mapping[str, Sequence[object]]
"""Rows by the name of what holds them."""


def copy_of(
    settings: Settings, customer_id: str, at: datetime, out: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[Receipt, Path]:
    """Writes the copy that a customer asked for, and its receipt.

    Args:
        settings: The store's; its ledger is in use, and nobody in this process has its history open.
        customer_id: Whose.
        at: The instant, aware.
        out: Where it goes; by the receipt's number under `var/exports` where not given.
        say: Told what it waits for.
    """
    receipt = actions.ask(ACCESS, customer_id, "command", at)
    with ledger_named(settings), open_history(settings.history, settings.root, on_wait=say) as warehouse:
        return _copied(settings, warehouse, receipt, at, out)


def copy_asked(settings: Settings, at: datetime, say: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Writes every copy that was asked for, and says where they are.

    Args:
        settings: The store's; its ledger is in use, and nobody in this process has its history open.
        at: The instant, aware.
        say: Told what it waits for.
    """
    asked = list(queries.open_requests(ACCESS))
    if not asked:
        return []
    with ledger_named(settings), open_history(settings.history, settings.root, on_wait=say) as warehouse:
        return [_copied(settings, warehouse, one, at, None)[1] for one in asked]


def place(var: Path, number: str) -> Path:
    """Where the copy of a receipt lies."""
    return var / FOLDER / f"{number}.json"


def _copied(settings: Settings, warehouse: Warehouse, receipt: Receipt, at: datetime, out: Path | None) -> tuple[Receipt, Path]:
    found = gather(settings, warehouse, receipt.customer_id)
    path = out or place(settings.var, receipt.number)
    said = {"customer": receipt.customer_id, "as_of": at, **found}
    _write(path, json.dumps(said, default=str, ensure_ascii=False, indent=1))
    counts = {part: {name: len(rows) for name, rows in tables.items()} for part, tables in found.items()}
    return actions.finish(receipt, counts, at), path


def gather(settings: Settings, warehouse: Warehouse, customer_id: str) -> dict[str, Tables]:
    """Everything that is held of a customer: in ledger, history and files.

    Args:
        settings: The store's.
        warehouse: Its open history.
        customer_id: Whose.
    """
    who = pa.table({"customer_id": [customer_id]})
    traces = queries.traces([customer_id], history.orders_of(warehouse, who))
    mails = [path.read_text(encoding="utf-8", errors="replace") for path in personal_files.messages(settings.var, traces.tokens)]
    visits = personal_files.lines_of(settings.var, traces.touches)
    return {
        "ledger": queries.rows_of(customer_id), "history": history.of_customer(warehouse, customer_id),
        "files": {"profile": _profile(settings.var, customer_id), "messages": mails, "visits": visits},
    }  # fmt: skip


def _profile(var: Path, customer_id: str) -> list[object]:
    """The customer's row of the newest snapshot of profiles."""
    snapshots = sorted((var / "insight").glob("*/profile.parquet"), key=lambda one: one.stat().st_mtime)
    if not snapshots:
        return []
    rows = pq.read_table(snapshots[-1], filters=pc.field("customer_id") == customer_id)
    return list(rows.to_pylist())


def _write(path: Path, text: str) -> None:
    """Writes a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".partial")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
