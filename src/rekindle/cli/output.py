"""How a command speaks: one JSON object or lines on stdout, everything else on stderr.

Knows nothing of what it says.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from rich.console import Console

from rekindle.errors import RekindleError, UsageError


def emit(data: Mapping[str, object], lines: Iterable[str], as_json: bool) -> None:
    """Prints a result: as JSON, or as lines for people."""
    text = json.dumps(data, default=_plain, ensure_ascii=False, indent=2) if as_json else "\n".join(lines)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def say(text: str) -> None:
    """One line of talk on stderr."""
    sys.stderr.write(text + "\n")


def fail(error: RekindleError, as_json: bool) -> None:
    """What went wrong and what to do: one message on stderr, and one JSON object on stdout where JSON was asked for."""
    say(f"rekindle: {error.cause.rstrip('.!')}.\n  {error.remedy}")
    if as_json:
        shape = {"error": {"kind": type(error).__name__, "cause": error.cause, "remedy": error.remedy, "exit_code": error.exit_code}}
        sys.stdout.write(json.dumps(shape, ensure_ascii=False) + "\n")


def shown(path: Path) -> str:
    """A path as people would type it here: relative where it lies in the working folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def may_write(path: Path | None) -> None:
    """Sees before any work that a file can be there.

    Raises:
        UsageError: It is a folder, or a file stands where its folder would be.
    """
    if path is not None and path.is_dir():
        raise UsageError(f"{path} is a folder", "Name a file that you may write.")
    if path is not None and any(parent.is_file() for parent in path.parents):
        raise UsageError(f"{path} has a file for a folder", "Name a file that you may write.")


def counted(number: float, one: str, many: str) -> str:
    """A number with its noun.

    >>> counted(1, "message", "messages"), counted(1200, "message", "messages")
    ('1 message', '1,200 messages')
    """
    return f"{number:,} {one if number == 1 else many}"


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Says what is being done on stderr: a spinner on a terminal, else a line per step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield say
        return
    with console.status("") as spinner:
        yield spinner.update


@contextmanager
def progress(text: str) -> Iterator[None]:
    """One step that takes its time."""
    with steps() as step:
        step(text)
        yield
