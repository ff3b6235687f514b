"""What customers answered, in their own words: read by a person, and reviews for the shop to show.

Knows nothing of pages. Every answer is listed whatever it says: what is left out is never left out by its number.
"""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema

from rekindle.service.api.access import Key
from rekindle.service.api.pages import After, Limit, Page, page
from rekindle.service.people.queries import external_ids
from rekindle.service.trust.models import Answer

router = Router(auth=Key("answers"), tags=["answers"])


class Answered(Schema):
    """An answer: `value` is a reason of `why`, 0 to 10 of `rate`, 1 to 5 of `review`; `order` is empty where it was about none."""

    id: int
    question: str
    value: str
    text: str
    customer: str
    order: str
    answered_at: datetime


@router.get("", response=Page[Answered], summary="What customers answered")
def listed(
    request: HttpRequest,
    question: Literal["why", "rate", "review"], after: After = 0, limit: Limit = 20,
) -> Page[Answered]:  # fmt: skip
    """The answers to one question, oldest first; an answer that was changed keeps its place."""
    rows, following = page(Answer.objects.filter(question=question), after, limit)
    names = external_ids([row.customer_id for row in rows])
    return Page[Answered](items=[_told(row, names) for row in rows], next=following)


def _told(row: Answer, names: dict[str, str]) -> Answered:
    return Answered(
        id=row.pk, question=row.question, value=row.value, text=row.text, customer=names.get(row.customer_id, row.customer_id),
        order=row.order_id, answered_at=row.answered_at,
    )  # fmt: skip
