"""The lift report over ten million decisions: every program's lift and its parts, every variant against nothing, all checks, the holdout.

Knows nothing of how right the numbers are. `python benchmarks/bench_lift.py` makes a store of 900,000 customers (9 million orders) in a
temporary folder and logs about eleven decisions for each, over four hundred days and four programs; another number of customers can be
given. Then one process does what `rekindle learn` does. It fails above 60 s or 4 GB.
"""

import json
import sys
import time
from pathlib import Path

import big_store
import duckdb
import store_in_use

CUSTOMERS = 900_000
SECONDS_LIMIT = 60.0
PEAK_LIMIT = 4.0
"""Gigabytes, of the process that measures."""

ENGINE = "2400MB"
"""What the engine may hold: the process has the rest of the limit for itself, and what the engine does not count."""

DAYS = 400
PROGRAMS = ("win-back", "welcome-back", "onboarding", "replenishment")

LOG = """
delete from journal; delete from plans;
insert into plans
select 'bench-' || d, timestamp '{last}' - interval (d) day, false, 1 from range(1, {days} + 90) t(d);
create temp table drawn as
select *, {days} + 30 - 7 * (hash(h, program) % ({days} // 7))::int - 14 * no as d, (hash(h, 'held') % 1000) / 1000.0 as held,
       (hash(h, program, 'idle') % 1000) / 1000.0 as idle
from (select customer_id, hash(customer_id) as h from "main"."people"), (values {stages}) s(program, no, stage, arms, offers);
insert into journal by name
select 'bench-' || d as plan, timestamp '{last}' - interval (d) day as as_of, customer_id, program, 'v' as version, stage,
       program || left(customer_id, 6) as episode, timestamp '{last}' - interval (d + 14 * no) day as entered_at,
       case when held < 0.05 then 'holdout' when idle < 0.1 then 'control' else 'treated' end as standing,
       context, case when treated then array_to_string(arms, '|') end as eligible, case when treated then arm end as arm,
       case when treated then 1.0 / len(arms) end as propensity, case when treated then 0.5 end as draw, 'table-' || (d // 28) as policy,
       case when treated then null when held < 0.05 then 'held_out' else 'control' end as reason,
       case when treated and arm <> 'nothing' then 'email' end as channel,
       case when treated and arm <> 'nothing' then offers[list_position(arms, arm)] end as offer,
       400 + (h % 1000)::bigint as baseline, split_part(context, '/', 2) as cohort, split_part(context, '/', 1) as value_tier,
       ['late_delivery', 'stockout', 'return', 'unknown'][1 + (h % 4)::int] as cause, 0.05 as holdout_share, 0.1 as control_share,
       case when no = 0 then ['|', '|advocates|', '|advocates|cart_left|', '|cart_left|'][1 + (h // 7 % 4)::int] end as segments,
       timestamp '{last}' - interval (d) day as send_at
from (select *, held >= 0.05 and idle >= 0.1 as treated, list_extract({contexts}, 1 + (h % {width})::int) as context,
             list_extract(arms, 1 + (hash(h, program, no) % len(arms))::int) as arm
      from drawn)
where d >= 1 and (treated or no = 0);
insert into touches by name
select program || customer_id || stage as touch_key, customer_id, program, stage, episode, arm, channel,
       'C' || left(customer_id, 7) as code, 'sent' as status, send_at as settled_at, 'ledger' as source, 1 as batch, '' as digest
from journal where channel is not null;
"""
"""A store's decisions at equal chances, the stages of a program a fortnight apart, a new table every four weeks; every message was sent."""


def log(folder: Path) -> None:
    """Writes the decisions into the journal of a store that is there, set by set."""
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.insight.lifecycle import COHORTS
    from rekindle.insight.tiers import TIERS
    from rekindle.program.documents import NOTHING
    from rekindle.service.flow import documents

    contexts = [f"{tier}/{cohort}" for tier in TIERS for cohort in (*COHORTS, "none")]
    stages = ", ".join(
        f"('{program.name}', {number}, '{stage.name}', {[*(arm.name for arm in stage.arms), NOTHING]}, {[arm.offer for arm in stage.arms]})"
        for program in documents.approved(held).programs if program.name in PROGRAMS for number, stage in enumerate(program.stages)
    )
    connection = duckdb.connect(str(folder / "var" / "history.duckdb"))
    connection.execute("set memory_limit='4GB'")
    connection.execute(LOG.format(last=big_store.AS_OF, days=DAYS, contexts=contexts, width=len(contexts), stages=stages))
    connection.close()


def ours(folder: Path) -> dict[str, float]:
    """Seconds of the report, of all cores together (`cpu`), what was counted, and the peak of memory."""
    held = store_in_use.use(folder)  # before the ledger's apps are imported
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    from rekindle.service.flow import documents, learning

    every, as_of = documents.approved(held), parse_as_of(big_store.AS_OF, "UTC")
    with open_history(held.history, held.root, memory=ENGINE) as warehouse:
        decisions = warehouse.scalar(warehouse.table("journal").count())
        begun, busy = time.perf_counter(), time.process_time()
        learned = learning.learn(held, warehouse, every, as_of)
        ended, busy = time.perf_counter(), time.process_time() - busy
    return {
        "decisions": decisions, "rounds": sum(one.treated + one.control for one in learned.lifts), "alarms": len(learned.alarms),
        "holdout": sum(one.holdout for one in learned.suite.epochs) if learned.suite else 0, "seconds": ended - begun, "cpu": busy,
        "peak_gb": store_in_use.peak(),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--log"]:
        log(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--in"]:
        print(json.dumps(ours(Path(sys.argv[2]))))
    else:
        store_in_use.judged(__file__, int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS, SECONDS_LIMIT, PEAK_LIMIT)
