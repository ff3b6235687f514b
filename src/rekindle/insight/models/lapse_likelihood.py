"""How likely purchase histories are under beta-geometric lapse, and which way the four parameters should move.

Knows nothing of the search for the best ones.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaln, psi

from rekindle.insight.models.tuples import Floats, Ints, LapseTuples, sum_of

Rows = npt.NDArray[np.intp]


def log_coin_odds(a: float, b: float, coins: Ints) -> Floats:
    """Logarithm of the odds that the last coin rather than none of `coins` coins made a customer lapse, silence apart."""
    odds = np.full(len(coins), -np.inf)
    np.log(a / (b + np.maximum(coins, 1) - 1), out=odds, where=coins > 0)
    return odds


def per_coin(b: float, coins: Ints) -> Floats:
    """The inverse of b + coins - 1, and 0 where there was no coin."""
    return np.asarray((coins > 0) / (b + np.maximum(coins, 1) - 1), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class LapseLikelihood:
    """The log-likelihood of r, alpha, a and b in their logarithms, with its gradient.

    What depends on one statistic alone is tabulated by its distinct values; one exponential and one logarithm a tuple remain.

    Args:
        weight: Customers of each tuple [n].
        repeats: Distinct repeats, and which of them each tuple has.
        age: Distinct ages, and which of them each tuple has.
        last: Distinct last purchases, and which of them each tuple has.
        first_coin: 1 where a customer may lapse after the first order, else 0.
        by_repeats: Customers by distinct repeats.
        by_age: Customers, and their repeats, by distinct age.

    Source: docs/models.md, equation 2; Fader, Hardie & Lee (2005), equation 6 rearranged; Batislam et al. (2007).
    """

    weight: Floats
    repeats: tuple[Ints, Rows]
    age: tuple[Floats, Rows]
    last: tuple[Floats, Rows]
    first_coin: int
    by_repeats: Floats
    by_age: tuple[Floats, Floats]

    @classmethod
    def of(cls, rows: LapseTuples, first_coin: int) -> Self:
        """Tabulates the rows."""
        weight = rows.customers.astype(np.float64)
        x, x_row = np.unique(rows.repeats, return_inverse=True)
        age, age_row = np.unique(rows.age, return_inverse=True)
        last, last_row = np.unique(rows.last, return_inverse=True)
        by_age = _sums(age_row, weight, len(age)), _sums(age_row, weight * rows.repeats, len(age))
        return cls(weight, (x, x_row), (age, age_row), (last, last_row), first_coin, _sums(x_row, weight, len(x)), by_age)

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        """Value and gradient at log r, log alpha, log a, log b."""
        r, alpha, a, b = np.exp(point).tolist()
        (x, x_row), (age, age_row), (last, last_row) = self.repeats, self.age, self.last
        log_late = np.log(alpha + age)
        silence = log_late[age_row] - np.log(alpha + last)[last_row]
        shape = (r + x)[x_row]
        odds = log_coin_odds(a, b, x + self.first_coin)[x_row] + shape * silence
        lapsed = self.weight * expit(odds)
        exposed = r * self.by_age[0] + self.by_age[1]
        coins = self._coins(r, a, b, _sums(x_row, lapsed, len(x)))
        customers = float(self.weight.sum())
        value = coins[0] + customers * r * float(point[1]) - sum_of(exposed, log_late) + sum_of(self.weight, np.logaddexp(0.0, odds))
        by_r = coins[1] + customers * float(point[1]) - sum_of(self.by_age[0], log_late) + sum_of(lapsed, silence)
        by_alpha = customers * r / alpha + sum_of(_sums(age_row, lapsed * shape, len(age)) - exposed, 1 / (alpha + age))
        by_alpha -= sum_of(_sums(last_row, lapsed * shape, len(last)), 1 / (alpha + last))
        return value, np.array([r * by_r, alpha * by_alpha, a * coins[2], b * coins[3]])

    def _coins(self, r: float, a: float, b: float, lapsed: Floats) -> tuple[float, float, float, float]:
        """The part that depends on repeats alone and its derivatives in r, a and b; `lapsed` customers by distinct repeats."""
        n, x = self.by_repeats, self.repeats[0]
        customers, coins = float(n.sum()), x + self.first_coin
        alike = customers * float(gammaln(a + b) - gammaln(b) - gammaln(r))
        value = sum_of(n, gammaln(r + x) + gammaln(b + coins) - gammaln(a + b + coins)) + alike
        by_r = sum_of(n, psi(r + x)) - customers * float(psi(r))
        by_a = customers * float(psi(a + b)) - sum_of(n, psi(a + b + coins))
        by_b = by_a + sum_of(n, psi(b + coins)) - customers * float(psi(b)) - sum_of(lapsed, per_coin(b, coins))
        return value, by_r, by_a + float(lapsed.sum()) / a, by_b


def _sums(row: Rows, weight: Floats, length: int) -> Floats:
    """Sums of weights by the row they belong to."""
    return np.bincount(row, weight, length).astype(np.float64, copy=False)
