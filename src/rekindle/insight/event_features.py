"""What rules ask of customers' events, answered for all customers at once: one aggregate per table that holds the events.

Knows nothing of rules and profiles. Events at or after the instant are not seen; a window counts back from it, in days of 24 hours.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.insight.expression_events import EVENTS, Place
from rekindle.insight.expression_tree import Asked
from rekindle.moment import AsOf

DAY = 86_400


def features(warehouse: Warehouse, asked: Iterable[Asked], as_of: AsOf) -> tuple[ir.Table, ...]:
    """The answers to several questions.

    Args:
        warehouse: An open history.
        asked: Each question once.
        as_of: The instant.

    Returns:
        A table for each place that is asked: customer_id, and a column for each question of the place. Customers without any event
        there have no row.
    """
    by_place: dict[Place, list[Asked]] = {}
    for one in asked:
        by_place.setdefault(place_of(one), []).append(one)
    return tuple(_answered(warehouse, place, tuple(ones), as_of) for place, ones in by_place.items())


def never_had(warehouse: Warehouse, events: Iterable[str], as_of: AsOf) -> frozenset[str]:
    """Which of some events history holds none of before an instant, whoever they are of.

    Args:
        warehouse: An open history.
        events: Names of `expression_events.EVENTS`.
        as_of: The instant.
    """
    wanted = frozenset(events)
    by_name = sorted(name for name in wanted if EVENTS[name].place == "events")
    had = {name for name in wanted.difference(by_name) if warehouse.scalar(_before(warehouse, EVENTS[name].place, as_of).count())}
    if by_name:
        rows = _before(warehouse, "events", as_of)
        had.update(warehouse.arrow(rows.filter(rows.name.isin(by_name)).select("name").distinct())["name"].to_pylist())
    return wanted - had


def place_of(asked: Asked) -> Place:
    """Where the events of a question are held; orders' lines where it asks for products or what only lines say."""
    source = EVENTS[asked.event]
    by_line = asked.category or asked.product or asked.number in source.of_line
    return "lines" if source.place == "orders" and by_line else source.place


def _answered(warehouse: Warehouse, place: Place, asked: tuple[Asked, ...], as_of: AsOf) -> ir.Table:
    rows = _before(warehouse, place, as_of)
    if place == "events":
        rows = rows.filter(rows.name.isin(sorted({one.event for one in asked})))
    if all(one.within_days for one in asked):
        rows = rows.filter(rows.happened_at > _since(as_of, max(one.within_days or 0 for one in asked)))
    if any(one.category for one in asked):
        products = warehouse.current("products").select("product_id", "category")
        rows = rows.left_join(products, "product_id").drop("product_id_right")
    answers = rows.group_by("customer_id").aggregate(**{one.column: _answer(rows, one, place, as_of) for one in asked})
    lasts = {one.column: _days_since(answers[one.column], as_of) for one in asked if one.function == "last"}
    return answers.mutate(**lasts) if lasts else answers


def _before(warehouse: Warehouse, place: Place, as_of: AsOf) -> ir.Table:
    rows = _PLACES[place](warehouse, as_of)
    return rows.filter(rows.happened_at < ibis.literal(as_of.naive))


def _since(as_of: AsOf, days: int) -> ir.TimestampScalar:
    return ibis.literal(as_of.naive - timedelta(days=days))


def _answer(rows: ir.Table, one: Asked, place: Place, as_of: AsOf) -> ir.Scalar:
    conditions = [rows.customer_id.notnull()]
    if place == "events":
        conditions.append(rows.name == one.event)
    if one.within_days:
        conditions.append(rows.happened_at > _since(as_of, one.within_days))
    if one.category:
        conditions.append(rows.category == one.category)
    if one.product:
        conditions.append(rows.product_id == one.product)
    meant = ibis.and_(*conditions).fill_null(False)
    if one.function == "sum":
        return purchases.exact_sum(meant.ifelse(rows[one.number], 0))
    if one.function == "last":
        return rows.happened_at.max(where=meant)
    return rows.order_id.nunique(where=meant) if place == "lines" else meant.cast("int64").sum()


def _days_since(happened_at: ir.TimestampValue, as_of: AsOf) -> ir.IntegerValue:
    """Whole days of 24 hours, so that `last(...) < 30` and `count(..., within='30d') > 0` are one and the same."""
    seconds = ibis.literal(int(as_of.instant.timestamp())) - happened_at.truncate("s").epoch_seconds()
    return (seconds / DAY).floor().cast("int64")


def _events(warehouse: Warehouse, _: AsOf) -> ir.Table:
    return warehouse.current("events").select("customer_id", "name", "product_id", happened_at="occurred_at")


def _orders(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    orders = purchases.sales(warehouse, as_of)
    return orders.select("customer_id", "net", "discount", "shipping", "tax", happened_at="ordered_at")


def _lines(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    lines = warehouse.current("order_lines").select("order_id", "product_id", "amount", "quantity")
    orders = purchases.sales(warehouse, as_of).select("order_id", "customer_id", happened_at="ordered_at")
    return orders.join(lines, "order_id")


def _returns(warehouse: Warehouse, _: AsOf) -> ir.Table:
    """Returns of orders that stand, and those whose order is not known."""
    returns, orders = warehouse.current("returns"), warehouse.current("orders")
    standing = returns.anti_join(orders.filter(orders.cancelled), "order_id")
    return standing.select("customer_id", "product_id", "amount", "quantity", happened_at="returned_at")


def _reviews(warehouse: Warehouse, _: AsOf) -> ir.Table:
    return warehouse.current("reviews").select("customer_id", "product_id", "rating", happened_at="reviewed_at")


def _tickets(warehouse: Warehouse, _: AsOf) -> ir.Table:
    return warehouse.current("tickets").select("customer_id", happened_at="opened_at")


def _touches(warehouse: Warehouse, _: AsOf) -> ir.Table:
    touches = warehouse.current("touches")
    return touches.filter(touches.status == "sent").select("customer_id", happened_at="settled_at")


_PLACES: dict[Place, Callable[[Warehouse, AsOf], ir.Table]] = {
    "events": _events, "orders": _orders, "lines": _lines, "returns": _returns, "reviews": _reviews, "tickets": _tickets,
    "touches": _touches,
}  # fmt: skip
