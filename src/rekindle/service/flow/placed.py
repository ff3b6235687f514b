"""What placements showed, as facts of history: one event a day for each decision.

Knows nothing of pages. The decision itself, with its chances, stands in the journal under the same program, stage and round.
"""

from datetime import UTC

import ibis
import pyarrow as pa

from rekindle.history.append import append
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse
from rekindle.service.placements import actions

SHOWN = "Decision Placed"
_SCHEMA = pa.schema([(name, pa.timestamp("us") if kind == "timestamp" else pa.string()) for name, kind in FACTS["events"].columns.items()])


def take_in(warehouse: Warehouse, batch: int) -> int:
    """Writes the answers that history does not know yet, and says how many were new.

    Args:
        warehouse: An open history, inside a transaction.
        batch: The batch.
    """
    rows = [
        {
            "message_id": f"placement:{one.pk}", "customer_id": one.customer_id, "name": SHOWN,
            "occurred_at": one.asked_at.astimezone(UTC).replace(tzinfo=None),
            "value": f"{one.placement}:{one.plan}:{one.program}:{one.stage}:{one.arm}:{one.propensity:.6f}",
        }
        for one in actions.take_changes()
    ]  # fmt: skip
    if not rows:
        return 0
    done = append(warehouse, "events", ibis.memtable(pa.Table.from_pylist(rows, schema=_SCHEMA)), "placements", batch)
    return done.new + done.changed
