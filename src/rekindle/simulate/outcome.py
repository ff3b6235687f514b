"""What touches did, and what they were to be expected to do.

Knows nothing of files. A code is used once, by whichever order comes first of the extra one and the customer's next own.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rekindle.simulate.chance import Chance, Flags, Floats, Ints
from rekindle.simulate.facts import amounts
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.purchases import DAY
from rekindle.simulate.response import NONE, Potential
from rekindle.simulate.world import Scenery


@dataclass(frozen=True, slots=True)
class Stakes:
    """What is won and lost by each touch, minor units.

    Args:
        per_order: total, discount, cost, shipping of each touch's extra order before its offer.
        per_line: Its lines.
        margin: Of the extra order before its offer.
        extra_off: What the offer takes off the extra order.
        organic_off: What it takes off the customer's own next order.
        organic_at: Seconds since 1970-01-01 UTC of that order.
        extra_fee: Shipping that the offer waives on the extra order.
        organic_fee: Shipping that it waives on the customer's own next order.
    """

    per_order: pa.Table
    per_line: pa.Table
    margin: Ints
    extra_off: Ints
    organic_off: Ints
    organic_at: Ints
    extra_fee: Ints
    organic_fee: Ints


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened after each touch.

    Args:
        extra: Whether an extra order came.
        at: When, seconds since 1970-01-01 UTC.
        extra_redeemed: Whether it used the offer.
        organic_redeemed: Whether the customer's own next order used it.
        visit: Whether the customer looked at a product within a day.
        followed: Whether by the message's link, where it has one.
        opened: Whether the customer opened it, where it is an e-mail; what machines open is not counted here.
        replied: Whether the customer said how it was, where that was asked.
        unsubscribed: Whether the customer opted out.
    """

    extra: Flags
    at: Ints
    extra_redeemed: Flags
    organic_redeemed: Flags
    visit: Flags
    followed: Flags
    opened: Flags
    replied: Flags
    unsubscribed: Flags


@dataclass(frozen=True, slots=True)
class Sums:
    """What a set of touches is worth in a window, one element per touch; minor units.

    Args:
        orders: Extra orders.
        margin: Their margin before the offer.
        extra_subsidy: What the offer took off them.
        organic_subsidy: What it took off orders that came anyway.
        waived: Shipping fees that it waived on either.
    """

    orders: Floats
    margin: Floats
    extra_subsidy: Floats
    organic_subsidy: Floats
    waived: Floats

    @property
    def net(self) -> Floats:
        """Incremental margin on goods: what orders show as paid less the cost of goods."""
        return self.margin - self.extra_subsidy - self.organic_subsidy


def _summed(at_stake: Stakes, orders: Floats, extra_used: Floats, own_used: Floats) -> Sums:
    """The sums of so many extra orders, and of so many uses of the offer on extra and own orders."""
    return Sums(
        orders,
        orders * at_stake.margin,
        extra_used * at_stake.extra_off,
        own_used * at_stake.organic_off,
        extra_used * at_stake.extra_fee + own_used * at_stake.organic_fee,
    )


def stakes(scene: Scenery, orders: pa.Table, could: Potential) -> Stakes:
    """What is at stake in each touch."""
    size = could.lift.size
    if size == 0:
        none = np.zeros(0, dtype=np.int64)
        return Stakes(pa.table({}), pa.table({}), *[none] * 6)
    per_order, per_line = amounts(scene.parameters, scene.catalogue, could.baskets, np.zeros(size), scene.minor)
    total, cost = np.asarray(per_order["total"]), np.asarray(per_order["cost"])
    nobody = could.next_order == NONE
    own = {name: np.where(nobody, 0, np.asarray(orders[name])[could.next_order]) for name in ("total", "ordered_at", "shipping")}
    return Stakes(
        per_order,
        per_line,
        margin=total - cost,
        extra_off=could.terms.discount(total),
        organic_off=could.terms.discount(own["total"]),
        organic_at=own["ordered_at"],
        extra_fee=np.asarray(per_order["shipping"]) * could.terms.ships_free,
        organic_fee=own["shipping"] * could.terms.ships_free,
    )


def happen(scene: Scenery, could: Potential, chance: Chance) -> Outcome:
    """Lets chance decide; the same chance decides the same for a customer's n-th touch."""
    touches, parameters = could.touches, scene.parameters
    luck = {name: _luck(scene, could, chance, name) for name in _LUCK}
    service, asks = (np.array([getattr(arm, name) for arm in parameters.every_arm])[touches.arm] for name in ("service", "asks"))
    visit = (luck["visit"] < parameters.visit) & ~service
    most = parameters.response_days * DAY
    extra = luck["extra"] < could.lift
    reached = 1 - luck["delay"] * -np.expm1(-most / could.scale)
    delay = np.minimum((-could.scale * np.log(reached)).astype(np.int64), most - 1)
    wants_extra = extra & (luck["extra-code"] < parameters.redeem_extra) & (delay < could.terms.valid)
    wants_organic = (could.next_order != NONE) & (luck["organic-code"] < parameters.redeem_organic)
    return Outcome(
        extra=extra,
        at=touches.felt + delay,
        extra_redeemed=wants_extra & ~(wants_organic & (could.gap <= delay)),
        organic_redeemed=wants_organic & ~(wants_extra & (delay < could.gap)),
        visit=visit,
        followed=visit & (luck["click"] < parameters.clicked),
        replied=asks & (luck["reply"] < parameters.replies),
        opened=visit | (luck["open"] < parameters.opened),
        unsubscribed=(luck["unsubscribe"] < opt_out(parameters, touches.earlier)) & ~service,
    )


_LUCK = ("extra", "delay", "extra-code", "organic-code", "visit", "unsubscribe", "click", "open", "reply")


def opt_out(parameters: Parameters, earlier: Ints) -> Floats:
    """The chance that a touch makes its customer opt out, by the number of touches shortly before."""
    chance: Floats = np.minimum(parameters.unsubscribe * parameters.unsubscribe_growth**earlier, 1.0)
    return chance


def _luck(scene: Scenery, could: Potential, chance: Chance, name: str) -> Floats:
    drawn = np.empty(could.lift.size)
    for ordinal in np.unique(could.touches.ordinal).tolist():
        of_all = chance.stream(f"response-{name}", ordinal).random(scene.population.size)
        place = could.touches.ordinal == ordinal
        drawn[place] = of_all[could.touches.customer[place]]
    return drawn


def realised(at_stake: Stakes, done: Outcome, begin: int, end: int) -> Sums:
    """What the touches did in a window of seconds since 1970-01-01 UTC."""
    within = done.extra & (done.at >= begin) & (done.at < end)
    own = done.organic_redeemed & (at_stake.organic_at >= begin) & (at_stake.organic_at < end)
    return _summed(at_stake, within.astype(np.float64), (within & done.extra_redeemed).astype(np.float64), own.astype(np.float64))


def expected(scene: Scenery, could: Potential, at_stake: Stakes, begin: int, end: int) -> Sums:
    """What the touches were to be expected to do in a window: the mean of `realised` over all that chance may decide.

    With F the distribution of the delay, d the lift, r and r' the shares of own and extra orders that use a valid offer, and g
    the gap to the own order: the extra order comes with d (F(end) - F(begin)); it uses the offer with r' before g and with
    r' (1 - r) from then until the offer ends; the own order uses it with r (1 - d r' F(g)).
    """
    parameters, terms = scene.parameters, could.terms
    low, high = begin - could.touches.felt, end - could.touches.felt
    valid = terms.valid
    gap = np.where(could.next_order == NONE, valid, could.gap)

    def share(least: Ints, most: Ints) -> Floats:
        """Of extra orders with a delay in the window and between the two."""
        return np.maximum(_delayed(scene, could, np.minimum(high, most)) - _delayed(scene, could, np.maximum(low, least)), 0.0)

    zero = np.zeros_like(gap)
    orders = could.lift * share(zero, np.full_like(gap, parameters.response_days * DAY))
    used = share(zero, gap) + (1 - parameters.redeem_organic) * share(gap, valid)
    first = could.lift * parameters.redeem_extra * _delayed(scene, could, gap)
    own = (could.next_order != NONE) & (at_stake.organic_at >= begin) & (at_stake.organic_at < end)
    return _summed(at_stake, orders, could.lift * parameters.redeem_extra * used, own * parameters.redeem_organic * (1 - first))


def _delayed(scene: Scenery, could: Potential, seconds: Ints) -> Floats:
    """Share of extra orders that come before so many seconds: a truncated exponential."""
    most = scene.parameters.response_days * DAY
    return np.expm1(-np.clip(seconds, 0, most) / could.scale) / np.expm1(-most / could.scale)
