"""One customer's rows of published files: the same however a file was written, and read without the rest of it."""

import os
from datetime import datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.history.customer_rows import rows_of
from rekindle.history.published import Published, published
from rekindle.history.warehouse import SMALL_PART

AT = datetime(2026, 11, 21, 9, 30)


def customers(count: int) -> list[dict[str, object]]:
    """Two rows of each, the later first."""
    return [
        {"customer_id": f"c{number:06}", "turn": turn, "net": 10 * number + turn, "at": AT, "cause": "late" if number % 2 else None}
        for number in range(count) for turn in (2, 1)
    ]  # fmt: skip


def written(path: Path, rows: list[dict[str, object]], part: int = SMALL_PART) -> Path:
    table = ibis.memtable(pa.Table.from_pylist(rows))
    published().write_parquet(table.order_by("customer_id", ibis.desc("turn")), path, part)
    return path


def test_a_file_is_written_in_parts_as_small_as_asked(tmp_path: Path) -> None:
    described = pq.read_metadata(written(tmp_path / "rows.parquet", customers(10_000)))
    assert [described.row_group(number).num_rows for number in range(described.num_row_groups)] == [8_192, 8_192, 3_616]
    assert pq.read_metadata(written(tmp_path / "whole.parquet", customers(10_000), 122_880)).num_row_groups == 1


def test_a_customer_s_rows_are_those_that_the_engine_finds(tmp_path: Path) -> None:
    rows = customers(13_000)
    path = written(tmp_path / "rows.parquet", rows)
    for number in (0, 4_095, 4_096, 7_000, 12_999):
        mine = [row for row in rows if row["customer_id"] == f"c{number:06}"]
        assert rows_of([path], f"c{number:06}") == mine == published().where(path, "customer_id", f"c{number:06}").to_pylist()
        assert rows_of([path], f"c{number:06}", ["turn"]) == mine[::-1]
    assert [rows_of([path], who) for who in ("", "c", "c004096 ", "c1", "z")] == [[]] * 5


def test_of_a_file_in_small_parts_few_rows_are_read_and_of_another_the_engine_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read, asked = written(tmp_path / "rows.parquet", customers(30_000)), [], []
    groups, where = pq.ParquetFile.read_row_groups, Published.where
    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", lambda self, places, **how: read.append(places) or groups(self, places, **how))
    monkeypatch.setattr(Published, "where", lambda self, *told: asked.append(told) or where(self, *told))
    assert [len(rows_of([path], f"c{number:06}")) for number in range(0, 30_000, 4_096)] == [2] * 8
    assert read == [[0], [1], [2], [3], [4], [5], [6], [7]]
    assert rows_of([path], "c0") == []
    assert read[8:] == [[]]
    pq.write_table(pq.read_table(path), path)
    assert rows_of([path], "c000007", ["turn"]) == [row for row in customers(8)[::-1] if row["customer_id"] == "c000007"]
    assert (len(read), asked) == (9, [(path, "customer_id", "c000007")])


def test_where_parts_begin_and_end_is_looked_at_once_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And anew where another lies there, or in the folder of a later instant."""
    looked: list[int] = []
    group = pq.ParquetFile.read_row_group
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", lambda self, at, *how, **more: looked.append(at) or group(self, at, *how, **more))
    day = written(tmp_path / "2026-11-20" / "profile.parquet", customers(9_000))
    assert [len(rows_of([day], f"c{number:06}")) for number in (1, 8_000, 9_000)] == [2, 2, 0]
    assert looked == [0, 1, 2]
    later = written(tmp_path / "2026-11-21" / "profile.parquet", customers(6_000)[4:])
    assert [len(rows_of([later], f"c{number:06}")) for number in (1, 2)] == [0, 2]
    assert looked[3:] == [0, 1]
    os.utime(later, ns=(1, 1))
    written(later, customers(9)[8:])
    assert [len(rows_of([later], f"c{number:06}")) for number in (3, 4)] == [0, 2]
    assert looked[5:] == [0]


def test_of_several_files_what_one_lacks_is_null_and_null_comes_last(tmp_path: Path) -> None:
    old = written(tmp_path / "old.parquet", [{"customer_id": "a", "turn": 3}, {"customer_id": "b", "turn": 1}])
    new = written(tmp_path / "new.parquet", [{"customer_id": "a", "turn": 1, "why": "y"}, {"customer_id": "a", "turn": None, "why": "n"}])
    assert rows_of([old, new], "a", ["turn"]) == [
        {"customer_id": "a", "turn": 1, "why": "y"}, {"customer_id": "a", "turn": 3, "why": None},
        {"customer_id": "a", "turn": None, "why": "n"},
    ]  # fmt: skip
    assert rows_of([], "a") == rows_of([old, new], "c") == []


def test_a_part_whose_customers_are_all_gone_has_no_rows(tmp_path: Path) -> None:
    rows = customers(13_000)
    path, schema = tmp_path / "rows.parquet", pa.Table.from_pylist(rows).schema
    with pq.ParquetWriter(path, schema) as writer:
        for some in (rows[:100], [], rows[200:300]):
            writer.write_table(pa.Table.from_pylist(some, schema))
    assert [len(rows_of([path], f"c{number:06}")) for number in (0, 49, 50, 100, 149, 150)] == [2, 2, 0, 2, 2, 0]
