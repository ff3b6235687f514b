"""What a plan amounts to: counts by program, stage, variant and reason, cost and expected margin.

Knows nothing of single customers.
"""

from dataclasses import dataclass

from rekindle.decide import funding
from rekindle.decide.arms import MILLI
from rekindle.decide.funding import Concentration
from rekindle.decide.planner import Plan
from rekindle.decide.sums import counts, sums
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.program.documents import NOTHING
from rekindle.program.rules import SellerRules

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
        by_program, by_stage, by_arm: Decisions by name, `nothing` among them.
        by_offer: Messages by the name of what they give.
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
    by_offer: dict[str, int]
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
    found = sums(warehouse, sent)
    return PlanSummary(
        digest=plan.digest, rehearsal=plan.rehearsal, decisions=warehouse.scalar(made.count()), messages=found.messages,
        by_program=counts(warehouse, made, "program"), by_stage=counts(warehouse, made, "stage"), by_arm=counts(warehouse, made, "arm"),
        by_offer=counts(warehouse, sent, "offer"),
        refusals=counts(warehouse, rows.filter(rows.reason.notnull()), "reason"),
        standing=counts(warehouse, rows.filter(rows.standing.notnull()), "standing"),
        cost_ceiling=found.cost_ceiling, expected_cost=found.expected_cost, expected_margin=found.expected_margin,
        subsidised_orders=found.subsidised_orders,
        scale=plan.scale,
        by_seller={one["seller_id"]: (one["by_shop"] / MILLI, one["by_seller"] / MILLI) for one in spent[:_SELLERS]},
        concentration=funding.concentration([(one["seller_id"], one["by_shop"]) for one in spent], sellers),
    )
