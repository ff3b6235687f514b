"""When customers order by themselves, untouched, and after which order they leave.

Knows nothing of touches. Gaps are gamma (Erlang by category) in elapsed demand; leaving is beta-geometric after every
order, the first included, as in MBG/NBD, and likelier where something went wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rekindle.simulate.baskets import Lines, fill, rearranged, together
from rekindle.simulate.catalogue import Catalogue
from rekindle.simulate.chance import Chance, Flags, Floats, Ints
from rekindle.simulate.friction import leaving, troubles
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.population import Calendar, Population

DAY = 86_400
_Draw = Callable[[str], np.random.Generator]


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of the whole baseline, sorted by instant.

    Args:
        customer: Number in the population.
        instant: Seconds since 1970-01-01 UTC.
        troubles: One column per friction.
        leaving: Chance that the customer left after this order.
        left: Whether the customer did.
        lines: The baskets.
    """

    customer: Ints
    instant: Ints
    troubles: Flags
    leaving: Floats
    left: Flags
    lines: Lines


@dataclass(frozen=True, slots=True)
class _Round:
    """The customers who order for the n-th time, and how it goes."""

    customer: Ints
    day: Ints
    troubles: Flags
    leaving: Floats
    left: Flags
    lines: Lines


def purchase(parameters: Parameters, population: Population, catalogue: Catalogue, days: Calendar, chance: Chance) -> Orders:
    """Draws every order up to the calendar's horizon, all customers' n-th orders at once.

    A customer orders at most once a day (UTC), at an hour that suits the own time zone.
    """
    gaps = chance.stream("gaps")
    shape = np.array([one.regularity for one in parameters.categories])[population.category]
    demand, customer = population.arrival.copy(), np.arange(population.size)
    day = days.day(demand)
    rounds: list[_Round] = []
    while customer.size:
        rounds.append(_order(parameters, population, catalogue, chance.turn(len(rounds)), customer, day))
        stays = ~rounds[-1].left
        customer, day = customer[stays], day[stays]
        demand[customer] += gaps.gamma(shape[customer], 1 / (shape[customer] * population.rate[customer]))
        day = np.maximum(days.day(demand[customer]), day + 1)
        within = day < days.horizon
        customer, day = customer[within], day[within]
    return _sorted(rounds, population, days, chance)


def _order(
    parameters: Parameters, population: Population, catalogue: Catalogue, draw: _Draw, customer: Ints, day: Ints
) -> _Round:
    lines = fill(parameters, population, catalogue, customer, draw("baskets"))
    lead = lines.lead
    befell = troubles(parameters, catalogue.category[lead], catalogue.late[lead], draw("troubles"))
    leaves = leaving(parameters, population.dropout[customer], befell)
    left = draw("leaving").random(customer.size) < leaves
    return _Round(customer, day, befell, leaves, left, lines)


def _sorted(rounds: list[_Round], population: Population, days: Calendar, chance: Chance) -> Orders:
    customer = np.concatenate([one.customer for one in rounds])
    day = np.concatenate([one.day for one in rounds])
    second = (_second_of_day(day.size, chance) - days.offset[population.zone[customer], day]) % DAY
    instant = (days.first + day) * DAY + second
    order = np.lexsort((customer, instant))
    return Orders(
        customer[order],
        instant[order],
        np.concatenate([one.troubles for one in rounds])[order],
        np.concatenate([one.leaving for one in rounds])[order],
        np.concatenate([one.left for one in rounds])[order],
        rearranged(together([one.lines for one in rounds]), order),
    )


_HOURS = (1, 0.5, 0.3, 0.2, 0.3, 0.6, 1.5, 2.5, 3.5, 4.5, 5, 5, 5.5, 5, 4.5, 4.5, 5, 5.5, 6.5, 8, 9, 8, 5, 2.5)  # assumed: evenings


def _second_of_day(size: int, chance: Chance) -> Ints:
    """Seconds after local midnight."""
    draw = chance.stream("hours")
    shares = np.cumsum(np.array(_HOURS) / sum(_HOURS))
    hour = np.searchsorted(shares[:-1], draw.random(size), side="right")
    return (hour * 3600 + draw.integers(0, 3600, size)).astype(np.int64)
