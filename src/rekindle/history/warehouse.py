"""The door to the engine that holds history: the one place where expressions are run.

Knows nothing of what the tables mean. DuckDB in a file by default; the expressions it runs know no engine.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend

from rekindle.errors import StoreUnavailable
from rekindle.history.tables import BATCHES, ERASED_DECISIONS, FACTS, FORGOTTEN, JOURNAL, PLANS, SEALS, SUPERSEDED, TIERS, TRANSITIONS

SCHEMA_VERSION = 8
LOCK_WAIT = 60.0
PART, SMALL_PART = 122_880, 8_192
"""Rows of a file's part, of files that are read from end to end and of those that are looked into for one customer."""

ENGINES = {
    "duckdb": "rekindle.history.duckdb_file.opened",
    "spark": "rekindle.history.spark_lake.opened",
}
"""Engines of history by the URL's scheme: what opens a path, with an `Opening`, as a context manager that gives a `Warehouse`."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a history is opened.

    Args:
        wait: Seconds to wait for another job that holds it.
        memory: What the engine may hold before it spills to disk, such as `2500MB`; two fifths of the machine's, at most 10 GB, where
            None.
        on_wait: Told once, in words, that it waits.
    """

    wait: float
    memory: str | None
    on_wait: Callable[[str], None]


@dataclass(slots=True)
class Warehouse:
    """An open history, on any engine that Ibis writes to by its usual methods; others replace them.

    Args:
        backend: The Ibis connection; nothing outside the history package uses it.
        path: Where it lies, for messages.
    """

    backend: BaseBackend
    path: Path = Path()
    _temporary: int = field(default=0, init=False)
    _kept: list[ir.Table] = field(default_factory=list, init=False)
    _stored: dict[str, ir.Table] = field(default_factory=dict, init=False)
    _replaced: frozenset[str] | None = field(default=None, init=False)

    def names(self) -> set[str]:
        """The stored tables that are there."""
        return set(self.backend.list_tables())

    def create(self, name: str, schema: ibis.Schema) -> None:
        """Makes an empty stored table."""
        self.backend.create_table(name, schema=schema)

    def widen(self, name: str, schema: ibis.Schema) -> None:
        """Gives a stored table the columns of a schema that it lacks, null in every row that it has."""
        stored = self.table(name)
        lacking = {column: ibis.null(kind) for column, kind in schema.items() if column not in stored.columns}
        if lacking:
            self.backend.create_table(name, as_stored(stored.mutate(**lacking), schema), schema=schema, overwrite=True)
            self._changed()

    def table(self, name: str) -> ir.Table:
        """A stored table, every version of every fact."""
        if name not in self._stored:
            self._stored[name] = self.backend.table(name)
        return self._stored[name]

    def _changed(self) -> None:
        """What was asked of the stored tables has to be asked anew."""
        self._stored.clear()
        self._replaced = None

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
        if name not in self.with_old_versions():
            return facts
        key = FACTS[name].key
        return facts.anti_join(replaced, [facts[key] == replaced.key, facts.batch == replaced.batch])

    def with_old_versions(self) -> frozenset[str]:
        """Tables of which a fact has been superseded: asked once for all of them."""
        if self._replaced is None:
            names = self.table("superseded").select("name").distinct()
            self._replaced = frozenset(self.arrow(names)["name"].to_pylist())
        return self._replaced

    def arrow(self, expression: ir.Table) -> pa.Table:
        """Runs an expression and returns its rows."""
        return self.backend.to_pyarrow(expression)

    def scalar(self, expression: ir.Scalar) -> Any:  # noqa: ANN401  an expression's type is known to its caller
        """Runs an expression that has one value."""
        return self.arrow(expression.name("value").as_table()).column(0)[0].as_py()

    def row(self, expression: ir.Table) -> dict[str, Any]:
        """Runs an expression that has one row, such as an aggregate."""
        found: dict[str, Any] = self.arrow(expression).to_pylist()[0]
        return found

    def keep(self, expression: ir.Table | pa.Table) -> ir.Table:
        """Runs an expression once and keeps its rows in a temporary table, for several readers."""
        table = self.backend.create_table(self._name(), expression, temp=True)
        self._kept.append(table)
        return table

    def keep_numbered(self, expression: ir.Table, number: str) -> ir.Table:
        """Keeps the rows of an expression, each with a number of its own, in no order.

        Args:
            expression: The rows.
            number: The column's name.
        """
        return self.keep(expression.mutate(**{number: ibis.row_number()}))

    def hold(self, rows: pa.Table, schema: ibis.Schema) -> ir.Table:  # noqa: ARG002  some engines need to be told
        """A few rows that are at hand as a table, for several readers; how they are kept is the engine's.

        Args:
            rows: As `arrow` gives them.
            schema: Of the expression that they came from.
        """
        return self.keep(rows)

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Gives up at its end what was kept inside: for work that is done again and again."""
        before = len(self._kept)
        try:
            yield
        finally:
            self.forget(*self._kept[before:])

    def forget(self, *tables: ir.Table) -> None:
        """Gives up tables that were kept and that nothing reads any more."""
        for table in tables:
            kept = table.op()
            self.backend.drop_table(kept.name, database=(kept.namespace.catalog, kept.namespace.database), force=True)
        self._kept = [kept for kept in self._kept if not any(kept is table for table in tables)]

    def _name(self) -> str:
        self._temporary += 1
        return f"kept_{self._temporary}"

    def insert(self, name: str, rows: ir.Table | pa.Table) -> None:
        """Appends rows to a stored table, columns matched by name."""
        if isinstance(rows, pa.Table):
            rows = ibis.memtable(rows)
        self.backend.insert(name, as_stored(rows, self.table(name).schema()))
        self._changed()

    def replace(self, name: str, rows: ir.Table) -> None:
        """Gives a stored table these rows in place of those that it has."""
        schema = self.table(name).schema()
        self.backend.create_table(name, as_stored(rows, schema), schema=schema, overwrite=True)
        self._changed()

    def compact(self) -> None:
        """Sees to it that nothing is left on disk of rows that were replaced, at the latest when history is closed."""

    def write_parquet(self, expression: ir.Table, path: Path, part: int = PART) -> None:
        """Writes an expression's rows to a file that appears whole or not at all.

        Args:
            expression: The rows.
            path: The file.
            part: About so many of them lie together, to be read without the others.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        self.backend.to_parquet(expression, partial, row_group_size=part)
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
        connection = self.backend.con
        connection.begin()
        try:
            yield
        except BaseException:
            connection.rollback()
            self._changed()
            raise
        connection.commit()


@contextmanager
def unmerged() -> Iterator[None]:
    """Writes every step of an expression as a select of its own: quicker to write, and of few rows an engine answers as fast."""
    merged = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        yield
    finally:
        ibis.options.sql.fuse_selects = merged


def as_stored(rows: ir.Table, schema: ibis.Schema) -> ir.Table:
    """Rows with a schema's columns, in its order and of its types."""
    return rows.select(*(rows[column].cast(kind).name(column) for column, kind in schema.items()))


def stored_schemas() -> Mapping[str, ibis.Schema]:
    """Every stored table's schema by name."""
    facts = {name: table.schema for name, table in FACTS.items()}
    rest = {
        "superseded": SUPERSEDED, "batches": BATCHES, "journal": JOURNAL, "plans": PLANS, "transitions": TRANSITIONS, "tiers": TIERS,
        "erased_decisions": ERASED_DECISIONS, "forgotten": FORGOTTEN, "seals": SEALS,
    }
    return {**facts, **rest, "meta": ibis.schema({"schema_version": "int64"})}


@contextmanager
def open_history(
    url: str, root: Path, *, wait: float = LOCK_WAIT, memory: str | None = None, on_wait: Callable[[str], None] = lambda _: None
) -> Iterator[Warehouse]:
    """Opens a store's history, waiting for another job that holds it, and closes it.

    Args:
        url: A key of `ENGINES`, `://` and a path relative to the store folder.
        root: The store folder.
        wait: Seconds to wait for the lock.
        memory: What the engine may hold before it spills to disk; two fifths of the machine's, at most 10 GB, where None. Spark has its
            own.
        on_wait: Told once, in words, that it waits.

    Raises:
        StoreUnavailable: Locked for longer than `wait`, not writable, damaged, or written by a newer version.
    """
    scheme, _, name = url.partition("://")
    if scheme not in ENGINES or not name:
        known = " or ".join(f"{engine}://" for engine in ENGINES)
        raise StoreUnavailable(f"no engine for history at '{url}'", f"Write {known} and a path: history = \"duckdb://var/history.duckdb\".")
    module, _, function = ENGINES[scheme].rpartition(".")
    opens: Callable[[Path, Opening], AbstractContextManager[Warehouse]] = getattr(import_module(module), function)
    with opens(root / name, Opening(wait, memory, on_wait)) as warehouse:
        _prepare(warehouse)
        yield warehouse


def _prepare(warehouse: Warehouse) -> None:
    """Makes the tables that are absent; gives those of an older version the columns that came since, all or none."""
    present = warehouse.names()
    version = warehouse.scalar(warehouse.table("meta").schema_version.max()) if "meta" in present else None
    if version is not None and version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"{warehouse.path} was written by a newer Rekindle (schema {version})", "Install that version or a later one."
        )
    schemas = stored_schemas()
    for name, schema in schemas.items():
        if name not in present:
            warehouse.create(name, schema)
    if version == SCHEMA_VERSION:
        return
    with warehouse.transaction():
        for name, schema in schemas.items():
            if name in present:
                warehouse.widen(name, schema)
        warehouse.insert("meta", pa.table({"schema_version": [SCHEMA_VERSION]}))
