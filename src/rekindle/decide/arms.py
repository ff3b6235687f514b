"""Which variants of a stage a customer may get, what each costs and what it is expected to bring.

Knows nothing of chance. Costs and margins here are thousandths of a minor unit, because a mail costs a fraction of a cent.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

import ibis
import ibis.expr.types as ir

from rekindle import money
from rekindle.insight.lifecycle import COHORTS
from rekindle.program.documents import Arm, Offer, Program, Stage

MILLI = 1000
OPT_OUT_RATE = 0.002
"""Share of recipients who leave after a message (assumed; published rates are 0.1 to 0.5 %)."""

DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Shop:
    """What the arithmetic of an offer needs to know of the store.

    Args:
        currency: ISO 4217.
        horizon_weeks: How far expected orders look ahead.
        channel_costs: Channel to the cost of one message, in units.
        channels: Channels that this store can deliver by, in the order of preference where a customer has none.
        rehearsal: Whether every customer counts as consented.
    """

    currency: str
    horizon_weeks: int
    channel_costs: dict[str, Decimal]
    channels: tuple[str, ...]
    rehearsal: bool = False

    def within(self, order: tuple[str, ...]) -> Self:
        """The store as a program uses it: its channels in the program's order."""
        return replace(self, channels=tuple(name for name in order if name in self.channels))

    def minor(self, units: Decimal) -> float:
        """Units as minor units, fractions kept."""
        return float(units * 10 ** money.exponent(self.currency))


def channel(profile: ir.Table, shop: Shop, wanted: str) -> ir.StringValue:
    """The channel that a message would take: the first of the store's that the customer consented to, null for none."""
    options = shop.channels if wanted == "preferred" else tuple(name for name in shop.channels if name == wanted)
    if not options:
        return ibis.null("string")
    if shop.rehearsal:
        return ibis.literal(options[0])
    return ibis.cases(*((profile[f"{name}_consent"], name) for name in options), else_=ibis.null("string"))


def value(profile: ir.Table, offer: Offer, shop: Shop) -> ir.FloatingValue:
    """What the offer costs the shop when it is redeemed once, in minor units: capped, and growing with the customer's worth."""
    if offer.percent is not None:
        amount: ir.FloatingValue = profile.average_order_value * offer.percent
    elif offer.share_of_margin is not None:
        amount = profile.expected_margin.clip(lower=0) * offer.share_of_margin
    elif offer.amount is not None:
        amount = ibis.literal(shop.minor(offer.amount))
    else:
        amount = ibis.literal(shop.minor(offer.unit_cost))
    if offer.cap is not None:
        amount = amount.clip(upper=shop.minor(offer.cap))
    return amount.cast("float64").round(0)


def valid_days(stage: Stage, offer: Offer) -> int:
    """How long an offer holds: the shorter of its own validity and the stage's."""
    return offer.valid_days if stage.offers.valid_days is None else min(offer.valid_days, stage.offers.valid_days)


@dataclass(frozen=True, slots=True)
class Option:
    """One variant for every candidate, as expressions.

    Args:
        arm: Which.
        eligible: Whether a customer may get it.
        channel: By which channel.
        value: Cost of one redemption, minor units.
        ceiling: What it costs where it is redeemed, thousandths.
        cost: What it is expected to cost, redemptions by customers who would have ordered anyway among them, thousandths.
        margin: E = d m - (p0 + d) r c - channel - opt-out, thousandths.
        spread: One standard deviation of E from the assumed prior alone, thousandths.
        subsidised: Redemptions expected in orders that would come anyway, thousandths of an order.
    """

    arm: Arm
    eligible: ir.BooleanValue
    channel: ir.StringValue
    value: ir.FloatingValue
    ceiling: ir.IntegerValue
    cost: ir.IntegerValue
    margin: ir.IntegerValue
    spread: ir.IntegerValue
    subsidised: ir.IntegerValue


def option(profile: ir.Table, program: Program, stage: Stage, arm: Arm, offer: Offer, shop: Shop) -> Option:
    """A stage's variant for every candidate.

    Args:
        profile: From `due.candidates`.
        program: Its caps and variants decide who may get what.
        stage: The stage.
        arm: One of its arms.
        offer: The arm's offer.
        shop: The store.
    """
    taken = channel(profile, shop, arm.channel)
    cost_once = value(profile, offer, shop)
    message = taken.cases(*((name, shop.minor(cost)) for name, cost in shop.channel_costs.items()), else_=0.0)
    open_share = min(1.0, valid_days(stage, offer) / (shop.horizon_weeks * DAYS_A_WEEK))
    anyway = profile.expected_orders.fill_null(0.0) * open_share
    redeemed = (anyway + arm.prior.mean) * offer.redemption * cost_once
    left = profile.expected_margin * OPT_OUT_RATE
    expected = arm.prior.mean * profile.margin_per_order - redeemed - message - left
    return Option(
        arm=arm,
        eligible=_eligible(profile, program, stage, arm, offer, shop, cost_once) & taken.notnull(),
        channel=taken,
        value=cost_once,
        ceiling=_milli(cost_once + message),
        cost=_milli(redeemed + message),
        margin=_milli(expected),
        spread=_milli(profile.margin_per_order * arm.prior.sd),
        subsidised=_milli((cost_once > 0).ifelse(anyway * offer.redemption, 0.0)),
    )


def _milli(amount: ir.FloatingValue) -> ir.IntegerValue:
    return (amount * MILLI).round().cast("int64")


def _eligible(  # noqa: PLR0913  the rule needs all of them, and only `option` calls it
    profile: ir.Table, program: Program, stage: Stage, arm: Arm, offer: Offer, shop: Shop, cost_once: ir.FloatingValue
) -> ir.BooleanValue:
    allowed = ibis.literal(True)
    if arm.when is not None:
        allowed = allowed & arm.when.compile(profile).fill_null(False)
    cohorts = [cohort for cohort in COHORTS if arm.name in program.arms_for(stage.name, cohort)]
    if len(cohorts) < len(COHORTS):
        allowed = allowed & profile.lapsed_cohort.fill_null("other").isin(cohorts or [""])
    if offer.price:
        floor = max(stage.offers.margin_floor, offer.margin_floor)
        kept = profile.margin_per_order - cost_once >= (profile.average_order_value - cost_once) * floor
        allowed = allowed & kept & (profile.price_offers < program.caps.price_offers)
        allowed = allowed & (profile.price_offers_year < program.caps.price_offers_per_year) & stage.offers.price
    if stage.offers.value_at_most is not None:
        allowed = allowed & (cost_once <= shop.minor(stage.offers.value_at_most))
    if offer.price or offer.unit_cost > 0:
        again = (profile.last_kind == offer.kind) & (profile.last_kind_run >= program.caps.same_kind_in_a_row)
        allowed = allowed & ~again.fill_null(False)
    return allowed
