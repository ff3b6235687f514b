"""Whether a message can reach a person at all, whatever they agreed to, by queries of Django's: what the last look must say, too.

Who stopped marketing has not asked to be left in the dark about an order.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Max

from rekindle.service.people.digests import digest_of
from rekindle.service.people.last_look import LastLook, Reader
from rekindle.service.people.models import ERASED, OPT_OUT, PURCHASE, Consent, Person, Suppression
from rekindle.service.people.queries import address_of


def looked(at: datetime, people: Mapping[str, Person], channel: str, service: bool) -> dict[str, str]:
    """What the last look says of a message to each of some people, by customer id."""
    readers = {number: (name, Reader(person)) for number, (name, person) in enumerate(people.items())}
    refused = LastLook(at, {}).refusals({number: reader for number, (_, reader) in readers.items()}, channel, service)
    return {readers[number][0]: reason for number, reason in refused.items()}


def unreachable(people: Mapping[str, Person], channel: str) -> dict[str, str]:
    """Who of these people cannot be reached, and why.

    Args:
        people: By customer id.
        channel: The channel.
    """
    digests = {customer: digest_of(address_of(person, channel)) for customer, person in people.items()}
    rows = Suppression.objects.filter(channel=channel, digest__in=digests.values()).exclude(reason__in=(OPT_OUT, ERASED))
    dead: dict[str, datetime] = dict(rows.values_list("digest").annotate(at=Max("recorded_at")))
    agreed = Consent.objects.filter(customer_id__in=people.keys(), channel=channel, granted=True).exclude(basis=PURCHASE)
    alive: dict[str, datetime] = dict(agreed.values_list("customer_id").annotate(at=Max("recorded_at")))
    found = {}
    for customer, digest in digests.items():
        since = dead.get(digest)
        if not digest:
            found[customer] = "no address"
        elif since is not None and not (customer in alive and alive[customer] > since):
            found[customer] = "address suppressed"
    return found
