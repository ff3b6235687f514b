"""Insight on a million and on ten million customers (10 and 100 million orders): peak memory, and how the time grows.

Knows nothing of plans. `python benchmarks/bench_insight.py` makes each store in a temporary folder and removes it; it needs 20 GB of disk
and an hour. Customers can be given instead: `python benchmarks/bench_insight.py 100000 1000000`. Every size runs in a process of its own,
so that the peak is that run's; `cpu` is its processor time, which other work on the machine disturbs less.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import big_store
import store_in_use

SIZES = (1_000_000, 10_000_000)
PEAK_LIMIT = 12.0
"""Gigabytes."""

GROWTH_LIMIT = 12.0
"""Times the time of the smallest for ten times the customers."""


def ours(folder: Path) -> dict[str, float]:
    """Customers, orders, seconds and processor seconds of insight with its snapshot written, and the peak of memory."""
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.service.flow import insights

    with open_history(held.history, held.root) as warehouse:
        begun, worked = time.perf_counter(), time.process_time()
        _, insight = insights.profiles(held, warehouse, parse_as_of(big_store.AS_OF, "UTC"))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    peak = store_in_use.peak()
    return {"customers": insight.customers, "orders": insight.orders, "seconds": seconds, "cpu": cpu, "peak_gb": peak}


def main(sizes: list[int]) -> None:
    """Runs every size and prints one JSON line each, and the growth from the smallest to the largest against its limit."""
    runs = []
    for customers in sizes:
        with tempfile.TemporaryDirectory() as name:
            big_store.make(Path(name), customers)
            child = subprocess.run([sys.executable, __file__, "--in", name], stdout=subprocess.PIPE, text=True, check=True)
        runs.append(json.loads(child.stdout.splitlines()[-1]))
        print(json.dumps({name: round(value, 2) for name, value in runs[-1].items()}), flush=True)
    growth = {name: runs[-1][name] / runs[0][name] for name in ("customers", "seconds", "cpu")}
    peak = max(run["peak_gb"] for run in runs)
    print(json.dumps({f"{name}_grew": round(value, 2) for name, value in growth.items()} | {"growth_limit": GROWTH_LIMIT}))
    print(json.dumps({"peak_gb": round(peak, 2), "peak_limit_gb": PEAK_LIMIT}))
    if peak > PEAK_LIMIT or growth["seconds"] > GROWTH_LIMIT:
        sys.exit("A limit was missed.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in"]:
        print(json.dumps(ours(Path(sys.argv[2]))))
    else:
        main([int(one) for one in sys.argv[1:]] or list(SIZES))
