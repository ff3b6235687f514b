"""Why a customer may get each variant of a stage or not, and what its expected margin and cost are made of.

Knows nothing of expressions: it reads the numbers that the planner's own expressions gave one customer, and says what they mean.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rekindle.decide import arms, rule_parts
from rekindle.decide.arms import DAYS_A_WEEK, Shop
from rekindle.insight.lifecycle import COHORTS
from rekindle.program.documents import Arm, Offer, Program, Stage

Row = Mapping[str, Any]
Obstacle = tuple[str, str]
"""A code, and what stands in the way in words that people read."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a variant is expected to bring: E = d m - (p0 + d) r c k (1 - s) - channel - opt-out.

    Args:
        d: Extra orders, assumed (the arm's prior).
        d_sd: How unsure that is.
        m: Margin of one order, minor units.
        expected_orders: Orders expected anyway in the horizon.
        open_days: Days that the offer holds.
        horizon_days: Days of the horizon.
        p0: Orders that would come anyway while it holds: expected_orders x open_days / horizon_days, at most expected_orders.
        r: Share of takers among those who order, assumed.
        c: What one redemption costs, minor units.
        k: Share of that which falls due, once what is sent back is known.
        s: The seller's part.
        channel: Cost of the message, minor units.
        opt_out: 0.2 % of the margin expected of the customer, minor units.
        expected_cost: (p0 + d) r c k + channel, thousandths of a minor unit, whoever pays.
        seller_cost: The seller's part of it, thousandths.
        cost_ceiling: c + channel, thousandths.
        expected_margin: E, thousandths.
        spread: d_sd m, thousandths.
    """

    d: float
    d_sd: float
    m: float
    expected_orders: float
    open_days: int
    horizon_days: int
    p0: float
    r: float
    c: float
    k: float
    s: float
    channel: float
    opt_out: float
    expected_cost: int
    seller_cost: int
    cost_ceiling: int
    expected_margin: int
    spread: int


def terms(row: Row, choice: "Choice") -> Terms:
    """The terms of a variant for one customer.

    Args:
        row: The customer's columns, and the variant's: `value:`, `share:`, `part:`, `cost:` and so on.
        choice: The variant.
    """
    stage, arm, offer, shop = choice.stage, choice.arm, choice.offer, choice.shop
    days, horizon = arms.valid_days(stage, offer, shop.day), shop.horizon_weeks * DAYS_A_WEEK
    orders, taken = row["expected_orders"] or 0.0, row[f"channel:{arm.name}"]
    return Terms(
        d=arm.prior.mean, d_sd=arm.prior.sd, m=row["margin_per_order"] or 0.0, expected_orders=orders, open_days=days, horizon_days=horizon,
        p0=orders * min(1.0, days / horizon), r=offer.redemption, c=row[f"value:{arm.name}"] or 0.0, k=row.get(f"share:{arm.name}", 1.0),
        s=row.get(f"part:{arm.name}", 0.0), channel=shop.minor(shop.channel_costs[taken]) if taken else 0.0,
        opt_out=(row["expected_margin"] or 0) * arms.opt_out_rate(choice.program), expected_cost=row[f"cost:{arm.name}"] or 0,
        seller_cost=row[f"theirs:{arm.name}"] or 0, cost_ceiling=row[f"ceiling:{arm.name}"] or 0,
        expected_margin=row[f"margin:{arm.name}"] or 0, spread=row[f"spread:{arm.name}"] or 0,
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant of a program's stage as it is offered.

    Args:
        program: The program.
        stage: The stage.
        arm: The arm.
        offer: Its offer.
        shop: The store.
        show: Minor units as an amount that people read.
    """

    program: Program
    stage: Stage
    arm: Arm
    offer: Offer
    shop: Shop
    show: Callable[[float], str]


def obstacles(row: Row, choice: Choice) -> tuple[Obstacle, ...]:
    """What keeps a variant from a customer, all of it; nothing where the customer may get it."""
    found = [*_whom(row, choice), *_had(row, choice), *_scope(row, choice), *_price(row, choice)]
    if row.get(f"own:{choice.arm.name}", row[f"can:{choice.arm.name}"]):
        return ()
    return tuple(found) or (("other", "a margin or an amount that it goes by is not known"),)


def _whom(row: Row, choice: Choice) -> Iterator[Obstacle]:
    program, stage, arm = choice.program, choice.stage, choice.arm
    if row[f"channel:{arm.name}"] is None:
        yield "no_channel", "no channel of it that the customer agreed to"
    if arm.when is not None and not (told := rule_parts.verdict(arm.when, row)).holds:
        yield "rule", f"its rule does not hold: {told.unmet}"
    cohort = row["lapsed_cohort"] or "other"
    if arm.name not in program.arms_for(stage.name, cohort):
        mine = [COHORTS[name] for name in COHORTS if arm.name in program.arms_for(stage.name, name)]
        yield "cohort", f"not for {COHORTS[cohort]}" if len(mine) > 1 else f"only for {mine[0] if mine else 'nobody'}"


def _had(row: Row, choice: Choice) -> Iterator[Obstacle]:
    offer, caps = choice.offer, choice.program.caps
    if offer.costly and row["last_kind"] == offer.kind and (row["last_kind_run"] or 0) >= caps.same_kind_in_a_row:
        yield "same_kind", f"the same kind of offer ({offer.kind}) came last, and comes at most {caps.same_kind_in_a_row} in a row"
    if offer.price and row["price_offers"] >= caps.price_offers:
        yield "round_used", f"price offers of the round used up ({row['price_offers']} of {caps.price_offers})"
    if offer.price and row["price_offers_year"] >= caps.price_offers_per_year:
        yield "year_used", f"price offers of the year used up ({row['price_offers_year']} of {caps.price_offers_per_year})"
    if offer.redeemed and _among(row, "given", offer.name):
        yield "given", "given already in this round, and never renewed"
    if offer.once_key and _among(row, "rungs", offer.once_key):
        yield "once", "given before, and given once"
    if offer.ladder is not None and offer.ladder.rung > 1:
        if not _among(row, "rungs", f"{offer.ladder.name}:{offer.ladder.rung - 1}"):
            yield "ladder", f"the rung before it on the ladder {offer.ladder.name} was not given yet"
        elif not row["ordered_since_rung"]:
            yield "ladder", "no order has come since the rung before it"


def _scope(row: Row, choice: Choice) -> Iterator[Obstacle]:
    offer, stage, shop = choice.offer, choice.stage, choice.shop
    if shop.day is not None and (left := offer.days_left(shop.day)) is not None and left < offer.minimum_valid_days:
        yield "dates", "its dates are over, or have not begun" if left < 0 else f"its dates leave {left} days of {offer.minimum_valid_days}"
    if offer.scope != "order" and row.get(f"offer_{offer.scope}") is None:
        yield "scope", f"there is no {offer.scope} of the customer's that it could hold for"
    if offer.minimum_spend:
        least, usual = shop.minor(offer.minimum_spend), (row["average_order_value"] or 0) * stage.offers.minimum_spend_at_most
        if usual < least:
            yield "minimum_spend", f"holds from {choice.show(least)}, and {choice.show(usual)} is the most to ask of this customer"
    if stage.offers.value_at_most is not None and (row[f"value:{choice.arm.name}"] or 0) > shop.minor(stage.offers.value_at_most):
        yield "value", f"worth more than the {choice.show(shop.minor(stage.offers.value_at_most))} that the stage allows"
    if not row.get(f"allowed:{choice.arm.name}", True):
        yield "seller", "a seller's own promotion runs on it, or its seller is not known"


def _price(row: Row, choice: Choice) -> Iterator[Obstacle]:
    """What holds for offers that cost something, and for price offers alone."""
    offer, stage, name = choice.offer, choice.stage, choice.arm.name
    if not offer.costly:
        return
    once, paid, margin = row[f"value:{name}"] or 0.0, row["average_order_value"] or 0, row["margin_per_order"]
    floor = max(stage.offers.margin_floor, offer.margin_floor)
    own = once * (1 - row.get(f"part:{name}", 0.0)) * (1.0 if offer.price else row.get(f"share:{name}", 1.0))
    left = paid - once if offer.price else paid
    if margin is None or not margin - own >= left * floor:
        kept = "is not known" if margin is None or left <= 0 else f"would be {(margin - own) / left:.1%}"
        yield "margin_floor", f"margin floor: what an order keeps {kept}, and {floor:.0%} is the least"
    if not offer.price:
        return
    if not stage.offers.price:
        yield "no_price", "the stage makes no price offers"
    if (row["credit_balance"] or 0) > 0:
        yield "unspent", f"{choice.show(row['credit_balance'])} of credit are unspent, and come before anything new"
    if row["waits_for_offers"]:
        yield "waits", "waits for offers: lapsed and came back by the code of a price offer again and again"


def _among(row: Row, name: str, entry: str) -> bool:
    return f"|{entry}|" in f"|{row.get(name) or ''}|"
