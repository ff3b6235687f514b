"""Who the customers are: what drives each of them, hidden from the shop.

Knows nothing of orders. One element per customer in the order of their arrival.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from rekindle.simulate.chance import Chance, Flags, Floats, Ints
from rekindle.simulate.parameters import Parameters

YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a world, counted from its first, and the pace of demand on them.

    Args:
        first: Days from 1970-01-01 to the world's first day.
        days: Days before the world's end, which is where facts stop at first.
        horizon: Days in all, the pre-drawn future included.
        clock: Demand elapsed at the start of each day, in average days; `horizon + 1` elements.
        offset: Seconds that local time is ahead of UTC, by time zone and day.
    """

    first: int
    days: int
    horizon: int
    clock: Floats
    offset: Ints

    def day(self, demand: Floats) -> Ints:
        """The day on which so much demand has elapsed; `horizon` or later where it has not."""
        found = np.searchsorted(self.clock, demand, side="right") - 1
        return found.astype(np.int64)


def calendar(parameters: Parameters, first: int, days: int, future: int, zones: tuple[str, ...]) -> Calendar:
    """The calendar of a world that starts `first` days after 1970-01-01 and has a mild yearly wave."""
    horizon = days + future
    phase = 2 * np.pi * (first + np.arange(horizon) - (parameters.season_peak - 1)) / YEAR
    pace = 1 + parameters.season * np.cos(phase)
    return Calendar(first, days, horizon, np.concatenate(([0.0], np.cumsum(pace))), _offsets(first, horizon, zones))


def _offsets(first: int, horizon: int, zones: tuple[str, ...]) -> Ints:
    """Seconds ahead of UTC at noon of each day, one row per time zone."""
    noons = [datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=first + day) for day in range(horizon)]
    ahead = [[noon.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC) - noon for noon in noons] for zone in zones]
    return np.array([[offset // timedelta(seconds=1) for offset in row] for row in ahead])


@dataclass(frozen=True, slots=True)
class Population:
    """The hidden drivers of every customer.

    Args:
        persona: Number in `Parameters.personas`.
        category: Number of the favourite in `Parameters.categories`.
        zone: Number in `contacts.ZONES`.
        arrival: Demand elapsed at the first order, average days.
        rate: Orders per average day while alive.
        dropout: Chance of leaving after an order without friction.
        value: Log of the usual order, minor units.
        typical: Median of `value` over the customers.
        responsiveness: Factor on every lift, mean 1.
        email_consent: Whether e-mail is allowed.
        sms_consent: Whether text messages are allowed.
    """

    persona: Ints
    category: Ints
    zone: Ints
    arrival: Floats
    rate: Floats
    dropout: Floats
    value: Floats
    typical: float
    responsiveness: Floats
    email_consent: Flags
    sms_consent: Flags

    @property
    def size(self) -> int:
        """Number of customers, those who arrive in the pre-drawn future included."""
        return int(self.persona.size)


def arrivals(customers: int, days: Calendar, chance: Chance) -> Floats:
    """When customers arrive: `customers` of them before the end, then newcomers at the same pace."""
    draw = chance.stream("arrivals")
    end, last = days.clock[days.days], days.clock[days.horizon]
    newcomers = round(customers * (last - end) / end)
    known = np.sort(draw.random(customers)) * end
    return np.concatenate((known, end + np.sort(draw.random(newcomers)) * (last - end)))


def populate(parameters: Parameters, arrival: Floats, zones: Floats, minor: int, chance: Chance) -> Population:
    """Draws the customers.

    Args:
        parameters: The marketplace's.
        arrival: From `arrivals`.
        zones: Share of customers in each time zone.
        minor: Minor units in a unit of currency.
        chance: The world's.
    """
    size, personas, categories = arrival.size, parameters.personas, parameters.categories
    persona = _choose(np.array([one.share for one in personas]), size, chance.stream("persona"))
    category = _choose(np.array([one.share for one in categories]), size, chance.stream("category"))
    shape = np.array([one.rate_shape for one in personas])[persona]
    pace = np.array([one.orders_per_year for one in personas])[persona] * np.array([one.rate for one in categories])[category]
    mean = np.array([one.dropout[0] for one in personas])[persona]
    weight = np.array([one.dropout[1] for one in personas])[persona]
    median = np.log(np.array([one.order_value for one in personas])[persona] * minor)
    spread = parameters.response_spread
    consent = chance.stream("consent").random((2, size))
    value = median + parameters.order_spread[0] * chance.stream("value").standard_normal(size)
    return Population(
        persona=persona,
        category=category,
        zone=_choose(zones, size, chance.stream("zone")),
        arrival=arrival,
        rate=chance.stream("rate").gamma(shape, pace / shape) / YEAR,
        dropout=chance.stream("dropout").beta(mean * weight, (1 - mean) * weight),
        value=value,
        typical=float(np.median(value)),
        responsiveness=np.exp(spread * chance.stream("responsiveness").standard_normal(size) - spread**2 / 2),
        email_consent=consent[0] >= parameters.no_email_consent,
        sms_consent=consent[1] < parameters.sms_consent,
    )


def _choose(shares: Floats, size: int, draw: np.random.Generator) -> Ints:
    """Numbers drawn with the given shares."""
    return np.searchsorted(np.cumsum(shares / shares.sum())[:-1], draw.random(size), side="right").astype(np.int64)
