"""Which offers bring more than nothing in which contexts: incremental conversion and margin, never raw ones.

Knows nothing of how evidence was gathered. An offer that mostly goes to good customers converts well without doing anything; here each is
held against what `nothing` brought at the same time to customers of the same context who might have got it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.evidence import Evidence
from rekindle.program.documents import NOTHING, Program

LEAST_ORDERS = 10
"""Orders on either side below which no difference is shown."""

Z95 = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Line:
    """One offer in one context.

    Args:
        program, context, offer: Which; the offer's name in offers.yaml.
        decisions, nothing: Decisions for it, and for `nothing` among those who might have got it.
        conversion: Orders that it brings more, as a share of decisions.
        margin: Net margin that it brings more, minor units a decision.
    """

    program: str
    context: str
    offer: str
    decisions: int
    nothing: int
    conversion: Interval | CannotTell
    margin: Interval | CannotTell


@dataclass(slots=True)
class _Pair:
    """Differences of an offer's cells in one context, one per stage and variant: sums of difference x decisions, and of variances."""

    decisions: float = 0.0
    idle: float = 0.0
    orders: float = 0.0
    idle_orders: float = 0.0
    weighed: tuple[float, float] = (0.0, 0.0)
    spread: tuple[float, float] = (0.0, 0.0)
    weight: float = 0.0


def offers_table(evidence: Iterable[Evidence], programs: Mapping[str, Program]) -> tuple[Line, ...]:
    """A line for each offer and context that has decisions, by program, offer and context.

    Variants with one offer are put together, each against `nothing` of its own stage, weighted by its decisions. Conversion is counted so
    far and over exposure, as margin is: what has not had its time yet is expected to be like what has.

    Args:
        evidence: From `gather`, of one program or several.
        programs: By name: which variant has which offer.
    """
    pairs: dict[tuple[str, str, str], _Pair] = {}
    for one in evidence:
        offers = {arm.name: arm.offer for arm in programs[one.program].stage(one.stage).arms}
        for column, arm in enumerate(one.arms):
            if arm == NOTHING or arm not in offers:
                continue
            for row, where in enumerate(one.contexts):
                if one.decisions[row, column]:
                    _add(pairs.setdefault((one.program, offers[arm], where), _Pair()), one, row, column)
    return tuple(_line(key, pair) for key, pair in sorted(pairs.items()))


def advice(line: Line) -> str:
    """What a line says to do about the condition under which an offer is given; empty where it says nothing.

    Only where the whole interval of margin lies on one side of nothing: chances follow smaller signs by themselves.

    >>> advice(Line("win-back", "high/other", "percent_10", 900, 300, Interval(0.01, 0.03, 0.05), Interval(-90.0, -50.0, -10.0)))
    'costs more than it brings: leave high/other out of its condition (`when`), or lower its value there'
    """
    if isinstance(line.margin, CannotTell):
        return ""
    if line.margin.high < 0:
        return f"costs more than it brings: leave {line.context} out of its condition (`when`), or lower its value there"
    if line.margin.low > 0:
        return "brings more than it costs: widen its condition (`when`) to contexts like this one, and see"
    return ""


def _add(pair: _Pair, one: Evidence, row: int, column: int) -> None:
    rest, last = one.rest, len(one.arms) - 1
    at = (row, last) if rest is None else (row, column)
    idle = one if rest is None else rest
    mine = one.decisions[row, column]
    pair.decisions += float(mine)
    pair.idle += float(idle.decisions[at])
    pair.orders += float(one.orders[row, column])
    pair.idle_orders += float(idle.orders[at])
    if one.exposure[row, column] <= 0 or idle.exposure[at] <= 0:
        return
    found = [
        _difference(
            (one.decisions[row, column], one.exposure[row, column], total[row, column], squares[row, column]),
            (idle.decisions[at], idle.exposure[at], idle_total[at], idle_squares[at]),
        )
        for total, squares, idle_total, idle_squares in (
            (one.orders, one.orders, idle.orders, idle.orders), (one.total, one.squares, idle.total, idle.squares),
        )
    ]
    pair.weight += float(mine)
    pair.weighed = (pair.weighed[0] + mine * found[0][0], pair.weighed[1] + mine * found[1][0])
    pair.spread = (pair.spread[0] + mine**2 * found[0][1], pair.spread[1] + mine**2 * found[1][1])


def _difference(mine: tuple[float, float, float, float], idle: tuple[float, float, float, float]) -> tuple[float, float]:
    """Difference of two means over exposure, and its variance; each side is decisions, exposure, sum and sum of squares."""
    means, variances = [], []
    for count, exposure, total, squares in (mine, idle):
        means.append(total / exposure)
        within = max(squares - total**2 / count, 0.0) / max(count - 1, 1.0)
        variances.append(within * count / exposure**2)
    return float(means[0] - means[1]), float(sum(variances))


def _line(key: tuple[str, str, str], pair: _Pair) -> Line:
    program, offer, where = key
    shown = [_shown(pair, number) for number in range(2)]
    return Line(program, where, offer, round(pair.decisions), round(pair.idle), shown[0], shown[1])


def _shown(pair: _Pair, number: int) -> Interval | CannotTell:
    if not pair.idle:
        return CannotTell("nobody who might have got it was left without a message")
    if min(pair.orders, pair.idle_orders) < LEAST_ORDERS:
        return CannotTell(
            f"{pair.orders:.0f} orders followed it and {pair.idle_orders:.0f} followed nothing; {LEAST_ORDERS} of each are needed"
        )
    estimate, wide = pair.weighed[number] / pair.weight, Z95 * float(np.sqrt(pair.spread[number])) / pair.weight
    return Interval(estimate - wide, estimate, estimate + wide)
