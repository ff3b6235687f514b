"""How many repeat orders each week saw, of customers known since when: what a season is found in.

Knows nothing of the clock that is made of it. More customers are no season here, and neither are better ones: only how the orders of
one week's newcomers lie in time is looked at.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np

from rekindle.insight.models.tuples import Floats, Ints

YEAR = 52                   # weeks
BLOCK = 4                   # weeks whose surprises are taken as one
PARTS = YEAR // BLOCK
LEAD_IN = 13                # first weeks of a history, left out: their "first" orders are often those of old customers
COVERED = 5                 # repeat orders that each part of a year must have room for
ROUNDS = 50                 # of Fisher scoring
ENOUGH = 1e-6               # log-likelihood still to be gained at which a search has arrived
RIDGE = 1e-3                # keeps terms that the data say nothing of near 0
EPOCH = date(1970, 1, 1)
BENDS = 2                   # of the line of age in each doubling of it
OLDEST = 1 << 12            # weeks of age beyond which nothing changes


@dataclass(frozen=True, slots=True, eq=False)
class WeekCounts:
    """Repeat orders by week of the first order and week, both counted back from the last whole day.

    A cell is a pair of weeks, the first order's before the other: customers known at a week's beginning. The history's first weeks are
    left out as weeks, not as those of a first order.

    Args:
        last_day: The last whole day.
        weeks: Whole weeks back to the first order's.
        joined: Week of the first order of each cell [n].
        week: Its week [n].
        customers: Who first ordered in `joined` [n].
        orders: Their repeat purchase days in `week` [n].
    """

    last_day: date
    weeks: int
    joined: Ints
    week: Ints
    customers: Floats
    orders: Floats

    @classmethod
    def of(cls, last_day: date, joined: tuple[Ints, Ints], repeats: tuple[Ints, Ints, Ints]) -> Self:
        """From (week, customers) of first orders and (week of the first order, week, orders) of repeats."""
        weeks = int(joined[0].max(initial=0))
        customers, orders = np.zeros(weeks + 1), np.zeros((weeks + 1, weeks + 1))
        customers[joined[0]] = joined[1]
        orders[repeats[0], repeats[1]] = repeats[2]
        cells = np.tril(np.ones((weeks + 1, weeks + 1)), -1) * customers[:, None]
        first, week = np.nonzero(cells[:, : max(weeks + 1 - LEAD_IN, 0)])
        return cls(last_day, weeks, first, week, customers[first], orders[first, week])

    def before(self, weeks: int) -> "WeekCounts":
        """What was to be seen so many weeks earlier."""
        seen = self.week >= weeks
        return WeekCounts(
            self.last_day - timedelta(weeks=weeks), self.weeks - weeks, self.joined[seen] - weeks, self.week[seen] - weeks,
            self.customers[seen], self.orders[seen],
        )  # fmt: skip

    @property
    def repeats(self) -> int:
        """Repeat orders in all."""
        return int(self.orders.sum())

    def middle_days(self) -> Ints:
        """The middle day of each week from the last back to the first [weeks + 1], counted from 1970-01-01."""
        return np.asarray((self.last_day - EPOCH).days - 3 - 7 * np.arange(self.weeks + 1), dtype=np.int64)

    def calendar_ages(self) -> Floats:
        """Weeks since the first order by the calendar [n]."""
        return (self.joined - self.week).astype(np.float64)

    def ages_at(self, pace: Floats) -> Floats:
        """Weeks since the first order in elapsed demand [n], from the pace of each week [weeks + 1], whatever its mean."""
        middle = np.cumsum(pace) - pace / 2
        return np.asarray((middle[self.joined] - middle[self.week]) / pace.mean(), dtype=np.float64)

    def by_week(self, value: Floats) -> Floats:
        """Sums of the cells by week [weeks + 1]."""
        return np.bincount(self.week, value, self.weeks + 1).astype(np.float64)

    def by_part_of_year(self, value: Floats) -> Floats:
        """Sums of the cells by four-week part of the year, counted back from the last day [13]."""
        return np.bincount(self.week % YEAR // BLOCK, value, PARTS).astype(np.float64)

    def dispersion(self, fitted: "Fitted") -> tuple[float, int]:
        """How much more four-week totals differ from the expected ones than independent orders would, and from how many that is known.

        A sale or a strike moves a week for all customers alike, so weeks and not orders are what a season can be told from.
        """
        expected = np.bincount(self.week // BLOCK, fitted.expected)
        seen = np.bincount(self.week // BLOCK, self.orders)
        enough = expected >= 1
        left = max(int(enough.sum()) - 6, 1)
        square = float(np.sum((seen[enough] - expected[enough]) ** 2 / expected[enough]))
        return max(square / left, 1.0), left


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What the logarithm of a cell's share is a sum of, up to its cohort's: a bent line of age, and waves of the year.

    A shop that does better or worse year by year needs no line of its own: of a cohort's orders it is part of how they change with age.
    """

    columns: Floats
    waves: int

    @classmethod
    def of(cls, counts: WeekCounts, ages: Floats, waves: int) -> Self:
        """The columns [n, terms], those of the waves last."""
        bend = BENDS * np.log2(np.clip(ages, 1.0, OLDEST))
        knots = np.arange(int(np.floor(bend.max(initial=0.0))) + 1)
        bent = np.maximum(1 - np.abs(np.minimum(bend, knots[-1])[:, None] - knots), 0.0)
        phase = 2 * np.pi * counts.middle_days()[counts.week] / 365.25
        yearly = [wave for number in range(1, waves + 1) for wave in (np.cos(number * phase), np.sin(number * phase))]
        return cls(np.column_stack([bent, *yearly]), waves)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted sum: its log-likelihood without constants, the orders it expects in each cell, and its waves as (cosine, sine)."""

    height: float
    expected: Floats
    waves: tuple[tuple[float, float], ...]


def fit(design: Design, counts: WeekCounts) -> Fitted:
    """The most likely sum, given how many orders each week's newcomers placed in all: what is fitted is how those lie in time.

    So customers won in one week may be better than those of another, a whale among them, without being taken for a season. The orders
    of a cohort are multinomial over its weeks. Fisher scoring; a step that leads down is halved.
    """
    columns, cohort = design.columns, counts.joined
    totals = np.bincount(cohort, counts.orders, counts.weeks + 1)

    def height(at: Floats) -> tuple[float, Floats]:
        share = np.exp(np.clip(np.einsum("ni,i->n", columns, at), -50.0, 50.0))
        share = share / np.bincount(cohort, share, counts.weeks + 1)[cohort]
        return float(np.sum(counts.orders * np.log(share)) - 0.5 * RIDGE * np.sum(at**2)), totals[cohort] * share

    point = np.zeros(columns.shape[1])
    now, expected = height(point)
    for _ in range(ROUNDS):
        slope = np.einsum("ni,n->i", columns, counts.orders - expected) - RIDGE * point
        step = np.linalg.solve(_information(columns, expected, counts), slope)
        if float(slope @ step) < ENOUGH:
            break
        scale = next((0.5**turn for turn in range(30) if height(point + 0.5**turn * step)[0] >= now), 0.0)
        point = point + scale * step
        now, expected = height(point)
    waves = point[len(point) - 2 * design.waves :].reshape(-1, 2)
    return Fitted(now, expected, tuple((float(cosine), float(sine)) for cosine, sine in waves))


def _information(columns: Floats, expected: Floats, counts: WeekCounts) -> Floats:
    """Of the multinomial cohorts: the weighted squares of the columns less those of their cohort means, and the ridge.

    Products by einsum: a threaded product depends on the number of threads.
    """
    weighed = columns * expected[:, None]
    sums = np.stack([np.bincount(counts.joined, column, counts.weeks + 1) for column in weighed.T], axis=1)
    totals = np.bincount(counts.joined, expected, counts.weeks + 1)
    means = sums / np.maximum(totals, 1e-300)[:, None]
    products = np.einsum("ni,nj->ij", weighed, columns) - np.einsum("ni,nj->ij", sums, means)
    information: Floats = products + RIDGE * np.eye(columns.shape[1])
    return information
