"""The other side of a channel as a file that only grows, and what stands in it after its writer was killed."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rekindle.deliver.channel import Message


def nothing(_point: str) -> None:
    """What happens at a point where nothing is to happen."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A channel whose other side notes the first byte of a message and its last, each on the disk before it goes on.

    Args:
        path: The file; several processes may write it at once.
        at: Told `before`, `middle` and `after`; may end the process.
    """

    path: Path
    at: Callable[[str], None] = nothing

    def hand_over(self, message: Message) -> str:
        self.at("hand over: before")
        message.begin(time.monotonic())
        self._note(f"first {message.id}")
        self.at("hand over: middle")
        self._note(f"last {message.id}")
        self.at("hand over: after")
        return ""

    def _note(self, line: str) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{line}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)


@dataclass(frozen=True, slots=True)
class Received:
    """What the other side has: how often the first and the last byte of each touch's message came, by the touch's token."""

    first: Counter[str]
    last: Counter[str]


def received(path: Path) -> Received:
    """Reads a sink's file."""
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    first, last = (Counter(name.partition("@")[0] for kind, name in lines if kind == which) for which in ("first", "last"))
    return Received(first, last)
