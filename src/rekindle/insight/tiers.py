"""What a customer has been worth over a stated time, in three tiers, and where their boundaries lie.

Knows nothing of what a tier is given. Boundaries change by approval alone: the first insight's are the margins at which the upper fifth
and the upper half of buyers begin; they hold until a person approves others, and what today's buyers would give is a proposal beside them.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

TIERS = ("high", "mid", "occasional")
HIGH, MID = 0.20, 0.50
"""Shares of buyers in the upper tier, and in the upper two (assumed)."""

DAYS = 730
"""Over how many days margin counts where no rule says otherwise (assumed: two years)."""

MOVED = 0.10
"""A proposal is worth a person's time from this relative change on."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Margins, in minor units, from which a tier holds."""

    high: int
    mid: int


@dataclass(frozen=True, slots=True)
class Tiers:
    """The boundaries in force and the ones that today's buyers would give.

    Args:
        days: Margin counts over so many days up to the instant.
        held: In force.
        approved: Whether a person approved them; else they are the first insight's.
        proposed: From the buyers as of the instant.
    """

    days: int
    held: Boundaries
    approved: bool
    proposed: Boundaries

    @property
    def moved(self) -> bool:
        """Whether the proposal differs enough from the boundaries in force to be shown."""
        pairs = ((self.held.high, self.proposed.high), (self.held.mid, self.proposed.mid))
        return any(abs(new - old) > MOVED * abs(old) for old, new in pairs)


def limits(buyers: ir.Table) -> ir.Table:
    """One row of high and mid: the margins at which the upper fifth and the upper half of buyers begin, minor units.

    Args:
        buyers: tier_margin of every buyer.
    """
    margins = buyers.tier_margin
    return buyers.aggregate(high=margins.quantile(1 - HIGH).ceil().cast("int64"), mid=margins.quantile(1 - MID).ceil().cast("int64"))


def value_tier(margin: ir.IntegerValue, held: Boundaries) -> ir.StringValue:
    """The tier of a margin in minor units."""
    return ibis.cases((margin >= held.high, "high"), (margin >= held.mid, "mid"), else_="occasional")
