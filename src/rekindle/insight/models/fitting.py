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

EDGE = 9.0                  # no log-parameter beyond this: 8,103 and its inverse are infinity and nothing for a shop
CLOSE = 1e-9                # so near to an edge is at it
LOOSEST = 1.0               # standard error of a log-parameter above which data alone do not fix it
DECREMENT = 1e-6            # log-likelihood still to be gained at which a climb takes its last step unseen: the next would gain its square
FLAT = 1e-9                 # curvature below which the ground is level
FAR, NEAR = 60, 10          # Newton's steps at most with the prior's lead, and without it
HALVINGS = 24               # of one step at most


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """A log-likelihood at a point.

    Args:
        height: Its value.
        gradient: Its derivatives in the log-parameters [p].
        hessian: Its second derivatives [p, p].
    """

    height: float
    gradient: Floats
    hessian: Floats


LogLikelihood = Callable[[Floats], Slope]
"""Takes log-parameters."""


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

        def posterior(point: Floats) -> Slope:
            slope = log_likelihood(point)
            pull = self.precision * (point - self.start)
            height = slope.height - 0.5 * float(pull @ (point - self.start))
            return Slope(height, slope.gradient - pull, slope.hessian - np.diag(self.precision))

        return posterior


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The highest point found.

    Args:
        point: Log-parameters.
        covariance: Of the log-parameters, from the curvature.
        height: Log-likelihood there, without the prior.
        alone: True where the data alone fix it, False where it leans on the prior.
    """

    point: Floats
    covariance: Floats
    height: float
    alone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Top:
    """Where a climb arrived: log-parameters, the inverse curvature, the height."""

    point: Floats
    covariance: Floats
    height: float

    @property
    def is_sharp(self) -> bool:
        """Whether what was climbed fixes every parameter, away from the edges."""
        return bool(np.all(np.abs(self.point) < EDGE) and np.all(np.diag(self.covariance) < LOOSEST**2))


def maximise(log_likelihood: LogLikelihood, prior: Prior, start: Floats) -> Optimum | CannotTell:
    """Finds the maximum of the likelihood, or of the posterior where the likelihood alone has no sharp one.

    Args:
        log_likelihood: At log-parameters.
        prior: Leads the search where the likelihood alone goes astray, and stays in the answer only where data are thin.
        start: Log-parameters to climb from.

    Returns:
        The optimum, or why there is none.
    """
    return _alone(log_likelihood, prior, start) or _leaning(log_likelihood, prior, start, FAR) or _lost()


def refine(log_likelihood: LogLikelihood, prior: Prior, sample: Optimum) -> Optimum | CannotTell:
    """The maximum on all data, from the one on a sample: a few steps, by the same rule of when the prior stays.

    Args:
        log_likelihood: On all data.
        prior: As for `maximise`.
        sample: The optimum on a sample.
    """
    found = _alone(log_likelihood, prior, sample.point) if sample.alone else None
    return found or _leaning(log_likelihood, prior, sample.point, NEAR) or maximise(log_likelihood, prior, sample.point)


def _alone(log_likelihood: LogLikelihood, prior: Prior, start: Floats) -> Optimum | None:
    top = climb(log_likelihood, prior, start, NEAR)
    return Optimum(top.point, top.covariance, top.height, alone=True) if top is not None and top.is_sharp else None


def _leaning(log_likelihood: LogLikelihood, prior: Prior, start: Floats, steps: int) -> Optimum | None:
    """The top with the prior, or the sharp one that the likelihood alone has beside it."""
    top = climb(prior.on(log_likelihood), prior, start, steps)
    if top is None:
        return None
    sharp = _alone(log_likelihood, prior, top.point) if top.is_sharp else None
    return sharp or Optimum(top.point, top.covariance, log_likelihood(top.point).height, alone=False)


def _lost() -> CannotTell:
    return CannotTell(f"The search for the best parameters did not arrive within {FAR} steps.")


def climb(log_likelihood: LogLikelihood, prior: Prior, start: Floats, steps: int) -> Top | None:
    """The top by Newton's steps within the edges; None where they do not arrive or the ground is level.

    Uphill by construction: a direction that bends the wrong way is taken as bending the right way, a step too long is halved.
    """
    point = np.clip(start, -EDGE, EDGE)
    slope = log_likelihood(point)
    for _ in range(steps):
        if not (np.isfinite(slope.hessian).all() and np.isfinite(slope.gradient).all()):
            return None
        gradient, curvature = _within_edges(point, slope, prior)
        bends, directions = np.linalg.eigh(curvature)
        step = directions @ (directions.T @ gradient / np.maximum(np.abs(bends), FLAT))
        gain = float(gradient @ step)
        if gain < DECREMENT:
            if bends[0] <= FLAT:
                return None
            covariance = np.asarray(np.linalg.inv(curvature), dtype=np.float64)
            return Top(np.clip(point + step, -EDGE, EDGE), covariance, slope.height + gain / 2)
        reached = _step_up(log_likelihood, point, slope, step)
        if reached is None:
            return None
        point, slope = reached
    return None


def _within_edges(point: Floats, slope: Slope, prior: Prior) -> tuple[Floats, Floats]:
    """Gradient and curvature where what stands at an edge and is driven out stays there."""
    gradient, curvature = slope.gradient.copy(), -slope.hessian
    held = (np.abs(point) >= EDGE) & (gradient * point > 0)
    gradient[held] = 0.0
    curvature[held, :] = curvature[:, held] = 0.0
    curvature[held, held] = prior.precision[held]
    return gradient, curvature


def _step_up(log_likelihood: LogLikelihood, point: Floats, slope: Slope, step: Floats) -> tuple[Floats, Slope] | None:
    """The step, at most 1 long in any parameter and to the first edge, halved until it does not lead down; None where all do."""
    leaving = (np.abs(point) >= EDGE) & (step * point > 0)
    step = np.where(leaving, 0.0, step / max(1.0, float(np.abs(step).max())))
    room = np.where(step == 0, np.inf, (np.copysign(EDGE, step) - point) / np.where(step == 0, 1.0, step))
    step = step * min(1.0, float(room.min()))
    for _ in range(HALVINGS):
        reached = np.clip(point + step, -EDGE, EDGE)
        reached = np.where(np.abs(reached) > EDGE - CLOSE, np.copysign(EDGE, reached), reached)
        there = log_likelihood(reached)
        if there.height >= slope.height - 1e-12 * abs(slope.height):
            return reached, there
        step = step / 2
    return None
