"""Which messages a customer sees inside the shop now.

Knows nothing of pages. Consent and suppression are read at this moment, so that who opted out sees nothing that was put there before; who
asked to be erased sees nothing at all.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from rekindle import moment
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.people.queries import people_by_id, refusals
from rekindle.service.privacy.queries import is_leaving

CHANNEL = "inapp"


def shown(customer_id: str, at: datetime, timezone: str) -> QuerySet[InAppMessage]:
    """A customer's messages, oldest first: valid, not put away, and of marketing only what they agree to now.

    Args:
        customer_id: The customer.
        at: The present instant, aware.
        timezone: The store's.
    """
    if is_leaving(customer_id):
        return InAppMessage.objects.none()
    mine = InAppMessage.objects.filter(customer_id=customer_id, last_day__gte=moment.local_day(at, timezone), dismissed_at__isnull=True)
    people = people_by_id([customer_id])
    agreed = bool(people) and not refusals(people, CHANNEL, at)
    return mine.filter(Q() if agreed else Q(service=True)).order_by("id")
