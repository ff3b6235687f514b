"""The options that several commands share.

Knows nothing of commands.
"""

from pathlib import Path
from typing import Annotated

import typer

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
