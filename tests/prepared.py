"""Empty ledgers and histories as copies of the first one of a process: making their tables takes longer than most tests.

Knows nothing of what the tables are. The first of each is made in earnest, and so is one where a file is there already.
"""

import contextlib
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rekindle.history import duckdb_file
from rekindle.history.warehouse import open_history
from rekindle.service.config import database


def copied(patch: pytest.MonkeyPatch) -> None:
    """Has every new ledger in SQLite and every new history in DuckDB filled by copying."""
    _ledgers(patch)
    _histories(patch)


def _ledgers(patch: pytest.MonkeyPatch) -> None:
    make, first = database._migrate, sqlite3.connect(":memory:", check_same_thread=False)
    made = False

    def migrated(name: str) -> None:
        nonlocal made
        fresh = database.connection.vendor == "sqlite" and not database.connection.introspection.table_names()
        if fresh and made:
            first.backup(database.connection.connection)
            return
        make(name)
        if fresh:
            database.connection.connection.backup(first)
            made = True

    patch.setattr(database, "_migrate", migrated)


def _histories(patch: pytest.MonkeyPatch) -> None:
    connect, first = duckdb_file._connect, b""

    def connected(path: Path, opening: duckdb_file.Opening) -> duckdb_file.Backend:
        nonlocal first
        if not path.exists():
            first = first or _empty()
            with contextlib.suppress(OSError):  # a folder that cannot be written: the engine says so
                path.write_bytes(first)
        return connect(path, opening)

    def _empty() -> bytes:
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as earnest:
            earnest.setattr(duckdb_file, "_connect", connect)
            with open_history("duckdb://history.duckdb", Path(folder)):
                pass
            return (Path(folder) / "history.duckdb").read_bytes()

    patch.setattr(duckdb_file, "_connect", connected)
