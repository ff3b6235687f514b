"""The decisions and refusals of one instant: a pure function of profile, journal, documents and policy.

Knows nothing of the ledger and of messages; it reads history and writes nothing.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import time, timedelta
from decimal import Decimal

import ibis
import ibis.expr.types as ir
import numpy as np

from rekindle.decide import arms, chances, due, guardrails, timing
from rekindle.decide.policy import Policy, context
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse
from rekindle.insight.segments import with_calls
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Documents, Program
from rekindle.program.segments import definitions, segments_digest

BUDGET_RESERVE = 0.05
DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a plan depends on.

    Args:
        profile: From `insight.profile.build`, kept.
        documents: Approved programs, offers and rules.
        policy: The table of chances.
        shop: The store's costs and channels.
        as_of: The instant.
        inclusive: Whether plans already made for this instant are seen, so that only what is new is decided.
    """

    profile: ir.Table
    documents: Documents
    policy: Policy
    shop: arms.Shop
    as_of: AsOf
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, not yet committed.

    Args:
        digest: Content hash: the same inputs give the same one.
        rows: `JOURNAL`, and `fresh` (a decision, or a refusal whose reason changed), `arm_spread` (thousandths of a minor unit) and
            `subsidised`
            (thousandths of an order); every due customer, kept.
        rehearsal: Decided as if everyone had consented; never committed.
        scale: What the budget left of every chance of a message; 1 where it did not bind.
    """

    digest: str
    rows: ir.Table
    rehearsal: bool
    scale: float


def plan(warehouse: Warehouse, inputs: Inputs) -> Plan:
    """Decides for every customer who is due.

    Args:
        warehouse: Runs the expressions; nothing is written.
        inputs: Everything that the plan depends on.
    """
    inputs = replace(inputs, profile=_with_calls(warehouse, inputs))
    seen = due.past(
        warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), inputs.as_of, inputs.inclusive
    )
    stages, refused = [], []
    for program in inputs.documents.programs:
        open_rows, left_alone = _sorted_out(warehouse, inputs, program, seen)
        refused.append(left_alone)
        stages += _stages(warehouse, inputs, program, open_rows)
    scale = _scale(warehouse, inputs, seen, stages)
    decided = [_decided(one, inputs, scale) for one in stages]
    rows = warehouse.keep(ibis.union(*(_typed(part) for part in (*refused, *decided))))
    rows = guardrails.capped(rows, _used(seen, inputs), inputs.documents.rules.caps.touches)
    rows = warehouse.keep(_finished(rows, inputs, _zones(warehouse, rows, inputs)))
    return Plan(_digest(warehouse, rows, inputs), rows, inputs.shop.rehearsal, scale)


def _with_calls(warehouse: Warehouse, inputs: Inputs) -> ir.Table:
    """The profile with the answers of what programs' rules ask of events and segments, kept; as it is where they ask nothing."""
    rules = [rule for program in inputs.documents.programs for rule in program.rules]
    told = with_calls(warehouse, inputs.profile, rules, inputs.as_of, definitions(inputs.documents.segments))
    return inputs.profile if told is inputs.profile else warehouse.keep(told)


_CARRIED = {
    "valid_days": "int64", "arm_margin": "int64", "arm_spread": "int64", "subsidised": "int64", "timezone": "string",
    "last_reason": "string",
}
_LATER = ("plan", "as_of", "send_at", "valid_until", "expected_margin")
_COLUMNS = {**{name: kind for name, kind in JOURNAL.items() if name not in _LATER}, **_CARRIED}


def _typed(rows: ir.Table) -> ir.Table:
    return rows.select(**{name: rows[name].cast(kind) for name, kind in _COLUMNS.items()})


def _sorted_out(warehouse: Warehouse, inputs: Inputs, program: Program, seen: due.Past) -> tuple[ir.Table, ir.Table]:
    """The due customers of a program, parted into those to draw for and those left alone."""
    priced = frozenset(name for name, offer in inputs.documents.offers.items() if offer.price)
    place = warehouse.keep(due.places(seen, program, inputs.profile))
    count = due.counts(seen, program, inputs.documents.offers, place)
    found = warehouse.keep(due.candidates(inputs.profile, program, place, count, inputs.as_of))
    found = _with_year(found, seen, inputs, priced)
    found = _with_reentry(found, seen, inputs.as_of, program)
    rules, instant = inputs.documents.rules, ibis.literal(inputs.as_of.naive)
    reachable = arms.channel(found, inputs.shop.within(program.channels), "preferred").notnull()
    found = found.mutate(
        context=context(found),
        standing_now=reachable.ifelse(
            guardrails.standing(found, program.name, rules.holdout, program.control, ibis.literal(str(inputs.as_of.day.year))),
            found.standing,
        ),
        reachable=reachable,
        contacts_left=found.contacts < program.caps.touches,
        gap_over=(instant >= found.last_contact_at + ibis.interval(days=program.caps.gap_days)).fill_null(True),
    )
    found = warehouse.keep(found.mutate(reason=guardrails.before_draw(found)))
    alone = found.filter(found.reason.notnull())
    unmet = alone.reason.isin(guardrails.BEFORE_ENTRY) & alone.entered_at.isnull()
    alone = alone.mutate(standing_now=unmet.ifelse(ibis.null("string"), alone.standing_now))
    return found.filter(found.reason.isnull()), _left_alone(alone, program, inputs)


def _with_year(found: ir.Table, seen: due.Past, inputs: Inputs, priced: frozenset[str]) -> ir.Table:
    since = ibis.literal(inputs.as_of.naive) - ibis.interval(days=DAYS_A_YEAR)
    rows = seen.contacts.filter(seen.contacts.as_of > since, seen.contacts.offer.isin(sorted(priced) or [""]))
    year = rows.group_by("customer_id").aggregate(price_offers_year=rows.count())
    joined = found.left_join(year, "customer_id").drop("customer_id_right")
    return joined.mutate(price_offers_year=joined.price_offers_year.fill_null(0))


def _with_reentry(found: ir.Table, seen: due.Past, as_of: AsOf, program: Program) -> ir.Table:
    """Adds whether enough time has passed since another round of the customer ended: by the order after it, or by its duration."""
    long_ago = as_of.naive - timedelta(days=program.caps.duration_days + program.audience.reenter.not_before_days)
    others = due.other_rounds(seen, program, long_ago).rename(other="episode")
    both = found.select("customer_id", "episode", "last_day").join(others, "customer_id").filter(lambda t: t.episode != t.other)
    ended = ibis.least(both.opened + ibis.interval(days=program.caps.duration_days), both.last_day.cast("timestamp"))
    recent = ended > ibis.literal(as_of.naive) - ibis.interval(days=program.audience.reenter.not_before_days)
    clash = both.filter(recent).select("customer_id").distinct().mutate(clash=True)
    joined = found.left_join(clash, "customer_id").drop("customer_id_right")
    return joined.mutate(reentry_open=joined.clash.isnull() | joined.entered_at.notnull()).drop("clash")


def _left_alone(alone: ir.Table, program: Program, inputs: Inputs) -> ir.Table:
    names = {number: stage.name for number, stage in enumerate(program.stages)}
    stage = alone.stage_no.cases(*names.items(), else_="")
    return _described(alone, program, inputs, stage).mutate(
        eligible=ibis.null("string"), arm=ibis.null("string"), propensity=ibis.null("float64"), draw=ibis.null("float64"),
        channel=ibis.null("string"), offer=ibis.null("string"), valid_days=ibis.null("int64"),
        cost_ceiling=ibis.literal(0), expected_cost=ibis.literal(0), arm_margin=ibis.literal(0), arm_spread=ibis.literal(0),
        subsidised=ibis.literal(0),
    )


def _described(rows: ir.Table, program: Program, inputs: Inputs, stage: ir.StringValue | str) -> ir.Table:
    entered = rows.entered_at.fill_null(rows.standing_now.notnull().ifelse(ibis.literal(inputs.as_of.naive), ibis.null("timestamp")))
    return rows.mutate(
        program=ibis.literal(program.name), version=ibis.literal(program.digest), stage=stage, entered_at=entered,
        standing=rows.standing_now, policy=ibis.literal(inputs.policy.version), baseline=rows.expected_margin, cohort=rows.lapsed_cohort,
    )


def _stages(warehouse: Warehouse, inputs: Inputs, program: Program, open_rows: ir.Table) -> list[chances.Chances]:
    """The chances of every stage that somebody is due for; each step is kept, so that expressions stay small."""
    due_for = warehouse.arrow(open_rows.select("stage_no").distinct())["stage_no"].to_pylist()
    found, shop = [], inputs.shop.within(program.channels)
    for number, stage in enumerate(program.stages):
        if number not in due_for:
            continue
        mine = open_rows.filter(open_rows.stage_no == number)
        options = tuple(
            arms.option(mine, program, stage, arm, inputs.documents.offers[arm.offer], shop) for arm in stage.arms
        )
        table = warehouse.keep(chances.side_by_side(mine, options))
        table = warehouse.keep(chances.spread_chances(table, program, stage, inputs.policy))
        found.append(chances.Chances(program, stage, table))
    return found


def _scale(warehouse: Warehouse, inputs: Inputs, seen: due.Past, stages: list[chances.Chances]) -> float:
    """What the period's budget leaves of every chance of a message, with a reserve of 5 %."""
    budget = inputs.documents.rules.budget
    since = ibis.literal(inputs.as_of.naive) - ibis.interval(days=budget.per_days)
    contacts = seen.contacts
    spent = warehouse.scalar(contacts.filter(contacts.as_of > since).expected_cost.sum()) or 0
    wanted = sum(warehouse.scalar(chances.expected_cost(one)) or 0 for one in stages)
    limit = int(Decimal(inputs.shop.minor(budget.amount)) * arms.MILLI)
    left = max(0.0, limit * (1 - BUDGET_RESERVE) - spent)
    return 1.0 if wanted <= left else round(left / wanted, 6)


def _decided(one: chances.Chances, inputs: Inputs, scale: float) -> ir.Table:
    table = chances.drawn(one, scale, str(one.program.version))
    days = {arm.name: arms.valid_days(one.stage, inputs.documents.offers[arm.offer]) for arm in one.stage.arms}
    table = _described(table, one.program, inputs, ibis.literal(one.stage.name))
    none = ~table.can_any
    return table.mutate(
        reason=none.ifelse("no_variant", ibis.null("string")),
        arm=none.ifelse(ibis.null("string"), table.arm),
        propensity=none.ifelse(ibis.null("float64"), table.propensity),
        valid_days=table.arm.cases(*days.items(), else_=ibis.null("int64")),
    )


def _used(seen: due.Past, inputs: Inputs) -> ir.Table:
    since = ibis.literal(inputs.as_of.naive) - ibis.interval(days=inputs.documents.rules.caps.per_days)
    recent = seen.contacts.filter(seen.contacts.as_of > since)
    return recent.group_by("customer_id").aggregate(used=recent.count())


def _zones(warehouse: Warehouse, rows: ir.Table, inputs: Inputs) -> ir.Table:
    quiet = inputs.documents.rules.quiet_hours
    zones = warehouse.arrow(rows.select("timezone").distinct())["timezone"].to_pylist()
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    return ibis.memtable(timing.send_times([*zones, inputs.as_of.timezone], inputs.as_of, start, end))


def _finished(rows: ir.Table, inputs: Inputs, zones: ir.Table) -> ir.Table:
    home = inputs.as_of.timezone
    timed = rows.mutate(timezone=rows.timezone.nullif("").fill_null(home)).left_join(zones, "timezone").drop("timezone_right")
    goes = timed.reason.isnull() & (timed.arm != NOTHING)
    until = (timed.local_day + timed.valid_days.as_interval("D")).cast("timestamp").cast("date")
    columns = {
        **{name: timed[name] for name in JOURNAL.names if name in timed.columns},
        "plan": ibis.literal(""),
        "as_of": ibis.literal(inputs.as_of.naive),
        "send_at": goes.ifelse(timed.send_at, ibis.null("timestamp")),
        "valid_until": goes.ifelse(until, ibis.null("date")),
        "expected_margin": timed.arm_margin,
        **{name: goes.ifelse(timed[name], 0) for name in ("cost_ceiling", "expected_cost")},
        **{name: goes.ifelse(timed[name], ibis.null("string")) for name in ("channel", "offer")},
    }
    transient = {name: goes.ifelse(timed[name], 0) for name in ("arm_spread", "subsidised")}
    fresh = timed.reason.isnull() | (timed.reason != timed.last_reason.fill_null(""))
    return timed.select(**{name: columns[name].cast(kind) for name, kind in JOURNAL.items()}, fresh=fresh, **transient)


def _digest(warehouse: Warehouse, rows: ir.Table, inputs: Inputs) -> str:
    """Hash of the sorted keys, variant or reason, send time and propensity; never of estimates."""
    names = ("customer_id", "program", "stage", "episode", "arm", "reason", "send_at")
    parts = [rows[name].cast("string").fill_null("~") for name in names]
    parts.append(rows.propensity.fill_null(-1.0).round(6).cast("string"))
    lines = warehouse.arrow(rows.select(line=ibis.literal("|").join(parts).hexdigest("md5")))["line"].to_numpy(zero_copy_only=False)
    total = hashlib.sha256(f"{inputs.as_of.instant.isoformat()}|{inputs.policy.version}|{_documents_digest(inputs.documents)}".encode())
    total.update("".join(np.sort(lines.astype(str))).encode())
    return total.hexdigest()[:16]


def _documents_digest(documents: Documents) -> str:
    offers = "".join(repr(documents.offers[name]) for name in sorted(documents.offers))
    programs = "".join(sorted(program.digest for program in documents.programs))
    asks = any(rule.segments for program in documents.programs for rule in program.rules)
    segments = segments_digest(documents.segments) if asks else ""
    return hashlib.sha256(f"{programs}{documents.rules.digest}{offers}{segments}".encode()).hexdigest()
