"""What the marketplace would record of its orders: amounts, shipments, returns, reviews, tickets and visits.

Knows nothing of files and periods. Tables of numbers: seconds since 1970-01-01 UTC, minor units, numbers for ids; `exported`
makes an export of them. A late instant (delivered, closed) is the true one, whenever it is.
"""

import numpy as np
import pyarrow as pa

from rekindle.simulate import habits
from rekindle.simulate.baskets import Lines
from rekindle.simulate.catalogue import Catalogue
from rekindle.simulate.chance import Chance, Flags, Floats, Ints
from rekindle.simulate.favours import credits_given
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.purchases import DAY, Orders

HOUR = 3600
PROMISED = 4 * DAY
SALE_CODE = "SALE"
_REASONS = ("does not fit", "damaged", "not as described", "changed mind")
_RATINGS = ((1, 2), (3, 4, 5))
_TOPICS = ("delivery", "return", "product", "payment")


def amounts(parameters: Parameters, catalogue: Catalogue, lines: Lines, off: Floats, minor: int) -> tuple[pa.Table, pa.Table]:
    """What baskets cost: one table per order (total, discount, shipping, cost) and one per line.

    Args:
        parameters: The marketplace's.
        catalogue: Prices and costs.
        lines: The baskets.
        off: Share taken off each order.
        minor: Minor units in a unit of currency.
    """
    listed = catalogue.price[lines.product] * lines.quantity
    discount = np.rint(listed * off[lines.order]).astype(np.int64)
    cost = catalogue.cost[lines.product] * lines.quantity
    parts = {"total": listed - discount, "discount": discount, "cost": cost}
    sums = {name: np.add.reduceat(part, lines.first) for name, part in parts.items()}
    fee = np.where(sums["total"] < round(parameters.shipping_free_from * minor), round(parameters.shipping * minor), 0)
    per_line = {
        "order": lines.order, "line_no": lines.number, "product": lines.product, "seller": catalogue.seller[lines.product],
        "quantity": lines.quantity, "amount": listed - discount, "discount": discount, "cost": cost,
    }
    return pa.table({"order": np.arange(lines.first.size), **sums, "shipping": fee}), pa.table(per_line)


def of_orders(
    parameters: Parameters, catalogue: Catalogue, orders: Orders, persona: Ints, minor: int, chance: Chance
) -> dict[str, pa.Table]:
    """All facts of the baseline's orders, by kind.

    Args:
        parameters: The marketplace's.
        catalogue: What is sold.
        orders: The baseline.
        persona: Of each order's customer.
        minor: Minor units in a unit of currency.
        chance: The world's.
    """
    share = np.array([one.sale_share for one in parameters.personas])[persona]
    sale = chance.stream("sale").random(share.size) < share
    per_order, per_line = amounts(parameters, catalogue, orders.lines, np.where(sale, parameters.sale_percent, 0.0), minor)
    befell = {one.kind: orders.troubles[:, column] for column, one in enumerate(parameters.frictions)}
    hidden = {**befell, "lead": orders.lines.lead, "leaving": orders.leaving, "left": orders.left}
    code = pa.array(np.where(sale, SALE_CODE, ""), mask=~sale)
    head = pa.table({"customer": orders.customer, "ordered_at": orders.instant, "code": code, **hidden})
    shipped = _shipments(orders, befell["late_delivery"], chance)
    delivered = np.asarray(shipped["delivered_at"])
    events = (
        _events(parameters, orders, befell["stockout"], catalogue, chance),
        habits.saved(parameters, orders, catalogue.per_category, chance),
        habits.answers(parameters, orders, delivered, chance),
    )
    return {
        "orders": _beside(per_order, head),
        "lines": _beside(per_line, head.select(["customer", "ordered_at"]).take(per_line["order"])),
        "shipments": shipped,
        "returns": _returns(orders, befell["return"], delivered, per_line, chance),
        "reviews": _reviews(parameters, orders, befell["bad_review"], delivered, chance),
        "tickets": _tickets(orders, befell, delivered, chance),
        "events": pa.concat_tables(events).combine_chunks(),
        "credits": credits_given(parameters, orders, delivered, minor, chance),
    }


def shipments(order: Ints, customer: Ints, ordered: Ints, delivered: Ints, shipped: Ints) -> pa.Table:
    """One shipment per order, promised within four days."""
    return pa.table(
        {
            "shipment": order, "order": order, "customer": customer, "ordered_at": ordered, "promised_at": ordered + PROMISED,
            "delivered_at": delivered, "shipped_at": shipped,
        }
    )


def _beside(left: pa.Table, right: pa.Table) -> pa.Table:
    for name in right.column_names:
        left = left.append_column(name, right[name])
    return left


def _after(size: int, name: str, least: int, most: int, chance: Chance) -> Ints:
    """Seconds between two numbers of days."""
    return chance.stream(name).integers(least * DAY, most * DAY, size)


def _shipments(orders: Orders, late: Flags, chance: Chance) -> pa.Table:
    size = orders.customer.size
    delay = DAY + np.rint(chance.stream("delay").exponential(3 * DAY, size)).astype(np.int64)
    taken = np.where(late, PROMISED + delay, _after(size, "delivery", 1, 4, chance))
    packed = np.minimum(chance.stream("packed").integers(2 * HOUR, DAY, size), taken - HOUR)
    return shipments(np.arange(size), orders.customer, orders.instant, orders.instant + taken, orders.instant + packed)


def _returns(orders: Orders, flags: Flags, delivered: Ints, per_line: pa.Table, chance: Chance) -> pa.Table:
    order, size = np.flatnonzero(flags), flags.size
    first = orders.lines.first[order]
    at = (delivered + _after(size, "return-after", 2, 15, chance))[order]
    reason = chance.stream("return-reason").integers(0, len(_REASONS), size)[order]
    return pa.table(
        {
            "return": order, "order": order, "customer": orders.customer[order], "product": orders.lines.product[first], "returned_at": at,
            "closed_at": at + _after(size, "return-closed", 2, 10, chance)[order], "quantity": orders.lines.quantity[first],
            "amount": per_line["amount"].take(first), "reason": pa.array(_REASONS).take(reason),
        }
    )


def _reviews(parameters: Parameters, orders: Orders, bad: Flags, delivered: Ints, chance: Chance) -> pa.Table:
    size = bad.size
    order = np.flatnonzero(bad | (chance.stream("review").random(size) < parameters.review))
    luck = chance.stream("rating").random(size)
    rating = np.where(bad, np.where(luck < 0.5, *_RATINGS[0]), np.select([luck < 0.1, luck < 0.4], _RATINGS[1][:2], _RATINGS[1][2]))
    return pa.table(
        {
            "review": order, "customer": orders.customer[order], "order": order, "product": orders.lines.lead[order],
            "rating": rating[order], "reviewed_at": (delivered + _after(size, "review-after", 1, 14, chance))[order],
        }
    )


def _tickets(orders: Orders, befell: dict[str, Flags], delivered: Ints, chance: Chance) -> pa.Table:
    order, size = np.flatnonzero(befell["ticket"]), delivered.size
    opened = (delivered + _after(size, "ticket-after", 0, 6, chance))[order]
    long = chance.stream("ticket-long").random(size) < 0.1
    open_for = np.where(long, _after(size, "ticket-open-long", 14, 60, chance), _after(size, "ticket-open", 0, 6, chance))[order]
    other = chance.stream("ticket-topic").integers(2, len(_TOPICS), size)
    topic = np.select([befell["late_delivery"], befell["return"]], [0, 1], other)[order]
    return pa.table(
        {
            "ticket": order, "customer": orders.customer[order], "order": order, "topic": pa.array(_TOPICS).take(topic),
            "opened_at": opened, "closed_at": opened + HOUR + open_for,
        }
    )


def _events(parameters: Parameters, orders: Orders, stockout: Flags, catalogue: Catalogue, chance: Chance) -> pa.Table:
    """A look at the leading product before an order, and the neighbour on the shelf that was out of stock."""
    size, lead = stockout.size, orders.lines.lead
    viewed = np.flatnonzero(chance.stream("viewed").random(size) < parameters.viewed)
    missed = np.flatnonzero(stockout)
    before = chance.stream("viewed-before").integers(60, 540, size)
    neighbour = np.where((lead + 1) % catalogue.per_category == 0, lead - 1, lead + 1)
    order = np.concatenate((viewed, missed))
    return pa.table(
        {
            "event": np.concatenate((2 * viewed, 2 * missed + 1)),
            "customer": orders.customer[order],
            "name": pa.array(("Product Viewed", "Product Unavailable")).take(np.repeat((0, 1), (viewed.size, missed.size))),
            "occurred_at": orders.instant[order] - np.concatenate((before[viewed], np.full(missed.size, 240))),
            "product": np.concatenate((lead[viewed], neighbour[missed])),
            "value": pa.nulls(order.size, pa.string()),
        }
    )
