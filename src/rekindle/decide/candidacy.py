"""Who of a program's due customers may be drawn for now, and who is left alone, with the reason.

Knows nothing of variants.
"""

from dataclasses import dataclass
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.decide import arms, due, guardrails, openings
from rekindle.decide.inputs import Inputs
from rekindle.decide.policy import context
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
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


def sort_out(warehouse: Warehouse, inputs: Inputs, program: Program, seen: due.Past) -> Sorted | None:
    """Parts the due customers of a program; None where nobody is due.

    Args:
        warehouse: Keeps steps.
        inputs: Of the plan.
        program: The program.
        seen: What earlier plans decided.
    """
    opened = warehouse.keep(openings.find(warehouse, inputs.profile, program, inputs.as_of))
    rounds = due.rounds(warehouse, seen, program, opened, inputs.as_of)
    found = warehouse.keep(due.candidates(inputs.profile, program, rounds, inputs.as_of))
    if not warehouse.scalar(found.count()):
        return None
    found = due.with_counts(found, seen, program, inputs.documents, inputs.as_of)
    found = _with_reentry(found, seen, inputs.as_of, program)
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


def _with_reentry(found: ir.Table, seen: due.Past, as_of: AsOf, program: Program) -> ir.Table:
    """Adds whether enough time has passed since another round of the customer ended: by the order after it, or by its duration.

    Rounds that a lapse opens follow one another; others are opened by facts of their own, and may run side by side.
    """
    if program.trigger.on != "lapse":
        return found.mutate(reentry_open=True)
    long_ago = as_of.naive - timedelta(days=program.caps.duration_days + program.audience.reenter.not_before_days)
    others = due.other_rounds(seen, program, long_ago).rename(other="episode")
    both = found.select("customer_id", "episode", "last_day").join(others, "customer_id").filter(lambda t: t.episode != t.other)
    ended = ibis.least(both.opened + ibis.interval(days=program.caps.duration_days), both.last_day.cast("timestamp"))
    recent = ended > ibis.literal(as_of.naive) - ibis.interval(days=program.audience.reenter.not_before_days)
    clash = both.filter(recent).select("customer_id").distinct().mutate(clash=True)
    joined = found.left_join(clash, "customer_id").drop("customer_id_right")
    return joined.mutate(reentry_open=joined.clash.isnull() | joined.entered_at.notnull()).drop("clash")
