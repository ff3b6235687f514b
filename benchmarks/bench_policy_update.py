"""The next table of chances from a million logged decisions: what followed them is gathered, and the learning policy proposes.

Knows nothing of how good the table is. `python benchmarks/bench_policy_update.py` makes a store of 500,000 customers (5 million orders) in
a temporary folder and logs two decisions for each, over 120 days; another number of customers can be given. Then one process gathers the
evidence, delay curves among it, and proposes: 200 draws, each solved under the budget of rules.yaml.
"""

import json
import sys
import time
from pathlib import Path

import big_store
import duckdb
import store_in_use

CUSTOMERS = 500_000
SECONDS_LIMIT = 60.0
PEAK_LIMIT = 2.0
"""Gigabytes, of the process that gathers and proposes."""

ENGINE = "1100MB"
"""What the engine may hold before it spills to disk."""

DAYS = 120

LOG = """
insert into plans
select 'bench-' || d, timestamp '{last}' - interval (d) day, false, 1 from range(1, {days} + 16) t(d);
insert into journal by name
select 'bench-' || d as plan, timestamp '{last}' - interval (d) day as as_of, customer_id, 'win-back' as program, 'v' as version, stage,
       'bench' as episode, timestamp '{last}' - interval (d) day as entered_at, 'treated' as standing,
       list_extract({contexts}, 1 + (h % {width})::int) as context, array_to_string(arms, '|') as eligible, arm,
       1.0 / len(arms) as propensity, 0.5 as draw, 'equal-chance' as policy,
       case when arm = 'nothing' then null else 'email' end as channel,
       case when arm = 'nothing' then null else offers[list_position(arms, arm)] end as offer,
       case when arm = 'nothing' then 0 else 5000 + (h % 90000)::bigint end as expected_cost,
       case when arm = 'nothing' then 0 else 20000 end as expected_margin, 900 as baseline, 'other' as cohort, 0 as seller_cost,
       timestamp '{last}' - interval (d) day as send_at
from (
    select customer_id, h, stage, arms, offers, 15 + (h // 7919 % {days})::int - 14 * no as d,
           list_extract(arms, 1 + (hash(h, no) % len(arms))::int) as arm
    from (select customer_id, hash(customer_id) as h from "main"."people"),
         (values {stages}) s(no, stage, arms, offers));
"""
"""Decisions of the first two stages a fortnight apart, at equal chances among all variants of a stage."""


def log(folder: Path) -> None:
    """Writes the decisions into the journal of a store that is there, set by set."""
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.insight.lifecycle import COHORTS
    from rekindle.insight.tiers import TIERS
    from rekindle.program.documents import NOTHING
    from rekindle.service.flow import documents

    program = documents.approved(held).program("win-back")
    contexts = [f"{tier}/{cohort}" for tier in TIERS for cohort in (*COHORTS, "none")]
    stages = ", ".join(
        f"({number}, '{stage.name}', {[*(arm.name for arm in stage.arms), NOTHING]}, {[arm.offer for arm in stage.arms]})"
        for number, stage in enumerate(program.stages[:2])
    )
    connection = duckdb.connect(str(folder / "var" / "history.duckdb"))
    connection.execute("set memory_limit='4GB'")
    connection.execute(LOG.format(last=big_store.AS_OF, days=DAYS, contexts=contexts, width=len(contexts), stages=stages))
    connection.close()


def ours(folder: Path) -> dict[str, float]:
    """Seconds of gathering and of the proposal, of all cores together (`cpu`), what was found, and the peak of memory."""
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.decide import due
    from rekindle.learn import outcomes
    from rekindle.learn.evidence import gather
    from rekindle.learn.policies import Learning
    from rekindle.learn.policy_terms import Terms
    from rekindle.service.flow import documents
    from rekindle.service.flow.planning import shop_of

    every, as_of, shop = documents.approved(held), parse_as_of(big_store.AS_OF, "UTC"), shop_of(held, rehearsal=False)
    with open_history(held.history, held.root, memory=ENGINE) as warehouse:
        begun, busy = time.perf_counter(), time.process_time()
        past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
        window = outcomes.Window(as_of, held.margin, every.offers, shop)
        evidence = gather(warehouse, past, every.program("win-back"), window, period_days=every.rules.budget.per_days)
        gathered = time.perf_counter()
        found = Learning(seed=1).propose(evidence, Terms.of_rules(every.rules, shop.minor))
        ended, busy = time.perf_counter(), time.process_time() - busy
    return {
        "decisions": sum(float(one.decisions.sum()) for one in evidence), "orders": sum(float(one.orders.sum()) for one in evidence),
        "cells": len(found.cells), "maturity": sum(float(one.exposure.sum() / one.decisions.sum()) for one in evidence) / len(evidence),
        "gather": gathered - begun, "propose": ended - gathered, "seconds": ended - begun, "cpu": busy,
        "peak_gb": store_in_use.peak(),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--log"]:
        log(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--in"]:
        print(json.dumps(ours(Path(sys.argv[2]))))
    else:
        store_in_use.judged(__file__, int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS, SECONDS_LIMIT, PEAK_LIMIT)
