"""Who may have lapsed, at any moment and not only after an order, and how many orders are to come: the Pareto/NBD.

Knows nothing of money. The store's default lapse model.

Customers order at a gamma distributed rate until they lapse for good, after a time that is exponential at another gamma distributed rate.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
from scipy.special import exprel

from rekindle.errors import CannotTell
from rekindle.insight.models.deaths import Deaths, Point, deaths, shares
from rekindle.insight.models.fitting import Prior, Quality
from rekindle.insight.models.lapse_fit import Recipe, Start, fit_lapse
from rekindle.insight.models.lapse_model import standard_errors
from rekindle.insight.models.pareto_likelihood import ParetoLikelihood, end_of, fates
from rekindle.insight.models.tuples import Floats, LapseTuples, Rows, Standing, silences, standings
from rekindle.insight.models.two_fates import LARGEST

PRIOR = Prior(centre=(0.7, 10.0, 0.6, 12.0), spread=(1.0, 1.5, 1.0, 1.5))
"""Assumed of shops in general: an order in some 14 weeks while alive, half of all gone within half a year. r, alpha, s, beta."""

NODES = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, slots=True)
class ParetoNbd:
    """A fitted Pareto/NBD.

    Args:
        r: Shape of the order rates.
        alpha: Inverse scale of the order rates, weeks.
        s: Shape of the rates of lapse.
        beta: Inverse scale of the rates of lapse, weeks.
        log_likelihood: At these parameters, without the prior and without constants, as the literature prints it.
        customers: Fitted on so many.
        covariance: Of log r, log alpha, log s, log beta [4, 4].
        quality: "good" where the data alone fix the parameters, "weak" where they lean on the prior, "prior only" without a repeat.
        quality_reason: Why, in words a person can read.

    Source: Schmittlein, Morrison & Colombo (1987), Counting your customers: who are they and what will they do next?
    """

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float
    customers: int
    covariance: Floats = field(repr=False, compare=False)
    quality: Quality
    quality_reason: str

    name: ClassVar[str] = "Pareto/NBD"

    @property
    def point(self) -> Point:
        """The four parameters in order."""
        return self.r, self.alpha, self.s, self.beta

    @property
    def parameters(self) -> dict[str, float]:
        """The four parameters by name."""
        return {"r": self.r, "alpha": self.alpha, "s": self.s, "beta": self.beta}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Of the parameters themselves, by name."""
        return standard_errors(self.parameters, self.covariance)

    def moved(self, step: Floats) -> Self:
        """The same model with the logarithms of its parameters moved [4]."""
        r, alpha, s, beta = (np.array(self.point) * np.exp(step)).tolist()
        return replace(self, r=r, alpha=alpha, s=s, beta=beta)

    def p_alive(self, tuples: LapseTuples) -> Floats:
        """Probability that a customer has not lapsed by the end of their age [n], in (0, 1].

        Source: docs/models.md, equation 11; Fader & Hardie (2005), A note on deriving the Pareto/NBD model.
        """
        pairs, began, today = silences(tuples)
        share = shares(self.point, pairs, end_of(tuples))
        return 1 / self._whole(pairs, share, began, today)[0]

    def lapsed_gradient(self, tuples: LapseTuples) -> Floats:
        """Derivatives of P(lapsed) in log r, log alpha, log s and log beta [4, n]."""
        pairs, began, today = silences(tuples)
        unseen = deaths(self.point, pairs, end_of(tuples))
        alive, lapsed = fates(self.point, pairs, unseen)
        whole, odds = self._whole(pairs, unseen.share, began, today)
        staying = alive.first + unseen.share * lapsed.first
        moved = alive.first[:, today] / whole + odds / whole * lapsed.first[:, began]
        return np.asarray((moved - staying[:, today]) / whole, dtype=np.float64)

    def rate(self, tuples: LapseTuples) -> Floats:
        """Posterior mean of a customer's order rate while alive, per week [n]; silence counts as far as the customer may be alive."""
        pairs, began, today = silences(tuples)
        unseen: Deaths = deaths(self.point, pairs, end_of(tuples))
        whole, odds = self._whole(pairs, unseen.share, began, today)
        per_week = unseen.mean[1] / self.alpha
        alive = 1 / (self.alpha + pairs.age) - unseen.share * per_week
        return np.asarray((self.r + tuples.repeats) * (alive[today] / whole + odds / whole * per_week[began]), dtype=np.float64)

    def expected_orders_if_alive(self, tuples: LapseTuples, weeks: float) -> Floats:
        """Orders in the coming `weeks` of a customer who has not lapsed yet, but may at any time [n]."""
        pairs, row = standings(tuples)
        return self.orders_of(pairs, weeks)[row]

    def orders_of(self, pairs: Standing, weeks: float) -> Floats:
        """Orders in the coming `weeks` if alive, for each distinct pair of repeats and age.

        Source: docs/models.md, equation 12; Fader & Hardie (2005), A note on deriving the Pareto/NBD model.
        """
        late = self.beta + pairs.age
        span = np.log1p(weeks / late)
        rate = (self.r + pairs.repeats) / (self.alpha + pairs.age)
        return np.asarray(rate * late * span * exprel((1 - self.s) * span), dtype=np.float64)

    def order_pairs_of(self, pairs: Standing, weeks: float) -> Floats:
        """Mean of N (N - 1) of the N orders in the coming `weeks` if alive, for each distinct pair of repeats and age.

        Source: docs/models.md, equation 15.
        """
        late, shape = self.beta + pairs.age, self.r + pairs.repeats
        span = np.log1p(weeks / late)
        share = (NODES[0] + 1) / 2
        later = np.expm1(span[:, None] * share)
        time = late**2 * span * np.sum(NODES[1] * later * np.exp((1 - self.s) * span[:, None] * share), axis=1)
        return np.asarray(shape * (shape + 1) / (self.alpha + pairs.age) ** 2 * time, dtype=np.float64)

    def expected_orders(self, tuples: LapseTuples, weeks: float) -> Floats:
        """Orders expected in the coming `weeks` [n]: P(alive) times the orders if alive."""
        return self.p_alive(tuples) * self.expected_orders_if_alive(tuples, weeks)

    def _whole(self, pairs: Standing, share: Floats, began: Rows, today: Rows) -> tuple[Floats, Floats]:
        """The likelihood over that of being alive today [n], at least 1, and the part in it of a death since the silence began [n].

        That part counts deaths after today too, and the share of those is taken off the part of being alive.
        """
        staying = -(self.r + pairs.repeats) * np.log(self.alpha + pairs.age) - self.s * np.log(self.beta + pairs.age)
        odds = np.exp(np.minimum((staying + np.log(share))[began] - staying[today], LARGEST))
        return np.maximum(1 - share[today] + odds, 1.0), odds


RECIPE = Recipe(ParetoNbd.name, ("r", "alpha", "s", "beta"), PRIOR, ParetoLikelihood.of)


def fit_pareto_nbd(tuples: LapseTuples, start: Start | None = None) -> ParetoNbd | CannotTell:
    """Fits the Pareto/NBD by maximum likelihood, leaning on a weak prior only where the data are thin.

    Args:
        tuples: Distinct purchase histories; their order does not matter.
        start: r, alpha, s and beta to search from; the prior's centre if None.

    Returns:
        The model with its quality, or why there is none.
    """
    found = fit_lapse(RECIPE, tuples, start)
    if isinstance(found, CannotTell):
        return found
    return ParetoNbd(*found.parameters, found.log_likelihood, found.customers, found.covariance, found.quality, found.quality_reason)
