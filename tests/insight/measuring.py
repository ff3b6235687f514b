"""How good predictions of baskets, of run-out days and of hours were, against what came; and the simple rivals of each.

Knows nothing of how the predictions are made. Plain Python and NumPy over small results.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import log2

import ibis
import ibis.expr.types as ir
import numpy as np

from rekindle.history.warehouse import Warehouse

Baskets = dict[str, set[str]]
Lists = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Basket:
    """What a ranking was worth, means over customers; `repeat` and `explore` are recalls of what was and was not bought before."""

    customers: int
    recall: float
    ndcg: float
    repeat: float
    explore: float


def next_baskets(warehouse: Warehouse, bought: ir.Table, day: date, until: date) -> Baskets:
    """Each known customer's first basket from a day on and before another."""
    known = bought.filter(bought.purchase_day < ibis.literal(day)).select("customer_id").distinct()
    came = bought.filter(bought.purchase_day >= ibis.literal(day), bought.purchase_day < ibis.literal(until))
    came = came.semi_join(known, "customer_id")
    first = came.group_by("customer_id").aggregate(purchase_day=came.purchase_day.min())
    baskets: Baskets = defaultdict(set)
    for row in warehouse.arrow(came.join(first, ["customer_id", "purchase_day"]).select("customer_id", "item")).to_pylist():
        baskets[row["customer_id"]].add(row["item"])
    return dict(baskets)


def owned(warehouse: Warehouse, bought: ir.Table, day: date) -> dict[str, dict[str, int]]:
    """Purchase days of each item by each customer before a day."""
    seen = bought.filter(bought.purchase_day < ibis.literal(day)).select("customer_id", "purchase_day", "item").distinct()
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in warehouse.arrow(seen.group_by("customer_id", "item").aggregate(days=seen.count())).to_pylist():
        counts[row["customer_id"]][row["item"]] = row["days"]
    return dict(counts)


def rivals(counts: dict[str, dict[str, int]], customers: Iterable[str], limit: int) -> dict[str, Lists]:
    """Popularity, personal frequency, personal then global frequency, and that with ties to the popular; other ties go by name."""
    everyone: dict[str, int] = defaultdict(int)
    for own in counts.values():
        for item, days in own.items():
            everyone[item] += days
    popular = sorted(everyone, key=lambda item: (-everyone[item], item))
    found: dict[str, Lists] = {"popularity": {}, "personal": {}, "personal then global": {}, "the same, ties to the popular": {}}
    for customer in customers:
        own = counts[customer]
        mine = sorted(own, key=lambda item: (-own[item], item))[:limit]
        found["popularity"][customer] = popular[:limit]
        found["personal"][customer] = mine
        rest = [item for item in popular[: 2 * limit] if item not in own]
        found["personal then global"][customer] = (mine + rest)[:limit]
        tied = sorted(own, key=lambda item: (-own[item], -everyone[item], item))[:limit]
        found["the same, ties to the popular"][customer] = (tied + rest)[:limit]
    return found


def measured(lists: Lists, baskets: Baskets, counts: dict[str, dict[str, int]], limit: int) -> Basket:
    """Recall and NDCG at the limit; a customer without a list has none right."""
    recall, ndcg, repeat, explore = [], [], [], []
    for customer, basket in baskets.items():
        ranked = lists.get(customer, [])[:limit]
        right = [item in basket for item in ranked]
        recall.append(sum(right) / len(basket))
        ideal = sum(1 / log2(place + 2) for place in range(min(limit, len(basket))))
        ndcg.append(sum(1 / log2(place + 2) for place, one in enumerate(right) if one) / ideal)
        old = {item for item in basket if item in counts[customer]}
        if old:
            repeat.append(len(old & set(ranked)) / len(old))
        if basket - old:
            explore.append(len((basket - old) & set(ranked)) / len(basket - old))
    return Basket(len(baskets), *(float(np.mean(values)) for values in (recall, ndcg, repeat, explore)))


def lists_of(rows: Iterable[dict[str, object]]) -> Lists:
    """Ranked rows (customer_id, place, item) as lists."""
    found: Lists = defaultdict(list)
    for row in sorted(rows, key=lambda one: (one["customer_id"], one["place"])):
        found[str(row["customer_id"])].append(str(row["item"]))
    return dict(found)


@dataclass(frozen=True, slots=True)
class Timing:
    """What run-out days were worth on purchases that came: the window's coverage, and per method hits and the middle error.

    Args:
        purchases: So many came.
        covered: Share of them inside the window.
        width: Mean days of the window.
        hits: By method, the share whose day was within a week of the predicted one.
        error: By method, the middle absolute error in days.
    """

    purchases: int
    covered: float
    width: float
    hits: dict[str, float]
    error: dict[str, float]


def came_again(warehouse: Warehouse, bought: ir.Table, day: date, horizon: int) -> dict[tuple[str, str], date]:
    """The first purchase day of every customer and item from a day on, within the horizon."""
    came = bought.filter(bought.purchase_day >= ibis.literal(day), bought.purchase_day < ibis.literal(day + timedelta(days=horizon)))
    rows = warehouse.arrow(came.group_by("customer_id", "item").aggregate(day=came.purchase_day.min())).to_pylist()
    return {(row["customer_id"], row["item"]): row["day"] for row in rows}


def mean_gaps(gaps: Iterable[dict[str, object]], key: str) -> dict[str, float]:
    """The plain mean gap by item or customer."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in gaps:
        found[str(row[key])].append(int(str(row["gap"])))
    return {name: sum(values) / len(values) for name, values in found.items()}


def timed(predicted: list[dict], came: dict[tuple[str, str], date], gaps: list[dict], day: date) -> Timing:
    """Compares run-out days with the item's and the customer's mean gap; a rival's day that has passed is taken for the next day.

    Args:
        predicted: Rows of `replenishment.run_out`.
        came: From `came_again`.
        gaps: Rows of `replenishment.gaps` before the day.
        day: The origin.
    """
    by_item, by_customer = mean_gaps(gaps, "item"), mean_gaps(gaps, "customer_id")
    overall = sum(row["gap"] for row in gaps) / len(gaps)
    covered, width, errors = [], [], defaultdict(list)
    for row in predicted:
        actual = came.get((row["customer_id"], row["item"]))
        if actual is None:
            continue
        covered.append(row["earliest_day"] <= actual <= row["latest_day"])
        width.append((row["latest_day"] - row["earliest_day"]).days + 1)
        means = {"item's mean": by_item.get(row["item"], overall), "customer's mean": by_customer.get(row["customer_id"], overall)}
        errors["run-out day"].append(abs((row["run_out_day"] - actual).days))
        for name, mean in means.items():
            expected = max(row["last_day"] + timedelta(days=round(mean)), day)
            errors[name].append(abs((expected - actual).days))
    hits = {name: float(np.mean(np.array(values) <= 7)) for name, values in errors.items()}
    middle = {name: float(np.median(values)) for name, values in errors.items()}
    return Timing(len(covered), float(np.mean(covered)), float(np.mean(width)), hits, middle)
