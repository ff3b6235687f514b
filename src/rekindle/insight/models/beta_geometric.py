"""What the two beta-geometric lapse models share: likelihood, chance of being alive, orders to come.

Knows nothing of when the first coin is tossed: that alone tells MBG/NBD from BG/NBD.

Customers order at a gamma distributed rate, and after an order each lapses for good with a beta distributed chance.
`coins` is how often a customer could have lapsed: the repeats, and in MBG/NBD the first order too.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Self

import numpy as np
from scipy.special import expit

from rekindle.errors import CannotTell
from rekindle.insight.models.fitting import Prior, Quality
from rekindle.insight.models.lapse_fit import Recipe, Start, fit_lapse
from rekindle.insight.models.lapse_likelihood import LapseLikelihood, log_coin_odds, per_coin
from rekindle.insight.models.lapse_model import standard_errors
from rekindle.insight.models.orders_ahead import order_pairs_ahead, orders_ahead
from rekindle.insight.models.tuples import Floats, LapseTuples, Standing, standings

PRIOR = Prior(centre=(0.7, 10.0, 0.8, 2.0), spread=(1.0, 1.5, 1.0, 1.0))
"""Assumed of shops in general: an order in some 14 weeks while alive, within a factor of e or so. r, alpha (weeks), a, b."""

CERTAIN = 700.0             # log-odds beyond which a probability would leave the floating numbers


@dataclass(frozen=True, slots=True)
class BetaGeometric:
    """A fitted lapse model.

    Args:
        r: Shape of the order rates.
        alpha: Inverse scale of the order rates, weeks.
        a: First parameter of the chance to lapse after an order.
        b: Its second parameter.
        log_likelihood: At these parameters, without the prior and without constants, as the literature prints it.
        customers: Fitted on so many.
        covariance: Of log r, log alpha, log a, log b [4, 4].
        quality: "good" where the data alone fix the parameters, "weak" where they lean on the prior, "prior only" without a repeat.
        quality_reason: Why, in words a person can read.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: int
    covariance: Floats = field(repr=False, compare=False)
    quality: Quality
    quality_reason: str

    name: ClassVar[str]
    first_coin: ClassVar[int]

    @property
    def parameters(self) -> dict[str, float]:
        """The four parameters by name."""
        return {"r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Of the parameters themselves, by name."""
        return standard_errors(self.parameters, self.covariance)

    def moved(self, step: Floats) -> Self:
        """The same model with the logarithms of its parameters moved [4]."""
        r, alpha, a, b = (np.array([self.r, self.alpha, self.a, self.b]) * np.exp(step)).tolist()
        return replace(self, r=r, alpha=alpha, a=a, b=b)

    def p_alive(self, tuples: LapseTuples) -> Floats:
        """Probability that a customer has not lapsed by the end of their age [n], in (0, 1].

        Source: docs/models.md, equation 3; Fader, Hardie & Lee (2008), note on P(alive) in the BG/NBD, and its MBG counterpart.
        """
        return np.asarray(expit(-np.minimum(self.log_odds_lapsed(tuples), CERTAIN)), dtype=np.float64)

    def log_odds_lapsed(self, tuples: LapseTuples) -> Floats:
        """Logarithm of P(lapsed) / P(alive) [n]; minus infinity where a customer had no occasion to lapse."""
        silence = np.log((self.alpha + tuples.age) / (self.alpha + tuples.last))
        return log_coin_odds(self.a, self.b, tuples.repeats + self.first_coin) + (self.r + tuples.repeats) * silence

    def lapsed_gradient(self, tuples: LapseTuples) -> Floats:
        """Derivatives of P(lapsed) in log r, log alpha, log a and log b [4, n]."""
        alive = self.p_alive(tuples)
        coins = tuples.repeats + self.first_coin
        early, late = self.alpha + tuples.last, self.alpha + tuples.age
        by_r = self.r * np.log(late / early)
        by_alpha = self.alpha * (self.r + tuples.repeats) * (1 / late - 1 / early)
        by_b = -self.b * per_coin(self.b, coins)
        return alive * (1 - alive) * np.stack([by_r, by_alpha, np.ones_like(by_r), by_b])

    def expected_orders_if_alive(self, tuples: LapseTuples, weeks: float) -> Floats:
        """Orders in the coming `weeks` of a customer who has not lapsed yet, but may after any of them [n]."""
        pairs, row = standings(tuples)
        return self.orders_of(pairs, weeks)[row]

    def orders_of(self, pairs: Standing, weeks: float) -> Floats:
        """Orders in the coming `weeks` if alive, for each distinct pair of repeats and age."""
        repeats = pairs.repeats.astype(np.float64)
        return orders_ahead(self.r + repeats, weeks / (self.alpha + pairs.age), self.a, self.b + repeats + self.first_coin)

    def order_pairs_of(self, pairs: Standing, weeks: float) -> Floats:
        """Mean of N (N - 1) of the N orders in the coming `weeks` if alive, for each distinct pair of repeats and age."""
        repeats = pairs.repeats.astype(np.float64)
        return order_pairs_ahead(self.r + repeats, weeks / (self.alpha + pairs.age), self.a, self.b + repeats + self.first_coin)

    def expected_orders(self, tuples: LapseTuples, weeks: float) -> Floats:
        """Orders expected in the coming `weeks` [n]: P(alive) times the orders if alive."""
        return self.p_alive(tuples) * self.expected_orders_if_alive(tuples, weeks)

    def rate(self, tuples: LapseTuples) -> Floats:
        """Posterior mean of a customer's order rate while alive, per week [n]; silence counts as far as the customer may be alive."""
        alive = self.p_alive(tuples)
        return (self.r + tuples.repeats) * (alive / (self.alpha + tuples.age) + (1 - alive) / (self.alpha + tuples.last))

    @classmethod
    def fitted(cls, tuples: LapseTuples, start: Start | None) -> Self | CannotTell:
        """Fits by maximum likelihood; see `fit_mbg_nbd` and `fit_bg_nbd`."""
        likelihood = partial(LapseLikelihood.of, first_coin=cls.first_coin)
        found = fit_lapse(Recipe(cls.name, ("r", "alpha", "a", "b"), PRIOR, likelihood), tuples, start)
        if isinstance(found, CannotTell):
            return found
        return cls(*found.parameters, found.log_likelihood, found.customers, found.covariance, found.quality, found.quality_reason)
