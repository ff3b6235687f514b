"""The settings of a store as its file says them now, for a process that runs for long.

Knows nothing of what they are for. Which ledger is in use is settled when a process starts: the threads that work on it keep it.
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from rekindle import settings
from rekindle.errors import RekindleError
from rekindle.service.config.talk import once
from rekindle.settings import FILE_NAME, Settings

_Stamp = tuple[int, int, int] | None


class Watched:
    """Settings that are read again when their file has changed; one that cannot be used keeps those before, which is said once.

    Args:
        held: The settings as they were just read.
        say: Takes a line of talk.
        every: Seconds between two looks at the file.
    """

    def __init__(self, held: Settings, say: Callable[[str], None], every: float = 0.0) -> None:
        self.held, self._tell, self._every, self._lock = held, once(say), every, Lock()
        self._seen, self._looked = _stamp(held.root), time.monotonic()

    def now(self) -> Settings:
        """The settings as they are now."""
        if time.monotonic() - self._looked >= self._every:
            with self._lock:
                self._looked, stamp = time.monotonic(), _stamp(self.held.root)
                if stamp != self._seen:
                    self._read(stamp)
        return self.held

    def _read(self, stamp: _Stamp) -> None:
        """Reads the file; one that cannot be used is tried again at the next look, as its rights may change without it."""
        told = ""
        try:
            found = settings.load(self.held.root)
        except (RekindleError, OSError) as error:
            told = f"The settings stay as they were. {error}"
        else:
            place = {name: getattr(self.held, name) for name in ("database", "database_password")}
            if found != (kept := found.model_copy(update=place)):
                told = f"{FILE_NAME}: another database is used when this is started again; it stays as it was."
            self.held, self._seen = kept, stamp
        self._tell(told)


def _stamp(root: Path) -> _Stamp:
    """What changes when a store's file is written; None where it cannot be seen."""
    try:
        found = (root / FILE_NAME).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
