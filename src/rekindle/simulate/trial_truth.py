"""What a touch in the trial is truly worth, in expectation; and what it comes to when chance has decided.

Knows nothing of policies. Expected worth of a touch: chance of an extra order x its margin, less what the offer takes off that order and
off the customer's own next one, less channel and service, less what an opt-out costs. `outcome` has the same sums at the grain of seconds.
"""

from dataclasses import dataclass, fields

import numpy as np

from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.outcome import opt_out
from rekindle.simulate.parameters import Arm
from rekindle.simulate.response import Standing, lift
from rekindle.simulate.trial_shop import MAIL, Shop
from rekindle.simulate.trial_world import BASKETS, WIDE, TrialWorld


@dataclass(frozen=True, slots=True)
class Chance:
    """What a touch of one arm could do, one element per customer; minor units and days.

    Args:
        extra: Chance of an extra order.
        off: What the offer takes off it, shipping included, (customers, BASKETS).
        gap: Days to the customer's own next order; `WIDE` where none comes.
        usable: Whether that order could use the offer.
        own_off: What it would take off that order, shipping included.
        own: Position of that order.
        opt_out: Chance that the customer opts out.
        loss: What an opt-out costs.
    """

    extra: Floats
    off: Floats
    gap: Ints
    usable: Flags
    own_off: Floats
    own: Ints
    opt_out: Floats
    loss: Floats

    def of(self, rows: Ints) -> "Chance":
        """Of some of the customers."""
        return Chance(*(getattr(self, one.name)[rows] for one in fields(self)))


def chance(world: TrialWorld, shop: Shop, who: Ints, number: int, day: int) -> Chance:
    """What a touch of an arm could do to each customer on a day.

    Args:
        world: The world.
        shop: Who has ordered what and was touched when.
        who: Customers who have ordered.
        number: Of the arm in the world's parameters.
        day: Of the calendar.
    """
    scene, own = world.scene, world.own
    parameters, arm = scene.parameters, scene.parameters.every_arm[number]
    earlier = shop.earlier(who, day, parameters.fatigue_days)
    silence = (day - shop.days[who, 0]) * scene.population.rate[who]
    at = Standing(who, silence, shop.befell[who], earlier, np.full(who.size, day))
    place = np.searchsorted(own.key, who * WIDE + day)
    following = np.minimum(place, own.key.size - 1)
    comes = (place < own.key.size) & (own.customer[following] == who)
    gap = np.where(comes, own.day[following] - day, WIDE)
    before = np.maximum(place - 1, 0)
    stays = (own.customer[before] == who) & ~own.left[before]
    valid = arm.valid_days if arm.redeemable else 0
    return Chance(
        extra=lift(scene, world.moods, np.full(who.size, number), at),
        off=discount(arm, world.extra.total[who], scene.minor, parameters.amount_most) + arm.ships_free * world.extra.fee[who],
        gap=gap,
        usable=(gap < valid) & ~own.coded[following],
        own_off=discount(arm, own.total[following], scene.minor, parameters.amount_most) + arm.ships_free * own.fee[following],
        own=following,
        opt_out=opt_out(parameters, earlier),
        loss=parameters.opt_out_loss * world.year_margin[who] * stays,
    )


def discount(arm: Arm, goods: Ints, minor: int, most: float) -> Floats:
    """What an arm's offer takes off goods, minor units."""
    taken: Floats = np.minimum(goods * arm.percent, arm.cap * minor)
    if not arm.percent:
        taken = np.minimum(arm.amount * minor, goods * most)
    return taken


def delayed(world: TrialWorld, arm: Arm, days: Ints | int) -> Floats:
    """Share of extra orders that come within so many days: a truncated exponential."""
    most = world.scene.parameters.response_days
    share: Floats = np.expm1(-np.clip(days, 0, most) / arm.delay) / np.expm1(-most / arm.delay)
    return share


@dataclass(frozen=True, slots=True)
class Worth:
    """What a touch is worth, by part; minor units, one element per customer.

    Args:
        orders: Extra orders.
        margin: Their margin before the offer.
        subsidy: What the offer takes off them.
        organic: What it takes off own orders.
        running: Mail and service.
        opt_outs: What opt-outs cost.
    """

    orders: Floats
    margin: Floats
    subsidy: Floats
    organic: Floats
    running: Floats
    opt_outs: Floats

    @property
    def net(self) -> Floats:
        """All together."""
        return self.margin - self.subsidy - self.organic - self.running - self.opt_outs


def worth(world: TrialWorld, who: Ints, number: int, could: Chance) -> Worth:
    """The mean of what chance may decide.

    With F the distribution of the delay, d the chance, r and r' the shares of own and extra orders that use a valid offer and g the gap to
    the own order: the extra order uses the offer with r' before g, with r' (1 - r) from then on; the own order with r (1 - d r' F(g)).
    """
    parameters, arm = world.scene.parameters, world.scene.parameters.every_arm[number]
    valid = arm.valid_days if arm.redeemable else 0
    gap = np.where(could.usable, could.gap, valid)
    before, whole = delayed(world, arm, gap), delayed(world, arm, valid)
    used = parameters.redeem_extra * (before + (1 - parameters.redeem_organic) * np.maximum(whole - before, 0.0))
    own = could.usable * parameters.redeem_organic * (1 - could.extra * parameters.redeem_extra * before)
    served = could.extra * delayed(world, arm, arm.valid_days) + (could.gap < arm.valid_days)
    return Worth(
        orders=could.extra,
        margin=could.extra * world.extra.margin[who].mean(axis=1),
        subsidy=could.extra * used * could.off.mean(axis=1),
        organic=own * could.own_off,
        running=MAIL + served * arm.service_cost * world.scene.minor,
        opt_outs=could.opt_out * could.loss,
    )


@dataclass(frozen=True, slots=True)
class Happened:
    """What touches came to; one element per touch.

    Args:
        extra: Whether an extra order came.
        day: Of it.
        total, margin: Of it after the offer, minor units.
        organic: What the offer took off the customer's own next order, minor units, and `organic_day` when.
        service: What the service cost, minor units.
        opted_out: Whether the customer opted out.
    """

    extra: Flags
    day: Ints
    total: Ints
    margin: Ints
    organic: Ints
    organic_day: Ints
    service: Floats
    opted_out: Flags


class Luck:
    """The luck of each customer's n-th touch, the same whoever decides on it."""

    __slots__ = ("_drawn", "world")

    def __init__(self, world: TrialWorld) -> None:
        self.world = world
        self._drawn: dict[tuple[str, int], Floats] = {}

    def of(self, name: str, who: Ints, turn: Ints) -> Floats:
        """Numbers between 0 and 1, by customer and turn."""
        found = np.empty(who.size)
        for number in np.unique(turn).tolist():
            key = (name, number)
            if key not in self._drawn:
                self._drawn[key] = self.world.scene.chance.stream(f"trial-{name}", number).random(self.world.size)
            here = turn == number
            found[here] = self._drawn[key][who[here]]
        return found


def happen(luck: Luck, who: Ints, turn: Ints, number: int, could: Chance, day: int) -> Happened:
    """Lets chance decide."""
    world = luck.world
    parameters, arm = world.scene.parameters, world.scene.parameters.every_arm[number]
    drawn = {name: luck.of(name, who, turn) for name in ("extra", "delay", "basket", "extra-code", "own-code", "opt-out")}
    extra = drawn["extra"] < could.extra
    reached = 1 - drawn["delay"] * -np.expm1(-parameters.response_days / arm.delay)
    delay = np.minimum(-arm.delay * np.log(reached), parameters.response_days - 1e-6)
    basket = np.minimum((drawn["basket"] * BASKETS).astype(np.int64), BASKETS - 1)
    rows = np.arange(who.size)
    valid = arm.valid_days if arm.redeemable else 0
    wants_extra = extra & (drawn["extra-code"] < parameters.redeem_extra) & (delay < valid)
    wants_own = could.usable & (drawn["own-code"] < parameters.redeem_organic)
    extra_uses = wants_extra & ~(wants_own & (could.gap <= delay))
    own_uses = wants_own & ~(wants_extra & (delay < could.gap))
    off = np.rint(could.off[rows, basket] * extra_uses).astype(np.int64)
    served = (extra & (delay < arm.valid_days)).astype(np.int64) + (could.gap < arm.valid_days)
    return Happened(
        extra, day + delay.astype(np.int64), world.extra.total[who, basket] - off, world.extra.margin[who, basket] - off,
        np.rint(could.own_off * own_uses).astype(np.int64), world.own.day[could.own], served * arm.service_cost * world.scene.minor,
        drawn["opt-out"] < could.opt_out,
    )
