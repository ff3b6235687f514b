"""Which variants of a stage a customer may get, what each costs and what it is expected to bring.

Knows nothing of chance. Costs and margins here are thousandths of a minor unit, because a mail costs a fraction of a cent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Self

import ibis
import ibis.expr.types as ir

from rekindle import money
from rekindle.decide.funding import Split, column, split
from rekindle.insight.lifecycle import COHORTS
from rekindle.program.documents import Arm, Offer, Program, Stage
from rekindle.program.rules import SellerRules

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
        sellers: What holds between the shop and its sellers.
        day: The day that is decided for, in the store's time zone, for offers with dates of their own; None: they are not looked at.
    """

    currency: str
    horizon_weeks: int
    channel_costs: dict[str, Decimal]
    channels: tuple[str, ...]
    rehearsal: bool = False
    sellers: SellerRules = SellerRules()
    day: date | None = None

    def within(self, order: tuple[str, ...]) -> Self:
        """The store as a program uses it: its channels in the program's order."""
        return replace(self, channels=tuple(name for name in order if name in self.channels))

    def minor(self, units: Decimal) -> float:
        """Units as minor units, fractions kept."""
        return float(units * 10 ** money.exponent(self.currency))


def channel(profile: ir.Table, shop: Shop, wanted: str) -> ir.StringValue:
    """The channel that a message would take: the first of the store's that the customer consented to, null for none.

    The one that the customer asked for goes first (`stated_channel`). A branch may ask for another way than the last message took
    (`avoid_channel`): it is taken where there is one.
    """
    options = shop.channels if wanted == "preferred" else tuple(name for name in shop.channels if name == wanted)
    if not options:
        return ibis.null("string")
    if shop.rehearsal:
        return ibis.literal(options[0])
    ways = [(profile[f"{name}_consent"], name) for name in options]
    if len(ways) > 1 and "stated_channel" in profile.columns:
        ways = [*((can & (profile.stated_channel == name).fill_null(False), name) for can, name in ways), *ways]
    if len(ways) > 1 and "avoid_channel" in profile.columns:
        ways = [*((can & (profile.avoid_channel != name).fill_null(True), name) for can, name in ways), *ways]
    return ibis.cases(*ways, else_=ibis.null("string"))


def opt_out_rate(program: Program) -> float:
    """Share of recipients who leave after a message of a program; news of one's own order drives nobody away."""
    return 0.0 if program.service else OPT_OUT_RATE


def value(profile: ir.Table, offer: Offer, shop: Shop) -> ir.FloatingValue:
    """What the offer costs when it is redeemed once, whoever pays, in minor units: capped, and growing with the customer's worth."""
    amount = offer.traits.cost(profile, offer, shop.minor)
    if offer.cap is not None:
        amount = amount.clip(upper=shop.minor(offer.cap))
    return amount.cast("float64").round().cast("float64")


def valid_days(stage: Stage, offer: Offer, day: date | None = None) -> int:
    """How long an offer holds: the shorter of its own validity and the stage's, and never beyond its last day.

    Args:
        stage: The stage.
        offer: The offer.
        day: The day that is decided for; None: the offer's dates are not looked at.
    """
    days = offer.valid_days if stage.offers.valid_days is None else min(offer.valid_days, stage.offers.valid_days)
    left = None if day is None else offer.days_left(day)
    return days if left is None else max(0, min(days, left))


def scope(profile: ir.Table, offer: Offer) -> ir.StringValue:
    """What the offer holds for: `category:Coffee & Tea`, `product:P12`; null for a whole order, and where there is no such thing."""
    if offer.scope == "order":
        return ibis.null("string")
    return ibis.literal(f"{offer.scope}:") + column(profile, f"offer_{offer.scope}", "string")


@dataclass(frozen=True, slots=True)
class Option:
    """One variant for every candidate, as expressions.

    Args:
        arm: Which.
        conditions: What must hold for a customer to get it, each under its code; `terms.WORDS` says in words what does not.
        channel: By which channel.
        value: Cost of one redemption, minor units.
        ceiling: What it costs where it is redeemed, thousandths.
        cost: What it is expected to cost, redemptions by customers who would have ordered anyway among them, thousandths.
        margin: E = d m - (p0 + d) r c - channel - opt-out, thousandths; of c the shop's part alone.
        spread: One standard deviation of E from the assumed prior alone, thousandths.
        subsidised: Redemptions expected in orders that would come anyway, thousandths of an order.
        scope: What the offer holds for, null for a whole order.
        seller_id: Whose goods that is, null where many's.
        seller_cost: The seller's part of `cost`, thousandths.
        offer_value: What one redemption is worth to the customer, minor units; what it costs stands for it where no price is lowered.
    """

    arm: Arm
    conditions: dict[str, ir.BooleanValue]
    channel: ir.StringValue
    value: ir.FloatingValue
    ceiling: ir.IntegerValue
    cost: ir.IntegerValue
    margin: ir.IntegerValue
    spread: ir.IntegerValue
    subsidised: ir.IntegerValue
    scope: ir.StringValue
    seller_id: ir.StringValue
    seller_cost: ir.IntegerValue
    offer_value: ir.IntegerValue

    @property
    def eligible(self) -> ir.BooleanValue:
        """Whether a customer may get it: every condition holds."""
        return ibis.and_(*self.conditions.values())


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
    taken, once = channel(profile, shop, arm.channel), value(profile, offer, shop)
    paid = split(profile, offer, shop.sellers)
    message = taken.cases(*((name, shop.minor(cost)) for name, cost in shop.channel_costs.items()), else_=0.0)
    open_share = min(1.0, valid_days(stage, offer, shop.day) / (shop.horizon_weeks * DAYS_A_WEEK))
    anyway = profile.expected_orders.fill_null(0.0) * open_share
    falls_due = offer.traits.due(profile, offer)
    redeemed = (anyway + arm.prior.mean) * offer.redemption * once
    redeemed = redeemed if falls_due is None else redeemed * falls_due
    sellers = ibis.literal(0.0) if paid.part is None else redeemed * paid.part
    left = profile.expected_margin.cast("float64") * opt_out_rate(program)
    expected = arm.prior.mean * profile.margin_per_order - (redeemed - sellers) - message - left
    conditions = {"no_channel": taken.notnull(), **dict(_may(profile, program, stage, arm, offer))}
    conditions |= dict(_affords(profile, stage, offer, shop, once, paid))
    return Option(
        arm=arm,
        conditions=conditions,
        channel=taken,
        value=once,
        ceiling=_milli(once + message),
        cost=_milli(redeemed + message),
        margin=_milli(expected),
        spread=_milli(profile.margin_per_order * arm.prior.sd),
        subsidised=_milli((once > 0).ifelse(anyway * offer.redemption, 0.0)),
        scope=scope(profile, offer),
        seller_id=paid.seller,
        seller_cost=_milli(sellers),
        offer_value=once.cast("int64"),
    )


def _milli(amount: ir.FloatingValue) -> ir.IntegerValue:
    return (amount * MILLI).round().cast("int64")


Condition = tuple[str, ir.BooleanValue]
"""A code, and what must hold."""


def _may(profile: ir.Table, program: Program, stage: Stage, arm: Arm, offer: Offer) -> Iterator[Condition]:
    """Whether the arm is for such a customer, and has not been had: its rule, cohorts, repetition, what is given once."""
    if arm.when is not None:
        yield "rule", arm.when.compile(profile).fill_null(False)
    cohorts = [cohort for cohort in COHORTS if arm.name in program.arms_for(stage.name, cohort)]
    if len(cohorts) < len(COHORTS):
        yield "cohort", profile.lapsed_cohort.fill_null("other").isin(cohorts or [""])
    if offer.traits.card:
        again = (profile.last_kind == offer.kind) & (profile.last_kind_run >= program.caps.same_kind_in_a_row)
        yield "same_kind", ~again.fill_null(False)
    if offer.price:
        yield "round_used", profile.price_offers < program.caps.price_offers
        yield "year_used", profile.price_offers_year < program.caps.price_offers_per_year
    if offer.redeemed:
        yield "given", ~_among(profile, "given", offer.name)
    if offer.once_key:
        yield "once", ~_among(profile, "rungs", offer.once_key)
    if offer.ladder is not None and offer.ladder.rung > 1:
        yield "ladder", _among(profile, "rungs", f"{offer.ladder.name}:{offer.ladder.rung - 1}")
        yield "ladder_order", column(profile, "ordered_since_rung", "boolean").fill_null(False)


def _affords(
    profile: ir.Table, stage: Stage, offer: Offer, shop: Shop, once: ir.FloatingValue, paid: Split
) -> Iterator[Condition]:
    """Whether the offer may be made now, exists for the customer, and leaves enough of an order's margin."""
    if shop.day is not None and offer.dated:
        yield "dates", _within_dates(profile, offer, shop.day)
    if offer.scope != "order":
        yield "scope", column(profile, f"offer_{offer.scope}", "string").notnull()
    if offer.minimum_spend:
        usual = profile.average_order_value.cast("float64") * stage.offers.minimum_spend_at_most
        yield "minimum_spend", (usual >= shop.minor(offer.minimum_spend)).fill_null(False)
    if stage.offers.value_at_most is not None:
        yield "value", once <= shop.minor(stage.offers.value_at_most)
    if offer.price or offer.seller_part:
        yield "seller", paid.allowed
    if offer.costly:
        yield "margin_floor", _above_floor(profile, stage, offer, once, paid)
    if offer.costly and offer.redeemed:
        yield "unspent", column(profile, "credit_balance", "int64").fill_null(0) <= 0
    if offer.price:
        yield "no_price", ibis.literal(stage.offers.price)
        yield "waits", ~column(profile, "waits_for_offers", "boolean").fill_null(False)


def _within_dates(profile: ir.Table, offer: Offer, today: date) -> ir.BooleanValue:
    """Whether the offer's dates leave it its minimum on the day on which the message leaves there: a quiet day or a night counts."""
    leaves = column(profile, "leaves_on", "date").fill_null(ibis.literal(today))
    begun = ibis.literal(True) if offer.valid_from is None else leaves >= ibis.literal(offer.valid_from)
    if offer.valid_until is None:
        return begun
    return begun & (leaves <= ibis.literal(offer.valid_until - timedelta(days=offer.minimum_valid_days)))


def _above_floor(profile: ir.Table, stage: Stage, offer: Offer, once: ir.FloatingValue, paid: Split) -> ir.BooleanValue:
    """Whether an order keeps enough margin after the shop's part of the offer: of a lower price all, of a free return what falls due."""
    own = once if paid.part is None else once * (1 - paid.part)
    paid_for = profile.average_order_value.cast("float64")
    floor = max(stage.offers.margin_floor, offer.margin_floor)
    if offer.price:
        return profile.margin_per_order - own >= (paid_for - once) * floor
    falls_due = offer.traits.due(profile, offer)
    return profile.margin_per_order - (own if falls_due is None else own * falls_due) >= paid_for * floor


def _among(profile: ir.Table, name: str, entry: str) -> ir.BooleanValue:
    """Whether an entry is among those that a column lists between bars."""
    listed = column(profile, name, "string").fill_null("")
    return ("|" + listed + "|").contains(f"|{entry}|")
