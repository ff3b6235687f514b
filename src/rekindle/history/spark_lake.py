"""History in a lake: one folder of Parquet files per table, read and written by Spark.

Knows nothing of what the tables mean, nor of a cluster: Spark is set up as for any other job, by spark-submit or spark-defaults.conf.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot.expressions as sge

from rekindle.errors import StoreUnavailable
from rekindle.history.warehouse import PART, Opening, Warehouse, as_stored, stored_schemas

SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",  # Ibis 12.0 does not know the type, 2026-11; in UTC both are the same instant
}
"""Instants are naive UTC, so a session's zone must be that."""

_RETRY = 0.25
_LOCK, _BEFORE = ".lock", ".before"


@contextmanager
def opened(path: Path, opening: Opening) -> Iterator[Warehouse]:
    """Opens a lake behind its lock, in a session of its own of the Spark that runs, or of a local one.

    Args:
        path: The lake's folder; made where it is not there. Where Spark is a cluster, a folder that every machine of it sees.
        opening: How long to wait; memory is Spark's own setting.

    Raises:
        StoreUnavailable: Spark or Java is not installed, the folder cannot be written, or another job holds it for longer than that.
    """
    session = _session()
    with _held(path, opening):
        own = session.newSession()
        for name, value in SESSION.items():
            own.conf.set(name, value)
        yield SparkLake(ibis.pyspark.connect(own), path)


def _session() -> Any:  # noqa: ANN401  pyspark is not installed everywhere
    try:
        spark = import_module("pyspark.sql").SparkSession
    except ImportError as error:
        raise StoreUnavailable("history at spark:// needs Spark, which is not installed", "pip install 'rekindle[spark]'") from error
    try:
        return spark.builder.appName("rekindle").getOrCreate()
    except Exception as error:
        cause = str(error).splitlines()[0]
        raise StoreUnavailable(f"Spark does not start: {cause}", "Install Java 17, such as openjdk-17-jre-headless.") from error


@contextmanager
def _held(path: Path, opening: Opening) -> Iterator[None]:
    deadline = time.monotonic() + opening.wait
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / _LOCK).open("w", encoding="utf-8")
    except OSError as error:
        raise StoreUnavailable(f"cannot write to {path}: {error.strerror}", "Make the folder writable, or copy it.") from error
    told = False
    with lock:
        while not _locked(lock.fileno()):
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"{path} is in use by another job for over {opening.wait:.0f} s", "Wait for that job to end, or stop it."
                )
            if not told:
                opening.on_wait(f"Waiting for another job that holds {path} (up to {opening.wait:.0f} s)")
                told = True
            time.sleep(_RETRY)
        yield


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass(slots=True)
class SparkLake(Warehouse):
    """An open lake.

    Rows travel through Arrow: Ibis would take them through pandas, which loses whole numbers beside nulls (Ibis 12.0, 2026-11).
    """

    _registered: set[str] = field(default_factory=set, init=False)

    def names(self) -> set[str]:
        """The tables that have a folder; what a broken transaction left is removed first."""
        self._undo()
        found = {name for name in stored_schemas() if (self.path / name).is_dir()}
        for name in found:
            self._show(name)
        return found

    def create(self, name: str, schema: ibis.Schema) -> None:  # noqa: ARG002  the schema of a stored table is known by its name
        """Makes a table's folder; its schema is that of `stored_schemas`."""
        (self.path / name).mkdir()
        self._show(name)

    def widen(self, name: str, schema: ibis.Schema) -> None:
        """Nothing to do: files are read by `stored_schemas`, and a column that a file lacks reads as null."""

    def _show(self, name: str) -> None:
        """Makes a table's files as they are now known to the session."""
        schema = import_module("ibis.backends.pyspark.datatypes").PySparkSchema.from_ibis(stored_schemas()[name])
        self._session.read.schema(schema).parquet(str(self.path / name)).createOrReplaceTempView(name)
        self._changed()

    @property
    def _session(self) -> Any:  # noqa: ANN401  pyspark is not installed everywhere
        return self.backend._session

    def _frame(self, expression: ir.Table) -> Any:  # noqa: ANN401  a pyspark DataFrame
        for held in expression.op().find(ops.InMemoryTable):
            if held.name not in self._registered:
                self._session.createDataFrame(held.data.to_pyarrow(held.schema)).createOrReplaceTempView(held.name)
                self._registered.add(held.name)
        return self._session.sql(_as_spark_reads(self.backend.compiler.to_sqlglot(expression)).sql(self.backend.dialect))

    def arrow(self, expression: ir.Table) -> pa.Table:
        """Runs an expression and returns its rows."""
        fields = [pa.field(one.name, one.type) for one in expression.schema().to_pyarrow()]
        return self._frame(expression).toArrow().cast(pa.schema(fields))

    def keep(self, expression: ir.Table | pa.Table) -> ir.Table:
        """Runs an expression once and keeps its rows in Spark's storage, whatever is appended to the tables later."""
        name = self._name()
        frame = self._session.createDataFrame(expression) if isinstance(expression, pa.Table) else self._frame(expression)
        frame.localCheckpoint(eager=True).createOrReplaceTempView(name)
        return self.backend.table(name)

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Gives up at its end what was kept inside; Spark frees a checkpoint that nothing names any more."""
        before = self._temporary
        try:
            yield
        finally:
            for number in range(before, self._temporary):
                self._session.catalog.dropTempView(f"kept_{number + 1}")

    def forget(self, *tables: ir.Table) -> None:
        """Gives up tables that were kept and that nothing reads any more."""
        for table in tables:
            self._session.catalog.dropTempView(table.op().name)

    def insert(self, name: str, rows: ir.Table | pa.Table) -> None:
        """Appends rows to a table's folder, columns matched by name."""
        schema, folder = stored_schemas()[name], self.path / name
        if isinstance(rows, pa.Table):
            stored = rows.select(schema.names).cast(schema.to_pyarrow())
            partial = folder / ".partial"
            pq.write_table(stored, partial)
            partial.rename(folder / f"rows-{len(list(folder.glob('*.parquet')))}.parquet")
        else:
            self._frame(as_stored(rows, schema)).write.mode("append").parquet(str(folder))
        self._show(name)

    def replace(self, name: str, rows: ir.Table) -> None:  # noqa: ARG002  as elsewhere
        """Refused: nothing of a lake is taken away by Rekindle."""
        raise _no_removal(self.path)

    def compact(self) -> None:
        """Refused: nothing of a lake is taken away by Rekindle."""
        raise _no_removal(self.path)

    def write_parquet(self, expression: ir.Table, path: Path, part: int = PART) -> None:  # noqa: ARG002  as elsewhere
        """Writes an expression's rows to one file that appears whole or not at all, in parts as large as Spark makes them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        self._frame(expression).repartition(1).write.mode("overwrite").parquet(str(partial))
        next(partial.glob("*.parquet")).replace(path)
        rmtree(partial)

    def read_parquet(self, path: Path | list[Path]) -> ir.Table:
        """A Parquet file, or several, as a table."""
        name = self._name()
        self._session.read.parquet(*map(str, path if isinstance(path, list) else [path])).createOrReplaceTempView(name)
        return self.backend.table(name)

    def read_csv(self, path: Path, **options: object) -> ir.Table:  # noqa: ARG002  as elsewhere
        """Refused: the readers of exports are DuckDB's."""
        raise _no_import(path)

    def read_json(self, path: Path, **options: object) -> ir.Table:  # noqa: ARG002  as elsewhere
        """Refused: the readers of exports are DuckDB's."""
        raise _no_import(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All files written inside stay, or none does; a job that broke off is cleaned up by the next that opens the lake."""
        note = self.path / _BEFORE
        note.write_text("\n".join(sorted(str(file) for file in self._files())), encoding="utf-8")
        try:
            yield
        except BaseException:
            self._undo()
            for name in stored_schemas():
                self._show(name)
            raise
        note.unlink()

    def _files(self) -> Iterator[Path]:
        return (file.relative_to(self.path) for file in self.path.glob("*/*.parquet"))

    def _undo(self) -> None:
        """Removes what was written since a transaction began that did not end."""
        note = self.path / _BEFORE
        if note.exists():
            before = set(note.read_text(encoding="utf-8").splitlines())
            for file in [one for one in self._files() if str(one) not in before]:
                (self.path / file).unlink()
            note.unlink()


def _as_spark_reads(query: sge.Expression) -> sge.Expression:
    """A query that means to Spark what it means to DuckDB.

    To Spark a plain 0.5 is a decimal, which it rounds to six places, and a text of 0x and digits no number.
    """
    own = query.copy()  # where a literal is used twice it is one node, and becomes two
    for node in own.walk():
        if isinstance(node, sge.Literal) and not node.is_string and not node.name.isdigit():
            node.set("this", node.name + "D")
        elif isinstance(node, sge.Cast) and isinstance(node.this, sge.Concat) and node.this.expressions[0].name == "0x":
            digits = node.this.expressions[1]
            node.set("this", sge.func("conv", digits, sge.convert(16), sge.convert(10)))
    return own


def _no_removal(path: Path) -> StoreUnavailable:
    remedy = "Remove the customer's rows with your own jobs from every table that has a customer_id; docs/engines.md."
    return StoreUnavailable(f"cannot remove rows from the lake {path.name}", remedy)


def _no_import(path: Path) -> StoreUnavailable:
    remedy = "Write the lake's tables with your own jobs, or import into history = \"duckdb://var/history.duckdb\"; docs/engines.md."
    return StoreUnavailable(f"cannot import {path.name} through Spark", remedy)
