"""Seconds of affinity, companions, next basket, replenishment and hours on ten million order lines, as ratios to reading them.

Knows nothing of how good the answers are: `bench_next_basket.py` has that. The ratio is to a hand-written sum over the same lines by
customer and product in the same run; both in processor time, of all threads together.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import big_store
import duckdb
import ibis

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import affinity, companions, kept, next_basket, replenishment, send_hour
from rekindle.moment import parse_as_of

CUSTOMERS = 400_000
"""Four million orders, ten million lines."""

RIVAL = """
create or replace temp table rival as
select customer_id, product_id, count(*) as n, max(purchase_day) as last_day from order_lines group by customer_id, product_id
"""


def rival(folder: Path) -> float:
    """Seconds of processor time of the hand-written query."""
    connection = duckdb.connect(str(folder / "var" / "history.duckdb"), read_only=True)
    connection.execute("set enable_progress_bar = false")
    begun = time.process_time()
    connection.execute(RIVAL)
    seconds = time.process_time() - begun
    connection.close()
    return seconds


def steps(warehouse: Warehouse) -> dict[str, Callable[[], object]]:
    """What is timed, in turn; each keeps its answer."""
    as_of = parse_as_of(big_store.AS_OF, "UTC")
    products = warehouse.current("products")
    held: dict[str, object] = {}

    def keep_lines() -> object:
        held["lines"] = warehouse.keep(kept.kept_lines(warehouse, as_of))
        held["items"] = warehouse.keep(kept.items(held["lines"], products))
        held["categories"] = warehouse.keep(kept.items(held["lines"], products, "category"))
        return warehouse.scalar(held["lines"].count())

    def basket() -> object:
        chances = next_basket.learn(warehouse, held["items"], as_of)
        ranked = next_basket.rank(next_basket.count(warehouse, held["items"], as_of.day), chances)
        return warehouse.scalar(warehouse.keep(ranked).count())

    def run_out() -> object:
        fitted = replenishment.fit(warehouse, held["categories"], as_of)
        return warehouse.scalar(warehouse.keep(replenishment.run_out(held["categories"], fitted, as_of)).count())

    def switched() -> object:
        return warehouse.scalar(companions.switched(warehouse, companions.baskets(held["lines"], products), products).count())

    def hours() -> object:
        visited = warehouse.keep(send_hour.visits(warehouse, as_of))
        habits = send_hour.fit(warehouse, visited)
        counted = send_hour.counted(visited).mutate(segment=ibis.null("string"))
        return warehouse.scalar(warehouse.keep(send_hour.best_block(counted, habits, 1)).count())

    def taste() -> object:
        return warehouse.scalar(warehouse.keep(affinity.favourite_table(warehouse, as_of)).count())

    return {
        "kept lines and items": keep_lines, "affinity": taste, "complements": lambda: warehouse.scalar(
            companions.complements(warehouse, companions.baskets(held["lines"], products)).count()
        ),
        "substitutes": switched,
        "next basket": basket, "replenishment of categories": run_out, "hours": hours,
    }


def main() -> None:
    """Prints seconds, rows and the ratio of each step to the hand-written query."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        big_store.make(folder, customers)
        limit = rival(folder)
        print(json.dumps({"customers": customers, "hand-written sum": round(limit, 2)}))
        with open_history("duckdb://var/history.duckdb", folder, memory="6GB") as warehouse:
            for step, run in steps(warehouse).items():
                begun, busy = time.perf_counter(), time.process_time()
                rows = run()
                seconds, busy = time.perf_counter() - begun, time.process_time() - busy
                found = {"seconds": round(seconds, 1), "processor": round(busy, 1), "ratio": round(busy / limit, 1)}
                print(json.dumps({"step": step, "rows": rows, **found}), flush=True)


if __name__ == "__main__":
    main()
