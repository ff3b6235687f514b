"""How long to wait for a message's answers before the next one: when most of the orders that it brought have come.

Knows nothing of plans. Orders that come anyway come all the time; so the orders after a message are held against those after `nothing`,
and what they are ahead by, day by day, is what the message brought.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from rekindle.learn.delay import SECONDS
from rekindle.learn.evidence import Floats
from rekindle.learn.proposals.proposal import Change, Proposal
from rekindle.program.documents import NOTHING, Program

MOST = 0.80
"""The part of what a message brings that is waited for."""

LEAST_ORDERS = 40
"""Orders on either side below which nothing is proposed."""

ERRORS = 2.0
"""Standard errors that the orders must be ahead by."""

MOVED = 3
"""Days below which a change is not worth a person's time."""


@dataclass(frozen=True, slots=True)
class Answers:
    """When what a stage's messages brought came.

    Args:
        days: Until `MOST` of it had come.
        ahead: By how much the share of those who ordered was ahead at the end of the horizon.
        error: Its standard error.
        orders: Orders after messages.
        others: Orders after `nothing`.
    """

    days: int
    ahead: float
    error: float
    orders: int
    others: int


def counts(decisions: ir.Table, horizon_days: int) -> ir.Table:
    """Decisions that their horizon is behind, by stage, whether there was a message, and the day of the first order.

    Args:
        decisions: From `decisions.followed`.
        horizon_days: The program's.

    Returns:
        stage, message, day (1 for the first; 0 where no order followed), decisions.
    """
    old = decisions.filter(decisions.age >= horizon_days * SECONDS)
    day = ((old.answer // SECONDS).cast("int64") + 1).fill_null(0)
    rows = old.select("stage", message=old.arm != NOTHING, day=day)
    return rows.group_by("stage", "message", "day").aggregate(decisions=rows.count())


def answers(found: pa.Table, stage: str, horizon_days: int) -> Answers | None:
    """When the orders that a stage's messages brought came; None where that cannot be told.

    Args:
        found: From `counts`.
        stage: The stage.
        horizon_days: The program's.
    """
    sides: dict[bool, Floats] = {True: np.zeros(horizon_days + 1), False: np.zeros(horizon_days + 1)}
    for row in found.to_pylist():
        if row["stage"] == stage and row["day"] <= horizon_days:
            sides[row["message"]][row["day"]] += row["decisions"]
    sizes = {message: float(side.sum()) for message, side in sides.items()}
    orders = {message: int(side[1:].sum()) for message, side in sides.items()}
    if min(orders.values()) < LEAST_ORDERS:
        return None
    shares = {message: np.cumsum(np.append(0.0, side[1:])) / sizes[message] for message, side in sides.items()}
    ahead = shares[True] - shares[False]
    last = float(ahead[-1])
    error = float(np.sqrt(sum(shares[one][-1] * (1 - shares[one][-1]) / sizes[one] for one in sizes)))
    if last < ERRORS * error:
        return None
    return Answers(int(np.argmax(ahead >= MOST * last)), last, error, orders[True], orders[False])


def of_program(program: Program, found: pa.Table) -> Iterator[Proposal]:
    """Proposals for how long a program's stages wait.

    Args:
        program: The program.
        found: From `counts`.
    """
    for stage, following in zip(program.stages, program.stages[1:], strict=False):
        seen = answers(found, stage.name, program.goal.horizon_days)
        if seen is None:
            continue
        delay = following.delay
        most = delay.at_most_days if delay.at_most_days is not None else program.caps.duration_days
        wanted = min(max(seen.days, program.caps.gap_days), most)
        if abs(wanted - max(delay.at_least_days, program.caps.gap_days)) < MOVED:
            continue
        place = ("stages", following.name, "delay", "at_least")
        why = (
            f"Of the orders that {stage.name} brought ({seen.ahead:+.1%} of its customers, {seen.orders:,} orders against {seen.others:,} "
            f"after nothing), {MOST:.0%} had come within {seen.days} days; {following.name} waits {delay.at_least_days} at least"
        )
        evidence = {"days": float(seen.days), "ahead": seen.ahead, "error": seen.error, "orders": float(seen.orders)}
        change = Change(place, f"{delay.at_least_days}d", f"{wanted}d")
        yield Proposal(f"pacing-{program.name}-{following.name}", program.name, (change,), f"{why}.", evidence)
