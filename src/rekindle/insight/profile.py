"""One row per customer of what is known as of an instant: facts, predictions, stage and cause.

Knows nothing of programs and offers. Everything per customer is an expression; the models see distinct histories only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import friction, lapse, lifecycle, purchases
from rekindle.insight.models import GammaGamma
from rekindle.moment import AsOf

COLUMNS = {
    "customer_id": "string", "orders": "int64", "purchase_days": "int64", "first_day": "date", "last_day": "date",
    "last_order_id": "string", "silence_days": "int64", "age_days": "int64", "spend": "int64", "margin": "int64",
    "average_order_value": "int64", "average_days_between_orders": "float64", "discount_share": "float64",
    "return_share": "float64", "category": "string", "category_share": "float64", "last_product": "string",
    "last_category": "string", "expected_orders": "float64", "p_alive": "float64", "margin_per_order": "float64",
    "expected_margin": "int64", "margin_at_risk": "int64", "expected_next_order_at": "date", "overdue": "int64",
    "lifecycle": "string", "value_tier": "string", "lapsed_cohort": "string", "cause": "string", "cause_evidence": "string",
    "open_ticket": "boolean", "open_return": "boolean", "credit_balance": "int64", "threshold_distance": "float64",
    "country": "string", "email_consent": "boolean", "sms_consent": "boolean", "webpush_consent": "boolean",
    "inapp_consent": "boolean", "timezone": "string", "locale": "string", "repeats": "int64", "recency_days": "int64",
}
"""The profile's columns and Ibis types; money in minor units, ages in whole days, rates as shares of 1."""

CHANNELS = ("email", "sms", "webpush", "inapp")


@dataclass(frozen=True, slots=True)
class Question:
    """What a profile is asked for.

    Args:
        as_of: The instant; later facts are not seen.
        margin: The store's margin on goods of unknown cost.
        horizon_weeks: How far predictions look ahead.
        model: The lapse model's name.
    """

    as_of: AsOf
    margin: Decimal
    horizon_weeks: int
    model: str = lapse.DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profile table and the models behind it.

    Args:
        table: `COLUMNS`.
        scored: The lapse model and its histories, or why there is none.
        value: The value model, or why there is none.
    """

    table: ir.Table
    scored: lapse.Scored | CannotTell
    value: GammaGamma | CannotTell


def build(warehouse: Warehouse, question: Question, publish: Callable[[ir.Table], ir.Table] | None = None) -> Profiles:
    """Builds every customer's profile.

    Args:
        warehouse: An open history.
        question: What is asked.
        publish: Writes the profiles somewhere and gives them back as a table; kept by the warehouse where not given.
    """
    buyers = warehouse.keep(_bought(warehouse, question))
    scored = lapse.score(warehouse, buyers, question.horizon_weeks, question.model)
    value = lapse.fit_value(warehouse, buyers)
    limits = warehouse.row(lifecycle.tier_limits(buyers))
    valued = buyers.mutate(
        margin_per_order=lapse.value_per_order(value, buyers.purchase_days, buyers.margin),
        value_tier=lifecycle.value_tier(buyers.margin, limits["high"] or 0.0, limits["mid"] or 0.0),
    )
    staged = _staged(_predicted(valued, scored))
    slipping = staged.filter(staged.lifecycle.isin(lifecycle.SLIPPING)).select("customer_id", "last_day", "last_ordered_at")
    whole = _with_people(_with_reasons(warehouse, staged, warehouse.keep(slipping), question), warehouse, question)
    return Profiles((publish or warehouse.keep)(whole), scored, value)


def _bought(warehouse: Warehouse, question: Question) -> ir.Table:
    orders = purchases.sales(warehouse, question.as_of)
    sums = warehouse.keep(purchases.per_customer(orders))
    products = warehouse.current("products")
    numbered = warehouse.keep(purchases.categories(products))
    parts = (
        purchases.last_orders(orders, sums),
        purchases.baskets(purchases.sold_lines(warehouse, question.as_of), products, numbered, question.margin),
        purchases.returned(warehouse, question.as_of),
    )
    joined = _joined(sums, *parts)
    joined = joined.mutate(
        **{column: joined[column].fill_null(0) for column in ("amount", "earned", "returned", "category_share")},
        open_return=joined.open_return.fill_null(False),
    )
    return lapse.clocked(joined.mutate(margin=purchases.margin(joined, question.margin)), question.as_of)


def _joined(base: ir.Table, *parts: ir.Table) -> ir.Table:
    """Left joins by customer_id, without a second key column."""
    for part in parts:
        base = base.left_join(part, "customer_id").drop("customer_id_right")
    return base


def _predicted(buyers: ir.Table, scored: lapse.Scored | CannotTell) -> ir.Table:
    if isinstance(scored, CannotTell):
        own = (buyers.recency_days / (buyers.purchase_days - 1).nullif(0)).fill_null(buyers.age_days.cast("float64")).clip(lower=1.0)
        return buyers.mutate(p_alive=ibis.null("float64"), expected_orders=ibis.null("float64"), rhythm_days=own)
    return buyers.join(ibis.memtable(scored.table), lapse.KEY)


def _staged(buyers: ir.Table) -> ir.Table:
    expected = (buyers.expected_orders * buyers.margin_per_order).round().cast("int64")
    rhythm = buyers.rhythm_days.round().cast("int64")
    return buyers.mutate(
        expected_margin=expected,
        margin_at_risk=((1 - buyers.p_alive) * (buyers.expected_orders / buyers.p_alive) * buyers.margin_per_order).round().cast("int64"),
        average_days_between_orders=buyers.rhythm_days,
        # DuckDB makes a timestamp of a day and an interval, and Ibis takes a cast of it to a day for needless.
        expected_next_order_at=(buyers.last_day + rhythm.as_interval("D")).cast("timestamp").cast("date"),
        overdue=buyers.silence_days - rhythm,
        average_order_value=(buyers.spend / buyers.orders).round().cast("int64"),
        discount_share=(buyers.discount / (buyers.spend + buyers.discount).nullif(0)).fill_null(0.0),
        return_share=(buyers.returned / buyers.spend.nullif(0)).fill_null(0.0).clip(0.0, 1.0),
        lifecycle=lifecycle.stage(buyers),
    )


def _with_reasons(warehouse: Warehouse, staged: ir.Table, slipping: ir.Table, question: Question) -> ir.Table:
    frictions = friction.events(warehouse, question.as_of)
    last = purchases.last_products(purchases.sold_lines(warehouse, question.as_of), slipping, warehouse.current("products"))
    whole = _joined(staged, friction.causes(frictions, slipping), friction.open_tickets(warehouse, question.as_of), last)
    is_slipping = whole.lifecycle.isin(lifecycle.SLIPPING)
    whole = whole.mutate(
        cause=is_slipping.ifelse(whole.cause.fill_null("unknown"), ibis.null("string")),
        cause_evidence=whole.cause_evidence.fill_null(""),
        open_ticket=whole.open_ticket.fill_null(False),
    )
    return whole.mutate(lapsed_cohort=lifecycle.lapsed_cohort(whole))


def _with_people(whole: ir.Table, warehouse: Warehouse, question: Question) -> ir.Table:
    customers, seen = warehouse.current("customers"), ibis.literal(question.as_of.naive)
    known = customers.filter(customers.first_seen_at.isnull() | (customers.first_seen_at < seen)).select("customer_id", "country")
    people = warehouse.current("people").select("customer_id", "timezone", "locale")
    whole = _joined(whole.outer_join(known, "customer_id").pipe(_one_id), people, consented(warehouse, question.as_of))
    empty = {
        "orders": 0, "purchase_days": 0, "spend": 0, "margin": 0, "category_share": 0.0, "discount_share": 0.0, "return_share": 0.0,
        "expected_margin": 0, "margin_at_risk": 0, "lifecycle": "prospect", "cause_evidence": "", "open_ticket": False,
        "open_return": False,
        **{f"{channel}_consent": False for channel in CHANNELS},
    }
    whole = whole.mutate(
        **{column: whole[column].fill_null(value) for column, value in empty.items()},
        credit_balance=ibis.literal(0), threshold_distance=ibis.null("float64"),
    )
    typed = {column: whole[column].cast(kind) for column, kind in COLUMNS.items()}
    return whole.select(**typed)


def _one_id(table: ir.Table) -> ir.Table:
    return table.mutate(customer_id=ibis.coalesce(table.customer_id, table.customer_id_right)).drop("customer_id_right")


def consented(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Who may be sent marketing, per channel: customer_id, email_consent, sms_consent, webpush_consent, inapp_consent."""
    consents, seen = warehouse.current("consents"), ibis.literal(as_of.naive)
    live = consents.filter(
        consents.purpose == "marketing", consents.granted, consents.recorded_at < seen,
        consents.expires_at.isnull() | (consents.expires_at > seen),
    )
    return live.group_by("customer_id").aggregate(**{f"{channel}_consent": (live.channel == channel).any() for channel in CHANNELS})
