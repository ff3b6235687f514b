"""How a customer likes to buy: at a price, at the dearer end, or one thing quickly; each as a score with the counts behind it.

Knows nothing of who a customer is. Scores come from behaviour alone, may overlap, and are drawn towards the store's habit where there is
little to see.
"""

from dataclasses import dataclass

import ibis.expr.types as ir

from rekindle.insight.purchases import PERMILLE, exact_sum

TAGS = {
    "price_sensitive": "buys at a discount",
    "premium": "buys the dearer things",
    "quick_solution": "buys one thing at a time",
}
"""Persona tags with the words people read."""

PRIOR_ORDERS = 4
"""Orders at the store's habit that a customer's own are weighed against (assumed)."""

TAGGED = 2 / 3
"""The score from which a tag is given: twice the odds of the store's habit (assumed)."""

LEAST_SIGNS = 2
"""Orders that must show the behaviour before a tag is given."""


@dataclass(frozen=True, slots=True)
class Habits:
    """The store's habits, as counts and sums over all buyers.

    Args:
        orders: Orders.
        discounted: Orders at a discount or with a code.
        lined: Orders of known lines.
        single: Those with exactly one line.
        ranked: Amount on lines whose product has a price rank, minor units.
        rank_sum: The same, each times its rank in thousandths.
    """

    orders: int
    discounted: int
    lined: int
    single: int
    ranked: int
    rank_sum: int


def habits(buyers: ir.Table) -> ir.Table:
    """One row of the store's habits; see `Habits`."""
    return buyers.aggregate(
        **{name: exact_sum(buyers[name]).fill_null(0) for name in ("orders", "discounted", "lined", "single", "ranked", "rank_sum")}
    )


def with_personas(buyers: ir.Table, store: Habits) -> ir.Table:
    """Adds each persona's score and the tags.

    A score is odds / (odds + store's odds): one half is the store's habit, two thirds is twice its odds. The habit is the customer's share
    of orders (for `premium`, the mean price rank within categories) with four orders at the store's added.

    Args:
        buyers: orders, discounted, lined, single, ranked, rank_sum; see `Habits`.
        store: From `habits`.

    Returns:
        The same with price_sensitive, premium, quick_solution (0 to 1), price_rank (0 the cheapest of its category to 1 the dearest,
        null where unknown) and personas (tags, comma-separated, "" where there is none).
    """
    rank = buyers.rank_sum / PERMILLE / buyers.ranked.nullif(0)
    seen = buyers.mutate(
        price_sensitive=_score(buyers.discounted, buyers.orders, _share(store.discounted, store.orders)),
        quick_solution=_score(buyers.single, buyers.lined, _share(store.single, store.lined)),
        premium=_score((rank * buyers.lined).fill_null(0.0), buyers.lined, _share(store.rank_sum, store.ranked * PERMILLE)),
        price_rank=rank,
    )
    signs = {"price_sensitive": seen.discounted, "premium": seen.lined, "quick_solution": seen.single}
    given = [((seen[tag] >= TAGGED) & (signs[tag] >= LEAST_SIGNS)).ifelse(tag + ", ", "") for tag in TAGS]
    return seen.mutate(personas=(given[0] + given[1] + given[2]).re_replace(", $", ""))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _score(shown: ir.NumericValue, of: ir.IntegerValue, usual: float) -> ir.FloatingValue:
    """The odds of the own habit over the sum of them and the store's; one half where the store never or always shows it."""
    if usual <= 0 or usual >= 1:
        return (of * 0.0) + 0.5
    own = (shown + PRIOR_ORDERS * usual) / (of + PRIOR_ORDERS)
    return own * (1 - usual) / (own * (1 - usual) + usual * (1 - own))
