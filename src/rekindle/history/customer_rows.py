"""One customer's rows of published files: of each file the parts that can hold them are read, and nothing else.

Knows nothing of what the files mean. What is remembered of a file is where its parts begin and end, until it is replaced.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rekindle.history.published import Stamp, published, stamped
from rekindle.history.warehouse import SMALL_PART

_MANY = 3 * SMALL_PART
"""Of more rows the engine looks for a customer's: an earlier Rekindle wrote the file in large parts, or Spark, which sorts none."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A file's own description, and the least and the greatest customer of each of its parts; None of one that has no rows left."""

    described: pq.FileMetaData
    ends: tuple[tuple[str | None, str | None], ...]

    def of(self, customer_id: str) -> list[int]:
        """The parts that can hold a customer's rows."""
        return [number for number, (least, most) in enumerate(self.ends) if least and most and least <= customer_id <= most]


_remembered: dict[tuple[Path, str], tuple[Stamp, _Parts]] = {}
"""By the folder over a file's own and its name: of one that lies in a folder for each instant, the latest is remembered."""


def rows_of(paths: Sequence[Path], customer_id: str, order: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A customer's rows of one file or several, soonest where they were written sorted by customer and in small parts.

    Args:
        paths: The files, each with a column `customer_id`; a column that some of them lack is null there.
        customer_id: Whose.
        order: The columns that the rows are sorted by; what is null comes last.
    """
    found = [rows for path in paths if (rows := _rows(path, customer_id)).num_rows]
    if not found:
        return []
    every = pa.concat_tables(found, promote_options="permissive")
    told: list[dict[str, Any]] = (every.sort_by([(column, "ascending") for column in order]) if order else every).to_pylist()
    return told


def _rows(path: Path, customer_id: str) -> pa.Table:
    with path.open("rb") as file:
        parts = _parts(path, file)
        places = parts.of(customer_id)
        if sum(parts.described.row_group(place).num_rows for place in places) > _MANY:
            return published().where(path, "customer_id", customer_id)
        opened = pq.ParquetFile(file, metadata=parts.described, pre_buffer=False)
        read = opened.read_row_groups(places, use_threads=False)
        return read.filter(pc.equal(read["customer_id"], customer_id))


def _parts(path: Path, file: BinaryIO) -> _Parts:
    """The parts of a file that is open, whatever has its name by now."""
    key, stamp = (path.parent.parent, path.name), stamped(path, os.fstat(file.fileno()))
    known = _remembered.get(key)
    if known is None or known[0] != stamp:
        opened = pq.ParquetFile(file, pre_buffer=False)
        ids = (opened.read_row_group(number, ["customer_id"], use_threads=False)[0] for number in range(opened.num_row_groups))
        ends = tuple((least, most) for one in ids for least, most in [pc.min_max(one).as_py().values()])
        known = _remembered[key] = stamp, _Parts(opened.metadata, ends)
    return known[1]
