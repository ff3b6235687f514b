"""What the shop of a trial has seen of each customer by a day, and what it makes of it: lapse, tier, cohort, expectations.

Knows nothing of the truth beyond what a shop sees: orders, what went wrong with them, consent and its own messages.
"""

from dataclasses import dataclass

import numpy as np

from rekindle.decide.arms import OPT_OUT_RATE
from rekindle.insight.lifecycle import COHORTS, EDGES
from rekindle.insight.models import LapseTuples
from rekindle.insight.spikes import AFTER_DAYS, OWN_FACTOR
from rekindle.insight.tiers import DAYS as TIER_DAYS
from rekindle.insight.tiers import HIGH, MID
from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.trial_program import CONTEXTS, Option
from rekindle.simulate.trial_world import TrialWorld

HORIZON_WEEKS = 26
MAIL = 0.1
"""Cost of an e-mail, minor units: the settings' 0.001."""

_LONG_AGO = -(10**6)
_REMEMBERED = 4
TOUCHES = 16
_COHORTS = {name: number for number, name in enumerate(COHORTS)}


@dataclass(frozen=True, slots=True)
class Bought:
    """Orders as they become known, sorted by customer and day; minor units."""

    customer: Ints
    day: Ints
    margin: Ints
    total: Ints
    befell: Flags


@dataclass(slots=True)
class Shop:
    """Its memory; one element per customer, changed from week to week.

    Args:
        orders: Number of orders.
        margin, spend: Of them, minor units; `tier_margin` of those within the tiers' days.
        first: Day of the first; `days` the last four, latest first.
        purchases: Purchase days.
        befell: What went wrong with the last order.
        touched: Days of the last touches, by number of the touch.
        touches: How many so far.
        price_offers: Days of the last two price offers.
        opted_out: Whether the customer may not be written to any more.
    """

    orders: Ints
    purchases: Ints
    margin: Ints
    spend: Ints
    tier_margin: Ints
    first: Ints
    days: Ints
    befell: Flags
    touched: Ints
    touches: Ints
    price_offers: Ints
    opted_out: Flags

    @classmethod
    def empty(cls, size: int, frictions: int) -> "Shop":
        """Before anything is seen."""

        def zeros() -> Ints:
            return np.zeros(size, dtype=np.int64)

        return cls(
            zeros(), zeros(), zeros(), zeros(), zeros(), zeros(), np.full((size, _REMEMBERED), _LONG_AGO),
            np.zeros((size, frictions), dtype=bool), np.full((size, TOUCHES), _LONG_AGO), zeros(), np.full((size, 2), _LONG_AGO),
            np.zeros(size, dtype=bool),
        )

    def see(self, bought: Bought) -> None:
        """Takes orders in, each customer's one after another."""
        begins = np.searchsorted(bought.customer, bought.customer)
        turn = np.arange(bought.customer.size) - begins
        for number in range(int(turn.max(initial=-1)) + 1):
            now = turn == number
            who, day = bought.customer[now], bought.day[now]
            again = (self.orders[who] > 0) & (self.days[who, 0] == day)
            self.first[who] = np.where(self.orders[who] == 0, day, self.first[who])
            fresh, date = who[~again], day[~again]
            self.days[fresh, 1:] = self.days[fresh, :-1]
            self.days[fresh, 0] = date
            self.purchases[fresh] += 1
            self.orders[who] += 1
            self.margin[who] += bought.margin[now]
            self.tier_margin[who] += bought.margin[now]
            self.spend[who] += bought.total[now]
            self.befell[who] = bought.befell[now]

    def earlier(self, who: Ints, day: int, window: int) -> Ints:
        """Touches within so many days before."""
        found: Ints = (self.touched[who] > day - window).sum(axis=1)
        return found


@dataclass(frozen=True, slots=True)
class Tiers:
    """Boundaries that hold over the trial, minor units: of tiers, and the potential that counts as high."""

    high: float
    mid: float
    potential: float


def rhythm(world: TrialWorld, shop: Shop, who: Ints) -> Floats:
    """Days between orders that are usual for each customer, as `insight.lapse` has it."""
    last = (shop.days[who, 0] - shop.first[who]) / 7
    found: Floats = 7 * (world.model.alpha + last) / (world.model.r + shop.purchases[who] - 1)
    return found


def boundaries(world: TrialWorld, shop: Shop) -> Tiers:
    """The first insight's, from the buyers at the start."""
    who = np.flatnonzero(shop.orders > 0)
    high, mid = (float(np.quantile(shop.tier_margin[who], 1 - share)) for share in (HIGH, MID))
    return Tiers(high, mid, float(np.quantile(_potential(world, shop, who), 1 - EDGES.high_potential)))


def _potential(world: TrialWorld, shop: Shop, who: Ints) -> Floats:
    """Margin expected in the horizon of a customer who has not lapsed."""
    return HORIZON_WEEKS * 7 / rhythm(world, shop, who) * order_margin(shop, who)


def order_margin(shop: Shop, who: Ints) -> Floats:
    """Margin of a customer's usual order, drawn towards everybody's by two orders."""
    everyone = shop.margin.sum() / max(int(shop.orders.sum()), 1)
    drawn: Floats = (shop.margin[who] + 2 * everyone) / (shop.orders[who] + 2)
    return drawn


def order_value(shop: Shop, who: Ints) -> Floats:
    """Goods of a customer's usual order, likewise."""
    everyone = shop.spend.sum() / max(int(shop.orders.sum()), 1)
    drawn: Floats = (shop.spend[who] + 2 * everyone) / (shop.orders[who] + 2)
    return drawn


def slipping(world: TrialWorld, shop: Shop, day: int) -> Ints:
    """Who is lapsing or lapsed."""
    who = np.flatnonzero(shop.orders > 0)
    silence: Ints = day - shop.days[who, 0]
    found: Ints = who[(silence > EDGES.lapsing * rhythm(world, shop, who)) & (silence >= EDGES.lapsing_days)]
    return found


def context(world: TrialWorld, shop: Shop, tiers: Tiers, who: Ints, day: int) -> Ints:
    """The numbers of the contexts of lapsed customers: tier and cohort, by the rules of `insight.tiers` and `insight.lifecycle`."""
    silence, usual = day - shop.days[who, 0], rhythm(world, shop, who)
    tier = np.select([shop.tier_margin[who] >= tiers.high, shop.tier_margin[who] >= tiers.mid], [0, 1], 2)
    recent = (shop.days[who, :1] - shop.days[who] <= AFTER_DAYS).sum(axis=1)
    lasting = shop.days[who, 0] - shop.first[who]
    spike = (recent >= OWN_FACTOR) & (recent * lasting >= OWN_FACTOR * AFTER_DAYS * (shop.purchases[who] - 1))
    cohort = np.select(
        [shop.befell[who].any(axis=1), (_potential(world, shop, who) >= tiers.potential) & spike,
         (silence > EDGES.lapsed * usual) | (silence >= EDGES.long_inactive_days)],
        [_COHORTS["one_bad_experience"], _COHORTS["paused_high_potential"], _COHORTS["long_inactive"]], _COHORTS["other"],
    )
    found: Ints = tier * (len(CONTEXTS) // 3) + cohort
    return found


@dataclass(frozen=True, slots=True)
class Hopes:
    """What the shop expects of some customers without contact; `margin` and `value` of an order, minor units.

    Args:
        orders: Within the horizon.
        margin, value: Of an order.
    """

    orders: Floats
    margin: Floats
    value: Floats

    def cost(self, one: Option, minor: int) -> Floats:
        """Expected cost of a variant, minor units: (p0 + d) r c and the mail, as `decide.arms` has it."""
        once = np.minimum(self.value * one.percent, one.cap * minor) if one.percent else np.full(self.value.size, one.flat * minor)
        anyway = self.orders * min(1.0, one.valid_days / (7 * HORIZON_WEEKS))
        found: Floats = (anyway + one.prior[0]) * one.redemption * once + MAIL
        return found

    def gain(self, one: Option, minor: int) -> Floats:
        """What a variant is assumed to bring, minor units: d m less its cost and an opt-out's."""
        found: Floats = one.prior[0] * self.margin - self.cost(one, minor) - OPT_OUT_RATE * self.orders * self.margin
        return found


def hopes(world: TrialWorld, shop: Shop, who: Ints, day: int) -> Hopes:
    """By the lapse model and the customers' own orders."""
    first = shop.first[who]
    tuples = LapseTuples(
        shop.purchases[who] - 1, (shop.days[who, 0] - first) / 7.0, (day - first) / 7.0, np.ones(who.size, dtype=np.int64)
    )
    if not who.size:
        return Hopes(*(np.zeros(0) for _ in range(3)))
    return Hopes(world.model.expected_orders(tuples, float(HORIZON_WEEKS)), order_margin(shop, who), order_value(shop, who))


def forgotten(world: TrialWorld, shop: Shop, since: int, until: int) -> None:
    """Takes the margin of orders of so many days ago out of what counts for tiers."""
    old = (world.own.day >= since - TIER_DAYS) & (world.own.day < until - TIER_DAYS)
    np.subtract.at(shop.tier_margin, world.own.customer[old], world.own.margin[old])
