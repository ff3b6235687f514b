"""The report's facts, gathered from one run: insight, plan and lift.

Knows nothing of how they are shown.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide.guardrails import REASONS
from rekindle.deliver.facts import with_frozen
from rekindle.deliver.templates import render
from rekindle.errors import CannotTell, Refused
from rekindle.history.warehouse import Warehouse
from rekindle.insight import lapse
from rekindle.insight.friction import CAUSES
from rekindle.insight.lifecycle import COHORTS, SLIPPING
from rekindle.insight.models import Interval
from rekindle.insight.profile import Profiles
from rekindle.learn.lift import Lift
from rekindle.learn.report import facts as report
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Documents, Program, Stage
from rekindle.program.triggers import MOMENTS
from rekindle.service.flow import message_facts, planning, worlds
from rekindle.service.flow.assumptions import assumptions
from rekindle.service.flow.before_launch import would_show
from rekindle.service.flow.codes import EXAMPLE
from rekindle.service.flow.composing import shop_facts
from rekindle.service.flow.content import load_content
from rekindle.service.flow.insights import Insight
from rekindle.service.flow.learning import Learned
from rekindle.settings import Settings

OFFER_WORDS = {
    "none": "messages without an offer", "reminder": "reminders", "education": "how-to guides", "early_access": "previews",
    "limited_edition": "limited editions", "bundle": "bundles", "shipping": "shipping offers", "returns": "free returns",
    "support": "priority support", "percent": "percent offers", "amount": "amounts off", "credit": "credits",
}
"""What the messages of an offer kind are called, in the plural."""

MEANINGS = {
    "one_bad_experience": "Something went wrong around their last order, with evidence.",
    "paused_high_potential": "Much to expect of them, and they stopped soon after a spike of orders, their own or the shop's.",
    "long_inactive": "Silent for over four times their own rhythm, or over a year.",
    "other": "At risk by their own rhythm, without any of these marks.",
}

Summed = Callable[[Warehouse, lapse.Scored, ir.Table, int], Interval]
"""A sum of the lapse model over some customers, such as `lapse.margin_at_risk`."""

EARLY = "This is a look before the planned day: who looks every week is fooled by chance more often than the interval says."
NOTABLE = 10
SAMPLE_NAME = "Alex"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the main job.

    Args:
        settings: The store's.
        built: Profiles.
        insight: Their summary.
        documents: Approved documents.
        planned: The plan.
        learned: Lifts.
        next_steps: Commands for the last line.
    """

    settings: Settings
    built: Profiles
    insight: Insight
    documents: Documents
    planned: planning.Planned
    learned: Learned
    next_steps: tuple[str, ...]


def gather(warehouse: Warehouse, run: Run) -> report.ReportFacts:
    """Everything that the report and the eight lines say."""
    settings, insight = run.settings, run.insight
    slipping = run.built.table.filter(run.built.table.lifecycle.isin(SLIPPING))
    months, shows = _months(insight), _before_launch(warehouse, run)
    return report.ReportFacts(
        shop=settings.name, currency=settings.currency, locale=settings.locale, as_of=insight.as_of, horizon_weeks=settings.horizon_weeks,
        simulated=worlds.is_simulated(settings), rehearsal=run.planned.summary.rehearsal, kept_here=True,
        customers=insight.customers, orders=insight.orders, months=months,
        slipping=report.Slipping(insight.slipping, insight.margin_at_risk, _unsure(insight)),
        lifecycle=tuple(report.LifecycleCount(name, count) for name, count in insight.lifecycle.items()),
        map=_map(warehouse, run.built.table),
        causes=_causes(warehouse, run, slipping), cohorts=_cohorts(warehouse, run, slipping),
        sequence=_sequence(warehouse, run), messages=_messages(warehouse, run), money=_money(run), left_alone=_left_alone(run),
        worth=_worth(warehouse, run, shows),
        notable=_notable(warehouse, slipping, f"rekindle --store {shown_path(settings.root)} explain"),
        assumptions=assumptions(settings, run.documents), next_steps=run.next_steps, others=_others(warehouse, run, shows),
    )


def shown_path(path: Path) -> str:
    """A path as a person would type it: relative to this folder where it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _unsure(insight: Insight) -> str:
    """Why the lapse model is not good, empty where it is."""
    lapse = insight.models[0] if insight.models else None
    return " ".join(insight.cannot_tell) if lapse is None else "" if lapse.quality == "good" else lapse.why


def _months(insight: Insight) -> int:
    return round((insight.as_of.day - insight.first_day).days / 30.4375) if insight.first_day else 0


def _map(warehouse: Warehouse, table: ir.Table) -> pa.Table:
    buyers = table.filter(table.overdue.notnull())
    share = min(1.0, report.MAP_ROWS / max(1, warehouse.scalar(buyers.count())))
    sample = buyers.filter(buyers.customer_id.hexdigest("md5")[:6] < f"{round(share * 0xFFFFFF):06x}")
    picked = sample.order_by("customer_id").limit(report.MAP_ROWS).select("overdue", "expected_margin", "lifecycle")
    return warehouse.arrow(picked).cast(report.MAP)


def _interval(warehouse: Warehouse, run: Run, customers: ir.Table, what: Summed) -> Interval | CannotTell:
    """A sum of the lapse model over some customers with its interval, or why there is none."""
    scored = run.built.scored
    return scored if isinstance(scored, CannotTell) else what(warehouse, scored, customers, run.settings.horizon_weeks)


def _causes(warehouse: Warehouse, run: Run, slipping: ir.Table) -> tuple[report.Cause, ...]:
    rows = warehouse.arrow(
        slipping.group_by("cause").aggregate(
            customers=slipping.count(), one=slipping.cause_evidence.min(), other=slipping.cause_evidence.max()
        )
    ).to_pylist()
    found = {row["cause"]: row for row in rows}
    total = sum(row["customers"] for row in rows)
    return tuple(
        report.Cause(
            name, words, found[name]["customers"], found[name]["customers"] / total,
            _interval(warehouse, run, slipping.filter(slipping.cause == name), lapse.margin_at_risk),
            tuple(text for text in dict.fromkeys((found[name]["one"], found[name]["other"])) if text),
        )
        for name, words in CAUSES.items() if name in found
    )


def _cohorts(warehouse: Warehouse, run: Run, slipping: ir.Table) -> tuple[report.Cohort, ...]:
    grouped = slipping.group_by("lapsed_cohort").aggregate(
        customers=slipping.count(), reachable=slipping.email_consent.cast("int64").sum()
    )
    found = {row["lapsed_cohort"]: row for row in warehouse.arrow(grouped).to_pylist()}
    empty = {"customers": 0, "reachable": 0}
    rows = {name: found.get(name, empty) for name in COHORTS}
    return tuple(
        report.Cohort(
            name, words, MEANINGS[name], rows[name]["customers"],
            None if run.planned.summary.rehearsal else rows[name]["reachable"],
            _interval(warehouse, run, slipping.filter(slipping.lapsed_cohort == name), lapse.margin_ahead),
        )
        for name, words in COHORTS.items()
    )


def _sequence(warehouse: Warehouse, run: Run) -> tuple[report.StageView, ...]:
    rows = run.planned.plan.rows
    made = rows.filter(rows.reason.isnull(), rows.arm.notnull())
    counted = warehouse.arrow(made.group_by("program", "stage", "arm").aggregate(n=made.count())).to_pylist()
    counts = {(row["program"], row["stage"], row["arm"]): row["n"] for row in counted}
    return tuple(
        report.StageView(
            stage.name, _goal(stage), _delay(stage), _permits(stage, run.settings), _arms(program, stage, run.documents, counts)
        )
        for program in (run.documents.lead,) for stage in program.stages
    )


def _others(warehouse: Warehouse, run: Run, shows: Mapping[str, float]) -> tuple[report.OtherProgram, ...]:
    """The programs beside the lead, with what this plan holds of each."""
    rows = run.planned.plan.rows
    sent = (rows.reason.isnull() & (rows.arm != NOTHING)).fill_null(False)
    counted = rows.group_by("program").aggregate(sent=sent.cast("int64").sum(), alone=rows.reason.notnull().cast("int64").sum())
    counts = {row["program"]: row for row in warehouse.arrow(counted).to_pylist()}
    nobody = {"sent": 0, "alone": 0}
    return tuple(
        report.OtherProgram(
            one.name, MOMENTS[one.trigger.on], one.service, counts.get(one.name, nobody)["sent"], counts.get(one.name, nobody)["alone"],
            shows.get(one.name),
        )
        for one in run.documents.programs if one is not run.documents.lead
    )


def _arms(program: Program, stage: Stage, documents: Documents, counts: dict[tuple[str, str, str], int]) -> tuple[report.ArmCount, ...]:
    return tuple(
        report.ArmCount(arm.name, OFFER_WORDS[documents.offers[arm.offer].kind], counts.get((program.name, stage.name, arm.name), 0))
        for arm in stage.arms
    )


GOALS = {
    "activation": "the customer signs in, looks at a product or answers", "order": "an order",
    "order_or_preference_kept": "an order, or a choice of how often to hear from us",
}


def _goal(stage: Stage) -> str:
    return f"{GOALS[stage.goal.metric]} within {stage.goal.within_days} days"


def _delay(stage: Stage) -> str:
    delay = stage.delay
    if not delay.rhythm and not delay.at_least_days:
        return "at once"
    most = "" if delay.at_most_days is None else f" to {delay.at_most_days}"
    return f"{delay.rhythm * 100:g} % of the customer's own rhythm, {delay.at_least_days}{most} days"


def _permits(stage: Stage, settings: Settings) -> str:
    words = ["price offers, above the margin floor"] if stage.offers.price else ["no price offers"]
    if stage.offers.value_at_most is not None:
        words.append(f"worth at most {settings.currency} {stage.offers.value_at_most:.2f}")
    return "; ".join(words)


def _messages(warehouse: Warehouse, run: Run) -> tuple[report.MessageView, ...]:
    """One message of this plan per cohort, rendered as the customer would get it, under an invented first name."""
    rows = message_facts.messages(warehouse, run.planned.plan, run.built.table, run.documents)
    rows = rows.filter(rows.program == run.documents.lead.name)
    place = ibis.row_number().over(group_by="cohort", order_by=[ibis.desc("baseline"), "customer_id"])
    first = warehouse.arrow(rows.mutate(place=place).filter(lambda t: t.place == 0).drop("place")).to_pylist()
    chosen = {row["cohort"]: row for row in first}
    templates = load_content(run.settings.root)
    shop = replace(shop_facts(run.settings, templates), first_name=SAMPLE_NAME)
    views = []
    for cohort in (name for name in COHORTS if name in chosen):
        row = chosen[cohort]
        offer = run.documents.offers[row["offer"]]
        frozen = json.dumps(message_facts.facts_of(row, run.documents, run.settings))
        stated = replace(
            with_frozen(shop, frozen, run.planned.as_of.day), stage=row["stage"], program=row["program"], arm=row["arm"],
            code=EXAMPLE if offer.redemption > 0 else "",
        )
        try:
            message = render(templates, stated)
        except Refused as refusal:
            views.append(report.MessageView(cohort, COHORTS[cohort], row["stage"], "Not rendered", "", str(refusal)))
            continue
        views.append(report.MessageView(cohort, COHORTS[cohort], row["stage"], message.subject, message.html, message.text))
    return tuple(views)


def _money(run: Run) -> report.Money:
    summed = run.planned.summary
    return report.Money(
        round(summed.cost_ceiling), round(summed.expected_cost), summed.expected_margin, assumed=True,
        subsidised_orders=summed.subsidised_orders,
    )


def _left_alone(run: Run) -> tuple[report.LeftAlone, ...]:
    found = run.planned.summary.refusals
    nothing = run.planned.summary.decisions - run.planned.summary.messages
    rows = [report.LeftAlone(name, words, found[name]) for name, words in REASONS.items() if name in found]
    return (*rows, report.LeftAlone("nothing", "drawn to hear nothing", nothing)) if nothing else tuple(rows)


def _worth(warehouse: Warehouse, run: Run, shows: Mapping[str, float]) -> report.Worth:
    lift = next((one for one in run.learned.lifts if one.program == run.documents.lead.name), None)
    as_of, horizon = run.insight.as_of, run.documents.lead.goal.horizon_days
    if lift is None:
        return report.Worth(CannotTell("Service messages have no control."), None, 0, 0, 0, None, as_of.day + timedelta(days=horizon))
    estimate = lift.measures["margin"].difference
    if isinstance(estimate, CannotTell):
        found = shows.get(lift.program)
        return report.Worth(estimate, None, lift.weeks, lift.treated, lift.control, found, as_of.day + timedelta(days=horizon))
    truth = None
    if worlds.is_simulated(run.settings):
        truth = worlds.true_worth(run.settings, lift, _entered(warehouse, lift, as_of))
    known_by = lift.first_day + timedelta(days=horizon) if lift.first_day else None
    found = None if isinstance(lift.detectable, CannotTell) else lift.detectable
    note = EARLY if lift.maturity.early else ""
    return report.Worth(estimate, truth, lift.weeks, lift.treated, lift.control, found, known_by, note, _by_cohort(lift))


def _entered(warehouse: Warehouse, lift: Lift, as_of: AsOf) -> dict[date, list[str]]:
    """Who was treated and is old enough to be counted, by the day of the entry."""
    journal = warehouse.table("journal")
    rows = journal.filter(journal.program == lift.program, journal.standing == "treated")
    first = rows.group_by("customer_id").aggregate(entered_at=rows.entered_at.min())
    until = ibis.literal(as_of.naive - timedelta(days=lift.maturity.window_days))
    found: dict[date, list[str]] = {}
    for row in warehouse.arrow(first.filter(first.entered_at <= until).order_by("customer_id")).to_pylist():
        found.setdefault(row["entered_at"].date(), []).append(row["customer_id"])
    return found


def _by_cohort(lift: Lift) -> tuple[report.CohortWorth, ...]:
    rows = []
    for name in (name for name in COHORTS if name in lift.cohorts):
        parts = {measure: _known(part.difference) for measure, part in lift.cohorts[name].items()}
        treated, control = lift.cohort_sizes[name]
        margin = lift.cohorts[name]["margin"]
        rows.append(
            report.CohortWorth(
                COHORTS[name], treated, control, parts["activated"], parts["retained"], parts["spend"], parts["margin"],
                detectable=None if margin.told_apart else margin.detectable,
            )
        )
    return tuple(rows)


def _known(found: Interval | CannotTell) -> Interval | None:
    return found if isinstance(found, Interval) else None


def _before_launch(warehouse: Warehouse, run: Run) -> dict[str, float]:
    """Program of marketing without a lift to what its control of this plan will be able to detect, minor units a customer."""
    if isinstance(run.built.scored, CannotTell):
        return {}
    unknown = {one.program for one in run.learned.lifts if isinstance(one.measures["margin"].difference, CannotTell)}
    asked = [one for one in run.documents.programs if one.name in unknown]
    return would_show(warehouse, run.planned.plan.rows, run.built.table, asked, run.settings.horizon_weeks)


def _notable(warehouse: Warehouse, slipping: ir.Table, command: str) -> tuple[report.Notable, ...]:
    """Customers worth looking at: of every cohort those with most margin at risk."""
    place = ibis.row_number().over(group_by="lapsed_cohort", order_by=[ibis.desc("margin_at_risk"), "customer_id"])
    ranked = slipping.mutate(place=place).order_by("place", ibis.desc("margin_at_risk"), "customer_id").limit(NOTABLE)
    return tuple(
        report.Notable(
            row["customer_id"], _why(row), row["expected_margin"], row["overdue"], f"{command} {row['customer_id']}"
        )
        for row in warehouse.arrow(ranked).to_pylist()
    )


def _why(row: dict[str, Any]) -> str:
    evidence = f": {CAUSES[row['cause']]}, {row['cause_evidence']}" if row["cause"] != "unknown" else ""
    return f"{COHORTS[row['lapsed_cohort']]}{evidence}"
