"""What became of the ways into the shop.

Changes nothing.
"""

from rekindle.service.outbox.models import Touch
from rekindle.service.trust.models import Entrance


def was_used(touch: Touch) -> bool:
    """Whether a customer came into the shop from a message already."""
    return Entrance.objects.filter(customer_id=touch.customer_id, touch=touch.pk).exclude(spent_at=None).exists()
