"""What a customer likes: the share of each category and price band in what they buy, the recent counting for more.

Knows nothing of single products and of offers. Gifts and what was sent back say nothing of taste and are left out by `kept`.
"""

from dataclasses import dataclass
from math import inf, isinf, log
from typing import Literal

import ibis
import ibis.expr.types as ir
import numpy as np

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.dirichlet import Concentration, Tallies, fit_concentration
from rekindle.insight.kept import kept_lines, without_gifts
from rekindle.insight.purchases import exact_sum
from rekindle.moment import AsOf

HALF_LIFE_DAYS = 180
"""A purchase half a year ago counts half (docs/affinity.md has other half-lives compared)."""

BANDS = ("lowest", "low", "middle", "high", "highest")
"""Price bands: fifths of the store's lines by the price of one piece."""

MILLI = 1000
ASSUMED_WEIGHT = 5.0
"""Votes that a prior weighs where nobody has two purchases yet (assumed)."""

Kind = Literal["category", "price_band"]


@dataclass(frozen=True, slots=True)
class Taste:
    """How a store's customers differ in what they like.

    Args:
        kind: What is liked.
        shares: liking, share of the store's votes; kept by the warehouse.
        weight: How far customers differ, or why that cannot be told.
        votes: customer_id, liking, votes (number), weight (thousandths, recent ones more); kept by the warehouse.
    """

    kind: Kind
    shares: ir.Table
    weight: Concentration | CannotTell
    votes: ir.Table

    @property
    def prior(self) -> float:
        """Votes that the store's share weighs as much as; infinite where customers do not differ."""
        return ASSUMED_WEIGHT if isinstance(self.weight, CannotTell) else self.weight.value


def liked(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Lines that say something of taste: customer_id, purchase_day, category (null where unknown), price (of one piece, minor units)."""
    products = warehouse.current("products")
    lines = without_gifts(kept_lines(warehouse, as_of), products).left_join(products.select("product_id", "category"), "product_id")
    return lines.select("customer_id", "purchase_day", "category", price=(lines.amount / lines.quantity).round().cast("int64"))


def price_limits(warehouse: Warehouse, lines: ir.Table) -> tuple[int, ...]:
    """The highest price of each band but the last, minor units; empty where nothing was bought.

    Args:
        warehouse: Runs the counting.
        lines: From `liked`.
    """
    prices = warehouse.arrow(lines.group_by("price").aggregate(lines=lines.count()).order_by("price"))
    if prices.num_rows == 0:
        return ()
    price, below = prices["price"].to_numpy(), np.cumsum(prices["lines"].to_numpy())
    at = [np.searchsorted(below, below[-1] * step / len(BANDS)) for step in range(1, len(BANDS))]
    return tuple(int(price[one]) for one in at)


def with_band(lines: ir.Table, limits: tuple[int, ...]) -> ir.Table:
    """Lines with their price_band, one of `BANDS`."""
    band = ibis.cases(*((lines.price <= limit, name) for limit, name in zip(limits, BANDS, strict=False)), else_=BANDS[-1])
    return lines.mutate(price_band=band if limits else ibis.literal(BANDS[-1]))


def fit(warehouse: Warehouse, lines: ir.Table, kind: Kind, as_of: AsOf, half_life_days: float = HALF_LIFE_DAYS) -> Taste:
    """Counts votes and fits how far customers differ. A purchase day is one vote for each category or band in it.

    Args:
        warehouse: Runs the counting.
        lines: customer_id, purchase_day and the kind's column; from `with_band`.
        kind: What is liked.
        as_of: The instant; a vote's age is counted to its day.
        half_life_days: Age at which a vote counts half.
    """
    named = lines.filter(lines[kind].notnull()).select("customer_id", "purchase_day", liking=kind).distinct()
    age = ibis.literal(as_of.day).delta(named.purchase_day, unit="day").cast("float64")
    decayed = (MILLI * (-log(2.0) / half_life_days * age).exp()).round().cast("int64")
    votes = named.group_by("customer_id", "liking").aggregate(votes=named.count(), weight=exact_sum(decayed))
    votes = warehouse.keep(votes)
    shares = votes.group_by("liking").aggregate(votes=exact_sum(votes.votes))
    shares = warehouse.keep(shares.select("liking", share=(shares.votes / shares.votes.sum().over()).round(9)))
    return Taste(kind, shares, fit_concentration(_tallies(warehouse, votes, shares)), votes)


def _tallies(warehouse: Warehouse, votes: ir.Table, shares: ir.Table) -> Tallies:
    each = votes.group_by("customer_id").aggregate(total=exact_sum(votes.votes))
    totals = warehouse.arrow(each.group_by("total").aggregate(customers=each.count()).order_by("total"))
    counted = votes.group_by("liking", "votes").aggregate(customers=votes.customer_id.count()).join(shares, "liking")
    cells = warehouse.arrow(counted.select("liking", "votes", "customers", "share").order_by("liking", "votes"))
    numbers = (totals["total"], totals["customers"], cells["share"], cells["votes"], cells["customers"])
    total, customers, share, count, holders = (column.to_numpy().astype(np.float64) for column in numbers)
    return Tallies(total, customers, np.maximum(share, 1e-9), count, holders)


def affinities(taste: Taste) -> ir.Table:
    """What each customer has bought of, and its share in what they will buy.

    Returns:
        customer_id, liking, votes, share: drawn towards the store's, so that one purchase makes no certainty. A customer's shares add
        up to less than 1: the rest is for what they have never bought.
    """
    votes, prior = taste.votes.join(taste.shares, "liking"), taste.prior
    votes = votes.select("customer_id", "liking", "votes", "share", weight=votes.weight / MILLI)
    total = votes.weight.sum().over(group_by="customer_id").round(3)  # sums of thousandths: exact after rounding
    drawn = votes.share if isinf(prior) else (votes.weight + prior * votes.share) / (total + prior)
    return votes.select("customer_id", "liking", "votes", share=drawn.round(6))


def favourites(taste: Taste) -> ir.Table:
    """Each customer's favourite: customer_id, and the kind's column, its share and votes; of equals the first by name.

    A store whose customers do not differ has no favourites: no rows.
    """
    kind = taste.kind
    known = affinities(taste)
    if taste.prior == inf:
        known = known.limit(0)
    order = [ibis.desc("share"), ibis.desc("votes"), ibis.asc("liking")]
    placed = known.mutate(place=ibis.row_number().over(group_by="customer_id", order_by=order)).filter(lambda t: t.place == 0)
    return placed.select("customer_id", **{kind: placed.liking, f"{kind}_share": placed.share, f"{kind}_votes": placed.votes})


def favourite_table(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Each buyer's favourite category and price band.

    Returns:
        customer_id, category, category_share, category_votes, price_band, price_band_share, price_band_votes; null where the store's
        products have no categories, or its customers do not differ.
    """
    lines = warehouse.keep(liked(warehouse, as_of))
    lines = with_band(lines, price_limits(warehouse, lines))
    category, band = (favourites(fit(warehouse, lines, kind, as_of)) for kind in ("category", "price_band"))
    buyers = lines.select("customer_id").distinct()
    return buyers.left_join(category, "customer_id").drop("customer_id_right").left_join(band, "customer_id").drop("customer_id_right")
