"""What a customer will most likely buy next: what they buy again and what they try, ranked in one list and told apart.

Knows nothing of offers and stock. A basket is a purchase day; items are products, or categories where products hardly repeat.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np

from rekindle.history.warehouse import Warehouse
from rekindle.insight.basket_chance import EXPLORE, REPEAT, SCALE, BasketChances, Ints, fit_chances
from rekindle.insight.purchases import exact_sum
from rekindle.moment import AsOf

HOLDOUT_DAYS = 60
"""The chances are learned from the first baskets of the last 60 days, and what was known before them."""

POPULAR_DAYS = 30
"""Half-life of popularity; chosen on the months before the test months of both public data sets (docs/affinity.md)."""

LEARN_FROM = 20_000
"""Customers that the chances are learned from at most, chosen by a hash of the id."""


@dataclass(frozen=True, slots=True)
class BasketHistory:
    """What was bought before a day, counted; all kept by the warehouse.

    Args:
        own: customer_id, item, own_days (purchase days with it), last_day.
        customers: customer_id, days (purchase days), lines (items over them), last_day.
        popular: item, weight (thousandths, halved every `POPULAR_DAYS`), popularity (tenths of a logarithm), place (0 is the most).
    """

    own: ir.Table
    customers: ir.Table
    popular: ir.Table


def count(warehouse: Warehouse, bought: ir.Table, day: date, customers: ir.Table | None = None) -> BasketHistory:
    """Counts what was bought before a day.

    Args:
        warehouse: Keeps the counts.
        bought: customer_id, purchase_day, item; one row per customer, day and item, from `kept.items`.
        day: Exclusive.
        customers: customer_id; only theirs are counted, popularity is everyone's.
    """
    seen = bought.filter(bought.purchase_day < ibis.literal(day)).select("customer_id", "purchase_day", "item")
    age = ibis.literal(day).delta(seen.purchase_day, unit="day")
    weight = (SCALE * (-np.log(2.0) / POPULAR_DAYS * age.cast("float64")).exp()).round().cast("int64")
    popular = seen.group_by("item").aggregate(weight=exact_sum(weight))
    # Hundred-thousandths of all that is bought; an item of long ago weighs nothing and is one of them.
    share = popular.weight / popular.weight.sum().over().nullif(0) * 100_000
    place = ibis.row_number().over(order_by=[ibis.desc("weight"), "item"])
    popular = warehouse.keep(popular.mutate(popularity=tenths(share.fill_null(0.0) + 1.0), place=place))
    mine = seen if customers is None else seen.semi_join(customers, "customer_id")
    own = warehouse.keep(mine.group_by("customer_id", "item").aggregate(own_days=mine.count(), last_day=mine.purchase_day.max()))
    per_day = mine.group_by("customer_id", "purchase_day").aggregate(lines=mine.count())
    each = per_day.group_by("customer_id").aggregate(
        days=per_day.count(), lines=exact_sum(per_day.lines), last_day=per_day.purchase_day.max()
    )
    return BasketHistory(own, warehouse.keep(each), popular)


def tenths(value: ir.NumericValue) -> ir.IntegerValue:
    """Ten times the natural logarithm, rounded."""
    return (value.cast("float64").ln() * 10).round().cast("int64")


def candidates(history: BasketHistory, limit: int) -> tuple[ir.Table, ir.Table]:
    """What each customer may buy next: all that they have bought, and the most popular of what they have not.

    Args:
        history: From `count`.
        limit: Twice as many of the most popular are looked through for what is new to a customer.

    Returns:
        Two tables of customer_id, item, weight and the columns of `REPEAT` and `EXPLORE`.
    """
    buyers = history.customers.select(
        "customer_id", final=history.customers.last_day, days=tenths(history.customers.days),
        basket=tenths(history.customers.lines / history.customers.days),
    )
    popular = history.popular
    owned = history.own.join(popular.select("item", "weight", "popularity"), "item").join(buyers, "customer_id")
    lag = owned.final.delta(owned.last_day, unit="day") + 1
    repeat = owned.select("customer_id", "item", "weight", "days", "popularity", "basket", own_days=tenths(owned.own_days), lag=tenths(lag))
    top = popular.filter(popular.place < 2 * limit).select("item", "weight", "popularity")
    fresh = buyers.cross_join(top).anti_join(history.own, ["customer_id", "item"])
    return repeat, fresh.select("customer_id", "item", "weight", *EXPLORE)


def learn(warehouse: Warehouse, bought: ir.Table, as_of: AsOf, limit: int = 10) -> BasketChances:
    """Learns the chances from customers who bought in the last `HOLDOUT_DAYS`: what was known before, and the basket that came.

    Args:
        warehouse: Runs the counting.
        bought: As of `count`.
        as_of: The instant; its day is not seen.
        limit: Length of the lists that the chances are for.
    """
    origin = as_of.day - timedelta(days=HOLDOUT_DAYS)
    came = bought.filter(bought.purchase_day >= ibis.literal(origin), bought.purchase_day < ibis.literal(as_of.day))
    known = bought.filter(bought.purchase_day < ibis.literal(origin))
    first = came.group_by("customer_id").aggregate(purchase_day=came.purchase_day.min()).semi_join(known, "customer_id")
    first = warehouse.keep(_sampled(first, warehouse.scalar(first.count())))
    basket = warehouse.keep(came.join(first, ["customer_id", "purchase_day"]).select("customer_id", "item"))
    repeat, explore = candidates(count(warehouse, bought, origin, first), limit)
    return fit_chances(
        _tallied(warehouse, repeat, basket, REPEAT), _tallied(warehouse, explore, basket, EXPLORE), warehouse.scalar(first.count())
    )


def _sampled(customers: ir.Table, total: int) -> ir.Table:
    if total <= LEARN_FROM:
        return customers
    return customers.filter(customers.customer_id.hexdigest("md5")[:6] < f"{round(LEARN_FROM / total * 16**6):06x}")


def _tallied(warehouse: Warehouse, rows: ir.Table, basket: ir.Table, names: tuple[str, ...]) -> tuple[Ints, Ints, Ints]:
    """Distinct rows with how often they were a candidate and how often bought."""
    marked = rows.left_join(basket.mutate(bought=ibis.literal(1)), ["customer_id", "item"])
    groups = marked.group_by(*names).aggregate(tried=marked.count(), bought=exact_sum(marked.bought.fill_null(0))).order_by(*names)
    table = warehouse.arrow(groups)
    columns = [table[name].to_numpy().astype(np.int64) for name in names]
    return np.column_stack(columns), table["tried"].to_numpy(), table["bought"].to_numpy()


def rank(history: BasketHistory, chances: BasketChances, limit: int = 10) -> ir.Table:
    """The likeliest items of each customer's next basket.

    Args:
        history: From `count`, up to the instant.
        chances: From `learn`.
        limit: Items per customer.

    Returns:
        customer_id, place (from 1), item, kind ("repeat" or "explore"), chance (of it being in the next basket). Ties go to the more
        popular, then to the first by name.
    """
    repeat, explore = candidates(history, limit)
    both = _scored(repeat, REPEAT, chances.repeat, "repeat").union(_scored(explore, EXPLORE, chances.explore, "explore"))
    order = [ibis.desc("score"), ibis.desc("weight"), ibis.asc("item")]
    placed = both.mutate(place=ibis.row_number().over(group_by="customer_id", order_by=order) + 1).filter(lambda t: t.place <= limit)
    odds = (placed.score / (10.0 * SCALE)).exp()
    return placed.select("customer_id", "place", "item", "kind", chance=(odds / (1 + odds)).round(6))


def _scored(rows: ir.Table, names: tuple[str, ...], coefficients: tuple[int, ...], kind: str) -> ir.Table:
    score: ir.IntegerValue = ibis.literal(10 * coefficients[0], "int64")
    for name, coefficient in zip(names, coefficients[1:], strict=True):
        score = score + rows[name] * coefficient
    return rows.select("customer_id", "item", "weight", score=score, kind=ibis.literal(kind))
