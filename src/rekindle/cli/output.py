"""How a command speaks: one JSON object or lines on stdout, everything else on stderr.

Knows nothing of what it says.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from rich.console import Console

from rekindle.errors import RekindleError


def emit(data: dict[str, object], lines: Iterable[str], as_json: bool) -> None:
    """Prints a result: as JSON, or as lines for people."""
    text = json.dumps(data, default=_plain, ensure_ascii=False, indent=2) if as_json else "\n".join(lines)
    sys.stdout.write(text + "\n")


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
    say(f"rekindle: {error.cause}.\n  {error.remedy}")
    if as_json:
        shape = {"error": {"kind": type(error).__name__, "cause": error.cause, "remedy": error.remedy, "exit_code": error.exit_code}}
        sys.stdout.write(json.dumps(shape, ensure_ascii=False) + "\n")


@contextmanager
def progress(text: str) -> Iterator[None]:
    """A spinner on stderr while something takes its time; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
