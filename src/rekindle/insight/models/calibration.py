"""How far expected orders are from what came, from the customers expected to order least to those expected to order most.

Knows nothing of the model that expected them, and of ranking: a model may rank badly and be calibrated.
"""

from dataclasses import dataclass

import numpy as np

from rekindle.insight.models.tuples import Floats, Ints, sums


@dataclass(frozen=True, slots=True)
class Decile:
    """A tenth of the customers, by what was expected of them.

    Args:
        expected: Mean of what was expected, per customer.
        actual: Mean of what came, per customer.
        customers: How many.
    """

    expected: float
    actual: float
    customers: int


def by_decile(expected: Floats, actual: Floats | Ints, customers: Ints | None = None, parts: int = 10) -> tuple[Decile, ...]:
    """A calibration table: what was expected and what came, by tenths of the customers in order of what was expected.

    Customers of whom the same was expected stay together, in the part that holds their middle; a part without customers is left out.

    >>> for part in by_decile(np.array([3.0, 0.25, 0.5, 2.0]), np.array([2, 0, 1, 3]), parts=2): print(part)
    Decile(expected=0.375, actual=0.5, customers=2)
    Decile(expected=2.5, actual=2.5, customers=2)

    Args:
        expected: Orders expected of a customer [n].
        actual: Orders that came, the mean of a row's customers [n].
        customers: How many customers each row stands for [n]; one if None.
        parts: Ten for deciles.

    Returns:
        The parts, what was expected rising.
    """
    weight = np.ones(len(expected)) if customers is None else customers.astype(np.float64)
    values, row = np.unique(expected, return_inverse=True)
    together = sums(row, weight, len(values))
    middle = np.cumsum(together) - together / 2
    part = np.minimum((parts * middle / max(weight.sum(), 1.0)).astype(np.intp), parts - 1)[row]
    count, wanted, came = (sums(part, weight * of, parts) for of in (np.ones(len(expected)), expected, actual))
    return tuple(Decile(float(wanted[i] / count[i]), float(came[i] / count[i]), int(count[i])) for i in np.flatnonzero(count))
