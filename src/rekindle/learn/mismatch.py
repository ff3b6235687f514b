"""Whether groups are as large as the logged chances say: looked at before any lift, for a draw that went wrong spoils all that follows.

Knows nothing of outcomes. Counts are compared with the chances that were written down at the draw, day by day and cell by cell, and all
together. A small thing that is wrong always shows in the whole, a large one on a single day in its cell.
Source: Fabijan et al. (2019), Diagnosing sample ratio mismatch in online controlled experiments; Horvitz & Thompson (1952) for variants, of
whose chances only that of the drawn one is logged: the sum of 1 / p over who drew a variant estimates how many could have drawn it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, ndtr

from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.learn import outcomes
from rekindle.learn.strata import drawable
from rekindle.learn.sums import Flags, Floats, codes
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Program

ALARM = 0.001
"""The p-value below which a mismatch is one."""

LEAST_EXPECTED = 5.0
"""Expected rows below which a cell is looked at with the others only."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The cell that fits its chances least.

    Args:
        cell: The day, and of variants the stage and context.
        seen, expected: Rows.
        p_value: Times the number of cells that were looked at.
    """

    cell: str
    seen: int
    expected: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Check:
    """One group against its chance.

    Args:
        group: `control` and `holdout`, or a stage and variant as `reconnect:reminder`.
        counted: Rows that could have been drawn to it.
        seen, expected: Those that were, and those that the chances give.
        p_value: Of all days and cells together, two-sided.
        cells: Days and cells that were looked at one by one.
        worst: Of those; None where none was large enough.
        unlogged: Rows of before chances were logged, which nothing can be said of.
    """

    group: str
    counted: int
    seen: int
    expected: float
    p_value: float
    cells: int
    worst: Worst | None
    unlogged: int = 0

    @property
    def alarm(self) -> bool:
        """Whether the group is not what was drawn."""
        return min(self.p_value, self.worst.p_value if self.worst else 1.0) < ALARM


def of_share(group: str, cells: Sequence[str], counted: Floats, seen: Floats, chance: Floats, unlogged: int = 0) -> Check:
    """A group that is drawn with a share.

    Args:
        group: Its name.
        cells: (C,) what each cell is, such as its day.
        counted: (C,) how many were drawn.
        seen: (C,) how many of them came to the group.
        chance: (C,) the logged chance of that.
        unlogged: As in `Check`.

    >>> of_share("control", ["2026-03-02"], np.array([1000.0]), np.array([100.0]), np.array([0.1])).alarm
    False
    >>> of_share("control", ["2026-03-02"], np.array([1000.0]), np.array([60.0]), np.array([0.1])).alarm
    True
    """
    expected, spread = counted * chance, counted * chance * (1 - chance)
    z = float((seen - expected).sum() / np.sqrt(spread.sum())) if spread.sum() > 0 else 0.0
    large = np.minimum(expected, counted - expected) >= LEAST_EXPECTED
    worst = _worst(cells, large, counted, seen, chance)
    return Check(group, int(counted.sum()), int(seen.sum()), float(expected.sum()), _two_sided(z), int(large.sum()), worst, unlogged)


def of_variant(group: str, cells: Sequence[str], counted: Floats, seen: Floats, inverse: Floats, inverse2: Floats) -> Check:
    """A variant of which only the drawn one's chance is logged.

    Args:
        group: Its name.
        cells: (C,) what each cell is.
        counted: (C,) how many could have drawn it.
        seen: (C,) how many did.
        inverse: (C,) the sum of 1 / p over these.
        inverse2: (C,) the sum of 1 / p^2.
    """
    total, people = float(inverse.sum()), float(counted.sum())
    spread = float((inverse2 - inverse).sum()) * people / total if total else 0.0
    z = (total - people) / np.sqrt(spread) if spread > 0 else 0.0
    chance = np.divide(seen, inverse, out=np.ones_like(seen), where=inverse > 0)
    large = (seen > 0) & (np.minimum(counted * chance, counted * (1 - chance)) >= LEAST_EXPECTED)
    worst = _worst(cells, large, counted, seen, chance)
    # Where nobody drew a variant its chance is not known: all that could be expected is what the others' chances give.
    expected = float((counted * np.where(seen > 0, chance, np.average(chance, weights=seen) if seen.sum() else 0.0)).sum())
    return Check(group, int(people), int(seen.sum()), expected, _two_sided(z), int(large.sum()), worst)


def _two_sided(z: float) -> float:
    return float(2 * ndtr(-abs(z)))


def _worst(cells: Sequence[str], large: Flags, counted: Floats, seen: Floats, chance: Floats) -> Worst | None:
    """By the exact binomial test, both sides of it."""
    places = np.flatnonzero(large)
    if not len(places):
        return None
    n, k, p = counted[places], seen[places], chance[places]
    below, above = bdtr(k, n.astype(int), p), np.where(k > 0, bdtrc(k - 1, n.astype(int), p), 1.0)
    found = np.minimum(2 * np.minimum(below, above), 1.0)
    at = int(found.argmin())
    p_value = min(float(found[at]) * len(places), 1.0)
    return Worst(str(cells[places[at]]), int(k[at]), float(n[at] * p[at]), p_value)


def of_controls(warehouse: Warehouse, entered: ir.Table) -> dict[str, Check]:
    """Programs' controls among those who are not held out, by the plan in which they entered.

    Args:
        warehouse: Runs the count.
        entered: From `outcomes.rounds`.
    """
    counted = entered.group_by("program", "entered_at", "control_share", "standing").aggregate(rows=entered.count())
    rows = warehouse.arrow(counted.order_by("program", "entered_at")).to_pylist()
    names = dict.fromkeys(row["program"] for row in rows)
    return {name: _standing("control", [row for row in rows if row["program"] == name], "control_share") for name in names}


def of_holdout(warehouse: Warehouse, entered: ir.Table) -> Check | None:
    """The holdout, among the first rounds of all programs; None without anybody.

    Args:
        warehouse: Runs the count.
        entered: From `suite.rounds`.
    """
    counted = entered.group_by("entered_at", "holdout_share", "standing").aggregate(rows=entered.count())
    rows = warehouse.arrow(counted.order_by("entered_at")).to_pylist()
    return _standing("holdout", rows, "holdout_share") if rows else None


def _standing(group: str, rows: list[dict[str, Any]], share: str) -> Check:
    cells: dict[tuple[str, float], list[int]] = {}
    for row in rows:
        if row[share] is not None:
            cell = cells.setdefault((str(row["entered_at"])[:10], row[share]), [0, 0])
            cell[0] += row["rows"]
            cell[1] += row["rows"] if row["standing"] == group else 0
    unlogged = sum(row["rows"] for row in rows if row[share] is None)
    counted, seen = (np.array([cell[place] for cell in cells.values()], dtype=float) for place in (0, 1))
    return of_share(group, [day for day, _ in cells], counted, seen, np.array([share for _, share in cells], dtype=float), unlogged)


CELL = ("since", "plan", "stage", "context", "eligible")


def of_draws(warehouse: Warehouse, drawn: ir.Table, programs: Sequence[Program]) -> dict[str, tuple[Check, ...]]:
    """The variants of programs' stages, `nothing` among them, by plan and context.

    Args:
        warehouse: Runs the count.
        drawn: Decisions, from `stages.counted`.
        programs: The programs.
    """
    once = drawn.rows / drawn.propensity
    sums = {"rows": drawn.rows.sum(), "inverse": once.sum(), "inverse2": (once / drawn.propensity).sum()}
    counted = drawn.group_by("program", *CELL, "arm").aggregate(**sums)
    table = warehouse.arrow(counted.order_by("program", *CELL, "arm"))
    rows = {name: np.array([str(one) for one in table[name].to_pylist()], dtype=str) for name in ("program", *CELL, "arm")}
    rows |= {name: table[name].to_numpy().astype(float) for name in ("rows", "inverse", "inverse2")}
    found = {}
    for program in programs:
        checks = []
        for stage in program.stages:
            of_stage = (rows["program"] == program.name) & (rows["stage"] == stage.name)
            mine = {name: one[of_stage] for name, one in rows.items()}
            place = codes(*(mine[name] for name in CELL))
            mine["eligible"] = drawable(mine["eligible"], mine["arm"], place, mine["rows"], mine["inverse"])
            checks += [_of_arm(stage.name, arm, mine) for arm in (*(arm.name for arm in stage.arms), NOTHING)]
        found[program.name] = tuple(one for one in checks if one is not None)
    return found


def _of_arm(stage: str, arm: str, rows: Mapping[str, NDArray[Any]]) -> Check | None:
    could = np.array([arm in one.split("|") for one in rows["eligible"]], dtype=bool)
    if not could.any():
        return None
    rows = {name: one[could] for name, one in rows.items()}
    place = codes(*(rows[name] for name in CELL))
    first = np.unique(place, return_index=True)[1]
    names = [f"{rows['since'][at][:10]} {stage} {rows['context'][at]}" for at in first]
    mine = rows["arm"] == arm
    counted = np.bincount(place, rows["rows"]).astype(np.float64)
    seen, inverse, inverse2 = (
        np.bincount(place[mine], rows[name][mine], len(first)).astype(np.float64) for name in ("rows", "inverse", "inverse2")
    )
    return of_variant(f"{stage}:{arm}", names, counted, seen, inverse, inverse2)


def leaks(warehouse: Warehouse, past: Past, programs: Sequence[Program], as_of: AsOf) -> ir.Table:
    """Messages to customers who were not to have any: of a control, of a round held out, or held out in the year of the message's round.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Of marketing.
        as_of: The instant.

    Returns:
        customer_id, program, kind (`planned` or `sent`), a row each.
    """
    names = [one.name for one in programs]
    journal = past.journal.filter(past.journal.program.isin(names), past.journal.standing.notnull())
    key = ["program", "customer_id", "episode"]
    idle = journal.filter(journal.standing != "treated")
    idle = warehouse.keep(idle.select(*key, "standing", epoch=outcomes.epoch_of(idle.entered_at, as_of)))
    held = warehouse.keep(idle.filter(idle.standing == "holdout").select("customer_id", "epoch").distinct())
    theirs = journal.semi_join(held, "customer_id")
    theirs = theirs.mutate(epoch=outcomes.epoch_of(theirs.entered_at, as_of)).semi_join(held, ["customer_id", "epoch"])
    barred = warehouse.keep(ibis.union(idle.select(*key), theirs.select(*key), distinct=True))
    planned = past.contacts.filter(past.contacts.program.isin(names)).semi_join(barred, "customer_id")
    touches = warehouse.current("touches")
    sent = touches.filter(touches.program.isin(names), touches.status.isin(("sent", "unknown")))
    sent = sent.filter(sent.settled_at < ibis.literal(as_of.naive)).semi_join(barred, "customer_id")
    parts = [
        rows.semi_join(barred, key).select("customer_id", "program", kind=ibis.literal(kind))
        for kind, rows in (("planned", planned), ("sent", sent))
    ]
    return ibis.union(*parts)
