"""A plan of every program beside one of win-back alone, and by a table of chances with every context beside one of equal chances.

All over the same profiles of a large store, in the same run.

Knows nothing of insight: its time is not counted. `python benchmarks/bench_programs.py` makes a store of 1,000,000 customers (10 million
orders) in a temporary folder; another number of customers can be given. Deliveries, credits and birthdays are not in that store.
"""

import itertools
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import big_store
import store_in_use

if TYPE_CHECKING:
    from rekindle.decide.policy import Policy
    from rekindle.program.documents import Documents

CUSTOMERS = 1_000_000
RATIO_LIMIT = 3.0
TABLE_LIMIT = 3.0
"""Seconds that a table with chances of its own for every context of every stage may add to a plan."""

PEAK_LIMIT = 6.0
"""Gigabytes, of the process that plans them all, profiles included."""

ENGINE = "5000MB"
"""What the engine may hold before it spills: it takes what it is given, and two fifths of the machine's memory by default."""


def ours(folder: Path) -> dict[str, float]:
    """Seconds of both plans, the messages of each, and the peak of memory."""
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.service.flow import documents, insights, planning

    planning.has_contacts = lambda: True  # the benchmark's consents stand in history; its ledger has no people
    found: dict[str, float] = {}
    with open_history(held.history, held.root, memory=ENGINE) as warehouse:
        as_of, every = parse_as_of(big_store.AS_OF, "UTC"), documents.approved(held)
        built, _ = insights.profiles(held, warehouse, as_of)
        for name, asked in (("win_back", replace(every, programs=(every.program("win-back"),))), ("all", every)):
            with warehouse.forgetting():
                begun = time.perf_counter()
                planned = planning.make(held, warehouse, built, asked, as_of)
                found |= {name: time.perf_counter() - begun, f"{name}_messages": planned.summary.messages}
        table = every_context(every)
        planning.policies.of_plan = lambda *_: table
        with warehouse.forgetting():
            begun = time.perf_counter()
            planning.make(held, warehouse, built, every, as_of)
            found |= {"by_table": time.perf_counter() - begun, "contexts": len({row[:3] for row in table.rows})}
    peak = store_in_use.peak()
    return {"programs": len(every.programs), **found, "ratio": found["all"] / found["win_back"], "peak_gb": peak}


def every_context(documents: "Documents") -> "Policy":
    """A table with a row for every variant of every stage in every context that there is."""
    from rekindle.decide.policy import NO_COHORT, Policy
    from rekindle.insight.lifecycle import COHORTS
    from rekindle.insight.tiers import TIERS
    from rekindle.program.documents import NOTHING

    contexts = [f"{tier}/{cohort}" for tier, cohort in itertools.product(TIERS, (*COHORTS, NO_COHORT))]
    rows = []
    for program in documents.programs:
        for stage in program.stages:
            arms = (NOTHING, *(arm.name for arm in stage.arms))
            rows += [(program.name, stage.name, where, arm, 1 / len(arms)) for where in contexts for arm in arms]
    return Policy("every-context", tuple(rows))


def main(customers: int) -> None:
    """Prints one JSON line; exits with 1 where a limit was missed."""
    with tempfile.TemporaryDirectory() as name:
        big_store.make(Path(name), customers)
        child = subprocess.run([sys.executable, __file__, "--in", name], stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(child.stdout.splitlines()[-1])
    limits = {"ratio_limit": RATIO_LIMIT, "peak_limit_gb": PEAK_LIMIT, "table_limit": TABLE_LIMIT}
    print(json.dumps({name: round(value, 2) for name, value in ({"customers": customers} | found | limits).items()}))
    if found["by_table"] - found["all"] > TABLE_LIMIT or found["ratio"] > RATIO_LIMIT or found["peak_gb"] > PEAK_LIMIT:
        sys.exit("A limit was missed.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in"]:
        print(json.dumps(ours(Path(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS)
