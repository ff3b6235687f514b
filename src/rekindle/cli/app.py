"""The commands by name, and the store folder that all of them take.

Knows nothing of what a command does.
"""

from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli import (
    auditing,
    deciding,
    diagnosing,
    documents,
    events,
    experimenting,
    folder,
    importing,
    keys,
    knowing,
    loop,
    measuring,
    operators,
    policies,
    previewing,
    privacy,
    proposing,
    reviewing,
    segmenting,
    serving,
    walking,
    worlds,
)

app = typer.Typer(
    name="rekindle",
    help="A retention engine for shops and marketplaces: who drifts away and why, what to do about it, and what it was worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StoreOption = Annotated[Path, typer.Option("--store", metavar="DIR", help="The store folder. Default: this folder.", show_default=False)]
VersionOption = Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)]


@app.callback(invoke_without_command=True)
def _store(context: typer.Context, store: StoreOption = Path(), version: VersionOption = False) -> None:
    if version:
        typer.echo(f"rekindle {version_of('rekindle')}")
        raise typer.Exit
    from rekindle.service.config import configure

    configure()
    context.obj = store


MODULES = (
    folder, importing, loop, knowing, segmenting, diagnosing, deciding, previewing, walking, measuring, proposing, worlds, documents,
    events, serving, privacy,
    auditing, reviewing,
)  # fmt: skip
for module in MODULES:
    for name, command in module.COMMANDS.items():
        app.command(name, short_help=f"{(command.__doc__ or '').partition('. ')[0].rstrip('.')}.")(command)
app.add_typer(reviewing.baselines, name="baseline", short_help="Frozen baselines of programs.")
app.add_typer(reviewing.blockers, name="blocker", short_help="What stands in the way, and whose it is.")
app.add_typer(keys.app, name="keys", short_help="Keys of the JSON API.")
app.add_typer(operators.app, name="operators", short_help="Who may use the console.")
app.add_typer(experimenting.app, name="experiments", short_help="Planned comparisons, and what they taught.")
app.add_typer(policies.app, name="policy", short_help="Versions of the table of chances.")
