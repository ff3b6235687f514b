"""What an order holds: its lines, from what the customer usually spends and likes.

Knows nothing of when and why an order comes.
"""

from dataclasses import dataclass

import numpy as np

from rekindle.simulate.catalogue import Catalogue
from rekindle.simulate.chance import Floats, Ints
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.population import Population

_LINES = (0.46, 0.30, 0.16, 0.08)  # share of orders with 1, 2, 3, 4 lines; assumed
_MOST_PIECES = 4


@dataclass(frozen=True, slots=True)
class Lines:
    """Order lines, sorted by order.

    Args:
        order: Position of the order among those that were filled.
        product: Number in the catalogue.
        quantity: Pieces.
        first: Position of each order's first line.
    """

    order: Ints
    product: Ints
    quantity: Ints
    first: Ints

    @property
    def lead(self) -> Ints:
        """Each order's leading product."""
        return self.product[self.first]

    @property
    def number(self) -> Ints:
        """Each line's number within its order, from 1."""
        return np.arange(self.order.size) - self.first[self.order] + 1


def fill(parameters: Parameters, population: Population, catalogue: Catalogue, customer: Ints, draw: np.random.Generator) -> Lines:
    """Draws a basket for each customer given; a customer may be given more than once."""
    value = np.exp(population.value[customer] + parameters.order_spread[1] * draw.standard_normal(customer.size))
    count = 1 + np.searchsorted(np.cumsum(_LINES)[:-1], draw.random(customer.size), side="right")
    order = np.repeat(np.arange(customer.size), count)
    target = (value / count)[order] * np.exp(0.25 * draw.standard_normal(order.size))
    category = _categories(parameters, population.category[customer][order], draw)
    quantity = _pieces(parameters, catalogue, category, target)
    product = catalogue.nearest(category, target / quantity, 3.0 * draw.standard_normal(order.size))
    return Lines(order, product, quantity, np.cumsum(count) - count)


def together(parts: list[Lines]) -> Lines:
    """Several sets of baskets as one; positions go on."""
    orders = np.cumsum([0, *(part.first.size for part in parts)])
    lines = np.cumsum([0, *(part.order.size for part in parts)])
    return Lines(
        np.concatenate([part.order + start for part, start in zip(parts, orders, strict=False)]),
        np.concatenate([part.product for part in parts]),
        np.concatenate([part.quantity for part in parts]),
        np.concatenate([part.first + start for part, start in zip(parts, lines, strict=False)]),
    )


def rearranged(lines: Lines, orders: Ints) -> Lines:
    """The baskets of some orders, in the given sequence."""
    bounds = np.append(lines.first, lines.order.size)
    count = (bounds[1:] - bounds[:-1])[orders]
    first = np.cumsum(count) - count
    order = np.repeat(np.arange(orders.size), count)
    taken = np.arange(order.size) - first[order] + lines.first[orders][order]
    return Lines(order, lines.product[taken], lines.quantity[taken], first)


def _categories(parameters: Parameters, favourite: Ints, draw: np.random.Generator) -> Ints:
    shares = np.cumsum([one.share for one in parameters.categories])
    other = np.searchsorted(shares[:-1] / shares[-1], draw.random(favourite.size), side="right")
    return np.where(draw.random(favourite.size) < parameters.favourite, favourite, other).astype(np.int64)


def _pieces(parameters: Parameters, catalogue: Catalogue, category: Ints, target: Floats) -> Ints:
    """More than one piece where the amount is far above what the category's products cost."""
    middle = catalogue.price.reshape(len(parameters.categories), -1).mean(axis=1)[category]
    pieces: Ints = np.clip(np.rint(target / (1.5 * middle)), 1, _MOST_PIECES).astype(np.int64)
    return pieces
