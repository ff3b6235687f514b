"""Where a customer stands: lifecycle stage and lapsed cohort with the facts that decided, as expressions over the profile.

Knows nothing of programs. Every customer has exactly one stage; a cohort only who is lapsing or lapsed.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from rekindle.insight.friction import NO_FAULT

STAGES = (
    "prospect", "first_time", "repeat", "mid_tenure", "advocate", "cooling", "lapsing", "lapsed", "probation", "reactivated",
)
COHORTS = {
    "one_bad_experience": "bad experience",
    "paused_high_potential": "paused high potential",
    "long_inactive": "long inactive",
    "other": "other",
}
SLIPPING = ("lapsing", "lapsed")


@dataclass(frozen=True, slots=True)
class Edges:
    """Where one stage ends and the next begins (assumed; docs/models.md says why).

    Silence is measured in the customer's own rhythm, the days between orders that are usual for that customer.

    Args:
        cooling, lapsing, lapsed: Silence in rhythms from which a stage holds; at two rhythms 86 % of orders would have come.
        cooling_days, lapsing_days: The shortest silence for it, so that a daily buyer's weekend is not a lapse.
        probation_days, reactivated_days: Days since the order that ended a lapse.
        mid_tenure, advocate: Purchase days.
        high_potential: Share of buyers whose potential counts as high.
        long_inactive_days: Silence that counts as long whatever the rhythm.
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
    high_potential: float = 0.20
    long_inactive_days: int = 365


EDGES = Edges()


def stage(profile: ir.Table, edges: Edges = EDGES) -> ir.StringValue:
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


def slipping_edges(stage: str, edges: Edges = EDGES) -> tuple[float, int]:
    """Rhythms of silence over which a stage of `SLIPPING` holds, and the days of silence from which on."""
    return edges.lapsed if stage == "lapsed" else edges.lapsing, edges.lapsing_days


def slipping_since(stage: str, last_day: date, rhythm_days: float, edges: Edges = EDGES) -> date:
    """The first day at whose end a stage of `SLIPPING` held of a customer, by the rhythm that is known now.

    >>> slipping_since("lapsing", date(2026, 1, 30), 124.2), slipping_since("lapsed", date(2026, 1, 30), 5.0)
    (datetime.date(2026, 10, 6), datetime.date(2026, 2, 27))
    """
    rhythms, least = slipping_edges(stage, edges)
    return last_day + timedelta(days=max(math.floor(rhythms * rhythm_days) + 1, least))


def high_potential(buyers: ir.Table, edges: Edges = EDGES) -> ir.Table:
    """One row of potential: the one from which it counts as high, that of the upper fifth of buyers, minor units.

    Args:
        buyers: potential (margin expected in the horizon of a customer who has not lapsed) of every buyer.
        edges: Where stages end.
    """
    return buyers.aggregate(potential=buyers.potential.quantile(1 - edges.high_potential).ceil().cast("int64"))


def lapsed_cohort(profile: ir.Table, potential: ir.IntegerScalar | int, edges: Edges = EDGES) -> ir.StringValue:
    """The cohort of who is lapsing or lapsed, null for others: the first rule that holds.

    Args:
        profile: lifecycle, cause, had_friction, open_ticket, potential, own_spike, store_spike, silence_days.
        potential: From `high_potential`.
        edges: Where cohorts end.
    """
    spike = profile.own_spike | profile.store_spike.notnull()
    paused = (profile.potential >= potential) & spike & ~profile.had_friction & ~profile.open_ticket
    long_silence = (profile.lifecycle == "lapsed") | (profile.silence_days >= edges.long_inactive_days)
    return ibis.cases(
        (~profile.lifecycle.isin(SLIPPING), ibis.null("string")),
        (~profile.cause.isin(sorted(NO_FAULT)), "one_bad_experience"),
        (paused, "paused_high_potential"),
        (long_silence, "long_inactive"),
        else_="other",
    )


def cohort_evidence(profile: ir.Table) -> ir.StringValue:
    """The facts that decided the cohort, in words; "" for who is in none.

    Args:
        profile: lapsed_cohort, cause_evidence, silence_days, rhythm_days, own_spike, recent_days, store_spike.
    """
    silence = profile.silence_days.cast("string") + " days silent at a rhythm of " + _days(profile.rhythm_days)
    own = profile.recent_days.cast("string") + " purchase days in the last 30 before it"
    bunched = profile.own_spike.ifelse(own, ibis.literal("after the store's spike of ") + profile.store_spike.cast("string"))
    return ibis.cases(
        (profile.lapsed_cohort == "one_bad_experience", profile.cause_evidence),
        (profile.lapsed_cohort == "paused_high_potential", silence + "; " + bunched),
        (profile.lapsed_cohort.notnull(), silence),
        else_="",
    )


def _days(value: ir.FloatingValue) -> ir.StringValue:
    return value.round().cast("int64").cast("string")
