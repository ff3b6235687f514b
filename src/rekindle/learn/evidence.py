"""What the decisions of a stage have brought so far, by context and variant: sums, as the policy learns from them.

Knows nothing of policies, nor of how likely anything was. Rows of customers never leave the engine; only these sums do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rekindle.decide.arms import MILLI
from rekindle.decide.due import Past
from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse
from rekindle.learn import decisions, delay
from rekindle.learn.assumed import Assumed, assumed
from rekindle.learn.outcomes import Window
from rekindle.program.documents import NOTHING, Program, Stage

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rest:
    """What `nothing` brought customers who might have got each variant: what the variant is fairly compared with; arrays are (C, A).

    Of the last column, of `nothing` itself, those are all.

    Args:
        decisions, exposure, total, squares, orders: As of `Evidence`.
    """

    decisions: Floats
    exposure: Floats
    total: Floats
    squares: Floats
    orders: Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one stage's decisions brought; C contexts, A arms of which `nothing` is the last. Arrays are (C, A) unless said.

    Money is in minor units. Outcomes are counted by what was drawn, and follow the decision's instant.

    Args:
        program, stage: Which.
        contexts: C names, such as `high/other`.
        arms: The stage's variants in its order, then `nothing`.
        decisions: Drawn for it.
        exposure: The same, each weighted by the share of its answer that should have come by now (the delay curve of its arm), 0 to 1.
        total: Net margin that followed within the horizon, or so far, summed.
        squares: Squares of it, summed.
        orders: Decisions that an order followed.
        candidates: (C,); customers who come due in a period of the budget.
        cost: Expected cost of one; `nothing` costs 0.
        allowed: Share of the context's candidates who may get it, 0 to 1.
        prior_mean: (A,); what the documents assume that it brings more than `nothing`, a decision.
        prior_sd: (A,); how far that may be off.
        channels: Per arm, "" for `nothing`.
        rest: What `nothing` brought those who might have got each variant; None where all may get all.

    Raises:
        BadData: Shapes do not fit together, a number is not finite, a count, spread or cost is negative, or `nothing` is not the last arm.
    """

    program: str
    stage: str
    contexts: tuple[str, ...]
    arms: tuple[str, ...]
    decisions: Floats
    exposure: Floats
    total: Floats
    squares: Floats
    orders: Floats
    candidates: Floats
    cost: Floats
    allowed: Floats
    prior_mean: Floats
    prior_sd: Floats
    channels: tuple[str, ...]
    rest: Rest | None = None

    def __post_init__(self) -> None:
        contexts, arms = len(self.contexts), len(self.arms)
        one_way = {"candidates": (contexts,), "prior_mean": (arms,), "prior_sd": (arms,)}
        remedy = "Gather the evidence anew; every array has a row per context and a column per arm."
        if not contexts or not arms or self.arms[-1] != NOTHING or len(self.channels) != arms:
            raise BadData(f"the evidence of {self.program}/{self.stage} has no contexts, or arms that do not end in `{NOTHING}`", remedy)
        for one in fields(self):
            array = getattr(self, one.name)
            if not isinstance(array, np.ndarray):
                continue
            if array.shape != one_way.get(one.name, (contexts, arms)):
                raise BadData(f"{one.name} of {self.program}/{self.stage} has the shape {array.shape}", remedy)
            if not np.isfinite(array).all() or (one.name not in _SIGNED and (array < 0).any()):
                raise BadData(f"{one.name} of {self.program}/{self.stage} has a number that cannot be", remedy)


_SIGNED = {"total", "prior_mean"}


def gather(
    warehouse: Warehouse, past: Past, program: Program, window: Window, delays: delay.Delays | None = None, period_days: int = 30
) -> tuple[Evidence, ...]:
    """What a program's decisions brought within its horizon, or so far.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        program: The program.
        window: What is counted.
        delays: How soon answers come; as these very decisions say where None.
        period_days: Of the budget: `candidates` are those who came due in the last so many days.

    Returns:
        One for each stage that has a decision.
    """
    with warehouse.forgetting():
        rows = decisions.followed(warehouse, past, program, window)
        curves = delays or delay.measure(warehouse.arrow(delay.watched(rows)), program.goal.horizon_days)
        recent = ibis.literal(window.as_of.naive - timedelta(days=period_days))
        sums = warehouse.arrow(decisions.summed(rows, decisions.weights(curves, program), recent))
        hoped = warehouse.arrow(decisions.expected(past, program))
    sums = sums.sort_by([(name, "ascending") for name in _TEXT])
    bought, earned = (int(np.asarray(sums[name], dtype=np.int64).sum()) for name in ("purchases", "margin"))
    told = assumed(hoped, program, window, max(0.0, earned / bought) if bought else 0.0)
    stage_of = sums["stage"].to_numpy(zero_copy_only=False)
    parts = ((stage, sums.filter(pa.array(stage_of == stage.name))) for stage in program.stages)
    return tuple(_of_stage(program, stage, part, told) for stage, part in parts if part.num_rows)


def _of_stage(program: Program, stage: Stage, sums: pa.Table, told: Mapping[tuple[str, str], Assumed]) -> Evidence:
    names = tuple(arm.name for arm in stage.arms)
    arms = (*names, NOTHING)
    context = sums["context"].to_numpy(zero_copy_only=False).astype(str)
    contexts, row = np.unique(context, return_inverse=True)
    column = np.array([arms.index(one) for one in sums["arm"].to_pylist()])
    drawable = _may(sums["eligible"].to_pylist(), arms)
    may = np.maximum(drawable, _may(sums["closed"].to_pylist(), arms))
    values, shape = _values(sums), (len(contexts), len(arms))
    cells, rest = ({name: np.zeros(shape) for name in _SUMMED} for _ in range(2))
    idle = column == len(arms) - 1
    for name in _SUMMED:
        np.add.at(cells[name], (row, column), values[name])
        np.add.at(rest[name], row[idle], values[name][idle, None] * drawable[idle])
    allowed, due = np.zeros(shape), np.zeros(len(contexts))
    np.add.at(allowed, row, values["decisions"][:, None] * may)
    np.add.at(due, row, values["due"])
    assumptions = [told[stage.name, name] for name in names]
    costs = [[one.costs.get(where, one.cost) for one in assumptions] + [0.0] for where in contexts.tolist()]
    return Evidence(
        program=program.name, stage=stage.name, contexts=tuple(contexts.tolist()), arms=arms, **cells, candidates=due,
        cost=np.array(costs), allowed=allowed / cells["decisions"].sum(axis=1, keepdims=True),
        prior_mean=np.array([*(one.mean for one in assumptions), 0.0]), prior_sd=np.array([*(one.sd for one in assumptions), 0.0]),
        channels=(*(one.channel for one in assumptions), ""), rest=Rest(**rest),
    )


_SUMMED = ("decisions", "exposure", "total", "squares", "orders")


def _values(sums: pa.Table) -> dict[str, Floats]:
    """Columns of `decisions.summed` as numbers in their units."""
    numbers = {name: np.asarray(sums[name], dtype=np.float64) for name in sums.column_names if name not in _TEXT}
    numbers["exposure"] /= decisions.MILLION
    numbers["total"] /= MILLI
    numbers["squares"] = decisions.squares(numbers["squares_high"], numbers["squares_low"])
    return numbers


_TEXT = ("stage", "context", "eligible", "closed", "arm")


def _may(eligible: list[str], arms: tuple[str, ...]) -> Floats:
    """Which of the arms each row's customers may get: 1 or 0, (rows, arms)."""
    sets = [frozenset((one or NOTHING).split("|")) for one in eligible]
    return np.array([[float(arm in one) for arm in arms] for one in sets])
