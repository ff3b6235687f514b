"""Why customers leave: effects of friction, causes, last steps, returns, audit and opportunity of a store as of an instant.

Knows nothing of the page's look. What it finds is kept under `var/diagnosis/<as_of>`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir

from rekindle.errors import CannotTell
from rekindle.history.warehouse import SMALL_PART, Warehouse
from rekindle.insight import audit, friction, friction_effect, friction_orders, journey, purchases, reactivation, send_hour
from rekindle.insight.friction_effect import Effect
from rekindle.insight.lifecycle import SLIPPING
from rekindle.insight.models import Interval
from rekindle.learn.diagnosis import Diagnosis, render_page, to_json
from rekindle.learn.diagnosis.facts import Cause, Dropoff, Friction
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Documents
from rekindle.service.flow import documents, insights, opportunities, snapshots, worlds
from rekindle.service.flow.insights import label
from rekindle.service.programs import queries
from rekindle.settings import Settings

AUDITED = {"lifecycle stage": "lifecycle", "value tier": "value_tier"}
UNSENT = "heard nothing"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: The instant.
        publish: Whether anything is written.
    """

    settings: Settings
    warehouse: Warehouse
    as_of: AsOf
    publish: bool = True

    @property
    def folder(self) -> Path:
        """Where the diagnosis of this instant is kept."""
        return self.settings.var / "diagnosis" / label(self.as_of)


def diagnose(asked: Question) -> Diagnosis:
    """Finds everything and, where asked, keeps it.

    Raises:
        BadData: No order before the instant.
    """
    settings, warehouse, as_of = asked.settings, asked.warehouse, asked.as_of
    built, _ = insights.profiles(settings, warehouse, as_of, publish=asked.publish)
    profile = built.table
    held = _documents(settings)
    bought = warehouse.keep(friction_orders.table(warehouse, as_of))
    followed = friction_orders.followed(warehouse, bought, as_of)
    slipping = warehouse.keep(profile.filter(profile.lifecycle.isin(SLIPPING)))
    ranked = warehouse.keep(_ranked(warehouse, slipping, as_of))
    stopped = warehouse.keep(journey.dropoffs(journey.steps(warehouse, as_of), slipping))
    totals = warehouse.row(followed.aggregate(purchases=followed.count(), lapsed=followed.lapsed.ifelse(1, 0).sum()))
    found = Diagnosis(
        shop=settings.name, currency=settings.currency, locale=settings.locale, as_of=as_of, horizon_weeks=settings.horizon_weeks,
        simulated=worlds.is_simulated(settings), purchases=totals["purchases"], lapsed=totals["lapsed"] or 0,
        customers=warehouse.scalar((profile.orders > 0).ifelse(1, 0).sum()), slipping=warehouse.scalar(slipping.count()),
        frictions=frictions(asked, followed, profile), causes=_causes(warehouse, slipping, ranked),
        dropoffs=_dropoffs(warehouse, stopped, slipping),
        by_category=reactivation.curves(warehouse.arrow(reactivation.reduced(reactivation.spells(followed, as_of)))),
        by_offer=_by_offer(asked, bought, held),
        audits={by: audit.audit(warehouse, _segment(profile, column), as_of) for by, column in AUDITED.items()},
        opportunities=opportunities.opportunities(settings, warehouse, profile, held, as_of, asked.publish),
    )
    if asked.publish:
        _keep(asked, found, ranked, stopped)
    return found


def page_path(settings: Settings) -> Path:
    """Where the page goes."""
    return settings.var / "reports" / "diagnosis.html"


def _keep(asked: Question, found: Diagnosis, ranked: ir.Table, stopped: ir.Table) -> None:
    asked.warehouse.write_parquet(ranked.order_by("customer_id", "place"), asked.folder / snapshots.CAUSES, SMALL_PART)
    asked.warehouse.write_parquet(stopped.order_by("customer_id"), asked.folder / "dropoffs.parquet")
    walked = journey.steps(asked.warehouse, asked.as_of).filter(lambda t: ~t.step.isin(journey.BROWSING))
    asked.warehouse.write_parquet(walked.order_by("customer_id", "at", "turn", "fact"), asked.folder / snapshots.STEPS, SMALL_PART)
    insights.write_whole(asked.folder / "diagnosis.json", json.dumps(to_json(found), indent=1, ensure_ascii=False))
    insights.write_whole(page_path(asked.settings), render_page(found))


def _documents(settings: Settings) -> Documents | None:
    """The approved documents; a store without any can be diagnosed too."""
    return documents.approved(settings) if queries.approved(settings) else None


def frictions(asked: Question, followed: ir.Table, profile: ir.Table) -> tuple[Friction, ...]:
    """Each friction's effect and placebo, its customers and what is at stake.

    Args:
        asked: The question.
        followed: From `friction_orders.followed`.
        profile: customer_id and margin_per_order of every customer.
    """
    warehouse, days = asked.warehouse, 7 * asked.settings.horizon_weeks
    cells = warehouse.arrow(friction_orders.cells(warehouse, followed))
    placebo = warehouse.arrow(friction_orders.placebo(warehouse, followed, asked.as_of))
    worth = followed.left_join(profile.select("customer_id", "margin_per_order"), "customer_id")
    brings = (worth.margin_per_order.fill_null(0.0) * days / worth.rhythm).round().cast("int64")
    stakes = {f"{kind}_worth": purchases.exact_sum(worth[kind].ifelse(brings, 0)).fill_null(0) for kind in friction_effect.RANK}
    people = {f"{kind}_customers": worth.customer_id.nunique(where=worth[kind]) for kind in friction_effect.RANK}
    sums = warehouse.row(worth.aggregate(**stakes, **people))
    found = []
    for kind in friction_effect.RANK:
        effect = friction_effect.effect(cells, kind)
        found.append(
            Friction(
                kind, _words(kind), effect, friction_effect.effect(placebo, kind), sums[f"{kind}_customers"],
                _at_stake(effect, float(sums[f"{kind}_worth"])),
            )
        )
    return tuple(found)


def _words(kind: str) -> str:
    return {"open_ticket": "unanswered ticket", "bad_review": "low review"}.get(kind, friction.CAUSES[kind])


def _at_stake(effect: Effect | CannotTell, worth: float) -> Interval | CannotTell:
    """Margin of the extra lapses: the difference in risk times what the customers would bring."""
    if isinstance(effect, CannotTell):
        return effect
    return Interval(*(worth * end for end in (effect.difference.low, effect.difference.estimate, effect.difference.high)))


def _ranked(warehouse: Warehouse, slipping: ir.Table, as_of: AsOf) -> ir.Table:
    """customer_id, place, cause, evidence of those who slip away."""
    orders = purchases.sales(warehouse, as_of).select("order_id", last_ordered_at="ordered_at")
    dated = slipping.select("customer_id", order_id="last_order_id").join(orders, "order_id").select("customer_id", "last_ordered_at")
    return friction.ranked(friction.events(warehouse, as_of), dated)


def _causes(warehouse: Warehouse, slipping: ir.Table, ranked: ir.Table) -> tuple[Cause, ...]:
    first = slipping.group_by("cause").aggregate(n=slipping.count(), risk=slipping.margin_at_risk.fill_null(0).sum())
    every = ranked.group_by("cause").aggregate(n=ranked.count())
    firsts = {row["cause"]: row for row in warehouse.arrow(first).to_pylist()}
    everywhere = {row["cause"]: row["n"] for row in warehouse.arrow(every).to_pylist()}
    found = [
        Cause(kind, words, firsts[kind]["n"], everywhere.get(kind, 0), int(firsts[kind]["risk"]))
        for kind, words in friction.CAUSES.items() if kind in firsts
    ]
    return tuple(sorted(found, key=lambda one: -one.customers))


def _dropoffs(warehouse: Warehouse, stopped: ir.Table, slipping: ir.Table) -> tuple[Dropoff, ...]:
    named = stopped.join(slipping.select("customer_id", "lapsed_cohort"), "customer_id")
    rows = warehouse.arrow(named.group_by("dropoff_step", "lapsed_cohort").aggregate(n=named.count())).to_pylist()
    cohorts: dict[str, dict[str, int]] = {}
    for row in sorted(rows, key=lambda row: str(row["lapsed_cohort"])):
        cohorts.setdefault(row["dropoff_step"], {})[row["lapsed_cohort"]] = row["n"]
    found = [Dropoff(step, journey.STEPS[step], sum(counts.values()), counts) for step, counts in cohorts.items()]
    return tuple(sorted(found, key=lambda one: (-one.customers, one.step)))


def _segment(profile: ir.Table, column: str) -> ir.Table:
    return profile.filter(profile.orders > 0).select("customer_id", segment=column)


def _by_offer(asked: Question, bought: ir.Table, held: Documents | None) -> dict[str, reactivation.Curve | CannotTell]:
    """Time to the next order after a message by the kind of its offer; rounds drawn to hear nothing beside."""
    warehouse, seen = asked.warehouse, ibis.literal(asked.as_of.naive)
    touches, journal = warehouse.current("touches"), warehouse.table("journal").semi_join(warehouse.table("plans"), "plan")
    keys = ["customer_id", "program", "stage", "episode"]
    made = journal.filter(journal.arm.notnull(), journal.reason.isnull(), journal.as_of < seen)
    silent = made.filter(made.arm == NOTHING).group_by(*keys).aggregate(drawn_at=lambda t: t.as_of.min())
    offered = made.filter(made.arm != NOTHING).select(*keys, "offer").distinct()
    sent = touches.filter(touches.status == "sent", touches.settled_at < seen).left_join(offered, keys)
    kinds = {name: offer.kind for name, offer in held.offers.items()} if held else {}
    named = sent.offer.fill_null("")
    kind = named.cases(*kinds.items(), else_=sent.arm.fill_null("a message")) if kinds else sent.arm.fill_null("a message")
    rows = ibis.union(
        sent.select("customer_id", group=kind, at=sent.settled_at),
        silent.select("customer_id", group=ibis.literal(UNSENT), at=silent.drawn_at),
    )
    counts = reactivation.reduced(reactivation.after_offers(_by_day(asked, rows), bought, asked.as_of))
    return reactivation.curves(warehouse.arrow(counts))


def _by_day(asked: Question, rows: ir.Table) -> ir.Table:
    """Rows with an instant `at` as rows with the store's day of it: customer_id, group, day."""
    span = asked.warehouse.row(rows.aggregate(first=rows["at"].min(), last=rows["at"].max()))
    shifts = ibis.memtable(send_hour.offsets([], asked.as_of.timezone, span["first"], span["last"]))
    placed = rows.join(shifts, [rows["at"] >= shifts.since, rows["at"] < shifts.until])
    return placed.select("customer_id", "group", day=(placed["at"] + placed.minutes.as_interval("m")).date())
