"""What would be decided about one customer now, taken apart: every program's verdict, every variant's chance, every check's numbers.

Knows nothing of files and of other customers. It runs the planner's own steps over a profile of one row, and reads off what they found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.decide import candidacy, due, earlier, openings, rule_parts, variants, whereabouts, wishes
from rekindle.decide.budget import Part
from rekindle.decide.checks import Check, before_draw
from rekindle.decide.inputs import Inputs
from rekindle.decide.variants import Draw
from rekindle.decide.whereabouts import Round
from rekindle.history.warehouse import Warehouse
from rekindle.insight.segments import with_calls
from rekindle.moment import AsOf
from rekindle.program.documents import Program
from rekindle.program.segments import definitions


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a program means for the customer.

    Args:
        program: Its name.
        service: Whether its messages are about the customer's own order.
        trigger: What opens a round.
        state: A key of `whereabouts.STATES`.
        round: The round that is spoken of; None where there is none.
        more: Other rounds of the program that are open and not due.
        checks: Guardrails of a round that is due, passed or not.
        draw: The chances and the draw; None where it did not come to one.
        reason: Why there is no message though a round is due: a key of `guardrails.REASONS`; None where there is one, or nothing is due.
        send_at: When the message leaves, naive UTC; of one that was put off, the instant from which it may come again.
        zone: The time zone that its hour goes by.
        hour: The hour that the customer asked for.
        valid_until: The last day of its offer.
        why: Of what cannot be told, the reason.
    """

    program: str
    service: bool
    trigger: str
    state: str
    round: Round | None = None
    more: int = 0
    checks: tuple[Check, ...] = ()
    draw: Draw | None = None
    reason: str | None = None
    send_at: datetime | None = None
    zone: str = ""
    hour: int | None = None
    valid_until: date | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        inputs: Of a plan, the profile one row.
        show: Minor units as an amount that people read.
        opened: Rounds, by program, that are known already because finding them takes everyone's facts; None: not known.
        scales: What budgets left of the chances, by program and payer; None where no plan of this instant says so.
    """

    inputs: Inputs
    show: Callable[[float], str]
    opened: Mapping[str, ir.Table | None] = field(default_factory=dict)
    scales: Mapping[Part, float] | None = None


NOT_KNOWN = "what runs out is worked out for everyone at once: make a plan of this day"


def explain(warehouse: Warehouse, question: Question) -> tuple[Verdict, ...]:
    """Every program's verdict over one customer, in the order of the documents.

    Args:
        warehouse: The customer's history; nothing is written.
        question: What is asked.
    """
    question = replace(question, inputs=_with_calls(warehouse, question.inputs))
    inputs, programs = question.inputs, question.inputs.documents.programs
    customer = _customer(warehouse, inputs)
    seen = _past(warehouse, inputs)
    opened = _opened(warehouse, question, customer)
    rounds = due.rounds(warehouse, seen, [one for one in programs if one.name in opened], opened, inputs.as_of)
    stood = {name: warehouse.keep(_stood(inputs, name, found)) for name, found in rounds.items()}
    placed = {name: _placed(warehouse, customer, question, name, table) for name, table in stood.items()}
    waiting = {name: found for name, found in placed.items() if any(one.state == "due" for one in found)}
    told: list[Verdict] = []
    due_programs = [program for program in programs if program.name in waiting]
    found = None
    if due_programs:
        found = candidacy.sort_out(warehouse, inputs, due_programs, rounds, stood, earlier.find(warehouse, seen, inputs))
    for program in programs:
        if found is not None and program.name in waiting:
            told += _due(warehouse, question, customer, program, found, waiting[program.name])
        else:
            told.append(_idle(question, program, placed.get(program.name, [])))
    return variants.settled(warehouse, question.inputs, seen, told)


def _past(warehouse: Warehouse, inputs: Inputs) -> due.Past:
    """What earlier plans decided about the customer, kept: many steps read it."""
    tables = (warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"))
    seen = (inputs.past or due.past(*tables, inputs.as_of, inputs.inclusive)).without(inputs.service)
    return due.Past(warehouse.keep(seen.journal), warehouse.keep(seen.contacts))


def _with_calls(warehouse: Warehouse, inputs: Inputs) -> Inputs:
    rules = [rule for program in inputs.documents.programs for rule in program.rules]
    wished = wishes.with_wishes(warehouse, inputs.profile, inputs.as_of)
    told = with_calls(warehouse, wished, rules, inputs.as_of, definitions(inputs.documents.segments))
    return inputs if told is inputs.profile else replace(inputs, profile=warehouse.keep(told))


def _customer(warehouse: Warehouse, inputs: Inputs) -> dict[str, Any]:
    """The profile's row, with the answer of every part of every rule."""
    rules = [rule for program in inputs.documents.programs for rule in program.rules]
    return warehouse.row(inputs.profile.mutate(**rule_parts.columns(inputs.profile, rules)))


def _opened(warehouse: Warehouse, question: Question, customer: Mapping[str, Any]) -> dict[str, ir.Table]:
    """The open rounds of every program that has one; nothing is looked for that the customer's facts rule out."""
    inputs, found = question.inputs, {}
    facts = _Facts(warehouse, customer)
    seen: dict[tuple[str, int], ir.Table] = {}
    for program in sorted(inputs.documents.programs, key=openings.longest, reverse=True):
        table, asked = question.opened.get(program.name), (program.trigger.on, program.trigger.ahead)
        if program.name not in question.opened and asked in seen:
            table = _since(warehouse, seen[asked], program, inputs.as_of)
        elif program.name not in question.opened and facts.may_open(program, inputs.as_of):
            table = warehouse.keep(openings.find(warehouse, inputs.profile, program, inputs.as_of))
        if table is None:
            continue
        if not warehouse.scalar(table.count()):
            seen[asked] = table  # programs that look back less far find no more
            continue
        found[program.name] = table
        if program.trigger.on in OF_ONE_FACT:
            seen[asked] = table
    return found


OF_ONE_FACT = ("order", "comeback", "delivery")
"""Triggers whose rounds are opened by one fact each, whatever went before: a program that looks back less far finds the later of them."""


def _since(warehouse: Warehouse, wider: ir.Table, program: Program, as_of: AsOf) -> ir.Table:
    """Of the rounds that a program of the same trigger found which looks back further: those that this one finds."""
    since, opened = as_of.naive - timedelta(days=openings.longest(program)), warehouse.arrow(wider)["opened_at"].to_pylist()
    return wider if all(at >= since for at in opened) else warehouse.keep(wider.filter(wider.opened_at >= ibis.literal(since)))


def _stood(inputs: Inputs, name: str, found: due.Rounds) -> ir.Table:
    """Where the rounds of a program stand; one customer's are few, whether or not they may have them."""
    columns = due.needed(inputs.profile, inputs.documents.programs)
    return due.stands(inputs.profile.select(*columns), inputs.documents.program(name), found, inputs.as_of)


def _placed(warehouse: Warehouse, customer: dict[str, Any], question: Question, name: str, stood: ir.Table) -> list[Round]:
    """The rounds of a program, the latest opened first."""
    program = question.inputs.documents.program(name)
    rows = warehouse.arrow(stood).to_pylist()
    rows.sort(key=lambda row: row["episode"])
    rows.sort(key=lambda row: row["opened_at"], reverse=True)
    return [whereabouts.stand(row, customer, program, question.show) for row in rows]


@dataclass(slots=True)
class _Facts:
    """What rules a round of a trigger out without looking for it.

    Args:
        warehouse: The customer's history.
        customer: The profile's row.
    """

    warehouse: Warehouse
    customer: Mapping[str, Any]
    _seen: dict[str, date | None] = field(default_factory=dict)

    def may_open(self, program: Program, as_of: AsOf) -> bool:
        """Whether a round may be open: what its trigger is about is there, and late enough to still have something due."""
        since = as_of.day - timedelta(days=openings.longest(program) + 1)
        match program.trigger.on:
            case "order" | "comeback":
                return self._after(self.customer["last_day"], since)
            case "first_order":
                return self._after(self.customer["first_day"], since)
            case "delivery":
                return self._after(self._latest("shipments", "delivered_at"), since)
            case "late_delivery":
                return self._after(self._latest("shipments", "promised_at"), since)
            case "credit":
                return self._latest("credits", "issued_at") is not None
            case "birthday":
                return self._latest("people", "birthday") is not None
        return True

    @staticmethod
    def _after(day: date | None, since: date) -> bool:
        return day is not None and day >= since

    def _latest(self, name: str, column: str) -> Any:  # noqa: ANN401  a day, or what a column of text holds
        key = f"{name}.{column}"
        if key not in self._seen:
            known = [one for one in self.warehouse.arrow(self.warehouse.current(name))[column].to_pylist() if one is not None]
            latest = max(known, default=None)
            self._seen[key] = latest.date() if isinstance(latest, datetime) else latest
        return self._seen[key]


def _idle(question: Question, program: Program, placed: list[Round]) -> Verdict:
    """The verdict where nothing is due: the round that goes on, else the latest."""
    known = (program.name, program.service, program.trigger.on)
    if not placed:
        told = program.name not in question.opened or question.opened[program.name] is not None
        return Verdict(*known, "no_round") if told else Verdict(*known, "cannot_tell", why=NOT_KNOWN)
    latest = next((one for one in placed if one.state == "not_due"), placed[0])
    return Verdict(*known, latest.state, latest, more=len(placed) - 1)


def _due(
    warehouse: Warehouse, question: Question, customer: dict[str, Any], program: Program, found: candidacy.Sorted, placed: list[Round]
) -> list[Verdict]:
    """A verdict for each round that is due."""
    inputs, verdicts = question.inputs, []
    rounds = {one.episode: one for one in placed}
    more = sum(one.state != "due" for one in placed)
    alone, open_rows = (table.filter(table.program == program.name) for table in (found.alone, found.open))
    draws = variants.drawn(warehouse, question, customer, program, open_rows)
    rows = [*warehouse.arrow(alone).to_pylist(), *warehouse.arrow(open_rows).to_pylist()]
    if not rows:
        return [_idle(question, program, placed)]
    for row in sorted(rows, key=lambda one: (one["opened_at"], one["episode"])):
        stage = program.stages[row["stage_no"]]
        checks = before_draw({**customer, **row}, program, stage, inputs, question.show)
        draw = draws.get(row["episode"])
        reason = row["reason"] or (draw.reason if draw else None)
        verdicts.append(
            Verdict(
                program.name, program.service, program.trigger.on, "due", rounds[row["episode"]], more, checks, draw, reason,
                zone=row["timezone"] or "", hour=customer.get("stated_hour"),
            )
        )
    return verdicts
