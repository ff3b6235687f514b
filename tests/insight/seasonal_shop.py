"""A shop whose demand rises and falls with the year, and whose truth is known: MBG/NBD customers in elapsed demand.

Knows nothing of the models under test: it plays one order after another, all customers' n-th orders at once.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import numpy as np
import pyarrow as pa

from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models.tuples import Floats, Ints

FIRST = date(2023, 1, 1)
EPOCH = date(1970, 1, 1)
TRUTH = (0.8, 8.0, 0.8, 3.0)
"""r, alpha (weeks), a and b."""


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """Purchase days, one row each: customer's number and day from `FIRST` on."""

    customer: Ints
    day: Ints

    def fill(self, warehouse: Warehouse) -> None:
        """Writes them as orders of 30.00."""
        size = len(self.day)
        first = np.datetime64(FIRST, "us")
        rows = {
            "order_id": [f"o{number}" for number in range(size)], "customer_id": [f"c{number:06d}" for number in self.customer],
            "ordered_at": pa.array(first + self.day.astype("timedelta64[D]") + np.timedelta64(12, "h")),
            "purchase_day": pa.array((first + self.day.astype("timedelta64[D]")).astype("datetime64[D]")),
            **{name: np.full(size, value) for name, value in (("net", 3_000), ("discount", 0), ("shipping", 0), ("tax", 0), ("lines", 0))},
            "cancelled": np.zeros(size, dtype=bool), "code": pa.nulls(size, pa.string()), "source": ["shop"] * size,
            "batch": np.ones(size, dtype=np.int64), "digest": [""] * size,
        }  # fmt: skip
        schema = FACTS["orders"].schema.to_pyarrow()
        warehouse.insert("orders", ibis.memtable(pa.table({name: rows[name] for name in schema.names}).cast(schema)))


def pace(days: int, heights: tuple[float, ...], peak: int = 335) -> Floats:
    """Demand of each day from `FIRST` on: exp of waves once, twice, ... a year that peak on a day of the year, mean 1 over a year."""

    def wave(day: Ints) -> Floats:
        phase = 2 * np.pi * (day - (peak - 1)) / 365.25
        return np.exp(sum(height * np.cos(number * phase) for number, height in enumerate(heights, 1)))

    flat = wave(np.arange(1461)).mean() if heights else 1.0
    return wave(np.arange(days)) / flat if heights else np.ones(days)


def play(rng: np.random.Generator, customers: int, pace: Floats, growth: float = 0.0) -> Shop:
    """Customers who join by the calendar, evenly or ever more of them, and order at gamma rates until they lapse.

    Args:
        rng: All chance.
        customers: How many join.
        pace: Demand of each day.
        growth: How much of the joining lies at the end; 0 is even, 1 rises from nothing.
    """
    r, alpha, a, b = TRUTH
    days = len(pace)
    clock = np.concatenate(([0.0], np.cumsum(pace)))
    share = rng.random(customers)
    arrival = days * (share if not growth else (np.sqrt((1 - growth) ** 2 + growth * (2 - growth) * share) - (1 - growth)) / growth)
    demand = np.interp(arrival, np.arange(days + 1), clock)
    rate, chance = rng.gamma(r, 1 / alpha, customers) / 7, rng.beta(a, b, customers)
    who, bought = np.arange(customers), []
    while len(who):
        bought.append((who, np.minimum(np.searchsorted(clock, demand[who], side="right") - 1, days - 1)))
        who = who[rng.random(len(who)) >= chance[who]]
        demand[who] += rng.exponential(1 / rate[who])
        who = who[demand[who] < clock[-1]]
    rows = np.unique(np.concatenate([customer * days + when for customer, when in bought]))
    return Shop(rows // days, rows % days)


def day(number: int) -> date:
    """The date of a day counted from `FIRST`."""
    return FIRST + timedelta(days=number)
