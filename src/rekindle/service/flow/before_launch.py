"""What the controls of a plan will be able to detect, before anything of their programs is measured.

Knows nothing of lift: it goes by what the models expect of the customers whom the plan assigned.
"""

from collections.abc import Sequence

import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.learn.comparison import detectable
from rekindle.learn.outcomes import STANDINGS
from rekindle.program.documents import Program

LEAST = 2


def would_show(
    warehouse: Warehouse, rows: ir.Table, profiles: ir.Table, programs: Sequence[Program], horizon_weeks: int
) -> dict[str, float]:  # fmt: skip
    """Program to the smallest true difference in margin a customer that shows four times in five, minor units.

    Those without a control are left out. A customer's margin over the program's horizon is taken as Poisson orders of the expected margin
    each; customers differ as predicted.

    Args:
        warehouse: Runs the sums.
        rows: Of the plan: program, customer_id, standing.
        profiles: customer_id, expected_orders, margin_per_order (minor units).
        programs: Which are asked for.
        horizon_weeks: Over how many weeks orders are expected.
    """
    sides = rows.filter(rows.standing.isin(STANDINGS)).select("program", "customer_id", "standing").distinct()
    known = sides.left_join(profiles.select("customer_id", "expected_orders", "margin_per_order"), "customer_id")
    margin = known.expected_orders * known.margin_per_order
    moments = warehouse.arrow(
        known.group_by("program").aggregate(
            **{name: (known.standing == name).cast("int64").sum() for name in STANDINGS},
            inner=(margin * known.margin_per_order).mean(), outer=margin.var(),
        )
    ).to_pylist()  # fmt: skip
    held, found = {one["program"]: one for one in moments}, {}
    for program in programs:
        one, times = held.get(program.name), program.goal.horizon_days / 7 / horizon_weeks
        if one is None or min(one[name] for name in STANDINGS) < LEAST or one["inner"] is None:
            continue
        variance = times * one["inner"] + times**2 * (one["outer"] or 0.0)
        found[program.name] = detectable(variance, *(one[name] for name in STANDINGS))
    return found
