"""Baselines of programs: frozen once, kept in the document log, and read by whoever compares with them.

Knows nothing of how levels are counted. Freezing needs published profiles: `rekindle run` or `rekindle insight` leaves them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rekindle.decide.arms import Shop
from rekindle.errors import BadData, CannotTell, Refused
from rekindle.history.warehouse import Warehouse
from rekindle.learn import baseline as counting
from rekindle.learn.baseline import Baseline, Frozen
from rekindle.learn.before_after import Period
from rekindle.learn.outcomes import Window
from rekindle.moment import AsOf
from rekindle.program.documents import Documents, Program
from rekindle.program.segments import version
from rekindle.service.config import use_ledger
from rekindle.service.flow.last_profile import last_profile
from rekindle.service.programs import actions, queries
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.queries import BASELINE
from rekindle.settings import Settings

PREFIX = "baseline/"


@dataclass(frozen=True, slots=True)
class Kept:
    """A frozen baseline.

    Args:
        baseline: What was frozen.
        by: Who froze it.
        at: When.
    """

    baseline: Baseline
    by: str
    at: datetime

    def changed(self, documents: Documents) -> tuple[str, ...]:
        """What is no longer as it was when it was frozen, in words; nothing where all is."""
        found = [f"segment {name}" for name, (was, _) in self.baseline.segments.items() if _version(documents, name) != was]
        held = [one for one in documents.programs if one.name == self.baseline.program]
        return tuple([*found, *("whom the program is for" for one in held if one.audience.enter.text != self.baseline.rule)])


def _version(documents: Documents, name: str) -> str:
    return version(name, documents.segments) if name in {one.name for one in documents.segments} else ""


def kept(settings: Settings) -> dict[str, Kept]:
    """The baseline of every program that has one, by its name: the last that was frozen."""
    use_ledger(settings)
    rows = queries.kept(BASELINE)
    found = {row.name.removeprefix(PREFIX): Kept(counting.read(row.text), row.owner, row.submitted_at) for row in rows}
    return dict(sorted(found.items()))


def first_kept(settings: Settings) -> Kept | None:
    """The baseline that was frozen first, whose levels of everyone are the store's; None where none was.

    One of before it was written down how much customers differ gives way to the first that says so.
    """
    use_ledger(settings)
    found = [Kept(counting.read(row.text), row.owner, row.submitted_at) for row in queries.kept(BASELINE)]
    return next((one for one in found if one.baseline.spread is not None), found[0] if found else None)


def needed(documents: Documents) -> tuple[Program, ...]:
    """The programs that need a baseline: all but those about customers' own orders, which are measured by no lift."""
    return tuple(program for program in documents.programs if not program.service)


def fill(settings: Settings, warehouse: Warehouse, documents: Documents, by: str, at: datetime) -> tuple[str, ...] | CannotTell:
    """Freezes the baseline of every program that needs one and has none.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        by: Who does it.
        at: When.

    Returns:
        The programs' names; or why none can be frozen yet.
    """
    held = kept(settings)
    lacking = [program for program in needed(documents) if program.name not in held]
    return _freeze(settings, warehouse, documents, lacking, (by, at)) if lacking else ()


def freeze(  # noqa: PLR0913  who, when and whether again are each asked for
    settings: Settings, warehouse: Warehouse, documents: Documents, name: str, by: str, at: datetime, *, again: bool = False
) -> Baseline:
    """Freezes the baseline of one program.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        name: The program.
        by: Who does it.
        at: When.
        again: Whether one that is frozen gives way; it stays in the log.

    Raises:
        BadData: There is no such program, or it needs none, or too little is known yet.
        Refused: One is frozen, and it was not said that it gives way.
    """
    wanted = [program for program in needed(documents) if program.name == name]
    if not wanted:
        names = ", ".join(program.name for program in needed(documents))
        raise BadData(f"there is no approved marketing program '{name}'", f"Name one of {names}.")
    held = kept(settings).get(name)
    if held is not None and not again:
        was = f"{held.baseline.since} to {held.baseline.until}, frozen by {held.by}"
        raise Refused(f"the baseline of {name} is frozen: {was}", "Write --again where it has to give way; the old one stays in the log.")
    frozen = _freeze(settings, warehouse, documents, wanted, (by, at))
    if isinstance(frozen, CannotTell):
        raise BadData(f"no baseline can be frozen: {frozen.reason}", "Import orders and run: rekindle run")
    return kept(settings)[name].baseline


def _freeze(
    settings: Settings, warehouse: Warehouse, documents: Documents, programs: Sequence[Program], who: tuple[str, datetime]
) -> tuple[str, ...] | CannotTell:
    published = last_profile(settings, warehouse)
    if published is None:
        return CannotTell("no profiles are published yet")
    as_of, first = published.as_of, warehouse.scalar(warehouse.table("orders").purchase_day.min())
    days = counting.period(first, as_of.last_day)
    if isinstance(days, CannotTell):
        return days
    with warehouse.forgetting():
        window = window_of(settings, as_of)
        baskets = counting.bought(warehouse, window, days[0])
        made = counting.freeze(warehouse, programs, Frozen(published.table, baskets, documents, window, days[0]))
    by, at = who
    actions.submit([Submission(f"{PREFIX}{one.program}", BASELINE, counting.write(one), by, one.digest) for one in made], at)
    return tuple(one.program for one in made)


def window_of(settings: Settings, as_of: AsOf) -> Window:
    """What a store's levels are counted by."""
    return Window(as_of, settings.margin, {}, Shop(settings.currency, settings.horizon_weeks, {}, ()))


def period_of(settings: Settings, warehouse: Warehouse, as_of: AsOf, since: date) -> Period:
    """What everyone who has ever ordered did from a day on, up to an instant.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: Later facts are not seen.
        since: The first day.
    """
    window = window_of(settings, as_of)
    with warehouse.forgetting():
        baskets = counting.bought(warehouse, window, since)
        return Period(counting.levels(warehouse, baskets, baskets), counting.spread(warehouse, baskets, window))
