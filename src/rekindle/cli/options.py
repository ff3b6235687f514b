"""The options that several commands share, and how a day is read.

Knows nothing of commands.
"""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from rekindle.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
AsOfDay = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="A day (its start, exclusive) or an instant. Default: now, or the day after the last order."),
]
AsOfRun = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="A day (its start, exclusive) or an instant. Default: the last plan's, or now."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
Page = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The page. Default: var/reports/index.html of the store.")]


def a_day(text: str, remedy: str) -> date:
    """A day as it was typed.

    Args:
        text: What was typed.
        remedy: How the option is written.

    Raises:
        UsageError: It is none.

    >>> a_day("2026-12-24", "Write --due 2026-12-24.")
    datetime.date(2026, 12, 24)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is not a day", remedy) from None
