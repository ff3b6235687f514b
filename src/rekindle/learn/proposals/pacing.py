"""How long to wait for a message's answers before the next one: when most of the orders that it brought have come.

Knows nothing of plans. Orders that come anyway come all the time; so the orders after a message are held against those after `nothing`,
and what they are ahead by, day by day, is what the message brought. Decisions weigh by the inverse of their chance, among those who could
have had either, so that customers who were sent more, and order more anyway, do not show as an answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

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
    """Decisions that their horizon is behind and that could have gone either way, by stage, choice, variant and day of the first order.

    Args:
        decisions: From `decisions.followed`.
        horizon_days: The program's.

    Returns:
        stage, eligible, arm, day (1 for the first; 0 where no order followed), decisions, inverse and inverse2 (sums of 1 / p and 1 / p^2).
    """
    either = (decisions.eligible != NOTHING) & (decisions.propensity > 0) & (decisions.propensity < 1)
    old = decisions.filter(decisions.age >= horizon_days * SECONDS, either)
    day = ((old.answer // SECONDS).cast("int64") + 1).fill_null(0)
    rows = old.select("stage", "eligible", "arm", day=day, once=1 / old.propensity)
    grouped = rows.group_by("stage", "eligible", "arm", "day")
    found = grouped.aggregate(decisions=rows.count(), inverse=rows.once.sum(), inverse2=(rows.once * rows.once).sum())
    return found.order_by("stage", "eligible", "arm", "day")


def answers(found: pa.Table, stage: str, horizon_days: int) -> Answers | None:
    """When the orders that a stage's messages brought came; None where that cannot be told.

    Args:
        found: From `counts`.
        stage: The stage.
        horizon_days: The program's.
    """
    rows = [row for row in found.to_pylist() if row["stage"] == stage and row["day"] <= horizon_days]
    sides = {message: _Side.of(rows, message, horizon_days) for message in (True, False)}
    orders = {message: int(side.decisions[1:].sum()) for message, side in sides.items()}
    if min(orders.values()) < LEAST_ORDERS:
        return None
    ahead = sides[True].shares - sides[False].shares
    last, error = float(ahead[-1]), float(np.sqrt(sides[True].squared_error + sides[False].squared_error))
    if last < ERRORS * error:
        return None
    return Answers(int(np.argmax(ahead >= MOST * last)), last, error, orders[True], orders[False])


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Who had a message, or who had none, by the day of the first order; 0 where none followed: decisions, their weights, and squares."""

    decisions: Floats
    weight: Floats
    weight2: Floats

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], message: bool, horizon_days: int) -> Self:
        """One of several variants weighs by how often it was drawn among those that the customer could have had, as a stage's do."""
        drawn = dict[str, int]()
        for row in rows:
            drawn[row["arm"]] = drawn.get(row["arm"], 0) + row["decisions"]
        sums = np.zeros((3, horizon_days + 1))
        for row in (one for one in rows if (one["arm"] != NOTHING) == message):
            among = sum(drawn.get(one, 0) for one in row["eligible"].split("|") if one != NOTHING)
            part = drawn[row["arm"]] / among if message else 1.0
            sums[:, row["day"]] += row["decisions"], part * row["inverse"], part**2 * row["inverse2"]
        return cls(*sums)

    @property
    def shares(self) -> Floats:
        """The share who had ordered by the end of each day, from day 0 on."""
        return np.asarray(np.cumsum(np.append(0.0, self.weight[1:])) / self.weight.sum())

    @property
    def squared_error(self) -> float:
        """Of the last share, a ratio of two sums of weights, by linearisation."""
        share = float(self.shares[-1])
        spread = (1 - share) ** 2 * self.weight2[1:].sum() + share**2 * self.weight2[0]
        return float(spread / self.weight.sum() ** 2)


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
