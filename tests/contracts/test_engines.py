"""What every engine of history must do alike: the same expressions, the same facts."""

import ibis
import pyarrow as pa
import pytest
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from rekindle.history.tables import SUPERSEDED
from rekindle.history.warehouse import Warehouse
from tests.history.facts import held

VERSIONS = [("1", 100, 1), ("2", 200, 1), ("1", 150, 2), ("3", 300, 2), ("1", 100, 3)]
REPLACED = [("1", 1, 2), ("1", 2, 3)]


def filled(engine: str) -> Warehouse:
    warehouse = Warehouse(getattr(ibis, engine).connect())
    columns = {"order_id": pa.string(), "net": pa.int64(), "batch": pa.int64()}
    warehouse.backend.create_table("orders", pa.table(list(zip(*VERSIONS, strict=True)), schema=pa.schema(columns)))
    replaced = [{"name": "orders", "key": key, "batch": old, "by_batch": new} for key, old, new in REPLACED]
    warehouse.backend.create_table("superseded", pa.Table.from_pylist(replaced, schema=SUPERSEDED.to_pyarrow()))
    return warehouse


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_current_facts_are_the_same_on_every_engine(engine: str) -> None:
    warehouse = filled(engine)
    assert held(warehouse, "orders", "order_id", "net", watermark=1) == [("1", 100), ("2", 200)]
    assert held(warehouse, "orders", "order_id", "net", watermark=2) == [("1", 150), ("2", 200), ("3", 300)]
    assert held(warehouse, "orders", "order_id", "net") == [("1", 100), ("2", 200), ("3", 300)]


def test_current_facts_can_be_asked_of_spark() -> None:
    """Spark itself is not needed to see that it has words for the expression."""
    current = filled("duckdb").current("orders", watermark=2)
    assert " LEFT ANTI JOIN " in PySparkCompiler().to_sqlglot(current.unbind()).sql("spark")
