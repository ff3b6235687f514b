"""What opens a round of a program: the moments in customers' lives that programs answer, each a table of rounds that are open.

Knows nothing of the journal and of stages. A round is open while its row is here: what was bought again, spent, reviewed or delivered
has none any more, so nothing has to be cancelled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from rekindle.decide import moments_ahead
from rekindle.history.warehouse import Warehouse
from rekindle.insight.lifecycle import EDGES
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf
from rekindle.program.documents import Program

COLUMNS = {
    "customer_id": "string", "episode": "string", "opened_at": "timestamp", "opening_order": "string", "opening_product": "string",
    "opening_category": "string", "opening_day": "date", "later_order": "boolean", "reviewed": "boolean",
}
"""A row is an open round. `episode` is the id of the fact that opened it, or a date's year; `opening_day` the day that it is about, such
as that of a promise or an expiry; `later_order` says whether an order came after it, `reviewed` whether its order was reviewed."""

READ = frozenset({"customer_id", "last_order_id", "first_day", "last_day", "average_days_between_orders"})
"""What is read of a profile."""

LONGEST_RHYTHM = 366
"""Days that a delay without `at_most` is taken to last at most, where only rounds that can still be due are looked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of history.

    Args:
        warehouse: An open history.
        profile: As of the instant, kept.
        as_of: Later facts are not seen.
        program: Its trigger says how long before its day a round begins.
        since: Rounds that opened before have nothing due any more.
    """

    warehouse: Warehouse
    profile: ir.Table
    as_of: AsOf
    program: Program
    since: datetime


def find(warehouse: Warehouse, profile: ir.Table, program: Program, as_of: AsOf) -> ir.Table:
    """The open rounds of a program.

    Args:
        warehouse: An open history.
        profile: As of the instant, kept.
        program: The program.
        as_of: Later facts are not seen.

    Returns:
        `COLUMNS`.
    """
    since = as_of.naive - timedelta(days=longest(program))
    found = TRIGGERS[program.trigger.on](Asked(warehouse, profile, as_of, program, since))
    null = {name: ibis.null(kind) for name, kind in COLUMNS.items() if name not in found.columns}
    whole = found.mutate(**null)
    return whole.select(**{name: whole[name].cast(kind) for name, kind in COLUMNS.items()})


def longest(program: Program) -> int:
    """Days after its opening that a round may still have something due."""
    delays = [program.delay_for(program.stages[0].name, cohort) for cohort in (None, *program.variants)]
    first = max(
        max(delay.at_most_days or (LONGEST_RHYTHM if delay.rhythm else delay.at_least_days), *delay.by_category.values(), 0)
        for delay in delays
    )
    return first + program.trigger.within_days + program.caps.duration_days


def _lapse(asked: Asked) -> ir.Table:
    """The last order of everyone who ever ordered."""
    known = asked.profile.filter(asked.profile.last_order_id.notnull())
    return known.select("customer_id", episode="last_order_id", opened_at=known.last_day, later_order=False)


def _orders(asked: Asked) -> ir.Table:
    """Orders since, with the customer's last."""
    recent = sales(asked.warehouse, asked.as_of)
    recent = recent.filter(recent.ordered_at >= ibis.literal(asked.since))
    known = asked.profile.select("customer_id", "last_order_id", "first_day")
    return recent.select("order_id", "customer_id", "ordered_at", "purchase_day").join(known, "customer_id")


def _order(asked: Asked) -> ir.Table:
    return _described(asked, _anchored(asked.warehouse.keep(_orders(asked)), "ordered_at"))


def _first_order(asked: Asked) -> ir.Table:
    orders = asked.warehouse.keep(_orders(asked))
    on_day = orders.filter(orders.purchase_day == orders.first_day)
    place = ibis.row_number().over(group_by="customer_id", order_by=["ordered_at", "order_id"])
    return _described(asked, _anchored(on_day.mutate(place=place).filter(lambda t: t.place == 0), "ordered_at"))


def _comeback(asked: Asked) -> ir.Table:
    """Orders that ended a lapse: the silence before was longer than so many of the customer's own rhythms."""
    recent = asked.warehouse.keep(_orders(asked).filter(lambda t: t.purchase_day > t.first_day))
    orders = sales(asked.warehouse, asked.as_of).semi_join(recent, "customer_id").select("order_id", "customer_id", "purchase_day")
    before = orders.purchase_day.lag().over(group_by="customer_id", order_by=["purchase_day", "order_id"])
    gaps = orders.mutate(gap=orders.purchase_day.delta(before, unit="day").cast("int64")).select("order_id", "gap")
    rhythm = asked.profile.select("customer_id", "average_days_between_orders")
    found = recent.join(gaps, "order_id").join(rhythm, "customer_id")
    longest = (found.average_days_between_orders * EDGES.lapsed).clip(lower=EDGES.lapsing_days)
    return _described(asked, _anchored(asked.warehouse.keep(found.filter(found.gap > longest)), "ordered_at"))


def _delivery(asked: Asked) -> ir.Table:
    """Orders of which every parcel has arrived; the promise is the last that was made."""
    whole = whole_orders(parcels(asked.warehouse, asked.as_of))
    found = whole.filter(whole.arrived, whole.delivered_at >= ibis.literal(asked.since))
    return _described(asked, _anchored(_with_customer(asked, found), "delivered_at", "promised_at"))


def _late_delivery(asked: Asked) -> ir.Table:
    """Orders of which a parcel was promised and has not arrived."""
    missing = late(parcels(asked.warehouse, asked.as_of), asked.as_of)
    missing = missing.filter(missing.promised_at >= ibis.literal(asked.since))
    found = missing.group_by("order_id").aggregate(promised_at=missing.promised_at.min())
    return _described(asked, _anchored(_with_customer(asked, found), "promised_at", "promised_at"))


def parcels(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Every parcel: order_id, promised_at, delivered_at, arrived (by the instant)."""
    shipments = warehouse.current("shipments")
    arrived = (shipments.delivered_at < ibis.literal(as_of.naive)).fill_null(False)
    return shipments.select("order_id", "promised_at", "delivered_at", arrived=arrived)


def whole_orders(parcels: ir.Table) -> ir.Table:
    """The orders of parcels: order_id, arrived (all of them), delivered_at (the last), promised_at (the last promise)."""
    return parcels.group_by("order_id").aggregate(
        arrived=parcels.arrived.all(), delivered_at=parcels.delivered_at.max(), promised_at=parcels.promised_at.max()
    )


def late(parcels: ir.Table, as_of: AsOf) -> ir.Table:
    """The parcels that were promised before the instant and have not arrived."""
    return parcels.filter(~parcels.arrived, parcels.promised_at < ibis.literal(as_of.naive))


def reviewed(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Orders that have been reviewed by the instant: order_id."""
    reviews = warehouse.current("reviews")
    seen = reviews.filter(reviews.reviewed_at < ibis.literal(as_of.naive), reviews.order_id.notnull())
    return seen.select("order_id").distinct()


def _with_customer(asked: Asked, found: ir.Table) -> ir.Table:
    orders = sales(asked.warehouse, asked.as_of).select("order_id", "customer_id", "ordered_at", "purchase_day")
    known = asked.profile.select("customer_id", "last_order_id", "first_day")
    joined = asked.warehouse.keep(found).join(orders, "order_id")
    return asked.warehouse.keep(joined.join(known, "customer_id"))


def _anchored(orders: ir.Table, opened: str, day: str | None = None) -> ir.Table:
    """Rounds that an order opens: its id is theirs."""
    return orders.select(
        "customer_id", episode="order_id", opened_at=orders[opened], opening_order="order_id",
        opening_day=orders[day].cast("date") if day else orders.purchase_day, later_order=orders.last_order_id != orders.order_id,
    )


def _described(asked: Asked, rounds: ir.Table) -> ir.Table:
    """With the product that most was paid for in the order, its category, and whether the order was reviewed."""
    warehouse = asked.warehouse
    rounds = warehouse.keep(rounds)
    lines = warehouse.current("order_lines").filter(lambda t: t.product_id.notnull())
    lines = lines.semi_join(rounds, lines.order_id == rounds.opening_order).select("order_id", "line_no", "product_id", "amount")
    place = ibis.row_number().over(group_by="order_id", order_by=[ibis.desc("amount"), "line_no"])
    dearest = lines.mutate(place=place).filter(lambda t: t.place == 0)
    products = warehouse.current("products").select("product_id", "category")
    dearest = dearest.left_join(products, "product_id").select(
        opening_order="order_id", opening_product="product_id", opening_category="category"
    )
    said = reviewed(warehouse, asked.as_of).select(opening_order="order_id").mutate(reviewed=True)
    joined = rounds.left_join(dearest, "opening_order").drop("opening_order_right")
    joined = joined.left_join(said, "opening_order").drop("opening_order_right")
    return joined.mutate(reviewed=joined.reviewed.fill_null(False))


def _ahead(of: Callable[[moments_ahead.Question], ir.Table]) -> Callable[[Asked], ir.Table]:
    """Rounds about a day that lies ahead: they open so long before it as the program says.

    An order of that day is after the opening, unless something that happened within the day opened it: then its instant counts.
    """

    def found(asked: Asked) -> ir.Table:
        question = moments_ahead.Question(
            asked.warehouse, asked.profile, asked.as_of, asked.program.trigger.ahead, (asked.as_of.naive - asked.since).days
        )
        rounds = asked.warehouse.keep(of(question))
        known = asked.profile.select("customer_id", last_ordered="last_day")
        joined = rounds.join(known, "customer_id")
        later = (joined.last_ordered >= joined.opened_at.cast("date")).fill_null(False)
        if "opened_within_day" not in joined.columns:
            return joined.mutate(later_order=later)
        orders = sales(asked.warehouse, asked.as_of).semi_join(rounds, "customer_id").select("customer_id", "ordered_at")
        latest = orders.group_by("customer_id").aggregate(ordered_at=orders.ordered_at.max())
        joined = joined.mutate(later=later).left_join(latest, "customer_id").drop("customer_id_right")
        since = (joined.ordered_at >= joined.opened_at).fill_null(False)
        return joined.mutate(later_order=joined.opened_within_day.ifelse(since, joined.later))

    return found


TRIGGERS: dict[str, Callable[[Asked], ir.Table]] = {
    "lapse": _lapse,
    "order": _order,
    "first_order": _first_order,
    "comeback": _comeback,
    "delivery": _delivery,
    "late_delivery": _late_delivery,
    "run_out": _ahead(moments_ahead.run_out),
    "credit": _ahead(moments_ahead.credit),
    "anniversary": _ahead(moments_ahead.anniversary),
    "birthday": _ahead(moments_ahead.birthday),
}
"""Kind of moment to the rounds that it opened; `program.triggers.Moment` lists them for documents."""
