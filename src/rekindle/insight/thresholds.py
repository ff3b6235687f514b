"""How far a customer is from the next thing worth reaching: a tier, a round number of orders, an order that ships free, a credit's expiry.

Knows nothing of what is promised there. A distance is the missing part of the threshold, between 0 and 1.
"""

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from rekindle.insight.tiers import Boundaries

CREDIT_DAYS = 30
"""A credit's expiry is a threshold in its last so many days (assumed); its distance is the part of them that is left."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a store has set.

    Args:
        tiers: Margins of the upper two tiers, minor units.
        orders: Numbers of orders worth a mark, rising.
        free_shipping: Orders of so much ship free, minor units; 0 where none does.
        day: Of the instant, in the store's time zone.
    """

    tiers: Boundaries
    orders: tuple[int, ...]
    free_shipping: int
    day: date


def with_thresholds(buyers: ir.Table, set_by_store: Thresholds) -> ir.Table:
    """Adds next_threshold and threshold_distance: the nearest one ahead, null where there is none.

    Args:
        buyers: tier_margin, orders, average_order_value, credit_expires_on (null where no credit expires).
        set_by_store: Where thresholds lie.

    Returns:
        next_threshold is `tier:high`, `orders:5`, `free_shipping` or `credit`; of equals the first in this sequence.
    """
    tiers = set_by_store.tiers
    next_tier = ibis.cases((buyers.tier_margin < tiers.mid, tiers.mid), (buyers.tier_margin < tiers.high, tiers.high), else_=0)
    counts = [(buyers.orders < count, count) for count in set_by_store.orders]
    next_count = ibis.cases(*counts, else_=0) if counts else ibis.literal(0)
    options = (
        ((buyers.tier_margin < tiers.mid).ifelse("tier:mid", "tier:high"), _missing(buyers.tier_margin, next_tier)),
        (ibis.literal("orders:") + next_count.cast("string"), _missing(buyers.orders, next_count)),
        (ibis.literal("free_shipping"), _missing(buyers.average_order_value, ibis.literal(set_by_store.free_shipping))),
        (ibis.literal("credit"), _left(buyers.credit_expires_on, set_by_store.day)),
    )
    far = ibis.literal(1.0)
    nearest = ibis.least(*(distance.fill_null(far) for _, distance in options))
    found = ibis.or_(*(distance.notnull() for _, distance in options))
    named = ibis.cases(*((distance == nearest, name) for name, distance in options), else_=ibis.null("string"))
    return buyers.mutate(threshold_distance=found.ifelse(nearest, ibis.null("float64")), next_threshold=named)


def _missing(reached: ir.IntegerValue, threshold: ir.IntegerValue) -> ir.FloatingValue:
    """The missing part of a threshold that lies ahead, null where none does."""
    ahead = (threshold > 0) & (reached < threshold)
    part = (threshold - reached) / threshold.nullif(0)
    return ahead.ifelse(ibis.least(part.cast("float64"), ibis.literal(1.0)), ibis.null("float64"))


def _left(expires_on: ir.DateValue, day: date) -> ir.FloatingValue:
    """The part of a credit's last days that is left, null before them."""
    days = expires_on.delta(ibis.literal(day), unit="day").cast("int64")
    return days.between(0, CREDIT_DAYS).ifelse(days / CREDIT_DAYS, ibis.null("float64"))
