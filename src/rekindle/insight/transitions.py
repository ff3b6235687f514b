"""Which customers have changed their lifecycle stage since it was last noted, as events with the facts that decided.

Knows nothing of where they are kept. A stage is noted when it differs from the last one noted before; a look back notes nothing.
"""

import ibis
import ibis.expr.types as ir

from rekindle.moment import AsOf

FACTS = ("last_order_id", "purchase_days", "silence_days", "rhythm_days", "previous_gap_days")
"""The profile's columns that decide a stage."""


def changed(profile: ir.Table, noted: ir.Table, as_of: AsOf) -> ir.Table:
    """One event per customer whose stage is another than the last one noted.

    Args:
        profile: customer_id, lifecycle and `FACTS`.
        noted: Earlier events: customer_id, to_stage, at.
        as_of: The instant; events at or after it hide a customer, so that the same instant twice notes nothing.

    Returns:
        customer_id, from_stage (null where none was noted), to_stage, at, and `FACTS`.
    """
    instant = ibis.literal(as_of.naive, type="timestamp")
    last = noted.group_by("customer_id").aggregate(from_stage=noted.to_stage.argmax(noted.at), latest=noted.at.max())
    joined = profile.left_join(last, "customer_id").drop("customer_id_right")
    moved = joined.filter(
        joined.from_stage.isnull() | ((joined.from_stage != joined.lifecycle) & (joined.latest < instant))
    )
    return moved.select("customer_id", "from_stage", to_stage="lifecycle", at=instant, **{name: moved[name] for name in FACTS})
