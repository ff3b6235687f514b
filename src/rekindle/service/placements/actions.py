"""What changes the record of answers: one is added, history learns it.

Knows nothing of decisions.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from rekindle.service.placements.models import CHANGED, KNOWN, TAKEN, Placed


def record(answer: Placed, at: datetime) -> None:
    """Holds an answer, once a day.

    Args:
        answer: Without its instant.
        at: The instant, aware.
    """
    with transaction.atomic():
        answer.asked_at = at
        Placed.objects.bulk_create([answer], ignore_conflicts=True)


def take_changes() -> Iterator[Placed]:
    """Marks the answers that history does not know yet, and gives all that are being told."""
    with transaction.atomic():
        Placed.objects.filter(mirror=CHANGED).update(mirror=TAKEN)
    return Placed.objects.filter(mirror=TAKEN).order_by("pk").iterator()


def changes_known() -> None:
    """History now knows the answers taken."""
    with transaction.atomic():
        Placed.objects.filter(mirror=TAKEN).update(mirror=KNOWN)
