"""What pages read instead of history: the journal by quarters, profiles, and why customers leave."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.history.published import published
from rekindle.history.tables import JOURNAL, PLANS
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.flow import journal_files, snapshots
from rekindle.service.flow.personal_files import take_out
from rekindle.service.privacy.queries import Traces
from rekindle.settings import Settings

SEPTEMBER, OCTOBER = datetime(2026, 9, 30, 23), datetime(2026, 10, 1)


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    with open_history(store.history, store.root) as opened:
        yield opened


def plan(warehouse: Warehouse, name: str, at: datetime, customers: list[str], ready: bool = True) -> None:
    rows = [
        {**dict.fromkeys(JOURNAL.names), "plan": name, "as_of": at, "customer_id": one, "program": "win-back", "stage": "tailor"}
        for one in customers
    ]
    warehouse.insert("journal", pa.Table.from_pylist(rows, schema=JOURNAL.to_pyarrow()))
    if ready:
        told = {"plan": [name], "as_of": [at], "rehearsal": [False], "decisions": [len(customers)]}
        warehouse.insert("plans", pa.table(told, schema=PLANS.to_pyarrow()))


def quarters(store: Settings) -> list[str]:
    return sorted(path.name for path in (store.var / journal_files.FOLDER).iterdir())


def test_a_quarter_is_written_once_and_again_when_a_plan_adds_to_it(store: Settings, warehouse: Warehouse) -> None:
    plan(warehouse, "p1", SEPTEMBER, ["b", "a"])
    plan(warehouse, "p2", OCTOBER, ["a"])
    assert [path.name for path in journal_files.publish(store.var, warehouse)] == ["2026-07.parquet", "2026-10.parquet"]
    assert journal_files.publish(store.var, warehouse) == ()
    plan(warehouse, "p3", datetime(2026, 11, 8), ["a"])
    assert [path.name for path in journal_files.publish(store.var, warehouse)] == ["2026-10.parquet"]
    assert quarters(store) == ["2026-07.parquet", "2026-10.parquet"]
    assert pq.read_table(store.var / "journal" / "2026-07.parquet")["customer_id"].to_pylist() == ["a", "b"]
    assert [row["plan"] for row in journal_files.decisions_of(store.var, "a")] == ["p1", "p2", "p3"]


def test_a_plan_that_is_not_ready_is_not_told(store: Settings, warehouse: Warehouse) -> None:
    plan(warehouse, "p1", SEPTEMBER, ["a"], ready=False)
    assert journal_files.publish(store.var, warehouse) == ()
    assert journal_files.decisions_of(store.var, "a") == ()


def test_a_file_of_an_earlier_version_is_written_anew(store: Settings, warehouse: Warehouse) -> None:
    plan(warehouse, "p1", SEPTEMBER, ["a"])
    (path,) = journal_files.publish(store.var, warehouse)
    pq.write_table(pq.read_table(path).drop(["baseline"]), path)
    assert journal_files.publish(store.var, warehouse) == (path,)


def test_a_file_in_large_parts_is_written_anew_in_small_ones(store: Settings, warehouse: Warehouse) -> None:
    plan(warehouse, "p1", SEPTEMBER, [f"c{number:05}" for number in range(20_000)])
    (path,) = journal_files.publish(store.var, warehouse)
    small = pq.read_metadata(path)
    pq.write_table(pq.read_table(path), path)
    assert pq.read_metadata(path).num_row_groups == 1
    assert journal_files.publish(store.var, warehouse) == (path,)
    assert journal_files.publish(store.var, warehouse) == ()
    assert pq.read_metadata(path).num_row_groups == small.num_row_groups == 3


def test_who_was_erased_is_in_no_file_and_readers_see_it_at_once(store: Settings, warehouse: Warehouse) -> None:
    plan(warehouse, "p1", SEPTEMBER, ["a", "b"])
    journal_files.publish(store.var, warehouse)
    assert len(journal_files.decisions_of(store.var, "a")) == 1
    nothing: frozenset[str] = frozenset()
    traces = Traces(customers=frozenset({"a"}), names=nothing, addresses=nothing, tokens=nothing, touches=frozenset(), orders=nothing)
    assert take_out(store.var, traces)["rows"] == 1
    assert journal_files.decisions_of(store.var, "a") == ()
    assert len(journal_files.decisions_of(store.var, "b")) == 1


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_profiles_are_those_of_the_latest_instant(store: Settings) -> None:
    assert snapshots.known_of(store.var, "a") is None
    for day, orders in (("2026-11-20", 1), ("2026-11-21", 2)):
        write(store.var / "insight" / day / "profile.parquet", [{"customer_id": "a", "orders": orders}])
    known = snapshots.known_of(store.var, "a")
    assert known is not None
    assert (known.as_of, known.row["orders"]) == ("2026-11-21", 2)
    assert snapshots.known_of(store.var, "b") is None
    write(store.var / "insight" / "2026-11-21" / "profile.parquet", [{"customer_id": "a", "orders": 3, "margin": 9}])
    again = snapshots.known_of(store.var, "a")
    assert again is not None
    assert again.row == {"customer_id": "a", "orders": 3, "margin": 9}


def test_a_diagnosis_is_told_with_the_way_that_led_to_it(store: Settings) -> None:
    assert snapshots.diagnosis(store.var) is None
    assert snapshots.went(store.var, "a") is None
    folder = store.var / "diagnosis" / "2026-11-21"
    folder.mkdir(parents=True)
    (folder / "diagnosis.json").write_text('{"slipping": 3}', encoding="utf-8")
    causes = ((2, "stockout"), (1, "return"))
    write(folder / "causes.parquet", [{"customer_id": "a", "place": place, "cause": cause} for place, cause in causes])
    step = {"customer_id": "a", "step": "ordered", "turn": 6, "fact": "order 1", "order_id": "1"}
    write(folder / "steps.parquet", [{**step, "at": at} for at in (OCTOBER, SEPTEMBER)])
    found = snapshots.went(store.var, "a")
    assert found is not None
    assert [one["cause"] for one in found.causes] == ["return", "stockout"]
    assert [one["at"] for one in found.steps] == [SEPTEMBER, OCTOBER]
    assert snapshots.diagnosis(store.var) == {"slipping": 3}


def test_a_thread_has_one_way_into_the_engine() -> None:
    assert published() is published()
