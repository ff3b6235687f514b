"""How well numbers foretold what customers did: scores of chances, calibration by tenths, expected over actual.

Knows nothing of models, instants and engines: arrays of distinct histories with what became of their customers.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.insight.models.shares import Z, share_interval
from rekindle.insight.models.tuples import Floats, Ints

TENTHS = 10
SURE = 1e-6                 # a chance closer to 0 or 1 is taken as this, so that one surprise does not weigh without limit


@dataclass(frozen=True, slots=True)
class Forecast:
    """How well chances foretold who ordered; lower is better.

    Args:
        brier: Mean squared difference of the chance and what came (1 or 0), 0 to 1.
        log_loss: Mean negative natural logarithm of the chance given to what came.
    """

    brier: float
    log_loss: float


@dataclass(frozen=True, slots=True)
class Decile:
    """A tenth of customers: how many, what was predicted in the mean, and what came with a 95 % interval."""

    customers: int
    predicted: float
    actual: Interval


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What became of the customers of each distinct history.

    Args:
        silence: Days since their last order [n].
        customers: How many share the history, count [n].
        orders: Their purchase days in the horizon, count [n].
        squares: The sum over them of squared purchase days [n].
        again: How many ordered at all, count [n].
    """

    silence: Ints
    customers: Ints
    orders: Ints
    squares: Ints
    again: Ints

    @classmethod
    def of(cls, groups: pa.Table) -> Self:
        """From `backtest.came`."""
        silence = groups["age_days"].to_numpy() - groups["recency_days"].to_numpy()
        return cls(silence, *(groups[column].to_numpy() for column in ("customers", "orders", "squares", "again")))

    @property
    def total(self) -> int:
        """Customers in all."""
        return int(self.customers.sum())

    @property
    def ordered(self) -> int:
        """Purchase days in all."""
        return int(self.orders.sum())

    def weighed(self, value: Floats) -> float:
        """The sum over customers of a value of their history."""
        return float(np.sum(self.customers * value))

    def forecast(self, chance: Floats) -> Forecast:
        """Scores the chance of another order, of each history [n].

        Source: Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation.
        """
        no = self.customers - self.again
        sure = np.clip(chance, SURE, 1 - SURE)
        brier = np.sum(self.again * (1 - chance) ** 2 + no * chance**2)
        surprise = -np.sum(self.again * np.log(sure) + no * np.log1p(-sure))
        return Forecast(float(brier) / self.total, float(surprise) / self.total)

    def by_silence(self, shares: tuple[float, float], days: int) -> Floats:
        """A chance for each history by the fixed-day rule [n]: the first share for a shorter silence, the second from `days` on."""
        return np.where(self.silence >= days, shares[1], shares[0])

    def tenths_by_chance(self, chance: Floats) -> tuple[Decile, ...]:
        """Customers in tenths by their chance, from the lowest: its mean, and the share who ordered with Wilson's interval."""
        found = []
        for tenth in self._tenths(chance):
            n, yes = int(self.customers[tenth].sum()), float(self.again[tenth].sum())
            found.append(Decile(n, self._mean(chance, tenth), share_interval(yes, n)))
        return tuple(found)

    def tenths_by_orders(self, expected: Floats) -> tuple[Decile, ...]:
        """Customers in tenths by expected orders, from the fewest: their mean, and the mean that came with a normal interval."""
        found = []
        for tenth in self._tenths(expected):
            n, orders = int(self.customers[tenth].sum()), float(self.orders[tenth].sum())
            spread = max(float(self.squares[tenth].sum()) / n - (orders / n) ** 2, 0.0)
            half = Z * float(np.sqrt(spread / n))
            found.append(Decile(n, self._mean(expected, tenth), Interval(max(orders / n - half, 0.0), orders / n, orders / n + half)))
        return tuple(found)

    def _tenths(self, value: Floats) -> list[Ints]:
        """The histories of each tenth; one history's customers stay together, so tenths differ a little, and an empty one is left out."""
        order = np.argsort(value, kind="stable")
        until = np.cumsum(self.customers[order])
        tenth = ((until - self.customers[order] / 2) / max(self.total, 1) * TENTHS).astype(np.int64)
        return [order[tenth == one] for one in range(TENTHS) if (tenth == one).any()]

    def _mean(self, value: Floats, rows: Ints) -> float:
        return float(np.sum(self.customers[rows] * value[rows]) / self.customers[rows].sum())


def expected_over_actual(outcomes: Outcomes, expected: Floats) -> Interval | CannotTell:
    """The calibration ratio: expected over actual orders, 1 where as many came as expected.

    The interval is that of who orders by chance, customers apart from each other: the variance of the total that came is the sum of squared
    differences between each customer's orders and expected ones. It does not hold what moves everybody at once.

    Args:
        outcomes: What came.
        expected: Orders expected of a customer of each history [n].
    """
    if not outcomes.ordered:
        return CannotTell("nobody ordered in the horizon")
    square = outcomes.squares - 2 * expected * outcomes.orders + outcomes.customers * expected**2
    half = Z * float(np.sqrt(np.sum(square))) / outcomes.ordered
    ratio = outcomes.weighed(expected) / outcomes.ordered
    return Interval(ratio / (1 + half), ratio, ratio / (1 - half)) if half < 1 else CannotTell(f"only {outcomes.ordered} orders came")


def silence_shares(outcomes: Outcomes, days: int) -> tuple[float, float]:
    """The share who ordered of those silent for less than `days`, and for `days` or more, one of two added to each.

    Source: Laplace's rule of succession, so that no share is 0 or 1.
    """
    silent = outcomes.silence >= days
    parts = (~silent, silent)
    recent, long = ((float(outcomes.again[part].sum()) + 1) / (float(outcomes.customers[part].sum()) + 2) for part in parts)
    return recent, long
