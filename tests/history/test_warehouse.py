"""A history file opens for one job at a time, appears whole, and says what is wrong with it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.errors import StoreUnavailable
from rekindle.history import warehouse as door
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse, open_history, stored_schemas
from tests.history.conftest import URL
from tests.history.facts import held, order, take

HOLD = """
import sys
from pathlib import Path
from rekindle.history.warehouse import open_history
with open_history(sys.argv[1], Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""
OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from rekindle.errors import StoreUnavailable
from rekindle.history import duckdb_file  # while this process may still read everything
from rekindle.history.warehouse import open_history
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
try:
    with open_history(sys.argv[1], Path(sys.argv[2])):
        print("opened")
except StoreUnavailable as error:
    print(error)
"""


@contextmanager
def another_job(root: Path) -> Iterator["subprocess.Popen[str]"]:
    """A second process that holds the history until its input is closed."""
    command = [sys.executable, "-c", HOLD, URL, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "src"}) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "held\n"
        yield job


def test_a_new_history_has_every_table_and_opens_again(tmp_path: Path) -> None:
    for _ in range(2):
        with open_history(URL, tmp_path) as opened:
            for name, schema in stored_schemas().items():
                assert str(opened.table(name).schema()).replace("timestamp(6)", "timestamp") == str(schema)
            assert opened.arrow(opened.table("meta")).to_pylist() == [{"schema_version": door.SCHEMA_VERSION}]


def test_facts_stay_when_the_file_is_closed(tmp_path: Path) -> None:
    with open_history(URL, tmp_path) as opened:
        take(opened, "orders", [order("1", 100)])
    with open_history(URL, tmp_path) as opened:
        assert held(opened, "orders", "order_id", "net") == [("1", 100)]


def test_a_history_that_another_job_holds_is_waited_for_then_refused(tmp_path: Path) -> None:
    told: list[str] = []
    refused = pytest.raises(StoreUnavailable, match="is in use by another job for over 1 s")
    with another_job(tmp_path), refused, open_history(URL, tmp_path, wait=0.6, on_wait=told.append):
        pass
    assert told == [f"Waiting for another job that holds {tmp_path / 'var' / 'history.duckdb'} (up to 1 s)"]


def test_a_history_opens_as_soon_as_the_other_job_ends(tmp_path: Path) -> None:
    with another_job(tmp_path) as job:
        assert job.stdin is not None
        with open_history(URL, tmp_path, wait=30, on_wait=lambda _: job.stdin.close()) as opened:
            assert opened.scalar(opened.table("orders").count()) == 0


def test_a_history_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    with open_history(URL, tmp_path) as opened:
        opened.insert("meta", pa.table({"schema_version": [door.SCHEMA_VERSION + 1]}))
    path = tmp_path / "var" / "history.duckdb"
    before, newer = path.read_bytes(), rf"was written by a newer Rekindle \(schema {door.SCHEMA_VERSION + 1}\)"
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=newer), open_history(URL, tmp_path):
            pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"x"], ids=["other", "short"])
def test_a_damaged_file_is_named_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "var" / "history.duckdb"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="history.duckdb"), open_history(URL, tmp_path, wait=0):
        pass
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_named() -> None:
    """A process of nobody tries, as the superuser may write anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", OPEN_AS_NOBODY, URL, folder]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": "src"}).stdout
        assert printed == f"cannot write to {folder}/var: Permission denied. Make the store folder writable, or copy it.\n"
        assert list(Path(folder).iterdir()) == []
        Path(folder).chmod(0o755)


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(StoreUnavailable, match=f"cannot write to {tmp_path / 'var'}: File exists"), open_history(URL, tmp_path):
        pass


def test_another_engine_is_refused_with_the_one_that_works(tmp_path: Path) -> None:
    refused = pytest.raises(StoreUnavailable, match="no engine for history at 'oracle://x'. Write duckdb:// or spark://")
    with refused, open_history("oracle://x", tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_columns_are_matched_by_name(warehouse: Warehouse) -> None:
    row = {"batch": 1, "name": "Ann", "suspended": False, "digest": "", "source": "shop", "seller_id": "7"}
    warehouse.insert("sellers", pa.Table.from_pylist([row]))
    assert held(warehouse, "sellers", "seller_id", "name") == [("7", "Ann")]


def test_kept_rows_stay_what_they_were(warehouse: Warehouse) -> None:
    take(warehouse, "orders", [order("1", 100)])
    kept = warehouse.keep(warehouse.current("orders").select("order_id"))
    take(warehouse, "orders", [order("2", 100)])
    assert warehouse.arrow(kept).to_pylist() == [{"order_id": "1"}]
    assert warehouse.row(kept.aggregate(n=kept.count())) == {"n": 1}


def test_of_kept_columns_is_said_what_the_engine_says(warehouse: Warehouse) -> None:
    """Instants with a zone, as some files have them, among them."""
    kinds = ("timestamp", "timestamp('UTC')", "timestamp('UTC', 6)")
    instants = {f"at{number}": ibis.literal(datetime(2026, 11, 26, 9), kind) for number, kind in enumerate(kinds)}
    asked = ibis.memtable(pa.table({"n": [1]})).mutate(**instants, some=[1, 2])
    kept = warehouse.keep(asked)
    assert kept.schema() == warehouse.backend.get_schema(kept.op().name, catalog="temp", database="main")


def test_kept_rows_have_a_number_each(warehouse: Warehouse) -> None:
    """Which stays theirs in whatever is asked of them."""
    take(warehouse, "orders", [order(str(number), 100 + number) for number in range(5_000)])
    kept = warehouse.keep_numbered(warehouse.current("orders").select("order_id", "net"), "number")
    numbers = {row["order_id"]: row["number"] for row in warehouse.arrow(kept).to_pylist()}
    assert len(set(numbers.values())) == len(numbers) == 5_000
    some = kept.filter(kept.net > 4_000)
    both = some.select("order_id", "number").join(kept.select("number", "net"), "number")
    found = warehouse.arrow(both).to_pylist()
    assert len(found) == 1_099
    assert all(row == {"order_id": row["order_id"], "number": numbers[row["order_id"]], "net": 100 + int(row["order_id"])} for row in found)


def test_a_snapshot_appears_whole_or_not_at_all(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "insight" / "profile.parquet"
    take(warehouse, "orders", [order("1", 100)])
    warehouse.write_parquet(warehouse.current("orders").select("order_id", "net"), path)
    assert pq.read_table(path).to_pylist() == [{"order_id": "1", "net": 100}]
    orders = warehouse.current("orders")
    with pytest.raises(Exception, match="Could not convert"):
        warehouse.write_parquet(orders.select(broken=orders.order_id.concat("x").cast("int64")), path)
    assert pq.read_table(path).to_pylist() == [{"order_id": "1", "net": 100}]
    assert warehouse.arrow(warehouse.read_parquet([path, path])).num_rows == 2


def test_every_fact_table_is_versioned_by_a_key_of_its_own() -> None:
    assert {name: fact.key in fact.columns for name, fact in FACTS.items()} == dict.fromkeys(FACTS, True)
    assert [name for name, fact in FACTS.items() if list(fact.schema)[-3:] != ["source", "batch", "digest"]] == []


def test_the_engine_holds_what_it_was_told_to_or_two_fifths_of_the_machine_up_to_10_gb(tmp_path: Path) -> None:
    limits = []
    for memory in ("2000MiB", "4000MiB", None):
        with open_history(URL, tmp_path, memory=memory) as opened:
            limits.append(opened.backend.raw_sql("select current_setting('memory_limit')").fetchone()[0])
    assert limits[:2] == ["1.9 GiB", "3.9 GiB"]
    machine = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    number, unit = limits[2].split()
    assert float(number) * {"MiB": 2**20, "GiB": 2**30}[unit] == pytest.approx(min(max(machine * 0.4, 1e9), 10e9), rel=0.05)


def test_what_is_given_up_is_gone_and_what_else_is_kept_stays(warehouse: Warehouse) -> None:
    def there() -> list[str]:
        return sorted(name for name, in warehouse.backend.raw_sql("select table_name from duckdb_tables() where temporary").fetchall())

    with warehouse.forgetting():
        first, second = (warehouse.keep(pa.table({"n": [number]})) for number in (1, 2))
        warehouse.forget(first)
        assert there() == [second.op().name]
        assert warehouse.scalar(second.n.max()) == 2
    assert there() == []


def test_every_engine_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "engines.md").read_text(encoding="utf-8")
    assert [name for name in door.ENGINES if f'| `"{name}://' not in page] == []
