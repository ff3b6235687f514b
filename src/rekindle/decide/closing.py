"""Which messages that wait to be sent are about something that has closed since they were decided, by the newest facts.

Knows nothing of the outbox and of consent. A round is open while `openings` finds it; here the same facts are asked of a few rounds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.decide import due, moments_ahead, openings
from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import sold_lines
from rekindle.moment import AsOf
from rekindle.program.documents import Program
from rekindle.program.sequence_contracts import OF_AN_ORDER

_DAY = len("2026-11-26")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        warehouse: An open history.
        programs: Approved ones.
        as_of: Later facts are not seen.
    """

    warehouse: Warehouse
    programs: Sequence[Program]
    as_of: AsOf

    def names(self, of: Callable[[Program], bool]) -> list[str]:
        """The programs for which something holds."""
        return [one.name for one in self.programs if of(one)]


def closed(waiting: ir.Table, question: Question) -> ir.Table:
    """Messages whose round has closed: id, reason (in words; of several the first by name).

    Args:
        waiting: id, customer_id, program, episode of messages that wait, news of orders among them.
        question: What is asked.
    """
    parts = [rows.select("id", reason=ibis.literal(reason)) for rows, reason in _closed(waiting, question)]
    if not parts:
        return waiting.filter(ibis.literal(False)).select("id", reason=ibis.literal(""))
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return every.group_by("id").aggregate(reason=every.reason.min())


def _closed(waiting: ir.Table, question: Question) -> Iterator[tuple[ir.Table, str]]:
    warehouse, as_of = question.warehouse, question.as_of
    orders = warehouse.current("orders")

    def mine(of: Callable[[Program], bool]) -> ir.Table | None:
        names = question.names(of)
        return waiting.filter(waiting.program.isin(names)) if names else None

    if (rows := mine(lambda one: one.trigger.on in OF_AN_ORDER)) is not None:
        yield _among(rows, orders.filter(orders.cancelled)), "the order was cancelled"
    if (rows := mine(lambda one: one.trigger.on in OF_AN_ORDER and "reviewed" in one.exit)) is not None:
        yield _among(rows, openings.reviewed(warehouse, as_of)), "reviewed since"
    if (rows := mine(lambda one: one.trigger.on == "late_delivery")) is not None:
        parcels = openings.parcels(warehouse, as_of)
        arrived = openings.whole_orders(parcels)
        yield _among(rows, arrived.filter(arrived.arrived)), "the parcel has arrived"
    if (rows := mine(lambda one: one.trigger.on == "credit")) is not None:
        open_credits = moments_ahead.unspent(warehouse, as_of).select(episode="credit_id")
        yield rows.anti_join(open_credits, "episode"), "the credit is spent or has expired"
    if (rows := mine(lambda one: one.trigger.on == "run_out")) is not None:
        yield _bought_again(rows, warehouse, as_of), "bought again"
    if (rows := mine(lambda one: "pause" in one.exit)) is not None:
        yield rows.semi_join(due.paused(warehouse, as_of), "customer_id"), "asked for a pause"
    yield from _overtaken(waiting, question)


def _overtaken(waiting: ir.Table, question: Question) -> Iterator[tuple[ir.Table, str]]:
    """News of an order of which there is later news, by a program that tells of it."""
    first = question.names(lambda one: one.service and one.trigger.on in ("order", "first_order"))
    later = {one.trigger.on for one in question.programs if one.service}
    rows, parcels = waiting.filter(waiting.program.isin(first or [""])), openings.parcels(question.warehouse, question.as_of)
    if first and "delivery" in later:
        whole = openings.whole_orders(parcels)
        yield _among(rows, whole.filter(whole.arrived)), "a later status of the order is told"
    if first and "late_delivery" in later:
        yield _among(rows, openings.late(parcels, question.as_of)), "a later status of the order is told"


def _among(rows: ir.Table, orders: ir.Table) -> ir.Table:
    """The messages about one of these orders."""
    return rows.semi_join(orders.select(episode="order_id").distinct(), "episode")


def _bought_again(rows: ir.Table, warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Messages about a product that the customer has bought since: its id and the day of the last purchase name the round."""
    named = rows.mutate(
        product_id=rows.episode.substr(0, rows.episode.length() - _DAY - 1), last_day=rows.episode.right(_DAY).cast("date")
    )
    lines = sold_lines(warehouse, as_of).select("customer_id", "product_id", "purchase_day")
    again = named.join(lines, ["customer_id", "product_id"]).filter(lambda t: t.purchase_day > t.last_day)
    return rows.semi_join(again.select("id").distinct(), "id")
