"""Rows of the ledger as facts of history.

Knows nothing of what the rows are about.
"""

from collections.abc import Mapping, Sequence

import ibis
import pyarrow as pa

from rekindle.history.append import append
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse

_KINDS = {"timestamp": pa.timestamp("us"), "string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "date": pa.date32()}


def tell(warehouse: Warehouse, name: str, rows: Sequence[Mapping[str, object]], source: str, batch: int) -> int:
    """Writes facts into history, and says how many were new or changed.

    Args:
        warehouse: An open history, inside a transaction.
        name: A table of `FACTS`.
        rows: Its columns as far as they say something; instants are naive UTC.
        source: Where the facts come from.
        batch: The batch.
    """
    if not rows:
        return 0
    schema = pa.schema([(column, _KINDS[kind]) for column, kind in FACTS[name].columns.items()])
    done = append(warehouse, name, ibis.memtable(pa.Table.from_pylist([dict(row) for row in rows], schema=schema)), source, batch)
    return done.new + done.changed
