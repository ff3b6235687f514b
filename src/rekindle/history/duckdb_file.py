"""History in one DuckDB file, which one job holds at a time.

Knows nothing of what the tables mean.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.common.graph import Node

from rekindle.errors import StoreUnavailable
from rekindle.history.warehouse import Opening, Warehouse
from rekindle.history.written import Written

_RETRY = 0.25
_LEAST_MEMORY, _MOST_MEMORY = 1_000, 10_000
_SHARE = 0.4


class DuckDB(Backend):  # type: ignore[misc]  # Ibis ships no types
    """DuckDB as Ibis speaks to it, with the SQL of expressions that were asked before at hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  as Ibis takes them
        super().__init__(*args, **kwargs)
        self._written = Written(self._piece)

    def compile(
        self, expr: ir.Expr, /, *, limit: int | None = None, params: Mapping[ir.Expr, Any] | None = None, pretty: bool = False
    ) -> str:
        """The SQL of an expression."""
        if limit is not None or params or pretty:
            return str(super().compile(expr, limit=limit, params=params, pretty=pretty))
        return self._written.query(expr.as_table().op(), ibis.options.sql.fuse_selects, lambda: super(DuckDB, self).compile(expr))

    def _piece(self, one: Node) -> str:
        if isinstance(one, ops.Literal):
            return str(self.compiler.visit_node(one, value=one.value, dtype=one.dtype).sql(self.dialect))
        return f'"{one.name}"'

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Makes a temporary table of an expression's rows, and takes what is known of its columns for granted."""
        self._run_pre_execute_hooks(expression)
        schema = ibis.schema({column: _as_kept(kind) for column, kind in expression.schema().items()})
        columns = ", ".join(column.sql(self.dialect) for column in schema.to_sqlglot_column_defs(self.dialect))
        self.con.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
        self.con.execute(f"INSERT INTO {name} {self.compile(expression)}")
        place = ops.Namespace(catalog="temp", database="main")
        return ops.DatabaseTable(name, schema=schema, source=self, namespace=place).to_expr()


@cache
def _as_kept(kind: dt.DataType) -> dt.DataType:
    """A type as the engine tells of a column of it: an instant has microseconds, and any value may be missing."""
    types = Backend.compiler.type_mapper
    return types.from_string(types.to_string(kind))


@dataclass(slots=True)
class InOneFile(Warehouse):
    """A history in one DuckDB file; `stale` where its free blocks hold what must not stay."""

    backend: DuckDB
    stale: bool = field(default=False, init=False)

    def compact(self) -> None:
        """Has the file written anew when it is closed: DuckDB keeps deleted rows in free blocks."""
        self.stale = True

    def keep(self, expression: ir.Table | pa.Table) -> ir.Table:
        """Runs an expression once and keeps its rows in a temporary table, for several readers."""
        rows = ibis.memtable(expression) if isinstance(expression, pa.Table) else expression
        table = self.backend.keep(self._name(), rows)
        self._kept.append(table)
        return table

    def keep_numbered(self, expression: ir.Table, number: str) -> ir.Table:
        """Keeps the rows of an expression, each with where the engine has put it: counting them would take one core alone."""
        table = self.keep(expression)
        return table.mutate(**{number: table.rowid()})

    def hold(self, rows: pa.Table, schema: ibis.Schema) -> ir.Table:
        """Lets the engine read the rows where they are: nothing is copied, and nothing has to be asked about them."""
        name = self._name()
        self.backend.con.register(name, rows)
        table = ops.DatabaseTable(name, schema=schema, source=self.backend, namespace=ops.Namespace()).to_expr()
        self._kept.append(table)
        return table

    def forget(self, *tables: ir.Table) -> None:
        """Gives up tables that were kept or held and that nothing reads any more."""
        held = [table for table in tables if not table.op().namespace.database]
        for table in held:
            self.backend.con.unregister(table.op().name)
        Warehouse.forget(self, *(table for table in tables if not any(table is one for one in held)))
        self._kept = [kept for kept in self._kept if not any(kept is one for one in held)]


@contextmanager
def opened(path: Path, opening: Opening) -> Iterator[Warehouse]:
    """Opens the file behind its lock, and closes it.

    Args:
        path: The file; made where it is not there.
        opening: How long to wait, and how much memory to use.

    Raises:
        StoreUnavailable: Locked for longer than that, not writable, or damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Make the store folder writable, or copy it."
        raise StoreUnavailable(f"cannot write to {path.parent}: {error.strerror}", remedy) from error
    backend = _connect(path, opening)
    warehouse = InOneFile(backend, path)
    try:
        yield warehouse
    finally:
        try:
            if warehouse.stale:
                _write_anew(backend, path)
        finally:
            backend.disconnect()


def _write_anew(backend: DuckDB, path: Path) -> None:
    """Copies what the file holds into a new one, and puts that in its place while the lock is still held."""
    draft = path.with_name(path.name + ".anew")
    quoted = str(draft).replace("'", "''")
    try:
        draft.unlink(missing_ok=True)
        backend.con.execute("CHECKPOINT")
        backend.con.execute(f"ATTACH '{quoted}' AS anew")
        backend.con.execute(f'COPY FROM DATABASE "{backend.current_catalog}" TO anew')
        backend.con.execute("DETACH anew")
        draft.chmod(path.stat().st_mode)
        draft.replace(path)
    except (OSError, duckdb.Error) as error:
        why = str(error).splitlines()[0]
        raise StoreUnavailable(f"cannot write {path} anew: {why}", "Make room for a second copy of it, and repeat the command.") from error
    finally:
        draft.unlink(missing_ok=True)


def share_of_memory() -> str:
    """Two fifths of the machine's memory, from 1 to 10 GB: what the engine may hold where nothing else is said."""
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    return f"{min(max(_LEAST_MEMORY, int(megabytes * _SHARE)), _MOST_MEMORY)}MB"


def _connect(path: Path, opening: Opening) -> DuckDB:
    deadline = time.monotonic() + opening.wait
    memory, spill = opening.memory or share_of_memory(), str(path.parent / "spill")
    options = {"memory_limit": memory, "temp_directory": spill, "preserve_insertion_order": False}
    told = False
    while True:
        try:
            return cast(DuckDB, DuckDB().connect(path, autoinstall_known_extensions=False, **options))
        except duckdb.Error as error:
            if not isinstance(error, duckdb.IOException) or "could not set lock" not in str(error).lower():
                raise _unopened(path, error) from error
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"{path} is in use by another job for over {opening.wait:.0f} s", "Wait for that job to end, or stop it."
                ) from error
            if not told:
                opening.on_wait(f"Waiting for another job that holds {path} (up to {opening.wait:.0f} s)")
                told = True
            time.sleep(_RETRY)


def _unopened(path: Path, error: duckdb.Error) -> StoreUnavailable:
    text = str(error).splitlines()[0]
    if isinstance(error, duckdb.IOException) and "not a valid DuckDB" not in text:
        return StoreUnavailable(f"cannot open {path}: {text}", "Check the folder's permissions and free space.")
    return StoreUnavailable(f"{path} is damaged: {text}", "Restore it from a backup, or remove it and import again.")
