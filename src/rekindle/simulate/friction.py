"""What goes wrong with an order, and how much likelier the customer then leaves.

Knows nothing of dates; columns follow `Parameters.frictions`.
"""

import numpy as np

from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.parameters import Parameters


def troubles(parameters: Parameters, category: Ints, late: Floats, draw: np.random.Generator) -> Flags:
    """Which frictions befall each order.

    Args:
        parameters: The marketplace's.
        category: Of each order's leading product.
        late: Share of late deliveries of its seller.
        draw: Where chance comes from.

    Returns:
        One row per order, one column per friction.
    """
    luck = draw.random((category.size, len(parameters.frictions)))
    befell = np.zeros(luck.shape, dtype=bool)
    kinds = [one.kind for one in parameters.frictions]
    befell[:, kinds.index("late_delivery")] = delayed = luck[:, kinds.index("late_delivery")] < late
    share_late = parameters.frictions[kinds.index("late_delivery")].share
    for column, friction in enumerate(parameters.frictions):
        if friction.kind == "late_delivery":
            continue
        usual = friction.share / (1 + share_late * (friction.after_late - 1))
        tilt = return_tilt(parameters)[category] if friction.kind == "return" else 1.0
        befell[:, column] = luck[:, column] < usual * tilt * np.where(delayed, friction.after_late, 1.0)
    return befell


def leaving(parameters: Parameters, dropout: Floats, befell: Flags) -> Floats:
    """The chance that the customer leaves after each order.

    Args:
        parameters: The marketplace's.
        dropout: The chance after an order without friction.
        befell: From `troubles`.
    """
    factors = np.array([one.dropout for one in parameters.frictions])
    chance: Floats = np.minimum(dropout * np.where(befell, factors, 1.0).prod(axis=1), parameters.dropout_most)
    return chance


def return_tilt(parameters: Parameters) -> Floats:
    """How much more often something of a category goes back than on average."""
    weights = np.array([one.share * one.rate for one in parameters.categories])
    returns = np.array([one.returns for one in parameters.categories])
    tilt: Floats = returns / np.average(returns, weights=weights)
    return tilt
