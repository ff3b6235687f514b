"""Threads that write messages and hand them over, so that one that waits for an answer holds up no other, and the ledger's waits none.

Knows nothing of the ledger: the thread that keeps it gives work out and takes in what came of it.
"""

import time
from collections.abc import Callable, Iterator
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
        message: What was handed over; None where it could not be written.
        theirs: What the other side calls it.
        error: What was raised; None where it was taken.
        at: When it ended, by the monotonic clock, seconds.
    """

    touch: int
    message: Message | None
    theirs: str
    error: BaseException | None
    at: float


_Job = tuple[int, Channel, Callable[[], Message]]


class Crew:
    """Threads at work; `at_work` makes one and sends it home."""

    def __init__(self, size: int) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._landed: SimpleQueue[Landed] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"hand-over {number}", daemon=True) for number in range(size)]

    def start(self, touch: int, sender: Channel, write: Callable[[], Message]) -> None:
        """Gives one message to a thread that is free; the caller starts no more at once than there are.

        Args:
            touch: The touch's number.
            sender: What the message is given to.
            write: Writes it.
        """
        self._jobs.put((touch, sender, write))

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
            connections.close_all()  # a sender or a message that asks the ledger has opened one for this thread


def _handed_over(touch: int, sender: Channel, write: Callable[[], Message]) -> Landed:
    message, theirs, error = None, "", None
    try:
        message = write()
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
