"""What every lapse model can say of purchase histories, whatever it assumes of lapse.

Knows nothing of any one model. Profile, risk and intervals are written against this and work with all of them.
"""

from typing import Protocol, Self

import numpy as np

from rekindle.insight.models.fitting import Quality
from rekindle.insight.models.tuples import Floats, LapseTuples, Standing


class LapseModel(Protocol):
    """A fitted lapse model with four positive parameters; `r` and `alpha` (weeks) are those of the order rates."""

    @property
    def name(self) -> str:
        """As the literature calls it."""

    @property
    def r(self) -> float:
        """Shape of the order rates."""

    @property
    def alpha(self) -> float:
        """Inverse scale of the order rates, weeks."""

    @property
    def log_likelihood(self) -> float:
        """At the parameters, without a prior and without constants, as the literature prints it."""

    @property
    def customers(self) -> int:
        """Fitted on so many."""

    @property
    def covariance(self) -> Floats:
        """Of the logarithms of the parameters, in their order [4, 4]."""

    @property
    def quality(self) -> Quality:
        """Whether the data or an assumption fixes the parameters."""

    @property
    def quality_reason(self) -> str:
        """Why, in words a person can read."""

    @property
    def parameters(self) -> dict[str, float]:
        """By name."""

    @property
    def standard_errors(self) -> dict[str, float]:
        """Of the parameters themselves, by name."""

    def moved(self, step: Floats) -> Self:
        """The same model with the logarithms of its parameters moved [4]."""

    def p_alive(self, tuples: LapseTuples) -> Floats:
        """Probability that a customer has not lapsed by the end of their age [n]."""

    def lapsed_gradient(self, tuples: LapseTuples) -> Floats:
        """Derivatives of P(lapsed) in the logarithms of the parameters [4, n]."""

    def orders_of(self, pairs: Standing, weeks: float) -> Floats:
        """Orders in the coming `weeks` if alive, for each distinct pair of repeats and age."""

    def order_pairs_of(self, pairs: Standing, weeks: float) -> Floats:
        """Mean of N (N - 1) of the N orders in the coming `weeks` if alive, for each distinct pair of repeats and age."""

    def expected_orders_if_alive(self, tuples: LapseTuples, weeks: float) -> Floats:
        """Orders in the coming `weeks` of a customer who has not lapsed yet [n]."""

    def expected_orders(self, tuples: LapseTuples, weeks: float) -> Floats:
        """Orders expected in the coming `weeks` [n]: P(alive) times the orders if alive."""

    def rate(self, tuples: LapseTuples) -> Floats:
        """Posterior mean of a customer's order rate while alive, per week [n]."""


def standard_errors(parameters: dict[str, float], covariance: Floats) -> dict[str, float]:
    """Standard errors of parameters from the covariance of their logarithms: by the delta method, parameter times that of its logarithm.

    >>> standard_errors({"r": 2.0}, np.array([[0.04]]))
    {'r': 0.4}
    """
    return {name: value * float(error) for (name, value), error in zip(parameters.items(), np.sqrt(np.diag(covariance)), strict=True)}
