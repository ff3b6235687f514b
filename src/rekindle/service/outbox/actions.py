"""A touch's way from planned to one settled state: every step is one transaction that says what it expects to find.

Knows nothing of consent and channels. Marketing that was attempted is never taken again; a service message is, under its own name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from django.db import transaction
from django.db.models import F, Q

from rekindle.deliver.message import token_of
from rekindle.errors import BadData
from rekindle.service.outbox.models import (
    ATTEMPTING,
    CHANGED,
    CLAIMED,
    KNOWN,
    PLANNED,
    SETTLED,
    SUPPRESSED,
    TAKEN,
    UNKNOWN,
    Plan,
    Touch,
    touch_key,
)

CHUNK = 2_000
LEASE = timedelta(seconds=60)
COLUMNS = (
    "customer_id", "program", "version", "episode", "stage", "arm", "offer", "channel", "send_at", "valid_until", "code", "facts",
)
SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempted touch.

    Args:
        status: Sent, failed, suppressed or unknown, or planned again.
        message_id: The name that it was handed over under.
        provider_id: What the other side calls it; empty where it goes by the message's own name.
        reason: Why, where it was not sent.
        send_at: When it is tried again, where it is planned again.
    """

    status: str
    message_id: str = ""
    provider_id: str = ""
    reason: str = ""
    send_at: datetime | None = None


def insert_touches(plan: str, rows: pa.Table) -> int:
    """Puts a plan's touches into the outbox; they wait until `ready`. Touches that are there already are left alone.

    Touches of other plans that were never completed are dropped first: nothing of them was sent, and this plan decides anew.

    Args:
        plan: The plan's hash.
        rows: The columns of `COLUMNS`; `send_at` is UTC, `facts` is JSON. `SERVICE` says which are about the customer's own order;
            none is where the column is missing.

    Returns:
        How many are new.

    Raises:
        BadData: A column is missing.
    """
    missing = set(COLUMNS) - set(rows.column_names)
    if missing:
        raise BadData(f"touches without {', '.join(sorted(missing))}", "This is a defect: please report it.")
    with transaction.atomic():
        Plan.objects.filter(ready=False).exclude(pk=plan).delete()
        Plan.objects.get_or_create(pk=plan)
    columns = [*COLUMNS, *([SERVICE] if SERVICE in rows.column_names else [])]
    before = Touch.objects.filter(plan_id=plan).count()
    for start in range(0, rows.num_rows, CHUNK):
        touches = [_touch(plan, row) for row in rows.select(columns).slice(start, CHUNK).to_pylist()]
        with transaction.atomic():
            Touch.objects.bulk_create(touches, ignore_conflicts=True)
    return Touch.objects.filter(plan_id=plan).count() - before


def ready(plan: str) -> None:
    """All touches of the plan are in the outbox: from now on they count.

    Raises:
        BadData: The plan has never been inserted.
    """
    with transaction.atomic():
        if not Plan.objects.filter(pk=plan).update(ready=True):
            raise BadData(f"no touches of plan {plan} are in the outbox", "Make the plan again with: rekindle plan")


def recover(clock: datetime) -> tuple[int, int]:
    """Settles what a stopped worker left: attempted marketing becomes unknown, what was claimed may be claimed again.

    A service message may be claimed again even where it was attempted: better that it comes twice, under the same Message-ID, than that
    a customer waits for news of an order.

    Returns:
        How many became unknown, and how many may be claimed again.
    """
    over = Touch.objects.filter(lease_until__lte=clock)
    with transaction.atomic():
        unknown = over.filter(status=ATTEMPTING, service=False).update(
            status=UNKNOWN, settled_at=clock, mirror=CHANGED, reason="the worker stopped while handing over", lease_until=None
        )
        again = Q(status=CLAIMED) | Q(status=ATTEMPTING, service=True)
        freed = over.filter(again).update(status=PLANNED, owner="", lease_until=None)
    return unknown, freed


def claim(owner: str, due: datetime, clock: datetime, size: int) -> list[Touch]:
    """Takes the next due touches of ready plans for one worker, until its lease ends.

    Args:
        owner: The worker.
        due: Touches to be sent at this instant or before.
        clock: The present instant; the lease counts from it.
        size: At most so many.
    """
    with transaction.atomic():
        waiting = Touch.objects.filter(status=PLANNED, send_at__lte=due, plan__ready=True).order_by("send_at", "id")
        ids = list(waiting.values_list("id", flat=True)[:size])
        taken = Touch.objects.filter(id__in=ids, status=PLANNED)
        taken.update(status=CLAIMED, owner=owner, fence=F("fence") + 1, lease_until=clock + LEASE)
        return list(Touch.objects.filter(id__in=ids, owner=owner, status=CLAIMED).order_by("send_at", "id"))


def begin(touches: Sequence[Touch], instead: Mapping[int, Outcome], clock: datetime, at: datetime) -> list[Touch]:
    """Moves claimed touches to attempting, those with an outcome already to that; whoever lost its claim is left out.

    Args:
        touches: As claimed.
        instead: Touch id to what becomes of it without an attempt.
        clock: The present instant; an ended lease counts as lost.
        at: The instant that settled touches bear.
    """
    begun = []
    with transaction.atomic():
        for touch in touches:
            mine = Touch.objects.filter(id=touch.id, fence=touch.fence, status=CLAIMED, lease_until__gt=clock)
            if outcome := instead.get(touch.id):
                mine.update(**_fields(outcome, at))
            elif mine.update(status=ATTEMPTING, lease_until=clock + LEASE):
                begun.append(touch)
    return begun


def settle(touches: Sequence[Touch], outcomes: Mapping[int, Outcome], at: datetime) -> None:
    """Commits what became of attempted touches; a worker that comes back late still knows better, unless another has begun anew."""
    with transaction.atomic():
        for touch in touches:
            open_to_me = Q(status__in=(ATTEMPTING, UNKNOWN)) | Q(status=PLANNED, service=True)
            mine = Touch.objects.filter(open_to_me, id=touch.id, fence=touch.fence)
            mine.update(**_fields(outcomes[touch.id], at))


def withdraw(ids: Sequence[int], reason: str, at: datetime) -> int:
    """Suppresses touches that wait and must not be sent any more; one that was taken up meanwhile is left to its worker.

    Returns:
        How many were withdrawn.
    """
    done = 0
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            rows = Touch.objects.filter(id__in=ids[start : start + CHUNK], status=PLANNED)
            done += rows.update(**_fields(Outcome(SUPPRESSED, reason=reason), at))
    return done


def take_settled() -> None:
    """Marks the settled touches that history does not know yet."""
    with transaction.atomic():
        Touch.objects.filter(status__in=SETTLED, mirror=CHANGED).update(mirror=TAKEN)


def settled_known() -> None:
    """History now knows the touches taken."""
    with transaction.atomic():
        Touch.objects.filter(mirror=TAKEN).update(mirror=KNOWN)


def _touch(plan: str, row: Mapping[str, Any]) -> Touch:
    send_at: datetime = row["send_at"]
    token = token_of(touch_key(row["program"], row["customer_id"], row["episode"], row["stage"]))
    values: dict[str, Any] = {name: row[name] or "" for name in ("offer", "code")} | {"facts": row["facts"] or "{}", "token": token}
    return Touch(plan_id=plan, **{**row, **values, "send_at": send_at if send_at.tzinfo else send_at.replace(tzinfo=UTC)})


def _fields(outcome: Outcome, at: datetime) -> dict[str, Any]:
    if outcome.status == PLANNED:
        return {"status": PLANNED, "owner": "", "lease_until": None, "send_at": outcome.send_at, "reason": outcome.reason[:300]}
    return {
        "status": outcome.status, "message_id": outcome.message_id, "provider_id": outcome.provider_id[:200],
        "reason": outcome.reason[:300], "settled_at": at, "mirror": CHANGED, "lease_until": None,
    }

