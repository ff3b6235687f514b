"""The one place that executes an expression, and the door to the engine that holds history.

Knows nothing of what the tables mean. DuckDB in a file by default; the expressions it runs know no engine.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from rekindle.errors import StoreUnavailable
from rekindle.history.tables import BATCHES, FACTS, JOURNAL, PLANS, SUPERSEDED, TRANSITIONS

SCHEMA_VERSION = 1
LOCK_WAIT = 60.0
_RETRY = 0.25


@dataclass(slots=True)
class Warehouse:
    """An open history.

    Args:
        backend: The Ibis connection; nothing outside this module uses it.
    """

    backend: Backend
    _temporary: int = field(default=0, init=False)

    def table(self, name: str) -> ir.Table:
        """A stored table, every version of every fact."""
        return self.backend.table(name)

    def current(self, name: str, watermark: int | None = None) -> ir.Table:
        """The facts of a table as they are held to be true: each fact's version of the latest batch.

        Args:
            name: A table of `FACTS`.
            watermark: Batches after this one are not seen.
        """
        facts, superseded = self.table(name), self.table("superseded")
        replaced = superseded.filter(superseded.name == name)
        if watermark is not None:
            facts, replaced = facts.filter(facts.batch <= watermark), replaced.filter(replaced.by_batch <= watermark)
        if self.scalar(replaced.count()) == 0:
            return facts
        key = FACTS[name].key
        return facts.anti_join(replaced, [facts[key] == replaced.key, facts.batch == replaced.batch])

    def arrow(self, expression: ir.Table) -> pa.Table:
        """Runs an expression and returns its rows."""
        return self.backend.to_pyarrow(expression)

    def scalar(self, expression: ir.Scalar) -> Any:  # noqa: ANN401  an expression's type is known to its caller
        """Runs an expression that has one value."""
        return self.backend.to_pyarrow(expression).as_py()

    def row(self, expression: ir.Table) -> dict[str, Any]:
        """Runs an expression that has one row, such as an aggregate."""
        found: dict[str, Any] = self.arrow(expression).to_pylist()[0]
        return found

    def keep(self, expression: ir.Table | pa.Table) -> ir.Table:
        """Runs an expression once and keeps its rows in a temporary table, for several readers."""
        self._temporary += 1
        return self.backend.create_table(f"kept_{self._temporary}", expression, temp=True)

    def insert(self, name: str, rows: ir.Table | pa.Table) -> None:
        """Appends rows to a stored table, columns matched by name."""
        if isinstance(rows, pa.Table):
            rows = ibis.memtable(rows)
        target = self.table(name)
        self.backend.insert(name, rows.select(*(rows[column].cast(kind).name(column) for column, kind in target.schema().items())))

    def write_parquet(self, expression: ir.Table, path: Path) -> None:
        """Writes an expression's rows to a file that appears whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        self.backend.to_parquet(expression, partial)
        partial.replace(path)

    def read_parquet(self, path: Path | list[Path]) -> ir.Table:
        """A Parquet file, or several, as a table."""
        return self.backend.read_parquet([str(one) for one in path] if isinstance(path, list) else str(path))

    def read_csv(self, path: Path, **options: object) -> ir.Table:
        """A CSV file, gzipped or not, as a table; options are DuckDB's."""
        return self.backend.read_csv(str(path), **options)

    def read_json(self, path: Path, **options: object) -> ir.Table:
        """A file of JSON lines, gzipped or not, as a table; options are DuckDB's."""
        return self.backend.read_json(str(path), **options)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside appear together, or none does."""
        connection: duckdb.DuckDBPyConnection = self.backend.con
        connection.begin()
        try:
            yield
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def stored_schemas() -> Mapping[str, ibis.Schema]:
    """Every stored table's schema by name."""
    facts = {name: table.schema for name, table in FACTS.items()}
    meta = ibis.schema({"schema_version": "int64"})
    kept = {"superseded": SUPERSEDED, "batches": BATCHES, "journal": JOURNAL, "plans": PLANS, "transitions": TRANSITIONS}
    return {**facts, **kept, "meta": meta}


@contextmanager
def open_history(
    url: str, root: Path, *, wait: float = LOCK_WAIT, memory: str = "2500MB", on_wait: Callable[[str], None] = lambda _: None
) -> Iterator[Warehouse]:
    """Opens a store's history, waiting for another job that holds it, and closes it.

    Args:
        url: `duckdb://` and a path relative to the store folder.
        root: The store folder.
        wait: Seconds to wait for the lock.
        memory: What the engine may hold before it spills to disk.
        on_wait: Told once, in words, that it waits.

    Raises:
        StoreUnavailable: Locked for longer than `wait`, not writable, damaged, or written by a newer version.
    """
    scheme, _, name = url.partition("://")
    if scheme != "duckdb":
        raise StoreUnavailable(f"history at '{scheme}://' is not supported yet", 'Write history = "duckdb://var/history.duckdb".')
    path = root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Make the store folder writable, or copy it."
        raise StoreUnavailable(f"cannot write to {path.parent}: {error.strerror}", remedy) from error
    backend = _connect(path, wait, memory, on_wait)
    try:
        warehouse = Warehouse(backend)
        _prepare(warehouse, path)
        yield warehouse
    finally:
        backend.disconnect()


def _connect(path: Path, wait: float, memory: str, on_wait: Callable[[str], None]) -> Backend:
    deadline = time.monotonic() + wait
    options = {"memory_limit": memory, "temp_directory": str(path.parent / "spill"), "preserve_insertion_order": False}
    told = False
    while True:
        try:
            return ibis.duckdb.connect(path, autoinstall_known_extensions=False, **options)
        except duckdb.Error as error:
            if not isinstance(error, duckdb.IOException) or "could not set lock" not in str(error).lower():
                raise _unopened(path, error) from error
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"{path} is in use by another job for over {wait:.0f} s", "Wait for that job to end, or stop it."
                ) from error
            if not told:
                on_wait(f"Waiting for another job that holds {path} (up to {wait:.0f} s)")
                told = True
            time.sleep(_RETRY)


def _unopened(path: Path, error: duckdb.Error) -> StoreUnavailable:
    text = str(error).splitlines()[0]
    if isinstance(error, duckdb.IOException) and "not a valid DuckDB" not in text:
        return StoreUnavailable(f"cannot open {path}: {text}", "Check the folder's permissions and free space.")
    return StoreUnavailable(f"{path} is damaged: {text}", "Restore it from a backup, or remove it and import again.")


def _prepare(warehouse: Warehouse, path: Path) -> None:
    present = set(warehouse.backend.list_tables())
    if "meta" in present:
        version = warehouse.scalar(warehouse.table("meta").schema_version.max())
        if version > SCHEMA_VERSION:
            raise StoreUnavailable(
                f"{path} was written by a newer Rekindle (schema {version})", "Install that version or a later one."
            )
    for name, schema in stored_schemas().items():
        if name not in present:
            warehouse.backend.create_table(name, schema=schema)
    if "meta" not in present:
        warehouse.insert("meta", pa.table({"schema_version": [SCHEMA_VERSION]}))

