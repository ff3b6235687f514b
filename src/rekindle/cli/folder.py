"""`init`: a store folder with the shipped programs, approved for the mailbox alone.

Knows nothing of what the documents say.
"""

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from rekindle import moment, settings
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import emit, say, shown
from rekindle.cli.store import opened
from rekindle.errors import RekindleError, StoreUnavailable, UsageError

TEMPLATE = """\
# A Rekindle store. docs/settings.md lists every setting.
name = {name}
currency = "{currency}"
timezone = "{timezone}"
locale = "{locale}"
margin = 0.40                # of the price, for goods whose cost is not known
horizon_weeks = 26           # how far predictions look ahead
public_url = "https://shop.example/rekindle"   # where your customers reach the links in messages; must be HTTPS

[brand]
url = "https://shop.example"
color = "#1f5f5b"

[sender]
name = {name}
email = "hello@shop.example"
postal_address = "{address}"   # stands in every marketing mail: write your own

[channel_costs]              # of one message, in units of the currency
email = 0.001
sms = 0.07
"""


def init(  # noqa: PLR0913  the options of the command
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The shop's name. Default: the folder's.")] = None,
    currency: Annotated[str | None, typer.Option(metavar="CODE", help="ISO 4217 code. Default: EUR, or the preset's.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Of the store, IANA name. Default: UTC, or the preset's.")] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Take currency and time zone from an import preset.")] = None,
    owner: Annotated[str | None, typer.Option(metavar="NAME", help="Who answers for the programs. Default: you.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a store folder with the shipped programs. Nothing in it leaves this machine until real channels are set up."""
    planned = plan_store(folder, name, currency, timezone, preset)
    if not dry_run:
        create(planned, owner or operator())
    lines = (
        f"{folder} {'would be' if dry_run else 'is'} a store: {planned.name}, {planned.currency}, {planned.timezone}.",
        "The shipped programs are approved for the mailbox alone: nothing leaves this machine.",
        f"Next           rekindle --store {folder} run ORDERS --preset {preset or 'NAME'}",
    )
    emit({"store": folder, "name": planned.name, "currency": planned.currency, "timezone": planned.timezone}, lines, as_json)


def operator() -> str:
    """Who types: the account's name, or `operator` where the machine has none for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # KeyError until Python 3.12
        return "operator"


def plan_store(folder: Path, name: str | None, currency: str | None, timezone: str | None, preset: str | None) -> settings.Settings:
    """The settings of a store that may be made.

    Raises:
        UsageError: The folder is a store already, or a value cannot be used.
    """
    from rekindle.ingest import presets

    if (folder / settings.FILE_NAME).exists():
        raise UsageError(f"{folder} is a store already", "Use it, or name another folder.")
    shape = presets.preset(preset) if preset else None
    known = shape.steps[0].source(shape.needs) if shape else None
    try:
        return settings.Settings(
            root=folder.absolute(), name=name or folder.resolve().name.title(),
            currency=currency or (known.currency if known else None) or "EUR",
            timezone=timezone or (known.timezone if known else None) or "UTC",
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ").partition(". ")[0]
        raise UsageError(said, "Give another --currency or --timezone.") from None


def create(planned: settings.Settings, owner: str) -> None:
    """Writes a store folder and approves what ships with it for the mailbox.

    Raises:
        StoreUnavailable: It cannot be written.
    """
    from rekindle.program.catalogue import scaffold
    from rekindle.service.flow.content import scaffold_content
    from rekindle.service.flow.documents import approve_all

    folder = planned.root
    _write(planned)
    try:
        scaffold(folder, owner, planned.currency, moment.local_day(moment.now(), planned.timezone))
        scaffold_content(folder)
        with opened(folder) as store:
            approve_all(store.settings, owner, store.now)
    except RekindleError:
        (folder / settings.FILE_NAME).unlink(missing_ok=True)
        raise
    say(f"Owner of the shipped programs: {owner}. Change it in {shown(folder / 'programs')}.")


def _write(planned: settings.Settings) -> None:
    from rekindle.deliver.templates import PLACEHOLDER_ADDRESS

    text = TEMPLATE.format(
        name=json.dumps(planned.name, ensure_ascii=False), currency=planned.currency, timezone=planned.timezone, locale=planned.locale,
        address=PLACEHOLDER_ADDRESS,
    )
    try:
        planned.root.mkdir(parents=True, exist_ok=True)
        (planned.root / settings.FILE_NAME).write_text(text, encoding="utf-8")
    except OSError as error:
        why = f"cannot write to {shown(planned.root)}: {error.strerror}"
        raise StoreUnavailable(why, "Choose a folder that you may write to.") from error


COMMANDS = {"init": init}
