"""The files of a store that are about customers, and how customers are taken out of them.

Knows nothing of history and ledger. A table loses their rows; what was written about many, such as a report, goes whole where it names
one of them, and the next run writes it anew. What the shop itself put into the folder is never changed.
"""

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rekindle.service.flow import uploads, visits
from rekindle.service.privacy.queries import Traces

MAIL = ("mail", "messages")
"""Folders of messages that did not leave this machine: `<day>/<token>@<domain>.<ending>`."""

MANY = 100
"""Of more customers than that files are not searched: whatever may name one of them goes."""

_PART, _OVERLAP = 8_000_000, 1_000
_TELLING = 4
"""An id of fewer characters says nothing where it stands in a text."""

_TORN = 2
"""Lines that could not be read as rows are kept whole in one column, with the reason beside them."""

_TEXTS = (".html", ".json", ".txt", ".csv", ".svg")
_UNFINISHED = (".partial", ".draft")
"""What a job that stopped left: whoever erases holds history's lock, so that no job is writing."""

_KEPT = ("keys", "truth", visits.FOLDER, *MAIL)
_TAKING = ".taking"


def messages(var: Path, tokens: frozenset[str]) -> Iterator[Path]:
    """The files of messages of these names."""
    for folder in MAIL:
        for path in sorted((var / folder).glob("*/*")):
            if path.name.lstrip(".").partition("@")[0] in tokens:
                yield path


def take_out(var: Path, traces: Traces) -> dict[str, int]:
    """Takes customers out of every file that Rekindle wrote.

    Args:
        var: Where a store's files lie.
        traces: By what the customers are found.

    Returns:
        What was done: messages and pages removed, visits and rows taken out.
    """
    done = {"messages": 0, "visits": visits_out(var, traces.touches), "rows": 0, "pages": 0}
    for path in list(messages(var, traces.tokens)):
        path.unlink()
        done["messages"] += 1
    for path in _files(var):
        if path.is_relative_to(var / uploads.FOLDER):
            if _brought(path, traces):
                path.unlink()
                done["pages"] += 1
        elif path.suffix == ".parquet":
            done["rows"] += _without(path, traces)
        elif path.suffix in _UNFINISHED or (path.suffix in _TEXTS and _to_go(path, traces)):
            path.unlink()
            done["pages"] += 1
    return {name: count for name, count in done.items() if count}


def lines_of(var: Path, touches: frozenset[int]) -> list[dict[str, object]]:
    """The visits by the links of some messages."""
    paths = sorted((var / visits.FOLDER).glob("*.jsonl"))
    lines = [_read(line) for path in paths for line in path.read_bytes().splitlines()]
    return [line for line in lines if line.get("touch") in touches]


def still_naming(root: Path, traces: Traces) -> list[Path]:
    """Files of the shop's own in the store folder that still name one of a few customers."""
    if len(traces.customers) > MANY:
        return []
    words = _words(traces)
    mine = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_relative_to(root / "var")]
    return [path for path in mine if _names(path, words)]


def _files(var: Path) -> list[Path]:
    found = [path for path in sorted(var.rglob("*")) if path.is_file() and path.relative_to(var).parts[0] not in _KEPT]
    return [path for path in found if path.name != "sources.json"]


def _words(traces: Traces) -> list[str]:
    """What names customers in a file of the shop's own making: what they are called there, too."""
    return [*traces.customers, *traces.addresses, *(one for one in (*traces.names, *traces.orders) if len(one) >= _TELLING)]


def _brought(path: Path, traces: Traces) -> bool:
    """Whether a file that came through the console names one of some customers: it was taken in or put away, so that it may go whole."""
    if len(traces.customers) > MANY:
        return True
    if path.suffix != ".parquet":
        return _names(path, _words(traces))
    with pq.ParquetFile(path) as file:
        return any(not pc.all(_by_any(file.read_row_group(number), traces)).as_py() for number in range(file.num_row_groups))


def _names(path: Path, words: Iterable[str]) -> bool:
    """Whether a file has one of some words; it is read in parts that overlap by more than a word."""
    wanted = [word.lower().encode() for word in words]
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        before = b""
        while part := file.read(_PART):
            content = (before + part).lower()
            if any(_stands(content, word) for word in wanted):
                return True
            before = part[-_OVERLAP:]
    return False


def _stands(content: bytes, word: bytes) -> bool:
    """Whether a word stands alone somewhere, no letter or digit before or after it."""
    at = content.find(word)
    while at >= 0:
        end = at + len(word)
        if not (content[at - 1 : at].isalnum() or content[end : end + 1].isalnum()):
            return True
        at = content.find(word, at + 1)
    return False


def _to_go(path: Path, traces: Traces) -> bool:
    return len(traces.customers) > MANY or _names(path, (*traces.customers, *traces.addresses, *traces.tokens))


def visits_out(var: Path, touches: frozenset[int]) -> int:
    """Takes the visits by the links of some messages out, while others may be adding some; says how many. What broke off goes on."""
    folder = var / visits.FOLDER
    paths = {*(folder.glob("*.jsonl") if touches else ()), *(one.with_suffix("") for one in folder.glob(f"*.jsonl{_TAKING}"))}
    return sum(_lines_out(path, touches) for path in sorted(paths))


def _lines_out(path: Path, touches: frozenset[int]) -> int:
    """What is added while this works goes to a file of the old name; what is left is added there."""
    taken = path.with_name(path.name + _TAKING)
    if not taken.exists():
        path.replace(taken)
    lines = taken.read_bytes().splitlines(keepends=True)
    left = [line for line in lines if _read(line).get("touch") not in touches]
    if left:
        with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
            file.write(b"".join(left))
    visits.forget_length(path.parents[1], path.name)
    taken.unlink()
    return len(lines) - len(left)


def _read(line: bytes) -> dict[str, object]:
    """What a line says; nothing where it is torn."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _without(path: Path, traces: Traces) -> int:
    """Writes a table anew without the rows that are about some customers; says how many went."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        test = _by_id if "customer_id" in schema.names and path.parent.name != "parked" else _by_any
        keep = [test(file.read_row_group(number), traces) for number in range(file.num_row_groups)]
        gone = sum(len(mask) - (pc.sum(mask).as_py() or 0) for mask in keep)
        if not gone:
            return 0
        draft = path.with_name(path.name + ".partial")
        with pq.ParquetWriter(draft, schema) as writer:
            for number, mask in enumerate(keep):
                writer.write_table(file.read_row_group(number).filter(mask))
    draft.chmod(path.stat().st_mode)
    draft.replace(path)
    return int(gone)


def _by_id(rows: pa.Table, traces: Traces) -> pa.ChunkedArray:
    theirs = pc.is_in(rows["customer_id"], value_set=pa.array(sorted(traces.customers), rows.schema.field("customer_id").type))
    return pc.invert(theirs)


def _by_any(rows: pa.Table, traces: Traces) -> pa.ChunkedArray:
    """Rows of a file as the shop wrote it: no column is known, so that every text of a row is looked at."""
    texts = [name for name in rows.schema.names if pa.types.is_string(rows.schema.field(name).type)]
    if len(traces.customers) > MANY:
        return pa.chunked_array([pa.array([False] * rows.num_rows, pa.bool_())])
    exact = {one.lower() for one in (*traces.names, *traces.orders)}
    within = [one.lower().encode() for one in (*traces.customers, *traces.addresses)]
    torn = [one.encode() for one in exact] if texts and len(rows.schema.names) <= _TORN else []

    def theirs(row: dict[str, str | None]) -> bool:
        cells = [cell.strip().lower() for cell in row.values() if cell]
        return any(cell in exact for cell in cells) or any(_stands(cell.encode(), word) for cell in cells for word in (*within, *torn))

    return pa.chunked_array([pa.array([not theirs(row) for row in rows.select(texts).to_pylist()], pa.bool_())])
