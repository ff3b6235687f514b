"""Who of a program's due customers may be drawn for now, and who is left alone, with the reason.

Knows nothing of variants.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.decide import arms, due, earlier, guardrails
from rekindle.decide.inputs import Inputs
from rekindle.decide.policy import context
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import Program


@dataclass(frozen=True, slots=True)
class Sorted:
    """The due customers of one program.

    Args:
        open: Those to draw for, kept: the candidates with `context` and their standing.
        alone: Those left alone, with `reason`, kept.
    """

    open: ir.Table
    alone: ir.Table


def sort_out(warehouse: Warehouse, inputs: Inputs, program: Program, rounds: due.Rounds, before: earlier.Earlier) -> Sorted | None:
    """Parts the due customers of a program; None where nobody is due.

    Args:
        warehouse: Keeps steps.
        inputs: Of the plan.
        program: The program.
        rounds: Its open rounds.
        before: What went before.
    """
    found = warehouse.keep(due.candidates(inputs.profile, program, rounds, inputs.as_of))
    if not warehouse.scalar(found.count()):
        return None
    found = earlier.beside(found, before, program, inputs)
    rules, instant = inputs.documents.rules, ibis.literal(inputs.as_of.naive)
    reachable = arms.channel(found, inputs.shop_of(program), "preferred").notnull()
    drawn = guardrails.standing(found, program.name, rules.holdout, program.control, ibis.literal(str(inputs.as_of.day.year)))
    found = found.mutate(
        context=context(found),
        standing_now=ibis.literal("treated") if program.service else reachable.ifelse(drawn, found.standing),
        reachable=reachable,
        contacts_left=found.contacts < program.caps.touches,
        gap_over=(instant >= found.last_contact_at + ibis.interval(days=program.caps.gap_days)).fill_null(True),
    )
    found = warehouse.keep(found.mutate(reason=guardrails.before_draw(found, program)))
    alone = found.filter(found.reason.notnull())
    unmet = alone.reason.isin(guardrails.BEFORE_ENTRY) & alone.entered_at.isnull()
    alone = alone.mutate(standing_now=unmet.ifelse(ibis.null("string"), alone.standing_now))
    return Sorted(found.filter(found.reason.isnull()), alone)
