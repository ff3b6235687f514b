"""A plan from the stored facts and approved documents, and its commit: journal, outbox, ready.

Knows nothing of how a variant is drawn. A commit that broke off is completed by the next; the same plan twice changes nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide import arms, fairness, planner, summary
from rekindle.decide.policy import Policy
from rekindle.history import chain
from rekindle.history.warehouse import Warehouse
from rekindle.insight import segments
from rekindle.insight.profile import CHANNELS, Profiles
from rekindle.moment import AsOf
from rekindle.program.documents import Documents, Rules
from rekindle.program.segments import definitions
from rekindle.service.config import load_secret
from rekindle.service.flow import codes_taken, journal_files, plan_approving, plan_counts, plan_files, policies
from rekindle.service.flow.codes import code_for
from rekindle.service.flow.message_facts import facts_of, messages
from rekindle.service.flow.redeeming import coupons as coupons_of
from rekindle.service.outbox import actions, queries
from rekindle.service.outbox.models import touch_key
from rekindle.service.people.queries import has_contacts
from rekindle.service.redemptions.actions import issue
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it amounts to.

    Args:
        plan: The plan.
        summary: Its counts and sums.
        as_of: The instant.
        repeated: Whether this very plan was committed before.
        touches: New touches in the outbox; 0 before a commit.
        decisions_file: Every due customer of this plan, decided or left alone; None where none was asked for.
        policy: The table of chances that it went by.
    """

    plan: planner.Plan
    summary: summary.PlanSummary
    as_of: AsOf
    repeated: bool
    touches: int
    decisions_file: Path | None
    policy: Policy


def deliverable(settings: Settings) -> tuple[str, ...]:
    """The ways by which a store can reach its customers: those that it has chosen a sender for."""
    return tuple(channel for channel in CHANNELS if getattr(settings.senders, channel))


def shop_of(settings: Settings, rehearsal: bool, rules: Rules | None = None, day: date | None = None) -> arms.Shop:
    """What the arithmetic of offers needs to know of a store.

    Args:
        settings: The store's.
        rehearsal: Whether every customer counts as consented.
        rules: Approved ones: what holds between the store's offers and its sellers'; the usual where not given.
        day: Of the plan, for offers that hold from a day or until one.
    """
    costs = {name: Decimal(cost) for name, cost in settings.channel_costs.model_dump().items()}
    shop = arms.Shop(settings.currency, settings.horizon_weeks, costs, deliverable(settings), rehearsal, day=day)
    return shop if rules is None else replace(shop, sellers=rules.sellers)


def make(
    settings: Settings, warehouse: Warehouse, built: Profiles, documents: Documents, as_of: AsOf, publish: bool = True
) -> Planned:
    """Plans; nothing but the file of decisions is written.

    A plan that was committed for this very instant comes out again as it was, unless facts have come in since: then only what is
    new is decided.

    Args:
        settings: The store's.
        warehouse: Its open history.
        built: Profiles as of the instant.
        documents: Approved documents.
        as_of: The instant.
        publish: Whether the file of decisions is written.
    """
    rehearsal = not has_contacts()
    if publish:
        complete(warehouse)
    shop = shop_of(settings, rehearsal, documents.rules, as_of.day)
    table = policies.of_plan(settings, warehouse, documents, as_of)
    inputs = planner.Inputs(built.table, documents, table, shop, as_of)
    made = planner.plan(warehouse, inputs)
    plans = warehouse.arrow(warehouse.table("plans").filter(lambda t: t.as_of == ibis.literal(as_of.naive)))["plan"].to_pylist()
    repeated = made.digest in plans
    if plans and not repeated:
        made = planner.plan(warehouse, planner.Inputs(inputs.profile, documents, inputs.policy, inputs.shop, as_of, inclusive=True))
        repeated = made.digest in plans
    path = plan_files.write(settings.var, warehouse, made, as_of) if publish else None
    if publish:
        codes_taken.publish(settings.var, warehouse, as_of)
    return Planned(made, summary.summarise(warehouse, made, documents.rules.sellers), as_of, repeated, 0, path, table)


def complete(warehouse: Warehouse) -> None:
    """Counts plans whose touches are ready but whose journal was not yet told so: a commit broke off in between."""
    counted = set(warehouse.arrow(warehouse.table("plans").select("plan"))["plan"].to_pylist())
    for digest in sorted(queries.ready_plans() - counted):
        partition = warehouse.table("journal").filter(lambda t, plan=digest: t.plan == plan)
        row = warehouse.row(partition.aggregate(as_of=partition.as_of.max(), decisions=partition.count()))
        if row["decisions"]:
            _count(warehouse, digest, row["as_of"], row["decisions"])


def commit(settings: Settings, warehouse: Warehouse, planned: Planned, built: Profiles, documents: Documents) -> int:
    """Writes the journal partition, then the touches, then makes both count.

    Args:
        settings: The store's.
        warehouse: Its open history.
        planned: From `make`; a rehearsal is never committed.
        built: The profiles that it was made from.
        documents: The documents that it was made from.

    Returns:
        New touches.

    Raises:
        Refused: A group of customers fares worse or better by it than the rules allow.
    """
    plan = planned.plan
    if plan.rehearsal or planned.repeated:
        return 0
    verdicts = fairness.verdicts(warehouse, plan.rows, built.table, documents.rules)
    plan_counts.judged(settings.var, plan.digest, verdicts)
    fairness.require(verdicts)
    fresh = plan.rows.filter(plan.rows.fresh)
    policies.keep_rule(settings, planned.policy, planned.as_of)
    journal = warehouse.table("journal")
    written = warehouse.scalar(journal.filter(journal.plan == plan.digest).count())
    if not written:
        with warehouse.transaction():
            marked = _with_segments(warehouse, fresh, built, documents, planned.as_of)
            warehouse.insert("journal", marked.mutate(plan=ibis.literal(plan.digest)))
        written = warehouse.scalar(journal.filter(journal.plan == plan.digest).count())
    rows, coupons = _touches(settings, warehouse, plan, built, documents)
    touches = actions.insert_touches(plan.digest, rows)
    issue(coupons)
    plan_approving.by_autopilot(settings, documents.rules.autopilot, planned.summary, planned.as_of.instant)
    actions.ready(plan.digest)
    _count(warehouse, plan.digest, planned.as_of.naive, written)
    journal_files.publish(settings.var, warehouse)
    return touches


def _with_segments(warehouse: Warehouse, rows: ir.Table, built: Profiles, documents: Documents, as_of: AsOf) -> ir.Table:
    """A plan's rows, those of rounds that get their standing now with the segments of their customers, kept."""
    entering = (rows.entered_at == ibis.literal(as_of.naive)).fill_null(False)
    whose = built.table.semi_join(rows.filter(entering), "customer_id")
    names = segments.named(warehouse, whose, definitions(documents.segments), as_of)
    joined = rows.drop("segments").left_join(names, "customer_id").drop("customer_id_right")
    return warehouse.keep(joined.mutate(segments=entering.ifelse(joined.segments, ibis.null("string"))))


def _count(warehouse: Warehouse, digest: str, as_of: object, decisions: int) -> None:
    row = pa.table({"plan": [digest], "as_of": pa.array([as_of], pa.timestamp("us")), "rehearsal": [False], "decisions": [decisions]})
    with warehouse.transaction():
        chain.seal(warehouse, digest)
        warehouse.insert("plans", row)


def _touches(
    settings: Settings, warehouse: Warehouse, plan: planner.Plan, built: Profiles, documents: Documents
) -> tuple[pa.Table, pa.Table]:
    """A plan's messages, and the codes in them."""
    rows = warehouse.arrow(messages(warehouse, plan, built.table, documents).order_by("customer_id", "program", "stage"))
    key = load_secret(settings.var, "codes")
    facts, codes = [], []
    for row in _rows(rows):
        offer = documents.offers[row["offer"]]
        touch = touch_key(row["program"], row["customer_id"], row["episode"], row["stage"])
        codes.append(code_for(key, touch) if offer.redemption > 0 else "")
        facts.append(json.dumps(facts_of(row, documents, settings), ensure_ascii=False))
    table = rows.select([name for name in (*actions.COLUMNS, actions.SERVICE) if name in rows.column_names])
    touches = table.append_column("code", pa.array(codes, pa.string())).append_column("facts", pa.array(facts, pa.string()))
    return touches, coupons_of(rows, codes, plan.digest, documents, settings)


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=actions.CHUNK):
        yield from batch.to_pylist()
