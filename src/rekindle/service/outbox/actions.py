"""A touch's way from planned to one settled state: every step is one transaction that says what it expects to find.

Knows nothing of consent and channels. Marketing that was attempted is never taken again; a service message is, under its own name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
from django.db import transaction
from django.db.models import F, Q

from rekindle.deliver.message import token_of
from rekindle.errors import BadData
from rekindle.service.config.prepared import Change, Prepared, whole
from rekindle.service.outbox.models import (
    ATTEMPTING,
    CHANGED,
    CLAIMED,
    FAILED,
    KNOWN,
    PLANNED,
    SENT,
    SETTLED,
    SUPPRESSED,
    TAKEN,
    UNKNOWN,
    Plan,
    Touch,
    touch_key,
)
from rekindle.service.outbox.outcome import Outcome
from rekindle.service.outbox.queries import NOTHING_HELD, Held, takeable
from rekindle.service.outbox.statements import write

CHUNK = 2_000
LEASE = timedelta(seconds=60)
COLUMNS = (
    "customer_id", "program", "version", "episode", "stage", "arm", "offer", "channel", "send_at", "valid_until", "code", "facts",
)
SERVICE = "service"
ASKED_FOR = "asked for"
"""What such messages have for a plan."""

_IN_DOUBT = (ATTEMPTING, UNKNOWN)

Ended = Sequence[tuple[Touch, Outcome]]
"""Touches as claimed, each with what became of it."""

Judge = Callable[[Sequence[Touch]], Mapping[int, Outcome]]
"""Told which touches are still a worker's, says what becomes, without an attempt, of those that must not be attempted."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a worker's turn has changed.

    Args:
        attempted: The touches that are attempted now.
        instead: What becomes of others without an attempt, by id.
        settled: The status now of what landed, by id, but for what another worker has taken up.
    """

    attempted: Sequence[Touch]
    instead: Mapping[int, Outcome]
    settled: Mapping[int, str]


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


def post(touch: Mapping[str, Any], at: datetime) -> None:
    """Puts a message into the outbox that no plan decided, because its customer asked for it; one that is there already is left alone.

    Args:
        touch: The columns of `COLUMNS`, and `SERVICE`.
        at: The present instant, aware.
    """
    with transaction.atomic():
        Plan.objects.get_or_create(pk=ASKED_FOR, defaults={"ready": True, "approved_by": ASKED_FOR, "approved_at": at})
        Touch.objects.bulk_create([_touch(ASKED_FOR, touch)], ignore_conflicts=True)


def ready(plan: str) -> None:
    """All touches of the plan are in the outbox: from now on they count.

    Raises:
        BadData: The plan has never been inserted.
    """
    with transaction.atomic():
        if not Plan.objects.filter(pk=plan).update(ready=True):
            raise BadData(f"no touches of plan {plan} are in the outbox", "Make the plan again with: rekindle plan")


def approve(plan: str, by: str, at: datetime) -> None:
    """Records a yes to a plan's leaving this machine; the first one stays.

    Args:
        plan: The plan's whole hash.
        by: Who says yes.
        at: When.
    """
    with transaction.atomic():
        Plan.objects.filter(pk=plan, approved_at=None).update(approved_by=by[:200], approved_at=at)


def recover(clock: datetime) -> tuple[int, int]:
    """Settles what a stopped worker left: attempted marketing becomes unknown, what was claimed may be claimed again.

    A service message may be claimed again even where it was attempted: better that it comes twice, under the same Message-ID, than that
    a customer waits for news of an order.

    Returns:
        How many became unknown, and how many may be claimed again.
    """
    late = Touch.objects.filter(lease_until__lte=clock, status__in=(ATTEMPTING, CLAIMED)).order_by("id")
    with transaction.atomic():
        left = list(late.select_for_update(skip_locked=True).values_list("id", flat=True))  # its worker is settling what is locked
        over = Touch.objects.filter(id__in=left)
        tried = over.filter(status=ATTEMPTING)
        unknown = tried.filter(service=False).update(
            status=UNKNOWN, settled_at=clock, mirror=CHANGED, reason="the worker stopped while handing over", lease_until=None,
            attempts=F("attempts") + 1,
        )
        again = tried.filter(service=True).update(status=PLANNED, owner="", lease_until=None, attempts=F("attempts") + 1)
        freed = over.filter(status=CLAIMED).update(status=PLANNED, owner="", lease_until=None)
    return unknown, again + freed


def claim(owner: str, due: datetime, clock: datetime, size: int, held: Held = NOTHING_HELD) -> list[Touch]:
    """Takes the next due touches of ready plans for one worker, until its lease ends. Workers on PostgreSQL do not wait for each other.

    Args:
        owner: The worker.
        due: Touches to be sent at this instant or before.
        clock: The present instant; the lease counts from it.
        size: At most so many.
        held: What is not to be taken up.
    """
    with transaction.atomic():
        taken = _next(size, held)(due)
        if taken:
            _CLAIM(owner, clock + LEASE, *(touch.id for touch in taken))
    for touch in taken:
        touch.status, touch.owner, touch.fence, touch.lease_until = CLAIMED, owner, touch.fence + 1, clock + LEASE
    return taken


def begin(touches: Sequence[Touch], judge: Judge, clock: datetime, at: datetime, landed: Ended = ()) -> Begun:
    """Moves claimed touches to attempting, or to what is judged to become of them; whoever lost its claim is left out.

    Args:
        touches: As claimed.
        judge: Told which of them are still this worker's, says what becomes without an attempt of those that must not be attempted; it
            is asked in the transaction that writes it down.
        clock: The present instant; an ended lease counts as lost.
        at: The instant that settled touches bear.
        landed: What is settled in the same transaction, as `settle` does it.
    """
    with transaction.atomic():
        rows = _locked([*touches, *(touch for touch, _ in landed)])
        told, settled = _told(landed, rows)
        mine = [touch for touch in touches if (row := rows.get(touch.id)) and row.claimed(touch.fence, clock)]
        instead = judge(mine) if mine else {}
        begun = [touch for touch in mine if touch.id not in instead]
        if begun:
            _ATTEMPT(clock + LEASE, *(touch.id for touch in begun))
        write([*told, *((touch, instead[touch.id]) for touch in mine if touch.id in instead)], at)
    return Begun(begun, instead, settled)


def put_back(touches: Sequence[Touch], clock: datetime) -> set[int]:
    """Attempted touches that a worker did not come to hand over are claimed as before, though another has called them unknown meanwhile.

    Args:
        touches: As claimed.
        clock: The present instant; their lease counts from it.

    Returns:
        The ids of those that were still this worker's.
    """
    with transaction.atomic():
        rows = _locked(touches)
        mine = {touch.id for touch in touches if (row := rows.get(touch.id)) and row.fence == touch.fence and row.status in _IN_DOUBT}
        Touch.objects.filter(id__in=mine, status__in=_IN_DOUBT).update(
            status=CLAIMED, lease_until=clock + LEASE, settled_at=None, reason=""
        )
    return mine


def settle(landed: Ended, at: datetime) -> dict[int, str]:
    """Commits what became of attempted touches; a worker that comes back late still knows better, unless another has begun anew.

    Args:
        landed: The touches as claimed, each with what became of it.
        at: The instant that settled touches bear.

    Returns:
        Touch id to its status now, of those that no other worker has taken up.
    """
    with transaction.atomic():
        told, settled = _told(landed, _locked([touch for touch, _ in landed]))
        write(told, at)
    return settled


def renew(owner: str, clock: datetime) -> None:
    """Lets the leases of a worker that is alive begin again.

    Args:
        owner: The worker.
        clock: The present instant.
    """
    with transaction.atomic():
        Touch.objects.filter(owner=owner, status__in=(CLAIMED, ATTEMPTING)).update(lease_until=clock + LEASE)


def settle_unknown(outcomes: Mapping[str, Outcome], at: datetime) -> list[str]:
    """What is heard later of messages that were handed over: unknown ones are settled, and one that was sent and came back has failed.

    News of an order that waits to be tried again counts as sent where it is heard of as delivered.

    Args:
        outcomes: A Message-ID, or a token alone, or what the provider calls the message, to sent or failed.
        at: When it is heard.

    Returns:
        The keys of the touches that are settled otherwise now.
    """
    tokens = {name.partition("@")[0]: name for name in outcomes}
    named = Q(token__in=tokens) | Q(provider_id__in=[name for name in outcomes if name])
    changed = []
    with transaction.atomic():
        for touch in Touch.objects.filter(named).order_by("id").select_for_update():
            outcome = outcomes[touch.provider_id if touch.provider_id in outcomes else tokens[touch.token]]
            waits = touch.status == PLANNED and touch.service and touch.attempts > 0
            came_back = outcome.status == FAILED and touch.status in (SENT, ATTEMPTING)
            if touch.status == UNKNOWN or came_back or waits:
                name = outcome.message_id or touch.message_id
                write([(touch, replace(outcome, message_id=name, provider_id=outcome.provider_id or touch.provider_id))], at)
                changed.append(touch.key)
    return changed


def release(touches: Sequence[Touch]) -> None:
    """Gives up claims that were not begun, for the next worker."""
    with transaction.atomic():
        for start in range(0, len(touches), CHUNK):
            ids = [touch.id for touch in touches[start : start + CHUNK]]
            owners = {touch.owner for touch in touches}
            Touch.objects.filter(id__in=ids, owner__in=owners, status=CLAIMED).update(status=PLANNED, owner="", lease_until=None)


def withdraw(ids: Sequence[int], reason: str, at: datetime) -> int:
    """Suppresses touches that wait and must not be sent any more; one that was taken up meanwhile is left to its worker.

    Returns:
        How many were withdrawn.
    """
    done = 0
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            rows = Touch.objects.filter(id__in=ids[start : start + CHUNK], status=PLANNED)
            done += rows.update(status=SUPPRESSED, reason=reason[:300], settled_at=at, mirror=CHANGED)
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


class _Row(NamedTuple):
    """A touch as it is now."""

    id: int
    fence: int
    status: str
    service: bool
    lease_until: datetime | None

    def claimed(self, fence: int, clock: datetime) -> bool:
        """Whether a worker's claim still holds."""
        return self.fence == fence and self.status == CLAIMED and self.lease_until is not None and self.lease_until > clock

    @property
    def open(self) -> bool:
        """Whether a worker that attempted it may still say what became of it."""
        return self.status in _IN_DOUBT or (self.status == PLANNED and self.service)


def _locked(touches: Sequence[Touch]) -> dict[int, _Row]:
    """The rows of these touches, by id, locked in the order of their keys where the database locks rows."""
    return {row.id: row for row in _LOCKED(*(touch.id for touch in touches))} if touches else {}


_LOCKED = Prepared(
    lambda *ids: Touch.objects.filter(id__in=ids).order_by("id").select_for_update().values_list(*_Row._fields), _Row._make
)
_CLAIM = Change(
    lambda _owner, _until, *ids: Touch.objects.filter(id__in=ids),
    lambda owner, until, *_ids: {"status": CLAIMED, "owner": owner, "fence": F("fence") + 1, "lease_until": until},
)
_ATTEMPT = Change(
    lambda _until, *ids: Touch.objects.filter(id__in=ids),
    lambda until, *_ids: {"status": ATTEMPTING, "lease_until": until},
)


@lru_cache
def _next(size: int, held: Held) -> Prepared[Touch]:
    """The next touches that are due at an instant, locked; what others have locked is passed over."""
    return whole(
        Touch,
        lambda due: takeable(due, held).order_by("send_at", "id").select_for_update(skip_locked=True, of=("self",))[:size],
    )


def _told(landed: Ended, rows: Mapping[int, _Row]) -> tuple[list[tuple[Touch, Outcome]], dict[int, str]]:
    """What is to be written down of what landed; and the status of each, then, that no other worker has taken up."""
    mine = [(touch, outcome) for touch, outcome in landed if touch.id in rows and rows[touch.id].fence == touch.fence]
    told = [(touch, outcome) for touch, outcome in mine if rows[touch.id].open]
    return told, {touch.id: rows[touch.id].status for touch, _ in mine} | {touch.id: outcome.status for touch, outcome in told}
