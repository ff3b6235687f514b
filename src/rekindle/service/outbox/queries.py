"""What is in the outbox and what became of it.

Changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from django.db.models import Count, Q, QuerySet

from rekindle.service.outbox.models import PLANNED, SENT, TAKEN, UNKNOWN, Plan, Touch

_SHORTEST = 6
_IN_A_QUERY = 20_000
_TOUCHES = pa.schema(
    [
        *((name, pa.string()) for name in ("touch_key", "customer_id", "program", "stage", "episode", "arm", "channel", "code", "status")),
        ("settled_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True, slots=True)
class Held:
    """What is not to be taken up now.

    Args:
        programs: Paused ones, whose marketing waits; news of orders does not.
        channels: By which messages leave this machine, so that they wait until someone says yes to their plan.
    """

    programs: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


NOTHING_HELD = Held()


def takeable(at: datetime, held: Held = NOTHING_HELD) -> QuerySet[Touch]:
    """The touches of ready plans that are to be sent at an instant or before, wait, and are not held."""
    rows = Touch.objects.filter(status=PLANNED, send_at__lte=at, plan__ready=True)
    if held.programs:
        rows = rows.filter(Q(service=True) | ~Q(program__in=sorted(held.programs)))
    if held.channels:
        rows = rows.filter(Q(plan__approved_at__isnull=False) | ~Q(channel__in=sorted(held.channels)))
    return rows


def counts(plan: str | None = None) -> dict[str, int]:
    """How many touches are in each status: of one plan, or of all that are ready."""
    rows = Touch.objects.filter(plan_id=plan) if plan else Touch.objects.filter(plan__ready=True)
    return dict(rows.values_list("status").annotate(n=Count("id")).order_by("status"))


def unknown() -> int:
    """Of how many touches nobody can tell whether they were handed over; nothing is taken up of a plan that is not ready."""
    return Touch.objects.filter(status=UNKNOWN).count()


def due(at: datetime, held: Held = NOTHING_HELD) -> int:
    """How many touches of ready plans are to be sent at an instant or before, have not been taken up and are not held."""
    return takeable(at, held).count()


def plan_of(digest: str) -> str | None:
    """The hash of the ready plan that a hash or its beginning, at least 6 characters, names; None where none or several are."""
    found = list(Plan.objects.filter(hash__startswith=digest, ready=True).values_list("hash", flat=True)[:2])
    return found[0] if len(found) == 1 and len(digest) >= _SHORTEST else None


def unapproved(channels: Collection[str]) -> dict[str, int]:
    """The ready plans that nobody has said yes to, each with how many of its messages wait to go by these channels."""
    rows = Touch.objects.filter(status=PLANNED, plan__ready=True, plan__approved_at__isnull=True, channel__in=sorted(channels))
    return dict(rows.values_list("plan").annotate(n=Count("id")).order_by("plan"))


def unapproved_plans() -> frozenset[str]:
    """The ready plans that nobody has said yes to, whether or not their messages leave this machine."""
    return frozenset(Plan.objects.filter(ready=True, approved_at=None).values_list("hash", flat=True))


def programs_of(plan: str, channels: Collection[str]) -> frozenset[str]:
    """The programs whose messages of a plan wait to go by these channels."""
    rows = Touch.objects.filter(plan_id=plan, status=PLANNED, channel__in=sorted(channels))
    return frozenset(rows.values_list("program", flat=True).distinct())


def ready_plans() -> set[str]:
    """The plans whose touches count."""
    return set(Plan.objects.filter(ready=True).values_list("hash", flat=True))


def sent() -> pa.Table:
    """Every touch that was sent, or is unknown: customer_id, program, stage, arm, offer, channel, sent_at (naive UTC), code."""
    rows = Touch.objects.filter(status__in=(SENT, UNKNOWN)).order_by("id")
    names = ("customer_id", "program", "stage", "arm", "offer", "channel", "code")
    listed = [{**{name: getattr(one, name) for name in names}, "sent_at": _naive(one.settled_at)} for one in rows.iterator()]
    schema = pa.schema([*((name, pa.string()) for name in names), ("sent_at", pa.timestamp("us"))])
    return pa.Table.from_pylist(listed, schema=schema)


def waiting(service: bool = False) -> pa.Table:
    """Messages of ready plans that have not been taken up: id, plan, customer_id, program, episode, offer, valid_until.

    Args:
        service: Whether news of orders is among them; few things withdraw that.
    """
    planned = Touch.objects.filter(status=PLANNED, plan__ready=True)
    named = ("plan", "customer_id", "program", "episode", "offer")
    rows = (planned if service else planned.filter(service=False)).order_by("id").values("id", *named, "valid_until")
    schema = pa.schema([("id", pa.int64()), *((name, pa.string()) for name in named), ("valid_until", pa.date32())])
    return pa.Table.from_pylist(list(rows), schema=schema)


def of_customer(customer_id: str) -> list[dict[str, Any]]:
    """A customer's touches of ready plans, oldest first: program, stage, arm, channel, status, reason, settled_at."""
    rows = Touch.objects.filter(customer_id=customer_id, plan__ready=True).order_by("id")
    return [dict(row) for row in rows.values("program", "stage", "arm", "channel", "status", "reason", "settled_at")]


def latest_of(customer_id: str, most: int) -> list[Touch]:
    """What a customer was sent, the latest first.

    Args:
        customer_id: Whose.
        most: So many at most.
    """
    sent = Touch.objects.filter(customer_id=customer_id, status__in=(SENT, UNKNOWN), plan__ready=True)
    return list(sent.order_by("-settled_at", "-id")[:most])


def latest_advertising(customer_id: str) -> Touch | None:
    """The last message of marketing that a customer was sent; None where there was none."""
    sent = Touch.objects.filter(customer_id=customer_id, status__in=(SENT, UNKNOWN), plan__ready=True, service=False)
    return sent.order_by("-settled_at", "-id").first()


def settled_by_number(numbers: Sequence[int]) -> pa.Table:
    """The touches of these numbers: touch, customer_id, channel, settled_at (naive UTC, null where it is not settled)."""
    rows: list[tuple[object, ...]] = []
    for start in range(0, len(numbers), _IN_A_QUERY):
        found = Touch.objects.filter(pk__in=numbers[start : start + _IN_A_QUERY]).order_by("pk")
        rows.extend((one, who, way, _naive(at)) for one, who, way, at in found.values_list("pk", "customer_id", "channel", "settled_at"))
    kinds = (pa.int64(), pa.string(), pa.string(), pa.timestamp("us"))
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    names = ("touch", "customer_id", "channel", "settled_at")
    return pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, kinds, strict=True)})


def taken() -> pa.Table:
    """The settled touches that `take_settled` marked, as history's `touches`."""
    rows = Touch.objects.filter(mirror=TAKEN).order_by("id")
    names = [name for name in _TOUCHES.names if name not in ("touch_key", "settled_at")]
    listed = [
        {**{name: getattr(one, name) for name in names}, "touch_key": one.key, "settled_at": _naive(one.settled_at)}
        for one in rows.iterator()
    ]
    return pa.Table.from_pylist(listed, schema=_TOUCHES)


def _naive(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC).replace(tzinfo=None) if instant else None
