"""Files that are brought through the console: where they are kept, what stands in their first rows, and how they can be read.

Knows nothing of what becomes of them: `import` and `run` read them as any other file.
"""

import csv
import gzip
import io
import json
import os
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rekindle.errors import BadData, StoreUnavailable
from rekindle.ingest import presets
from rekindle.settings import Settings

ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".csv.gz", ".tsv.gz", ".txt.gz", ".jsonl.gz", ".json.gz")
FOLDER, MAPPING = "uploads", "mapping.yaml"
_JSON = (".json", ".jsonl", ".ndjson")
_HEAD, _SHOWN, _DELIMITERS = 65_536, 5, ",;\t|"
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "customer_id": ("customer id", "customer", "client", "user id", "user", "email", "buyer", "member", "kunde"),
    "ordered_at": ("ordered at", "order date", "created at", "date", "time", "timestamp", "purchased", "datum"),
    "total": ("total", "amount", "revenue", "price", "subtotal", "value", "sum", "betrag"),
    "order_id": ("order id", "order number", "order", "invoice", "number", "id"),
}
"""Our columns of an order to what files call them, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file.

    Args:
        columns: Its own names.
        rows: Its first rows, text.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def keep(settings: Settings, name: str, parts: Iterable[bytes]) -> Path:
    """Writes an upload where the store's account alone can read it.

    Args:
        settings: The store's.
        name: As the browser gives it; only its last part counts, and of that only plain characters.
        parts: Its bytes.

    Raises:
        BadData: It has no ending that Rekindle reads.
        StoreUnavailable: It cannot be written.
    """
    path = settings.var / FOLDER / secrets.token_hex(6) / _plain(name)
    try:
        path.parent.mkdir(parents=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for part in parts:
                file.write(part)
    except OSError as error:
        raise StoreUnavailable(f"cannot keep the file: {error.strerror}", "Look at the store folder's rights and free space.") from error
    return path


def _plain(name: str) -> str:
    """A name of plain characters with the ending that was given; of one without any, as of letters that are not Latin, "file"."""
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    ending = max((one for one in ENDINGS if last.lower().endswith(one)), key=len, default="")
    if not ending:
        raise BadData(f"'{last or 'the file'}' has no ending that Rekindle reads", "Name it .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet.")
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", last[: -len(ending)]).strip(".-")[-72:]
    return f"{stem or 'file'}{ending}"


def named(settings: Settings, key: str) -> Path | None:
    """The upload of a key, the name of its folder; None where there is none."""
    if not re.fullmatch(r"[0-9a-f]{12}", key):
        return None
    found = [path for path in (settings.var / FOLDER / key).glob("*") if path.name != MAPPING]
    return found[0] if found else None


def head(path: Path) -> Head:
    """A file's columns and first rows.

    Raises:
        BadData: It is not what its name says, or is empty.
    """
    try:
        found = _read(path)
    except (OSError, EOFError, ValueError, OverflowError, RecursionError, zlib.error, csv.Error, pa.ArrowException) as error:
        raise BadData(f"{path.name} is damaged or is not what its name says", "Export or copy it again.") from error
    if not any(found.columns):
        raise BadData("the file has no first line with names", "Export it again with its columns' names.")
    return found


def _read(path: Path) -> Head:
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        rows = next(file.iter_batches(_SHOWN), None)
        columns = tuple(file.schema_arrow.names)
        return Head(columns, tuple(tuple(str(row[name]) for name in columns) for row in (rows.to_pylist() if rows else ())))
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as held:
        begun = held.read(_HEAD + 1)
    if b"\0" in begun:
        raise BadData(f"{path.name} is no text in UTF-8", "Save it as CSV in UTF-8.")
    text = begun[:_HEAD].decode("utf-8-sig", errors="replace")
    whole = len(begun) <= _HEAD
    return _of_json(text, whole) if path.name.removesuffix(".gz").endswith(_JSON) else _of_csv(text)


def _of_csv(text: str) -> Head:
    lines = io.StringIO(text, newline=None).read()
    delimiter = max(_DELIMITERS, key=lines.partition("\n")[0].count)
    rows = list(islice(csv.reader(io.StringIO(lines), delimiter=delimiter), _SHOWN + 1)) or [[]]
    return Head(tuple(rows[0]), tuple(tuple(row) for row in rows[1:]))


def _of_json(text: str, whole: bool) -> Head:
    """Of one object a line; a last line that is cut off, as the file is longer, is left out."""
    lines = text.split("\n") if whole else text.split("\n")[:-1]
    try:
        found = [json.loads(line) for line in [line for line in lines if line.strip()][:_SHOWN]]
    except json.JSONDecodeError:
        found = [None]
    if not all(isinstance(line, dict) for line in found):
        raise BadData("the file does not hold one JSON object a line", "Write it as JSON lines: one object a line, no list around them.")
    columns = tuple(dict.fromkeys(name for line in found for name in line))
    return Head(columns, tuple(tuple(str(line.get(name, "")) for name in columns) for line in found))


def preset_of(columns: Sequence[str]) -> str | None:
    """The preset whose columns a file of orders has; None where it is none of them."""
    known = [name for name in presets.PRESETS if presets.preset(name).needs]
    return next((name for name in known if set(presets.preset(name).needs) <= set(columns)), None)


def guessed(columns: Sequence[str]) -> dict[str, str]:
    """Our columns of an order to those of the file that are called alike; each is given once."""
    plain = {re.sub(r"[^a-z]+", " ", re.sub(r"([a-z])([A-Z])", r"\1 \2", one).lower()).strip(): one for one in columns}
    found: dict[str, str] = {}
    for ours, words in _GUESSES.items():
        free = {name: one for name, one in plain.items() if one not in found.values()}
        exact = [free[word] for word in words if word in free]
        near = [one for word in words for name, one in free.items() if word in name]
        if exact or near:
            found[ours] = (exact or near)[0]
    return found


def looks_of(head: Head, chosen: Mapping[str, str], formats: Iterable[str]) -> dict[str, str]:
    """How a file seems to write amounts and days: `decimal`, and `time_format` where its first rows fit one of these.

    Args:
        head: The file's beginning.
        chosen: Our columns to the file's.
        formats: `strptime` patterns; the first that fits every row is taken, none where days begin with the year.
    """
    amounts, days = (_column(head, chosen.get(name, "")) for name in ("total", "ordered_at"))
    comma = bool(amounts) and all(re.fullmatch(r"-?[\d.]*(,\d{1,2})?", one) for one in amounts) and any("," in one for one in amounts)
    fitting = next((one for one in formats if days and all(_reads(day, one) for day in days)), "")
    return {"decimal": "," if comma else ".", "time_format": fitting}


def _column(head: Head, name: str) -> list[str]:
    at = head.columns.index(name) if name in head.columns else len(head.columns)
    return [row[at] for row in head.rows if at < len(row)]


def _reads(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True


def write_mapping(path: Path, source: Mapping[str, object]) -> Path:
    """Writes how an upload is read beside it: one source of a mapping file (JSON is YAML).

    Args:
        path: The upload.
        source: As docs/import.md has a source.
    """
    where = path.with_name(MAPPING)
    where.write_text(json.dumps({"sources": [{"file": path.name, **source}]}, indent=1, ensure_ascii=False), encoding="utf-8")
    return where
