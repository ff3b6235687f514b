"""What was told of messages, and how many of a program's readers complain.

Changes nothing.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from django.db.models import OuterRef, Subquery

from rekindle.deliver.delivery_events import BOUNCED, COMPLAINED, DELIVERED, OPENED, UNSUBSCRIBED
from rekindle.moment import naive
from rekindle.respond.machines import opener
from rekindle.service.events.models import TAKEN, DeliveryEvent
from rekindle.service.outbox.models import SENT, UNKNOWN, Touch
from rekindle.service.programs.queries import pauses

WINDOW = timedelta(days=30)
"""How far back complaints and deliveries count; never beyond the last time that somebody resumed the program."""

NAMES = {
    BOUNCED: "Email Bounced", COMPLAINED: "Email Marked as Spam", DELIVERED: "Email Delivered", UNSUBSCRIBED: "Unsubscribed",
    OPENED: "Email Opened",
}  # fmt: skip
"""Segment's names of what history is told. Clicks that a provider counts stay here: Rekindle's own links count them."""

PREFETCHED = "Email Prefetched"
"""What history calls an open that was a machine's."""

_EVENTS = pa.schema(
    [
        *((name, pa.string()) for name in ("message_id", "customer_id", "name")), ("occurred_at", pa.timestamp("us")),
        ("product_id", pa.string()), ("value", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Complaints:
    """How many readers of a program's marketing complained.

    Args:
        complaints: Messages that brought one.
        delivered: Messages handed over that did not come back.
    """

    complaints: int
    delivered: int


def complaints(program: str, at: datetime) -> Complaints:
    """The complaints that a program's marketing mail of the last 30 days brought, or of the days since it was resumed."""
    resumed = [one.resumed_at for one in pauses(program) if one.resumed_at]
    since = max([at - WINDOW, *resumed])
    sent = Touch.objects.filter(program=program, channel="email", service=False, status=SENT, settled_at__gte=since)
    told = DeliveryEvent.objects.filter(kind=COMPLAINED, touch__in=sent.values("id"))
    return Complaints(told.values("touch").distinct().count(), sent.count())


def of_customer(customer_id: str) -> list[dict[str, Any]]:
    """What was told of a customer's messages, oldest first: kind, source, detail, occurred_at."""
    rows = DeliveryEvent.objects.filter(customer_id=customer_id).order_by("occurred_at", "id")
    return [dict(row) for row in rows.values("kind", "source", "detail", "occurred_at")]


def held(events: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these events, by source and event id, are held already."""
    rows = DeliveryEvent.objects.filter(source__in={source for source, _ in events}, event_id__in={name for _, name in events})
    return set(rows.values_list("source", "event_id")) & set(events)


def told_of_unknown() -> Iterator[tuple[Touch, str, str]]:
    """Each event of a touch that is unknown, with the event's kind and detail; by its token, then by the provider's id."""
    unknown = Touch.objects.filter(status=UNKNOWN)
    for name in ("token", "provider_id"):
        named = unknown.exclude(**{name: ""})
        rows = DeliveryEvent.objects.filter(**{f"{name}__in": named.values(name)}).order_by("occurred_at", "id")
        listed = list(rows)
        touches = {getattr(touch, name): touch for touch in named.filter(**{f"{name}__in": rows.order_by().values(name)})}
        for row in listed:
            if touch := touches.get(getattr(row, name)):  # none where it was settled since
                yield touch, row.kind, row.detail


def taken() -> pa.Table:
    """The events that `take_events` marked, as history's `events`; an open that was a machine's has why as its value."""
    left = Touch.objects.filter(pk=OuterRef("touch")).values("settled_at")[:1]
    rows = DeliveryEvent.objects.filter(mirror=TAKEN).annotate(left_at=Subquery(left)).order_by("id")
    return pa.Table.from_pylist([_as_fact(one, _machine(one, one.left_at)) for one in rows.iterator()], schema=_EVENTS)


def _machine(event: DeliveryEvent, left_at: datetime | None) -> str | None:
    if event.kind != OPENED:
        return None
    return opener(event.agent, (event.occurred_at - left_at).total_seconds() if left_at else None)


def _as_fact(event: DeliveryEvent, machine: str | None) -> dict[str, object]:
    return {
        "message_id": f"delivery:{event.source}:{event.event_id}", "customer_id": event.customer_id,
        "name": PREFETCHED if machine else NAMES[event.kind], "occurred_at": naive(event.occurred_at), "product_id": None, "value": machine,
    }
