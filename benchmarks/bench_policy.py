"""Seconds to propose a table of 512 contexts and 12 variants from 200 draws, as a ratio to HiGHS solving the same draws in the same run.

Knows nothing of what a table is worth. 32 stages of 16 contexts; the effects are drawn, so that every cell has its own. The ratio is of
processor time, which other work on the machine does not change. It fails where a proposal takes over ten seconds of it.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from rekindle.decide.policy import ANY
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.tiers import TIERS
from rekindle.learn.allocation import Cap, by_highs, floors
from rekindle.learn.board import board
from rekindle.learn.evidence import Evidence
from rekindle.learn.policies import DRAWS, Learning
from rekindle.learn.policy_update import Belief, Proposal, Terms

STAGES, VARIANTS = 32, 12
LIMIT = 10.0
CONTEXTS = (*(f"{tier}/{cohort}" for tier in TIERS for cohort in (*COHORTS, "none")), ANY)


def stage(number: int) -> Evidence:
    """Some 400 decisions a cell with heavy-tailed margins; minor units."""
    chance = np.random.default_rng(number)
    shape = len(CONTEXTS), VARIANTS
    decisions = chance.poisson(400, shape).astype(float)
    orders = chance.binomial(decisions.astype(int), 0.1 + 0.03 * chance.random(shape)).astype(float)
    cost = chance.uniform(0.1, 60.0, shape)
    cost[:, -1] = 0.0
    hope, doubt = np.full(VARIANTS, 20.0), np.full(VARIANTS, 30.0)
    hope[-1] = doubt[-1] = 0.0
    arms = (*(f"variant {place}" for place in range(VARIANTS - 1)), "nothing")
    return Evidence(
        "bench", f"stage {number}", CONTEXTS, arms, decisions, 0.9 * decisions, orders * 2000 * chance.lognormal(0, 0.05, shape),
        orders * 2000.0**2 * 1.6, orders, chance.gamma(2, 200, len(CONTEXTS)), cost, np.ones(shape), hope, doubt,
        (*(("email", "sms")[place % 2] for place in range(VARIANTS - 1)), ""),
    )


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    begun, busy = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - begun, time.process_time() - busy


def by_rival(evidence: list[Evidence], terms: Terms) -> None:
    """Every draw as one linear programme over all cells, solved by HiGHS."""
    rows = board(evidence, terms)
    draws = rows.wide([Belief.of(one, DRAWS, 0).draws for one in evidence])
    limits, cost = rows.limits(terms), rows.reach * rows.cost
    least, _, _ = floors(cost, rows.size, limits)
    caps = limits.all_caps(cost, rows.size)
    left = [Cap(one.name, one.use, one.most - float((rows.size[:, None] * least * one.use).sum())) for one in caps]
    for draw in draws:
        by_highs(draw * rows.reach, limits.open, left, rows.size * (1 - least.sum(axis=1)))


def main() -> None:
    """Prints a line for one budget, one for several limits that bind, one for the rival, and the ratios; fails above the limit."""
    evidence = [stage(number) for number in range(STAGES)]
    customers = sum(float(one.candidates.sum()) for one in evidence)
    budget, messages = 10 * customers, {"sms": 0.15 * customers}
    terms = {"one budget": Terms(budget=budget), "budget and capacity": Terms(budget=budget, capacity=messages)}
    rival, busy = timed(lambda: by_rival(evidence, terms["one budget"]))
    print(json.dumps({"HiGHS alone": round(rival, 1), "processor": round(busy, 1), "draws": DRAWS, "contexts": STAGES * len(CONTEXTS)}))
    slow = False
    for name, one in terms.items():
        made: list[Proposal] = []
        seconds, used = timed(lambda one=one, made=made: made.append(Learning().propose(evidence, one)))
        spent = made[0].spend_expected / budget
        ratio = {"seconds": round(seconds, 2), "processor": round(used, 2), "HiGHS over it": round(busy / used, 1)}
        print(json.dumps({"limits": name, **ratio, "spent of the budget": round(spent, 5)}), flush=True)
        slow |= used > LIMIT
    sys.exit(slow)


if __name__ == "__main__":
    main()
