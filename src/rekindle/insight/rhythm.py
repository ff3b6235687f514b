"""How many days a customer usually lets pass between orders, and so when the next is expected.

Knows nothing of stages. Who orders regularly has a rhythm of their own; everyone else the model's, drawn towards the store's; who has
ordered once, that of customers of the same category.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.insight.purchases import exact_sum

REGULAR_GAPS = 4
"""Gaps from which a customer can be called regular."""

CATEGORY_GAPS = 20
"""Gaps of the whole store that a category's own are weighed against (assumed)."""

SOURCES = {
    "own": "from regular gaps of the customer's own",
    "model": "the customer's own gaps, drawn towards the store's",
    "category": "from one order: as customers of the same category",
    "store": "from one order of no category: as customers of the store",
}
"""Where a rhythm comes from, in `rhythm_source`, with the words people read."""


@dataclass(frozen=True, slots=True)
class StoreGaps:
    """What the store's gaps between purchase days add up to.

    Args:
        days: Sum of all gaps, days.
        gaps: How many there are.
    """

    days: int
    gaps: int


def store_gaps(buyers: ir.Table) -> ir.Table:
    """One row of days and gaps over all buyers; see `StoreGaps`."""
    return buyers.aggregate(days=exact_sum(buyers.recency_days), gaps=exact_sum(buyers.repeats))


def by_category(buyers: ir.Table, store: StoreGaps) -> ir.Table:
    """How much longer than the store's the gaps of a category's customers are.

    Args:
        buyers: category, recency_days and repeats of every buyer.
        store: From `store_gaps`.

    Returns:
        category, pace: (days + 20 store mean gaps) / (gaps + 20), in store mean gaps; a category without gaps has 1.
    """
    named = buyers.filter(buyers.category.notnull(), buyers.repeats > 0)
    summed = named.group_by("category").aggregate(days=exact_sum(named.recency_days), gaps=exact_sum(named.repeats))
    usual = store.days / store.gaps if store.gaps else 1.0
    drawn = (summed.days + CATEGORY_GAPS * usual) / (summed.gaps + CATEGORY_GAPS)
    return summed.select("category", pace=drawn / usual)


def regular(buyers: ir.Table) -> ir.BooleanValue:
    """Whether a customer orders regularly: at least four gaps, and their standard deviation is below half their mean.

    Args:
        buyers: repeats (gaps), recency_days (their sum) and gap_squares (the sum of their squares), whole days.

    The comparison is of whole numbers, with the n - 1 of a sample: (n Q - S^2) 4 n < (n - 1) S^2, so every engine agrees on it.
    """
    n, total = buyers.repeats, buyers.recency_days
    return (n >= REGULAR_GAPS) & ((n * buyers.gap_squares - total * total) * 4 * n < (n - 1) * total * total)


def with_rhythm(buyers: ir.Table, paces: ir.Table) -> ir.Table:
    """Replaces the model's rhythm by the customer's own or the category's where that is the better answer.

    Args:
        buyers: rhythm_days of the model (days), repeats, recency_days, gap_squares, category.
        paces: From `by_category`.

    Returns:
        The same with rhythm_days and rhythm_source (a key of `SOURCES`).
    """
    joined = buyers.left_join(paces, "category").drop("category_right")
    own = regular(joined)
    once = joined.repeats == 0
    known = joined.pace.notnull()
    rhythm = ibis.cases(
        (own, joined.recency_days / joined.repeats.nullif(0)),
        (once & known, joined.rhythm_days * joined.pace),
        else_=joined.rhythm_days,
    )
    source = ibis.cases((own, "own"), (once & known, "category"), (once, "store"), else_="model")
    return joined.mutate(rhythm_days=rhythm, rhythm_source=source).drop("pace")
