"""What a table of chances is expected to spend and to bring in a period, beside the table in force.

Knows nothing of how either was chosen. The interval holds what is not known of the effects; not what chance does to single customers.
"""

from collections.abc import Sequence

import numpy as np

from rekindle.decide.policy import Policy
from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.board import Board, board
from rekindle.learn.evidence import Evidence, Floats
from rekindle.learn.policy_update import Belief, Terms
from rekindle.learn.versions.facts import Outlook
from rekindle.program.documents import Program

DRAWS, SEED = 400, 1  # of another seed than the draws that a table was chosen by
_ENDS = (2.5, 97.5)


def outlook(
    tables: tuple[Policy, Policy], programs: Sequence[Program], evidence: Sequence[Evidence], terms: Terms, days: int
) -> Outlook | CannotTell:
    """What two tables are expected to do with the customers who came due in the last period.

    Args:
        tables: The one in force, and the version.
        programs: As they are now.
        evidence: One of each stage; variants that its program no longer has are left out by the tables.
        terms: Budgets.
        days: The period.
    """
    if not evidence:
        return CannotTell("no decision has been drawn yet")
    rows = board(evidence, terms)
    if rows.size.sum() <= 0:
        return CannotTell(f"nobody came due in the last {days} days")
    before, after = (_chances(table, programs, rows) for table in tables)
    worth = _draws(rows)
    gains = [np.einsum("kra,ra->k", worth, rows.chances(one) * rows.size[:, None]) for one in (before, after)]
    gain_before, gain, more = (_interval(values) for values in (*gains, gains[1] - gains[0]))
    return Outlook(days, terms.spendable, rows.spend(after), rows.spend(before), gain, gain_before, more)


def _chances(table: Policy, programs: Sequence[Program], rows: Board) -> Floats:
    """(R, A); a table's chances over the rows of a board."""
    stages = {(program.name, stage.name): stage for program in programs for stage in program.stages}
    parts = []
    for one in rows.evidence:
        chances = [table.chances(one.program, stages[one.program, one.stage], where) for where in one.contexts]
        parts.append(np.array([[line.get(arm, 0.0) for arm in one.arms] for line in chances]))
    return rows.wide(parts)


def _draws(rows: Board) -> Floats:
    """(K, R, A); joint draws of what a decision brings more than `nothing`, the same for the same evidence."""
    return rows.wide([Belief.of(one, DRAWS, SEED).draws for one in rows.evidence])


def _interval(values: Floats) -> Interval:
    low, high = np.percentile(values, _ENDS)
    return Interval(float(low), float(values.mean()), float(high))
