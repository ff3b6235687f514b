"""Sending what is due at an instant, and telling history.

Knows nothing of a single message.
"""

from datetime import datetime, timedelta

from rekindle import moment
from rekindle.errors import Refused
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.service.flow import documents
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox import queries
from rekindle.service.people.queries import has_contacts
from rekindle.settings import Settings

AFTERNOON = timedelta(hours=15)


def refuse_rehearsal() -> None:
    """Refuses to send where nobody's contact is known.

    Raises:
        Refused: Names the file it wants.
    """
    if not has_contacts():
        raise Refused(
            "no contact is known, so the plan is a rehearsal and nothing can be sent",
            "Import contacts with consent: rekindle import CONTACTS.csv --contacts",
        )


def sending_instant(as_of: AsOf) -> datetime:
    """When messages go: now; on a shifted clock in the afternoon of that day, when it is day for most customers."""
    if not as_of.shifted:
        return as_of.instant
    return max(as_of.instant, moment.start_of_day(as_of.day, as_of.timezone) + AFTERNOON)


def waiting(at: datetime) -> int:
    """How many touches are due at an instant."""
    return queries.due(at)


def dispatch(settings: Settings, warehouse: Warehouse, at: datetime) -> Sent:
    """Sends what is due into the mailbox and mirrors the outcomes into history."""
    quiet = documents.approved(settings).rules.quiet_hours
    done = send_due(settings, at, quiet=quiet)
    close_cycle(settings, warehouse, at)
    return done
