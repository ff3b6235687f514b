"""What each customer bought, when and at what margin, as expressions over orders, lines and returns.

Knows nothing of models and stages. One row per customer with at least one order before the instant.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf

_CATEGORY_BASE = 65_536
PERMILLE = 1000


def sales(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Orders that stand before the instant: not cancelled."""
    orders = warehouse.current("orders")
    return orders.filter(~orders.cancelled, orders.ordered_at < ibis.literal(as_of.naive))


def sold_lines(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Lines of the orders that stand before the instant."""
    orders, lines = warehouse.current("orders"), warehouse.current("order_lines")
    until = ibis.literal(as_of.seen_day)
    void = orders.filter(orders.purchase_day <= until, orders.cancelled | (orders.ordered_at >= ibis.literal(as_of.naive)))
    seen = lines.filter(lines.purchase_day <= until)
    return seen.anti_join(void, "order_id") if warehouse.scalar(void.count()) else seen


def per_customer(orders: ir.Table) -> ir.Table:
    """Counts, sums and the purchase days that matter per customer.

    Returns:
        customer_id, orders, purchase_days, spend, discount, bare (spend of orders without lines), first_day, last_day, previous_day
        (the purchase day before the last, null for one purchase day).
    """
    sums = orders.group_by("customer_id").aggregate(
        orders=orders.count(),
        spend=exact_sum(orders.net),
        discount=exact_sum(orders.discount),
        bare=exact_sum((orders.lines == 0).ifelse(orders.net, 0)),
        days=orders.purchase_day.collect(),
    )
    sums = sums.mutate(days=sums.days.unique().sort())
    count = sums.days.length()
    return sums.mutate(
        purchase_days=count,
        first_day=sums.days[0],
        last_day=sums.days[count - 1],
        previous_day=(count > 1).ifelse(sums.days[ibis.greatest(count - 2, 0)], ibis.null("date")),
    ).drop("days")


def last_orders(orders: ir.Table, customers: ir.Table) -> ir.Table:
    """The last order: customer_id, last_order_id (of several at one instant the greatest id), last_ordered_at."""
    ends = customers.select("customer_id", "last_day")
    final = orders.select("customer_id", "order_id", "ordered_at", "purchase_day").join(ends, ["customer_id", ("purchase_day", "last_day")])
    latest = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("ordered_at"), ibis.desc("order_id")])
    final = final.mutate(latest=latest).filter(lambda t: t.latest == 0)
    return final.select("customer_id", last_order_id="order_id", last_ordered_at="ordered_at")


def categories(products: ir.Table) -> ir.Table:
    """Every category with a small number, so that lines can be grouped by integers."""
    named = products.filter(products.category.notnull()).select("category").distinct()
    return named.mutate(category_no=ibis.row_number().over(order_by="category"))


def earned(lines: ir.Table, rate: Decimal) -> ir.IntegerValue:
    """Margin of a line in thousandths of a minor unit: less the line's cost, else the product's, else by the store's rate.

    Args:
        lines: amount, cost, quantity and the product's unit_cost.
        rate: The store's margin on goods of unknown cost.
    """
    cost = lines.cost.fill_null(lines.unit_cost * lines.quantity)
    return cost.isnull().ifelse(lines.amount * int(rate * PERMILLE), (lines.amount - cost) * PERMILLE)


def baskets(lines: ir.Table, products: ir.Table, numbered: ir.Table, rate: Decimal) -> ir.Table:
    """What lines say per customer: their amount, what they earned, and the favourite category by spend.

    Args:
        lines: From `sold_lines`.
        products: Current products.
        numbered: From `categories`.
        rate: The store's margin on goods of unknown cost.

    Returns:
        customer_id, amount, earned (thousandths), category (null where unknown), category_share.
    """
    facts = products.select("product_id", "category", unit_cost="cost").left_join(numbered, "category").select(
        "product_id", "category_no", "unit_cost"
    )
    joined = lines.left_join(facts, "product_id")
    small = joined.select("customer_id", "amount", category_no=joined.category_no.fill_null(-1), earned=earned(joined, rate))
    grouped = small.group_by("customer_id", "category_no").aggregate(amount=exact_sum(small.amount), earned=exact_sum(small.earned))
    # One integer carries spend and category, so that the greatest is a plain maximum with its tie settled on every engine.
    code = (grouped.category_no >= 0).ifelse(
        grouped.amount.clip(lower=0) * _CATEGORY_BASE + (_CATEGORY_BASE - 1 - grouped.category_no), -1
    )
    summed = grouped.group_by("customer_id").aggregate(
        amount=exact_sum(grouped.amount), earned=exact_sum(grouped.earned), top=code.max()
    )
    top_no = (summed.top >= 0).ifelse(_CATEGORY_BASE - 1 - summed.top % _CATEGORY_BASE, -1)
    top_amount = (summed.top - summed.top % _CATEGORY_BASE) / _CATEGORY_BASE
    share = (summed.amount > 0).ifelse(top_amount / summed.amount, 0.0).clip(0.0, 1.0)
    return summed.mutate(category_no=top_no, category_share=(summed.top >= 0).ifelse(share, 0.0)).left_join(numbered, "category_no").select(
        "customer_id", "amount", "earned", "category", "category_share"
    )


def returned(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Amount sent back and open returns per customer: customer_id, returned (not of cancelled orders), open_return."""
    returns, orders = warehouse.current("returns"), warehouse.current("orders")
    void = orders.filter(orders.cancelled).select("order_id", void=True)
    seen = returns.filter(returns.returned_at < ibis.literal(as_of.naive)).left_join(void, "order_id").drop("order_id_right")
    return seen.group_by("customer_id").aggregate(
        returned=exact_sum(seen.void.fill_null(False).ifelse(0, seen.amount)), open_return=seen.open.fill_null(False).any()
    )


def last_products(lines: ir.Table, customers: ir.Table, products: ir.Table) -> ir.Table:
    """The dearest product of the last purchase day, for the given customers: customer_id, last_product, last_category."""
    dated = lines.filter(lines.product_id.notnull()).join(
        customers.select("customer_id", "last_day"), ["customer_id", ("purchase_day", "last_day")]
    )
    dearest = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("amount"), "product_id"])
    chosen = dated.select("customer_id", "product_id", "amount").mutate(place=dearest).filter(lambda t: t.place == 0)
    return chosen.left_join(products.select("product_id", "category"), "product_id").select(
        "customer_id", last_product="product_id", last_category="category"
    )


def margin(table: ir.Table, rate: Decimal) -> ir.IntegerValue:
    """Contribution margin in minor units: what lines earned, the rest by the store's rate, less what came back; rounded down.

    An order's discount that its lines do not carry reduces the margin in full.

    Args:
        table: spend, bare, amount, earned, returned per customer or order, not null.
        rate: The store's margin on goods of unknown cost.
    """
    thousandths = table.earned + (table.bare - table.returned) * int(rate * PERMILLE)
    return _whole((thousandths / PERMILLE).floor()) + table.spend - table.bare - table.amount


def exact_sum(value: ir.NumericValue) -> ir.IntegerScalar:
    """The sum of whole numbers: in floating point, which is exact in any order below 2^53 and a quarter cheaper than 128-bit integers."""
    return _whole(value.cast("float64").sum())


def _whole(value: ir.NumericValue) -> ir.IntegerValue:
    return value.cast("int64")
