"""What a played store holds, read with other tools than Rekindle's own: DuckDB and SQLite directly."""

import sqlite3
from pathlib import Path
from typing import Any

import duckdb


def asked(store: Path, question: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of history; a question mark stands for each value."""
    with duckdb.connect(str(store / "var" / "history.duckdb"), read_only=True) as history:
        return history.execute(question, list(values)).fetchall()


def ledger(store: Path, question: str) -> list[tuple[Any, ...]]:
    """Rows of the ledger."""
    connection = sqlite3.connect(store / "var" / "ledger.sqlite3")
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def hashes(store: Path) -> list[str]:
    """The plans in the order in which they were made."""
    return [row[0] for row in asked(store, "select plan from plans order by as_of")]
