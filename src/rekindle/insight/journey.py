"""What a customer went through, step by step from the first look to the last purchase, and where it stopped.

Knows nothing of causes. A step is a dated fact; of two at one instant the earlier of `STEPS` comes first.
"""

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction import ANSWER, BAD_RATING
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf

STEPS = {
    "signed_in": "signed in",
    "viewed": "looked at a product",
    "searched": "searched",
    "wished": "put on a wish list",
    "added": "put into the cart",
    "unavailable": "found a product out of stock",
    "ordered": "ordered",
    "delivered": "received the order in time",
    "delivered_late": "received the order late",
    "reviewed": "left a review",
    "reviewed_low": "left a low review",
    "asked": "opened a ticket",
    "answered": "had the ticket closed",
    "returned": "sent something back",
    "contacted": "was sent a message",
    "told_why": "said why",
}
"""Steps in the usual order, with the words people read."""

SEEN = {
    "Signed In": "signed_in", "Product Viewed": "viewed", "Products Searched": "searched", "Product Added to Wishlist": "wished",
    "Product Added": "added", "Product Unavailable": "unavailable",
}
"""Events that are a step; others are not shown."""

BROWSING = ("signed_in", "viewed", "searched")
"""Steps that are many and tell little apart from the order that they lead to."""

OF_THE_SHOP = ("contacted", "answered", "told_why")
"""Steps that are the shop's or an answer to it: where a customer stopped is one of the others."""

FUNNEL = {
    "viewed": "Looked at a product", "ordered": "Ordered", "delivered": "Received an order", "reviewed": "Left a review",
    "ordered_twice": "Ordered on a second day", "ordered_four_times": "Ordered on a fourth day",
}


def steps(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Every step of every customer before the instant: customer_id, at, step, turn (place in `STEPS`), fact (kind and id), order_id."""
    seen = ibis.literal(as_of.naive)
    orders, events = sales(warehouse, as_of), warehouse.current("events")
    shipped, reviews = warehouse.current("shipments"), warehouse.current("reviews")
    tickets, returns, touches = warehouse.current("tickets"), warehouse.current("returns"), warehouse.current("touches")
    late = (shipped.delivered_at > shipped.promised_at).fill_null(False)
    came = late.ifelse("delivered_late", "delivered")
    low = reviews.rating <= BAD_RATING
    kind = ibis.cases(*((events.name == name, step) for name, step in SEEN.items()), (events.name.startswith(ANSWER), "told_why"))
    sent = touches.filter(touches.status == "sent")
    none = ibis.null("string")
    parts = (
        _named(events, kind, "event", events.message_id, events.occurred_at, none),
        _named(orders, ibis.literal("ordered"), "order", orders.order_id, orders.ordered_at, orders.order_id),
        _named(shipped, came, "shipment", shipped.shipment_id, shipped.delivered_at, shipped.order_id),
        _named(reviews, low.ifelse("reviewed_low", "reviewed"), "review", reviews.review_id, reviews.reviewed_at, reviews.order_id),
        _named(tickets, ibis.literal("asked"), "ticket", tickets.ticket_id, tickets.opened_at, tickets.order_id),
        _named(tickets, ibis.literal("answered"), "ticket", tickets.ticket_id, tickets.closed_at, tickets.order_id),
        _named(returns, ibis.literal("returned"), "return", returns.return_id, returns.returned_at, returns.order_id),
        _named(sent, ibis.literal("contacted"), "touch", sent.touch_key, sent.settled_at, none),
    )
    every = ibis.union(*parts)
    turn = every.step.cases(*((name, at) for at, name in enumerate(STEPS)), else_=len(STEPS))
    return every.filter(every.at < seen, every.step.notnull()).mutate(turn=turn)


def _named(
    table: ir.Table, step: ir.StringValue, kind: str, key: ir.StringValue, at: ir.TimestampValue, order: ir.StringValue
) -> ir.Table:
    return table.select("customer_id", at=at, step=step, fact=ibis.literal(kind + " ") + key, order_id=order)


def of_customer(steps: ir.Table, customer_id: str) -> ir.Table:
    """One customer's steps in order."""
    mine = steps.filter(steps.customer_id == customer_id)
    return mine.order_by("at", "turn", "fact").select("at", "step", "fact", "order_id")


def funnel(steps: ir.Table, members: ir.Table) -> ir.Table:
    """How many of the members came as far as each step of `FUNNEL`: one row, a column each, and members.

    Args:
        steps: From `steps`.
        members: customer_id and purchase_days, one row each.
    """
    kinds = {
        "viewed": ("viewed",), "ordered": ("ordered",), "delivered": ("delivered", "delivered_late"),
        "reviewed": ("reviewed", "reviewed_low"),
    }
    reached = steps.group_by("customer_id").aggregate(**{name: steps.step.isin(which).any() for name, which in kinds.items()})
    whole = members.select("customer_id", "purchase_days").left_join(reached, "customer_id").drop("customer_id_right")
    counts = {name: whole[name].fill_null(False).ifelse(1, 0).sum() for name in kinds}
    return whole.aggregate(
        members=whole.count(), **counts, ordered_twice=(whole.purchase_days >= 2).ifelse(1, 0).sum(),
        ordered_four_times=(whole.purchase_days >= 4).ifelse(1, 0).sum(),
    )


def dropoffs(steps: ir.Table, silent: ir.Table) -> ir.Table:
    """The last step of each silent customer from the last order on.

    Args:
        steps: From `steps`.
        silent: customer_id and last_order_id.

    Returns:
        customer_id, dropoff_step, dropoff_at, dropoff_fact.
    """
    own = steps.filter(~steps.step.isin(OF_THE_SHOP))
    began = own.filter(own.step == "ordered").select("customer_id", "order_id", began="at")
    ends = silent.select("customer_id", order_id="last_order_id").join(began, ["customer_id", "order_id"]).select("customer_id", "began")
    after = own.join(ends, "customer_id")
    after = after.filter(after.at >= after.began)
    place = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("at"), ibis.desc("turn"), ibis.desc("fact")])
    last = after.mutate(place=place).filter(lambda t: t.place == 0)
    return last.select("customer_id", dropoff_step="step", dropoff_at="at", dropoff_fact="fact")


def to_mermaid(rows: Iterable[Mapping[str, object]]) -> str:
    """A journey as a Mermaid timeline, a section for each month.

    Args:
        rows: From `of_customer`.

    >>> from datetime import datetime
    >>> print(to_mermaid([{"at": datetime(2026, 5, 1, 9), "step": "ordered", "fact": "order M1"}]))
    timeline
        section 2026-05
            05-01 09.00 : ordered (order M1)
    """
    lines, month = ["timeline"], ""
    for row in rows:
        at = f"{row['at']:%Y-%m %m-%d %H.%M}"
        if at[:7] != month:
            month = at[:7]
            lines.append(f"    section {month}")
        lines.append(f"        {at[8:]} : {STEPS[str(row['step'])]} ({_plain(str(row['fact']))})")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text without what Mermaid takes for its own."""
    return "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in text)
