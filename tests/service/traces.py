"""What can still be found of somebody in a store folder: byte by byte, and in every table and cell, whatever it is packed with."""

import gzip
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq


def places(folder: Path, words: Iterable[str]) -> list[str]:
    """Where any of these words stands, as `file: word`."""
    wanted, found = {word: word.lower().encode() for word in words}, set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        for content in (path.name.encode(), *_contents(path)):
            small = content.lower()
            found |= {f"{path.relative_to(folder)}: {word}" for word, letters in wanted.items() if letters in small}
    return sorted(found)


def _contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what they hold where they are packed."""
    yield path.read_bytes()
    if path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes())
    if path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pylist()).encode()
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as history:
            for (name,) in history.execute("select table_name from duckdb_tables()").fetchall():
                yield str(history.table(name).fetchall()).encode()
    if path.suffix == ".sqlite3":
        ledger = sqlite3.connect(path)
        try:
            yield "\n".join(ledger.iterdump()).encode()
        finally:
            ledger.close()
