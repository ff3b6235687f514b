"""What a friction truly does to the chance of a lapse on the simulated marketplace.

Knows nothing of estimates. The truth of a friction is, over the purchases that had it, the mean chance of the silence that counts as a
lapse with the friction, over the mean chance without it: the customer leaves for good, or stays and waits longer than the horizon.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc

from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.friction import leaving, return_tilt
from rekindle.simulate.purchases import DAY, Orders
from rekindle.simulate.world import Scenery


@dataclass(frozen=True, slots=True)
class Risk:
    """Mean chances of a lapse after purchases that had a friction.

    Args:
        purchases: How many.
        with_it: As it is.
        without: Had it not happened, and what it brings about been as rare as without it.
    """

    purchases: int
    with_it: float
    without: float

    @property
    def ratio(self) -> float:
        """The first over the second."""
        return self.with_it / self.without


def true_risk(scene: Scenery, orders: Orders, chosen: Ints, horizon: Ints, kind: str) -> Risk:
    """The truth of one friction.

    Args:
        scene: The world's.
        orders: Its baseline.
        chosen: Numbers of the orders looked at; those without the friction do not count.
        horizon: Days of silence after which each of them is a lapse.
        kind: Of the marketplace's parameters.
    """
    kinds = [one.kind for one in scene.parameters.frictions]
    had = orders.troubles[chosen, kinds.index(kind)]
    order, days = chosen[had], horizon[had]
    waits = _waiting(scene, orders, order, days)
    dropout = scene.population.dropout[orders.customer[order]]
    leaves = [_leaving(scene, orders, order, dropout, kind, befell) for befell in (True, False)]
    with_it, without = (float((one + (1 - one) * waits).mean()) for one in leaves)
    return Risk(order.size, with_it, without)


def _waiting(scene: Scenery, orders: Orders, order: Ints, days: Ints) -> Floats:
    """The chance that a customer who stays orders later than so many days after the order, whose hour of demand is its day's middle."""
    people, clock, customer = scene.population, scene.calendar.clock, orders.customer[order]
    shape = np.array([one.regularity for one in scene.parameters.categories])[people.category[customer]]
    day = orders.instant[order] // DAY - scene.calendar.first
    until = clock[np.minimum(day + days + 1, scene.calendar.horizon)] - (clock[day] + clock[day + 1]) / 2
    return np.asarray(gammaincc(shape, shape * people.rate[customer] * until))


def _leaving(scene: Scenery, orders: Orders, order: Ints, dropout: Floats, kind: str, befell: bool) -> Floats:
    """The chance of leaving if the friction befell each order or none; a late delivery also decides how likely the others are."""
    parameters = scene.parameters
    kinds = [one.kind for one in parameters.frictions]
    flags: Flags = orders.troubles[order].copy()
    flags[:, kinds.index(kind)] = befell
    if kind != "late_delivery":
        return leaving(parameters, dropout, flags)
    category = scene.catalogue.category[orders.lines.lead[order]]
    after = [(column, one) for column, one in enumerate(parameters.frictions) if one.after_late != 1.0]
    share_late = parameters.frictions[kinds.index(kind)].share
    total = np.zeros(order.size)
    for pattern in range(2 ** len(after)):
        weight = np.ones(order.size)
        for bit, (column, one) in enumerate(after):
            usual = one.share / (1 + share_late * (one.after_late - 1))
            tilt = return_tilt(parameters)[category] if one.kind == "return" else 1.0
            chance = np.minimum(usual * tilt * (one.after_late if befell else 1.0), 1.0)
            flags[:, column] = bool(pattern >> bit & 1)
            weight = weight * np.where(flags[:, column], chance, 1 - chance)
        total += weight * leaving(parameters, dropout, flags)
    return total
