"""A history of an older version opens, keeps what it holds, and takes what is new."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from rekindle.errors import StoreUnavailable
from rekindle.history import warehouse as door
from rekindle.history.append import Appended
from rekindle.history.warehouse import Warehouse, open_history, stored_schemas
from tests.history.conftest import URL
from tests.history.facts import held, take
from tests.history.old_shape import AT, BROUGHT, BROUGHT_TABLES, STORED, old_tables


def write_old(root: Path) -> None:
    (root / "var").mkdir()
    with duckdb.connect(root / "var" / "history.duckdb") as connection:
        for name, rows in old_tables().items():
            connection.from_arrow(rows).create(name)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    write_old(tmp_path)
    return tmp_path


def test_the_old_shape_has_neither_the_columns_nor_the_tables(old: Path) -> None:
    with duckdb.connect(old / "var" / "history.duckdb") as connection:
        tables = {name for (name,) in connection.execute("show tables").fetchall()}
        assert not BROUGHT_TABLES & tables
        for name, brought in BROUGHT.items():
            assert not brought & {row[0] for row in connection.execute(f'describe "{name}"').fetchall()}


def test_an_old_history_opens_with_its_rows_and_null_in_the_new_columns(old: Path) -> None:
    for _ in range(2):
        with open_history(URL, old) as opened:
            for name, schema in stored_schemas().items():
                assert str(opened.table(name).schema()).replace("timestamp(6)", "timestamp") == str(schema)
            for name, row in STORED.items():
                (found,) = opened.arrow(opened.table(name)).to_pylist()
                assert {column: found[column] for column in row} == row
                assert {found[column] for column in BROUGHT[name]} == {None}
            assert sorted(opened.arrow(opened.table("meta"))["schema_version"].to_pylist()) == [1, door.SCHEMA_VERSION]


def test_an_old_fact_is_not_written_again_until_it_says_more(old: Path) -> None:
    event, parcel = STORED["events"], STORED["shipments"]
    with open_history(URL, old) as opened:
        opened.insert("batches", pa.table({"batch": [1], "source": ["shop"], "origin": ["old.csv"], "recorded_at": [AT]}))
        for name in ("events", "shipments", "people"):
            nothing = dict.fromkeys(BROUGHT[name])
            assert take(opened, name, [{**STORED[name], **nothing}]) == Appended(0, 0)
        assert take(opened, "events", [{**event, "value": "9"}]) == Appended(0, 1)
        assert take(opened, "shipments", [{**parcel, "shipped_at": AT}]) == Appended(0, 1)
        assert held(opened, "events", "message_id", "value") == [("e1", "9")]


def test_new_tables_take_facts(old: Path) -> None:
    with open_history(URL, old) as opened:
        assert take(opened, "credits", [{}]) == take(opened, "promotions", [{}]) == Appended(1, 0)
    with open_history(URL, old) as opened:
        assert held(opened, "promotions", "percent", "amount") == [(0.1, 1000)]


def test_a_migration_that_stops_leaves_the_old_shape_and_is_made_good(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Warehouse.widen

    def stops(warehouse: Warehouse, name: str, schema: object) -> None:
        if name == "people":
            raise RuntimeError("power failed")
        whole(warehouse, name, schema)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "widen", stops)
        with pytest.raises(RuntimeError, match="power failed"), open_history(URL, old):
            pass
    with duckdb.connect(old / "var" / "history.duckdb") as connection:
        assert "value" not in {row[0] for row in connection.execute("describe events").fetchall()}
        assert connection.execute("select max(schema_version) from meta").fetchone() == (1,)
    with open_history(URL, old) as opened:
        assert held(opened, "people", "customer_id", "birthday") == [("c1", None)]


def test_an_old_version_refuses_what_this_one_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_history(URL, tmp_path):
        pass
    newer = rf"newer Rekindle \(schema {door.SCHEMA_VERSION}\)"
    monkeypatch.setattr(door, "SCHEMA_VERSION", 1)
    with pytest.raises(StoreUnavailable, match=newer), open_history(URL, tmp_path):
        pass
