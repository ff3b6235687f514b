"""A program walked over a year of a large history: seconds and peak memory, and what one plan of it takes.

Knows nothing of speed elsewhere. `python benchmarks/bench_walk.py` walks win-back over 52 weeks of 100,000 customers (a million orders) in
a process of its own; `python benchmarks/bench_walk.py WEEKS` over fewer. It fails where a year takes longer than `LIMIT`.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import big_store
import store_in_use

CUSTOMERS = 100_000
YEAR = 52
LIMIT = 60.0
"""Seconds that a year may take."""


def ours(folder: Path, weeks: int) -> dict[str, float]:
    """Seconds of the walk and of summing it up, and the peak of memory."""
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.service.flow import walking

    walking.has_contacts = lambda: True  # the benchmark's consents stand in history; its ledger has no people
    with open_history(held.history, held.root) as warehouse:
        begun, used = time.perf_counter(), time.process_time()
        asked = walking.Asked("win-back", parse_as_of(big_store.AS_OF, "UTC"), weeks=weeks)
        told = walking.simulate(held, warehouse, asked).paths
        seconds, processor = time.perf_counter() - begun, time.process_time() - used
    peak = store_in_use.peak()
    return {
        "customers": CUSTOMERS, "weeks": weeks, "audience": told.audience, "messages": told.messages, "seconds": seconds,
        "processor": processor, "a_plan": seconds / weeks, "peak_gb": peak,
    }


def main(weeks: int) -> None:
    """Prints one JSON line."""
    with tempfile.TemporaryDirectory() as name:
        big_store.make(Path(name), CUSTOMERS)
        child = subprocess.run([sys.executable, __file__, name, str(weeks)], capture_output=True, text=True, check=True)
        found = json.loads(child.stdout.splitlines()[-1])
    found |= {"limit": LIMIT, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    print(json.dumps({name: round(value, 3) if isinstance(value, float) else value for name, value in found.items()}))
    if weeks == YEAR and found["seconds"] > LIMIT:
        sys.exit(f"a year takes {found['seconds']:.0f} s, over {LIMIT:.0f} s")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(ours(Path(sys.argv[1]), int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else YEAR)
