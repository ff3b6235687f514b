"""What messages add up to: how many, what they cost, and what they are expected to bring, with its interval.

Knows nothing of plans and walks: rows of either.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis.expr.types as ir

from rekindle.decide.arms import MILLI
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.program.documents import Offer

_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over messages; money in minor units.

    Args:
        messages: How many.
        cost_ceiling: What they cost if every offer is redeemed.
        expected_cost: What they are expected to cost.
        expected_margin: What they are expected to bring, from assumed priors.
        subsidised_orders: Redemptions expected in orders that would come anyway.
    """

    messages: int
    cost_ceiling: float
    expected_cost: float
    expected_margin: Interval
    subsidised_orders: float


def sums(warehouse: Warehouse, sent: ir.Table) -> Sums:
    """The sums of some messages.

    Within a variant the assumed prior errs for all customers alike, so spreads add; variants err apart, so their squares add.

    Args:
        warehouse: Reduces.
        sent: program, stage, arm, cost_ceiling, expected_cost, expected_margin, arm_spread and subsidised (thousandths) of each.
    """
    parts = ("cost_ceiling", "expected_cost", "expected_margin", "arm_spread", "subsidised")
    by_arm = sent.group_by("program", "stage", "arm").aggregate(messages=sent.count(), **{name: sent[name].sum() for name in parts})
    found = warehouse.arrow(by_arm).to_pylist()
    total = {name: sum(row[name] for row in found) / MILLI for name in parts}
    margin, half = total["expected_margin"], _Z95 * sum((row["arm_spread"] / MILLI) ** 2 for row in found) ** 0.5
    return Sums(
        sum(row["messages"] for row in found), total["cost_ceiling"], total["expected_cost"],
        Interval(margin - half, margin, margin + half), total["subsidised"],
    )


def counts(warehouse: Warehouse, rows: ir.Table, column: str) -> dict[str, int]:
    """How many rows have each value of a column, in the order of the values."""
    counted = warehouse.arrow(rows.group_by(column).aggregate(n=rows.count()).order_by(column))
    return dict(zip(counted[column].to_pylist(), counted["n"].to_pylist(), strict=True))


def named(by_offer: Mapping[str, int], offers: Mapping[str, Offer]) -> str:
    """Messages by what they give, the most first, in the words that customers read.

    >>> named({"none": 2, "light": 40}, {"none": Offer(**{"(name)": "none", "kind": "none", "label": "No offer"})})
    '40 "light", 2 without an offer'

    Args:
        by_offer: How many messages give each offer, by its name.
        offers: The store's by name; one that is gone keeps its name.
    """
    found: dict[str, int] = {}
    for name, count in by_offer.items():
        offer = offers.get(name)
        words = "without an offer" if offer is not None and offer.kind == "none" else f'"{offer.label if offer else name}"'
        found[words] = found.get(words, 0) + count
    ordered = sorted(((words, count) for words, count in found.items() if count), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count:,} {words}" for words, count in ordered) or "none"
