"""The options that several commands share.

Knows nothing of commands.
"""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
AsOfDay = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="A day (its start, exclusive) or an instant. Default: now, or the day after the last order."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
