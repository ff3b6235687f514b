"""Where rows wait that could not be taken, until the mapping or a setting is mended.

Knows nothing of why. Parked files hold what the source file held, personal data too: only their owner can read them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.ingest.readers import REASON, ROW, Reading
from rekindle.ingest.rules import ERASED

_FOLDER = "parked"
_DIGEST_LETTERS = 12
_SUFFIX = ".parquet"
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Parking:
    """Where the rows of one kind of one file wait: `<digest of the file>-<kind>-<the file's name>.parquet`.

    Args:
        path: The parked file.
        kind: The kind of source.
        name: The name of the file that the rows come from.
    """

    path: Path
    kind: str
    name: str


def parking(var: Path, file: Path, kind: str) -> Parking:
    """Where the rows of a file wait; the same content has the same place."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:_DIGEST_LETTERS]
    return Parking(var / _FOLDER / f"{digest}-{kind}-{file.name}{_SUFFIX}", kind, file.name)


def waiting(var: Path) -> tuple[Parking, ...]:
    """All parked files whose rows can be tried again."""
    found = []
    for path in sorted((var / _FOLDER).glob(f"*{_SUFFIX}")):
        _, kind, name = path.name.removesuffix(_SUFFIX).split("-", 2)
        if kind != _UNREADABLE:
            found.append(Parking(path, kind, name))
    return tuple(found)


def park(warehouse: Warehouse, place: Parking, reading: Reading, judged: ir.Table) -> Path | None:
    """Parks the rows that were not taken; a file that was parked here before is replaced, or removed where all rows were taken.

    With a rejected order line wait the accepted lines of its order (their reason is null), so that a replay sees whole orders.
    """
    judged = judged.filter((judged[REASON] != ERASED).fill_null(True))
    bad = judged.filter(judged[REASON].notnull())
    if warehouse.scalar(bad.count()) == 0:
        place.path.unlink(missing_ok=True)
        return None
    kept = bad.select(ROW, REASON)
    if place.kind == "lines":
        siblings = judged.filter(judged[REASON].isnull()).semi_join(bad, "order_id")
        kept = kept.union(siblings.select(ROW, REASON))
    _write(warehouse, reading.rows.inner_join(kept, ROW).drop(ROW), place.path)
    return place.path


def park_unreadable(warehouse: Warehouse, place: Parking, reading: Reading) -> Path | None:
    """Keeps the lines that are no rows, for people to look at; no mapping can mend them."""
    path = place.path.with_name(place.path.name.replace(f"-{place.kind}-", f"-{_UNREADABLE}-", 1))
    if not reading.lost or reading.unreadable is None:
        return None
    lines = reading.unreadable
    _write(warehouse, lines.mutate(ibis.literal(_UNREADABLE).name(REASON)), path)
    return path


def _write(warehouse: Warehouse, rows: ir.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.with_name(path.name + ".partial").touch(mode=0o600)
    warehouse.write_parquet(rows, path)
    path.chmod(0o600)
