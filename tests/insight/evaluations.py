"""Predictions of baskets, run-out days and hours as of a day, held against what came after it.

Knows nothing of shops: tests and benchmarks bring them.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import log

import ibis
import numpy as np

from rekindle.history.warehouse import Warehouse
from rekindle.insight import next_basket, replenishment, run_out, send_hour
from rekindle.moment import AsOf, parse_as_of
from tests.insight import measuring

BANDS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3-5": (3, 5), "6-10": (6, 10), "11+": (11, 10_000)}
"""Lengths of history, in purchase days."""


def baskets(warehouse: Warehouse, bought: ibis.Table, day: date, limit: int = 10) -> dict[str, measuring.Basket]:
    """The next basket from a day on: the learned ranking and its rivals by name."""
    as_of = parse_as_of(day.isoformat(), "UTC")
    chances = next_basket.learn(warehouse, bought, as_of, limit)
    rows = warehouse.arrow(next_basket.rank(next_basket.count(warehouse, bought, day), chances, limit)).to_pylist()
    came = measuring.next_baskets(warehouse, bought, day, date(2030, 1, 1))
    counts = measuring.owned(warehouse, bought, day)
    lists = {**measuring.rivals(counts, came, limit), "next basket": measuring.lists_of(rows)}
    return {name: measuring.measured(one, came, counts, limit) for name, one in lists.items()}


def run_outs(warehouse: Warehouse, bought: ibis.Table, day: date) -> measuring.Timing:
    """Run-out days as of a day against the purchases of the horizon that begins with it."""
    as_of = parse_as_of(day.isoformat(), "UTC")
    fitted = replenishment.fit(warehouse, bought, as_of)
    assert isinstance(fitted, replenishment.Replenishment)
    assert fitted.quality == "good"
    predicted = warehouse.arrow(replenishment.run_out(bought, fitted, as_of)).to_pylist()
    assert all(day <= row["earliest_day"] <= row["run_out_day"] <= row["latest_day"] for row in predicted)
    assert all(row["latest_day"] < day + timedelta(days=run_out.HORIZON_DAYS) for row in predicted)
    gaps = warehouse.arrow(replenishment.gaps(warehouse, bought.filter(bought.purchase_day < ibis.literal(day)))).to_pylist()
    return measuring.timed(predicted, measuring.came_again(warehouse, bought, day, run_out.HORIZON_DAYS), gaps, day)


@dataclass
class Losses:
    """Log-losses of held-out purchases, of the customers' hours and of the store's histogram."""

    ours: list[float] = field(default_factory=list)
    store: list[float] = field(default_factory=list)

    @property
    def mean(self) -> tuple[float, float]:
        return float(np.mean(self.ours)), float(np.mean(self.store))


def fitted(warehouse: Warehouse, as_of: AsOf, segments: ibis.Table | None = None) -> tuple[ibis.Table, send_hour.Habits]:
    visited = warehouse.keep(send_hour.visits(warehouse, as_of))
    habits = send_hour.fit(warehouse, visited, segments)
    assert isinstance(habits, send_hour.Habits)
    return visited, habits


def asked(warehouse: Warehouse, visited: ibis.Table, segments: ibis.Table) -> ibis.Table:
    """Everyone of the segments with their counts."""
    return warehouse.keep(segments.left_join(send_hour.counted(visited), "customer_id").drop("customer_id_right"))


def hours(warehouse: Warehouse, as_of: AsOf, later: AsOf, segments: ibis.Table | None = None) -> dict[str, Losses]:
    """Log-loss of weekday and block of each customer's first purchase after an instant, by purchase days before it.

    The store's histogram is of weekday and block together, one purchase spread over all 49 so that none is impossible.
    """
    visited, habits = fitted(warehouse, as_of, segments)
    after = send_hour.visits(warehouse, later)
    after = after.filter(after.day >= ibis.literal(as_of.day))
    after = after.mutate(place=ibis.row_number().over(group_by="customer_id", order_by="day")).filter(lambda t: t.place == 0)
    after = warehouse.keep(after)
    named = after.select("customer_id")
    if segments is None:
        named = named.mutate(segment=ibis.null("string"))
    else:
        named = named.left_join(segments, "customer_id").drop("customer_id_right")
    everyone = asked(warehouse, visited, named)
    week = {row["customer_id"]: row for row in warehouse.arrow(send_hour.weekday_chances(everyone, habits)).to_pylist()}
    days = [
        {row["customer_id"]: row for row in warehouse.arrow(send_hour.block_chances(everyone, habits, weekday)).to_pylist()}
        for weekday in range(7)
    ]
    seen = {row["customer_id"]: row["purchases"] or 0 for row in warehouse.arrow(everyone).to_pylist()}
    table = np.zeros((7, 7))
    for row in warehouse.arrow(visited.group_by("weekday", "block").aggregate(n=visited.count())).to_pylist():
        table[row["weekday"], row["block"]] += row["n"]
    spread = np.outer(table.sum(axis=1) + 0.5, table.sum(axis=0) + 0.5)
    table += spread / spread.sum()
    table /= table.sum()
    found: dict[str, Losses] = defaultdict(Losses)
    for row in warehouse.arrow(after).to_pylist():
        customer, weekday, block = row["customer_id"], row["weekday"], row["block"]
        band = next(name for name, (low, high) in BANDS.items() if low <= seen[customer] <= high)
        chance = week[customer][f"weekday_chance_{weekday}"] * days[weekday][customer][f"chance_{block}"]
        found[band].ours.append(-log(chance))
        found[band].store.append(-log(table[weekday, block]))
    return dict(found)
