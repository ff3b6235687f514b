"""Whose turn it is to run a store's jobs: one clerk's at a time.

Knows nothing of jobs. The lock goes with the process that holds it, however that ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from rekindle.settings import Settings


@contextmanager
def alone(settings: Settings) -> Iterator[bool]:
    """Whether no clerk works for this store; none begins as long as this lasts."""
    settings.var.mkdir(parents=True, exist_ok=True)
    with (settings.var / "clerk.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
