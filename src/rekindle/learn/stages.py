"""What each stage's variants brought against `nothing`, by the chances that they were drawn with.

Knows nothing of rounds: a decision counts from its draw on. Decisions are strata of context, version of the table and choice, because the
chances differ between them; where the table learned from what came before, `adaptive` keeps that from showing as an effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from rekindle.decide.arms import MILLI
from rekindle.decide.due import Past
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.learn import adaptive, comparison, decisions, outcomes
from rekindle.learn.comparison import LEAST_ORDERERS, Comparison
from rekindle.learn.maturity import Maturity, maturity
from rekindle.learn.strata import drawable
from rekindle.learn.sums import CELL, Cells, Flags, Floats, Ints, codes, folded, in_cells, numbered, read, summed
from rekindle.program.documents import NOTHING, Program, Stage

KEYS = ("program", "stage", "policy", "context", "eligible", "arm", "propensity")
"""What the cells of decisions are told apart by; besides, `version` is when the table was first used, and its name."""

WEEK = "week"
"""A further key where it is asked when the first order came: whole weeks from the draw on, empty without one."""

SHOWN = ("margin", "spend", "retained", "orders")
"""What is told of every variant."""

NORMAL = float(ndtri(1 - (1 - comparison.LEVEL) / 2))
BY = ("arm", "offer", "channel", "stage")
"""What variants are put together by; by `stage` all of them are."""


@dataclass(frozen=True, slots=True)
class Against:
    """Variants against `nothing` in one stage.

    Args:
        arms: Which variants; an average one of them, each weighed by how often it was drawn.
        decisions: How many drew them.
        nothing: How many drew `nothing` where they could have drawn one of them.
        measures: Measure to comparison, a decision.
    """

    arms: tuple[str, ...]
    decisions: int
    nothing: int
    measures: dict[str, Comparison]


@dataclass(frozen=True, slots=True)
class StageLift:
    """A stage.

    Args:
        stage: Its name.
        maturity: Of its decisions.
        by: `arm`, `offer`, `channel` or `stage` to its value to the comparison; p-values adjusted over all variants of the program (Holm).
        versions: Versions of the table of chances that drew them.
        curves: Variant, `nothing` too, to the share of its customers who had ordered by the end of each week; decisions weigh by the
            inverse of their chance, so that the curves are of customers alike.
    """

    stage: str
    maturity: Maturity
    by: dict[str, dict[str, Against]]
    versions: int
    curves: dict[str, tuple[float, ...]]


def of_programs(
    warehouse: Warehouse, past: Past, programs: Sequence[Program], window: outcomes.Window, drawn: ir.Table
) -> dict[str, tuple[StageLift, ...]]:
    """The stages of programs of which there are decisions, in each program's order.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: The programs.
        window: What is counted.
        drawn: Their decisions, from `counted`, kept.
    """
    ages = outcomes.ages(warehouse, drawn, "program", "stage")
    goals = {program.name: program.goal.horizon_days for program in programs}
    found = {key: maturity({key[1]: one}, goals[key[0]], window.as_of.day) for key, one in ages.items()}
    windows = {(program, stage): one.window_days for (program, stage), one in found.items() if one.window_days}
    cells = _cells(warehouse, past, programs, window, drawn, windows) if windows else None
    told = {}
    for program in programs:
        stages = [stage for stage in program.stages if (program.name, stage.name) in found]
        told[program.name] = _adjusted([_stage(stage, found[program.name, stage.name], _of(cells, program, stage)) for stage in stages])
    return told


def counted(warehouse: Warehouse, past: Past, programs: Sequence[Program], window: outcomes.Window) -> ir.Table:
    """Decisions by `KEYS`, plan, since (the instant of the draw) and age_days (whole days until the instant), with rows, how many."""
    drawn = _aged(warehouse, past, programs, window)
    return drawn.group_by(*KEYS, "plan", "since", "age_days").aggregate(rows=drawn.count())


def _aged(warehouse: Warehouse, past: Past, programs: Sequence[Program], window: outcomes.Window) -> ir.Table:
    """Every decision with the chance that it was drawn by, as `decisions.drawn`, and its age_days at the instant."""
    drawn = decisions.drawn(warehouse, past, *programs).filter(lambda t: t.propensity > 0)
    age = (ibis.literal(window.as_of.naive).epoch_seconds() - drawn.since.epoch_seconds()) / outcomes.DAY
    return drawn.mutate(age_days=age.floor().cast("int64"))


def _of(cells: Cells | None, program: Program, stage: Stage) -> Cells | None:
    if cells is None:
        return None
    mine = (cells.keys["program"] == program.name) & (cells.keys["stage"] == stage.name)
    return cells.only(mine) if mine.any() else None


def _cells(
    warehouse: Warehouse, past: Past, programs: Sequence[Program], window: outcomes.Window, drawn: ir.Table,
    windows: Mapping[tuple[str, str], int],
) -> Cells:  # fmt: skip
    names = {"program": [program for program, _ in windows], "stage": [stage for _, stage in windows], "days": [*windows.values()]}
    watched, found = warehouse.keep(pa.table(names)), []
    cells = warehouse.keep(numbered(drawn.semi_join(watched, ["program", "stage"]), KEYS))
    for _, mine, theirs in outcomes.by_parts(past, window, warehouse.scalar(drawn.rows.sum())):
        with warehouse.forgetting():
            old = _aged(warehouse, mine, programs, window).join(watched, ["program", "stage"]).filter(lambda t: t.age_days >= t.days)
            old = old.mutate(until=old.since + old.days.as_interval("D"))
            spans = in_cells(old, cells, "program", "customer_id", "episode", "since", "until", "baseline")
            rows = _valued(outcomes.followed(warehouse, mine, programs, spans, theirs))
            found.append(warehouse.arrow(summed(rows, (CELL, WEEK), SHOWN, ())))
    told = read(warehouse.arrow(cells), found, (WEEK,))
    first = warehouse.arrow(drawn.group_by("policy").aggregate(since=drawn.since.min())).to_pylist()
    begun = {str(row["policy"]): str(row["since"]) for row in first}
    versions = np.array([f"{begun[one]} {one}" for one in told.keys["policy"]], dtype=str)
    return Cells({**told.keys, "version": versions}, told.sums)


def _valued(rows: ir.Table) -> ir.Table:
    """What followed decisions with `SHOWN` and `WEEK`."""
    net = rows.gross_margin - rows.incentives - rows.messages_milli / MILLI
    week = (rows.first_order_at.epoch_seconds() - rows.since.epoch_seconds()) // (7 * outcomes.DAY)
    return rows.mutate(margin=net, retained=(rows.orders > 0).cast("int64"), week=week.cast("int64"))


def _stage(stage: Stage, found: Maturity, cells: Cells | None) -> StageLift:
    by: dict[str, dict[str, Against]] = {name: {} for name in BY}
    if cells is None:
        return StageLift(stage.name, found, by, 0, {})
    curves = curves_of(cells, found.window_days)
    cells = folded(cells, [name for name in cells.keys if name != WEEK])
    for name in BY:
        groups: dict[str, list[str]] = {}
        for arm in stage.arms:
            value = {"arm": arm.name, "offer": arm.offer, "channel": arm.channel, "stage": stage.name}[name]
            groups.setdefault(value, []).append(arm.name)
        for value, arms in groups.items():
            by[name][value] = against(cells, tuple(arms))
    return StageLift(stage.name, found, by, len(np.unique(cells.keys["policy"])), curves)


def curves_of(cells: Cells, window_days: int) -> dict[str, tuple[float, ...]]:
    """How many had ordered by the end of each week after the draw, by variant: 0 to 1.

    Args:
        cells: Of one stage, by `KEYS` and `WEEK`.
        window_days: Over how long decisions are followed.
    """
    weeks = -(-window_days // 7)
    week = np.array([int(one) if one else weeks for one in cells.keys[WEEK]], dtype=np.int64)
    weight = cells.sums.n / cells.keys["propensity"].astype(float)
    curves = {}
    for arm in dict.fromkeys(cells.keys["arm"].tolist()):
        mine = cells.keys["arm"] == arm
        ordered = np.bincount(np.minimum(week[mine], weeks), weight[mine], weeks + 1)
        curves[str(arm)] = tuple(float(one) for one in np.cumsum(ordered)[:weeks] / ordered.sum())
    return curves


def against(cells: Cells, arms: tuple[str, ...]) -> Against:
    """Variants against `nothing`, among the decisions that could have drawn one of them.

    Args:
        cells: By `KEYS`, of one stage.
        arms: Which.
    """
    cells = _with_chances(cells)
    names = [set(one.split("|")) for one in cells.keys["eligible"]]
    could = np.array([bool(one.intersection(arms)) and NOTHING in one for one in names], dtype=bool)
    mine = cells.only(could)
    is_arm, is_nothing = np.isin(mine.keys["arm"], arms), mine.keys["arm"] == NOTHING
    counts = int(mine.sums.n[is_arm].sum()), int(mine.sums.n[is_nothing].sum())
    why = _too_few(mine, is_arm, is_nothing, counts)
    nothing = {name: _mean(mine, is_nothing, name) for name in SHOWN}
    if min(counts) < adaptive.LEAST and why is not None:
        return Against(arms, *counts, {name: Comparison(why, nothing[name]) for name in SHOWN})
    board = _Board.of(mine, arms)
    told = {name: board.compared(name, nothing[name]) for name in SHOWN}
    if why is not None:
        told = {name: Comparison(why, one.control_mean, detectable=one.detectable) for name, one in told.items()}
    return Against(arms, *counts, told)


def _with_chances(cells: Cells) -> Cells:
    """The cells, eligible for what had a chance alone."""
    keys = cells.keys
    stratum = codes(keys["version"], keys["context"], keys["eligible"])
    inverse = cells.sums.n / keys["propensity"].astype(float)
    return Cells({**keys, "eligible": drawable(keys["eligible"], keys["arm"], stratum, cells.sums.n, inverse)}, cells.sums)


def _too_few(cells: Cells, is_arm: Flags, is_nothing: Flags, counts: tuple[int, int]) -> CannotTell | None:
    if min(counts) < adaptive.LEAST:
        return CannotTell(f"{counts[1]} drew nothing and {counts[0]} a message; {adaptive.LEAST} of each are needed")
    ordered = [round(float(cells.sums["y:retained"][side].sum())) for side in (is_arm, is_nothing)]
    if min(ordered) < LEAST_ORDERERS:
        few = f"{ordered[1]} of who drew nothing and {ordered[0]} of the others have ordered so far"
        return CannotTell(f"{few}; {LEAST_ORDERERS} of each are needed")
    return None


def _mean(cells: Cells, side: Flags, name: str) -> float:
    n = float(cells.sums.n[side].sum())
    return float(cells.sums[f"y:{name}"][side].sum()) / n if n else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """The cells of decisions laid out by version, stratum and column: nothing, one of the variants, another.

    Args:
        cells: The decisions.
        place: (C,) flat place of each cell.
        shape: Versions, strata, columns.
        chance: (C,) chance of the draw; of one of several variants over its weight among them.
    """

    cells: Cells
    place: Ints
    shape: tuple[int, int, int]
    chance: Floats

    @classmethod
    def of(cls, cells: Cells, arms: tuple[str, ...]) -> "_Board":
        keys = cells.keys
        version, stratum = codes(keys["version"]), codes(keys["context"], keys["eligible"])
        column = np.where(keys["arm"] == NOTHING, 0, np.where(np.isin(keys["arm"], arms), 1, 2))
        shape = (int(version.max()) + 1, int(stratum.max()) + 1, 3)
        drawn = {arm: float(cells.sums.n[keys["arm"] == arm].sum()) for arm in arms}
        weight = np.ones(len(column))
        for cell in np.flatnonzero(column == 1):
            among = [drawn[arm] for arm in keys["eligible"][cell].split("|") if arm in drawn]
            weight[cell] = drawn[str(keys["arm"][cell])] / sum(among)
        place = np.ravel_multi_index((version, stratum, column), shape)
        return cls(cells, place, shape, keys["propensity"].astype(float) / weight)

    def laid(self, values: Floats) -> Floats:
        return np.bincount(self.place, values, int(np.prod(self.shape))).reshape(self.shape).astype(np.float64)

    def compared(self, name: str, nothing: float) -> Comparison:
        plain = self._contrast(name, 0.0)
        theta = self._slope(name)
        told = self._contrast(name, theta) if theta else plain
        if isinstance(told, CannotTell):
            return Comparison(told, nothing)
        interval, p_value, error = told
        before = plain[2] if not isinstance(plain, CannotTell) else 0.0
        narrower = max(1 - error / before, 0.0) if before else 0.0
        return Comparison(interval, nothing, p_value, error, comparison.seen(error), narrower)

    def _slope(self, name: str) -> float:
        """What a unit of the covariate foretells within version, stratum and column."""
        n, x, y, xx, xy = (self.laid(self.cells.sums[one]) for one in ("n", "x", f"y:{name}", "xx", f"xy:{name}"))
        n = np.maximum(n, 1.0)
        varies = float((xx - x * x / n).sum())
        return float((xy - x * y / n).sum()) / varies if varies > float(xx.sum()) * 1e-12 else 0.0

    def _contrast(self, name: str, theta: float) -> tuple[Interval, float, float] | CannotTell:
        sums = self.cells.sums
        n, x = sums.n, sums["x"]
        middle = theta * float(x.sum()) / float(n.sum())
        y = sums[f"y:{name}"] - theta * x
        square = sums[f"yy:{name}"] - 2 * theta * sums[f"xy:{name}"] + theta**2 * sums["xx"]
        square, y = square + 2 * middle * y + n * middle**2, y + n * middle
        once = 1 / self.chance
        parts = (n, y, n * once, y * once, n * once**2, y * once**2, square * once**2)
        found = adaptive.compared(adaptive.Weighed(*(self.laid(part) for part in parts)), 1, 0)
        if isinstance(found, CannotTell):
            return found
        interval, p_value = found
        return interval, p_value, (interval.high - interval.low) / 2 / NORMAL


def _adjusted(stages: list[StageLift]) -> tuple[StageLift, ...]:
    """With the p-values of every measure adjusted over all variants of all stages."""
    for dimension in BY:
        places = [(one.by[dimension], value) for one in stages for value in one.by[dimension]]
        for name in SHOWN:
            p_values = comparison.holm([found[value].measures[name].p_value for found, value in places])
            for (found, value), adjusted in zip(places, p_values, strict=True):
                one = found[value]
                found[value] = replace(one, measures={**one.measures, name: replace(one.measures[name], adjusted=adjusted)})
    return tuple(stages)
