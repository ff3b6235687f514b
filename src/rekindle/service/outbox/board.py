"""How the outbox stands: how many messages are in each state and why, and which they are, a page at a time.

Changes nothing. Asks by the index of state and hour alone, and of what is settled no further back than is asked for, so that an outbox of
years answers like one of weeks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import Count, Max, Q, QuerySet

from rekindle.service.outbox.models import OPEN, PLANNED, SETTLED, Plan, Touch

PAGE = 50
REASONS = 12
"""So many reasons are listed; the rest are in the table."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why messages ended as they did.

    Args:
        words: As the outbox has it.
        messages: So many.
        last: When the last of them was settled.
    """

    words: str
    messages: int
    last: datetime | None


def counts(since: datetime) -> dict[str, int]:
    """Messages of ready plans by state: all that are open, and the settled ones that were to go at an instant or later."""
    loading = [_of(Touch.objects.filter(plan=plan), since) for plan in Plan.objects.filter(ready=False)]
    return {status: n - sum(one[status] for one in loading) for status, n in _of(Touch.objects.all(), since).items()}


def _of(rows: QuerySet[Touch], since: datetime) -> dict[str, int]:
    settled = {status: rows.filter(status=status, send_at__gte=since).count() for status in SETTLED}
    return {status: rows.filter(status=status).count() for status in OPEN} | settled


def reasons(statuses: Sequence[str], since: datetime) -> tuple[Reason, ...]:
    """Why messages of since then are in these states, the most frequent first."""
    rows = Touch.objects.filter(status__in=statuses, send_at__gte=since).values_list("reason")
    found = rows.annotate(n=Count("id"), last=Max("settled_at")).order_by("-n", "reason")[:REASONS]
    return tuple(Reason(words or "no reason was given", n, last) for words, n, last in found)


def ahead(instants: Sequence[datetime]) -> tuple[int, ...]:
    """How many messages are to go before the first of these instants, between each two of them, and from the last on."""
    rows = Touch.objects.filter(status=PLANNED)
    between = [rows.filter(send_at__gte=begin, send_at__lt=end).count() for begin, end in pairwise(instants)]
    return (rows.filter(send_at__lt=instants[0]).count(), *between, rows.filter(send_at__gte=instants[-1]).count())


def page(statuses: Sequence[str], begin: tuple[datetime, int] | None = None, ascending: bool = False) -> list[Touch]:
    """Messages in these states by the hour at which they were to go; one more than a page where others follow.

    Args:
        statuses: Which.
        begin: `send_at` and number of the last that was seen; from the beginning where not given.
        ascending: Whether the earliest comes first; the latest where not.
    """
    order, beyond = ("", "gt") if ascending else ("-", "lt")
    found: list[Touch] = []
    for status in statuses:  # one at a time, so that the index gives them in order
        rows = Touch.objects.filter(status=status, plan__ready=True)
        if begin is not None:
            at, number = begin
            rows = rows.filter(Q(**{f"send_at__{beyond}": at}) | Q(**{"send_at": at, f"id__{beyond}": number}))
        found.extend(rows.order_by(f"{order}send_at", f"{order}id")[: PAGE + 1])
    return sorted(found, key=lambda one: (one.send_at, one.pk), reverse=not ascending)[: PAGE + 1]
