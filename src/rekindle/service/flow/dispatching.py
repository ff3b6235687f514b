"""Sending what is due at an instant, and telling history.

Knows nothing of a single message.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle import moment
from rekindle.errors import Refused
from rekindle.history.warehouse import Warehouse
from rekindle.insight.opinions import detractors
from rekindle.moment import AsOf
from rekindle.service.flow import documents
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox import actions, queries
from rekindle.service.people.queries import has_contacts
from rekindle.settings import Settings

AFTERNOON = timedelta(hours=15)


def refuse_rehearsal() -> None:
    """Refuses to send where nobody's contact is known.

    Raises:
        Refused: Names the file it wants.
    """
    if not has_contacts():
        raise Refused(
            "no contact is known, so the plan is a rehearsal and nothing can be sent",
            "Import contacts with consent: rekindle import CONTACTS.csv --contacts",
        )


def sending_instant(as_of: AsOf) -> datetime:
    """When messages go: now; on a shifted clock in the afternoon of that day, when it is day for most customers."""
    if not as_of.shifted:
        return as_of.instant
    return max(as_of.instant, moment.start_of_day(as_of.day, as_of.timezone) + AFTERNOON)


def waiting(at: datetime) -> int:
    """How many touches are due at an instant."""
    return queries.due(at)


def withdraw_ordered(warehouse: Warehouse, at: datetime, programs: Collection[str]) -> int:
    """Suppresses waiting messages to customers who have ordered since the order that their round followed, and says how many.

    A round that followed no order, such as a birthday's, is over for orders since its message was decided.

    Args:
        warehouse: An open history.
        at: The instant.
        programs: Those whose rounds an order ends; messages of others wait on.
    """
    rows = queries.waiting()
    if not rows.num_rows or not programs:
        return 0
    waiting_now, orders = ibis.memtable(rows).filter(lambda t: t.program.isin(sorted(programs))), warehouse.current("orders")
    stands = orders.filter(~orders.cancelled, orders.ordered_at < ibis.literal(at.replace(tzinfo=None)))
    anchors = orders.select(episode="order_id", anchor_at="ordered_at")
    decided = warehouse.table("plans").select("plan", decided_at="as_of")
    since = waiting_now.left_join(anchors, "episode").left_join(decided, "plan")
    since = since.select("id", "customer_id", since=since.anchor_at.fill_null(since.decided_at))
    both = since.join(stands.select("customer_id", "ordered_at"), "customer_id")
    ordered = both.filter(both.ordered_at > both.since).select("id").distinct().order_by("id")
    return actions.withdraw(warehouse.arrow(ordered)["id"].to_pylist(), "ordered since", at)


def withdraw_silenced(warehouse: Warehouse, at: datetime) -> int:
    """Suppresses waiting messages to customers with an open ticket or return, and says how many."""
    rows = queries.waiting()
    if not rows.num_rows:
        return 0
    seen = ibis.literal(at.replace(tzinfo=None))
    tickets, returns = warehouse.current("tickets"), warehouse.current("returns")
    unanswered = tickets.filter(tickets.opened_at < seen, tickets.closed_at.isnull() | (tickets.closed_at >= seen))
    unsettled = returns.filter(returns.returned_at < seen, returns.open.fill_null(False))
    silenced = unanswered.select("customer_id").union(unsettled.select("customer_id"))
    return _withdrawn(warehouse, rows, silenced, "open complaint or return", at)


def withdraw_unhappy(warehouse: Warehouse, at: datetime) -> int:
    """Suppresses waiting messages to customers who have lately said that they are unhappy, and says how many."""
    rows = queries.waiting()
    if not rows.num_rows:
        return 0
    return _withdrawn(warehouse, rows, detractors(warehouse, AsOf(at, "UTC")), "told us that they are unhappy", at)


def _withdrawn(warehouse: Warehouse, rows: pa.Table, customers: ir.Table, reason: str, at: datetime) -> int:
    found = warehouse.arrow(ibis.memtable(rows).semi_join(customers, "customer_id").select("id").order_by("id"))
    return actions.withdraw(found["id"].to_pylist(), reason, at)


def dispatch(settings: Settings, warehouse: Warehouse, at: datetime) -> Sent:
    """Withdraws what orders, complaints and returns have overtaken, sends what is due into the mailbox, and tells history."""
    approved = documents.approved(settings)
    withdraw_ordered(warehouse, at, [program.name for program in approved.programs if "order" in program.exit])
    withdraw_silenced(warehouse, at)
    withdraw_unhappy(warehouse, at)
    done = send_due(settings, at, quiet=approved.rules.quiet_hours)
    close_cycle(settings, warehouse, at)
    return done
