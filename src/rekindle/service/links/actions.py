"""What adds a destination.

Knows nothing of messages.
"""

from django.db import transaction

from rekindle.service.links.models import Destination


def number_of(url: str) -> int:
    """The number of a destination, which it gets when it is first asked for."""
    with transaction.atomic():
        return int(Destination.objects.get_or_create(url=url)[0].pk)
