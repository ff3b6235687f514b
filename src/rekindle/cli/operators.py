"""`operators`: who may use the console, and what for.

Knows nothing of how they sign in.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import emit, say

if TYPE_CHECKING:
    from rekindle.service.console.models import Operator

app = typer.Typer(help="Who may use the console, and what for.", no_args_is_help=True, rich_markup_mode=None)


class RoleName(StrEnum):
    """A role as it is typed."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


Email = Annotated[str, typer.Argument(metavar="EMAIL", help="What they sign in with.")]


def add(
    context: typer.Context,
    email: Email,
    role: Annotated[RoleName, typer.Option("--role", help="What they may do (docs/console.md).")] = RoleName.EDITOR,
    privacy: Annotated[bool, typer.Option("--privacy", help="They may see names and addresses, and take data out.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add an operator, and show the link by which they choose a password. It is good for a day and is spent by the first use."""
    from rekindle.service.console import actions, queries

    store = _open(context)
    token = "" if dry_run else actions.invite(email, queries.role_named(role.value), privacy, operator(), moment.now())
    link = link_of(store, token) if token else ""
    emit({"email": email, "role": role.value, "privacy": privacy, "link": link}, [link or f"{email} would be {role.value}"], as_json)
    if link and not as_json:
        say("Give it to them; it is not shown again.")


def link(context: typer.Context, email: Email, as_json: AsJson = False) -> None:
    """Show a new link by which an operator chooses another password. Their second factor stays."""
    from rekindle.service.console import actions

    store = _open(context)
    shown = link_of(store, actions.new_link(email, operator(), moment.now()))
    emit({"email": email, "link": shown}, [shown], as_json)


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """List the operators with their roles."""
    from rekindle.service.console import queries

    _open(context)
    found = queries.operators()
    emit({"operators": [_json(one) for one in found]}, [_line(one) for one in found] or ["No operators."], as_json)


def remove(context: typer.Context, email: Email, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Let an operator in no more. What they did stays on record."""
    from rekindle.service.console import actions

    _open(context)
    if not dry_run:
        actions.remove(email, operator(), moment.now())
    emit({"email": email, "removed": not dry_run}, [f"{email} {'would be' if dry_run else 'is'} removed"], as_json)


def _open(context: typer.Context) -> settings.Settings:
    from rekindle.service.config import use_ledger

    store = settings.load(context.obj)
    use_ledger(store)
    return store


def link_of(store: settings.Settings, token: str, here: str = "") -> str:
    """A link as it is opened.

    Args:
        store: The store's settings.
        token: The link's.
        here: Where the console is reached on this machine, such as `http://127.0.0.1:8377`; the store's own address where not given.
    """
    return f"{here + store.public_path if here else store.public_url.rstrip('/')}/console/account/welcome/{token}"


def _json(one: "Operator") -> dict[str, object]:
    return {"email": one.email, "role": one.get_role_display(), "privacy": one.privacy, "second_factor": one.has_second_factor}


def _line(one: "Operator") -> str:
    second = "with" if one.has_second_factor else "without"
    return f"{one.email:<32} {one.get_role_display()}{', personal data' if one.privacy else ''}; {second} a second factor"


COMMANDS: dict[str, Callable[..., None]] = {"add": add, "link": link, "list": listed, "remove": remove}
for name, command in COMMANDS.items():
    app.command(name, short_help=f"{(command.__doc__ or '').partition('. ')[0].rstrip('.')}.")(command)
