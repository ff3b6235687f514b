"""Threads that hand messages over, so that one that waits for an answer holds up no other.

Knows nothing of the ledger: the thread that keeps it gives work out and takes in what came of it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from django.db import connections

from rekindle.deliver.channel import Channel, Message


@dataclass(frozen=True, slots=True)
class Landed:
    """What came of one hand-over.

    Args:
        touch: The touch's number.
        message: What was handed over.
        theirs: What the other side calls it.
        error: What was raised; None where it was taken.
        at: When it ended, by the monotonic clock, seconds.
    """

    touch: int
    message: Message
    theirs: str
    error: BaseException | None
    at: float


_Job = tuple[int, Channel, Message]


class Crew:
    """Threads at work; `at_work` makes one and sends it home."""

    def __init__(self, size: int) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._landed: SimpleQueue[Landed] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"hand-over {number}", daemon=True) for number in range(size)]

    def start(self, touch: int, sender: Channel, message: Message) -> None:
        """Gives one message to a thread that is free; the caller starts no more at once than there are."""
        self._jobs.put((touch, sender, message))

    def landed(self, seconds: float) -> list[Landed]:
        """What has ended, after waiting at most so long for a first one."""
        found = []
        try:
            found.append(self._landed.get(timeout=max(seconds, 0.0)))
            while True:
                found.append(self._landed.get_nowait())
        except Empty:
            return found

    def _work(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                self._landed.put(_handed_over(*job))
        finally:
            connections.close_all()  # a sender that writes to the ledger has opened one for this thread


def _handed_over(touch: int, sender: Channel, message: Message) -> Landed:
    theirs, error = "", None
    try:
        theirs = sender.hand_over(message)
    except BaseException as raised:  # noqa: BLE001  it is told to the thread that keeps the ledger, which decides
        error = raised
    return Landed(touch, message, theirs, error, time.monotonic())


@contextmanager
def at_work(size: int) -> Iterator[Crew]:
    """A crew that goes home at the end, when all that it began is done.

    Args:
        size: How many hand-overs may be in the air at once.
    """
    crew = Crew(size)
    for thread in crew._threads:
        thread.start()
    try:
        yield crew
    finally:
        for _ in crew._threads:
            crew._jobs.put(None)
        for thread in crew._threads:
            thread.join()
