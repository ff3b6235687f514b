"""What is done of itself between two people's looks: baselines frozen, overdue programs held back, targets looked at, an audit made.

Knows nothing of how each is done. A store that is asked about another instant than the present one is left as it is.
"""

from collections.abc import Iterator
from datetime import datetime

import ibis

from rekindle import moment
from rekindle.history.warehouse import Warehouse
from rekindle.learn.review_pack import render_pack
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.service.flow import audits, baselines, documents, review_facts, reviews, targets, worlds
from rekindle.service.flow.insights import write_whole
from rekindle.service.programs import queries
from rekindle.settings import Settings

BY = "rekindle"
"""Who freezes what nobody has frozen: before a program's first message there is nothing to choose."""


def freeze(settings: Settings, warehouse: Warehouse, held: Documents, as_of: AsOf) -> None:
    """Freezes the baseline of every program that has none, before the first plan that it could send by.

    Args:
        settings: The store's.
        warehouse: Its open history, with profiles published as of the instant.
        held: Approved documents.
        as_of: The instant.
    """
    if _present(settings, as_of):
        baselines.fill(settings, warehouse, held, BY, as_of.instant)


def keep(settings: Settings, warehouse: Warehouse, held: Documents, as_of: AsOf, at: datetime) -> tuple[str, ...]:
    """Looks at targets, makes an audit where one is due, writes the review of the month before; returns what was done, in sentences.

    Args:
        settings: The store's.
        warehouse: Its open history, with published profiles and what was learned.
        held: Approved documents.
        as_of: The instant of the plan.
        at: The present: of a simulated marketplace, its clock.
    """
    if not _present(settings, as_of):
        return ()
    targets.standings(settings, warehouse, held, as_of)
    return tuple([*_audited(settings, warehouse, held, at), *_reviewed(settings, warehouse, held, as_of, at)])


def _audited(settings: Settings, warehouse: Warehouse, held: Documents, at: datetime) -> Iterator[str]:
    if audits.is_due(at):
        made = audits.make(settings, warehouse, held, at)
        found = "with findings" if made.findings else "and nothing was found"
        yield f"An audit was made, {found}; it waits for a sign-off: rekindle audit --sign-off {made.digest[:12]}"


def _reviewed(settings: Settings, warehouse: Warehouse, held: Documents, as_of: AsOf, at: datetime) -> Iterator[str]:
    """Writes the page of the month that is over, if there were plans in it and nobody has."""
    first = as_of.day.replace(day=1)
    over = AsOf(moment.start_of_day(first, settings.timezone), settings.timezone, shifted=True)
    page, plans = review_facts.page_path(settings, over), warehouse.table("plans")
    if not page.exists() and warehouse.scalar((plans.as_of < ibis.literal(over.naive)).any()):
        facts = review_facts.gather(review_facts.Review(settings, warehouse, held, over, at, publish=False))
        write_whole(page, render_pack(facts))
        yield f"The review of {over.last_day:%B %Y} is written: {page}"


def _present(settings: Settings, as_of: AsOf) -> bool:
    """Whether an instant is the store's present."""
    return not as_of.shifted or worlds.is_simulated(settings)


def pause_overdue(settings: Settings, at: datetime) -> tuple[str, ...]:
    """Holds the marketing of programs back whose review is past its grace, and says so.

    Args:
        settings: The store's; its ledger is in use.
        at: The present.
    """
    if not queries.approved(settings):
        return ()
    stopped = reviews.pause_overdue(documents.approved(settings), at, moment.local_day(at, settings.timezone))
    return tuple(f"{name} is paused: its review is past its grace. Hold it: rekindle review {name} --done" for name in stopped)
