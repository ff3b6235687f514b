"""Decisions with the chances that they were drawn by and what followed them, stage by stage, for values of tables that were never tried.

Knows nothing of tables. Rows are decisions alike: of one context, variant, chance and choice, and of customers whose ids hash alike.
"""

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from rekindle.decide.arms import MILLI
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import exact_sum
from rekindle.learn import decisions, outcomes
from rekindle.learn.evidence import Floats
from rekindle.learn.off_policy import Logged
from rekindle.program.documents import NOTHING, Program

UNIT_DIGITS = 3
"""Hex digits of the hash that customers are put together by: 4,096 units, so that a customer's decisions stand in one."""


@dataclass(frozen=True, slots=True)
class Draws:
    """A stage's decisions.

    Args:
        program, stage: Which.
        contexts: By code.
        arms: The stage's variants by code, `nothing` last.
        logged: The decisions; outcomes are net margins within the horizon, or so far, minor units.
    """

    program: str
    stage: str
    contexts: tuple[str, ...]
    arms: tuple[str, ...]
    logged: Logged


def draws(warehouse: Warehouse, past: Past, program: Program, window: outcomes.Window) -> tuple[Draws, ...]:
    """A program's decisions, one for each stage that has any; draws of variants that the stage no longer has are left out.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        program: The program.
        window: What is counted.
    """
    with warehouse.forgetting():
        rows = decisions.drawn(warehouse, past, program).filter(lambda t: t.propensity > 0)
        spans = rows.mutate(until=outcomes.end_of(rows.since, program, window))
        followed = outcomes.followed(warehouse, past, (program,), spans, window)
        sums = warehouse.arrow(_summed(followed))
    found = []
    for stage in program.stages:
        arms = (*(arm.name for arm in stage.arms), NOTHING)
        keep = [row["stage"] == stage.name and row["arm"] in arms for row in sums.select(["stage", "arm"]).to_pylist()]
        part = sums.filter(pa.array(keep, pa.bool_()))
        if part.num_rows:
            found.append(_of_stage(program.name, stage.name, arms, part))
    return tuple(found)


def _summed(rows: ir.Table) -> ir.Table:
    net = (rows.gross_margin - rows.incentives) * MILLI - rows.messages_milli
    whole = rows.mutate(net=net, ordered=(rows.orders > 0).cast("int64"), unit=rows.customer_id.hexdigest("md5")[:UNIT_DIGITS])
    grouped = whole.group_by("stage", "context", "eligible", "arm", "propensity", "unit")
    found = grouped.aggregate(decisions=whole.count(), total=exact_sum(whole.net), answered=whole.ordered.sum())
    return found.order_by("stage", "context", "eligible", "arm", "propensity", "unit")


def _of_stage(program: str, stage: str, arms: tuple[str, ...], part: pa.Table) -> Draws:
    contexts, where = np.unique(np.asarray(part["context"].to_pylist(), dtype=str), return_inverse=True)
    units = np.unique(np.asarray(part["unit"].to_pylist(), dtype=str), return_inverse=True)[1]
    column = np.array([arms.index(one) for one in part["arm"].to_pylist()], dtype=np.int64)
    sets = [frozenset((one or NOTHING).split("|")) for one in part["eligible"].to_pylist()]
    may = np.array([[arm in one for arm in arms] for one in sets], dtype=bool)
    may[np.arange(len(column)), column] = True
    may[:, -1] = True
    numbers = {name: np.asarray(part[name], dtype=np.float64) for name in ("propensity", "decisions", "total", "answered")}
    logged = Logged(
        where.astype(np.int64), column, numbers["propensity"], numbers["decisions"], numbers["total"] / MILLI, numbers["answered"], may,
        units.astype(np.int64), len(contexts),
    )
    return Draws(program, stage, tuple(contexts.tolist()), arms, logged)


def as_table(found: Draws, chances: dict[str, dict[str, float]]) -> Floats:
    """(C, A); chances by context and variant in the order of some draws."""
    return np.array([[chances[where][arm] for arm in found.arms] for where in found.contexts])
