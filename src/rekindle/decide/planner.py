"""The decisions and refusals of one instant: a pure function of profile, journal, documents and policy.

Knows nothing of the ledger and of messages; it reads history and writes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import ibis
import ibis.expr.types as ir

from rekindle.decide import arbitration, arms, budget, candidacy, chances, due, earlier, fatigue, openings, settling, wishes
from rekindle.decide.inputs import Inputs as Inputs
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse, unmerged
from rekindle.insight.segments import with_calls
from rekindle.program.documents import Program
from rekindle.program.segments import definitions


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, not yet committed.

    Args:
        digest: Content hash: the same inputs give the same one.
        rows: `JOURNAL`, and `fresh` (a decision, or a refusal whose reason changed), `arm_spread` (thousandths of a minor unit),
            `subsidised` (thousandths of an order), `service` and what `settling.OPENING` names; every due customer, kept.
        rehearsal: Decided as if everyone had consented; never committed.
        scale: The least that budgets left of any chance of a message; 1 where none bound.
        scales: What they left by program and payer.
    """

    digest: str
    rows: ir.Table
    rehearsal: bool
    scale: float
    scales: Mapping[budget.Part, float] = field(default_factory=dict)


def plan(warehouse: Warehouse, inputs: Inputs) -> Plan:
    """Decides for every customer who is due.

    Args:
        warehouse: Runs the expressions; nothing is written.
        inputs: Everything that the plan depends on.
    """
    inputs = replace(inputs, profile=_with_calls(warehouse, inputs))
    seen, opened = _past(warehouse, inputs), _opened(warehouse, inputs)
    programs = [program for program in inputs.documents.programs if program.name in opened]
    rounds = due.rounds(warehouse, seen, programs, opened, inputs.as_of)
    parts, left = [settling.nobody(_COLUMNS)], dict[budget.Part, float]()
    if programs:
        before = earlier.find(warehouse, seen, inputs)
        found = candidacy.sort_out(warehouse, inputs, programs, rounds, _stood(inputs, programs, rounds), before)
        stages = _stages(warehouse, inputs, found)
        left = _left(warehouse, inputs, seen, stages)
        parts = [_left_alone(found.alone, inputs), *(_decided(one, inputs, left) for one in stages)]
    with unmerged():  # which variant was drawn is then asked once of a row, not once for each of its columns
        rows = warehouse.keep(_together(_typed(part) for part in parts))
    zones = settling.zones(warehouse, rows, inputs)
    rules = inputs.documents.rules
    tired = fatigue.own_caps(warehouse, seen, rows, inputs.as_of, rules)
    question = arbitration.Question(rules, inputs.as_of, inputs.documents.offers, tired)
    rows = arbitration.settled(warehouse, rows, settling.seen_from(rows, zones, seen.contacts, inputs), question)
    rows = arbitration.once_a_plan(warehouse, rows, inputs.documents.offers)
    rows = warehouse.keep(settling.finished(rows, inputs, zones))
    return Plan(settling.digest(warehouse, rows, inputs), rows, inputs.shop.rehearsal, min(left.values(), default=1.0), left)


def _together(parts: Iterable[ir.Table]) -> ir.Table:
    every = tuple(parts)
    return ibis.union(*every) if len(every) > 1 else every[0]


def _opened(warehouse: Warehouse, inputs: Inputs) -> dict[str, ir.Table]:
    """The open rounds of every program that has one, by its name."""
    found = {}
    for program in inputs.documents.programs:
        table = warehouse.keep(openings.find(warehouse, inputs.profile, program, inputs.as_of))
        if warehouse.scalar(table.count()):
            found[program.name] = table
    return found


def _stood(inputs: Inputs, programs: list[Program], rounds: Mapping[str, due.Rounds]) -> dict[str, ir.Table]:
    """Where the rounds of those stand who may have one, by the program's name."""
    columns = due.needed(inputs.profile, programs)
    found = {}
    for program in programs:
        mine = rounds[program.name]
        found[program.name] = due.stands(due.those_who_may(inputs.profile, program, mine, columns), program, mine, inputs.as_of)
    return found


def _past(warehouse: Warehouse, inputs: Inputs) -> due.Past:
    stored = inputs.past or due.past(
        warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), inputs.as_of, inputs.inclusive
    )
    return stored.without(inputs.service)


def _with_calls(warehouse: Warehouse, inputs: Inputs) -> ir.Table:
    """The profile with customers' wishes and the answers of what rules ask of events and segments, kept; as it is where there are none."""
    rules = [rule for program in inputs.documents.programs for rule in program.rules]
    wished = wishes.with_wishes(warehouse, inputs.profile, inputs.as_of)
    told = with_calls(warehouse, wished, rules, inputs.as_of, definitions(inputs.documents.segments))
    return inputs.profile if told is inputs.profile else warehouse.keep(told)


_CARRIED = {
    "valid_days": "int64", "arm_margin": "int64", "arm_spread": "int64", "subsidised": "int64", "timezone": "string",
    "last_reason": "string", "service": "boolean", "stated_hour": "int64",
    **{name: openings.COLUMNS[name] for name in settling.OPENING if name in openings.COLUMNS},
}
_LATER = ("plan", "as_of", "send_at", "valid_until", "expected_margin", "kind", "price", "once_key", "segments")
_COLUMNS = {**{name: kind for name, kind in JOURNAL.items() if name not in _LATER}, **_CARRIED}


def _typed(rows: ir.Table) -> ir.Table:
    return rows.select(**{name: rows[name].cast(kind) for name, kind in _COLUMNS.items()})


def _stages(warehouse: Warehouse, inputs: Inputs, found: candidacy.Sorted) -> list[chances.Chances]:
    """The chances of every stage that somebody is to be drawn for; each step is kept, so that expressions stay small."""
    drawn = []
    for program in inputs.documents.programs:
        shop = inputs.shop_of(program)
        for number, stage in enumerate(program.stages):
            if (program.name, number) not in found.due:
                continue
            mine = found.open.filter(found.open.program == program.name, found.open.stage_no == number)
            options = tuple(
                arms.option(mine, program, stage, arm, inputs.documents.offers[arm.offer], shop) for arm in stage.arms
            )
            table = warehouse.keep(chances.side_by_side(mine, options))
            table = warehouse.keep(chances.spread_chances(table, program, stage, inputs.policy))
            drawn.append(chances.Chances(program, stage, table))
    return drawn


def _left(warehouse: Warehouse, inputs: Inputs, seen: due.Past, stages: list[chances.Chances]) -> dict[budget.Part, float]:
    """What the budgets leave of every chance of a message, by program and payer; a service message costs what it costs."""
    wanted, held = dict[budget.Part, int](), dict[budget.Part, int]()
    for one in stages:
        if not one.program.service:
            costs = warehouse.row(chances.expected_costs(one))
            for payer in ("shop", "seller"):
                part = (one.program.name, payer)
                wanted[part] = wanted.get(part, 0) + (costs[payer] or 0)
                held[part] = held.get(part, 0) + (costs[f"held_{payer}"] or 0)
    budgets = inputs.documents.rules.every_budget
    gone = budget.spent(warehouse, seen.contacts, budgets, inputs.as_of, inputs.documents.offers)
    taken = () if inputs.past else budget.redeemed(warehouse, budgets, inputs.as_of)
    return budget.scaled(budgets, budget.limits(budgets, inputs.shop), wanted, (*gone, *taken), held)


def _decided(one: chances.Chances, inputs: Inputs, left: Mapping[budget.Part, float]) -> ir.Table:
    offers = {arm.name: inputs.documents.offers[arm.offer] for arm in one.stage.arms}
    scales = {name: budget.scale_of(left, one.program.name, offer, inputs.documents.rules) for name, offer in offers.items()}
    table = chances.drawn(one, scales)
    days = {name: arms.valid_days(one.stage, offer, inputs.as_of.day) for name, offer in offers.items()}
    table = _described(table, inputs, ibis.literal(one.stage.name))
    if hours := {arm.name: arm.hour for arm in one.stage.arms if arm.hour is not None}:
        table = table.mutate(stated_hour=table.stated_hour.fill_null(table.arm.cases(*hours.items(), else_=ibis.null("int64"))))
    none = ~table.can_any
    return table.mutate(
        reason=ibis.cases((none, "no_variant"), (table.short, "budget_reached"), else_=ibis.null("string")),
        arm=none.ifelse(ibis.null("string"), table.arm),
        propensity=none.ifelse(ibis.null("float64"), table.propensity),
        valid_days=table.arm.cases(*days.items(), else_=ibis.null("int64")),
    )


def _left_alone(alone: ir.Table, inputs: Inputs) -> ir.Table:
    names = [
        ((alone.program == program.name) & (alone.stage_no == number), stage.name)
        for program in inputs.documents.programs for number, stage in enumerate(program.stages)
    ]
    null, zero = ibis.null("string"), ibis.literal(0)
    return _described(alone, inputs, ibis.cases(*names, else_="")).mutate(
        eligible=null, closed=null, scales=null, arm=null, propensity=ibis.null("float64"), draw=ibis.null("float64"), channel=null,
        offer=null,
        valid_days=ibis.null("int64"), cost_ceiling=zero, expected_cost=zero, arm_margin=zero, arm_spread=zero, subsidised=zero,
        scope=null, seller_id=null, seller_cost=zero, offer_value=zero,
    )


def _described(rows: ir.Table, inputs: Inputs, stage: ir.StringValue) -> ir.Table:
    entered = rows.entered_at.fill_null(rows.standing_now.notnull().ifelse(ibis.literal(inputs.as_of.naive), ibis.null("timestamp")))
    versions = {program.name: program.digest for program in inputs.documents.programs}
    return rows.mutate(
        version=rows.program.cases(*versions.items()), stage=stage, entered_at=entered, standing=rows.standing_now,
        policy=ibis.literal(inputs.policy.version), baseline=rows.expected_margin, cohort=rows.lapsed_cohort,
        holdout_share=rows.service.ifelse(0.0, float(inputs.documents.rules.holdout)), control_share=rows.service.ifelse(0.0, rows.control),
        stated_hour=rows.stated_hour if "stated_hour" in rows.columns else ibis.null("int64"),
    )
