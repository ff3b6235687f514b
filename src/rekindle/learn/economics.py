"""What customers who came back cost, spend and say, beside new ones: of a year, from the shop's own data.

Knows nothing of lift: who comes back differs from who is new, and nobody drew them. What it cost to win a new customer is in no order; so
what is told of cost is what messages to either cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.decide.arms import MILLI
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.moment import AsOf

YEAR_DAYS = 365
AWAY_DAYS = 182
"""Who orders again after so long a silence, half a year, has come back."""

GOOD_RATING, GOOD_ANSWER = 4, 9
"""A review of so many stars, or a survey's answer, from which on a customer speaks well of the shop."""


@dataclass(frozen=True, slots=True)
class Kind:
    """New or returned customers of the last year.

    Args:
        customers: How many ordered.
        orders, spend: A customer, in the year; minor units.
        messages: What messages of marketing to them cost, a customer, minor units.
        speak_well: The share who rated well or would recommend the shop.
    """

    customers: int
    orders: float
    spend: float
    messages: float
    speak_well: float


def economics(warehouse: Warehouse, past: Past, costs: Mapping[str, float], as_of: AsOf) -> dict[str, Kind]:
    """New and returned customers of the last year, as far as there are any.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant; its contacts are the messages.
        costs: Of a message by channel, minor units.
        as_of: Later facts are not seen.
    """
    since = ibis.literal(as_of.naive) - ibis.interval(days=YEAR_DAYS)
    with warehouse.forgetting():
        who = warehouse.keep(_customers(warehouse, as_of, since))
        told = who
        for part in (_messages(past, costs, since), _speakers(warehouse, as_of, since)):
            told = told.left_join(part, "customer_id").drop("customer_id_right")
        told = told.mutate(milli=told.milli.fill_null(0), speaks=told.speaks.fill_null(False))
        sums = told.group_by("kind").aggregate(
            customers=told.count(), orders=told.orders.mean(), spend=told.spend.mean(), milli=told.milli.mean(),
            speak_well=told.speaks.cast("int64").mean(),
        )
        rows = warehouse.arrow(sums.order_by("kind")).to_pylist()
    return {row["kind"]: Kind(row["customers"], row["orders"], row["spend"], row["milli"] / MILLI, row["speak_well"]) for row in rows}


def _customers(warehouse: Warehouse, as_of: AsOf, since: ir.TimestampValue) -> ir.Table:
    """Who ordered in the year and is new or has come back, with what they ordered in it."""
    sold = purchases.sales(warehouse, as_of)
    this = sold.ordered_at >= since
    whole = sold.group_by("customer_id").aggregate(
        first=sold.ordered_at.min(), again=sold.ordered_at.min(where=this), before=sold.ordered_at.max(where=~this),
        orders=this.cast("int64").sum(), spend=sold.net.sum(where=this),
    )
    active = whole.filter(whole.orders > 0)
    away = active.again >= active.before + ibis.interval(days=AWAY_DAYS)
    kind = ibis.cases((active.first >= since, "new"), (away.fill_null(False), "returned"), else_=ibis.null("string"))
    return active.select("customer_id", "orders", "spend", kind=kind).filter(lambda t: t.kind.notnull())


def _messages(past: Past, costs: Mapping[str, float], since: ir.TimestampValue) -> ir.Table:
    mine = past.contacts.filter(past.contacts.as_of >= since)
    thousandths = {name: round(cost * MILLI) for name, cost in costs.items()}
    price = mine.channel.cases(*thousandths.items(), else_=0)
    return mine.mutate(price=price).group_by("customer_id").aggregate(milli=lambda t: t.price.sum())


def _speakers(warehouse: Warehouse, as_of: AsOf, since: ir.TimestampValue) -> ir.Table:
    reviews, events = warehouse.current("reviews"), warehouse.current("events")
    answer = events.value.try_cast("int64")
    every = ibis.union(
        reviews.filter(reviews.rating >= GOOD_RATING).select("customer_id", at="reviewed_at"),
        events.filter(events.name == "Survey Answered", answer >= GOOD_ANSWER).select("customer_id", at="occurred_at"),
    )
    known = every.filter(every["at"] >= since, every["at"] < ibis.literal(as_of.naive))
    return known.select("customer_id").distinct().mutate(speaks=True)
