"""The world that policies are tried in: who orders what and when untouched, and what an extra order of each customer would hold.

Knows nothing of policies. Everything here follows from the seed and is the same whoever is contacted; time is whole days.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from rekindle.errors import CannotTell, UsageError
from rekindle.insight.models import LapseModel, LapseTuples, fit_mbg_nbd
from rekindle.simulate.baskets import fill
from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.facts import amounts
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.purchases import DAY, Orders, purchase
from rekindle.simulate.response import mood
from rekindle.simulate.trial_program import Tried, tried
from rekindle.simulate.world import Scenery, begin, scenery

BASKETS = 4
"""An extra order holds one of so many baskets of its customer, each as likely as the others."""

YEAR_DAYS = 365
HISTORY_MONTHS = 24
WIDE = 1 << 14
"""More than the days of any world: customer x WIDE + day sorts by customer, then day."""

WHOLE = 50_000
"""The budget of rules.yaml is for a store with so many customers; smaller ones have it in proportion (assumed)."""


@dataclass(frozen=True, slots=True)
class Own:
    """The orders that come by themselves, sorted by customer and day; money in minor units.

    Args:
        key: customer x `WIDE` + day of the calendar.
        customer, day: Whose, when.
        total: Goods after discounts.
        fee: Shipping paid.
        margin: Goods less their cost.
        coded: Whether it used a sale's code, so that no other fits.
        befell: What went wrong, one column per friction.
        left: Whether the customer left after it.
    """

    key: Ints
    customer: Ints
    day: Ints
    total: Ints
    fee: Ints
    margin: Ints
    coded: Flags
    befell: Flags
    left: Flags


@dataclass(frozen=True, slots=True)
class Extra:
    """What an extra order of each customer would hold: (customers, BASKETS), minor units."""

    total: Ints
    fee: Ints
    margin: Ints


@dataclass(frozen=True, slots=True)
class TrialWorld:
    """One seed's world, from the start of its last year.

    Args:
        scene: What the seed fixes.
        tried: The program.
        start: Day of the calendar on which the trial begins.
        budget: In the rules' period, minor units, before its reserve.
        own: Orders of their own.
        extra: Baskets of extra ones.
        moods: Factor on lifts by category and day.
        consent: Who may be written to.
        holdout, control: Who gets no marketing, and nothing of the program.
        year_margin: What a customer who has not left brings in a year by themselves, in expectation.
        model: A lapse model of the orders before the start, as the shop would fit.
    """

    scene: Scenery
    tried: Tried
    start: int
    budget: float
    own: Own
    extra: Extra
    moods: Floats
    consent: Flags
    holdout: Flags
    control: Flags
    year_margin: Floats
    model: LapseModel

    @property
    def size(self) -> int:
        """Customers, those who arrive within the year among them."""
        return self.scene.population.size


def trial_world(parameters: Parameters, customers: int, seed: int, end: date = date(2026, 1, 1)) -> TrialWorld:
    """Makes a world.

    Args:
        parameters: The marketplace's, the usual practice's arm among them.
        customers: Who arrive before the start.
        seed: Of all chance.
        end: The day on which the trial starts.

    Raises:
        UsageError: The world is too small for a lapse model.
    """
    scene = scenery(begin(customers, HISTORY_MONTHS, seed, end, "EUR"), parameters)
    people, chance = scene.population, scene.chance
    own = _own(scene, purchase(parameters, people, scene.catalogue, scene.calendar, chance))
    program = tried(parameters)
    extra = _extra(scene)
    return TrialWorld(
        scene, program, scene.calendar.days, float(program.rules.budget.amount) * scene.minor * customers / WHOLE, own, extra, mood(scene),
        people.email_consent, chance.stream("trial-holdout").random(people.size) < program.rules.holdout,
        chance.stream("trial-control").random(people.size) < program.program.control, _year_margin(scene, extra),
        _model(own, scene.calendar.days),
    )


def _own(scene: Scenery, orders: Orders) -> Own:
    order, day = np.argsort(orders.customer * WIDE + orders.instant // DAY, kind="stable"), orders.instant // DAY - scene.calendar.first
    share = np.array([one.sale_share for one in scene.parameters.personas])[scene.population.persona[orders.customer]]
    sale = scene.chance.stream("sale").random(share.size) < share
    off = np.where(sale, scene.parameters.sale_percent, 0.0)
    table, _ = amounts(scene.parameters, scene.catalogue, orders.lines, off, scene.minor)
    total, cost, fee = (np.asarray(table[name])[order] for name in ("total", "cost", "shipping"))
    key = (orders.customer * WIDE + day)[order]
    return Own(
        key, orders.customer[order], day[order], total, fee, total - cost, sale[order], orders.troubles[order], orders.left[order],
    )


def _extra(scene: Scenery) -> Extra:
    everyone = np.arange(scene.population.size)
    parts = []
    for number in range(BASKETS):
        lines = fill(scene.parameters, scene.population, scene.catalogue, everyone, scene.chance.stream("trial-basket", number))
        table, _ = amounts(scene.parameters, scene.catalogue, lines, np.zeros(everyone.size), scene.minor)
        parts.append([np.asarray(table[name]) for name in ("total", "shipping", "cost")])
    total, fee, cost = (np.column_stack(one) for one in zip(*parts, strict=True))
    return Extra(total, fee, total - cost)


def _year_margin(scene: Scenery, extra: Extra) -> Floats:
    """Orders of a year times their margin; leaving after each with chance p cuts l orders to (1 - exp(-p l)) / p."""
    people = scene.population
    expected = -np.expm1(-people.dropout * people.rate * YEAR_DAYS) / np.maximum(people.dropout, 1e-9)
    margin: Floats = expected * extra.margin.mean(axis=1)
    return margin


def _model(own: Own, start: int) -> LapseModel:
    """The MBG/NBD of what the shop has seen before the start."""
    before = own.day < start
    customer, day = own.customer[before], own.day[before]
    begins = np.flatnonzero(np.diff(customer, prepend=-1))
    ends = np.append(begins[1:], customer.size) - 1
    days = np.add.reduceat(np.diff(own.key[before], prepend=-1) != 0, begins)
    first, last = day[begins], day[ends]
    found = fit_mbg_nbd(LapseTuples.grouped(days.astype(np.int64) - 1, (last - first) / 7.0, (start - 1 - first) / 7.0))
    if isinstance(found, CannotTell):
        raise UsageError(f"the world is too small: {found.reason}", "Take more customers.")
    return found
