"""Answers as facts of history: a reason and a number are events, a review is a review.

Knows nothing of pages. Free text stays in the ledger.
"""

from datetime import UTC, datetime
from typing import Any

import ibis
import pyarrow as pa

from rekindle.history.append import append
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction import ANSWER
from rekindle.insight.opinions import SURVEY
from rekindle.respond.questions import REVIEW, WHY
from rekindle.service.trust.actions import take_changes
from rekindle.service.trust.models import Answer

SOURCE = "answers"
_KINDS = {"timestamp": pa.timestamp("us"), "string": pa.string(), "int32": pa.int32()}


def take_in(warehouse: Warehouse, batch: int) -> int:
    """Writes the answers that history does not know yet, and says how many were new or changed.

    Args:
        warehouse: An open history, inside a transaction.
        batch: The batch.
    """
    told: dict[str, list[dict[str, Any]]] = {"events": [], "reviews": []}
    for one in take_changes():
        told["reviews" if one.question == REVIEW else "events"].append(_review(one) if one.question == REVIEW else _event(one))
    return sum(_append(warehouse, name, rows, batch) for name, rows in told.items() if rows)


def _append(warehouse: Warehouse, name: str, rows: list[dict[str, Any]], batch: int) -> int:
    schema = pa.schema([(column, _KINDS[kind]) for column, kind in FACTS[name].columns.items()])
    done = append(warehouse, name, ibis.memtable(pa.Table.from_pylist(rows, schema=schema)), SOURCE, batch)
    return done.new + done.changed


def _event(one: Answer) -> dict[str, Any]:
    reason = one.question == WHY
    return {
        "message_id": f"answer:{one.pk}", "customer_id": one.customer_id, "occurred_at": _naive(one),
        "name": f"{ANSWER}{one.value}" if reason else SURVEY, "value": None if reason else one.value,
    }  # fmt: skip


def _review(one: Answer) -> dict[str, Any]:
    return {
        "review_id": f"answer:{one.pk}", "customer_id": one.customer_id, "order_id": one.order_id or None, "rating": int(one.value),
        "reviewed_at": _naive(one),
    }  # fmt: skip


def _naive(one: Answer) -> datetime:
    return one.answered_at.astimezone(UTC).replace(tzinfo=None)
