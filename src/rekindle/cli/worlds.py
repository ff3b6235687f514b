"""`simulate`: a marketplace whose truth is known, as a store folder.

Knows nothing of how customers are made.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from rekindle import moment
from rekindle.cli.folder import create
from rekindle.cli.options import AsJson
from rekindle.cli.output import emit, say
from rekindle.cli.store import opened
from rekindle.errors import UsageError

NAME, ZONE = "Marigold", "Europe/Berlin"
WEEK = 7


def simulate(  # noqa: PLR0913  the options of the command
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The store folder to make.")] = None,
    customers: Annotated[int, typer.Option(min=1, help="Customers who arrive before the end.")] = 20_000,
    months: Annotated[int, typer.Option(min=1, help="Of history.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance: the same seed gives the same marketplace.")] = 1,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="The day after the last of history.", show_default="today")] = None,
    play_weeks: Annotated[int, typer.Option(min=0, max=52, help="Play the last weeks of it forward through the whole loop.")] = 0,
    advance: Annotated[int | None, typer.Option(min=1, metavar="DAYS", help="Move the store's marketplace forward; sent messages have their effect.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a marketplace whose truth is known, play it forward, or advance one."""
    if advance is not None:
        if folder is not None:
            raise UsageError("--advance works on the store of --store", "Write: rekindle --store DIR simulate --advance DAYS")
        _advance(context.obj, advance, as_json)
        return
    if folder is None:
        raise UsageError("simulate needs a folder to make", "Write: rekindle simulate marigold")
    last = _day(end) if end else moment.local_day(moment.now(), ZONE)
    first = last - timedelta(days=WEEK * play_weeks)
    from rekindle import simulate as world

    create(folder, NAME, "EUR", ZONE, None, None)
    say(f"Simulating {customers:,} customers over {months} months")
    made = world.simulate(folder, customers, months, seed, first)
    _add_source(folder, made.mapping)
    if not play_weeks:
        shown = {"store": str(folder), "customers": made.customers, "orders": made.orders, "end": str(made.end)}
        emit(shown, [f"{folder}: {made.customers:,} customers, {made.orders:,} orders to {made.end}", f"Next           rekindle --store {folder} run"], as_json)
        return
    _play(folder, first, play_weeks, as_json)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is not a day", "Write --end 2026-11-22.") from None


def _add_source(folder: Path, mapping: Path) -> None:
    with (folder / "rekindle.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[[sources]]\nfile = "var/inbox/*.parquet"\nmap = "{mapping.name}"\n')


def _play(folder: Path, first: date, weeks: int, as_json: bool) -> None:
    from rekindle.cli.loop import to_json
    from rekindle.learn.report import headlines
    from rekindle.service.flow import running
    from rekindle.service.flow.worlds import advance

    for week in range(weeks + 1):
        day = first + timedelta(days=WEEK * week)
        last = week == weeks
        say(f"Week {week} of {weeks}: {day}")
        with opened(folder) as store:
            done = running.run(
                store.settings, store.warehouse, moment.start_of_day(day, ZONE) if last else store.now,
                lambda store=store, day=day: store.as_of(day.isoformat()), None if last else Path(),
            )
            if not last:
                advance(store.settings, WEEK)
    if done.facts is not None:
        emit(to_json(done), headlines(done.facts), as_json)


def _advance(folder: Path, days: int, as_json: bool) -> None:
    from rekindle.service.flow import worlds

    with opened(folder) as store:
        done = worlds.advance(store.settings, days)
    shown = {
        "clock": str(done.clock), "orders": done.orders, "extra_orders": done.extra_orders, "redemptions": done.redemptions,
        "unsubscribed": done.unsubscribed,
    }
    words = (
        f"Clock          {done.clock}: {done.orders:,} orders, {done.extra_orders:,} of them because of messages",
        f"Next           rekindle --store {folder} run --as-of {done.clock}",
    )
    emit(dict(shown), words, as_json)


COMMANDS = {"simulate": simulate}
