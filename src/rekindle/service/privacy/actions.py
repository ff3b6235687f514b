"""What changes the ledger when a customer asks about their data: requests are noted, rows go, and receipts are written.

Knows nothing of history and of files.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from rekindle.service.events.models import DeliveryEvent
from rekindle.service.outbox.actions import withdraw
from rekindle.service.outbox.models import PLANNED, Touch
from rekindle.service.people.actions import suppress_erased
from rekindle.service.people.last_look import TO_BE_ERASED
from rekindle.service.privacy.models import ERASURE, Receipt
from rekindle.service.privacy.queries import Traces, chunks, personal, told_and_printed


def ask(kind: str, customer_id: str, source: str, at: datetime, *, everyone: bool = False) -> Receipt:
    """Notes what a customer asks; asked again while it is open it is the same request. Who is to be erased gets nothing more.

    Args:
        kind: `models.ACCESS` or `models.ERASURE`.
        customer_id: Whose data; empty where all are meant.
        source: Where it was asked, such as command, page, api or shopify.
        at: The instant, aware.
        everyone: Whether all customers are meant.
    """
    with transaction.atomic():
        same = Receipt.objects.filter(kind=kind, customer_id=customer_id, everyone=everyone, done_at=None).order_by("asked_at").first()
        made = same or Receipt.objects.create(
            number=secrets.token_hex(16), kind=kind, source=source[:32], customer_id=customer_id, everyone=everyone, asked_at=at
        )
        if kind == ERASURE:
            stop(None if everyone else [customer_id], at)
        return made


def stop(customers: Sequence[str] | None, at: datetime) -> None:
    """Withdraws everything that waits to be sent to these customers, or to all."""
    waiting = Touch.objects.filter(status=PLANNED)
    if customers is None:
        withdraw(list(waiting.values_list("pk", flat=True)), TO_BE_ERASED, at)
        return
    for part in chunks(customers):
        withdraw(list(waiting.filter(customer_id__in=part).values_list("pk", flat=True)), TO_BE_ERASED, at)


def finish(receipt: Receipt, done: Mapping[str, Any], at: datetime) -> Receipt:
    """Writes down what was done. The receipt of an erasure names nobody: `forget` saw to that before."""
    with transaction.atomic():
        receipt.refresh_from_db()
        receipt.done, receipt.done_at = json.dumps(done, sort_keys=True), at
        receipt.digest = digest(receipt)
        receipt.save()
    return receipt


def digest(receipt: Receipt) -> str:
    """The digest of what a receipt says."""
    instants = [one.isoformat() for one in (receipt.asked_at, receipt.done_at) if one]
    said = [receipt.number, receipt.kind, receipt.source, receipt.everyone, instants, receipt.done]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def forget(traces: Traces, at: datetime) -> dict[str, int]:
    """Removes every row of some customers, their names from receipts too; their addresses are suppressed.

    Args:
        traces: Of the customers.
        at: The instant, aware.

    Returns:
        Table to how many rows went.
    """
    counts: dict[str, int] = {}
    with transaction.atomic():
        for part in chunks(sorted(traces.customers)):
            suppress_erased(part, at)
            Receipt.objects.filter(customer_id__in=part).update(customer_id="")
            for model in personal():
                _, gone = model._base_manager.filter(customer_id__in=part).delete()
                for label, count in gone.items():
                    counts[label.lower()] = counts.get(label.lower(), 0) + count
        told_and_printed()._base_manager.filter(ended_at__isnull=False).delete()
        for part in chunks(sorted(traces.addresses)):
            DeliveryEvent.objects.filter(recipient__in=part).delete()
        for part in chunks(sorted(traces.tokens)):
            DeliveryEvent.objects.filter(token__in=part).delete()
    return {name: count for name, count in counts.items() if count}
