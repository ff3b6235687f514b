"""Who of programs' due customers may be drawn for now, and who is left alone, with the reason.

Knows nothing of variants. All programs are sorted out together: the same steps for all of them are compiled and run once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide import arms, due, earlier, guardrails, settling, wishes
from rekindle.decide.assignment import draw
from rekindle.decide.inputs import Inputs
from rekindle.decide.policy import context
from rekindle.history.warehouse import Warehouse
from rekindle.insight import persons
from rekindle.program.documents import Program


@dataclass(frozen=True, slots=True)
class Sorted:
    """The due customers of all programs.

    Args:
        open: Those to draw for, kept: the candidates with `context` and their standing.
        alone: Those left alone, with `reason`, kept.
        due: The stages that somebody is to be drawn for: program and number.
    """

    open: ir.Table
    alone: ir.Table
    due: frozenset[tuple[str, int]]


def sort_out(
    warehouse: Warehouse,
    inputs: Inputs,
    programs: Sequence[Program],
    rounds: Mapping[str, due.Rounds],
    stood: Mapping[str, ir.Table],
    before: earlier.Earlier,
) -> Sorted:
    """Parts the due customers of programs.

    Args:
        warehouse: Keeps steps.
        inputs: Of the plan.
        programs: At least one.
        rounds: Their open rounds, by name.
        stood: Where these stand, by name, from `due.stands`, with the profile's columns that `due.needed` names.
        before: What went before.
    """
    columns = due.needed(inputs.profile, programs)
    parts = [_reached(due.candidates(stood[one.name], one, columns), one, inputs) for one in programs]
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    every = warehouse.keep(every.join(ibis.memtable(_limits(programs)), "program"))
    every = every.left_join(due.paused(warehouse, inputs.as_of), "customer_id").drop("customer_id_right")
    every = every.mutate(paused=every.paused.fill_null(False))
    found = _overtaken(_leaving(warehouse, earlier.beside(every, before, inputs.as_of), inputs), inputs, rounds)
    found = _asked(_with_absorbed(warehouse, found, inputs), inputs)
    found = warehouse.keep(found.mutate(reason=guardrails.before_draw(found)))
    alone = found.filter(found.reason.notnull())
    unmet = alone.reason.isin(guardrails.BEFORE_ENTRY) & alone.entered_at.isnull()
    alone = alone.mutate(standing_now=unmet.ifelse(ibis.null("string"), alone.standing_now))
    open_rows = found.filter(found.reason.isnull())
    stages = warehouse.arrow(open_rows.select("program", "stage_no").distinct()).to_pylist()
    return Sorted(open_rows, alone, frozenset((one["program"], one["stage_no"]) for one in stages))


def _epoch(inputs: Inputs) -> str:
    return str(inputs.as_of.day.year)


def _with_absorbed(warehouse: Warehouse, found: ir.Table, inputs: Inputs) -> ir.Table:
    """With the standing of persons one of whose absorbed accounts is held out: the holdout keeps whom it had."""
    pairs = persons.absorbed(warehouse)
    if pairs is None:
        return found
    out = draw("holdout", _epoch(inputs), pairs.old) < float(inputs.documents.rules.holdout)
    held = pairs.filter(out).select(customer_id="new").distinct().mutate(kept_out=True)
    joined = found.left_join(held, "customer_id").drop("customer_id_right")
    kept = joined.kept_out.fill_null(False) & ~joined.service
    return joined.mutate(standing=joined.standing.fill_null(kept.ifelse("holdout", ibis.null("string")))).drop("kept_out")


def _asked(found: ir.Table, inputs: Inputs) -> ir.Table:
    """With what the guardrails ask."""
    instant = ibis.literal(inputs.as_of.naive)
    drawn = guardrails.standing(found, inputs.documents.rules.holdout, ibis.literal(_epoch(inputs)))
    return found.mutate(
        context=context(found),
        standing_now=found.reachable.ifelse(drawn, found.standing),
        contacts_left=found.contacts < found.touches,
        topic_refused=wishes.refuses(found, found.topic),
        wished_less=_wished_less(found, instant),
        gap_over=(instant >= found.last_contact_at + found.gap_days.as_interval("D")).fill_null(True),
    )


def _leaving(warehouse: Warehouse, found: ir.Table, inputs: Inputs) -> ir.Table:
    """With the day on which a message would leave, there, where some offer has dates of its own: `leaves_on`."""
    if not any(offer.dated for offer in inputs.documents.offers.values()):
        return found
    zones = settling.zones(warehouse, found, inputs).select(zone="timezone", leaves_on="local_day")
    zoned = found.mutate(zone=found.timezone.nullif("").fill_null(inputs.as_of.timezone))
    return zoned.left_join(zones, "zone").drop("zone", "zone_right")


def _overtaken(found: ir.Table, inputs: Inputs, rounds: Mapping[str, due.Rounds]) -> ir.Table:
    """With whether a later status of the same order is there, of which another service program tells: `overtaken`."""
    told = [rounds[one.name].openings for one in inputs.documents.programs if one.service and one.name in rounds]
    if len(told) <= 1:
        return found.mutate(overtaken=False)
    every = ibis.union(*(table.select("opening_order", "opened_at") for table in told))
    newest = every.filter(every.opening_order.notnull()).group_by("opening_order").aggregate(newest_at=every.opened_at.max())
    joined = found.left_join(newest, "opening_order").drop("opening_order_right")
    return joined.mutate(overtaken=joined.service & (joined.newest_at > joined.opened_at).fill_null(False)).drop("newest_at")


def _wished_less(found: ir.Table, instant: ir.TimestampScalar) -> ir.BooleanValue:
    """Whether customers asked to be written to more rarely than a message of now would be."""
    if "stated_gap_days" not in found.columns:
        return ibis.literal(False)
    return (instant < found.last_any_at + found.stated_gap_days.as_interval("D")).fill_null(False)


def _reached(candidates: ir.Table, program: Program, inputs: Inputs) -> ir.Table:
    """With whether the program's messages have a way to the customer."""
    return candidates.mutate(reachable=arms.channel(candidates, inputs.shop_of(program), "preferred").notnull())


def _limits(programs: Sequence[Program]) -> pa.Table:
    """What each program asks of its rounds; a service message waits for no other round."""
    return pa.table(
        {
            "program": [one.name for one in programs],
            "service": [one.service for one in programs],
            "lapse": [one.trigger.on == "lapse" for one in programs],
            "topic": [one.topic for one in programs],
            "control": [float(one.control) for one in programs],
            "touches": [one.caps.touches for one in programs],
            "gap_days": [one.caps.gap_days for one in programs],
            "duration_days": [one.caps.duration_days for one in programs],
            "wait_days": [0 if one.service else one.audience.reenter.not_before_days for one in programs],
        }
    )
