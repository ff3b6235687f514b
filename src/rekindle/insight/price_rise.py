"""Which purchases were followed by a price rise of what was bought.

Knows nothing of list prices as announced: a price is what customers paid for one unit before discounts. A rise is seen where all who
bought the product in the calendar month after, at least three times, paid a tenth more or beyond.
"""

import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import sold_lines
from rekindle.moment import AsOf

TENTHS_MORE = 11
"""Dearer by a tenth: eleven tenths of what was paid."""

LEAST_SALES = 3
_YEAR = 12
LONGEST = 62
"""Days from a purchase to the end of the calendar month after it, at most."""


def rises(warehouse: Warehouse, as_of: AsOf, customers: ir.Table | None = None, before: int = 0) -> ir.Table:
    """Purchases of something that became dearer within the next calendar month.

    Args:
        warehouse: An open history.
        as_of: Later lines are not seen.
        customers: customer_id and last_day of those whose purchases are looked at; all where not given. Prices are everybody's.
        before: What became dearer more than so many days before that last day may be left out.

    Returns:
        customer_id, purchase_day, product_id, dearer_day (the first on which it was sold at the higher price); one row per purchase day
        and product.
    """
    lines = sold_lines(warehouse, as_of)
    lines = lines.filter(lines.product_id.notnull(), lines.quantity > 0, lines.amount > 0)
    month = lines.purchase_day.year() * _YEAR + lines.purchase_day.month()
    priced = lines.select(
        "customer_id", "product_id", "purchase_day",
        month=month.cast("int64"),
        # Ten-thousandths of a minor unit, rounded down: whole numbers compare alike on every engine.
        unit=((lines.amount + lines.discount.fill_null(0)) * 10_000 / lines.quantity).floor().cast("int64"),
    )
    mine = priced if customers is None else _lately(priced, customers, before + LONGEST)
    met = mine.join(warehouse.keep(_dearer(warehouse, priced)), ["product_id", "month"])
    met = met.filter(_tenth_more(met.lowest, met.unit))
    return met.group_by("customer_id", "purchase_day", "product_id").aggregate(dearer_day=met.dearer_day.min())


def _lately(lines: ir.Table, customers: ir.Table, days: int) -> ir.Table:
    """Lines of some customers from so many days before the last day of each."""
    dated = lines.join(customers.select("customer_id", "last_day"), "customer_id")
    return dated.filter(dated.last_day.delta(dated.purchase_day, unit="day") <= days).drop("last_day")


def _dearer(warehouse: Warehouse, priced: ir.Table) -> ir.Table:
    """Products and months that somebody paid less in than everybody in the month after: product_id, month, lowest (after), dearer_day.

    Kept before lines are held against it: joined in one go, an engine would hold all lines in memory.
    """
    sold = warehouse.keep(
        priced.group_by("product_id", "month").aggregate(
            sales=priced.count(), lowest=priced.unit.min(), dearer_day=priced.purchase_day.min()
        )
    )
    later = sold.filter(sold.sales >= LEAST_SALES).select("product_id", "lowest", "dearer_day", month=sold.month - 1)
    joined = later.join(sold.select("product_id", "month", cheapest="lowest"), ["product_id", "month"])
    return joined.filter(_tenth_more(joined.lowest, joined.cheapest)).drop("cheapest")


def _tenth_more(later: ir.IntegerValue, paid: ir.IntegerValue) -> ir.BooleanValue:
    return later * 10 >= paid * TENTHS_MORE
