"""Sending what is due at an instant, and telling history.

Knows nothing of a single message.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from rekindle import moment
from rekindle.decide import closing
from rekindle.decide.timing import zone_of
from rekindle.errors import Refused
from rekindle.history.warehouse import Warehouse
from rekindle.insight.opinions import detractors
from rekindle.moment import AsOf
from rekindle.program.documents import Offer, Program
from rekindle.program.rules import QuietHours
from rekindle.service.flow import documents, linting
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.plan_approving import leaving
from rekindle.service.flow.sending import Sent, held_back, send_due
from rekindle.service.flow.spending import withdraw_spent
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


def waiting(settings: Settings, at: datetime) -> tuple[int, int]:
    """How many touches are due at an instant, and how many more would be, did they not wait for a person."""
    free = queries.due(at, held_back(settings))
    return free, queries.due(at) - free


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


def withdraw_closed(warehouse: Warehouse, as_of: AsOf, programs: Sequence[Program]) -> int:
    """Suppresses waiting messages whose round has closed since, by the newest facts, and says how many; news of orders among them.

    Args:
        warehouse: An open history.
        as_of: The instant of sending.
        programs: Approved ones.
    """
    rows = queries.waiting(service=True)
    if not rows.num_rows:
        return 0
    found = warehouse.arrow(closing.closed(warehouse.keep(rows), closing.Question(warehouse, programs, as_of)).order_by("id"))
    return _by_reason(found, as_of.instant)


def withdraw_short(warehouse: Warehouse, as_of: AsOf, offers: Mapping[str, Offer]) -> int:
    """Suppresses waiting messages whose offer would hold for less than its minimum from the day on which they leave, and says how many.

    An end that was promised is not moved, so a message that comes too late is not sent at all.

    Args:
        warehouse: An open history, with the customers' time zones.
        as_of: The instant of sending, with the store's zone.
        offers: Approved ones, by name.
    """
    least = {name: one.minimum_valid_days for name, one in offers.items() if one.costly or one.redeemed}
    rows = queries.waiting()
    if not rows.num_rows or not least:
        return 0
    named = ibis.memtable(rows).join(ibis.memtable(pa.table({"offer": list(least), "least": list(least.values())})), "offer")
    zoned = named.left_join(warehouse.current("people").select("customer_id", "timezone"), "customer_id").drop("customer_id_right")
    zoned = warehouse.keep(zoned.mutate(timezone=zoned.timezone.fill_null("")))
    zones = warehouse.arrow(zoned.select("timezone").distinct())["timezone"].to_pylist()
    days = [moment.local_day(as_of.instant, zone_of(zone, as_of.timezone)) for zone in zones]
    today = pa.table({"timezone": pa.array(zones, pa.string()), "day": pa.array(days, pa.date32())})
    dated = zoned.join(ibis.memtable(today), "timezone")
    short = dated.filter((dated.day + dated.least.as_interval("D")).cast("timestamp") > dated.valid_until.cast("timestamp"))
    return _by_reason(warehouse.arrow(short.select("id", reason=ibis.literal(SHORT)).order_by("id")), as_of.instant)


SHORT = "the offer would hold for less than its minimum"


def _by_reason(found: pa.Table, at: datetime) -> int:
    """Withdraws messages, each for its own reason."""
    done = 0
    for reason in sorted(set(found["reason"].to_pylist())):
        mine = found.filter(pc.equal(found["reason"], reason))
        done += actions.withdraw(mine["id"].to_pylist(), reason, at)
    return done


def _withdrawn(warehouse: Warehouse, rows: pa.Table, customers: ir.Table, reason: str, at: datetime) -> int:
    found = warehouse.arrow(ibis.memtable(rows).semi_join(customers, "customer_id").select("id").order_by("id"))
    return actions.withdraw(found["id"].to_pylist(), reason, at)


def refuse_shifted(settings: Settings, shifted: bool) -> None:
    """Refuses to send anything out of this machine at another instant than the present one.

    Args:
        settings: The store's.
        shifted: Whether the instant is another.

    Raises:
        Refused: A sender of the store would.
    """
    if shifted and (out := leaving(settings)):
        why = f"{', '.join(sorted(set(out.values())))} would send for an instant that is not now"
        raise Refused(why, "Leave --as-of out and import newer orders, or rehearse with the sender mailbox.")


def dispatch(settings: Settings, warehouse: Warehouse, at: datetime, shifted: bool = False) -> Sent:
    """Withdraws what newer facts have overtaken, sends what is due, and tells history, which is held by one job all the while.

    Args:
        settings: The store's.
        warehouse: Its open history.
        at: The instant of sending.
        shifted: Whether that is another than the present one.

    Raises:
        Refused: Messages would leave this machine and the instant is shifted or the content has an error; or none could be lawful.
    """
    quiet = make_ready(settings, warehouse, at, shifted)
    done = send_due(settings, at if shifted else None, quiet=quiet)
    close_cycle(settings, warehouse, at if shifted else moment.now())
    return done


def make_ready(settings: Settings, warehouse: Warehouse, at: datetime, shifted: bool = False) -> QuietHours:
    """Withdraws what newer facts have overtaken; what is due may go then, and needs no history.

    Args:
        settings: The store's.
        warehouse: Its open history.
        at: The instant of sending.
        shifted: Whether that is another than the present one.

    Returns:
        When nobody is to be written to.

    Raises:
        Refused: Messages would leave this machine and the instant is shifted or the content has an error.
    """
    refuse_shifted(settings, shifted)
    if leaving(settings):
        linting.refuse_errors(settings)
    approved, as_of = documents.approved(settings), AsOf(at, settings.timezone)
    withdraw_ordered(warehouse, at, [program.name for program in approved.programs if "order" in program.exit])
    withdraw_silenced(warehouse, at)
    withdraw_unhappy(warehouse, at)
    withdraw_closed(warehouse, as_of, approved.programs)
    withdraw_short(warehouse, as_of, approved.offers)
    withdraw_spent(settings, at)
    return approved.rules.quiet_hours
