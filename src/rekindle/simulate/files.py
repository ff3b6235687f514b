"""What a shop's exports would hold of a period, as import files with their mapping.

Knows nothing of what the facts mean. A fact with a later instant (delivered, closed) is told when it begins, and again when
that instant has passed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ruamel.yaml import YAML

from rekindle.simulate.chance import Ints
from rekindle.simulate.ids import exported
from rekindle.simulate.world import save

MAPPING = "marigold.yaml"
INBOX = Path("var") / "inbox"


@dataclass(frozen=True, slots=True)
class Shape:
    """How facts of a kind are told.

    Args:
        columns: Of the world's table that an export shows, by their names there.
        at: The column of the instant at which a fact begins; "" where it is there from the first.
        until: The column of the later instant.
        hidden: Columns of other instants, not told before they have passed.
        unmapped: Exported columns that no import reads.
    """

    columns: tuple[str, ...]
    at: str = ""
    until: str = ""
    unmapped: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


SHAPES = {
    "sellers": Shape(("seller", "name", "suspended")),
    "products": Shape(("product", "name", "category", "seller", "price", "cost", "in_stock")),
    "customers": Shape(("customer", "first_seen_at", "country"), "first_seen_at"),
    "contacts": Shape(
        (
            "customer", "email", "phone", "first_name", "last_name", "locale", "timezone", "birthday", "email_consent", "sms_consent",
            "consent_at", "consent_source",
        ),
        "consent_at",
    ),
    "orders": Shape(("order", "customer", "ordered_at", "total", "discount", "shipping", "code"), "ordered_at"),
    "lines": Shape(
        ("order", "line_no", "customer", "ordered_at", "product", "seller", "quantity", "amount", "discount", "cost"),
        "ordered_at", unmapped=("line_no",),
    ),
    "shipments": Shape(
        ("shipment", "order", "customer", "promised_at", "delivered_at", "shipped_at"), "ordered_at", "delivered_at",
        hidden=("shipped_at",),
    ),
    "returns": Shape(
        ("return", "order", "customer", "product", "returned_at", "quantity", "amount", "reason", "open"), "returned_at", "closed_at"
    ),
    "reviews": Shape(("review", "customer", "order", "product", "rating", "reviewed_at"), "reviewed_at"),
    "tickets": Shape(("ticket", "customer", "order", "topic", "opened_at", "closed_at"), "opened_at", "closed_at"),
    "events": Shape(("event", "customer", "name", "occurred_at", "product", "value"), "occurred_at"),
    "credits": Shape(("credit", "customer", "amount", "spent", "issued_at", "expires_on"), "issued_at", "spent_at"),
    "promotions": Shape(("promotion", "seller", "category", "percent", "starts_at", "ends_at"), "starts_at"),
}


def told(table: pa.Table, kind: str, begin: int, end: int) -> pa.Table:
    """The rows that a period's export holds, as they are known at its end.

    Args:
        table: A world's table.
        kind: A key of `SHAPES`.
        begin: Seconds since 1970-01-01 UTC; facts before it were told, unless they were still open.
        end: Exclusive.
    """
    shape = SHAPES[kind]
    if not shape.at:
        return table.select(shape.columns)
    chosen = _within(table[shape.at], begin, end)
    if shape.until:
        table, chosen = _closing(table, shape, chosen, begin, end)
    return table.filter(pa.array(chosen)).select(shape.columns)


def _within(instants: pa.ChunkedArray, begin: int, end: int) -> np.ndarray:
    seconds: Ints = np.asarray(instants)
    return (seconds >= begin) & (seconds < end)


def _closing(table: pa.Table, shape: Shape, chosen: np.ndarray, begin: int, end: int) -> tuple[pa.Table, np.ndarray]:
    """Adds the facts that closed in the period, and hides instants that are not yet known."""
    known = np.asarray(table[shape.until]) < end
    chosen = chosen | (_within(table[shape.until], begin, end) & (np.asarray(table[shape.at]) < end))
    if "open" in shape.columns:
        table = table.append_column("open", pa.array(~known))
    if "spent" in shape.columns:
        table = _replaced(table, "spent", pc.if_else(pa.array(known), table["spent"], 0))
    for name in (shape.until, *shape.hidden):
        table = _replaced(table, name, pc.if_else(pc.less(table[name], end), table[name], pa.scalar(None, pa.int64())))
    return table, chosen


def _replaced(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def write_period(folder: Path, facts: dict[str, pa.Table], batch: int, begin: int, end: int, exponent: int) -> tuple[Path, ...]:
    """Writes a period's import files, those that have rows; the same period twice writes the same files.

    Their numbers are padded, so that they sort as they follow.

    Args:
        folder: The store folder.
        facts: The world's tables by kind.
        batch: Number in the files' names.
        begin: Seconds since 1970-01-01 UTC.
        end: Exclusive.
        exponent: Digits after the currency's point.
    """
    written = []
    for kind, table in facts.items():
        if not SHAPES[kind].at and batch > 1:
            continue
        rows = told(table, kind, begin, end)
        path = folder / INBOX / f"{kind}-{batch:04d}.parquet"
        path.unlink(missing_ok=True)
        if rows.num_rows:
            save(exported(rows, exponent), path)
            written.append(path)
    return tuple(written)


def write_mapping(folder: Path, facts: dict[str, pa.Table], currency: str) -> Path:
    """Writes the mapping file that says which columns the import files have."""
    sources = []
    for kind, table in facts.items():
        shape = SHAPES[kind]
        shown = exported(told(table.slice(0, 0), kind, 0, 0), 0).column_names
        columns = {name: name for name in shown if name not in shape.unmapped}
        pattern = f"{INBOX.as_posix()}/{kind}-*.parquet"
        sources.append({"kind": kind, "file": pattern, "columns": columns, "currency": currency, "timezone": "UTC"})
    path = folder / MAPPING
    with path.open("w", encoding="utf-8") as file:
        file.write("# How Rekindle reads the import files of the simulated marketplace.\n")
        YAML().dump({"sources": sources}, file)
    return path
