"""A code at the checkout: looked up, judged by the day where its holder is, and redeemed.

Knows nothing of requests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import OuterRef, QuerySet, Subquery

from rekindle import money
from rekindle.decide.arms import MILLI
from rekindle.decide.budget import binding
from rekindle.decide.timing import zone_of
from rekindle.moment import local_day
from rekindle.program.documents import Documents, Offer
from rekindle.respond.redemption import Basket, Line, Reason, Terms, discount, judged
from rekindle.service.config.prepared import Prepared, columns, stored
from rekindle.service.flow import spending
from rekindle.service.outbox.models import ATTEMPTING, CLAIMED, EXPIRED, FAILED, PLANNED, SUPPRESSED, Touch
from rekindle.service.people.models import Person
from rekindle.service.people.queries import named
from rekindle.service.redemptions import actions
from rekindle.service.redemptions.models import Coupon, Redemption
from rekindle.settings import Settings

_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_COLUMNS = (
    "code", "customer_id", "plan", "program", "episode", "stage", "offer", "kind", "label", "currency", "scope", "minimum", "percent",
    "amount", "price", "last_day", "cost", "seller_part", "limited",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """What a shop says of an order.

    Args:
        customer: Who orders, by any id or e-mail; empty where the shop does not know.
        currency: ISO 4217.
        lines: What is ordered.
        others: Further codes of the order.
    """

    customer: str
    currency: str
    lines: tuple[Line, ...]
    others: tuple[str, ...] = ()


def typed(code: str) -> str:
    """A code as it was given, from how a person types it.

    >>> typed(" d6r2-zre9iz ")
    'D6R2ZRE91Z'
    """
    return code.strip().upper().translate(_ALIKE)


def coupons(rows: pa.Table, codes: Sequence[str], plan: str, documents: Documents, settings: Settings) -> pa.Table:
    """The codes of a plan with what they give.

    Args:
        rows: Of `message_facts.messages`: among others scope, offer_value (minor units), valid_until, and the plan's costs.
        codes: One a row; empty where the offer has none.
        plan: The plan's hash.
        documents: Approved ones.
        settings: The store's.
    """
    found: dict[str, list[object]] = {name: [] for name in _COLUMNS}
    given = rows.append_column("code", pa.array(codes, pa.string())).filter(pc.not_equal(pa.array(codes, pa.string()), ""))
    for batch in given.to_batches(max_chunksize=actions.CHUNK):
        for row in batch.to_pylist():
            for name, value in {**_coupon(row, documents, settings), "code": row["code"], "plan": plan}.items():
                found[name].append(value)
    return pa.table({name: pa.array(values, pa.date32() if name == "last_day" else None) for name, values in found.items()})


def _coupon(row: Mapping[str, Any], documents: Documents, settings: Settings) -> dict[str, object]:
    offer = documents.offers[row["offer"]]
    cap = None if offer.cap is None else money.to_minor(offer.cap, settings.currency)
    amount = cap if offer.percent is not None else round(row["offer_value"]) if offer.price else 0
    return {
        "customer_id": row["customer_id"], "program": row["program"], "episode": row["episode"], "stage": row["stage"],
        "offer": row["offer"], "kind": offer.kind, "label": offer.label, "currency": settings.currency, "scope": row["scope"] or "order",
        "minimum": money.to_minor(offer.minimum_spend or 0, settings.currency), "percent": float(offer.percent or 0), "amount": amount,
        "price": offer.price, "last_day": row["valid_until"], "cost": None if offer.price else round(row["offer_value"]),
        "seller_part": _seller_part(row, offer), "limited": bool(binding(row["program"], offer, documents.rules)),
    }  # fmt: skip


def _seller_part(row: Mapping[str, Any], offer: Offer) -> float:
    """The seller's part of what a redemption costs, as the plan reckoned it."""
    incentive = row["expected_cost"] - (row["cost_ceiling"] - row["offer_value"] * MILLI)
    return round(row["seller_cost"] / incentive, 6) if incentive > 0 else offer.seller_part


def looked_at(settings: Settings, code: str, order: Order, at: datetime) -> tuple[Coupon, int] | Reason:
    """What a code would take off an order; why it would not where it would take nothing."""
    given = _GIVEN.first(typed(code))
    if given is None:
        return Reason.UNKNOWN
    found = _judge(settings, given, order, at)
    return found if isinstance(found, Reason) else (given.coupon, found)


def redeem(settings: Settings, code: str, order: Order, order_id: str, at: datetime) -> Redemption | Reason:
    """Redeems a code with an order."""

    def judge(coupon: Coupon) -> Reason | int:
        given = _GIVEN.first(coupon.code)
        return _judge(settings, given, order, at) if given else Reason.UNKNOWN

    return actions.redeem(typed(code), order_id, judge, at, local_day(at, settings.timezone))


class _Given(NamedTuple):
    """A code, what became of its message (None: it is not there), and the time zone of its holder, where it is known."""

    coupon: Coupon
    status: str | None
    zone: str | None


_STORED = columns(Coupon)


def _given(code: str) -> QuerySet[Coupon, Any]:
    mine = {name: OuterRef(name) for name in ("customer_id", "program", "episode", "stage")}
    status = Touch.objects.filter(plan_id=OuterRef("plan"), **mine).values("status")[:1]
    zone = Person.objects.filter(pk=OuterRef("customer_id")).values("timezone")[:1]
    return Coupon.objects.filter(pk=code).values_list(*_STORED, Subquery(status), Subquery(zone))


_GIVEN = Prepared(_given, lambda row: _Given(stored(Coupon, _STORED, row[:-2]), row[-2], row[-1]))
_NOT_GIVEN: Mapping[str | None, Reason] = {
    **dict.fromkeys((PLANNED, CLAIMED, ATTEMPTING), Reason.NOT_YET),
    **dict.fromkeys((SUPPRESSED, EXPIRED, FAILED, None), Reason.CANCELLED),
}
"""Why nobody can have a code whose message waits still, or ended without being sent."""


def _judge(settings: Settings, given: _Given, order: Order, at: datetime) -> Reason | int:
    coupon = given.coupon
    if (reason := _NOT_GIVEN.get(given.status)) is not None:
        return reason
    terms = Terms(
        coupon.customer_id, coupon.currency, coupon.last_day, coupon.scope, coupon.minimum, coupon.percent, coupon.amount, coupon.price
    )
    basket = Basket(_buyer(order.customer, coupon.customer_id), order.currency, order.lines, order.others)
    reason = judged(terms, basket, local_day(at, zone_of(given.zone, settings.timezone)), _lowering(coupon.code, order.others))
    if reason is not None or coupon.redeemed >= coupon.most:
        return reason or Reason.USED
    off = discount(terms, basket)
    return Reason.BUDGET_SPENT if spending.beyond(settings, coupon, off, at) else off


def _lowering(code: str, others: Sequence[str]) -> frozenset[str]:
    """Those of the other codes of an order that lower the price."""
    codes = [one for one in map(typed, others) if one != code]
    return frozenset(Coupon.objects.filter(pk__in=codes, price=True).values_list("pk", flat=True)) if codes else frozenset()


def _buyer(customer: str, holder: str) -> str:
    """Who orders, of whom it matters only whether they hold the code: the holder where they are among those whom the shop names."""
    return holder if customer and holder in named(customer) else ""
