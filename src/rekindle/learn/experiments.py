"""How a planned comparison of arms stands: what each has brought against the other, whether a look is due, and whether it may stop.

Knows nothing of the ledger. Decisions count when the program's horizon is behind them, by what was drawn and not by what was sent or
opened. Several arms share the chance of a false one among them equally.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from rekindle.decide.arms import MILLI
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.learn import decisions, outcomes
from rekindle.learn.adaptive import LEAST, Weighed, contrast
from rekindle.learn.comparison import POWER
from rekindle.learn.sequential import ALPHA, boundaries, needed_drift, repeated_interval
from rekindle.learn.strata import drawable
from rekindle.learn.sums import codes
from rekindle.program.documents import NOTHING, Program
from rekindle.program.experiments import Experiment

Verdict = Literal["scale", "retire", "trial"]

NORMAL = float(ndtri(POWER))


@dataclass(frozen=True, slots=True)
class Gathered:
    """The decisions of an experiment that its horizon is behind.

    Args:
        counts: Arm to decisions, `nothing` among them.
        young: Decisions whose horizon is not over.
        cells: policy, context, eligible, arm, propensity, decisions, total, squares (of the measure), in the order of time.
    """

    counts: dict[str, int]
    young: int
    cells: pa.Table


@dataclass(frozen=True, slots=True)
class Difference:
    """What an arm has brought against the other at a look.

    Args:
        arm: The arm.
        against: The other.
        decisions: Of the arm.
        others: Of the other.
        interval: The difference a decision; its width is such that all looks together hold the truth 95 times in 100.
        z: The difference in standard errors.
        bound: What the look needs.
        detectable: The smallest true difference that crosses the bound four times in five with so many decisions.
    """

    arm: str
    against: str
    decisions: int
    others: int
    interval: Interval
    z: float
    bound: float
    detectable: float

    @property
    def crossed(self) -> bool:
        """Whether it may stop here."""
        return abs(self.z) >= self.bound


@dataclass(frozen=True, slots=True)
class Reading:
    """One look.

    Args:
        number: Counted from 1, of the planned looks.
        share: Of the planned decisions.
        differences: One for each arm.
        last: Whether it is the last planned one.
    """

    number: int
    share: float
    differences: tuple[Difference, ...]
    last: bool

    @property
    def verdict(self) -> Verdict:
        """Scale what has shown more, retire what has shown less, and go on where neither has."""
        told = [one for one in self.differences if one.crossed]
        if any(one.z > 0 for one in told):
            return "scale"
        return "retire" if told and len(told) == len(self.differences) else "trial"

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.last or self.verdict != "trial"

    @property
    def winner(self) -> Difference | None:
        """The arm that has shown most; None where none has shown more."""
        told = [one for one in self.differences if one.crossed and one.z > 0]
        return max(told, key=lambda one: one.interval.estimate, default=None)


def gathered(
    warehouse: Warehouse, past: Past, program: Program, experiment: Experiment, span: tuple[datetime, outcomes.Window]
) -> Gathered:
    """The decisions of a running experiment and what followed them.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        program: The experiment's.
        experiment: What is compared.
        span: From which instant on decisions count, UTC, and what is counted of them.
    """
    since, window = span
    began, horizon = ibis.literal(since.replace(tzinfo=None)), ibis.interval(days=program.goal.horizon_days)
    with warehouse.forgetting():
        drawn = decisions.drawn(warehouse, past, program)
        arms = [*experiment.compared, NOTHING]
        mine = drawn.filter(drawn.stage == experiment.stage, drawn.since >= began, drawn.arm.isin(arms), drawn.propensity > 0)
        mine = warehouse.keep(mine.mutate(until=mine.since + horizon))
        old = warehouse.keep(mine.filter(mine.until <= ibis.literal(window.as_of.naive)))
        young = warehouse.scalar(mine.count()) - warehouse.scalar(old.count())
        rows = _valued(outcomes.followed(warehouse, past, (program,), old, window), experiment.metric)
        grouped = rows.group_by("policy", "context", "eligible", "arm", "propensity")
        found = grouped.aggregate(decisions=rows.count(), total=rows.y.sum(), squares=(rows.y * rows.y).sum(), first=rows.since.min())
        cells = warehouse.arrow(found.order_by("first", "policy", "context", "eligible", "arm", "propensity"))
    counts = dict.fromkeys(arms, 0)
    for arm, count in zip(cells["arm"].to_pylist(), cells["decisions"].to_pylist(), strict=True):
        counts[arm] += count
    return Gathered(counts, int(young), cells)


def _valued(rows: ir.Table, metric: str) -> ir.Table:
    net = rows.gross_margin - rows.incentives - rows.messages_milli / MILLI
    values = {"margin": net, "spend": rows.spend, "orders": rows.orders, "retained": (rows.orders > 0).cast("int64")}
    return rows.mutate(y=values[metric].cast("float64"))


def due(experiment: Experiment, found: Gathered, taken: int) -> int | None:
    """Which look is due, counted from 1; None where none is.

    Args:
        experiment: Its size and how often it is looked at.
        found: Its decisions so far.
        taken: The number of the last look taken; 0 before the first.
    """
    number = min(int(share_of(experiment, found) * experiment.looks + 1e-9), experiment.looks)
    return number if number > taken else None


def share_of(experiment: Experiment, found: Gathered) -> float:
    """How much of the planned size there is: that of the arm with the fewest decisions; at most 1."""
    fewest = min(found.counts[name] for name in (*experiment.arms, experiment.against))
    return min(fewest / experiment.size, 1.0)


def look(experiment: Experiment, found: Gathered, number: int, shares: Sequence[float]) -> Reading:
    """Takes a look.

    Args:
        experiment: What is compared.
        found: Its decisions so far.
        number: Of the look.
        shares: Of the planned size at the looks taken before.
    """
    share = share_of(experiment, found)
    every = (*shares, share)
    bound = boundaries(every, ALPHA / len(experiment.arms))[-1]
    differences = tuple(_difference(experiment, found, arm, every, bound) for arm in experiment.arms)
    return Reading(number, share, differences, number >= experiment.looks)


def _difference(experiment: Experiment, found: Gathered, arm: str, shares: Sequence[float], bound: float) -> Difference:
    names = (arm, experiment.against)
    measured = contrast(weighed(found.cells, names), 0, 1)
    estimate, error = float(measured.estimate), float(measured.error)
    if not error > 0:
        estimate, error = 0.0, 0.0
    interval = repeated_interval(estimate, error, shares, ALPHA / len(experiment.arms))
    z = estimate / error if error else 0.0
    return Difference(arm, names[1], found.counts[arm], found.counts[names[1]], interval, z, bound, (bound + NORMAL) * error)


def weighed(cells: pa.Table, arms: Sequence[str]) -> Weighed:
    """The cells of those who could have had all of some arms, as sums by version, group and arm.

    Args:
        cells: As `Gathered.cells`.
        arms: In the order that the sums' columns are to have.
    """
    rows = _comparable(cells, arms)
    versions = _codes(rows["policy"].to_pylist())
    groups = _codes([f"{where}\n{may}" for where, may in zip(rows["context"].to_pylist(), rows["eligible"].to_pylist(), strict=True)])
    names = rows["arm"].to_pylist()
    column = np.array([arms.index(name) if name in arms else len(arms) for name in names], dtype=np.int64)
    count, total, squares, p = (np.asarray(rows[name], dtype=np.float64) for name in ("decisions", "total", "squares", "propensity"))
    shape = (int(versions.max(initial=-1)) + 1, int(groups.max(initial=-1)) + 1, len(arms) + 1)

    def summed(values: np.ndarray) -> np.ndarray:
        cube = np.zeros(shape)
        np.add.at(cube, (versions, groups, column), values)
        return cube

    once, twice = 1 / p, 1 / p**2
    return Weighed(*map(summed, (count, total, count * once, total * once, count * twice, total * twice, squares * twice)))


def _comparable(cells: pa.Table, arms: Sequence[str]) -> pa.Table:
    """The cells of who had a chance of all of some arms, eligible for what had a chance alone."""
    names = ("policy", "context", "eligible", "arm")
    text = {name: np.array([str(one or "") for one in cells[name].to_pylist()], dtype=str) for name in names}
    count, p = (np.asarray(cells[name], dtype=np.float64) for name in ("decisions", "propensity"))
    stratum = codes(text["policy"], text["context"], text["eligible"])
    eligible = drawable(text["eligible"], text["arm"], stratum, count, count / p)
    told = cells.set_column(cells.column_names.index("eligible"), "eligible", pa.array(eligible.tolist(), pa.string()))
    return told.filter(pa.array([set(arms) <= set(one.split("|")) for one in eligible], pa.bool_()))


def _codes(values: list[str]) -> np.ndarray:
    """Numbers in the order in which values first come."""
    known = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.array([known[value] for value in values], dtype=np.int64)


def detectable(cells: pa.Table, experiment: Experiment) -> float | None:
    """Before it begins: the smallest true difference that its looks together would show four times in five; None where too little is known.

    Args:
        cells: Of decisions of its stage so far, whatever was drawn.
        experiment: Its size, arms and looks.
    """
    count, total, squares = (float(np.asarray(cells[name], dtype=np.float64).sum()) for name in ("decisions", "total", "squares"))
    if count < 2 * LEAST:
        return None
    variance = (squares - total**2 / count) / (count - 1)
    shares = tuple(number / experiment.looks for number in range(1, experiment.looks + 1))
    drift = needed_drift(shares, boundaries(shares, ALPHA / len(experiment.arms)), POWER)
    return drift * float(np.sqrt(2 * variance / experiment.size))


def written(reading: Reading) -> str:
    """A look as JSON, to be kept."""
    return json.dumps(asdict(reading))


def read(text: str) -> Reading:
    """A look that was kept."""
    held = json.loads(text)
    differences = (Difference(**{**one, "interval": Interval(**one["interval"])}) for one in held["differences"])
    return Reading(held["number"], held["share"], tuple(differences), held["last"])
