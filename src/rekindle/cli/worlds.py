"""`simulate`: a marketplace whose truth is known, as a store folder.

Knows nothing of how customers are made.
"""

import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import moment, settings
from rekindle.cli.folder import create, operator, plan_store
from rekindle.cli.loop import headlines_of, next_steps, to_json
from rekindle.cli.options import AsJson, DryRun, a_day
from rekindle.cli.output import counted, emit, progress, steps
from rekindle.cli.store import add_sources, opened
from rekindle.errors import UsageError

if TYPE_CHECKING:
    from rekindle.simulate import World

NAME, ZONE = "Marigold", "Europe/Berlin"
WEEK = 7
DAYS_A_MONTH = 365.25 / 12


def simulate(  # noqa: PLR0913  the options of the command
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The store folder to make.")] = None,
    customers: Annotated[int, typer.Option(metavar="N", min=10, max=10_000_000, help="Customers who arrive before the end.")] = 20_000,
    months: Annotated[int, typer.Option(metavar="N", min=1, max=120, help="Of history.")] = 24,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of all chance: the same seed, the same marketplace.")] = 1,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="The day after the last of history. Default: today.")] = None,
    play_weeks: Annotated[int, typer.Option(metavar="N", min=0, max=52, help="Play the last weeks through the whole loop.")] = 0,
    advance: Annotated[int | None, typer.Option(metavar="DAYS", min=1, help="Move the marketplace of --store forward.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a marketplace whose truth is known, to try things on. Or play it forward, or advance the one of --store."""
    if advance is not None:
        if folder is not None:
            raise UsageError("--advance works on the store of --store", "Write: rekindle --store DIR simulate --advance DAYS")
        _advance(context.obj, advance, dry_run, as_json)
        return
    if folder is None:
        raise UsageError("simulate needs a folder to make", "Write: rekindle simulate marigold")
    last = a_day(end, "Write --end 2026-11-22.") if end else moment.local_day(moment.now(), ZONE)
    size = before_playing(customers, months, play_weeks)
    planned = None if _waits(folder) else plan_store(folder, NAME, "EUR", ZONE, None)
    if dry_run:
        shown = {"store": folder, "customers": customers, "months": months, "end": last}
        emit(shown, [f"{folder} would be a marketplace of {customers:,} customers, {months} months to {last}"], as_json)
        return
    if planned:
        create(planned, operator())
    made = _populate(folder, size, seed, last - timedelta(days=WEEK * play_weeks))
    if play_weeks:
        _play(folder, last, play_weeks, as_json)
        return
    size_words = f"{folder}: {made.customers:,} customers, {made.orders:,} orders to {made.end}"
    lines = [size_words, f"Next           rekindle --store {folder} run"]
    emit({"store": folder, "customers": made.customers, "orders": made.orders, "end": made.end}, lines, as_json)


def _waits(folder: Path) -> bool:
    """Whether a store is there that holds no orders yet; it is filled then.

    Raises:
        UsageError: Its currency is not that of the marketplace.
    """
    if not (folder / settings.FILE_NAME).exists():
        return False
    with opened(folder) as store:
        if store.settings.sources or store.holds_orders():
            return False
        if store.settings.currency != "EUR":
            raise UsageError(f"{folder} counts in {store.settings.currency}, the marketplace in EUR", "Name another folder.")
    return True


def before_playing(customers: int, months: int, weeks: int) -> tuple[int, int]:
    """Customers and months to simulate, so that with the weeks that are played there are as many as were asked for.

    >>> before_playing(20_000, 24, 8)
    (18457, 22)

    Raises:
        UsageError: No month is left before the weeks.
    """
    left = months - round(WEEK * weeks / DAYS_A_MONTH)
    if left < 1:
        raise UsageError(f"--play-weeks {weeks} leaves no history of the {months} months", "Give more --months or fewer --play-weeks.")
    days = left * DAYS_A_MONTH
    return max(10, round(customers * days / (days + WEEK * weeks))), left


def _populate(folder: Path, size: tuple[int, int], seed: int, first: date) -> "World":
    from rekindle import simulate as world

    customers, months = size
    with steps() as step:
        step(f"Simulating {customers:,} customers over {months} months to {first}")
        made = world.simulate(folder, customers, months, seed, first)
    add_sources(folder, [{"file": "var/inbox/*.parquet", "map": made.mapping.name}])
    _fix_key(folder / "var" / "identity.key", seed)
    return made


def _fix_key(path: Path, seed: int) -> None:
    """The key of customer ids from the seed, so that the same marketplace meets the same draws; nobody in it is real."""
    path.touch(mode=0o600)
    path.write_text(hashlib.sha256(f"{NAME}:{seed}".encode()).hexdigest(), encoding="ascii")


def _play(folder: Path, last: date, weeks: int, as_json: bool) -> None:
    """Runs the main job at the start of every week and lets the marketplace answer in between; the last run reports."""
    from rekindle.service.flow import importing, running
    from rekindle.service.flow.worlds import advance

    for left in range(weeks, -1, -1):
        day = last - timedelta(days=WEEK * left)
        with opened(folder) as store, steps() as step:
            step(f"Playing {day}, {left} of {weeks} weeks to go")
            imported = importing.take_in_changed(store.settings, store.warehouse, store.now)
            path = store.page()
            page = None if left else running.Page(path, next_steps(store, path))
            done = running.run(store.settings, store.warehouse, store.as_of(day.isoformat()), page)
            for line in _strange(advance(store.settings, WEEK).unknown_arms) if left else ():
                step(line)
    emit(to_json(imported, done, path), headlines_of(done), as_json)


def _advance(folder: Path, days: int, dry_run: bool, as_json: bool) -> None:
    from rekindle.service.flow import worlds

    with opened(folder) as store:
        if not store.simulated:
            raise UsageError(f"{folder} holds no simulated marketplace", "Make one with: rekindle simulate DIR")
        if dry_run:
            emit({"days": days}, [f"Would advance  {counted(days, 'day', 'days')}"], as_json)
            return
        with progress(f"Advancing by {counted(days, 'day', 'days')}"):
            done = worlds.advance(store.settings, days)
        following = store.command("run")
    shown = {
        "clock": done.clock, "orders": done.orders, "extra_orders": done.extra_orders, "redemptions": done.redemptions,
        "unsubscribed": done.unsubscribed, "unknown_arms": done.unknown_arms,
    }  # fmt: skip
    clock = f"Clock          {done.clock}: {done.orders:,} orders, {done.extra_orders:,} of them because of messages"
    emit(shown, [clock, *_strange(done.unknown_arms), f"Next           {following}"], as_json)


def _strange(arms: tuple[str, ...]) -> list[str]:
    """Says once of which variants the marketplace does not know the effect."""
    return [f"Not known      what these variants do, so they do nothing here: {', '.join(arms)}"] if arms else []


COMMANDS = {"simulate": simulate}
