"""Redemptions as facts of history, so that plans see at once what an order will show later.

Knows nothing of checkouts.
"""

from datetime import UTC

import ibis
import pyarrow as pa

from rekindle.decide.due import REDEEMED
from rekindle.history.append import append
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse
from rekindle.service.redemptions import actions

ROLLED_BACK = "Coupon Rolled Back"
_SCHEMA = pa.schema([(name, pa.timestamp("us") if kind == "timestamp" else pa.string()) for name, kind in FACTS["events"].columns.items()])


def take_in(warehouse: Warehouse, batch: int) -> int:
    """Writes the redemptions that history does not know yet, and says how many were new or changed.

    Args:
        warehouse: An open history, inside a transaction.
        batch: The batch.
    """
    rows = [
        {
            "message_id": f"redemption:{one.pk}", "customer_id": one.coupon.customer_id,
            "name": ROLLED_BACK if one.rolled_back_at else REDEEMED,
            "occurred_at": one.redeemed_at.astimezone(UTC).replace(tzinfo=None), "value": one.coupon.program,
        }
        for one in actions.take_changes()
    ]  # fmt: skip
    if not rows:
        return 0
    done = append(warehouse, "events", ibis.memtable(pa.Table.from_pylist(rows, schema=_SCHEMA)), "redemptions", batch)
    return done.new + done.changed
