"""Which accounts turned out to be one person's: all orders of one were given to another by a later import.

Knows nothing of names and addresses. The account that remains stands for the person; what was decided for the other stays as it was.
"""

import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse


def absorbed(warehouse: Warehouse) -> ir.Table | None:
    """Accounts without any order of their own left, with the account that has them now: old, new; None where no order ever changed hands.

    Args:
        warehouse: An open history.
    """
    replaced = warehouse.table("superseded")
    if not warehouse.scalar(replaced.filter(replaced.name == "orders").count()):
        return None
    now = warehouse.current("orders").select("order_id", "customer_id")
    then = warehouse.table("orders").select("order_id", old="customer_id").distinct()
    moved = then.join(now, "order_id").filter(lambda t: t.old != t.customer_id)
    pairs = warehouse.keep(moved.group_by("old").aggregate(new=moved.customer_id.min()).anti_join(now, [("old", "customer_id")]))
    return pairs if warehouse.scalar(pairs.count()) else None


def as_persons(rows: ir.Table, pairs: ir.Table | None) -> ir.Table:
    """Rows with every absorbed account's customer_id that of the account which remains.

    Args:
        rows: With customer_id.
        pairs: From `absorbed`.
    """
    if pairs is None:
        return rows
    joined = rows.left_join(pairs, [("customer_id", "old")])
    return joined.mutate(customer_id=joined.new.fill_null(joined.customer_id)).drop("old", "new")
