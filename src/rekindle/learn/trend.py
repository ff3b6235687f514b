"""How a program's worth moves from month to month: what a customer won back brings, and how many redeem who would have ordered anyway.

Knows nothing of days within a month. A month is that of the entry, UTC; each is a comparison of its own.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtr

from rekindle.insight.models import Interval
from rekindle.learn import comparison
from rekindle.learn.comparison import Comparison
from rekindle.learn.lift import Lift
from rekindle.learn.strata import aligned
from rekindle.learn.sums import Cells

ALARM = 0.01
"""The chance, one-sided, below which a fall is one."""

HALF = 0.5
"""The part of redeemed orders that would have come anyway from which on that is an alarm."""

MEASURES = ("margin", "retained", "orders")


@dataclass(frozen=True, slots=True)
class Month:
    """Who entered in one month.

    Args:
        month: As 202603.
        treated, control: Rounds.
        measures: margin, retained, orders.
        cost: What offers and messages cost a treated customer, minor units; a lower price is in the margin alone.
        redeemed: Orders of the treated with a code of a message.
        anyway: The part of them that would have come without it, 0 to 1 with its interval; None where nothing was redeemed or it cannot
            be told.
        margin_each: Incremental margin for each customer more who ordered, minor units; None where it is not told that more did.
    """

    month: str
    treated: int
    control: int
    measures: dict[str, Comparison]
    cost: float
    redeemed: int
    anyway: Interval | None
    margin_each: float | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A program's months.

    Args:
        months: In their order.
        alarms: What has become worse, in words; empty where nothing has.
    """

    months: tuple[Month, ...]
    alarms: tuple[str, ...]


def trend(lift: Lift) -> Trend:
    """A program month by month; nothing where nothing can be counted yet."""
    if lift.cells is None:
        return Trend((), ())
    cells = lift.cells
    months = tuple(_month(str(one), cells.only(cells.keys["month"] == one)) for one in np.unique(cells.keys["month"]))
    return Trend(months, tuple(_alarms(months)))


def _month(month: str, cells: Cells) -> Month:
    treated, control = aligned(cells)
    measures = comparison.compare(treated, control, MEASURES)
    rows = cells.sums.only(cells.keys["standing"] == "treated")
    size, redeemed = float(rows.n.sum()), float(rows["y:redeemed"].sum())
    cost = float((rows["y:incentives"] + rows["y:messages"]).sum()) / size if size else 0.0
    margin, retained = measures["margin"].difference, measures["retained"]
    each = None
    if isinstance(margin, Interval) and isinstance(retained.difference, Interval) and retained.difference.low > 0:
        each = margin.estimate / retained.difference.estimate
    sizes = int(treated.n.sum()), int(control.n.sum())
    return Month(month, *sizes, measures, cost, round(redeemed), _anyway(measures["orders"], redeemed, size), each)


def _anyway(orders: Comparison, redeemed: float, treated: float) -> Interval | None:
    """Of the redeemed orders, all but those that the treated had more than the control."""
    found = orders.difference
    if not redeemed or not isinstance(found, Interval):
        return None
    low, middle, high = (float(np.clip(1 - more * treated / redeemed, 0, 1)) for more in (found.high, found.estimate, found.low))
    return Interval(low, middle, high)


def _alarms(months: tuple[Month, ...]) -> list[str]:
    known = [one for one in months if isinstance(one.measures["margin"].difference, Interval)]
    if not known:
        return []
    last, found = known[-1], []
    if last.anyway is not None and last.anyway.low > HALF:
        found.append(f"{last.month}: of {last.redeemed:,} redeemed orders at least {last.anyway.low:.0%} would have come anyway")
    before = known[:-1]
    if before and _fell(before, last):
        found.append(f"{last.month}: the margin fell below that of the months before")
    return found


def _fell(before: list[Month], last: Month) -> bool:
    """Whether the last month's margin is below the average of those before, each weighed by how well it is known."""
    known = [(one.measures["margin"].difference, one.measures["margin"].error) for one in (*before, last)]
    told = [(found.estimate, error) for found, error in known if isinstance(found, Interval) and error]
    if len(told) < len(known):
        return False
    weights = [1 / error**2 for _, error in told[:-1]]
    average = sum(weight * one for weight, (one, _) in zip(weights, told[:-1], strict=True)) / sum(weights)
    return float(ndtr((told[-1][0] - average) / sqrt(told[-1][1] ** 2 + 1 / sum(weights)))) < ALARM
