"""Mailboxes that bounces and complaints come back to, taken in: mbox files, Maildirs, folders of messages, single messages.

Knows nothing of what follows from a report. Taking the same mailbox in again changes nothing; no mailbox is written to.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from rekindle.deliver.arf import read_arf
from rekindle.deliver.delivery_events import DeliveryEvent
from rekindle.deliver.dsn import read_dsn
from rekindle.deliver.reports import AT_MOST
from rekindle.errors import BadData, UsageError
from rekindle.service.events.actions import CHUNK, Recorded, record

_MBOX = b"From "
_LINE_AT_MOST = 100_000
MAILDIR = ("cur", "new")


@dataclass(frozen=True, slots=True)
class Returned:
    """What mailboxes held.

    Args:
        messages: All of them.
        kinds: How many events of each kind their reports told.
        recorded: What the events did; None where they were only counted.
    """

    messages: int
    kinds: Mapping[str, int]
    recorded: Recorded | None


def take_in(paths: Iterable[Path], at: datetime, dry_run: bool = False) -> Returned:
    """Reads mailboxes and does what follows from their reports.

    Args:
        paths: The mailboxes.
        at: The present instant.
        dry_run: Only count.

    Raises:
        UsageError: There is nothing at a path.
        BadData: It cannot be read.
    """
    kinds: Counter[str] = Counter()
    done, read, waiting = Recorded(), 0, list[DeliveryEvent]()
    for message in (message for path in paths for message in messages(path)):
        told = [*read_dsn(message, at), *read_arf(message, at)]
        kinds.update(event.kind for event in told)
        read += 1
        if not dry_run:
            waiting += told
            if len(waiting) >= CHUNK:
                done += record(waiting, at)
                waiting.clear()
    return Returned(read, dict(sorted(kinds.items())), None if dry_run else done + record(waiting, at))


def messages(path: Path) -> Iterator[bytes]:
    """Every message of a mailbox, none longer than what is read of a report.

    Raises:
        UsageError: There is nothing at the path.
        BadData: It cannot be read.
    """
    if not path.exists():
        raise UsageError(f"there is no mailbox at {path}", "Name an mbox file, a Maildir, a folder of .eml files, or a message.")
    try:
        for file in _files(path):
            with file.open("rb") as opened:
                yield from _of_file(opened)
    except OSError as error:
        raise BadData(f"cannot read {path}: {error.strerror}", "Make it readable, or copy it.") from error


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    inner = [path / name for name in MAILDIR if (path / name).is_dir()]
    found = (file for folder in inner for file in folder.iterdir()) if inner else path.glob("*.eml")
    return sorted(file for file in found if file.is_file())


def _of_file(opened: BinaryIO) -> Iterator[bytes]:
    first = opened.read(len(_MBOX))
    opened.seek(0)
    if first != _MBOX:
        yield opened.read(AT_MOST)
        return
    lines, size, blank = list[bytes](), 0, True
    while line := opened.readline(_LINE_AT_MOST):
        if blank and line.startswith(_MBOX) and lines:
            yield b"".join(lines)
            lines, size = [], 0
        if size < AT_MOST:
            lines.append(line)
            size += len(line)
        blank = line in (b"\n", b"\r\n")
    yield b"".join(lines)
