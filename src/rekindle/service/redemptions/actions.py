"""What changes codes and redemptions: they are given, redeemed and rolled back, each in one transaction.

Knows nothing of requests. A code is redeemed by one conditional update, so that of many who try at once no more succeed than may.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
from django.db import IntegrityError, transaction
from django.db.models import F

from rekindle.respond.redemption import Reason
from rekindle.service.outbox.actions import withdraw
from rekindle.service.outbox.models import PLANNED, Touch
from rekindle.service.people.last_look import REDEEMED
from rekindle.service.redemptions.models import CHANGED, KNOWN, TAKEN, Answer, Coupon, Redemption, Spend

CHUNK = 2_000
HELD: Mapping[str, object] = {"program": "", "payer": "", "spent_on": date(1970, 1, 1)}
"""The row that whoever asks a hard budget holds until its own cost is written down; it says nothing to history."""

Judge = Callable[[Coupon], Reason | int]
"""Says of a code why it is not taken, or what it takes off, minor units."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be repeated.

    Args:
        key: The digest of who asks, and under which key of idempotency.
        code: What it is about, as it was given.
        digest: Of everything that was sent, so that another request under the same key is told apart.
        at: The instant, aware.
    """

    key: str
    code: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: an HTTP status and a JSON text."""

    status: int
    body: str


class OtherRequest(Exception):
    """The key was used for a request with other parameters."""


def issue(coupons: pa.Table) -> None:
    """Gives the codes of a plan; those that are there already stay as they are.

    Args:
        coupons: The columns of `Coupon` but the two that count.
    """
    for start in range(0, coupons.num_rows, CHUNK):
        rows = [Coupon(**row) for row in coupons.slice(start, CHUNK).to_pylist()]
        with transaction.atomic():
            Coupon.objects.bulk_create(rows, ignore_conflicts=True)


def once(asked: Asked, do: Callable[[], Reply]) -> Reply:
    """Does something and keeps its answer, or gives the answer of the first time.

    Args:
        asked: The request.
        do: What it asks for; it writes within the same transaction as the answer.

    Raises:
        OtherRequest: The key was used for another request.
    """
    try:
        with transaction.atomic():
            whose = Coupon.objects.filter(pk=asked.code).values_list("customer_id", flat=True).first() or ""
            kept = Answer.objects.create(key=asked.key, customer_id=whose, asked=asked.digest, answered_at=asked.at)
            reply = do()
            kept.status, kept.body = reply.status, reply.body
            kept.save(update_fields=["status", "body"])
            return reply
    except IntegrityError:
        first = Answer.objects.filter(pk=asked.key).first()
        if first is None:
            raise
        if first.asked != asked.digest:
            raise OtherRequest from None
        return Reply(first.status, first.body)


def redeem(code: str, order_id: str, judge: Judge, at: datetime, today: date) -> Redemption | Reason:
    """Redeems a code with an order, where it may be: its round then ends, and what waits of it is withdrawn.

    Of codes that a hard budget binds one at a time is judged, and its cost written down before the next.

    Args:
        code: As it was given.
        order_id: What the shop calls the order.
        judge: Told the code.
        at: The instant, aware.
        today: The day of the store, on which it is spent.
    """
    with transaction.atomic():
        coupon = Coupon.objects.filter(pk=code).first()
        if coupon is None:
            return Reason.UNKNOWN
        if coupon.limited:
            _hold_spend()
        found = judge(coupon)
        if isinstance(found, Reason):
            return found
        if not Coupon.objects.filter(pk=code, redeemed__lt=F("most")).update(redeemed=F("redeemed") + 1):
            return Reason.USED
        made = Redemption.objects.create(coupon=coupon, order_id=order_id, discount=found, redeemed_at=at, spent_on=today)
        _spend(coupon, found, today, 1)
        waiting = Touch.objects.filter(
            customer_id=coupon.customer_id, program=coupon.program, episode=coupon.episode, status=PLANNED, service=False
        )
        withdraw(list(waiting.values_list("pk", flat=True)), REDEEMED, at)
        return made


def roll_back(code: str, redemption: int, at: datetime) -> Redemption | None:
    """Takes a redemption back, once; the code may be redeemed again. None where there is no such redemption of the code."""
    with transaction.atomic():
        mine = Redemption.objects.filter(pk=redemption, coupon_id=code)
        undone = mine.filter(rolled_back_at=None).update(rolled_back_at=at, mirror=CHANGED)
        found = mine.select_related("coupon").first()
        if found is not None and undone:
            Coupon.objects.filter(pk=code, redeemed__gt=0).update(redeemed=F("redeemed") - 1)
            if found.spent_on is not None:
                _spend(found.coupon, found.discount, found.spent_on, -1)
        return found


def _hold_spend() -> None:
    """Lets nobody else who asks a hard budget go on until the transaction ends."""
    Spend.objects.get_or_create(**HELD, defaults={"mirror": KNOWN})
    Spend.objects.select_for_update().get(**HELD)


def _spend(coupon: Coupon, discount: int, day: date, times: int) -> None:
    """Adds what a redemption costs to the day's spend, or takes it off again, of each payer in the order of their names."""
    for payer, cost in sorted(coupon.costs(discount).items()):
        if cost:
            row, _ = Spend.objects.get_or_create(program=coupon.program, payer=payer, spent_on=day)
            Spend.objects.filter(pk=row.pk).update(cost=F("cost") + times * cost, mirror=CHANGED)


def take_spend() -> Iterator[Spend]:
    """Marks the spend that history does not know yet, and gives all that is being told."""
    with transaction.atomic():
        Spend.objects.filter(mirror=CHANGED).update(mirror=TAKEN)
    return Spend.objects.filter(mirror=TAKEN).order_by("pk").iterator()


def take_changes() -> Iterator[Redemption]:
    """Marks the redemptions that history does not know yet, and gives all that are being told."""
    with transaction.atomic():
        Redemption.objects.filter(mirror=CHANGED).update(mirror=TAKEN)
    return Redemption.objects.filter(mirror=TAKEN).select_related("coupon").order_by("pk").iterator()


def changes_known() -> None:
    """History now knows the redemptions and the spend taken."""
    with transaction.atomic():
        Redemption.objects.filter(mirror=TAKEN).update(mirror=KNOWN)
        Spend.objects.filter(mirror=TAKEN).update(mirror=KNOWN)
