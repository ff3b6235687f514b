"""What was published, as tables: Parquet files in an engine of its own, which holds nothing and keeps no job waiting.

Knows nothing of history, nor of what the files mean. A process has one engine, each of its threads its own way into it.
"""

import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import local
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from rekindle.history.warehouse import Warehouse

_MEMORY = "1GB"
_MOST = 200
"""So many files are remembered; of more, all are looked at anew."""

Stamp = tuple[str, int, int]
"""What tells a file from the one that was there before under its name."""

Among = Sequence[tuple[str, Sequence[str]]]
Order = Sequence[tuple[str, bool]]


@dataclass(slots=True)
class Published(Warehouse):
    """An engine that reads files and remembers what is in them until they change."""

    _read: dict[tuple[str, ...], tuple[tuple[Stamp, ...], ir.Table]] = field(default_factory=dict, init=False)
    _named: dict[Hashable, ir.Table] = field(default_factory=dict, init=False)

    def read_parquet(self, path: Path | list[Path]) -> ir.Table:
        """A Parquet file, or several, as a table; a column that some of them lack is null there."""
        paths = path if isinstance(path, list) else [path]
        names, stamp = tuple(map(str, paths)), tuple(stamped(one, one.stat()) for one in paths)
        known = self._read.get(names)
        if known is not None and known[0] == stamp:
            return known[1]
        if len(self._read) >= _MOST:
            self._read.clear()
        name = f"published_{abs(hash(names))}"
        table = self.backend.read_parquet(list(names), table_name=name, union_by_name=True)
        self._read[names] = stamp, table
        return table

    def where(self, path: Path, column: str, text: str) -> pa.Table:
        """The rows of a Parquet file that have a text in a column."""
        question = f'SELECT * FROM read_parquet(?) WHERE "{column}" = ?'  # noqa: S608  our own columns
        return self.backend.con.execute(question, [str(path), text]).fetch_arrow_table()

    def written(self, question: ir.Table) -> str:
        """A question as SQL, to be asked again and again; every thread that does so has read the files that it asks before."""
        return str(self.backend.compile(question))

    def named(self, key: Hashable, question: Callable[[], ir.Table]) -> ir.Table:
        """A question as a table with a name of its own, so that what is asked of its rows is written without it.

        Args:
            key: What tells it from others.
            question: Makes it, where this thread has not named it before.
        """
        if key not in self._named:
            if len(self._named) >= _MOST:
                self._named.clear()
            name = f"named_{len(self._named)}"
            self.backend.con.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {self.written(question())}')
            self._named[key] = self.backend.table(name)
        return self._named[key]

    def page(self, written: str, among: Among, columns: Sequence[str], order: Order, begin: int, size: int) -> list[dict[str, Any]]:
        """Some rows of a question that was written before.

        Args:
            written: The question.
            among: Columns, each with the values of which a row has one.
            columns: What is told of a row.
            order: The columns that rows are sorted by, each with whether the greatest comes first; what is null comes last.
            begin: How many rows come before.
            size: How many rows at most.
        """
        told, tests = ", ".join(f'"{one}"' for one in columns), _tests(among)
        sorted_by = ", ".join(f'"{one}" {"DESC" if falls else "ASC"} NULLS LAST' for one, falls in order)
        question = f"SELECT {told} FROM ({written}){tests} ORDER BY {sorted_by} LIMIT ? OFFSET ?"  # noqa: S608  our own columns
        answer = self.backend.con.execute(question, [*_values(among), size, begin])
        found: list[dict[str, Any]] = answer.fetch_arrow_table().to_pylist()
        return found

    def size(self, written: str, among: Among) -> int:
        """How many rows a question has that was written before; `among` as `page` has it."""
        question = f"SELECT count(*) FROM ({written}){_tests(among)}"  # noqa: S608  our own columns
        return int(self.backend.con.execute(question, _values(among)).fetchall()[0][0])


def _tests(among: Among) -> str:
    tests = [f'"{one}" IN ({", ".join("?" * len(values))})' for one, values in among]
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def _values(among: Among) -> list[str]:
    return [value for _, values in among for value in values]


def published() -> Published:
    """This thread's way into the engine; it has no stored tables."""
    if not hasattr(_thread, "engine"):
        _thread.engine = Published(ibis.duckdb.from_connection(_engine().con.cursor()))
    engine: Published = _thread.engine
    return engine


_thread = local()


@cache
def _engine() -> Backend:
    engine = ibis.duckdb.connect(autoinstall_known_extensions=False, memory_limit=_MEMORY)
    engine.con.execute("SET parquet_metadata_cache = true")
    return engine


def stamped(path: Path, found: os.stat_result) -> Stamp:
    """A file's stamp.

    Args:
        path: Its name.
        found: What is told of it, by its name or of the file that is open.
    """
    return str(path), found.st_mtime_ns, found.st_size
