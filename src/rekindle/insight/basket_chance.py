"""How likely an item is in a customer's next basket: one small formula for what they have bought, one for what they have not.

Knows nothing of tables. Logistic regressions on distinct rows of whole numbers, drawn towards plain personal frequency and plain
popularity, so that a shop without a single next basket has those.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

REPEAT = ("own_days", "days", "popularity", "basket", "lag")
EXPLORE = ("days", "popularity", "basket")
"""What the formulas look at, each in tenths of a natural logarithm, rounded: `next_basket.features` says of what."""

REPEAT_CENTRE, REPEAT_SPREAD = (-1.0, 1.0, -1.0, 0.1, 0.0, 0.0), (1.5, 0.5, 0.5, 0.5, 0.5, 0.5)
EXPLORE_CENTRE, EXPLORE_SPREAD = (-12.0, 0.0, 1.0, 1.0), (1.5, 0.5, 0.5, 0.5)
"""Assumed before any basket is seen, the constant first: the share of a customer's purchase days with the item, ties to the popular;
and popularity (in hundred-thousandths) times the size of a basket."""

SCALE = 1000
"""Coefficients are kept in thousandths, so that a score is a sum of whole numbers, the same on every engine."""


@dataclass(frozen=True, slots=True)
class BasketChances:
    """The fitted formulas: log-odds in ten-thousandths are constant x 10 plus coefficients x tenths.

    Args:
        repeat: Constant and one coefficient for each of `REPEAT`, thousandths.
        explore: The same for `EXPLORE`.
        baskets: Next baskets they were fitted on.
        quality: "good" from 200 baskets on, "weak" below, "prior only" without one.
    """

    repeat: tuple[int, ...]
    explore: tuple[int, ...]
    baskets: int
    quality: Literal["good", "weak", "prior only"]


def fit_chances(repeat: tuple[Ints, Ints, Ints], explore: tuple[Ints, Ints, Ints], baskets: int) -> BasketChances:
    """Fits both formulas.

    Args:
        repeat: Distinct rows of `REPEAT` [n, 5], candidates in each [n], of which bought [n].
        explore: The same of `EXPLORE` [m, 3].
        baskets: Next baskets behind them.
    """
    quality: Literal["good", "weak", "prior only"] = "prior only" if baskets == 0 else "good" if baskets >= 200 else "weak"
    return BasketChances(
        _thousandths(_logistic(*repeat, REPEAT_CENTRE, REPEAT_SPREAD)),
        _thousandths(_logistic(*explore, EXPLORE_CENTRE, EXPLORE_SPREAD)),
        baskets, quality,
    )


def _thousandths(coefficients: Floats) -> tuple[int, ...]:
    return tuple(np.rint(coefficients * SCALE).astype(np.int64).tolist())


def _logistic(tenths: Ints, tried: Ints, bought: Ints, centre: tuple[float, ...], spread: tuple[float, ...]) -> Floats:
    """The most probable coefficients under a normal prior, by Newton's method; the surface has one top.

    Source: Nelder & Wedderburn (1972), Generalized linear models: iteratively reweighted least squares.
    """
    x = np.column_stack([np.ones(len(tried)), tenths / 10.0]) if len(tried) else np.zeros((0, len(centre)))
    prior, precision = np.array(centre), np.array(spread) ** -2.0

    def height(b: Floats) -> float:
        z = x @ b
        return float(np.sum(bought * z - tried * np.logaddexp(0.0, z)) - 0.5 * np.sum(precision * (b - prior) ** 2))

    b = prior.copy()
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-(x @ b)))
        slope = x.T @ (bought - tried * p) - precision * (b - prior)
        curve = (x * (tried * p * (1.0 - p))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(curve, slope)
        now = height(b)
        while height(b + step) < now - 1e-9:
            step = step / 2
        b = b + step
        if float(slope @ step) < 1e-10:
            break
    return b
