"""`init`: a store folder with the shipped programs, approved for the mailbox alone.

Knows nothing of what the documents say.
"""

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.options import AsJson
from rekindle.cli.output import emit, say
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


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    name: Annotated[str | None, typer.Option(help="The shop's name.", show_default="the folder's name")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, the only one of this store.", show_default="EUR, or the preset's")] = None,
    timezone: Annotated[str | None, typer.Option(help="Of the store, IANA name.", show_default="UTC, or the preset's")] = None,
    preset: Annotated[str | None, typer.Option(help="Take currency and time zone from an import preset.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for the programs.", show_default="you")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a store folder with the shipped programs. Nothing in it leaves this machine until real channels are set up."""
    made = create(folder, name, currency, timezone, preset, owner)
    lines = (
        f"{folder} is a store: {made.name}, {made.currency}, {made.timezone}.",
        "The shipped programs are approved for the mailbox alone: nothing leaves this machine.",
        f"Next           rekindle --store {folder} import ORDERS --preset NAME",
    )
    emit({"store": str(folder), "name": made.name, "currency": made.currency, "timezone": made.timezone}, lines, as_json)


def create(  # noqa: PLR0913  the options of `init`
    folder: Path, name: str | None, currency: str | None, timezone: str | None, preset: str | None, owner: str | None
) -> settings.Settings:
    """Writes a store folder and approves what ships with it for the mailbox.

    Raises:
        UsageError: The folder is a store already.
        StoreUnavailable: It cannot be written.
    """
    from rekindle.ingest import presets
    from rekindle.program.catalogue import scaffold
    from rekindle.service.flow.content import scaffold_content
    from rekindle.service.flow.documents import approve_all

    if (folder / settings.FILE_NAME).exists():
        raise UsageError(f"{folder} is a store already", "Use it, or name another folder.")
    shape = presets.preset(preset) if preset else None
    known = shape.steps[0].source(shape.needs) if shape else None
    chosen = {
        "currency": currency or (known.currency if known else None) or "EUR",
        "timezone": timezone or (known.timezone if known else None) or "UTC",
    }
    who = owner or getpass.getuser()
    _write(folder, name or folder.resolve().name.title(), chosen["currency"], chosen["timezone"])
    try:
        made = settings.load(folder)
        scaffold(folder, who, made.currency, moment.local_day(moment.now(), made.timezone))
        scaffold_content(folder)
        with opened(folder):
            approve_all(made, who, moment.now())
    except RekindleError:
        (folder / settings.FILE_NAME).unlink(missing_ok=True)
        raise
    say(f"Owner of the shipped programs: {who}. Change it in {folder / 'programs'}.")
    return made


def _write(folder: Path, name: str, currency: str, timezone: str) -> None:
    from rekindle.deliver.templates import PLACEHOLDER_ADDRESS

    text = TEMPLATE.format(
        name=json.dumps(name, ensure_ascii=False), currency=currency, timezone=timezone, locale="en", address=PLACEHOLDER_ADDRESS
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / settings.FILE_NAME).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreUnavailable(f"cannot write to {folder}: {error.strerror}", "Choose a folder that you may write to.") from error


COMMANDS = {"init": init}
