"""`keys`: who may use the JSON API, and for what.

Knows nothing of what the API answers.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import emit, say

if TYPE_CHECKING:
    from rekindle.service.api.models import ApiKey

app = typer.Typer(help="Keys of the JSON API: who may use it, and for what.", no_args_is_help=True, rich_markup_mode=None)


def create(
    context: typer.Context,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="Whose or what for, such as shop-frontend.")],
    scope: Annotated[list[str], typer.Option("--scope", metavar="NAME", help="What it opens, as docs/api.md has it.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it. It is shown this once: the store holds a digest alone."""
    from rekindle.service.api import actions

    _open(context)
    scopes = actions.opened(scope)
    key = None if dry_run else actions.create(label, scopes, moment.now())
    emit({"key": key, "label": label, "scopes": scopes}, [key or f"{label} would open {', '.join(scopes)}"], as_json)
    if key and not as_json:
        say("Keep it as you keep passwords: it is not shown again.")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """List the keys by name, with what they open and whether they are in use."""
    from rekindle.service.api import queries

    _open(context)
    keys = queries.keys()
    emit({"keys": [_json(key) for key in keys]}, [_line(key) for key in keys] or ["No keys."], as_json)


def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The key's name, as the list has it.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End a key. It opens nothing from now on."""
    from rekindle.service.api import actions

    _open(context)
    actions.revoke(name, moment.now(), dry_run=dry_run)
    emit({"name": name, "revoked": not dry_run}, [f"{name} {'would be' if dry_run else 'is'} revoked"], as_json)


def _open(context: typer.Context) -> None:
    from rekindle.service.config import use_ledger

    use_ledger(settings.load(context.obj))


def _json(key: "ApiKey") -> dict[str, object]:
    scopes = key.scopes.split()
    return {"name": key.prefix, "label": key.label, "scopes": scopes, "created_at": key.created_at, "revoked_at": key.revoked_at}


def _line(key: "ApiKey") -> str:
    ended = f", revoked on {key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
    return f"{key.prefix}  {key.label:<24} {key.scopes.replace(' ', ', ')}; made on {key.created_at:%Y-%m-%d}{ended}"


COMMANDS: dict[str, Callable[..., None]] = {"create": create, "list": listed, "revoke": revoke}
for name, command in COMMANDS.items():
    app.command(name, short_help=f"{(command.__doc__ or '').partition('. ')[0].rstrip('.')}.")(command)
