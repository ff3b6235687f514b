"""What customers left in the cart or saved, and have not bought since: the latest first.

Knows nothing of messages. Set-based: one look at the events of everybody who gets a message.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.offer_scopes import SAVED, UNSAVED

ADDED, REMOVED = "Product Added", "Product Removed"
MOST = 5
"""So many things are brought back."""


def left(warehouse: Warehouse, messages: ir.Table) -> ir.Table:
    """What was left: customer_id, and left_1 to left_5 with left_1_name to left_5_name, null where there is less.

    Args:
        warehouse: An open history.
        messages: customer_id, as_of.
    """
    who = warehouse.keep(messages.select("customer_id", "as_of").distinct())
    met = warehouse.current("events").filter(lambda t: t.name.isin([ADDED, REMOVED, SAVED, UNSAVED]) & t.product_id.notnull())
    met = met.select("customer_id", "product_id", "name", "occurred_at", "message_id").join(who, "customer_id")
    met = met.filter(met.occurred_at < met.as_of).mutate(saved=met.name.isin([SAVED, UNSAVED]))
    last = ibis.row_number().over(
        group_by=["customer_id", "product_id", "saved"], order_by=[ibis.desc("occurred_at"), ibis.desc("message_id")]
    )
    held = met.mutate(place=last).filter(lambda t: (t.place == 0) & t.name.isin([ADDED, SAVED]))
    things = held.group_by("customer_id", "product_id").aggregate(left_at=held.occurred_at.max())
    lines = warehouse.current("order_lines").select("customer_id", "product_id", "purchase_day")
    bought = things.join(lines, ["customer_id", "product_id"]).filter(lambda t: t.purchase_day >= t.left_at.cast("date"))
    products = warehouse.current("products").filter(lambda t: t.name.notnull() & t.in_stock.fill_null(True))
    things = things.anti_join(bought, ["customer_id", "product_id"]).join(products.select("product_id", "name"), "product_id")
    place = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("left_at"), "product_id"])
    placed = warehouse.keep(things.mutate(place=place))
    columns = {}
    for number in range(MOST):
        columns[f"left_{number + 1}"] = placed.product_id.max(where=placed.place == number)
        columns[f"left_{number + 1}_name"] = placed.name.max(where=placed.place == number)
    return placed.group_by("customer_id").aggregate(**columns)
