"""What the marketplace sells and who sells it.

Knows nothing of customers. Products are sorted by category and, within one, by price.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rekindle.simulate.chance import Chance, Floats, Ints
from rekindle.simulate.parameters import Parameters

_WORDS = ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Harbour", "Iris", "Juniper")
_TRADES = ("Workshop", "Trading", "& Daughters", "Goods")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products by number, and how reliable their sellers are.

    Args:
        category: Number of each product's category.
        seller: Number of each product's seller.
        price: Of one unit, minor units.
        cost: Of one unit, minor units.
        late: Share of late deliveries of each product's seller.
        shelf: Sorted key (category x 100 + log price) that finds a product by category and price.
        per_category: Number of products in each category.
    """

    category: Ints
    seller: Ints
    price: Ints
    cost: Ints
    late: Floats
    shelf: Floats
    per_category: int

    def nearest(self, category: Ints, value: Floats, noise: Floats) -> Ints:
        """Products of the categories whose price is near the values (minor units), `noise` ranks away."""
        found = np.searchsorted(self.shelf, category * 100.0 + np.log(np.maximum(value, 1.0)))
        first = category * self.per_category
        return np.clip(found + np.rint(noise).astype(np.int64), first, first + self.per_category - 1)


def stock(parameters: Parameters, chance: Chance, minor: int) -> Catalogue:
    """Draws the catalogue.

    Args:
        parameters: The marketplace's.
        chance: The world's.
        minor: Minor units in a unit of currency.
    """
    categories, per = len(parameters.categories), parameters.products_per_category
    draw = chance.stream("catalogue")
    category = np.repeat(np.arange(categories), per)
    medians = np.array([one.price for one in parameters.categories])[category]
    units = np.sort((medians * np.exp(0.65 * draw.standard_normal(category.size))).reshape(categories, per), axis=1).ravel()
    price = np.maximum(np.rint(units).astype(np.int64), 3) * minor - minor // 10
    margins = np.array([one.margin for one in parameters.categories])[category] + 0.04 * draw.standard_normal(category.size)
    cost = np.rint(price * (1 - np.clip(margins, 0.10, 0.80))).astype(np.int64)
    seller = draw.integers(0, parameters.sellers, category.size)
    lateness = 0.3 + 0.7 * draw.gamma(2.0, 0.5, parameters.sellers)
    lateness *= {one.kind: one.share for one in parameters.frictions}["late_delivery"] / lateness.mean()
    shelf = category * 100.0 + np.log(price)
    return Catalogue(category, seller, price, cost, lateness[seller], shelf, per)


def products(parameters: Parameters, catalogue: Catalogue) -> pa.Table:
    """The products as facts: number, name, category, seller, price and cost in minor units, and whether in stock."""
    number = np.arange(catalogue.price.size)
    names = [
        f"{parameters.categories[c].products[i % 5]}, {_WORDS[(7 * i + c) % 10]}"
        for i, c in zip(number.tolist(), catalogue.category.tolist(), strict=True)
    ]
    return pa.table(
        {
            "product": number,
            "name": names,
            "category": [parameters.categories[c].name for c in catalogue.category.tolist()],
            "seller": catalogue.seller,
            "price": catalogue.price,
            "cost": catalogue.cost,
            "in_stock": np.ones(number.size, dtype=bool),
        }
    )


def sellers(parameters: Parameters) -> pa.Table:
    """The sellers as facts: number, name, and whether suspended (none is)."""
    numbers = range(parameters.sellers)
    return pa.table(
        {
            "seller": np.arange(parameters.sellers),
            "name": [f"{_WORDS[s % 10]} {_TRADES[s // 10 % 4]}" for s in numbers],
            "suspended": [False for _ in numbers],
        }
    )
