"""What is done of itself between two people's looks: baselines frozen, overdue programs held back, targets looked at, an audit made.

Knows nothing of how each is done. A store that is asked about another instant than the present one is left as it is.
"""

from datetime import datetime

from rekindle import moment
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.service.flow import audits, baselines, documents, reviews, targets, worlds
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
    """Looks at targets, and makes an audit where one is due; returns what was done, each in a sentence without a full stop.

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
    if not audits.is_due(at):
        return ()
    made = audits.make(settings, warehouse, held, at)
    found = "with findings" if made.findings else "and nothing was found"
    return (f"An audit was made, {found}; it waits for a sign-off: rekindle audit --sign-off {made.digest[:12]}",)


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
