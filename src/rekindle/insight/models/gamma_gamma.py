"""What an order of a customer brings, shrunk from their own mean towards everyone's: Gamma-Gamma.

Knows nothing of how often they order: the model takes value and frequency as independent, which `docs/models.md` says how to check.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from scipy.special import gammaln, polygamma, psi

from rekindle.errors import CannotTell
from rekindle.insight.models.fitting import LogLikelihood, Prior, Slope, maximise
from rekindle.insight.models.lapse_model import standard_errors
from rekindle.insight.models.tuples import Floats, Ints, sum_of

Start = tuple[float, float, float]
"""p, q and v."""

PRIOR = Prior(centre=(6.0, 4.0, 0.5), spread=(1.0, 1.0, 1.0))
"""Assumed of shops in general, in units of the mean value of an order. p, q, v."""

LEAST_Q = 1.05              # below, the mean over customers does not exist or is a number of a few extremes


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """A fitted model of the value of an order.

    Args:
        p: Shape of a customer's order values.
        q: Shape of the customers' inverse scales.
        v: Their scale, in the unit of the values.
        log_likelihood: At these parameters, in the unit of the values.
        customers: Fitted on so many.
        covariance: Of log p, log q, log v [3, 3].
        quality: "good" where the data alone fix the parameters, "weak" where they lean on the prior.
        quality_reason: Why, in words a person can read.
    """

    p: float
    q: float
    v: float
    log_likelihood: float
    customers: int
    covariance: Floats = field(repr=False, compare=False)
    quality: Literal["good", "weak"]
    quality_reason: str

    name: ClassVar[str] = "Gamma-Gamma"

    @property
    def parameters(self) -> dict[str, float]:
        """The three parameters by name."""
        return {"p": self.p, "q": self.q, "v": self.v}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Of the parameters themselves, by name."""
        return standard_errors(self.parameters, self.covariance)

    @property
    def mean(self) -> float:
        """Mean value of an order over customers, in the unit of the values: what a customer without an order is expected to bring."""
        return self.p * self.v / (self.q - 1)

    def expected_value(self, orders: Ints, mean: Floats) -> Floats:
        """Expected value of an order [n], p (v + x m) / (p x + q - 1), in the unit of the values.

        Args:
            orders: Orders behind the mean, count [n]; 0 gives the mean over customers.
            mean: A customer's own mean value [n]; any number where there is no order.

        Source: Fader & Hardie (2013), The gamma-gamma model of monetary value, equation 5.
        """
        spent = orders * np.where(orders > 0, mean, 0.0)
        return np.asarray(self.p * (self.v + spent) / (self.p * orders + self.q - 1), dtype=np.float64)


def fit_gamma_gamma(
    orders: Ints, mean: Floats, customers: Ints | None = None, start: Start | None = None
) -> GammaGamma | CannotTell:
    """Fits the Gamma-Gamma model by maximum likelihood, leaning on a weak prior only where the data are thin.

    Customers without an order or with a mean value of nothing or less are left out: the model knows positive values only.

    Args:
        orders: Orders behind each mean, count [n].
        mean: Mean value of them [n], any money unit.
        customers: How many customers each row stands for [n]; one if None.
        start: p, q and v to search from, v in the unit of the values; the prior's centre if None.

    Returns:
        The model with its quality, or why there is none.
    """
    weight = np.ones(len(orders)) if customers is None else customers.astype(np.float64)
    usable = (orders > 0) & (mean > 0)
    weight, x, value = weight[usable], orders[usable].astype(np.float64), mean[usable]
    count = int(weight.sum())
    if count == 0:
        return CannotTell("No customer has an order that brought anything, so what an order brings is unknown.")
    unit = sum_of(weight, value) / count
    surface = _likelihood(x, value / unit, weight)
    found = maximise(surface, PRIOR, PRIOR.start if start is None else np.log([start[0], start[1], start[2] / unit]))
    if isinstance(found, CannotTell):
        return CannotTell(f"Gamma-Gamma on {count:,} customers: {found.reason}")
    p, q, v = np.exp(found.point).tolist()
    if q < LEAST_Q:
        return CannotTell(f"Order values of {count:,} customers differ so widely (q = {q:.2f}) that they have no mean to shrink to.")
    quality: Literal["good", "weak"] = "good" if found.alone else "weak"
    verdict = "fix all three parameters" if found.alone else "do not fix all three parameters: an assumption helps"
    log_likelihood = found.height - float(weight.sum()) * float(np.log(unit))
    return GammaGamma(p, q, v * unit, log_likelihood, count, found.covariance, quality, f"The orders of {count:,} customers {verdict}.")


def _likelihood(x: Floats, value: Floats, weight: Floats) -> LogLikelihood:
    """The log-likelihood of p, q and v in their logarithms, with its gradient; gamma terms by distinct count.

    Source: Fader & Hardie (2013), The gamma-gamma model of monetary value, equation 1a.
    """
    n = float(weight.sum())
    distinct, row = np.unique(x, return_inverse=True)
    n_x = np.bincount(row, weight, len(distinct))
    log_spent = sum_of(weight, x * np.log(x * value))
    log_values = sum_of(weight, np.log(value))

    def surface(point: Floats) -> Slope:
        p, q, v = np.exp(point).tolist()
        log_v = float(point[2])
        total = x * value + v
        log_total = weight * np.log(total)
        shape, own, share = p * distinct + q, p * distinct, weight * v / total
        height = n_x @ (gammaln(shape) - gammaln(own)) + n * (q * log_v - gammaln(q)) + p * log_spent - log_values
        by_p = p * ((n_x * distinct) @ (psi(shape) - psi(own)) + log_spent - sum_of(log_total, x))
        by_q = q * (n_x @ psi(shape) - n * psi(q) + n * log_v - log_total.sum())
        by_v = n * q - sum_of(share, p * x + q)
        twice = n_x * polygamma(1, shape)
        pp = by_p + p * p * (twice @ distinct**2 - (n_x * distinct**2) @ polygamma(1, own))
        pq, qq = p * q * (twice @ distinct), by_q + q * q * (twice.sum() - n * polygamma(1, q))
        pv, qv = -p * sum_of(share, x), q * (n - share.sum())
        vv = -sum_of(share * (1 - v / total), p * x + q)
        hessian = np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]])
        return Slope(float(height - sum_of(log_total, p * x + q)), np.array([by_p, by_q, by_v]), hessian)

    return surface
