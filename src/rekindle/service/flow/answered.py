"""Answers as facts of history: a reason and a number are events, a review is a review.

Knows nothing of pages. Free text stays in the ledger.
"""

from typing import Any

from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction import ANSWER
from rekindle.insight.opinions import SURVEY
from rekindle.moment import naive
from rekindle.respond.questions import REVIEW, WHY
from rekindle.service.flow.telling import tell
from rekindle.service.trust.actions import take_changes
from rekindle.service.trust.models import Answer

SOURCE = "answers"


def take_in(warehouse: Warehouse, batch: int) -> int:
    """Writes the answers that history does not know yet, and says how many were new or changed.

    Args:
        warehouse: An open history, inside a transaction.
        batch: The batch.
    """
    told: dict[str, list[dict[str, Any]]] = {"events": [], "reviews": []}
    for one in take_changes():
        told["reviews" if one.question == REVIEW else "events"].append(_review(one) if one.question == REVIEW else _event(one))
    return sum(tell(warehouse, name, rows, SOURCE, batch) for name, rows in told.items())


def _event(one: Answer) -> dict[str, Any]:
    reason = one.question == WHY
    return {
        "message_id": f"answer:{one.pk}", "customer_id": one.customer_id, "occurred_at": naive(one.answered_at),
        "name": f"{ANSWER}{one.value}" if reason else SURVEY, "value": None if reason else one.value,
    }  # fmt: skip


def _review(one: Answer) -> dict[str, Any]:
    return {
        "review_id": f"answer:{one.pk}", "customer_id": one.customer_id, "order_id": one.order_id or None, "rating": int(one.value),
        "reviewed_at": naive(one.answered_at),
    }  # fmt: skip
