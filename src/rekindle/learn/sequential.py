"""How often one may look: intervals that stay honest however many times they are read.

Knows nothing of programs. A planned experiment has looks that were fixed beforehand (group-sequential); an open-ended comparison, such as
that with the holdout, has none (confidence sequence).
"""

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from rekindle.insight.models import Interval

ALPHA = 0.05
"""The chance, over all looks together, of a difference where there is none; two-sided."""

_NODES = 256
_NEVER = 9.0
"""Standard deviations beyond which nothing happens in double precision: such a look cannot stop anything."""

Numbers = NDArray[np.float64]


def spent(share: float, alpha: float = ALPHA) -> float:
    """How much of alpha may be used up by a share of the information; the O'Brien-Fleming type of spending, both sides together.

    Args:
        share: Of the planned information, above 0; 1 and more spend all.
        alpha: Two-sided.

    Source: Lan & DeMets (1983), Discrete sequential boundaries for clinical trials, alpha-star 1, with alpha / 2 on each side.

    >>> round(spent(0.2), 9), spent(1.0)
    (1.078e-06, 0.05)
    """
    if share >= 1:
        return alpha
    return 4 * float(ndtr(ndtri(alpha / 4) / np.sqrt(share)))


def boundaries(shares: Sequence[float], alpha: float = ALPHA) -> tuple[float, ...]:
    """The standardised difference (z) that each look needs; 9 where a look is too early to stop at.

    Args:
        shares: Of the planned information at each look so far, rising; the last planned look has 1.
        alpha: Two-sided, over all looks.

    Raises:
        ValueError: The shares do not rise from above 0.

    Source: recursive integration of Armitage, McPherson & Rowe (1969); Jennison & Turnbull (2000), chapter 19.

    >>> [round(one, 4) for one in boundaries((0.2, 0.4, 0.6, 0.8, 1.0))]
    [4.8769, 3.357, 2.6803, 2.2898, 2.031]
    """
    return _boundaries(_rising(shares), alpha)


@lru_cache(1_024)
def _boundaries(shares: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    found: list[float] = []
    path, before = _Path(), 0.0
    for share in shares:
        target = spent(share, alpha) - before
        bound = path.bound(share, target)
        found.append(bound)
        before += path.step(share, bound)
    return tuple(found)


def crossing(shares: Sequence[float], bounds: Sequence[float], drift: float = 0.0) -> tuple[float, ...]:
    """The chance of first crossing at each look, on either side.

    Args:
        shares: Of the information, rising.
        bounds: The z that each look needs.
        drift: The expected z at full information; 0: nothing works.

    >>> fixed = crossing((1.0,), (1.96,), drift=2.8)
    >>> round(fixed[0], 3)
    0.8
    """
    path = _Path(drift)
    return tuple(path.step(share, bound) for share, bound in zip(_rising(shares), bounds, strict=True))


def needed_drift(shares: Sequence[float], bounds: Sequence[float], power: float) -> float:
    """The expected z at full information with which some look is crossed with a chance of `power`, on either side.

    Args:
        shares: Of the information at each look, rising.
        bounds: The z that each look needs.
        power: Above what is crossed where nothing works, below 1.

    >>> round(needed_drift((1.0,), (1.96,), 0.8), 3), round(needed_drift((0.5, 1.0), boundaries((0.5, 1.0)), 0.8), 3)
    (2.802, 2.807)
    """
    return float(brentq(lambda drift: sum(crossing(shares, bounds, drift)) - power, 0.0, _NEVER + max(bounds), xtol=1e-9))


def repeated_interval(estimate: float, standard_error: float, shares: Sequence[float], alpha: float = ALPHA) -> Interval:
    """The interval at the last of the looks so far, such that all looks' intervals together hold the truth with 1 - alpha.

    Args:
        estimate: The difference now.
        standard_error: Its standard error.
        shares: Of the planned information at each look so far, the present one last.
        alpha: Two-sided, over all looks.

    Source: Jennison & Turnbull (1989), Interim analyses: the repeated confidence interval approach.

    >>> found = repeated_interval(1.0, 0.4, (0.5, 1.0))
    >>> round(found.low, 3), round(found.high, 3)
    (0.213, 1.787)
    """
    half = boundaries(shares, alpha)[-1] * standard_error
    return Interval(estimate - half, estimate, estimate + half)


def sequence_radius(n: Numbers, tightest_at: float, alpha: float = ALPHA) -> Numbers:
    """Half the width of a confidence sequence, in standard deviations of one observation.

    Args:
        n: Observations so far.
        tightest_at: At how many observations the sequence is to be tightest; fixed before anybody looks.
        alpha: Two-sided, over all looks for ever.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, arXiv 2103.06476, theorem 2.2 and appendix on rho; arXiv 1810.08240.

    >>> radius = sequence_radius(np.array([1_000.0]), tightest_at=1_000)
    >>> [round(float(one), 4) for one in radius]
    [0.096]
    """
    log = -2 * np.log(alpha)
    flat = n * (log + np.log(log + 1)) / tightest_at
    return np.asarray(np.sqrt(2 * (flat + 1) / (n * flat) * np.log(np.sqrt(flat + 1) / alpha)))


def confidence_sequence(mean: float, variance: float, n: float, tightest_at: float, alpha: float = ALPHA) -> Interval:
    """An interval that may be read at any time and for ever: all of them together hold the truth with 1 - alpha.

    Args:
        mean: The mean, or a difference of means.
        variance: Of one observation: n times the squared standard error of the mean or the difference.
        n: Observations so far, both sides together.
        tightest_at: At how many observations it is to be tightest; fixed before anybody looks.
        alpha: Two-sided.

    Source: as `sequence_radius`.

    >>> found = confidence_sequence(2.0, 100.0, 1_000, tightest_at=1_000)
    >>> round(found.low, 3), round(found.high, 3)
    (1.04, 2.96)
    """
    half = float(sequence_radius(np.asarray(float(n)), tightest_at, alpha)) * variance**0.5
    return Interval(mean - half, mean, mean + half)


def _rising(shares: Sequence[float]) -> tuple[float, ...]:
    wanted = tuple(min(float(share), 1.0) for share in shares)
    if not wanted or wanted[0] <= 0 or any(later <= earlier for earlier, later in zip(wanted, wanted[1:], strict=False)):
        raise ValueError(f"shares of information must rise from above 0 and end with the first that reaches 1: {tuple(shares)}")
    return wanted


@cache
def _nodes() -> tuple[Numbers, Numbers]:
    """Nodes and weights of Gauss and Legendre on (-1, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


class _Path:
    """The score process (z times the root of the share) among the paths that have not crossed yet, look after look."""

    def __init__(self, drift: float = 0.0) -> None:
        self._drift, self._share = drift, 0.0
        self._at: Numbers = np.zeros(1)
        self._mass: Numbers = np.ones(1)

    def bound(self, share: float, target: float) -> float:
        """The z at which the coming look crosses with a chance of `target`."""
        if self._crosses(share, _NEVER) >= target:
            return _NEVER
        return float(brentq(lambda z: self._crosses(share, z) - target, 0.0, _NEVER, xtol=1e-12))

    def step(self, share: float, bound: float) -> float:
        """Takes the look and returns the chance of crossing at it."""
        crossed = self._crosses(share, bound)
        spread, root = (share - self._share) ** 0.5, share**0.5
        middle, reach = self._drift * share, _NEVER * root
        low, high = max(-bound * root, middle - reach), min(bound * root, middle + reach)
        nodes, weights = _nodes()
        at = (high - low) / 2 * nodes + (high + low) / 2
        steps = (at[:, None] - self._at[None, :] - self._drift * (share - self._share)) / spread
        density = np.exp(-(steps**2) / 2) / (spread * np.sqrt(2 * np.pi)) @ self._mass
        self._at, self._mass, self._share = at, density * weights * (high - low) / 2, share
        return crossed

    def _crosses(self, share: float, bound: float) -> float:
        spread, edge = (share - self._share) ** 0.5, bound * share**0.5
        middle = self._at + self._drift * (share - self._share)
        return float(self._mass @ (ndtr((middle - edge) / spread) + ndtr((-edge - middle) / spread)))
