"""One row per customer of what is known as of an instant: facts, predictions, stage and cause.

Knows nothing of programs and offers. Everything per customer is an expression; the models see distinct histories only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import (
    friction,
    lapse,
    lifecycle,
    offer_scopes,
    opinions,
    personas,
    prices,
    purchases,
    rhythm,
    season,
    spikes,
    thresholds,
    tiers,
)
from rekindle.insight.customer_parts import among, parts
from rekindle.insight.models import GammaGamma
from rekindle.insight.store_credit import open_credits
from rekindle.insight.tiers import DAYS, Boundaries, Tiers
from rekindle.moment import AsOf

COLUMNS = {
    "customer_id": "string", "orders": "int64", "purchase_days": "int64", "first_day": "date", "last_day": "date",
    "last_order_id": "string", "silence_days": "int64", "age_days": "int64", "spend": "int64", "margin": "int64",
    "average_order_value": "int64", "average_days_between_orders": "float64", "rhythm_source": "string", "discount_share": "float64",
    "return_share": "float64", "category": "string", "category_share": "float64", "last_product": "string",
    "last_category": "string", "expected_orders": "float64", "p_alive": "float64", "churn_probability": "float64",
    "margin_per_order": "float64", "expected_margin": "int64", "predicted_clv": "int64", "margin_at_risk": "int64",
    "prediction_quality": "string", "expected_next_order_at": "date", "expected_date_of_next_order": "date", "overdue": "int64",
    "lifecycle": "string", "value_tier": "string", "tier_margin": "int64", "next_threshold": "string", "threshold_distance": "float64",
    "lapsed_cohort": "string", "cohort_evidence": "string", "cause": "string", "cause_evidence": "string",
    "personas": "string", "price_sensitive": "float64", "premium": "float64", "quick_solution": "float64",
    "discounted_orders": "int64", "single_item_orders": "int64", "price_rank": "float64",
    "open_ticket": "boolean", "open_return": "boolean", "credit_balance": "int64", "credit_expires_on": "date", "detractor": "boolean",
    "offer_category": "string", "offer_product": "string", "seller_id": "string", "seller_promotion": "boolean",
    "country": "string", "email_consent": "boolean", "sms_consent": "boolean", "webpush_consent": "boolean",
    "inapp_consent": "boolean", "timezone": "string", "locale": "string", "repeats": "int64", "recency_days": "int64",
    "previous_gap_days": "int64",
}
"""The profile's columns and Ibis types; money in minor units, ages in whole days, rates and scores as shares of 1."""

LATER = (
    "customer_id", "last_day", "last_ordered_at", "silence_days", "recent_days", "discounted", "single", "rhythm_days", "potential",
    "lifecycle", "own_spike", "store_spike", "offer_category_no", "offer_no",
)
"""What reasons and offers are found by; of everything else only what is asked for is kept once stages are known."""

SPENT = ("bare", "amount", "earned", "previous_day")
"""What margins and days are found by, and nothing else."""

MANY_ORDERS, MANY_LINES = 55_000_000, 65_000_000
"""Orders, and lines, that are grouped at a time, give or take: of more, customers are grouped in parts."""

CHANNELS = ("email", "sms", "webpush", "inapp")


@dataclass(frozen=True, slots=True)
class Question:
    """What a profile is asked for.

    Args:
        as_of: The instant; later facts are not seen.
        margin: The store's margin on goods of unknown cost.
        horizon_weeks: How far predictions look ahead.
        model: The lapse model's name.
        tier_days: Margin counts over so many days for a value tier.
        boundaries: Of the value tiers, as a person approved them; None where nobody has.
        milestones: Numbers of orders worth a mark, rising.
        free_shipping: Orders of so much ship free, minor units; 0 where none does.
        consented_at: The instant whose consent counts; `as_of` where not given.
        columns: Those of `COLUMNS` that are wanted.
    """

    as_of: AsOf
    margin: Decimal
    horizon_weeks: int
    model: str = lapse.DEFAULT_MODEL
    tier_days: int = DAYS
    boundaries: Boundaries | None = None
    milestones: tuple[int, ...] = (5, 10, 25)
    free_shipping: int = 0
    consented_at: AsOf | None = None
    columns: frozenset[str] = frozenset(COLUMNS)


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profile table and what stands behind it.

    Args:
        table: `COLUMNS`, or those of them that were asked for.
        scored: The lapse model and its histories, or why there is none.
        value: The value model, or why there is none.
        tiers: The value tiers' boundaries, in force and proposed.
    """

    table: ir.Table
    scored: lapse.Scored | CannotTell
    value: GammaGamma | CannotTell
    tiers: Tiers


def build(
    warehouse: Warehouse, question: Question, publish: Callable[[ir.Table], ir.Table] | None = None, earlier: Profiles | None = None
) -> Profiles:
    """Builds every customer's profile.

    Args:
        warehouse: An open history.
        question: What is asked.
        publish: Writes the profiles somewhere and gives them back as a table; kept by the warehouse where not given.
        earlier: Profiles of an earlier instant whose models are used; fitted anew where not given.
    """
    buyers = _bought(warehouse, question)
    scored, value = _models(warehouse, buyers, question, earlier)
    bounds = _tiers(warehouse, buyers, question)
    valued = buyers.mutate(
        margin_per_order=lapse.value_per_order(value, buyers.purchase_days, buyers.margin),
        value_tier=tiers.value_tier(buyers.tier_margin, bounds.held),
    )
    paced = _paced(warehouse, _predicted(valued, scored), buyers)
    placed = _placed(warehouse, _staged(paced, scored), bounds, question)
    staged = warehouse.keep(placed.select(*(column for column in placed.columns if column in question.columns or column in LATER)))
    warehouse.forget(buyers)
    whole = _with_people(_with_reasons(warehouse, staged, question), staged, warehouse, question)
    return Profiles((publish or warehouse.keep)(whole), scored, value, bounds)


def _models(
    warehouse: Warehouse, buyers: ir.Table, question: Question, earlier: Profiles | None
) -> tuple[lapse.Scored | CannotTell, GammaGamma | CannotTell]:
    """The lapse model with what it says of everyone, and the value model: fitted now, or those of an earlier instant."""
    if earlier is not None:
        fitted = earlier.scored
        if isinstance(fitted, CannotTell):
            return fitted, earlier.value
        return lapse.score_later(warehouse, buyers, question.horizon_weeks, fitted, question.as_of), earlier.value
    clock = season.find(warehouse, purchases.sales(warehouse, question.as_of), buyers, question.as_of)
    return lapse.score(warehouse, buyers, question.horizon_weeks, question.model, clock), lapse.fit_value(warehouse, buyers)


def _bought(warehouse: Warehouse, question: Question) -> ir.Table:
    """What everyone bought; of a very large store by parts of its customers, so that memory holds one part's groupings at a time."""
    since = _late_from(warehouse, question)
    sums, baskets = _summed(warehouse, question, since), _baskets(warehouse, question, since)
    joined = _joined(_together(sums), _together(baskets), purchases.returned(warehouse, question.as_of))
    zero = ["amount", "earned", "returned", "category_share", "ranked", "rank_sum"]
    if since is not None:
        late = purchases.returned(warehouse, question.as_of, since).select("customer_id", late_returned="returned")
        joined = _joined(joined, late)
        zero += ["late_amount", "late_earned", "late_returned"]
    joined = joined.mutate(
        **{column: joined[column].fill_null(0) for column in zero}, open_return=joined.open_return.fill_null(False)
    )
    margin = purchases.margin(joined, question.margin)
    tier_margin = margin if since is None else purchases.margin(joined, question.margin, of="late_")
    joined = joined.anti_join(objected(warehouse, question.as_of), "customer_id")
    clocked = lapse.clocked(joined.mutate(margin=margin, tier_margin=tier_margin), question.as_of)
    bought = warehouse.keep(clocked.drop(*(column for column in clocked.columns if column in SPENT or column.startswith("late_"))))
    warehouse.forget(*sums, *baskets)
    return bought


def _late_from(warehouse: Warehouse, question: Question) -> date | None:
    """The day from which margin counts for tiers, None where that is all there is."""
    since: date = question.as_of.day - timedelta(days=question.tier_days)
    first = warehouse.scalar(warehouse.table("orders").purchase_day.min())
    return None if first is None or first >= since else since


def _summed(warehouse: Warehouse, question: Question, since: date | None) -> list[ir.Table]:
    """What orders say per customer, by parts of the customers."""
    sales = purchases.sales(warehouse, question.as_of)
    cut = parts(warehouse.scalar(warehouse.table("orders").count()), MANY_ORDERS)
    return [warehouse.keep(purchases.per_customer(among(sales, part), since)) for part in cut]


def _baskets(warehouse: Warehouse, question: Question, since: date | None) -> list[ir.Table]:
    """What lines say per customer, by parts of the customers."""
    products, sold = warehouse.current("products"), purchases.sold_lines(warehouse, question.as_of)
    ranked = products.left_join(prices.price_ranks(warehouse, products, sold), "product_id").drop("product_id_right")
    ranked = warehouse.keep(offer_scopes.numbered(warehouse, ranked))
    named = warehouse.keep(purchases.categories(ranked))
    cut = parts(warehouse.scalar(warehouse.table("order_lines").count()), MANY_LINES)
    return [warehouse.keep(purchases.baskets(among(sold, part), ranked, named, question.margin, since)) for part in cut]


def _together(tables: list[ir.Table]) -> ir.Table:
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _tiers(warehouse: Warehouse, buyers: ir.Table, question: Question) -> Tiers:
    """The approved boundaries, else those that the first insight before the instant found, else today's."""
    found = warehouse.row(tiers.limits(buyers))
    proposed = Boundaries(found["high"] or 0, found["mid"] or 0)
    kept = warehouse.table("tiers")
    kept = kept.filter(kept.at <= ibis.literal(question.as_of.naive), kept.days == question.tier_days).order_by("at", "high").limit(1)
    first = warehouse.arrow(kept).to_pylist()
    held = question.boundaries or (Boundaries(first[0]["high"], first[0]["mid"]) if first else proposed)
    return Tiers(question.tier_days, held, question.boundaries is not None, proposed)


def _joined(base: ir.Table, *parts: ir.Table) -> ir.Table:
    """Left joins by customer_id, without a second key column."""
    for number, part in enumerate(parts):
        base = base.left_join(part, "customer_id", rname=f"{{name}}_{number}")
    return base.drop(*(f"customer_id_{number}" for number in range(len(parts))))


def _predicted(buyers: ir.Table, scored: lapse.Scored | CannotTell) -> ir.Table:
    if isinstance(scored, CannotTell):
        own = (buyers.recency_days / (buyers.purchase_days - 1).nullif(0)).fill_null(buyers.age_days.cast("float64")).clip(lower=1.0)
        return buyers.mutate(p_alive=ibis.null("float64"), expected_orders=ibis.null("float64"), rhythm_days=own)
    return buyers.join(ibis.memtable(scored.table), lapse.KEY)


def _paced(warehouse: Warehouse, predicted: ir.Table, buyers: ir.Table) -> ir.Table:
    """With each customer's own rhythm, and the personas that the store's habits are the measure of."""
    gaps = warehouse.row(rhythm.store_gaps(buyers))
    store = rhythm.StoreGaps(gaps["days"] or 0, gaps["gaps"] or 0)
    habits = personas.Habits(**warehouse.row(personas.habits(buyers)))
    return personas.with_personas(rhythm.with_rhythm(predicted, warehouse.keep(rhythm.by_category(buyers, store))), habits)


def _staged(buyers: ir.Table, scored: lapse.Scored | CannotTell) -> ir.Table:
    expected = (buyers.expected_orders * buyers.margin_per_order).round().cast("int64")
    days = buyers.rhythm_days.round().cast("int64")
    # DuckDB makes a timestamp of a day and an interval, and Ibis takes a cast of it to a day for needless.
    next_at = (buyers.last_day + days.as_interval("D")).cast("timestamp").cast("date")
    whole = (buyers.expected_orders / buyers.p_alive) * buyers.margin_per_order
    return buyers.mutate(
        expected_margin=expected, predicted_clv=expected,
        margin_at_risk=((1 - buyers.p_alive) * whole).round().cast("int64"),
        potential=whole.round().cast("int64").fill_null(buyers.tier_margin),
        churn_probability=1 - buyers.p_alive,
        prediction_quality=_quality(buyers, scored),
        average_days_between_orders=buyers.rhythm_days,
        expected_next_order_at=next_at, expected_date_of_next_order=next_at,
        overdue=buyers.silence_days - days,
        average_order_value=(buyers.spend / buyers.orders).round().cast("int64"),
        discount_share=(buyers.discount / (buyers.spend + buyers.discount).nullif(0)).fill_null(0.0),
        return_share=(buyers.returned / buyers.spend.nullif(0)).fill_null(0.0).clip(0.0, 1.0),
        lifecycle=lifecycle.stage(buyers),
        own_spike=spikes.own_spike(buyers),
    )


def _quality(buyers: ir.Table, scored: lapse.Scored | CannotTell) -> ir.Value:
    """How far a customer's predictions rest on data: as the model's, at most weak for who has ordered on one day alone."""
    if isinstance(scored, CannotTell):
        return ibis.null("string")
    quality = scored.model.quality
    return (buyers.repeats == 0).ifelse("weak" if quality == "good" else quality, quality)


def _placed(warehouse: Warehouse, staged: ir.Table, bounds: Tiers, question: Question) -> ir.Table:
    """With the store's spikes and the distance to the next threshold."""
    days = warehouse.arrow(spikes.daily(purchases.sales(warehouse, question.as_of)))
    found = spikes.store_spikes(days["purchase_day"].to_numpy(), days["orders"].to_numpy())
    ahead = thresholds.Thresholds(bounds.held, question.milestones, question.free_shipping, question.as_of.day)
    dated = _joined(staged, open_credits(warehouse, question.as_of).select("customer_id", "credit_expires_on"))
    return spikes.after_store_spike(thresholds.with_thresholds(dated, ahead).drop("credit_expires_on"), found)


def _with_reasons(warehouse: Warehouse, staged: ir.Table, question: Question) -> ir.Table:
    slipping = staged.filter(staged.lifecycle.isin(lifecycle.SLIPPING)).select("customer_id", "last_day", "last_ordered_at")
    frictions = friction.events(warehouse, question.as_of, slipping)
    whole = _joined(staged, friction.causes(frictions, slipping), friction.open_tickets(warehouse, question.as_of))
    if question.columns & {"last_product", "last_category"}:
        lines = purchases.sold_lines(warehouse, question.as_of)
        whole = _joined(whole, purchases.last_products(lines, slipping, warehouse.current("products")))
    is_slipping = whole.lifecycle.isin(lifecycle.SLIPPING)
    whole = whole.mutate(
        cause=is_slipping.ifelse(whole.cause.fill_null("unknown"), ibis.null("string")),
        cause_evidence=whole.cause_evidence.fill_null(""),
        open_ticket=whole.open_ticket.fill_null(False), had_friction=whole.had_friction.fill_null(False),
    )
    potential = warehouse.keep(lifecycle.high_potential(staged)).potential.as_scalar().fill_null(0)
    whole = whole.mutate(lapsed_cohort=lifecycle.lapsed_cohort(whole, potential))
    return whole.mutate(cohort_evidence=lifecycle.cohort_evidence(whole))


def _with_people(whole: ir.Table, buyers: ir.Table, warehouse: Warehouse, question: Question) -> ir.Table:
    customers, seen = warehouse.current("customers"), ibis.literal(question.as_of.naive)
    known = customers.filter(customers.first_seen_at.isnull() | (customers.first_seen_at < seen)).select("customer_id", "country")
    people = warehouse.current("people").select("customer_id", "timezone", "locale")
    whole = _joined(
        whole.outer_join(known, "customer_id").pipe(_one_id), people, consented(warehouse, question.consented_at or question.as_of),
        open_credits(warehouse, question.as_of), opinions.detractors(warehouse, question.as_of),
    )  # fmt: skip
    whole = offer_scopes.with_scopes(warehouse, question.as_of, whole, buyers)
    empty = {
        "orders": 0, "purchase_days": 0, "spend": 0, "margin": 0, "category_share": 0.0, "discount_share": 0.0, "return_share": 0.0,
        "expected_margin": 0, "predicted_clv": 0, "margin_at_risk": 0, "tier_margin": 0, "lifecycle": "prospect", "cause_evidence": "",
        "cohort_evidence": "", "personas": "", "discounted_orders": 0, "single_item_orders": 0, "open_ticket": False, "open_return": False,
        "credit_balance": 0, "detractor": False,
        **{f"{channel}_consent": False for channel in CHANNELS},
    }
    whole = whole.mutate(discounted_orders=whole.discounted, single_item_orders=whole.single)
    whole = whole.mutate(**{column: whole[column].fill_null(value) for column, value in empty.items() if column in question.columns})
    typed = {column: whole[column].cast(kind) for column, kind in COLUMNS.items() if column in question.columns}
    return whole.select(**typed)


def _one_id(table: ir.Table) -> ir.Table:
    return table.mutate(customer_id=ibis.coalesce(table.customer_id, table.customer_id_right)).drop("customer_id_right")


def consented(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Who may be sent marketing, per channel: customer_id, email_consent, sms_consent, webpush_consent, inapp_consent.

    Who objected to being scored is targeted no more, whatever else they agreed to.
    """
    consents, seen = warehouse.current("consents"), ibis.literal(as_of.naive)
    live = consents.filter(
        consents.purpose == "marketing", consents.granted, consents.recorded_at < seen,
        consents.expires_at.isnull() | (consents.expires_at > seen),
    )
    live = live.anti_join(objected(warehouse, as_of), "customer_id")
    return live.group_by("customer_id").aggregate(**{f"{channel}_consent": (live.channel == channel).any() for channel in CHANNELS})


PROFILING = "profiling"
"""The purpose of a word on being scored; a refusal is an objection, and an agreement takes it back."""


def objected(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Who objected to being scored: customer_id. Their profiles say no more than that of somebody who never bought."""
    consents = warehouse.current("consents")
    said = consents.filter(consents.purpose == PROFILING, ~consents.granted, consents.recorded_at < ibis.literal(as_of.naive))
    return said.select("customer_id").distinct()
