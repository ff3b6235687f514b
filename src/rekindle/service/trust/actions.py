"""What changes answers: one is given or given anew, and history learns of it.

Knows nothing of pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rekindle.service.outbox.models import Touch
from rekindle.service.trust.models import CHANGED, KNOWN, TAKEN, Answer


@dataclass(frozen=True, slots=True)
class Given:
    """What was answered.

    Args:
        question: Of `respond.questions`.
        value: One that it offers.
        text: What was written beside it, if anything.
        at: When, aware.
    """

    question: str
    value: str
    text: str
    at: datetime


def answer(touch: Touch, order_id: str, given: Given) -> None:
    """Keeps an answer, in place of an earlier one to the same question of the same message.

    Args:
        touch: Whose message asked.
        order_id: What it was about; empty for none in particular.
        given: The answer.
    """
    held = {"value": given.value, "text": given.text, "answered_at": given.at, "order_id": order_id, "customer_id": touch.customer_id}
    with transaction.atomic():
        Answer.objects.update_or_create(touch=touch.pk, question=given.question, defaults={**held, "mirror": CHANGED})


def take_changes() -> Iterator[Answer]:
    """Marks the answers that history does not know yet, and gives all that are being told."""
    with transaction.atomic():
        Answer.objects.filter(mirror=CHANGED).update(mirror=TAKEN)
    return Answer.objects.filter(mirror=TAKEN).order_by("pk").iterator()


def changes_known() -> None:
    """History now knows the answers taken."""
    with transaction.atomic():
        Answer.objects.filter(mirror=TAKEN).update(mirror=KNOWN)
