"""Insight plus plan on a large history, as a ratio to a hand-written query over the same orders in the same run.

Knows nothing of speed elsewhere: only the ratio is reported as a result. Every size runs in a process of its own, so that the
peak memory is that run's. `python benchmarks/bench_plan.py` runs 100,000 and 1,000,000 customers (1 and 10 million orders).
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import big_store
import duckdb
import store_in_use

SIZES = (100_000, 1_000_000)
RIVAL = """
create or replace temp table rival as
select customer_id, count(*) as days, sum(net) as net, min(purchase_day) as first_day, max(purchase_day) as last_day
from (select customer_id, purchase_day, sum(net) as net from orders group by all) group by customer_id
"""


def rival(folder: Path) -> float:
    """Seconds of the hand-written query: the best of three on the store's orders, its result kept."""
    connection = duckdb.connect(str(folder / "var" / "history.duckdb"), read_only=True)
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        connection.execute(RIVAL)
        times.append(time.perf_counter() - begun)
    connection.close()
    return min(times)


def ours(folder: Path) -> dict[str, float]:
    """Seconds of insight and of plan, fitting and written outputs included, of the commit apart, and the peak of memory."""
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.service.flow import documents, insights, planning

    planning.has_contacts = lambda: True  # the benchmark's consents stand in history; its ledger has no people
    with open_history(held.history, held.root) as warehouse:
        begun = time.perf_counter()
        as_of = parse_as_of(big_store.AS_OF, "UTC")
        approved = documents.approved(held)
        built, insight = insights.profiles(held, warehouse, as_of)
        between = time.perf_counter()
        planned = planning.make(held, warehouse, built, approved, as_of)
        ended = time.perf_counter()
        touches = planning.commit(held, warehouse, planned, built, approved)
        committed = time.perf_counter()
    peak = store_in_use.peak()
    return {
        "customers": insight.customers, "orders": insight.orders, "decisions": planned.summary.decisions, "insight": between - begun,
        "plan": ended - between, "total": ended - begun, "commit": committed - ended, "touches": touches,
        "peak_gb": peak,
    }


def main() -> None:
    """Runs every size and prints one JSON line each, and the growth from the smallest to the largest."""
    totals = []
    for customers in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            big_store.make(folder, customers)
            limit = rival(folder)
            child = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
            found = json.loads(child.stdout.splitlines()[-1])
        totals.append((found["orders"], found["total"]))
        found |= {"rival": limit, "ratio": found["total"] / limit, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        print(json.dumps({name: round(value, 3) if isinstance(value, float) else value for name, value in found.items()}))
    (few, short), (many, long) = totals[0], totals[-1]
    print(json.dumps({"orders_grew": round(many / few, 2), "time_grew": round(long / short, 2)}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(ours(Path(sys.argv[1]))))
    else:
        main()
