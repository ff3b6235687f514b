"""Where there is most to gain before anything is launched: segments by how many can be reached times what contact is assumed to bring.

Knows nothing of what came. The ranking is frozen: its hash covers every row, so that it can be held against the outcome later.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import ibis.expr.types as ir

from rekindle.insight.lifecycle import COHORTS, SLIPPING

PER_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One segment: a lapsed cohort in a value tier.

    Args:
        cohort: Lapsed cohort.
        tier: Value tier.
        customers: In it.
        reachable: Of them, with consent on some channel.
        order_margin: Margin of one order summed over the reachable, minor units.
        extra_orders: Assumed extra orders of a customer by contact, in millionths.
        incremental_margin: Assumed: order_margin times extra_orders, minor units.
    """

    cohort: str
    tier: str
    customers: int
    reachable: int
    order_margin: int
    extra_orders: int
    incremental_margin: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """The frozen ranking.

    Args:
        as_of: The instant, ISO.
        source: Where the assumption comes from.
        rows: The largest opportunity first.
    """

    as_of: str
    source: str
    rows: tuple[Opportunity, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the ranking as canonical JSON: whole numbers only, so that it is the same on every machine."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def segments(profile: ir.Table) -> ir.Table:
    """Cohort and tier of who slips away: lapsed_cohort, value_tier, customers, reachable, order_margin."""
    slipping = profile.filter(profile.lifecycle.isin(SLIPPING))
    reached = slipping.email_consent | slipping.sms_consent | slipping.webpush_consent | slipping.inapp_consent
    worth = reached.ifelse(slipping.margin_per_order.fill_null(0).round().cast("int64"), 0)
    return slipping.group_by("lapsed_cohort", "value_tier").aggregate(
        customers=slipping.count(), reachable=reached.ifelse(1, 0).sum(), order_margin=worth.sum()
    ).order_by("lapsed_cohort", "value_tier")


def rank(rows: list[dict[str, object]], extra_orders: Mapping[str, float], as_of: str, source: str) -> Ranking:
    """Ranks segments; ties by name.

    Args:
        rows: Of `segments`.
        extra_orders: Assumed extra orders of a customer by contact, by cohort; none where a cohort is not contacted.
        as_of: The instant, ISO.
        source: Where the assumption comes from.
    """
    found = [_opportunity(row, round(PER_MILLION * extra_orders.get(str(row["lapsed_cohort"]), 0.0))) for row in rows]
    return Ranking(as_of, source, tuple(sorted(found, key=lambda one: (-one.incremental_margin, one.cohort, one.tier))))


def _opportunity(row: dict[str, object], extra: int) -> Opportunity:
    margin = int(str(row["order_margin"]))
    gain = (margin * extra + PER_MILLION // 2) // PER_MILLION
    return Opportunity(
        str(row["lapsed_cohort"]), str(row["value_tier"]), int(str(row["customers"])), int(str(row["reachable"])), margin, extra, gain
    )


def name(one: Opportunity) -> str:
    """A segment in words.

    >>> name(Opportunity("other", "mid", 2, 1, 900, 10_000, 9))
    'other, mid value'
    """
    return f"{COHORTS[one.cohort]}, {one.tier} value"
