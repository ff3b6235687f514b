"""What earlier decisions say that a version of the table is worth beside the one in force, stage by stage.

Knows nothing of how either was chosen. Every decision was drawn by a known chance, so it can be weighed as if another table had drawn it.
"""

from collections.abc import Sequence

from rekindle.decide.due import Past
from rekindle.decide.policy import Policy
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.learn import off_policy
from rekindle.learn.evidence import Evidence
from rekindle.learn.logged_draws import Draws, as_table, draws
from rekindle.learn.off_policy import LEAST_EFFECTIVE
from rekindle.learn.outcomes import Window
from rekindle.learn.versions.facts import Judged
from rekindle.program.documents import Program


def judged(
    warehouse: Warehouse, past: Past, programs: Sequence[Program], evidence: Sequence[Evidence], window: Window,
    tables: tuple[Policy, Policy],
) -> tuple[Judged, ...]:
    """One for each stage with decisions enough to ask them.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Those that are learned of.
        evidence: Of their stages: those of few decisions are not looked at.
        window: What is counted.
        tables: The one in force, and the version.
    """
    many = {(one.program, one.stage) for one in evidence if one.decisions.sum() >= LEAST_EFFECTIVE}
    found = []
    for program in programs:
        if any(name == program.name for name, _ in many):
            stages = draws(warehouse, past, program, window)
            found += [_judged(program, one, tables) for one in stages if (one.program, one.stage) in many]
    return tuple(found)


def _judged(program: Program, found: Draws, tables: tuple[Policy, Policy]) -> Judged:
    stage = program.stage(found.stage)
    arrays = [
        as_table(found, {where: table.chances(program.name, stage, where) for where in found.contexts}) for table in tables
    ]
    before, after = (_told(off_policy.value(found.logged, one)) for one in arrays)
    wanted, other = (off_policy.spread(found.logged, one) for one in (arrays[1], arrays[0]))
    return Judged(found.program, found.stage, before, after, _told(off_policy.difference(found.logged, wanted, other)))


def _told(found: off_policy.Estimate | CannotTell) -> Interval | CannotTell:
    return found if isinstance(found, CannotTell) else found.interval
