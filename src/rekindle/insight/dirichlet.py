"""How much customers differ in their shares of a few kinds, and so how far a customer's own counts are to be trusted.

Knows nothing of what is counted. The Dirichlet-multinomial: a customer's shares are drawn around given means with a concentration A,
and a share is estimated as (own count + A mean) / (own total + A).
"""

from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln

from rekindle.errors import CannotTell

LOWEST, HIGHEST = 0.05, 100_000.0
LEAST_GAIN = 2.0
"""Log-likelihood that differing customers must explain better than equal ones: a likelihood ratio test at 2.3 %, one-sided."""

Values = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Concentration:
    """A fitted concentration.

    Args:
        value: Purchases that a customer's prior weighs as much as; infinite where customers do not differ.
        careful: The largest value that the data do not speak against: for who would rather trust a customer too little.
        gain: Log-likelihood over customers who do not differ.
        customers: With at least two counts; one count says nothing of how customers differ.
        quality: "good", or "weak" below a hundred such customers.
        reason: Why, in words a person can read.
    """

    value: float
    careful: float
    gain: float
    customers: int
    quality: Literal["good", "weak"]
    reason: str


@dataclass(frozen=True, slots=True)
class Tallies:
    """Distinct counts, which is all that the likelihood needs.

    Args:
        total: Distinct totals of a customer.
        total_customers: How many customers have each.
        mean: Mean share of each distinct cell, above 0.
        count: Count in it, above 0.
        count_customers: How many customers have that count in such a cell.
    """

    total: Values
    total_customers: Values
    mean: Values
    count: Values
    count_customers: Values

    def log_likelihood(self, concentration: float) -> float:
        """Of a concentration, without the multinomial coefficients; infinite: customers do not differ."""
        if concentration == inf:
            return float(np.sum(self.count_customers * self.count * np.log(self.mean)))
        prior = concentration * self.mean
        rising = float(np.sum(self.count_customers * (gammaln(prior + self.count) - gammaln(prior))))
        return rising - float(np.sum(self.total_customers * (gammaln(concentration + self.total) - gammaln(concentration))))


def fit_concentration(tallies: Tallies) -> Concentration | CannotTell:
    """Fits the concentration by maximum likelihood.

    Returns:
        The concentration, or why there is none.

    Source: Minka (2000), Estimating a Dirichlet distribution, equation 53, with the means given.
    """
    customers = int(tallies.total_customers[tallies.total >= 2].sum())
    if customers == 0:
        return CannotTell("Nobody has two purchases yet, so how far customers differ is unknown.")
    found = minimize_scalar(
        lambda log: -tallies.log_likelihood(float(np.exp(log))), bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded",
        options={"xatol": 1e-8},
    )
    value = float(np.exp(found.x))
    gain = tallies.log_likelihood(value) - tallies.log_likelihood(inf)
    quality: Literal["good", "weak"] = "good" if customers >= 100 else "weak"
    if gain < LEAST_GAIN:
        same = f"{customers:,} customers do not differ more than chance would have it."
        return Concentration(inf, inf, max(gain, 0.0), customers, quality, same)
    own = "" if quality == "good" else " only"
    reason = f"{customers:,} customers{own} with two purchases or more."
    return Concentration(float(f"{value:.6g}"), _careful(tallies, value), gain, customers, quality, reason)


def _careful(tallies: Tallies, value: float) -> float:
    """The concentration above the most likely one at which the log-likelihood is lower by `LEAST_GAIN`."""
    least = tallies.log_likelihood(value) - LEAST_GAIN
    if tallies.log_likelihood(HIGHEST) >= least:
        return inf
    found = brentq(lambda log: tallies.log_likelihood(float(np.exp(log))) - least, np.log(value), np.log(HIGHEST), xtol=1e-8)
    return float(f"{np.exp(found):.6g}")
