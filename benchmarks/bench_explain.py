"""How long one customer's explanation takes on a large history: `python benchmarks/bench_explain.py [STORE [CUSTOMERS]]`.

Knows nothing of what it says. The store, its insight and its plan are made where they are not there: in a temporary folder, or in STORE
and kept for the next run. What is
measured is the answer, from looking the customer up to the last number; starting Python and reading the ledger's settings is apart.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import big_store
import store_in_use

CUSTOMERS, ASKED = 200_000, 6
LIMIT = 2.0
"""Seconds that one explanation may take."""


def measured(folder: Path) -> dict[str, object]:
    """Seconds of explaining, customer by customer: wall and processor."""
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.service.flow import documents, explaining, insights, planning

    planning.has_contacts = explaining.has_contacts = lambda: True  # consents stand in history; the ledger of this store has no people
    explaining.find = str
    with open_history(held.history, held.root) as warehouse:
        as_of = parse_as_of(big_store.AS_OF, "UTC")
        if not list(folder.glob("var/plans/*/budgets.json")):
            built, _ = insights.profiles(held, warehouse, as_of)
            planning.make(held, warehouse, built, documents.approved(held), as_of)
        rows = warehouse.read_parquet(next(folder.glob("var/plans/*/decisions.parquet")))
        found = rows.group_by("program", "reason").aggregate(who=rows.customer_id.min()).order_by("program", "reason")
        asked = list(dict.fromkeys(warehouse.arrow(found)["who"].to_pylist()))[:ASKED]
        customers = warehouse.scalar(warehouse.table("people").count())
    walls, busy = [], []
    for customer in asked:
        with open_history(held.history, held.root) as warehouse:  # anew, as a command does: nothing is remembered of the customer before
            wall, processor = time.perf_counter(), time.process_time()
            told = explaining.explain(held, warehouse, customer, as_of)
            walls.append(round(time.perf_counter() - wall, 3))
            busy.append(round(time.process_time() - processor, 3))
            assert told.verdicts
    return {"customers": customers, "wall": walls, "processor": busy, "middle": statistics.median(walls), "most": max(walls)}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        store = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        if not (store / "var" / "history.duckdb").exists():
            big_store.make(store, int(sys.argv[2]) if len(sys.argv) > 2 else CUSTOMERS)
        found = measured(store)
        print(json.dumps(found | {"limit": LIMIT}))
    if found["most"] > LIMIT:
        sys.exit(f"a customer takes {found['most']} s, over {LIMIT} s")
