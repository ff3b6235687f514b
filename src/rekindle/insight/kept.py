"""What each customer bought and kept, by order and product: fees, returns and cancelled orders apart.

Knows nothing of taste. A gift to somebody else cannot be seen in history: there is no flag on a line and no address of delivery. Only
products that are gifts by their name or category (cards, vouchers, wrapping) are recognised.
"""

from typing import Literal

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import exact_sum, sold_lines
from rekindle.moment import AsOf

Level = Literal["product", "category"]

GIFTS = (
    r"gift[ -]?(card|voucher|certificate|wrap|message|receipt)|voucher|greeting card service|geschenkgutschein|geschenkkarte"
    r"|geschenkverpackung|gutschein|carte[ -]cadeau|ch(e|\x{e8})que[ -]cadeau|bon d'achat|emballage cadeau"
)
"""Names and categories, in lower case, of what is bought to be given or paid with; English, German and French."""


def kept_lines(warehouse: Warehouse, as_of: AsOf, again: bool = False) -> ir.Table:
    """Every product of every order that stands before the instant and was not sent back in full.

    Args:
        warehouse: An open history.
        as_of: The instant.
        again: Whether only what a customer bought on more than one day is wanted, which spares most of a large store's lines.

    Returns:
        order_id, customer_id, product_id, purchase_day, quantity, amount (minor units); one row per order and product. A product of
        which some pieces came back stays, with all its pieces.
    """
    lines = sold_lines(warehouse, as_of)
    lines = lines.filter(lines.product_id.notnull(), lines.quantity > 0)
    if again:
        pairs = lines.group_by("customer_id", "product_id").aggregate(first=lines.purchase_day.min(), last=lines.purchase_day.max())
        lines = lines.semi_join(warehouse.keep(pairs.filter(pairs.first < pairs.last)), ["customer_id", "product_id"])
    lines = lines.group_by("order_id", "customer_id", "product_id", "purchase_day").aggregate(
        quantity=exact_sum(lines.quantity), amount=exact_sum(lines.amount)
    )
    returns = _seen_returns(warehouse, as_of)
    if warehouse.scalar(returns.count()) == 0:
        return lines
    lines = warehouse.keep(lines)
    return lines.anti_join(_sent_back(lines, returns), ["order_id", "product_id"])


def returned_products(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """What each customer has ever sent back, in part or in full: customer_id, product_id."""
    returns = _seen_returns(warehouse, as_of)
    named = returns.filter(returns.product_id.notnull()).select("customer_id", "product_id")
    whole = returns.filter(returns.product_id.isnull(), returns.order_id.notnull())
    lines = sold_lines(warehouse, as_of)
    lines = lines.filter(lines.product_id.notnull()).select("order_id", "customer_id", "product_id")
    return named.union(lines.semi_join(whole, "order_id").select("customer_id", "product_id")).distinct()


def without_gifts(lines: ir.Table, products: ir.Table) -> ir.Table:
    """Lines whose product is not a gift by its name or category."""
    words = products.name.fill_null("") + " " + products.category.fill_null("")
    return lines.anti_join(products.filter(words.lower().re_search(GIFTS)), "product_id")


def items(lines: ir.Table, products: ir.Table, level: Level = "product") -> ir.Table:
    """Lines by what is bought again: a product, or where products hardly repeat their category.

    Args:
        lines: From `kept_lines`.
        products: Current products.
        level: "category" leaves out lines without one.

    Returns:
        customer_id, purchase_day, item, item_group (a product's category, "" where unknown and for categories).
    """
    named = lines.left_join(products.select("product_id", "category"), "product_id")
    if level == "category":
        named = named.filter(named.category.notnull())
        return named.select("customer_id", "purchase_day", item=named.category, item_group=ibis.literal("")).distinct()
    return named.select("customer_id", "purchase_day", item=named.product_id, item_group=named.category.fill_null("")).distinct()


def _seen_returns(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    returns = warehouse.current("returns")
    return returns.filter(returns.returned_at < ibis.literal(as_of.naive))


def _sent_back(lines: ir.Table, returns: ir.Table) -> ir.Table:
    """Orders' products that came back in full: order_id, product_id."""
    pieces = returns.quantity.fill_null(ibis.literal(2**31))
    named = returns.filter(returns.product_id.notnull()).mutate(pieces=pieces)
    direct = named.filter(named.order_id.notnull()).select("order_id", "product_id", "pieces")
    back = direct.union(_without_order(lines, named.filter(named.order_id.isnull())))
    back = back.group_by("order_id", "product_id").aggregate(pieces=exact_sum(back.pieces))
    bought = lines.join(back, ["order_id", "product_id"])
    parts = bought.filter(bought.pieces >= bought.quantity).select("order_id", "product_id")
    whole = returns.filter(returns.product_id.isnull(), returns.order_id.notnull())
    whole = whole.group_by("order_id").aggregate(back=exact_sum(whole.amount))
    worth = lines.group_by("order_id").aggregate(worth=exact_sum(lines.amount)).join(whole, "order_id")
    orders = worth.filter(worth.back >= worth.worth)
    return parts.union(lines.semi_join(orders, "order_id").select("order_id", "product_id"))


def _without_order(lines: ir.Table, returns: ir.Table) -> ir.Table:
    """Returns that name no order, given to the customer's latest order of the product by then; a day is allowed for time zones."""
    met = returns.select("return_id", "customer_id", "product_id", "pieces", until=returns.returned_at.date() + ibis.interval(days=1))
    met = met.join(lines.select("customer_id", "product_id", "order_id", "purchase_day"), ["customer_id", "product_id"])
    met = met.filter(met.purchase_day <= met.until)
    latest = ibis.row_number().over(group_by="return_id", order_by=[ibis.desc("purchase_day"), ibis.desc("order_id")])
    return met.mutate(place=latest).filter(lambda t: t.place == 0).select("order_id", "product_id", "pieces")
