"""Where in the time ahead a purchase falls that is known to come within the horizon, and how many days that is.

Knows nothing of items and customers. A gap is log-logistic, so that its distribution and its inverse are plain arithmetic on any engine.
A purchase that has not come is later than the silence so far, and one that came is within the horizon: both are taken into account.
"""

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np

HORIZON_DAYS = 60
COVERAGE = 0.80
"""Share of the purchases that come which the window is to hold."""

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Window:
    """Where purchases fell between now and the horizon, on the scale of their own distribution: 0 is now, 1 the horizon.

    Args:
        early: Position that the window begins at.
        middle: Position that half of them came before.
        late: Position that it ends at.
        purchases: So many they were.
    """

    early: float
    middle: float
    late: float
    purchases: int


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Log-logistic gaps.

    Args:
        centre: Logarithm of the middle gap in days [n].
        sharpness: The shape [n].
    """

    centre: Floats
    sharpness: Floats

    def later(self, days: Floats) -> Floats:
        """Chance that a gap is longer than so many days [n]."""
        return np.asarray(1.0 / (1.0 + np.exp(self.sharpness * (np.log(days) - self.centre))), dtype=np.float64)

    def ahead(self, silent: Floats, share: float) -> Floats:
        """Days from the last purchase to a position in the time ahead [n], whole and after the silence."""
        now, end = self.later(silent + 0.5), self.later(silent + HORIZON_DAYS + 0.5)
        left = now - share * (now - end)
        days = np.exp(self.centre) * ((1.0 - left) / left) ** (1.0 / self.sharpness)
        return np.asarray(np.clip(np.rint(days), silent + 1, silent + HORIZON_DAYS), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Came:
    """Purchases that came within the horizon, one a row.

    Args:
        curve: What was expected of each.
        silent: Whole days without a purchase when the horizon began [n].
        gap: Days from the last purchase before it to the one that came [n].
        weight: What each counts [n].
    """

    curve: Curve
    silent: Floats
    gap: Floats
    weight: Floats

    @property
    def position(self) -> Floats:
        """Where each fell in the time ahead [n]: 0 at once, 1 at the horizon."""
        now, end = self.curve.later(self.silent + 0.5), self.curve.later(self.silent + HORIZON_DAYS + 0.5)
        return np.asarray((now - self.curve.later(self.gap)) / (now - end), dtype=np.float64)


def together(parts: list[Came]) -> Came:
    """The purchases of several horizons."""
    curve = Curve(np.concatenate([one.curve.centre for one in parts]), np.concatenate([one.curve.sharpness for one in parts]))
    columns = ((one.silent, one.gap, one.weight) for one in parts)
    silent, gap, weight = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Came(curve, silent, gap, weight)


def calibrated(came: Came) -> Window:
    """The window with equal tails that holds `COVERAGE` of purchases that came, counted in whole days as it will be used.

    Args:
        came: At least one purchase.
    """
    at = came.position
    order = np.argsort(at, kind="stable")
    at, weight = at[order], came.weight[order]
    rank = (np.cumsum(weight) - weight / 2) / weight.sum()

    def quantile(share: float) -> float:
        return float(np.interp(share, rank, at))

    def covered(tail: float) -> float:
        early, late = came.curve.ahead(came.silent, quantile(tail)), came.curve.ahead(came.silent, quantile(1 - tail))
        return float(np.sum(came.weight * ((came.gap >= early) & (came.gap <= late))) / came.weight.sum())

    low, high = 0.0, 0.45
    for _ in range(30):
        tail = (low + high) / 2
        low, high = (tail, high) if covered(tail) >= COVERAGE else (low, tail)
    early, middle, late = (float(f"{quantile(share):.6g}") for share in (low, 0.5, 1 - low))
    return Window(early, middle, late, len(came.gap))


def days_ahead(scale: ir.FloatingValue, sharpness: float, silent: ir.IntegerValue, share: float) -> ir.IntegerValue:
    """`Curve.ahead` as an expression.

    Args:
        scale: The middle gap in days.
        sharpness: The shape.
        silent: Whole days without a purchase so far.
        share: Position in the time ahead.
    """
    now, end = (1 / (1 + ((silent + days) / scale) ** sharpness) for days in (0.5, HORIZON_DAYS + 0.5))
    left = now - (now - end) * share
    days = scale * ((1 - left) / left) ** (1 / sharpness)
    return days.round().cast("int64").clip(lower=silent + 1, upper=silent + HORIZON_DAYS)
