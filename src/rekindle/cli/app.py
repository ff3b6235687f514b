"""The commands by name, and the store folder that all of them take.

Knows nothing of what a command does.
"""

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli import deciding, documents, folder, importing, knowing, loop, measuring, worlds

app = typer.Typer(
    name="rekindle",
    help="A retention engine for shops and marketplaces: who drifts away and why, what to do about it, and what it was worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StoreOption = Annotated[Path, typer.Option("--store", metavar="DIR", help="The store folder.", show_default="this folder")]


@app.callback()
def _store(context: typer.Context, store: StoreOption = Path()) -> None:
    from rekindle.service.config import configure

    configure()
    context.obj = store


for module in (folder, importing, knowing, deciding, measuring, loop, worlds, documents):
    for name, command in module.COMMANDS.items():
        app.command(name)(command)
