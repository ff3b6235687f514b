"""What changes a message inside the shop: it is put there, seen, dismissed.

Knows nothing of consent.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from rekindle.service.channels.inapp.models import InAppMessage


def put(message: InAppMessage, begin: Callable[[], None]) -> None:
    """Puts a message into the shop; one of the same id is the same message, and stays as it is.

    Args:
        message: The row.
        begin: Asked when the ledger lets it in, for which it may have had to wait; may raise.
    """
    with transaction.atomic():
        begin()
        InAppMessage.objects.bulk_create([message], ignore_conflicts=True)


def see(message_id: str, at: datetime) -> InAppMessage | None:
    """Records that a message was seen; the first time counts. None where there is no such message."""
    return _mark(message_id, "seen_at", at)


def dismiss(message_id: str, at: datetime) -> InAppMessage | None:
    """Records that a customer put a message away; it is not shown again. None where there is no such message."""
    return _mark(message_id, "dismissed_at", at)


def _mark(message_id: str, field: str, at: datetime) -> InAppMessage | None:
    with transaction.atomic():
        InAppMessage.objects.filter(message_id=message_id, **{f"{field}__isnull": True}).update(**{field: at})
        return InAppMessage.objects.filter(message_id=message_id).first()
