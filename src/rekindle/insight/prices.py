"""How dear a product is among those of its category.

Knows nothing of customers.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import PERMILLE, exact_sum


def price_ranks(warehouse: Warehouse, products: ir.Table, lines: ir.Table) -> ir.Table:
    """Each product's place among the prices of its category.

    Args:
        warehouse: Tells whether every price is known.
        products: Current products; one without a category stands among all of those.
        lines: Sold lines: where a product has no price, what a piece of it was sold for on average stands in.

    Returns:
        product_id, price_rank: thousandths, 0 for the cheapest to 1000 for the dearest, equals alike; products that are alone in their
        category, or have no price, are not there.
    """
    priced = products.select("product_id", "category", "price")
    if warehouse.scalar(priced.price.isnull().any()):
        sold = lines.filter(lines.quantity > 0).group_by("product_id").aggregate(
            amount=exact_sum(lines.amount), pieces=exact_sum(lines.quantity)
        )
        joined = priced.left_join(sold, "product_id").drop("product_id_right")
        priced = joined.mutate(price=joined.price.fill_null((joined.amount / joined.pieces).round().cast("int64")))
    priced = priced.filter(priced.price.notnull())
    placed = priced.mutate(
        below=ibis.rank().over(group_by="category", order_by="price"), of=priced.count().over(group_by="category")
    )
    several = placed.filter(placed.of > 1)
    return several.select("product_id", price_rank=(several.below * PERMILLE / (several.of - 1)).round().cast("int64"))
