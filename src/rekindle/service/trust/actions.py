"""What changes answers and entrances: one is given or given anew, history learns of it; one is opened, and spent once.

Knows nothing of pages.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from rekindle.service.outbox.models import Touch
from rekindle.service.trust.models import CHANGED, KNOWN, TAKEN, Answer, Entrance
from rekindle.service.trust.queries import was_used

OPEN_FOR = timedelta(minutes=10)
"""How long a way into the shop is good for."""


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


def open_entrance(touch: Touch, at: datetime) -> str | None:
    """A code that lets a customer into the shop once, soon; an earlier one of theirs that was not used is good no more.

    Args:
        touch: From whose message they come.
        at: When, aware.

    Returns:
        The code; None where one of the same message was used already.
    """
    code, customer = secrets.token_urlsafe(32), touch.customer_id
    with transaction.atomic():
        Touch.objects.select_for_update().filter(pk=touch.pk).first()  # who opens twice at once opens one after the other
        Entrance.objects.filter(customer_id=customer, spent_at=None).delete()
        if was_used(touch):
            return None
        Entrance.objects.create(digest=_digest(code), touch=touch.pk, customer_id=customer, expires_at=at + OPEN_FOR)
    return code


def spend_entrance(code: str, at: datetime) -> str | None:
    """Whom a code lets in, the first time that it is shown; None for every other code and every other time.

    Args:
        code: As it was given.
        at: When, aware.
    """
    with transaction.atomic():
        mine = Entrance.objects.filter(digest=_digest(code))
        if not mine.filter(spent_at=None, expires_at__gt=at).update(spent_at=at):
            return None
        return mine.values_list("customer_id", flat=True).get()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
