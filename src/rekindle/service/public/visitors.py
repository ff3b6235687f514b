"""Who came by a link: the token in the address is all that a page goes by.

Knows nothing of pages.
"""

from dataclasses import dataclass

from rekindle.deliver.links import verify
from rekindle.deliver.short_links import expand
from rekindle.errors import Refused
from rekindle.service.config import load_ring
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.linking import MESSAGES
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import ExternalId, Person
from rekindle.service.people.queries import person_of

_LIST, _STOP = "-marketing", "unsubscribe"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A customer, and the channel by which the link came.

    Args:
        person: Who; one whom the ledger does not know has no data but the id.
        channel: By which the message with the link came.
    """

    person: Person
    channel: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who holds a message.

    Args:
        person: Whom it went to; one whom the ledger does not know has no data but the id.
        touch: What became the message.
    """

    person: Person
    touch: Touch


def reader_of(token: str) -> Reader | None:
    """Whose message a link stood in; None where it is not one of ours, or the message is forgotten.

    Args:
        token: From the address.
    """
    try:
        link = expand(load_ring(store_in_use().var, MESSAGES), token)
    except Refused:
        return None
    touch = Touch.objects.filter(pk=link.touch).first()
    return Reader(person_of(touch.customer_id), touch) if touch else None


def visitor_of(purpose: str, token: str) -> Visitor | None:
    """Who a link is about; None where it is not one of ours.

    A link to stop is about whoever it names, forgotten or not: a stop is never refused.

    Args:
        purpose: Of the keys that it must have been made with.
        token: From the address.
    """
    try:
        claim = verify(load_ring(store_in_use().var, purpose), token)
    except Refused:
        return None
    person = person_of(claim.subject)
    return None if purpose != _STOP and forgotten(person) else Visitor(person, claim.audience.removesuffix(_LIST))


def forgotten(person: Person) -> bool:
    """Whether nobody is known by an id any more: whom it named was erased."""
    return person._state.adding and not ExternalId.objects.filter(customer_id=person.customer_id).exists()
