"""Small facts for tests of history, each from the one thing that a test is about."""

from collections.abc import Iterable
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.history.append import Appended, append, next_batch, record_batch
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse

NOON = datetime(2026, 11, 2, 12)
VALUES = {"string": "x", "int32": 1, "int64": 1000, "float64": 0.1, "timestamp": NOON, "date": NOON.date(), "boolean": False}


def rows(name: str, *given: dict[str, object]) -> ir.Table:
    """Facts of a table: what is given, and one fixed value of its type in every other column."""
    columns = FACTS[name].columns
    filled = [{column: one.get(column, VALUES[kind]) for column, kind in columns.items()} for one in given]
    return ibis.memtable(pa.Table.from_pylist(filled), schema=ibis.schema(columns))


def order(order_id: str, net: int) -> dict[str, object]:
    return {"order_id": order_id, "net": net}


def lines(order_id: str, *amounts: int) -> list[dict[str, object]]:
    return [{"order_id": order_id, "line_no": number, "amount": amount} for number, amount in enumerate(amounts, 1)]


def take(warehouse: Warehouse, name: str, given: Iterable[dict[str, object]]) -> Appended:
    """Appends facts as a batch of their own, noted where it wrote something."""
    batch = next_batch(warehouse)
    written = append(warehouse, name, rows(name, *given), "shop", batch)
    if written != Appended(0, 0):
        record_batch(warehouse, batch, "shop", "orders.csv", NOON)
    return written


def held(warehouse: Warehouse, name: str, *columns: str, watermark: int | None = None) -> list[tuple[object, ...]]:
    """The current facts of a table as sorted tuples of some columns."""
    table = warehouse.arrow(warehouse.current(name, watermark).select(*columns))
    return sorted(zip(*(table[column].to_pylist() for column in columns), strict=True))
