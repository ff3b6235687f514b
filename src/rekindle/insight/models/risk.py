"""How much margin is at risk because customers may have lapsed, with an interval.

Knows nothing of why they lapsed, and of what would bring them back.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from rekindle.insight.models.beta_geometric import BetaGeometric
from rekindle.insight.models.orders_ahead import Standing, standings
from rekindle.insight.models.tuples import Floats, LapseTuples, sum_of

STEP = 1e-4                 # of the central differences in log-parameters


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the range that holds the truth at the level asked for."""

    low: float
    estimate: float
    high: float


def at_risk_interval(
    model: BetaGeometric, tuples: LapseTuples, margin_weight: Floats, weeks: float, level: float = 0.95
) -> Interval:
    """Margin that lapsed customers would have brought in `weeks` had they not lapsed.

    The sum over tuples of margin weight x P(lapsed) x orders if alive. The interval is log-normal; its variance is that of the
    parameters (delta method) plus that of who has in fact lapsed, sum of m^2 E^2 P(alive) P(lapsed) over customers, whose margins
    are taken as equal within a tuple.

    Args:
        model: Fitted model.
        tuples: Distinct purchase histories.
        margin_weight: Margin per order summed over the customers of each tuple [n], any money unit, not negative.
        weeks: Horizon.
        level: Probability that the interval holds the truth.

    Returns:
        The interval in the unit of `margin_weight`; all zero where nothing is at risk.

    Source: docs/models.md, equations 7 and 8.
    """
    pairs, row = standings(tuples)
    orders = model.orders_of(pairs, weeks)[row]
    alive = model.p_alive(tuples)
    estimate = sum_of(margin_weight, (1 - alive) * orders)
    if estimate <= 0:
        return Interval(0.0, 0.0, 0.0)
    exposed = np.bincount(row, margin_weight * (1 - alive), len(pairs.repeats)).astype(np.float64)
    slope = _slope_of_orders(model, pairs, exposed, weeks)
    slope += np.sum(model.lapsed_gradient(tuples) * margin_weight * orders, axis=1)
    chance = float(np.sum((margin_weight * orders) ** 2 / tuples.customers * alive * (1 - alive)))
    deviation = np.sqrt(slope @ model.covariance @ slope + chance) / estimate
    factor = float(np.exp(min(ndtri(0.5 + level / 2) * deviation, 50.0)))
    return Interval(estimate / factor, estimate, estimate * factor)


def _slope_of_orders(model: BetaGeometric, pairs: Standing, exposed: Floats, weeks: float) -> Floats:
    """Derivatives of the exposed orders in the four log-parameters, by central differences."""

    def exposed_orders(name: str, value: float, step: float) -> float:
        return sum_of(exposed, replace(model, **{name: value * np.exp(step)}).orders_of(pairs, weeks))

    return np.array(
        [(exposed_orders(name, value, STEP) - exposed_orders(name, value, -STEP)) / (2 * STEP) for name, value in model.parameters.items()]
    )
