"""Who has had enough for now: a row of messages without an answer, or too great a chance that the next one drives the customer away.

Knows nothing of the next message. A tired customer has a lower cap of their own until they answer again.
"""

from datetime import timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide.arms import OPT_OUT_RATE
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf
from rekindle.program.documents import Rules

ANSWERS = ("Email Link Clicked", "Link Clicked", "Push Notification Tapped", "Signed In", "Product Viewed")
"""Events that answer a message, besides an order; an opened mail is none, since mail programs open mails by themselves."""

TO_ANSWER = timedelta(days=3)
"""A younger message is not yet ignored (assumed: most clicks come within two days)."""

LOOK_BACK = timedelta(days=365)
"""Older messages are forgotten, and with them that they were ignored."""

IGNORED_FACTOR = 1.25
"""How many times likelier every ignored message in a row makes it that a customer leaves (assumed)."""

REFUSED_FACTOR = 3.0
"""How many times likelier it is of a customer who has said no to some channel before (assumed)."""

_EMPTY = pa.schema({"customer_id": pa.string(), "streak": pa.int64(), "opt_out_risk": pa.float64(), "own_cap": pa.int64()})


def opt_out_risk(streak: ir.IntegerValue, refused: ir.BooleanValue) -> ir.FloatingValue:
    """The chance that the next message makes a customer leave: assumed, until opt-outs are counted.

    0.002 x 1.25 to the power of the messages ignored in a row, three times that of who has said no to some channel before.

    Args:
        streak: Messages ignored in a row.
        refused: Whether the customer has said no to marketing on some channel.
    """
    grown = ibis.literal(IGNORED_FACTOR) ** streak.cast("float64") * OPT_OUT_RATE
    return (grown * refused.ifelse(REFUSED_FACTOR, 1.0)).clip(upper=1.0).round(6)


def own_caps(warehouse: Warehouse, seen: Past, profile: ir.Table, as_of: AsOf, rules: Rules) -> ir.Table:
    """The caps of tired customers.

    Args:
        warehouse: Orders, events and consents.
        seen: Messages of marketing as its contacts.
        profile: customer_id of those who are asked about.
        as_of: The instant; later facts are not seen.
        rules: When a customer is tired.

    Returns:
        customer_id, streak (messages in a row without an answer), opt_out_risk, own_cap (messages in the window of the rules' cap; null
        where the store's holds). Customers who left nothing unanswered have no row.
    """
    if rules.fatigue is None:
        return ibis.memtable(_EMPTY.empty_table())
    sent = _sent(seen, as_of).semi_join(profile, "customer_id")
    both = sent.left_join(_answered(warehouse, sent, as_of), "customer_id").drop("customer_id_right")
    ignored = both.filter(both.answered_at.isnull() | (both.sent_at > both.answered_at))
    rows = ignored.group_by("customer_id").aggregate(streak=ignored.count().cast("int64"))
    rows = rows.left_join(_refused(warehouse, as_of), "customer_id").drop("customer_id_right")
    rows = rows.mutate(opt_out_risk=opt_out_risk(rows.streak, rows.refused.fill_null(False))).drop("refused")
    tired = (rows.streak >= rules.fatigue.ignored) | (rows.opt_out_risk > rules.fatigue.opt_out_risk)
    least = min(rules.fatigue.touches, rules.caps.touches)
    return rows.mutate(own_cap=tired.ifelse(ibis.literal(least, "int64"), ibis.null("int64")))


def _sent(seen: Past, as_of: AsOf) -> ir.Table:
    """Messages of the last year that are old enough to have been answered: customer_id, sent_at."""
    rows = seen.contacts.select("customer_id", sent_at=seen.contacts.send_at.fill_null(seen.contacts.as_of))
    oldest, youngest = as_of.naive - LOOK_BACK, as_of.naive - TO_ANSWER
    return rows.filter(rows.sent_at > ibis.literal(oldest), rows.sent_at <= ibis.literal(youngest))


def _answered(warehouse: Warehouse, sent: ir.Table, as_of: AsOf) -> ir.Table:
    """The last answer of each customer: customer_id, answered_at."""
    orders, events = sales(warehouse, as_of), warehouse.current("events")
    met = events.filter(events.name.isin(ANSWERS), events.occurred_at < ibis.literal(as_of.naive))
    both = orders.select("customer_id", at="ordered_at").union(met.select("customer_id", at="occurred_at"))
    mine = both.filter(both["at"] > ibis.literal(as_of.naive - LOOK_BACK)).semi_join(sent, "customer_id")
    return mine.group_by("customer_id").aggregate(answered_at=mine["at"].max())


def _refused(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    consents = warehouse.current("consents")
    said_no = consents.filter(consents.purpose == "marketing", ~consents.granted, consents.recorded_at < ibis.literal(as_of.naive))
    return said_no.select("customer_id").distinct().mutate(refused=True)
