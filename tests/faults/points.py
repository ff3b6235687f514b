"""The points of a touch's way at which a test may step in: both sides of every commit, and three moments of a hand-over."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

HANDING = tuple(f"hand over: {when}" for when in ("before", "middle", "after"))
BEFORE = tuple(f"{action}: before commit" for action in ("recover", "claim", "begin", "settle"))
AFTER = tuple(f"{action}: after commit" for action in ("recover", "claim", "begin", "settle"))
POINTS = (*BEFORE, *AFTER, *HANDING)


def often(point: str) -> bool:
    """Whether a worker with several batches to send passes there several times.

    It recovers once, may claim everything at once, and settles apart only what nothing follows: what has landed else is settled as the
    next begin.
    """
    return not point.startswith(("recover", "claim", "settle"))


def last(point: str) -> bool:
    """Whether a worker may come there only when all else has been sent."""
    return point.startswith("settle")


@contextmanager
def watched(at: Callable[[str], None]) -> Iterator[None]:
    """Tells `at` before and after every commit which verb of the outbox makes it; others are told as `other`."""
    whole = BaseDatabaseWrapper.commit

    def commit(database: BaseDatabaseWrapper) -> None:
        verb = _verb()
        at(f"{verb}: before commit")
        whole(database)
        at(f"{verb}: after commit")

    BaseDatabaseWrapper.commit = commit  # type: ignore[method-assign]  every transaction passes here
    try:
        yield
    finally:
        BaseDatabaseWrapper.commit = whole  # type: ignore[method-assign]  as it was


def _verb() -> str:
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.endswith("outbox/actions.py"):
            return str(frame.f_code.co_name)
        frame = frame.f_back
    return "other"
