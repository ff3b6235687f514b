"""Why a customer may get each variant of a stage or not, and what its expected margin and cost are made of.

Knows nothing of expressions: it reads the numbers that the planner's own expressions gave one customer, and says what they mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rekindle.decide import arms, rule_parts
from rekindle.decide.arms import DAYS_A_WEEK, Shop
from rekindle.decide.rule_parts import RuleVerdict
from rekindle.decide.rule_words import Show
from rekindle.program.documents import Arm, Offer, Program, Stage

Row = Mapping[str, Any]
Obstacle = tuple[str, str]
"""A code, and what stands in the way in words that people read."""


WHO = {
    "one_bad_experience": "customers who had a bad experience",
    "paused_high_potential": "valuable customers who have paused",
    "long_inactive": "customers who have been silent for long",
    "other": "customers whose silence has no special reason",
}
"""Lapsed cohorts as the people in them."""


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
    show: Show


def obstacles(row: Row, choice: Choice) -> tuple[Obstacle, ...]:
    """What keeps a variant from a customer, all of it; nothing where the customer may get it.

    Args:
        row: The customer's columns, and every condition of `arms.option` as `ok:<code>:<arm>`.
        choice: The variant.
    """
    unmet = (code for code in WORDS if not row.get(f"ok:{code}:{choice.arm.name}", True))
    return tuple((code.removesuffix("_order"), WORDS[code](row, choice)) for code in unmet)


def rule(row: Row, choice: Choice) -> RuleVerdict | None:
    """The rule that a variant goes by over the customer; None where it has none."""
    return rule_parts.verdict(choice.arm.when, row, choice.show) if choice.arm.when is not None else None


def _rule(row: Row, choice: Choice) -> str:
    told = rule(row, choice)
    return told.words if told else ""


def _cohort(row: Row, choice: Choice) -> str:
    name, arm = choice.stage.name, choice.arm.name
    mine = [WHO[cohort] for cohort in WHO if arm in choice.program.arms_for(name, cohort)]
    return f"not for {WHO[row['lapsed_cohort'] or 'other']}" if len(mine) > 1 else f"only for {mine[0] if mine else 'nobody'}"


def _same_kind(_row: Row, choice: Choice) -> str:
    most = choice.program.caps.same_kind_in_a_row
    return f"the same kind of offer ({choice.offer.kind}) came last, and may come {most} in a row"


def _round_used(row: Row, choice: Choice) -> str:
    return f"they have had {row['price_offers']} of at most {choice.program.caps.price_offers} price offers of this round"


def _year_used(row: Row, choice: Choice) -> str:
    return f"they have had {row['price_offers_year']} of at most {choice.program.caps.price_offers_per_year} price offers of a year"


def _ladder(_row: Row, choice: Choice) -> str:
    return f"the step before it on the ladder {choice.offer.ladder.name if choice.offer.ladder else ''} has not been given yet"


def _dates(row: Row, choice: Choice) -> str:
    offer, day = choice.offer, row.get("leaves_on") or choice.shop.day
    left = -1 if day is None else offer.days_left(day)
    if left is None or left < 0:
        return "its dates are over, or have not begun"
    return f"its dates leave {left} days, and {offer.minimum_valid_days} is the least"


def _scope(_row: Row, choice: Choice) -> str:
    return f"there is no {choice.offer.scope} of theirs that it could hold for"


def _minimum_spend(row: Row, choice: Choice) -> str:
    least = choice.shop.minor(choice.offer.minimum_spend or Decimal(0))
    usual = (row["average_order_value"] or 0) * choice.stage.offers.minimum_spend_at_most
    return f"it holds from {choice.show(least)} on, and {choice.show(usual)} is the most to ask of them"


def _value(_row: Row, choice: Choice) -> str:
    return f"it is worth more than the {choice.show(choice.shop.minor(choice.stage.offers.value_at_most or Decimal(0)))} of this stage"


def _margin_floor(row: Row, choice: Choice) -> str:
    offer, name = choice.offer, choice.arm.name
    once, paid, margin = row[f"value:{name}"] or 0.0, row["average_order_value"] or 0, row["margin_per_order"]
    floor = max(choice.stage.offers.margin_floor, offer.margin_floor)
    own = once * (1 - row.get(f"part:{name}", 0.0)) * (1.0 if offer.price else row.get(f"share:{name}", 1.0))
    left = paid - once if offer.price else paid
    if margin is None or left <= 0:
        return "what an order with it would keep as margin is not known"
    return f"an order with it would keep {100 * (margin - own) / left:.1f} % as margin, and {100 * floor:.0f} % is the least"


def _unspent(row: Row, choice: Choice) -> str:
    return f"they have {choice.show(row['credit_balance'])} of unspent credit, which comes before anything new"


def _always(words: str) -> Callable[[Row, Choice], str]:
    return lambda _row, _choice: words


WORDS: dict[str, Callable[[Row, Choice], str]] = {
    "no_channel": _always("they agreed to no channel by which it goes"),
    "rule": _rule,
    "cohort": _cohort,
    "same_kind": _same_kind,
    "round_used": _round_used,
    "year_used": _year_used,
    "given": _always("they have had it in this round, and it is never renewed"),
    "once": _always("they have had it before, and it is given once"),
    "ladder": _ladder,
    "ladder_order": _always("no order of theirs has come since the step before it"),
    "dates": _dates,
    "scope": _scope,
    "minimum_spend": _minimum_spend,
    "value": _value,
    "seller": _always("a seller's own promotion runs on it, or its seller is not known"),
    "margin_floor": _margin_floor,
    "unspent": _unspent,
    "no_price": _always("this stage makes no offer that lowers a price"),
    "waits": _always("they lapsed and came back by the code of a price offer again and again"),
}
"""Every condition of `arms.option` by its code: what to say where it does not hold."""
