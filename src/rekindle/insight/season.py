"""When in the year customers order, and the clock that runs fast in the high season: a yearly pace of demand, mean 1.

Knows nothing of lapse models and of who orders. Sees weeks, how many customers were known before them, and their repeat orders.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
from scipy.special import fdtrc

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models.tuples import Floats, Ints
from rekindle.insight.week_counts import COVERED, LEAD_IN, PARTS, YEAR, Design, WeekCounts, fit
from rekindle.moment import AsOf

SAMPLE = 100_000
"""Customers that the season is found on at most; chosen by a hash of the id."""

CHANCE = 0.01               # a wave that chance alone would bring so often is none
CHANCE_TWICE = 0.05         # the same for a second wave within the year, once the first is there
PASSES = 3                  # of measuring ages on the clock that they help to find
FOUR_YEARS = 1461           # days after which the calendar repeats
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Season:
    """A yearly pace of demand: how many times its mean it is on each day, and the clock that counts demand instead of days.

    Args:
        last_day: The last whole day seen.
        waves: Cosine and sine of the logarithm of the pace, once a year, then twice.
        repeats: Repeat orders it was found on, count.
        chance: How often chance alone would bring such a wave.
    """

    last_day: date
    waves: tuple[tuple[float, float], ...]
    repeats: int
    chance: float

    def pace(self, days: Ints) -> Floats:
        """Demand on days counted from 1970-01-01 [n], mean 1 over a year."""
        whole = np.exp(_wave(self.waves, np.arange(FOUR_YEARS)))
        return np.asarray(np.exp(_wave(self.waves, days)) / whole.mean(), dtype=np.float64)

    def histories(self, recency_days: Ints, age_days: Ints) -> tuple[Floats, Floats]:
        """First to last purchase, and first purchase to the last whole day, in weeks of mean demand [n].

        What is ordered on a day is drawn from that day's demand, so a span counts the days after its first one. Each date is set to the
        nearest whole day of demand, and spans are differences of those: as coarse as the calendar, and no longer or shorter in the mean.
        """
        elapsed = np.concatenate(([0.0], np.cumsum(self.pace(self._end - np.arange(int(age_days.max(initial=0)))))))
        clock = np.round(elapsed)
        return (clock[age_days] - clock[age_days - recency_days]) / 7, clock[age_days] / 7

    def ahead(self, weeks: float) -> float:
        """Weeks of mean demand in the coming `weeks`."""
        days = self.pace(self._end + np.arange(1, int(np.ceil(7 * weeks)) + 1))
        return float(days.sum() / 7 * (7 * weeks / max(len(days), 1)))

    @property
    def height(self) -> tuple[float, float]:
        """The pace at its lowest and at its peak."""
        year = self._coming_year()
        return float(year.min()), float(year.max())

    @property
    def turns(self) -> tuple[date, date]:
        """The coming days of lowest and of highest pace."""
        year = self._coming_year()
        low, high = (self.last_day + timedelta(days=1 + int(at)) for at in (year.argmin(), year.argmax()))
        return low, high

    def __str__(self) -> str:
        """In words for people."""
        (low, high), (least, most) = self.height, self.turns
        return f"on: most orders around {most:%d %B} ({high:.2f} times the mean), fewest around {least:%d %B} ({low:.2f})"

    @property
    def _end(self) -> int:
        return (self.last_day - EPOCH).days

    def _coming_year(self) -> Floats:
        return self.pace(self._end + np.arange(1, 366))


def find(warehouse: Warehouse, orders: ir.Table, customers: ir.Table, as_of: AsOf) -> Season | CannotTell:
    """The season as of an instant, or why none is used.

    Args:
        warehouse: Runs the grouping.
        orders: customer_id, purchase_day of the orders that stand before the instant.
        customers: customer_id, first_day of who placed them.
        as_of: The instant.
    """
    first = warehouse.scalar(customers.first_day.min())
    weeks = 0 if first is None else ((as_of.last_day - first).days) // 7
    if weeks < LEAD_IN + YEAR:
        needed = f"a season shows only in a whole year after the first {LEAD_IN}: {LEAD_IN + YEAR} weeks"
        return CannotTell(f"history covers {weeks} weeks, and {needed}")
    return found(count(warehouse, orders, customers, as_of.last_day))


def count(warehouse: Warehouse, orders: ir.Table, customers: ir.Table, last_day: date) -> WeekCounts:
    """Customers by week of their first order, and their repeat orders by that and by week; of many customers a sample.

    Args:
        warehouse: Runs the grouping.
        orders: As for `find`.
        customers: As for `find`.
        last_day: The last whole day; weeks are counted back from it.
    """
    total = warehouse.scalar(customers.count())
    known = customers.select("customer_id", "first_day")
    if total > SAMPLE:
        known = known.filter(known.customer_id.hexdigest("md5")[:6] < f"{round(SAMPLE / total * 16**6):06x}")
    known = known.filter(known.first_day <= ibis.literal(last_day))
    known = known.mutate(joined=_weeks_back(known.first_day, last_day))
    joined = warehouse.arrow(known.group_by("joined").aggregate(customers=known.count()).order_by("joined"))
    bought = orders.select("customer_id", "purchase_day").join(known, "customer_id")
    again = bought.filter(bought.purchase_day > bought.first_day, bought.purchase_day <= ibis.literal(last_day))
    days = again.select("customer_id", "joined", "purchase_day").distinct()
    days = days.mutate(week=_weeks_back(days.purchase_day, last_day))
    repeats = warehouse.arrow(days.group_by("joined", "week").aggregate(orders=days.count()).order_by("joined", "week"))
    return WeekCounts.of(
        last_day, (joined["joined"].to_numpy(), joined["customers"].to_numpy()),
        (repeats["joined"].to_numpy(), repeats["week"].to_numpy(), repeats["orders"].to_numpy()),
    )


def _weeks_back(day: ir.DateValue, last_day: date) -> ir.IntegerValue:
    return (ibis.literal(last_day).delta(day, unit="day").cast("int64") // 7).cast("int64")


def found(counts: WeekCounts) -> Season | CannotTell:
    """The season that the counts show: a wave that chance hardly brings, and that foretold the last year where two were seen."""
    ages = counts.calendar_ages()
    plain, once, twice = (fit(Design.of(counts, ages, waves), counts) for waves in (0, 1, 2))
    thinnest = counts.by_part_of_year(plain.expected).min()
    if thinnest < COVERED:
        return CannotTell(
            f"a season shows only once each of the {PARTS} four-week parts of a year has room for {COVERED} repeat orders; "
            f"the thinnest has it for {thinnest:.1f}"
        )
    spread, left = counts.dispersion(twice)
    chance = _chance(twice.height - plain.height, 4, spread, left)
    if chance > CHANCE:
        return CannotTell(f"repeat orders do not rise and fall with the year by more than chance would bring in {chance:.0%} of shops")
    waves = 2 if _chance(twice.height - once.height, 2, spread, left) <= CHANCE_TWICE else 1
    if not _repeats(counts, waves):
        return CannotTell("the rise and fall of the years before did not return in the last one")
    return Season(counts.last_day, _waves_on_their_own_clock(counts, waves), counts.repeats, chance)


def _chance(gain: float, terms: int, spread: float, left: int) -> float:
    """How often chance alone raises the log-likelihood by as much (quasi-likelihood F test)."""
    return float(fdtrc(terms, left, max(2 * gain / terms / spread, 0.0)))


def _waves_on_their_own_clock(counts: WeekCounts, waves: int) -> tuple[tuple[float, float], ...]:
    """The waves, with customers' ages measured in elapsed demand: in a high season they age faster."""
    ages = counts.calendar_ages()
    pairs = fit(Design.of(counts, ages, waves), counts).waves
    for _ in range(PASSES):
        ages = counts.ages_at(np.exp(_wave(pairs, counts.middle_days())))
        pairs = fit(Design.of(counts, ages, waves), counts).waves
    return pairs


def _repeats(counts: WeekCounts, waves: int) -> bool:
    """Whether the waves of the earlier years foretell how the last year's orders lie in it; true where there is only one year."""
    earlier = counts.before(YEAR)
    ages = earlier.calendar_ages()
    if earlier.weeks < LEAD_IN + YEAR or earlier.by_part_of_year(fit(Design.of(earlier, ages, 0), earlier).expected).min() < COVERED:
        return True
    pairs = fit(Design.of(earlier, ages, waves), earlier).waves
    flat = counts.by_week(fit(Design.of(counts, counts.calendar_ages(), 0), counts).expected)[:YEAR]
    seen = counts.by_week(counts.orders)[:YEAR]
    told = _wave(pairs, counts.middle_days()[:YEAR])
    lift = np.log(np.sum(flat * np.exp(told)) / flat.sum())
    return bool(np.sum(seen * (told - lift)) > 0)


def _wave(waves: tuple[tuple[float, float], ...], days: Ints) -> Floats:
    """The logarithm of the pace, up to a constant, on days counted from 1970-01-01 [n]."""
    phase = 2 * np.pi * np.asarray(days, dtype=np.float64) / (FOUR_YEARS / 4)
    log_pace = np.zeros(len(phase))
    for number, (cosine, sine) in enumerate(waves, 1):
        log_pace += cosine * np.cos(number * phase) + sine * np.sin(number * phase)
    return log_pace
