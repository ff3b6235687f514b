"""What stands in a file, as text, with every row accounted for.

Knows nothing of what the columns mean. Parquet, CSV and JSON lines (the latter two gzipped or not) are read by the engine, in
sets; only a CSV's first line is looked at here, so that no dialect is guessed from its content.
"""

import csv
import glob
import gzip
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir

from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse

ROW = "rekindle_row"
"""Numbers the rows of one reading."""

REASON = "rekindle_reason"
"""Why a row was not taken; a parked file has it."""

_HEAD = 1 << 20
_DELIMITERS = ",;\t|"
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_scans = itertools.count()
_UTF8 = "Save it again as UTF-8 text."


@ibis.udf.scalar.builtin(name="json_extract_string")  # type: ignore[untyped-decorator]  # not annotated
def _json_text(line: str, path: str) -> str:  # type: ignore[empty-body]  # the engine has the body
    ...


@ibis.udf.scalar.builtin(name="json_keys", signature=(("string",), "array<string>"))
def _json_keys(line):  # type: ignore[no-untyped-def]  # noqa: ANN001,ANN202  the signature stands in the decorator
    ...


@ibis.udf.scalar.builtin(name="json_valid")  # type: ignore[untyped-decorator]  # not annotated
def _json_valid(line: str) -> bool:  # type: ignore[empty-body]  # the engine has the body
    ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A file's rows.

    Args:
        file: Its name, for messages.
        rows: Distinct rows, every column text, numbered by `ROW`.
        columns: The file's own columns.
        read: Rows in the file, unreadable ones too.
        duplicates: Rows that equal an earlier one in every column.
        unreadable: The lines that are no row, with the engine's word for why; None where all are.
        lost: How many those are.
    """

    file: str
    rows: ir.Table
    columns: tuple[str, ...]
    read: int
    duplicates: int
    unreadable: ir.Table | None = None
    lost: int = 0


def read(warehouse: Warehouse, path: Path) -> Reading:
    """Reads a file.

    Raises:
        BadData: There is no such file, or it cannot be read at all.
    """
    _require_file(path)
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    try:
        if suffix == ".parquet":
            return _counted(warehouse, path.name, _as_text(warehouse.read_parquet(Path(glob.escape(str(path))))))
        if suffix in _JSON_SUFFIXES:
            return _read_json(warehouse, path)
        if suffix in _TEXT_SUFFIXES:
            return _read_csv(warehouse, path)
    except (duckdb.Error, EOFError, gzip.BadGzipFile) as error:
        why = str(error).splitlines()[0]
        raise BadData(f"{path.name} is damaged or is not what its name says: {why}", "Export or copy it again.") from error
    raise BadData(f"{path.name} has no ending that Rekindle reads", "Name it .parquet, .csv, .csv.gz, .jsonl or .jsonl.gz.")


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise BadData(f"{path} is a folder", "Name the files in it.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise BadData(f"there is no file {path}", "Check the path.") from None
    except OSError as error:
        raise BadData(f"cannot read {path}: {error.strerror}", "Check the file's permissions.") from error
    if empty:
        raise BadData(f"{path.name} is empty", "Export it again; nothing was changed.")


def _as_text(table: ir.Table) -> ir.Table:
    return table.select(*(table[name].cast("string").name(name) for name in table.columns))


def _counted(warehouse: Warehouse, file: str, table: ir.Table, unreadable: ir.Table | None = None, lost: int = 0) -> Reading:
    table = table.drop(*(name for name in (ROW, REASON) if name in table.columns))
    everything = warehouse.keep(table)
    rows = warehouse.keep(everything.distinct().mutate(ibis.row_number().name(ROW)))
    read_rows, kept_rows = warehouse.scalar(everything.count()), warehouse.scalar(rows.count())
    return Reading(file, rows, tuple(table.columns), read_rows + lost, read_rows - kept_rows, unreadable, lost)


def _read_csv(warehouse: Warehouse, path: Path) -> Reading:
    names, delimiter = _header(path)
    options = {"header": True, "delim": delimiter, "quote": '"', "escape": '"', "columns": dict.fromkeys(names, "VARCHAR")}
    table, unreadable, lost = _scan(warehouse, path, options)
    return _counted(warehouse, path.name, table, unreadable, lost)


def _read_json(warehouse: Warehouse, path: Path) -> Reading:
    whole_line = {"header": False, "delim": "\x01", "quote": "", "escape": "", "columns": {"line": "VARCHAR"}, "strict_mode": False}
    lines, unreadable, lost = _scan(warehouse, path, whole_line)
    lines = warehouse.keep(lines.filter(lines["line"].strip() != ""))
    is_row = _json_valid(lines["line"]) & lines["line"].re_search(r"^\s*\{")
    broken = lines.filter(~is_row).mutate(problem=ibis.literal("NOT A JSON OBJECT"))
    objects = warehouse.keep(lines.filter(is_row))
    names = objects.select(key=_json_keys(objects["line"]).unnest()).distinct().order_by("key")
    keys = warehouse.arrow(names)["key"].to_pylist()
    lost += warehouse.scalar(broken.count())
    unreadable = broken if unreadable is None else unreadable.union(broken)
    if not keys:
        raise BadData(f"{path.name} holds no JSON objects", "Write one JSON object a line.")
    quoted = {key: '$."' + key.replace('"', '\\"') + '"' for key in keys}
    table = objects.select(**{key: _json_text(objects["line"], at) for key, at in quoted.items()})
    return _counted(warehouse, path.name, table, unreadable, lost)


def _scan(warehouse: Warehouse, path: Path, options: dict[str, object]) -> tuple[ir.Table, ir.Table | None, int]:
    """Reads lines; those that are no row end in the engine's own table of rejects, one entry or more a line."""
    for strict in (True, False):
        rejects = f"rejects_{next(_scans)}"
        storing = {"store_rejects": True, "rejects_limit": 0, "rejects_table": rejects, "rejects_scan": f"{rejects}_scan"}
        try:
            exact = Path(glob.escape(str(path)))
            table = warehouse.keep(warehouse.read_csv(exact, **{"strict_mode": strict, **options}, **storing, auto_detect=False))
        except duckdb.InvalidInputException as error:
            if strict and "invalid state" in str(error):
                continue
            raise
        broken = warehouse.table(rejects)
        by_line = broken.group_by(number=broken["line"])
        unreadable = by_line.aggregate(line=broken["csv_line"].max(), problem=broken["error_type"].min()).drop("number")
        unreadable = warehouse.keep(unreadable)
        return table, unreadable, warehouse.scalar(unreadable.count())
    raise BadData(f"{path.name} mixes line endings in a way that cannot be read", "Save it again with one kind of line ending.")


def _header(path: Path) -> tuple[list[str], str]:
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise BadData(f"{path.name} is empty", "Export it again; nothing was changed.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadData(f"{path.name} is UTF-16 text", _UTF8)
    text = head.decode("utf-8-sig", errors="replace")
    first = text.splitlines()[0] if text.strip() else ""
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise BadData(f"the first line of {path.name} is no header: {error}", "Write the columns' names there.") from error
    if not any(names) or "\x00" in "".join(names):
        raise BadData(f"the first line of {path.name} is no header", "Write the columns' names there.")
    return _distinct_names(names), delimiter


def _distinct_names(names: list[str]) -> list[str]:
    seen: set[str] = set()
    distinct = []
    for place, name in enumerate(names, start=1):
        free = name.strip() or f"column_{place}"
        while free.lower() in seen:
            free = f"{free}_{place}"
        seen.add(free.lower())
        distinct.append(free)
    return distinct
