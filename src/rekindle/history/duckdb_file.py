"""History in one DuckDB file, which one job holds at a time.

Knows nothing of what the tables mean.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from rekindle.errors import StoreUnavailable
from rekindle.history.warehouse import Opening, Warehouse

_RETRY = 0.25
_LEAST_MEMORY, _MOST_MEMORY = 1_000, 8_000
_SHARE = 3


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
    try:
        yield Warehouse(backend, path)
    finally:
        backend.disconnect()


def third_of_memory() -> str:
    """A third of the machine's memory, from 1 to 8 GB: what the engine may hold where nothing else is said."""
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    return f"{min(max(_LEAST_MEMORY, megabytes // _SHARE), _MOST_MEMORY)}MB"


def _connect(path: Path, opening: Opening) -> Backend:
    deadline = time.monotonic() + opening.wait
    memory, spill = opening.memory or third_of_memory(), str(path.parent / "spill")
    options = {"memory_limit": memory, "temp_directory": spill, "preserve_insertion_order": False}
    told = False
    while True:
        try:
            return ibis.duckdb.connect(path, autoinstall_known_extensions=False, **options)
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
