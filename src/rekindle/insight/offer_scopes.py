"""What an offer to a customer may be about: a category and a product that they bought or saved, and the seller of the product.

Knows nothing of offers. Nothing that the customer ever sent back or disliked, that is known to be out of stock, or whose seller is
suspended; what is not known to be out of stock is taken to be there.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight import kept, purchases
from rekindle.insight.friction import BAD_RATING
from rekindle.moment import AsOf

SAVED, UNSAVED = "Product Added to Wishlist", "Product Removed from Wishlist"


def numbered(warehouse: Warehouse, products: ir.Table) -> ir.Table:
    """Products with offer_no, a number of each that can be offered, null for the others."""
    sellers = warehouse.current("sellers")
    suspended = sellers.filter(sellers.suspended).select("seller_id", barred=True)
    joined = products.left_join(suspended, "seller_id")
    can = joined.in_stock.fill_null(True) & joined.barred.isnull()
    number = ibis.row_number().over(order_by=joined.product_id)
    return joined.select(*products.columns, offer_no=can.ifelse(number, ibis.null("int64")))


def with_scopes(warehouse: Warehouse, as_of: AsOf, customers: ir.Table, buyers: ir.Table) -> ir.Table:
    """Adds offer_category, offer_product, seller_id and seller_promotion; null, and false, where there is none.

    Args:
        warehouse: An open history.
        as_of: Later facts are not seen.
        customers: customer_id, offer_category_no and offer_no, from `purchases.baskets`; null for who never bought.
        buyers: The same of all buyers, kept.
    """
    names = warehouse.keep(purchases.categories(warehouse.current("products")))
    goods = numbered(warehouse, warehouse.current("products")).left_join(names, "category").drop("category_right")
    goods = warehouse.keep(goods.select("product_id", "category", "category_no", "seller_id", "offer_no"))
    spoiled = warehouse.keep(_spoiled(warehouse, as_of))
    if warehouse.scalar(spoiled.count()):
        again = _again(warehouse, as_of, buyers, goods, spoiled)
        customers = _replaced(customers, again)
    saved = warehouse.keep(_saved(warehouse, as_of, goods, spoiled))
    if warehouse.scalar(saved.count()):
        customers = _with_saved(customers, saved)
    promoted = _promoted(warehouse, as_of, goods)
    by_category = names.left_join(promoted["category"], "category").select(
        offer_category_no="category_no", offer_category="category", category_promoted="runs"
    )
    whole = customers.left_join(promoted["product"], "offer_no").drop("offer_no_right")
    whole = whole.left_join(warehouse.keep(by_category), "offer_category_no")
    runs = whole.product_promoted.fill_null(False) | whole.category_promoted.fill_null(False)
    return whole.mutate(seller_promotion=runs).drop("offer_category_no_right", "product_promoted", "category_promoted")


def _spoiled(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """What each customer ever sent back or gave at most two stars: customer_id, product_id."""
    reviews = warehouse.current("reviews")
    bad = reviews.filter(reviews.rating <= BAD_RATING, reviews.reviewed_at < ibis.literal(as_of.naive))
    named = bad.filter(bad.product_id.notnull()).select("customer_id", "product_id")
    whole = bad.filter(bad.product_id.isnull(), bad.order_id.notnull())
    lines = warehouse.current("order_lines")
    lines = lines.filter(lines.product_id.notnull()).semi_join(whole, "order_id").select("customer_id", "product_id")
    return named.union(lines, kept.returned_products(warehouse, as_of)).distinct()


def _again(warehouse: Warehouse, as_of: AsOf, buyers: ir.Table, goods: ir.Table, spoiled: ir.Table) -> ir.Table:
    """The scopes that are something sent back or disliked or of its category, found again without those.

    Returns:
        customer_id, again_category, again_no (null where nothing is left), judged (true).
    """
    categories = warehouse.keep(_spoiled_categories(goods, spoiled))
    loose = spoiled.join(goods.filter(goods.category_no.isnull()).select("product_id", "offer_no"), "product_id")
    loose = warehouse.keep(loose.select("customer_id", "product_id", "offer_no"))
    chosen = buyers.select("customer_id", "offer_no", category_no="offer_category_no")
    hit = chosen.semi_join(categories, ["customer_id", "category_no"]).union(chosen.semi_join(loose, ["customer_id", "offer_no"]))
    hit = warehouse.keep(hit.select("customer_id").distinct())
    lines = purchases.sold_lines(warehouse, as_of).select("customer_id", "product_id", "amount").semi_join(hit, "customer_id")
    left = lines.anti_join(loose, ["customer_id", "product_id"]).join(
        goods.select("product_id", "category_no", "offer_no"), "product_id"
    )
    again = warehouse.keep(purchases.offered(left, categories))
    judged = hit.left_join(again, "customer_id")
    return warehouse.keep(judged.select("customer_id", again_category="offer_category_no", again_no="offer_no", judged=True))


def _replaced(customers: ir.Table, again: ir.Table) -> ir.Table:
    joined = customers.left_join(again, "customer_id").drop("customer_id_right")
    return joined.mutate(
        offer_category_no=joined.judged.fill_null(False).ifelse(joined.again_category, joined.offer_category_no),
        offer_no=joined.judged.fill_null(False).ifelse(joined.again_no, joined.offer_no),
    ).drop("judged", "again_category", "again_no")


def _spoiled_categories(goods: ir.Table, spoiled: ir.Table) -> ir.Table:
    found = spoiled.join(goods.filter(goods.category_no.notnull()).select("product_id", "category_no"), "product_id")
    return found.select("customer_id", "category_no").distinct()


def _saved(warehouse: Warehouse, as_of: AsOf, goods: ir.Table, spoiled: ir.Table) -> ir.Table:
    """What each customer saved last, has not bought since and can still be offered: customer_id, saved_no, saved_category_no."""
    met = warehouse.current("events")
    met = met.filter(met.name.isin([SAVED, UNSAVED]), met.product_id.notnull(), met.occurred_at < ibis.literal(as_of.naive))
    met = met.select("customer_id", "product_id", "name", "occurred_at", "message_id")
    last = ibis.row_number().over(group_by=["customer_id", "product_id"], order_by=[ibis.desc("occurred_at"), ibis.desc("message_id")])
    wished = warehouse.keep(met.mutate(place=last).filter(lambda t: (t.place == 0) & (t.name == SAVED)).drop("place"))
    bought = purchases.sold_lines(warehouse, as_of).semi_join(wished, ["customer_id", "product_id"])
    bought = bought.group_by("customer_id", "product_id").aggregate(day=bought.purchase_day.max())
    open_ = wished.left_join(bought, ["customer_id", "product_id"]).filter(
        lambda t: t.day.isnull() | (t.day < t.occurred_at.cast("date"))
    ).select("customer_id", "product_id", "occurred_at")
    open_ = open_.anti_join(spoiled, ["customer_id", "product_id"])
    open_ = open_.join(goods.filter(goods.offer_no.notnull()).select("product_id", "category_no", "offer_no"), "product_id")
    latest = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("occurred_at"), "product_id"])
    chosen = open_.mutate(place=latest).filter(lambda t: t.place == 0)
    barred = _spoiled_categories(goods, spoiled).mutate(barred=True)
    judged = chosen.left_join(barred, ["customer_id", "category_no"])
    return judged.select(
        "customer_id", saved_no="offer_no",
        saved_category_no=judged.barred.fill_null(False).ifelse(ibis.null("int64"), judged.category_no),
    )


def _with_saved(customers: ir.Table, saved: ir.Table) -> ir.Table:
    """What was saved is nearer than what was bought; its category counts where none was bought from."""
    joined = customers.left_join(saved, "customer_id").drop("customer_id_right")
    return joined.mutate(
        offer_no=ibis.coalesce(joined.saved_no, joined.offer_no),
        offer_category_no=ibis.coalesce(joined.offer_category_no, joined.saved_category_no),
    ).drop("saved_no", "saved_category_no")


def _promoted(warehouse: Warehouse, as_of: AsOf, goods: ir.Table) -> dict[str, ir.Table]:
    """What a seller's own promotion runs on at the instant, by product (with what is told of it) and by category."""
    told, now = warehouse.current("promotions"), ibis.literal(as_of.naive)
    running = warehouse.keep(told.filter(told.starts_at <= now, told.ends_at.isnull() | (told.ends_at > now)))
    whole = running.filter(running.product_id.isnull(), running.category.isnull())
    in_category = running.filter(running.product_id.isnull(), running.category.notnull())
    products = running.filter(running.product_id.notnull()).select("product_id").distinct().mutate(by_product=True)
    categories = in_category.select("category", "seller_id").distinct().mutate(by_category=True)
    sellers = whole.select("seller_id").distinct().mutate(by_seller=True)
    joined = goods.filter(goods.offer_no.notnull()).left_join(products, "product_id").drop("product_id_right")
    joined = joined.left_join(categories, ["category", "seller_id"]).drop("category_right", "seller_id_right")
    joined = joined.left_join(sellers, "seller_id").drop("seller_id_right")
    runs = joined.by_product.fill_null(False) | joined.by_category.fill_null(False) | joined.by_seller.fill_null(False)
    product = joined.select("offer_no", "seller_id", offer_product="product_id", product_promoted=runs)
    return {"product": warehouse.keep(product), "category": in_category.select("category").distinct().mutate(runs=True)}
