"""How facts enter history: as versions of a batch, only where they say something new.

Knows nothing of files and presets. The same facts twice write nothing.
"""

from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import BadData
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append wrote, in keys (orders, not lines): `new` ones, and `changed` ones that replaced a version."""

    new: int
    changed: int


def next_batch(warehouse: Warehouse) -> int:
    """The number that the next batch will have."""
    return (warehouse.scalar(warehouse.table("batches").batch.max()) or 0) + 1


def record_batch(warehouse: Warehouse, batch: int, source: str, origin: str, recorded_at: datetime) -> None:
    """Notes a batch that wrote something."""
    row = {"batch": [batch], "source": [source], "origin": [origin], "recorded_at": [recorded_at.replace(tzinfo=None)]}
    warehouse.insert("batches", pa.table(row))


def append(warehouse: Warehouse, name: str, rows: ir.Table, source: str, batch: int) -> Appended:
    """Appends the facts that are new or differ from their current version.

    Args:
        warehouse: An open history, best inside a transaction.
        name: A table of `FACTS`.
        rows: The table's columns without the version's; each key stands for one whole fact.
        source: Where the facts come from.
        batch: From `next_batch`.

    Raises:
        BadData: The batch holds another version of one of the facts already: which is later cannot be told.
    """
    fact = FACTS[name]
    incoming = _with_digest(warehouse, name, rows)
    held = warehouse.current(name).select(fact.key, "digest", old="batch").distinct()
    compared = incoming.select(fact.key, "digest").distinct().left_join(held, fact.key).select(
        fact.key, old=held.old, same=incoming.digest == held.digest
    )
    verdict = warehouse.keep(compared.filter(compared.old.isnull() | ~compared.same))
    if warehouse.scalar((verdict.old == batch).any()):
        raise BadData(f"{name} has two versions of one fact in one import", "Import the files one after another, the older one first.")
    counts = warehouse.row(verdict.aggregate(new=verdict.old.isnull().sum(), changed=verdict.old.notnull().sum()))
    written = Appended(counts["new"] or 0, counts["changed"] or 0)
    if written.changed:
        replaced = verdict.filter(verdict.old.notnull())
        rows_replaced = replaced.select(name=ibis.literal(name), key=replaced[fact.key], batch="old", by_batch=ibis.literal(batch))
        warehouse.insert("superseded", rows_replaced)
    if written.new or written.changed:
        fresh = incoming.semi_join(verdict, fact.key)
        warehouse.insert(name, fresh.mutate(source=ibis.literal(source), batch=ibis.literal(batch)))
    return written


def _with_digest(warehouse: Warehouse, name: str, rows: ir.Table) -> ir.Table:
    """Adds a content hash per key; where a key has several rows it covers all of them, in their order.

    A column that a later schema version brought counts where it says something, so that a fact of before is not written again.
    """
    fact = FACTS[name]
    rows = rows.select(*(rows[column].cast(kind).name(column) for column, kind in fact.columns.items()))
    text = ibis.literal("|").join([rows[column].cast("string").fill_null("~") for column in fact.columns if column not in fact.later])
    for column in sorted(fact.later):
        said = ibis.literal(f"|{column}=") + rows[column].cast("string").fill_null("")
        text += rows[column].isnull().ifelse("", said)
    rows = rows.mutate(digest=text.hexdigest("md5"))
    if name != "order_lines":
        return warehouse.keep(rows)
    whole = rows.group_by("order_id").aggregate(digest=rows.digest.group_concat("", order_by=rows.line_no).hexdigest("md5"))
    return warehouse.keep(rows.drop("digest").join(whole, "order_id"))
