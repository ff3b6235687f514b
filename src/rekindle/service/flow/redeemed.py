"""Redemptions as facts of history, so that plans see at once what an order will show later.

Knows nothing of checkouts.
"""

from rekindle.decide.due import REDEEMED
from rekindle.history.warehouse import Warehouse
from rekindle.moment import naive
from rekindle.service.flow.telling import tell
from rekindle.service.redemptions import actions

ROLLED_BACK = "Coupon Rolled Back"


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
            "occurred_at": naive(one.redeemed_at), "value": one.coupon.program,
        }
        for one in actions.take_changes()
    ]  # fmt: skip
    spent = [
        {
            "spend_id": f"{one.program}:{one.payer}:{one.spent_on}", "program": one.program, "payer": one.payer,
            "spent_on": one.spent_on, "cost": one.cost,
        }
        for one in actions.take_spend()
    ]  # fmt: skip
    changed = tell(warehouse, "spend", spent, "redemptions", batch)
    return tell(warehouse, "events", rows, "redemptions", batch) or changed
