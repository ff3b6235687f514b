"""How much margin is at risk because customers may have lapsed, and how much the horizon brings, each with an interval.

Knows nothing of why they lapsed, of what would bring them back, and of any one lapse model.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from rekindle.insight.models.lapse_model import LapseModel
from rekindle.insight.models.tuples import Floats, LapseTuples, standings, sum_of, sums

STEP = 1e-4                 # of the central differences in log-parameters
WIDEST = 50.0               # logarithm of the factor beyond which an interval says nothing


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the range that holds the truth at the level asked for."""

    low: float
    estimate: float
    high: float


def at_risk_interval(
    model: LapseModel, tuples: LapseTuples, margin_weight: Floats, weeks: float, level: float = 0.95
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
    exposed = sums(row, margin_weight * (1 - alive), len(pairs))
    slope = _slope(model, lambda moved: sum_of(exposed, moved.orders_of(pairs, weeks)))
    slope += np.sum(model.lapsed_gradient(tuples) * margin_weight * orders, axis=1)
    chance = sum_of((margin_weight * orders) ** 2 / tuples.customers, alive * (1 - alive))
    return _interval(estimate, float(slope @ model.covariance @ slope) + chance, level)


def orders_interval(model: LapseModel, tuples: LapseTuples, weight: Floats, weeks: float, level: float = 0.95) -> Interval:
    """What customers bring in the coming `weeks`: a weighted sum of the orders they place, lapsed or not.

    With margin per order as the weight it is the margin of the horizon, with the number of customers the number of orders. The interval
    is log-normal and holds what will happen, not its mean: its variance is that of the parameters (delta method) plus that of how many
    orders each customer places, who may have lapsed, order at any rate and lapse on the way. Weights are taken as equal within a tuple.

    Args:
        model: Fitted model.
        tuples: Distinct purchase histories.
        weight: Of an order, summed over the customers of each tuple [n], any unit, not negative.
        weeks: Horizon.
        level: Probability that the interval holds what happens.

    Returns:
        The interval in the unit of `weight`; all zero where nothing is expected.

    Source: docs/models.md, equations 13 to 16.
    """
    pairs, row = standings(tuples)
    orders, order_pairs = model.orders_of(pairs, weeks)[row], model.order_pairs_of(pairs, weeks)[row]
    alive = model.p_alive(tuples)
    expected = alive * orders
    staying = sums(row, weight * alive, len(pairs))
    slope = _slope(model, lambda moved: sum_of(staying, moved.orders_of(pairs, weeks)))
    slope -= np.sum(model.lapsed_gradient(tuples) * weight * orders, axis=1)
    chance = sum_of(weight**2 / tuples.customers, np.maximum(alive * order_pairs + expected - expected**2, 0.0))
    return _interval(sum_of(weight, expected), float(slope @ model.covariance @ slope) + chance, level)


def _interval(estimate: float, variance: float, level: float) -> Interval:
    """Log-normal, so that it never holds a negative number."""
    if estimate <= 0:
        return Interval(0.0, 0.0, 0.0)
    factor = float(np.exp(min(ndtri(0.5 + level / 2) * np.sqrt(variance) / estimate, WIDEST)))
    return Interval(estimate / factor, estimate, estimate * factor)


def _slope(model: LapseModel, quantity: Callable[[LapseModel], float]) -> Floats:
    """Derivatives of a quantity in the log-parameters, by central differences."""
    steps = STEP * np.eye(len(model.parameters))
    return np.array([(quantity(model.moved(step)) - quantity(model.moved(-step))) / (2 * STEP) for step in steps])
