"""The course of a trial: weeks pass, orders become known, touches are sent and have consequences.

Knows nothing of who decides on touches, nor of what they are truly worth.
"""

from dataclasses import dataclass, field

import numpy as np

from rekindle.simulate.chance import Floats, Ints
from rekindle.simulate.trial_shop import MAIL, TOUCHES, Bought, Shop, Tiers, boundaries, forgotten
from rekindle.simulate.trial_truth import Chance, Luck, happen
from rekindle.simulate.trial_world import WIDE, TrialWorld

WEEK = 7


@dataclass(frozen=True, slots=True)
class Sums:
    """Margins by customer and day, as prefix sums; minor units.

    Args:
        key: customer x `WIDE` + day, sorted.
        total: [n + 1]; sums of the margins before each place.
        first: [n]; keys of orders alone, sorted.
    """

    key: Ints
    total: Floats
    order: Ints

    def within(self, who: Ints, begin: Ints, end: Ints) -> Floats:
        """Margin from a day until before another, by customer."""
        at = [np.searchsorted(self.key, who * WIDE + day) for day in (begin, end)]
        found: Floats = self.total[at[1]] - self.total[at[0]]
        return found

    def first_order(self, who: Ints, begin: Ints) -> Ints:
        """The day of each customer's first order from a day on; a day that never comes where there is none."""
        place = np.searchsorted(self.order, who * WIDE + begin)
        key = self.order[np.minimum(place, self.order.size - 1)]
        found: Ints = np.where((place < self.order.size) & (key // WIDE == who), key % WIDE, WIDE)
        return found


@dataclass(slots=True)
class Course:
    """Where a trial has come to.

    Args:
        world: The world.
        shop: What the shop has seen.
        tiers: Boundaries of the first insight.
        luck: Of touches.
        day: Of the calendar; nothing of it or later is known.
        extra: Extra orders so far, known or not.
        coming: Those of them that are not known yet.
        others: (customer, day, margin): what offers took off own orders, mails and service, known or not.
    """

    world: TrialWorld
    shop: Shop
    tiers: Tiers
    luck: Luck
    day: int
    extra: list[Bought] = field(default_factory=list)
    coming: list[Bought] = field(default_factory=list)
    others: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)

    def pass_week(self) -> None:
        """Moves on by a week."""
        since, self.day = self.day, self.day + WEEK
        self.shop.see(_known(self.world, self.coming, since, self.day))
        self.coming = [one for one in self.coming if one.day.size and int(one.day.max()) >= self.day]
        forgotten(self.world, self.shop, since, self.day)

    def send(self, who: Ints, number: int, could: Chance) -> None:
        """Sends an arm's message to customers, and lets it have its consequences.

        Args:
            who: Each at most once.
            number: Of the arm.
            could: What the touches could do.
        """
        shop, turn = self.shop, self.shop.touches[who]
        done = happen(self.luck, who, turn, number, could, self.day)
        came, none = done.extra, np.zeros((int(done.extra.sum()), shop.befell.shape[1]), dtype=bool)
        order = Bought(who[came], done.day[came], done.margin[came], done.total[came], none)
        self.extra.append(order)
        self.coming.append(order)
        used = done.organic > 0
        self.others.append((who[used], done.organic_day[used], -done.organic[used].astype(np.float64)))
        self.others.append((who, np.full(who.size, self.day), -MAIL - done.service))
        shop.touched[who, turn % TOUCHES] = self.day
        shop.touches[who] += 1
        shop.opted_out[who] |= done.opted_out
        arm = self.world.scene.parameters.every_arm[number]
        if arm.percent or arm.amount:
            shop.price_offers[who, 1] = shop.price_offers[who, 0]
            shop.price_offers[who, 0] = self.day

    def margins(self) -> Sums:
        """Everything that is known of margins by now."""
        own, parts = self.world.own, [(one.customer, one.day, one.margin.astype(np.float64)) for one in self.extra]
        ordered = [(own.customer, own.day, own.margin.astype(np.float64)), *parts]
        customer, day, margin = (np.concatenate([one[part] for one in (*ordered, *self.others)]) for part in range(3))
        orders = np.concatenate([one[0] * WIDE + one[1] for one in ordered])
        known, seen = day < self.day, orders % WIDE < self.day
        key = (customer * WIDE + day)[known]
        place = np.argsort(key, kind="stable")
        return Sums(key[place], np.concatenate(([0.0], np.cumsum(margin[known][place]))), np.sort(orders[seen]))


def begun(world: TrialWorld) -> Course:
    """A trial on its first day: the shop has seen two years, and written to nobody."""
    shop = Shop.empty(world.size, len(world.scene.parameters.frictions))
    shop.see(_known(world, [], 0, world.start))
    return Course(world, shop, boundaries(world, shop), Luck(world), world.start)


def _known(world: TrialWorld, extra: list[Bought], since: int, until: int) -> Bought:
    """Orders of some days, sorted by customer and day."""
    own = world.own
    now = (own.day >= since) & (own.day < until)
    parts = [Bought(own.customer[now], own.day[now], own.margin[now], own.total[now], own.befell[now])]
    for one in extra:
        now = (one.day >= since) & (one.day < until)
        parts.append(Bought(one.customer[now], one.day[now], one.margin[now], one.total[now], one.befell[now]))
    names = ("customer", "day", "margin", "total", "befell")
    columns = [np.concatenate([getattr(one, name) for one in parts]) for name in names]
    order = np.argsort(columns[0] * WIDE + columns[1], kind="stable")
    return Bought(*(column[order] for column in columns))
