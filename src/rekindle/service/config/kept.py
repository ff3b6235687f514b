"""What was found is kept for a moment, so that what is asked for many times a second is looked up once.

Knows nothing of what is found. What is not there is looked up each time, so that it is found as soon as it is.
"""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

_AT_MOST = 10_000
"""Names of which something is kept at once; beyond them all begin anew, so that many names cannot fill the memory."""

Found = TypeVar("Found")


class Kept(Generic[Found]):
    """What a look-up finds, by name. What another process changed meanwhile is seen when the moment is over.

    Args:
        find: Looks something up by its name; None where there is none.
        seconds: For how long it is kept.
    """

    def __init__(self, find: Callable[[str], Found | None], seconds: float) -> None:
        self._find, self._seconds = find, seconds
        self._held: dict[str, tuple[float, Found]] = {}

    def __call__(self, name: str) -> Found | None:
        """What is found by a name, or was within the moment."""
        now, held = time.monotonic(), self._held.get(name)
        if held is not None and now < held[0]:
            return held[1]
        found = self._find(name)
        if found is not None:
            if len(self._held) >= _AT_MOST:
                self._held = {}
            self._held[name] = now + self._seconds, found
        return found

    def forget(self, name: str) -> None:
        """Looks this one up again when it is next asked for: this process changed it."""
        self._held.pop(name, None)
