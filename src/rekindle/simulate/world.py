"""The marketplace Marigold as it would be if nobody were ever contacted, and the folder it is kept in.

Knows nothing of touches. `var/truth` holds what a shop never sees: the customers' hidden drivers and the pre-drawn future.
"""

import json
from calendar import monthrange
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rekindle import money
from rekindle.errors import BadData, UsageError
from rekindle.simulate import contacts, facts
from rekindle.simulate.catalogue import Catalogue, products, sellers, stock
from rekindle.simulate.chance import Chance
from rekindle.simulate.favours import promotions
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.population import Calendar, Population, arrivals, calendar, populate
from rekindle.simulate.purchases import Orders, purchase

FUTURE_DAYS = 365
EPOCH = date(1970, 1, 1)
_STATE = "world.json"
_MOST_CUSTOMERS, _MOST_MONTHS = 10_000_000, 120


@dataclass(frozen=True, slots=True)
class State:
    """What a world is made from, and how far it has been told.

    Args:
        seed: Of all chance.
        customers: Who arrive before the end.
        months: Of history.
        end: The first day that was not told at first, UTC.
        currency: ISO 4217 code.
        clock: The first day that has not been told.
        batch: Number of the last import files.
    """

    seed: int
    customers: int
    months: int
    end: date
    currency: str
    clock: date
    batch: int

    @property
    def minor(self) -> int:
        """Minor units in a unit of currency."""
        return int(10 ** money.exponent(self.currency))

    @property
    def horizon(self) -> date:
        """The first day that is not pre-drawn."""
        return date.fromordinal(self.end.toordinal() + FUTURE_DAYS)


@dataclass(frozen=True, slots=True)
class Scenery:
    """What stays as it is whoever is contacted: drawn from the seed alone.

    Args:
        parameters: The marketplace's.
        chance: Of the seed.
        calendar: Days and demand.
        catalogue: What is sold.
        population: Who buys.
        minor: Minor units in a unit of currency.
    """

    parameters: Parameters
    chance: Chance
    calendar: Calendar
    catalogue: Catalogue
    population: Population
    minor: int


def begin(customers: int, months: int, seed: int, end: date, currency: str) -> State:
    """A new world's state.

    Raises:
        UsageError: A number is out of its range.
    """
    ranges = (("customers", customers, 10, _MOST_CUSTOMERS), ("months", months, 1, _MOST_MONTHS), ("seed", seed, 0, 2**63))
    for name, value, least, most in ranges:
        if not least <= value <= most:
            raise UsageError(f"--{name} {value} is out of range", f"Write a number from {least:,} to {most:,}.")
    return State(seed, customers, months, end, currency, end, 1)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last.

    >>> months_before(date(2026, 3, 31), 1).isoformat()
    '2026-02-28'
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def scenery(state: State, parameters: Parameters | None = None) -> Scenery:
    """Draws what a world's seed fixes."""
    parameters, chance = parameters or Parameters(), Chance(state.seed)
    start = months_before(state.end, state.months)
    zones = tuple(zone for zone, _, _, _ in contacts.ZONES)
    days = calendar(parameters, (start - EPOCH).days, (state.end - start).days, FUTURE_DAYS, zones)
    population = populate(parameters, arrivals(state.customers, days, chance), contacts.shares(), state.minor, chance)
    return Scenery(parameters, chance, days, stock(parameters, chance, state.minor), population, state.minor)


def baseline(scene: Scenery) -> dict[str, pa.Table]:
    """Every fact that comes about if nobody is contacted, by kind, up to the horizon."""
    orders = purchase(scene.parameters, scene.population, scene.catalogue, scene.calendar, scene.chance)
    persona = scene.population.persona[orders.customer]
    told = facts.of_orders(scene.parameters, scene.catalogue, orders, persona, scene.minor, scene.chance)
    seen = _first_seen(scene.population, orders)
    return {
        "sellers": sellers(scene.parameters),
        "products": products(scene.parameters, scene.catalogue),
        "customers": contacts.customers(scene.population, seen),
        "contacts": contacts.contacts(scene.population, seen, scene.chance),
        **told,
        "promotions": promotions(scene.parameters, scene.catalogue, scene.calendar, scene.chance),
    }


def _first_seen(population: Population, orders: Orders) -> np.ndarray:
    """Ten minutes before the first order."""
    seen = np.full(population.size, np.iinfo(np.int64).max)
    np.minimum.at(seen, orders.customer, orders.instant)
    return seen - 600


def latent(scene: Scenery) -> pa.Table:
    """The customers' hidden drivers, for who may read the truth."""
    people, parameters = scene.population, scene.parameters
    return pa.table(
        {
            "customer": np.arange(people.size),
            "persona": pa.array([one.name for one in parameters.personas]).take(pa.array(people.persona)),
            "category": pa.array([one.name for one in parameters.categories]).take(pa.array(people.category)),
            "orders_per_day": people.rate,
            "dropout": people.dropout,
            "usual_order": np.rint(np.exp(people.value)).astype(np.int64),
            "responsiveness": people.responsiveness,
            "email_consent": people.email_consent,
            "sms_consent": people.sms_consent,
        }
    )


def truth_folder(folder: Path) -> Path:
    """Where a store folder keeps its world's truth."""
    return folder / "var" / "truth"


def load_state(folder: Path) -> State:
    """Reads a world's state.

    Raises:
        UsageError: The folder holds no world.
        BadData: The state cannot be read.
    """
    path = truth_folder(folder) / _STATE
    if not path.is_file():
        raise UsageError(f"{folder} holds no simulated marketplace", "Make one with: rekindle simulate --customers 20000 --months 24")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return State(**{**said, "end": date.fromisoformat(said["end"]), "clock": date.fromisoformat(said["clock"])})
    except (ValueError, TypeError, KeyError) as error:
        raise BadData(f"{path} cannot be read: {error}", "Remove var/truth and var/inbox, and simulate again.") from error


def clock(folder: Path) -> date:
    """The day that a store folder's world has come to, not told yet.

    Raises:
        UsageError: The folder holds no world.
        BadData: Its state cannot be read.
    """
    return load_state(folder).clock


def save_state(folder: Path, state: State) -> None:
    """Writes a world's state whole or not at all; it is written last, so that a broken-off step can be repeated."""
    path = truth_folder(folder) / _STATE
    partial = path.with_name(_STATE + ".partial")
    partial.write_text(json.dumps(asdict(state), default=str, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def save(table: pa.Table, path: Path) -> None:
    """Writes a Parquet file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)
