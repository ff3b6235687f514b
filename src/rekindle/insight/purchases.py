"""What each customer bought, when and at what margin, as expressions over orders, lines and returns.

Knows nothing of models and stages. One row per customer with at least one order before the instant.
"""

from datetime import date
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf, start_of_day

_CATEGORY_BASE = 65_536
_PRODUCT_BASE, _LARGEST_AMOUNT = 1 << 24, 1 << 38
PERMILLE = 1000
RECENT_DAYS = 30
"""A burst of purchase days is looked for in so many days, up to and including the last purchase day."""


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


def per_customer(orders: ir.Table, since: date | None = None) -> ir.Table:
    """Counts, sums and the purchase days that matter per customer.

    Args:
        orders: From `sales`.
        since: Where given, spend and bare of orders from this day on are summed apart: late_spend, late_bare.

    Returns:
        customer_id, orders, purchase_days, spend, discount, bare (spend of orders without lines), first_day, last_day, previous_day
        (the purchase day before the last, null for one purchase day), last_order_id (of several at one instant the greatest id),
        last_ordered_at, gap_squares (sum of the squared days between purchase days next to each other; their number is
        purchase_days - 1, their sum the days from first to last), recent_days (purchase days of the `RECENT_DAYS` up to and including
        the last), discounted (orders with a discount or a code), single (orders of exactly one line), lined (orders of known lines).
    """
    visits = _visits(orders)
    another_day = visits.gap > 0
    sums = visits.group_by("customer_id").aggregate(
        orders=visits.count(),
        purchase_days=another_day.sum().fill_null(0) + 1,
        spend=exact_sum(visits.net),
        discount=exact_sum(visits.discount),
        bare=exact_sum((visits.lines == 0).ifelse(visits.net, 0)),
        first_day=visits.purchase_day.min(),
        last_day=visits.last_day.max(),
        previous_day=visits.day_before.max(where=another_day),
        latest=ibis.struct({"at": visits.ordered_at, "id": visits.order_id}).max(where=visits.purchase_day == visits.last_day),
        gap_squares=(visits.gap * visits.gap).sum().fill_null(0),
        recent_days=visits.recent.sum(),
        discounted=((visits.discount > 0) | (visits.code.fill_null("") != "")).sum(),
        single=(visits.lines == 1).sum(),
        lined=(visits.lines > 0).sum(),
        **_late(visits, since, spend=visits.net, bare=(visits.lines == 0).ifelse(visits.net, 0)),
    )
    return sums.mutate(last_order_id=sums.latest["id"], last_ordered_at=sums.latest["at"]).drop("latest")


def _late(rows: ir.Table, since: date | None, **values: ir.IntegerValue) -> dict[str, ir.IntegerScalar]:
    """The sums of values from a day on, each under its name with `late_` before it; none where no day is given."""
    if since is None:
        return {}
    return {f"late_{name}": exact_sum((rows.purchase_day >= ibis.literal(since)).ifelse(value, 0)) for name, value in values.items()}


def _visits(orders: ir.Table) -> ir.Table:
    """Orders with their customer's last_day, day_before (of the order before), gap (days from it) and whether their day is recent.

    A second order of one day has a gap of 0, the first order none. One sort by customer and day serves every column.
    """
    by_day = ibis.window(group_by="customer_id", order_by="purchase_day")
    whole = ibis.window(group_by="customer_id", order_by="purchase_day", rows=(None, None))
    dated = orders.mutate(day_before=orders.purchase_day.lag().over(by_day), last_day=orders.purchase_day.max().over(whole))
    dated = dated.mutate(
        gap=dated.purchase_day.delta(dated.day_before, unit="day").cast("int64"),
        until_last=dated.last_day.delta(dated.purchase_day, unit="day").cast("int64"),
    )
    return dated.mutate(recent=(dated.gap.fill_null(1) > 0) & (dated.until_last < RECENT_DAYS))


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


def baskets(lines: ir.Table, products: ir.Table, numbered: ir.Table, rate: Decimal, since: date | None = None) -> ir.Table:
    """What lines say per customer: their amount, what they earned, the favourite category by spend, and what can be offered.

    Args:
        lines: From `sold_lines`.
        products: Current products with price_rank (thousandths of how dear each is in its category, null where that is unknown) and
            offer_no (a number of each that can be offered, null for the others).
        numbered: From `categories`.
        rate: The store's margin on goods of unknown cost.
        since: Where given, amount and earned of lines from this day on are summed apart: late_amount, late_earned.

    Returns:
        customer_id, amount, earned (thousandths), ranked (amount of the lines whose product has a price rank), rank_sum (the same, each
        times its rank), category (null where unknown), category_share, and offer_category_no and offer_no as in `offered`.
    """
    facts = products.select("product_id", "category", "price_rank", "offer_no", unit_cost="cost").left_join(numbered, "category").select(
        "product_id", "category_no", "unit_cost", "price_rank", "offer_no"
    )
    joined = lines.left_join(facts, "product_id")
    ranked = joined.price_rank.notnull().ifelse(joined.amount, 0)
    small = joined.select(
        "customer_id", "purchase_day", "amount", category_no=joined.category_no.fill_null(-1), earned=earned(joined, rate), ranked=ranked,
        rank_sum=ranked * joined.price_rank.fill_null(0), dearest=_dearest(joined),
    )
    sums = {name: exact_sum(small[name]) for name in ("amount", "earned", "ranked", "rank_sum")}
    sums |= _late(small, since, amount=small.amount, earned=small.earned)
    added = tuple(sums)
    grouped = small.group_by("customer_id", "category_no").aggregate(**sums, dearest=small.dearest.max())
    summed = grouped.group_by("customer_id").aggregate(
        **{name: exact_sum(grouped[name]) for name in added}, top=_spent(grouped).max(), **_best(grouped)
    )
    top_amount = (summed.top - summed.top % _CATEGORY_BASE) / _CATEGORY_BASE
    share = (summed.amount > 0).ifelse(top_amount / summed.amount, 0.0).clip(0.0, 1.0)
    shown = summed.mutate(
        category_no=_category_of(summed.top), category_share=(summed.top >= 0).ifelse(share, 0.0), **_offer(summed)
    )
    return shown.left_join(numbered, "category_no").select(
        "customer_id", *added, "category", "category_share", "offer_category_no", "offer_no"
    )


def offered(lines: ir.Table, barred: ir.Table) -> ir.Table:
    """What can be offered to each customer out of what they bought.

    Args:
        lines: customer_id, amount, category_no (null where unknown), offer_no of the product (null where it cannot be offered).
        barred: customer_id, category_no of categories that do not count.

    Returns:
        customer_id, offer_category_no (of the category with most spend that has a product to offer; null where none has a name), offer_no
        (of the product there that most was paid for on one line).
    """
    small = lines.select("customer_id", "amount", category_no=lines.category_no.fill_null(-1), dearest=_dearest(lines))
    grouped = small.group_by("customer_id", "category_no").aggregate(amount=exact_sum(small.amount), dearest=small.dearest.max())
    grouped = grouped.anti_join(barred, ["customer_id", "category_no"])
    summed = grouped.group_by("customer_id").aggregate(**_best(grouped))
    return summed.select("customer_id", **_offer(summed))


def _spent(grouped: ir.Table) -> ir.IntegerValue:
    """One integer of spend and category, so that the greatest is a plain maximum with its tie settled on every engine; -1 without one."""
    code = grouped.amount.clip(lower=0) * _CATEGORY_BASE + (_CATEGORY_BASE - 1 - grouped.category_no)
    return (grouped.category_no >= 0).ifelse(code, -1)


def _category_of(code: ir.IntegerValue) -> ir.IntegerValue:
    return (code >= 0).ifelse(_CATEGORY_BASE - 1 - code % _CATEGORY_BASE, -1)


def _dearest(lines: ir.Table) -> ir.IntegerValue:
    """The same of a line's amount and product; -1 where the product cannot be offered."""
    code = lines.amount.clip(lower=0, upper=_LARGEST_AMOUNT) * _PRODUCT_BASE + (_PRODUCT_BASE - 1 - lines.offer_no)
    return code.fill_null(-1)


def _best(grouped: ir.Table) -> dict[str, ir.IntegerScalar]:
    """Of the categories with something to offer the one with most spend, and its dearest line; goods without a category come last."""
    open_ = (grouped.dearest >= 0).ifelse(_spent(grouped), -2)
    return {"best": open_.max(), "line": grouped.dearest.argmax(open_)}


def _offer(summed: ir.Table) -> dict[str, ir.IntegerValue]:
    number = (summed.line >= 0).ifelse(_PRODUCT_BASE - 1 - summed.line % _PRODUCT_BASE, ibis.null("int64"))
    return {"offer_category_no": _category_of(summed.best).nullif(-1), "offer_no": number}


def returned(warehouse: Warehouse, as_of: AsOf, since: date | None = None) -> ir.Table:
    """Amount sent back and open returns per customer, from a day on: customer_id, returned (not of cancelled orders), open_return."""
    returns, orders = warehouse.current("returns"), warehouse.current("orders")
    void = orders.filter(orders.cancelled).select("order_id", void=True)
    if since is not None:
        returns = returns.filter(returns.returned_at >= ibis.literal(start_of_day(since, as_of.timezone).replace(tzinfo=None)))
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


def margin(table: ir.Table, rate: Decimal, of: str = "") -> ir.IntegerValue:
    """Contribution margin in minor units: what lines earned, the rest by the store's rate, less what came back; rounded down.

    An order's discount that its lines do not carry reduces the margin in full.

    Args:
        table: spend, bare, amount, earned, returned per customer or order, not null.
        rate: The store's margin on goods of unknown cost.
        of: What stands before these names, such as `late_`.
    """
    spend, bare, amount, earns, back = (table[f"{of}{name}"] for name in ("spend", "bare", "amount", "earned", "returned"))
    thousandths = earns + (bare - back) * int(rate * PERMILLE)
    return _whole((thousandths / PERMILLE).floor()) + spend - bare - amount


def exact_sum(value: ir.NumericValue) -> ir.IntegerScalar:
    """The sum of whole numbers: in floating point, which is exact in any order below 2^53 and a quarter cheaper than 128-bit integers."""
    return _whole(value.cast("float64").sum())


def _whole(value: ir.NumericValue) -> ir.IntegerValue:
    return value.cast("int64")
