"""How likely purchase histories are when each customer is either still alive or has lapsed, and which way four parameters move that.

Knows nothing of when and why customers lapse: a model says how likely each fate is for who stood so at the age asked for. The likelihood
of a history is a term of (repeats, age), had the customer stayed, plus a term of (repeats, last purchase), had the customer lapsed.
So all that is dear is computed for distinct pairs; for a history one exponential and one logarithm remain.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from rekindle.insight.models.fitting import Slope
from rekindle.insight.models.tuples import Floats, LapseTuples, Rows, Standing, silences, sum_of, sums

UPPER = np.triu_indices(4)
"""Rows and columns of the ten second derivatives that are kept of sixteen."""

LARGEST = 700.0             # logarithm beyond which an exponential leaves the floating numbers


@dataclass(frozen=True, slots=True, eq=False)
class Fate:
    """A term of the likelihood for each distinct pair: e^log x share.

    Args:
        log: Logarithm of a scale of the term [m]; minus infinity where it cannot be.
        share: The term over its scale [m]; 1 for all if None.
        first: The term's derivatives in the four log-parameters over the scale [4, m].
        second: Its second derivatives over the scale, at `UPPER` [10, m].
    """

    log: Floats
    share: Floats | None
    first: Floats
    second: Floats


def fate(log: Floats, first: Floats, bend: Floats) -> Fate:
    """A term that is its own scale, from the logarithm's derivatives [4, m] and second derivatives at `UPPER` [10, m]."""
    return Fate(log, None, first, bend + first[UPPER[0]] * first[UPPER[1]])


@dataclass(frozen=True, slots=True, eq=False)
class TwoFates:
    """Histories laid out for sums over both fates.

    Args:
        customers: Of each history [n].
        pairs: How customers stood when their silence began and how they stand today.
        began: Which pair holds the beginning [n].
        today: Which holds today [n]; not falling.
        begins: Where the histories of each pair of today begin [m + 1].
        standing: Customers of each pair today [m].
    """

    customers: Floats
    pairs: Standing
    began: Rows
    today: Rows
    begins: Rows
    standing: Floats

    @classmethod
    def of(cls, rows: LapseTuples) -> Self:
        """Lays out sorted rows."""
        pairs, began, today = silences(rows)
        begins = np.concatenate([[0], np.cumsum(np.bincount(today, minlength=len(pairs)))])
        customers = rows.customers.astype(np.float64)
        return cls(customers, pairs, began, today, begins, sums(today, customers, len(pairs)))

    def total(self, alive: Fate, lapsed: Fate) -> Slope:
        """The log-likelihood of all histories: the sum of log(alive + lapsed).

        Args:
            alive: The term of who has stayed, read at today's pair.
            lapsed: The term of who has not, read at the pair of the silence's beginning.
        """
        count = len(self.pairs)
        odds = lapsed.log[self.began] - alive.log[self.today]
        ratio = np.exp(np.minimum(odds, LARGEST))
        whole = 1.0 + ratio if alive.share is None else alive.share[self.today] + ratio
        height = sum_of(self.standing, alive.log) + sum_of(self.customers, np.log(whole))
        if odds.max(initial=0.0) > LARGEST:
            height += sum_of(self.customers, np.maximum(odds - LARGEST, 0.0))
        of_alive = self.customers / whole
        of_lapsed = of_alive * ratio
        today = sums(self.today, of_alive, count), sums(self.today, of_alive / whole, count)
        began = sums(self.began, of_lapsed, count), sums(self.began, of_lapsed * (ratio / whole), count)
        gradient = _rows_times(alive.first, today[0]) + _rows_times(lapsed.first, began[0])
        both = csr_matrix((of_lapsed / whole, self.began, self.begins), shape=(count, count)) @ lapsed.first.T
        cross = np.einsum("im,mj->ij", alive.first, both)
        squares = _squares(alive.first, today[1]) + _squares(lapsed.first, began[1]) + cross + cross.T
        bend = np.zeros((4, 4))
        bend[UPPER] = _rows_times(alive.second, today[0]) + _rows_times(lapsed.second, began[0])
        return Slope(height, gradient, bend + np.triu(bend, 1).T - squares)


def _rows_times(rows: Floats, weight: Floats) -> Floats:
    return np.asarray(np.sum(rows * weight, axis=1), dtype=np.float64)


def _squares(first: Floats, weight: Floats) -> Floats:
    return np.asarray(np.einsum("im,jm->ij", first, first * weight), dtype=np.float64)
