"""Which products go together in a basket, and which are bought in place of each other.

Knows nothing of why. Two products of one taste also meet more often than chance has it: a pair is what a shop sees, not a recipe. Where
the evidence is weak there is no row.
"""

import ibis
import ibis.expr.types as ir
from scipy.special import ndtri

from rekindle.history.warehouse import Warehouse
from rekindle.insight.kept import without_gifts
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf

LEAST_TOGETHER = 5
"""Times that a pair must have been seen, with at least three customers."""

LEAST_CUSTOMERS = 3
LEAST_LIFT = 1.2
"""What the lower bound of a pair's lift must exceed; 1 is chance."""

LARGEST_BASKET = 50
"""Orders of more products are a trader's and are left out: they hold everything together."""

ERROR = 0.05
"""Chance that any pair of a shop without pairs is called one; shared among all pairs of products sold often enough."""

SWITCH_DAYS = 90
VIEWED_DAYS = 7

COLUMNS = ("product_id", "companion_id", "kind", "evidence", "together", "customers", "expected", "lift", "lift_low")
"""kind: complement or substitute; evidence: basket, sequence or view; together: orders that show it; expected: by chance; lift: their
ratio; lift_low: its lower bound, all pairs considered."""


def lower_count(count: ir.NumericValue, z: float) -> ir.FloatingValue:
    """The lower limit of the mean of a Poisson count.

    Args:
        count: At least 1.
        z: Standard normal quantile of the one-sided confidence.

    Source: Breslow & Day (1987), Statistical methods in cancer research II, Byar's approximation, equation 2.13.
    """
    root = (1 - 1 / (9.0 * count) - z / (3.0 * count.cast("float64").sqrt())).clip(lower=0.0)
    return count * root * root * root


def upper_count(count: ir.NumericValue, z: float) -> ir.FloatingValue:
    """The upper limit of the mean of a Poisson count, 0 or more.

    Source: as `lower_count`.
    """
    more = count + 1
    root = 1 - 1 / (9.0 * more) + z / (3.0 * more.cast("float64").sqrt())
    return more * root * root * root


def baskets(lines: ir.Table, products: ir.Table) -> ir.Table:
    """What each order holds, gifts and the largest orders apart: order_id, customer_id, product_id, purchase_day.

    Args:
        lines: From `kept.kept_lines`: one row per order and product.
        products: Current products.
    """
    held = without_gifts(lines, products).select("order_id", "customer_id", "product_id", "purchase_day")
    large = held.group_by("order_id").aggregate(size=held.count()).filter(lambda t: t.size > LARGEST_BASKET)
    return held.anti_join(large, "order_id")


def complements(warehouse: Warehouse, held: ir.Table) -> ir.Table:
    """Products that meet in orders more often than their own numbers of orders would have it, in both directions: `COLUMNS`.

    Args:
        warehouse: Keeps the pairs.
        held: From `baskets`.
    """
    facts = held.select("customer_id", unit="order_id", product="product_id")
    orders = held.group_by("order_id").aggregate(size=held.count())
    once = _counted(warehouse, facts, facts, warehouse.scalar(orders.count()), ordered=True)
    found = _kept(warehouse, once, "complement", "basket", tested=0.5)
    return found.union(found.rename(product_id="companion_id", companion_id="product_id").select(*COLUMNS))


def switched(warehouse: Warehouse, held: ir.Table, products: ir.Table) -> ir.Table:
    """Products bought in place of each other: one is in an order and not in the next, the other the reverse, and hardly ever together.

    Args:
        warehouse: Keeps the pairs.
        held: From `baskets`.
        products: Current products; where both have a category, it is the same.

    Returns:
        `COLUMNS`; product_id is what was bought before.
    """
    orders = held.select("customer_id", "order_id", "purchase_day").distinct()
    following = ibis.window(group_by="customer_id", order_by=["purchase_day", "order_id"])
    turns = orders.mutate(next_id=orders.order_id.lead().over(following), next_day=orders.purchase_day.lead().over(following))
    turns = turns.filter(turns.next_day.delta(turns.purchase_day, unit="day") <= SWITCH_DAYS)
    turns = warehouse.keep(turns.select("customer_id", "next_id", unit="order_id"))
    had = turns.join(held.select(unit="order_id", product="product_id"), "unit").select("customer_id", "unit", "product")
    got = turns.join(held.select(next_id="order_id", product="product_id"), "next_id").select("customer_id", "unit", "product")
    had, got = warehouse.keep(had), warehouse.keep(got)
    dropped, added = had.anti_join(got, ["unit", "product"]), got.anti_join(had, ["unit", "product"])
    pairs = _counted(warehouse, dropped, added, warehouse.scalar(turns.count()))
    found = _kept(warehouse, _of_one_category(pairs, products), "substitute", "sequence")
    return _apart(warehouse, found, held)


def viewed_instead(warehouse: Warehouse, held: ir.Table, products: ir.Table, as_of: AsOf) -> ir.Table:
    """Products bought by customers who had looked at another within `VIEWED_DAYS` and did not buy it: `COLUMNS`.

    Args:
        warehouse: Keeps the pairs; has the events.
        held: From `baskets`.
        products: Current products; where both have a category, it is the same.
        as_of: The instant; later views are not seen.

    Returns:
        `COLUMNS`; product_id is what was looked at.
    """
    events = warehouse.current("events")
    views = events.filter(
        events.name == "Product Viewed", events.product_id.notnull(), events.customer_id.notnull(),
        events.occurred_at < ibis.literal(as_of.naive),
    ).select("customer_id", "occurred_at", product="product_id")
    placed = sales(warehouse, as_of).select("customer_id", "ordered_at", unit="order_id").semi_join(held.select(unit="order_id"), "unit")
    met = placed.join(views, "customer_id")
    met = met.filter(met.occurred_at <= met.ordered_at, met.occurred_at >= met.ordered_at - ibis.interval(days=VIEWED_DAYS))
    met = warehouse.keep(met.select("customer_id", "unit", "product").distinct())
    bought = held.select("customer_id", unit="order_id", product="product_id").semi_join(met, "unit")
    looked = met.anti_join(bought, ["unit", "product"])
    pairs = _counted(warehouse, looked, bought, warehouse.scalar(met.unit.nunique()))
    return _kept(warehouse, _of_one_category(pairs, products), "substitute", "view")


def _counted(warehouse: Warehouse, first: ir.Table, second: ir.Table, units: int, *, ordered: bool = False) -> ir.Table:
    """How often a product of one set meets another of the second in a unit, beside what chance would have, of those sold often enough.

    Args:
        warehouse: Keeps the counts.
        first: customer_id, unit, product.
        second: The same.
        units: Orders, or steps from order to order.
        ordered: The two sets are one: each pair is counted once.
    """
    left, right = _numbered(warehouse, first), _numbered(warehouse, second)
    met = _met(first, second, left, right, ordered)
    counted = met.group_by("one", "other").aggregate(together=met.count())
    counted = warehouse.keep(counted.filter(counted.together >= LEAST_TOGETHER))
    # Who they were is asked of these pairs alone.
    ones, others = left.semi_join(counted.select(number="one"), "number"), right.semi_join(counted.select(number="other"), "number")
    again = _met(first, second, ones, others, ordered).semi_join(counted, ["one", "other"])
    people = again.select("one", "other", "customer_id").distinct()
    people = people.group_by("one", "other").aggregate(customers=people.count())
    pairs = counted.join(people.filter(people.customers >= LEAST_CUSTOMERS), ["one", "other"])
    pairs = pairs.join(left.select(one="number", product_id="product", product_units="units"), "one")
    pairs = pairs.join(right.select(other="number", companion_id="product", companion_units="units"), "other")
    possible = warehouse.scalar(left.count()) * warehouse.scalar(right.count())
    expected = pairs.product_units.cast("float64") * pairs.companion_units / max(units, 1)
    return pairs.select(
        "product_id", "companion_id", "together", "customers", expected=expected, possible=ibis.literal(possible, "int64")
    )


def _numbered(warehouse: Warehouse, facts: ir.Table) -> ir.Table:
    """Products seen often enough, with a small number: product, units, number."""
    each = facts.group_by("product").aggregate(units=facts.count())
    each = each.filter(each.units >= LEAST_TOGETHER)
    return warehouse.keep(each.mutate(number=ibis.row_number().over(order_by="product")))


def _met(first: ir.Table, second: ir.Table, left: ir.Table, right: ir.Table, ordered: bool) -> ir.Table:
    """Every meeting of two products in a unit: customer_id, one, other (numbers)."""
    ones = first.join(left, "product").select("customer_id", "unit", one="number", name="product")
    others = second.join(right, "product").select("unit", other="number", other_name="product")
    met = ones.join(others, "unit")
    met = met.filter(met.one < met.other) if ordered else met.filter(met.name != met.other_name)
    return met.select("customer_id", "one", "other")


def _kept(warehouse: Warehouse, pairs: ir.Table, kind: str, evidence: str, tested: float = 1.0) -> ir.Table:
    pairs = warehouse.keep(pairs)
    possible = warehouse.scalar(pairs.possible.max()) or 1
    z = -float(ndtri(ERROR / max(possible * tested, 1.0)))
    bounded = pairs.mutate(
        kind=ibis.literal(kind), evidence=ibis.literal(evidence), lift=(pairs.together / pairs.expected).round(6),
        lift_low=(lower_count(pairs.together, z) / pairs.expected).round(6), expected=pairs.expected.round(6),
    )
    return warehouse.keep(bounded.filter(bounded.lift_low > LEAST_LIFT).select(*COLUMNS))


def _of_one_category(pairs: ir.Table, products: ir.Table) -> ir.Table:
    named = pairs.left_join(products.select(product_id="product_id", category="category"), "product_id").drop("product_id_right")
    other = products.select(companion_id="product_id", companion_category="category")
    named = named.left_join(other, "companion_id").drop("companion_id_right")
    same = named.category.isnull() | named.companion_category.isnull() | (named.category == named.companion_category)
    return named.filter(same).drop("category", "companion_category")


def _apart(warehouse: Warehouse, found: ir.Table, held: ir.Table) -> ir.Table:
    """Pairs that meet in one order less often than chance would have it: the upper bound (95 %, one-sided) of that lift is below 1."""
    orders = warehouse.scalar(held.order_id.nunique())
    sold = warehouse.keep(held.group_by("product_id").aggregate(orders=held.count()))
    mine = found.select("product_id", "companion_id").join(held.select("order_id", "product_id"), "product_id")
    both = mine.join(held.select("order_id", companion_id="product_id"), ["order_id", "companion_id"])
    met = both.group_by("product_id", "companion_id").aggregate(met=both.count())
    pairs = found.left_join(met, ["product_id", "companion_id"]).drop("product_id_right", "companion_id_right")
    pairs = pairs.join(sold.select("product_id", first="orders"), "product_id")
    pairs = pairs.join(sold.select(companion_id="product_id", second="orders"), "companion_id")
    chance = pairs.first.cast("float64") * pairs.second / max(orders, 1)
    return warehouse.keep(pairs.filter(upper_count(pairs.met.fill_null(0), -float(ndtri(0.05))) < chance).select(*COLUMNS))


def suggestions(pairs: ir.Table, anchors: ir.Table, owned: ir.Table, returned: ir.Table, limit: int = 3) -> ir.Table:
    """What to show a customer beside, or in place of, some products: never what they have or have sent back.

    Args:
        pairs: `COLUMNS`.
        anchors: customer_id, product_id: what was last bought, or is not to be had.
        owned: customer_id, product_id; from `kept.kept_lines`.
        returned: customer_id, product_id; from `kept.returned_products`.
        limit: Products per customer.

    Returns:
        customer_id, place (from 1), product_id, companion_of, lift_low. A customer without a strong pair has no row.
    """
    found = anchors.select("customer_id", "product_id").distinct().join(pairs, "product_id")
    found = found.select("customer_id", "lift_low", "together", companion_of="product_id", product_id="companion_id")
    for known in (owned, returned):
        found = found.anti_join(known, ["customer_id", "product_id"])
    best = [ibis.desc("lift_low"), ibis.desc("together"), ibis.asc("product_id"), ibis.asc("companion_of")]
    once = found.mutate(once=ibis.row_number().over(group_by=["customer_id", "product_id"], order_by=best)).filter(lambda t: t.once == 0)
    placed = once.mutate(place=ibis.row_number().over(group_by="customer_id", order_by=best) + 1).filter(lambda t: t.place <= limit)
    return placed.select("customer_id", "place", "product_id", "companion_of", "lift_low")
