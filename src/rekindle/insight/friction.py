"""What went wrong for a customer around the last order, with the ids that prove it.

Knows nothing of whether it made anyone leave: this is evidence, the first rule-based cause. `friction_effect` measures the rest.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight import price_rise
from rekindle.moment import AsOf

CAUSES = {
    "late_delivery": "late delivery",
    "stockout": "stockout",
    "return": "return",
    "refund": "refund",
    "bad_review": "bad review",
    "open_ticket": "open ticket",
    "poor_support": "poor support",
    "checkout": "confusing checkout",
    "price_rise": "price rise",
    "need_ended": "need ended",
    "unknown": "no evidence",
}
"""Causes in the order in which the first with evidence is named, with the words people read."""

ANSWER = "Why Prompt Answered: "
"""An event of this name and a reason of `REASONS` is a customer's answer to the question why."""

REASONS = {
    "delivery": "late_delivery",
    "stock": "stockout",
    "quality": "return",
    "support": "poor_support",
    "checkout": "checkout",
    "price": "price_rise",
    "no_need": "need_ended",
}
"""What a why-prompt offers to choose from, and the cause that it is evidence of. Another answer is no evidence."""

BEFORE_DAYS, AFTER_DAYS = 30, 45
"""An event counts from 30 days before the last order to 45 days after it (assumed)."""

NO_FAULT = frozenset({"price_rise", "need_ended", "unknown"})
"""Causes that are no bad experience with the shop."""

ANSWERED = "answer "
"""How the fact of a customer's own word begins: evidence of a cause, but no registered event that a message could apologise for."""

ANSWER_DAYS = 730
"""An answer comes long after: it counts from the last order on."""

BAD_RATING = 2


def events(warehouse: Warehouse, as_of: AsOf, customers: ir.Table | None = None) -> ir.Table:
    """Every friction event before the instant: customer_id, cause, fact (kind and id), happened_at.

    A return without goods is a refund. A price rise happens on the first day on which others paid the higher price, and its fact names the
    product. What a customer answers counts as the cause it names, whatever else is known, and its fact is an `answer`.

    Args:
        warehouse: An open history.
        as_of: Later events are not seen.
        customers: customer_id and last_day of those who are looked at; all where not given. Of them price rises that are too old to be a
            cause are left out.
    """
    seen = ibis.literal(as_of.naive)
    shipments = warehouse.current("shipments")
    shipments = shipments.filter(shipments.promised_at < seen)
    missing = shipments.delivered_at.isnull() | (shipments.delivered_at >= seen)
    late = shipments.filter((shipments.delivered_at > shipments.promised_at) | missing)
    returns, reviews = warehouse.current("returns"), warehouse.current("reviews")
    tickets, met = warehouse.current("tickets"), warehouse.current("events")
    unanswered = tickets.filter(tickets.closed_at.isnull() | (tickets.closed_at >= seen))
    goods = returns.quantity.fill_null(1) > 0
    kept, back = returns.filter(~goods), returns.filter(goods)
    answers = met.filter(met.name.isin([ANSWER + reason for reason in REASONS]))
    reason = answers.name.cases(*((ANSWER + reason, cause) for reason, cause in REASONS.items()), else_="unknown")
    dearer = price_rise.rises(warehouse, as_of, customers, BEFORE_DAYS + 1)  # a day of the store's may begin a day before one of UTC
    parts = (
        _named(late, "late_delivery", "shipment", late.shipment_id, late.promised_at),
        _named(met.filter(met.name == "Product Unavailable"), "stockout", "event", met.message_id, met.occurred_at),
        _named(back, "return", "return", back.return_id, back.returned_at),
        _named(kept, "refund", "return", kept.return_id, kept.returned_at),
        _named(reviews.filter(reviews.rating <= BAD_RATING), "bad_review", "review", reviews.review_id, reviews.reviewed_at),
        _named(unanswered, "open_ticket", "ticket", unanswered.ticket_id, unanswered.opened_at),
        _named(dearer, "price_rise", "product", dearer.product_id, dearer.dearer_day.cast(met.occurred_at.type())),
        _named(answers, reason, ANSWERED.strip(), answers.message_id, answers.occurred_at),
    )
    every = ibis.union(*(part if customers is None else part.semi_join(customers, "customer_id") for part in parts))
    return every.filter(every.happened_at < seen)


def _named(table: ir.Table, cause: str | ir.StringValue, kind: str, key: ir.StringValue, at: ir.TimestampValue) -> ir.Table:
    named = ibis.literal(cause) if isinstance(cause, str) else cause
    return table.select("customer_id", cause=named, fact=ibis.literal(kind + " ") + key, happened_at=at)


def causes(frictions: ir.Table, customers: ir.Table) -> ir.Table:
    """The first cause with evidence per customer, and that evidence.

    Args:
        frictions: From `events`.
        customers: customer_id, last_ordered_at; those whose silence needs a reason.

    Returns:
        customer_id, cause, cause_evidence (facts of that cause, comma-separated), had_friction (whether anything but the customer's own
        word is known).
    """
    every = ranked(frictions, customers)
    met = (~every.evidence.startswith(ANSWERED)).max().over(group_by="customer_id")
    first = every.mutate(had_friction=met).filter(lambda t: t.place == 1)
    return first.select("customer_id", "cause", "had_friction", cause_evidence="evidence")


def ranked(frictions: ir.Table, customers: ir.Table) -> ir.Table:
    """Every cause with evidence per customer, the likeliest first.

    What the customer said comes first, then the order of `CAUSES`.

    Args:
        frictions: From `events`.
        customers: customer_id, last_ordered_at.

    Returns:
        customer_id, place (from 1), cause, evidence (facts of that cause, comma-separated).
    """
    near = frictions.join(customers.select("customer_id", "last_ordered_at"), "customer_id")
    said = near.fact.startswith(ANSWERED)
    until = said.ifelse(ANSWER_DAYS, AFTER_DAYS)
    since = said.ifelse(0, BEFORE_DAYS)
    near = near.mutate(said=said).filter(
        near.happened_at >= near.last_ordered_at - since.as_interval("D"),
        near.happened_at < near.last_ordered_at + until.as_interval("D"),
    )
    order = {cause: number for number, cause in enumerate(CAUSES)}
    near = near.mutate(turn=near.cause.cases(*order.items(), else_=len(order)) - near.said.ifelse(len(order) + 1, 0))
    found = near.group_by("customer_id", "cause").aggregate(
        turn=near.turn.min(), evidence=near.fact.collect().sort().join(", ")
    )
    place = ibis.row_number().over(group_by="customer_id", order_by="turn") + 1
    return found.select("customer_id", "cause", "evidence", place=place.cast("int64"))


def open_tickets(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Customers with a ticket that is not answered: customer_id, open_ticket."""
    tickets, seen = warehouse.current("tickets"), ibis.literal(as_of.naive)
    unanswered = tickets.filter(tickets.opened_at < seen, tickets.closed_at.isnull() | (tickets.closed_at >= seen))
    return unanswered.group_by("customer_id").aggregate(open_ticket=unanswered.count() > 0)
