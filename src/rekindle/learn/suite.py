"""What all programs were worth together: everybody else against the holdout, year by year, for ever.

Knows nothing of single programs. A year's holdout is drawn anew, so that each year is an experiment of its own; its customers count from
their first round of any program on, and again over the longest horizon of them. Over the whole horizon the interval of a year's margin is a
confidence sequence: it may be read every day. An early reading may not, for its window grows as rounds grow older.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
from scipy.special import ndtri

from rekindle.decide.due import Past
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.learn import comparison, outcomes
from rekindle.learn.comparison import Comparison
from rekindle.learn.maturity import Maturity, maturity
from rekindle.learn.measures import FIRST
from rekindle.learn.mismatch import Check, of_holdout
from rekindle.learn.strata import aligned
from rekindle.learn.sums import Cells
from rekindle.program.documents import Program

DRAWN_BY = ("epoch", "holdout_share")
KEYS = ("standing", *DRAWN_BY)
SHOWN = ("margin", "spend", "reactivated", "orders", "retained", "repeated", "aov", "regularity", "opted_out")
TIGHTEST_AT = 10_000
"""Customers at which a year's interval is tightest; fixed, because it may not depend on what came."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One year's holdout.

    Args:
        year: The calendar year.
        others, holdout: Customers who are counted.
        measures: Measure to comparison, others less holdout; the interval of `margin` is a confidence sequence, the others are intervals of
            a size that is fixed beforehand, for one look.
        cost: What offers and messages to the others cost within the window, minor units; a lower price is in the margin alone.
    """

    year: int
    others: int
    holdout: int
    measures: dict[str, Comparison]
    cost: float


@dataclass(frozen=True, slots=True)
class Suite:
    """All programs together.

    Args:
        maturity: Of their customers.
        epochs: By year, the latest last.
        check: Whether the holdout is as large as it was drawn; None where nobody has entered.
    """

    maturity: Maturity
    epochs: tuple[Epoch, ...]
    check: Check | None

    @property
    def anytime(self) -> bool:
        """Whether the margin's intervals hold however often they are looked at: over the whole horizon, not in an early reading."""
        return not self.maturity.early

    @property
    def last(self) -> Epoch | None:
        """The latest year whose margin can be told: a year that has just begun does not take the place of the one before."""
        return next((one for one in reversed(self.epochs) if not isinstance(one.measures[FIRST].difference, CannotTell)), None)


def rounds(past: Past, programs: Sequence[Program], window: outcomes.Window) -> ir.Table:
    """Every customer's first round of a year, whichever program's: as `outcomes.rounds`, `standing` holdout or treated."""
    rows = past.journal.filter(past.journal.program.isin([one.name for one in programs]), past.journal.standing.notnull())
    rows = rows.filter(rows.as_of == rows.entered_at)
    rows = rows.mutate(standing=(rows.standing == "holdout").ifelse("holdout", "treated"))
    return outcomes.first_of_epoch(rows, window.as_of).select(*KEYS, "customer_id", "entered_at", "age_days", "cohort", "baseline")


def suite(warehouse: Warehouse, past: Past, programs: Sequence[Program], window: outcomes.Window) -> Suite:
    """What all programs of marketing were worth together.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Of marketing, at least one.
        window: What is counted.
    """
    horizon = max(program.goal.horizon_days for program in programs)
    with warehouse.forgetting():
        entered = warehouse.keep(rounds(past, programs, window))
        check = of_holdout(warehouse, entered)
        ages = {standing: one for (standing,), one in outcomes.ages(warehouse, entered, "standing").items()}
        found = maturity(ages, horizon, window.as_of.day, never=len(ages) < len(("holdout", "others")))
        if not found.window_days:
            return Suite(found, (), check)
        old = entered.filter(entered.age_days >= found.window_days).mutate(days=found.window_days)
        old = old.mutate(since=old.entered_at, until=old.entered_at + ibis.interval(days=found.window_days))
        cells = outcomes.summed_up(warehouse, past, programs, window, old, KEYS)
    return Suite(found, tuple(_epoch(int(year), cells) for year in np.unique(cells.keys["epoch"])), check)


def _epoch(year: int, cells: Cells) -> Epoch:
    mine = cells.only(cells.keys["epoch"] == str(year))
    others, holdout = aligned(mine, drawn_by=DRAWN_BY)
    measures = comparison.compare(others, holdout, SHOWN)
    sizes = int(others.n.sum()), int(holdout.n.sum())
    cost = float((others["y:incentives"] + others["y:messages"]).sum())
    return Epoch(year, *sizes, {**measures, FIRST: _for_ever(measures[FIRST], sum(sizes))}, cost)


def _for_ever(told: Comparison, rows: int) -> Comparison:
    """With an interval that may be read at any time."""
    found = comparison.for_ever(told, rows, TIGHTEST_AT)
    if found is None or told.error is None:
        return told
    shows = (found.high - found.low) / 2 + float(ndtri(comparison.POWER)) * told.error
    return Comparison(found, told.control_mean, None, told.error, shows, told.narrower)
