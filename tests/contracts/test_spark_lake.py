"""A lake keeps what was written to it, for one job at a time, whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.errors import StoreUnavailable
from rekindle.history import warehouse as door
from rekindle.history.append import Appended
from rekindle.history.warehouse import Warehouse, open_history, stored_schemas
from tests.contracts.engines import QUIETLY, URLS, spark
from tests.history.facts import held, order, rows, take
from tests.history.old_shape import AT, BROUGHT, STORED, old_tables

pytestmark = [pytest.mark.engines, *QUIETLY]
URL = URLS["spark"]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Warehouse]:
    spark()
    with open_history(URL, tmp_path) as opened:
        yield opened


def test_a_lake_has_every_table_and_keeps_versions_of_facts(lake: Warehouse) -> None:
    for name, schema in stored_schemas().items():
        assert lake.table(name).schema() == schema
    take(lake, "orders", [order("1", 100), order("2", 200)])
    take(lake, "orders", [order("1", 150), order("3", 300)])
    assert held(lake, "orders", "order_id", "net", watermark=1) == [("1", 100), ("2", 200)]
    assert held(lake, "orders", "order_id", "net") == [("1", 150), ("2", 200), ("3", 300)]
    kept = lake.keep(lake.current("orders").select("order_id"))
    take(lake, "orders", [order("4", 100)])
    assert lake.scalar(kept.count()) == 3
    numbered = lake.keep_numbered(kept, "number")
    assert lake.scalar(numbered.number.nunique()) == 3
    assert lake.scalar(lake.current("orders").count()) == 4


def test_what_was_written_stays_and_a_job_at_a_time_holds_it(lake: Warehouse, tmp_path: Path) -> None:
    take(lake, "orders", [order("1", 100)])
    told: list[str] = []
    refused = pytest.raises(StoreUnavailable, match="is in use by another job for over 0 s")
    with refused, open_history(URL, tmp_path, wait=0.3, on_wait=told.append):
        pass
    assert told == [f"Waiting for another job that holds {tmp_path / 'lake'} (up to 0 s)"]
    with open_history("spark://other", tmp_path) as other:
        assert lake.scalar(lake.table("orders").count()) == 1
        assert other.scalar(other.table("orders").count()) == 0


def test_a_transaction_that_fails_leaves_nothing(lake: Warehouse) -> None:
    take(lake, "orders", [order("1", 100)])
    written = sorted(lake.path.glob("*/*.parquet"))

    def fails() -> None:
        with lake.transaction():
            take(lake, "orders", [order("2", 100)])
            raise ArithmeticError(lake.scalar(lake.table("orders").count()))

    with pytest.raises(ArithmeticError, match="2"):
        fails()
    assert sorted(lake.path.glob("*/*.parquet")) == written
    assert held(lake, "orders", "order_id", "net") == [("1", 100)]
    with lake.transaction():
        take(lake, "orders", [order("3", 100)])
    assert lake.scalar(lake.table("orders").count()) == 2


def test_what_a_killed_job_left_of_a_transaction_is_removed(tmp_path: Path) -> None:
    spark()
    with open_history(URL, tmp_path) as lake:
        take(lake, "orders", [order("1", 100)])
        broken = lake.transaction()
        broken.__enter__()
        take(lake, "orders", [order("2", 100)])
    with open_history(URL, tmp_path) as lake:
        assert held(lake, "orders", "order_id", "net") == [("1", 100)]


def test_rows_of_arrow_and_of_an_expression_are_matched_by_name(lake: Warehouse) -> None:
    row = {"batch": 1, "name": "Ann", "suspended": False, "digest": "", "source": "shop", "seller_id": "7"}
    lake.insert("sellers", pa.Table.from_pylist([row]))
    lake.insert("sellers", lake.table("sellers").mutate(seller_id="name", name="seller_id"))
    assert held(lake, "sellers", "seller_id", "name") == [("7", "Ann"), ("Ann", "7")]


def test_a_lake_of_a_newer_version_is_refused(lake: Warehouse, tmp_path: Path) -> None:
    lake.insert("meta", pa.table({"schema_version": [door.SCHEMA_VERSION + 1]}))
    copied = tmp_path / "copied" / "meta"
    copied.mkdir(parents=True)
    for file in (lake.path / "meta").glob("*.parquet"):
        (copied / file.name).write_bytes(file.read_bytes())
    refused = pytest.raises(StoreUnavailable, match=rf"copied was written by a newer Rekindle \(schema {door.SCHEMA_VERSION + 1}\)")
    with refused, open_history("spark://copied", tmp_path):
        pass


def test_a_lake_of_an_older_version_opens_with_null_in_the_new_columns(tmp_path: Path) -> None:
    spark()
    for name, old in old_tables().items():
        folder = tmp_path / "lake" / name
        folder.mkdir(parents=True)
        if old.num_rows:
            pq.write_table(old, folder / "rows-0.parquet")
    for _ in range(2):
        with open_history(URL, tmp_path) as lake:
            for name, row in STORED.items():
                (found,) = lake.arrow(lake.table(name)).to_pylist()
                assert {column: found[column] for column in row} == row
                assert {found[column] for column in BROUGHT[name]} == {None}
            assert sorted(lake.arrow(lake.table("meta"))["schema_version"].to_pylist()) == [1, door.SCHEMA_VERSION]
    with open_history(URL, tmp_path) as lake:
        lake.insert("batches", pa.table({"batch": [1], "source": ["shop"], "origin": ["old.csv"], "recorded_at": [AT]}))
        assert take(lake, "events", [{**STORED["events"], "value": None}]) == Appended(0, 0)
        assert take(lake, "events", [{**STORED["events"], "value": "9"}]) == Appended(0, 1)
        assert held(lake, "events", "message_id", "value") == [("e1", "9")]
        assert take(lake, "credits", [{}]) == Appended(1, 0)


def test_files_of_exports_are_not_read_through_spark(lake: Warehouse, tmp_path: Path) -> None:
    for read in (lake.read_csv, lake.read_json):
        with pytest.raises(StoreUnavailable, match="cannot import orders.csv through Spark"):
            read(tmp_path / "orders.csv", delimiter=",")


def test_an_insert_that_does_not_fit_writes_nothing(lake: Warehouse) -> None:
    with pytest.raises(Exception, match="abc"):
        lake.insert("batches", pa.table({"batch": ["abc"], "source": ["s"], "origin": ["o"], "recorded_at": [None]}))
    orders = rows("orders", order("x", 1))
    with pytest.raises(Exception, match="CAST_INVALID_INPUT"):
        lake.insert("orders", orders.mutate(net=orders.order_id, source=orders.order_id, batch=orders.net, digest=orders.order_id))
    assert list(lake.path.glob("batches/*.parquet")) == []
    assert lake.scalar(lake.table("orders").count()) == 0
