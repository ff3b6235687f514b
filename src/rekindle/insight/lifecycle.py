"""Where a customer stands: lifecycle stage, value tier and lapsed cohort, as expressions over the profile.

Knows nothing of programs. Every customer has exactly one stage and one tier; a cohort only who is lapsing or lapsed.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

STAGES = (
    "prospect", "first_time", "repeat", "mid_tenure", "advocate", "cooling", "lapsing", "lapsed", "probation", "reactivated",
)
TIERS = ("high", "mid", "occasional")
COHORTS = {
    "one_bad_experience": "bad experience",
    "paused_high_potential": "paused high potential",
    "long_inactive": "long inactive",
    "other": "other",
}
SLIPPING = ("lapsing", "lapsed")


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Where one stage ends and the next begins (assumed; docs/models.md says why).

    Silence is measured in the customer's own rhythm, the days between orders that the lapse model expects of that customer.

    Args:
        cooling, lapsing, lapsed: Silence in rhythms from which a stage holds; at two rhythms 86 % of orders would have come.
        cooling_days, lapsing_days: The shortest silence for it, so that a daily buyer's weekend is not a lapse.
        probation_days, reactivated_days: Days since the order that ended a lapse.
        mid_tenure, advocate: Purchase days.
        high, mid: Shares of customers by margin in the upper two tiers.
        long_inactive_days: Silence that counts as long whatever the rhythm.
        spike_days: A silence that begins this soon after the previous order follows a spike of the customer's own.
    """

    cooling: float = 1.0
    lapsing: float = 2.0
    lapsed: float = 4.0
    cooling_days: int = 14
    lapsing_days: int = 28
    probation_days: int = 60
    reactivated_days: int = 180
    mid_tenure: int = 4
    advocate: int = 8
    high: float = 0.20
    mid: float = 0.50
    long_inactive_days: int = 365
    spike_days: int = 30


BOUNDARIES = Boundaries()


def stage(profile: ir.Table, edges: Boundaries = BOUNDARIES) -> ir.StringValue:
    """The lifecycle stage: silence first, then a return after a lapse, then tenure.

    Args:
        profile: purchase_days (0 for a prospect), silence_days, rhythm_days, previous_gap_days.
        edges: Where stages end.
    """
    silence = profile.silence_days / profile.rhythm_days
    was_lapsed = (profile.previous_gap_days > edges.lapsed * profile.rhythm_days).fill_null(False)
    return ibis.cases(
        (profile.purchase_days == 0, "prospect"),
        ((silence > edges.lapsed) & (profile.silence_days >= edges.lapsing_days), "lapsed"),
        ((silence > edges.lapsing) & (profile.silence_days >= edges.lapsing_days), "lapsing"),
        ((silence > edges.cooling) & (profile.silence_days >= edges.cooling_days), "cooling"),
        (was_lapsed & (profile.silence_days < edges.probation_days), "probation"),
        (was_lapsed & (profile.silence_days < edges.reactivated_days), "reactivated"),
        (profile.purchase_days >= edges.advocate, "advocate"),
        (profile.purchase_days >= edges.mid_tenure, "mid_tenure"),
        (profile.purchase_days >= 2, "repeat"),
        else_="first_time",
    )


def tier_limits(buyers: ir.Table, edges: Boundaries = BOUNDARIES) -> ir.Table:
    """The margins at which the upper two tiers begin: one row of high, mid (minor units)."""
    return buyers.aggregate(high=buyers.margin.quantile(1 - edges.high), mid=buyers.margin.quantile(1 - edges.mid))


def value_tier(margin: ir.IntegerValue, high: float, mid: float) -> ir.StringValue:
    """The tier by contribution margin over the customer's whole history."""
    return ibis.cases((margin >= high, "high"), (margin >= mid, "mid"), else_="occasional")


def lapsed_cohort(profile: ir.Table, edges: Boundaries = BOUNDARIES) -> ir.StringValue:
    """The cohort of who is lapsing or lapsed, null for others: the first rule that holds.

    Args:
        profile: lifecycle, cause, value_tier, previous_gap_days, rhythm_days, silence_days.
        edges: Where cohorts end.
    """
    spike = (profile.previous_gap_days <= edges.spike_days).fill_null(False)
    long_silence = (profile.lifecycle == "lapsed") | (profile.silence_days >= edges.long_inactive_days)
    return ibis.cases(
        (~profile.lifecycle.isin(SLIPPING), ibis.null("string")),
        (profile.cause != "unknown", "one_bad_experience"),
        ((profile.value_tier == "high") & spike, "paused_high_potential"),
        (long_silence, "long_inactive"),
        else_="other",
    )
