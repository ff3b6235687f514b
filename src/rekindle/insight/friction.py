"""What went wrong for a customer around the last order, with the ids that prove it.

Knows nothing of whether it made anyone leave: this is evidence, the first rule-based cause.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf

CAUSES = {
    "late_delivery": "late delivery",
    "stockout": "stockout",
    "return": "return",
    "bad_review": "bad review",
    "open_ticket": "open ticket",
    "unknown": "no evidence",
}
"""Causes in the order in which the first with evidence is named, with the words people read."""

BEFORE_DAYS, AFTER_DAYS = 30, 45
"""An event counts from 30 days before the last order to 45 days after it (assumed; the causes issue measures it)."""

BAD_RATING = 2


def events(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Every friction event before the instant: customer_id, cause, fact (kind and id), happened_at."""
    seen = ibis.literal(as_of.naive)
    shipments = warehouse.current("shipments")
    shipments = shipments.filter(shipments.promised_at < seen)
    missing = shipments.delivered_at.isnull() | (shipments.delivered_at >= seen)
    late = shipments.filter((shipments.delivered_at > shipments.promised_at) | missing)
    returns, reviews = warehouse.current("returns"), warehouse.current("reviews")
    tickets, met = warehouse.current("tickets"), warehouse.current("events")
    unanswered = tickets.filter(tickets.closed_at.isnull() | (tickets.closed_at >= seen))
    parts = (
        _named(late, "late_delivery", "shipment", late.shipment_id, late.promised_at),
        _named(met.filter(met.name == "Product Unavailable"), "stockout", "event", met.message_id, met.occurred_at),
        _named(returns, "return", "return", returns.return_id, returns.returned_at),
        _named(reviews.filter(reviews.rating <= BAD_RATING), "bad_review", "review", reviews.review_id, reviews.reviewed_at),
        _named(unanswered, "open_ticket", "ticket", unanswered.ticket_id, unanswered.opened_at),
    )
    every = ibis.union(*parts)
    return every.filter(every.happened_at < seen)


def _named(table: ir.Table, cause: str, kind: str, key: ir.StringValue, at: ir.TimestampValue) -> ir.Table:
    return table.select("customer_id", cause=ibis.literal(cause), fact=ibis.literal(kind + " ") + key, happened_at=at)


def causes(frictions: ir.Table, customers: ir.Table) -> ir.Table:
    """The first cause with evidence per customer, and that evidence.

    Args:
        frictions: From `events`.
        customers: customer_id, last_ordered_at; those whose silence needs a reason.

    Returns:
        customer_id, cause, cause_evidence (facts of that cause, comma-separated).
    """
    near = frictions.join(customers.select("customer_id", "last_ordered_at"), "customer_id")
    near = near.filter(
        near.happened_at >= near.last_ordered_at - ibis.interval(days=BEFORE_DAYS),
        near.happened_at < near.last_ordered_at + ibis.interval(days=AFTER_DAYS),
    )
    order = {cause: number for number, cause in enumerate(CAUSES)}
    near = near.mutate(place=near.cause.cases(*order.items(), else_=len(order)))
    near = near.mutate(first=near.place.min().over(group_by="customer_id")).filter(lambda t: t.place == t.first)
    return near.group_by("customer_id", "cause").aggregate(cause_evidence=lambda t: t.fact.group_concat(", ", order_by=t.fact))


def open_tickets(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Customers with a ticket that is not answered: customer_id, open_ticket."""
    tickets, seen = warehouse.current("tickets"), ibis.literal(as_of.naive)
    unanswered = tickets.filter(tickets.opened_at < seen, tickets.closed_at.isnull() | (tickets.closed_at >= seen))
    return unanswered.group_by("customer_id").aggregate(open_ticket=unanswered.count() > 0)
