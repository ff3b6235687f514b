"""Who came by a link: the token in the address is all that a page goes by.

Knows nothing of pages.
"""

from dataclasses import dataclass

from rekindle.deliver.links import verify
from rekindle.errors import Refused
from rekindle.service.config import load_ring
from rekindle.service.config.web import store_in_use
from rekindle.service.people.models import Person

_LIST = "-marketing"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A customer, and the channel by which the link came.

    Args:
        person: Who; one whom the ledger does not know has no data but the id.
        channel: By which the message with the link came.
    """

    person: Person
    channel: str


def visitor_of(purpose: str, token: str) -> Visitor | None:
    """Who a link is about; None where it is not one of ours.

    Args:
        purpose: Of the keys that it must have been made with.
        token: From the address.
    """
    try:
        claim = verify(load_ring(store_in_use().var, purpose), token)
    except Refused:
        return None
    person = Person.objects.filter(pk=claim.subject).first() or Person(customer_id=claim.subject)
    return Visitor(person, claim.audience.removesuffix(_LIST))
