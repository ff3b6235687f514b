"""Where a log-likelihood is highest, how sharply, and whether the data or the prior put it there.

Knows nothing of what the parameters mean. They are positive and handled as logarithms.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rekindle.errors import CannotTell
from rekindle.insight.models.tuples import Floats

Quality = Literal["good", "weak", "prior only"]
LogLikelihood = Callable[[Floats], tuple[float, Floats]]
"""Takes log-parameters, gives the log-likelihood and its gradient in them."""

EDGE = 9.0                  # no log-parameter beyond this: 8,103 and its inverse are infinity and nothing for a shop
LOOSEST = 1.0               # standard error of a log-parameter above which data alone do not fix it
DECREMENT = 1e-12           # log-likelihood still to be gained at which a climb has arrived
FLAT = 1e-9                 # curvature below which the ground is level
FAR, NEAR = 60, 10          # Newton's steps at most with the prior's lead, and without it
STEP = 1e-4                 # of the central differences that give the curvature


@dataclass(frozen=True, slots=True)
class Prior:
    """What is assumed of shops in general: independent log-normal parameters.

    Args:
        centre: Medians of the parameters.
        spread: Standard deviations of their logarithms.
    """

    centre: tuple[float, ...]
    spread: tuple[float, ...]

    @property
    def start(self) -> Floats:
        """The log-parameters at the centre."""
        return np.array([math.log(centre) for centre in self.centre])

    @property
    def precision(self) -> Floats:
        """Inverse variances of the log-parameters."""
        return np.array([spread**-2.0 for spread in self.spread])

    def on(self, log_likelihood: LogLikelihood) -> LogLikelihood:
        """The log-likelihood with the prior's logarithm added."""

        def posterior(point: Floats) -> tuple[float, Floats]:
            value, gradient = log_likelihood(point)
            pull = self.precision * (point - self.start)
            return value - 0.5 * float(pull @ (point - self.start)), gradient - pull

        return posterior


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The highest point found.

    Args:
        point: Log-parameters.
        covariance: Of the log-parameters, from the curvature.
        alone: True where the data alone fix it, False where it leans on the prior.
    """

    point: Floats
    covariance: Floats
    alone: bool


def maximise(log_likelihood: LogLikelihood, prior: Prior, start: Floats) -> Optimum | CannotTell:
    """Finds the maximum of the likelihood, or of the posterior where the likelihood alone has no sharp one.

    Args:
        log_likelihood: Value and gradient at log-parameters.
        prior: Leads the search where the likelihood alone goes astray, and stays in the answer only where data are thin.
        start: Log-parameters to climb from.

    Returns:
        The optimum, or why there is none.
    """
    sharp = climb(log_likelihood, prior, start, NEAR)
    if sharp is not None and _identified(*sharp):
        return Optimum(*sharp, alone=True)
    leaning = climb(prior.on(log_likelihood), prior, start, FAR)
    if leaning is None:
        return CannotTell(f"The search for the best parameters did not arrive within {FAR} steps.")
    sharp = climb(log_likelihood, prior, leaning[0], NEAR)
    if sharp is not None and _identified(*sharp):
        return Optimum(*sharp, alone=True)
    return Optimum(*leaning, alone=False)


def refine(log_likelihood: LogLikelihood, prior: Prior, sample: Optimum) -> Optimum | CannotTell:
    """The maximum on all data, from the one on a sample: a few steps, by the same rule of when the prior stays.

    Args:
        log_likelihood: On all data.
        prior: As for `maximise`.
        sample: The optimum on a sample.
    """
    if sample.alone:
        sharp = climb(log_likelihood, prior, sample.point, NEAR)
        if sharp is not None and _identified(*sharp):
            return Optimum(*sharp, alone=True)
    leaning = climb(prior.on(log_likelihood), prior, sample.point, NEAR)
    if leaning is None:
        return maximise(log_likelihood, prior, sample.point)
    sharp = climb(log_likelihood, prior, leaning[0], NEAR) if _identified(*leaning) else None
    if sharp is not None and _identified(*sharp):
        return Optimum(*sharp, alone=True)
    return Optimum(*leaning, alone=False)


def climb(log_likelihood: LogLikelihood, prior: Prior, start: Floats, steps: int) -> tuple[Floats, Floats] | None:
    """The top and the covariance there by Newton's steps within the edges; None where they do not arrive or the ground is level.

    Uphill by construction: a direction that bends the wrong way is taken as bending the right way, a step too long is halved.
    """
    point = np.clip(start, -EDGE, EDGE)
    for _ in range(steps):
        height, gradient = log_likelihood(point)
        curvature = _curvature(log_likelihood, point)
        if not np.isfinite(curvature).all():
            return None
        held = ((point <= -EDGE) & (gradient < 0)) | ((point >= EDGE) & (gradient > 0))
        gradient[held] = 0.0
        curvature[held, :] = curvature[:, held] = 0.0
        curvature[held, held] = prior.precision[held]
        bends, directions = np.linalg.eigh(curvature)
        along = directions.T @ gradient
        if float(along**2 @ (1 / np.maximum(np.abs(bends), FLAT))) < DECREMENT:
            return (point, np.asarray(np.linalg.inv(curvature), dtype=np.float64)) if bends[0] > FLAT else None
        point = _step_up(log_likelihood, point, height, directions @ (along / np.maximum(np.abs(bends), FLAT)))
    return None


def _step_up(log_likelihood: LogLikelihood, point: Floats, height: float, step: Floats) -> Floats:
    """The step, at most 1 long in any parameter and within the edges, halved until it does not lead down."""
    step = step / max(1.0, float(np.abs(step).max()))
    for _ in range(FAR):
        reached = np.clip(point + step, -EDGE, EDGE)
        if log_likelihood(reached)[0] >= height - 1e-12 * abs(height):
            return reached
        step = step / 2
    return point


def _curvature(log_likelihood: LogLikelihood, point: Floats) -> Floats:
    """Minus the Hessian, symmetric, by central differences of the gradient."""
    steps = STEP * np.eye(len(point))
    rows = np.array([log_likelihood(point - step)[1] - log_likelihood(point + step)[1] for step in steps]) / (2 * STEP)
    return 0.5 * (rows + rows.T)


def _identified(point: Floats, covariance: Floats) -> bool:
    return bool(np.all(np.abs(point) < EDGE) and np.all(np.diag(covariance) < LOOSEST**2))
