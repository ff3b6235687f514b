"""What placements showed, as facts of history: one event a day for each decision.

Knows nothing of pages. The decision itself, with its chances, stands in the journal under the same program, stage and round.
"""

from rekindle.history.warehouse import Warehouse
from rekindle.moment import naive
from rekindle.service.flow.telling import tell
from rekindle.service.placements import actions

SHOWN = "Decision Placed"


def take_in(warehouse: Warehouse, batch: int) -> int:
    """Writes the answers that history does not know yet, and says how many were new.

    Args:
        warehouse: An open history, inside a transaction.
        batch: The batch.
    """
    rows = [
        {
            "message_id": f"placement:{one.pk}", "customer_id": one.customer_id, "name": SHOWN,
            "occurred_at": naive(one.asked_at),
            "value": f"{one.placement}:{one.plan}:{one.program}:{one.stage}:{one.arm}:{one.propensity:.6f}",
        }
        for one in actions.take_changes()
    ]  # fmt: skip
    return tell(warehouse, "events", rows, "placements", batch)
