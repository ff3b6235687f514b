"""How likely purchase histories are under beta-geometric lapse, and which way the four parameters should move.

Knows nothing of the search for the best ones.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import gammaln, polygamma, psi

from rekindle.insight.models.fitting import Slope
from rekindle.insight.models.tuples import Floats, Ints, LapseTuples, ranked, sum_of, sums
from rekindle.insight.models.two_fates import Fate, TwoFates, fate


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
    """The log-likelihood of r, alpha, a and b in their logarithms, with gradient and exact Hessian.

    Args:
        histories: Laid out for sums over both fates.
        counts: Distinct repeats, and how many customers have them.
        first_coin: 1 where a customer may lapse after the first order, else 0.

    Source: docs/models.md, equation 2; Fader, Hardie & Lee (2005), equation 6 rearranged; Batislam et al. (2007).
    """

    histories: TwoFates
    counts: tuple[Ints, Floats]
    first_coin: int

    @classmethod
    def of(cls, rows: LapseTuples, first_coin: int) -> Self:
        """Lays out sorted rows."""
        x, row = ranked(rows.repeats)
        return cls(TwoFates.of(rows), (x, sums(row, rows.customers.astype(np.float64), len(x))), first_coin)

    def __call__(self, point: Floats) -> Slope:
        """Value and derivatives at log r, log alpha, log a, log b."""
        r, alpha, a, b = np.exp(point).tolist()
        found = self.histories.total(*self._fates(r, alpha, a, b))
        orders, coins = self._orders(r, float(point[1])), self._coins(a, b)
        hessian = found.hessian.copy()
        hessian[:2, :2] += orders.hessian
        hessian[2:, 2:] += coins.hessian
        return Slope(
            found.height + orders.height + coins.height,
            found.gradient + np.concatenate([orders.gradient, coins.gradient]),
            hessian,
        )

    def _fates(self, r: float, alpha: float, a: float, b: float) -> tuple[Fate, Fate]:
        """Alive today, and lapsed since the last order; the factors that depend on repeats alone apart."""
        pairs = self.histories.pairs
        k, late, none = r + pairs.repeats.astype(np.float64), alpha + pairs.age, np.zeros(len(pairs))
        log_late, share = np.log(late), alpha / late
        coins = pairs.repeats + self.first_coin
        rest = b * per_coin(b, coins)
        staying = [-r * log_late, -k * share]
        bend = [-r * log_late, -r * share, none, none, k * share * (share - 1), none, none, none, none]
        alive = fate(-k * log_late, np.stack([*staying, none, none]), np.stack([*bend, none]))
        log = log_coin_odds(a, b, coins) - k * log_late
        return alive, fate(log, np.stack([*staying, none + 1, -rest]), np.stack([*bend, rest * (rest - 1)]))

    def _orders(self, r: float, log_alpha: float) -> Slope:
        """What repeats alone say of r and alpha: the sum of log Gamma(r + x) / Gamma(r) + r log alpha."""
        x, n = self.counts
        count = float(n.sum())
        height = sum_of(n, gammaln(r + x)) + count * (r * log_alpha - float(gammaln(r)))
        by_r = r * (sum_of(n, psi(r + x)) + count * (log_alpha - float(psi(r))))
        bend = by_r + r * r * (sum_of(n, polygamma(1, r + x)) - count * float(polygamma(1, r)))
        return Slope(height, np.array([by_r, count * r]), np.array([[bend, count * r], [count * r, 0.0]]))

    def _coins(self, a: float, b: float) -> Slope:
        """What repeats alone say of a and b: the sum of log B(a, b + coins) / B(a, b)."""
        x, n = self.counts
        coins, count = x + self.first_coin, float(n.sum())
        height = sum_of(n, gammaln(b + coins) - gammaln(a + b + coins)) + count * float(gammaln(a + b) - gammaln(b))
        by_a = count * float(psi(a + b)) - sum_of(n, psi(a + b + coins))
        by_b = by_a + sum_of(n, psi(b + coins)) - count * float(psi(b))
        both = count * float(polygamma(1, a + b)) - sum_of(n, polygamma(1, a + b + coins))
        twice_b = both + sum_of(n, polygamma(1, b + coins)) - count * float(polygamma(1, b))
        hessian = np.array([[a * by_a + a * a * both, a * b * both], [a * b * both, b * by_b + b * b * twice_b]])
        return Slope(height, np.array([a * by_a, b * by_b]), hessian)
