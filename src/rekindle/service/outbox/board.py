"""How the outbox stands: how many messages are in each state and why, and which they are, a page at a time.

Changes nothing. Asks by the index of state and hour alone, and of what is settled no further back than is asked for, so that an outbox of
years answers like one of weeks.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import Q, QuerySet

from rekindle.service.outbox.models import OPEN, PLANNED, SETTLED, Plan, Touch

PAGE = 50
LATEST = 2_000
"""Reasons are counted over so many messages at most, the latest."""


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
    last: datetime


def counts(since: datetime) -> dict[str, int]:
    """Messages of ready plans by state: all that are open, and the settled ones that were to go at an instant or later."""
    loading = [_of(Touch.objects.filter(plan=plan), since) for plan in Plan.objects.filter(ready=False)]
    return {status: n - sum(one[status] for one in loading) for status, n in _of(Touch.objects.all(), since).items()}


def _of(rows: QuerySet[Touch], since: datetime) -> dict[str, int]:
    settled = {status: rows.filter(status=status, send_at__gte=since).count() for status in SETTLED}
    return {status: rows.filter(status=status).count() for status in OPEN} | settled


def reasons(statuses: Sequence[str], since: datetime, said: Callable[[str], str]) -> tuple[Reason, ...]:
    """Why the latest messages of since then are in these states, the most frequent first.

    Args:
        statuses: Which.
        since: Messages that were to go before are not looked at.
        said: A reason as its reader may see it; those that are then alike are one.
    """
    counted: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for status in statuses:
        rows = Touch.objects.filter(status=status, send_at__gte=since).order_by("-send_at")
        for reason, settled in rows.values_list("reason", "settled_at")[:LATEST]:
            words = said(reason) or "no reason was given"
            counted[words] += 1
            last[words] = max(settled or since, last.get(words, since))
    return tuple(Reason(words, n, last[words]) for words, n in sorted(counted.items(), key=lambda one: (-one[1], one[0])))


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
            further = Q(**{f"send_at__{beyond}": at}) | Q(**{f"id__{beyond}": number})
            rows = rows.filter(further, **{f"send_at__{beyond}e": at})  # so that the index is entered there, not read up to there
        found.extend(rows.order_by(f"{order}send_at", f"{order}id")[: PAGE + 1])
    return sorted(found, key=lambda one: (one.send_at, one.pk), reverse=not ascending)[: PAGE + 1]
