"""How well the next basket, the run-out days and the hours of purchase were foretold on real and simulated shops, beside simple rivals.

Knows nothing of speed: `bench_affinity.py` has that. Prints the tables of docs/affinity.md. Half-lives are compared on the months before
the test months, so that none is chosen by what it is tested on.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import ibis
from tests.data import SHARED
from tests.insight import evaluations, planted, real_shops
from tests.insight.histories import history

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import affinity, kept, next_basket
from rekindle.moment import parse_as_of

LATER = parse_as_of("2030-01-01", "UTC")
Filling = Callable[[Warehouse], None]


@contextmanager
def shop(fill: Filling) -> Iterator[Warehouse]:
    """A history of one shop."""
    with tempfile.TemporaryDirectory() as folder, history(Path(folder)) as warehouse:
        fill(warehouse)
        yield warehouse


def bought(warehouse: Warehouse, level: kept.Level) -> ibis.Table:
    """What was bought and kept, all of it."""
    return warehouse.keep(kept.items(kept.kept_lines(warehouse, LATER), warehouse.current("products"), level))


def basket_tables(name: str, warehouse: Warehouse, level: kept.Level, validation: date, test: date) -> None:
    """Recall@10 and NDCG@10 of the test months, and of the months before by half-life of popularity."""
    items = bought(warehouse, level)
    chosen = next_basket.POPULAR_DAYS
    for days in (15, 30, 60, 120):
        next_basket.POPULAR_DAYS = days
        before = items.filter(items.purchase_day < ibis.literal(test))
        found = evaluations.baskets(warehouse, before, validation)["next basket"]
        print(f"  validation {name}, {level}: popularity halved in {days} days: recall {found.recall:.4f}, NDCG {found.ndcg:.4f}")
    next_basket.POPULAR_DAYS = chosen
    print(f"  {name}, {level}, from {test}: recall@10, NDCG@10, recall of repeats, recall of new items")
    for rival, found in evaluations.baskets(warehouse, items, test).items():
        measures = (found.recall, found.ndcg, found.repeat, found.explore)
        print(f"    | {rival} | {found.customers:,} | " + " | ".join(f"{value:.4f}" for value in measures) + " |")


def run_out_table(name: str, warehouse: Warehouse, level: kept.Level, days: list[date]) -> None:
    """Coverage of the 80 % window and hits within a week, by origin."""
    items = bought(warehouse, level)
    print(f"  {name}, {level}: purchases, window holds, window's days, hits within 7 days of run-out day, item's mean, customer's mean")
    for day in days:
        found = evaluations.run_outs(warehouse, items, day)
        hits = " | ".join(f"{value:.3f}" for value in found.hits.values())
        print(f"    | {day} | {found.purchases:,} | {found.covered:.3f} | {found.width:.0f} | {hits} |")


def hour_table(name: str, warehouse: Warehouse, day: str, timezone: str) -> None:
    """Log-loss of weekday and block by length of history."""
    found = evaluations.hours(warehouse, parse_as_of(day, timezone), parse_as_of("2030-01-01", timezone))
    for band in evaluations.BANDS:
        if band in found:
            ours, store = found[band].mean
            print(f"    | {name} | {band} | {len(found[band].ours):,} | {ours:.4f} | {store:.4f} |")


def taste_table(warehouse: Warehouse, day: str, until: str) -> None:
    """How often the favourite category is what is bought next, beside what was said, by half-life."""
    as_of = parse_as_of(day, "UTC")
    lines = warehouse.keep(affinity.liked(warehouse, as_of))
    after = affinity.liked(warehouse, parse_as_of(until, "UTC"))
    after = warehouse.keep(after.filter(after.purchase_day >= ibis.literal(as_of.day)).select("customer_id", "category").distinct())
    total = after.group_by("customer_id").aggregate(all=after.count())
    for half_life in (30, 90, 180, 365, 10_000):
        taste = affinity.fit(warehouse, lines, "category", as_of, half_life)
        top = affinity.favourites(taste)
        met = top.join(total, "customer_id").left_join(after.mutate(came=ibis.literal(1)), ["customer_id", "category"])
        row = warehouse.row(met.aggregate(came=(met.came.fill_null(0) / met["all"]).mean(), said=met.category_share.mean()))
        weight = "cannot tell" if isinstance(taste.weight, CannotTell) else f"{taste.prior:.1f} votes"
        print(f"    | {half_life} | {weight} | {row['said']:.4f} | {row['came']:.4f} |")


def real() -> None:
    """Everything on the shared data."""
    with shop(real_shops.online_retail) as warehouse:
        basket_tables("online_retail", warehouse, "product", date(2011, 8, 1), date(2011, 10, 1))
        run_out_table("online_retail", warehouse, "product", [date(2011, month, 1) for month in range(6, 11)])
        hour_table("online_retail", warehouse, "2011-09-01", "UTC")
    with shop(real_shops.complete_journey) as warehouse:
        for level in ("category", "product"):
            basket_tables("complete_journey", warehouse, level, date(2017, 8, 1), date(2017, 10, 1))
            run_out_table("complete_journey", warehouse, level, [date(2017, month, 1) for month in range(6, 12)])
        hour_table("complete_journey", warehouse, "2017-09-01", "America/New_York")
        for day, until in (("2017-08-01", "2017-10-01"), ("2017-10-01", "2018-01-02")):
            print(f"  favourite category from {day}: half-life, weight of the prior, share said, share that came")
            taste_table(warehouse, day, until)


def simulated() -> None:
    """Run-out days and hours on shops whose truth is known, pooled over seeds."""
    for seed in (1, 2, 3):
        with shop(lambda warehouse, seed=seed: planted.insert(warehouse, *planted.refills(seed, 600, 500))) as warehouse:
            run_out_table(f"simulated refills, seed {seed}", warehouse, "product", [planted.day_of(day) for day in (300, 360, 420)])
    for concentration in (1.0, 3.0, 10.0, 40.0, None):
        pooled = {band: evaluations.Losses([], []) for band in evaluations.BANDS}
        for seed in range(8):
            with shop(lambda w, s=seed, c=concentration: planted.insert(w, *planted.hours(s, 1_500, 5.0, c))) as warehouse:
                for band, one in evaluations.hours(warehouse, parse_as_of("2025-09-01", "UTC"), LATER).items():
                    joined = (pooled[band].ours + one.ours, pooled[band].store + one.store)
                    pooled[band] = replace(pooled[band], ours=joined[0], store=joined[1])
        print(f"  simulated hours, concentration {concentration}: " + ", ".join(
            f"{band}: {one.mean[0]:.4f} against {one.mean[1]:.4f}" for band, one in pooled.items()
        ))


def main() -> None:
    """Prints every table; the real ones where the shared data is there."""
    if SHARED.exists():
        real()
    else:
        print("skipped the real shops: the shared data is not there")
    simulated()


if __name__ == "__main__":
    main()
