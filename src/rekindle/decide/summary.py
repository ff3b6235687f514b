"""What a plan amounts to: counts by program, stage, variant and reason, cost and expected margin.

Knows nothing of single customers.
"""

from dataclasses import dataclass

import ibis.expr.types as ir

from rekindle.decide import funding
from rekindle.decide.arms import MILLI
from rekindle.decide.funding import Concentration
from rekindle.decide.planner import Plan
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.program.documents import NOTHING
from rekindle.program.rules import SellerRules

_Z95 = 1.959964
_SELLERS = 10
_USUAL = SellerRules()


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """Counts and sums of a plan; money in minor units.

    Args:
        digest: The plan's hash.
        rehearsal: Decided as if everyone had consented.
        decisions: Customers for whom a variant was drawn, `nothing` among them.
        messages: Those of them who get a message.
        by_program, by_stage, by_arm: Decisions by name.
        refusals: Due customers left alone, by reason.
        standing: Customers of this plan by standing.
        cost_ceiling: What all messages cost if every offer is redeemed.
        expected_cost: What they are expected to cost.
        expected_margin: What they are expected to bring, from assumed priors.
        subsidised_orders: Redemptions expected in orders that would come anyway.
        scale: What the budget left of every chance of a message.
        by_seller: What the shop and the seller are expected to spend on each seller's goods; the ten that get most.
        concentration: How much of what the shop spends so goes to one seller.
    """

    digest: str
    rehearsal: bool
    decisions: int
    messages: int
    by_program: dict[str, int]
    by_stage: dict[str, int]
    by_arm: dict[str, int]
    refusals: dict[str, int]
    standing: dict[str, int]
    cost_ceiling: float
    expected_cost: float
    expected_margin: Interval
    subsidised_orders: float
    scale: float
    by_seller: dict[str, tuple[float, float]]
    concentration: Concentration | CannotTell


def summarise(warehouse: Warehouse, plan: Plan, sellers: SellerRules = _USUAL) -> PlanSummary:
    """Counts and sums of a plan.

    Args:
        warehouse: Runs the sums.
        plan: The plan.
        sellers: What holds between the shop and its sellers.
    """
    rows = plan.rows
    spent = warehouse.arrow(funding.planned(rows)).to_pylist()
    made = rows.filter(rows.arm.notnull(), rows.reason.isnull())
    sent = made.filter(made.arm != NOTHING)
    totals = warehouse.row(
        sent.aggregate(
            n=sent.count(), ceiling=sent.cost_ceiling.sum(), cost=sent.expected_cost.sum(), margin=sent.expected_margin.sum(),
            subsidised=sent.subsidised.sum(),
        )
    )
    # Within a variant the assumed prior errs for all customers alike, so spreads add; variants err apart, so their squares add.
    spreads = warehouse.arrow(sent.group_by("program", "stage", "arm").aggregate(spread=sent.arm_spread.sum()))["spread"].to_pylist()
    half = _Z95 * sum((spread / MILLI) ** 2 for spread in spreads) ** 0.5
    margin = (totals["margin"] or 0) / MILLI
    return PlanSummary(
        digest=plan.digest, rehearsal=plan.rehearsal, decisions=warehouse.scalar(made.count()), messages=totals["n"],
        by_program=_counts(warehouse, made, "program"), by_stage=_counts(warehouse, made, "stage"), by_arm=_counts(warehouse, made, "arm"),
        refusals=_counts(warehouse, rows.filter(rows.reason.notnull()), "reason"),
        standing=_counts(warehouse, rows.filter(rows.standing.notnull()), "standing"),
        cost_ceiling=(totals["ceiling"] or 0) / MILLI, expected_cost=(totals["cost"] or 0) / MILLI,
        expected_margin=Interval(margin - half, margin, margin + half), subsidised_orders=(totals["subsidised"] or 0) / MILLI,
        scale=plan.scale,
        by_seller={one["seller_id"]: (one["by_shop"] / MILLI, one["by_seller"] / MILLI) for one in spent[:_SELLERS]},
        concentration=funding.concentration([(one["seller_id"], one["by_shop"]) for one in spent], sellers),
    )


def _counts(warehouse: Warehouse, rows: ir.Table, column: str) -> dict[str, int]:
    counted = warehouse.arrow(rows.group_by(column).aggregate(n=rows.count()).order_by(column))
    return dict(zip(counted[column].to_pylist(), counted["n"].to_pylist(), strict=True))
