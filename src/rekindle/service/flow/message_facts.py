"""What the messages of a plan state: facts of history, frozen for each message when it is planned.

Knows nothing of templates. Every kind of fact is one join; nothing is asked customer by customer.
"""

from datetime import UTC, date, datetime
from typing import Any, get_args

import ibis
import ibis.expr.types as ir

from rekindle import moment, money
from rekindle.decide import planner
from rekindle.decide.arms import MILLI
from rekindle.decide.budget import binding
from rekindle.deliver.claims import Mishap
from rekindle.deliver.contracts import REQUIRED
from rekindle.deliver.words import while_it_lasts
from rekindle.history.warehouse import Warehouse
from rekindle.ingest.rules import is_made
from rekindle.insight.friction import ANSWERED
from rekindle.program.documents import NOTHING, Documents, Offer
from rekindle.service.flow.left_behind import MOST, left
from rekindle.settings import Settings

MISHAPS = frozenset(get_args(Mishap))
"""Causes that a message may speak of: registered events."""

NAMED = 3
"""So many products of an order are named; the others are counted."""

_KNOWN = (
    "orders", "last_day", "first_day", "last_product", "last_category", "category", "cause", "cause_evidence", "offer_category",
    "offer_product", "overdue", "personas",
)


def messages(warehouse: Warehouse, plan: planner.Plan, profiles: ir.Table, documents: Documents) -> ir.Table:
    """The messages of a plan with the facts that their text needs.

    Args:
        warehouse: An open history.
        plan: Its fresh decisions for a message count.
        profiles: The profiles that it was made from.
        documents: The documents that it was made from.

    Returns:
        The plan's rows with moment, scope_category and scope_product (of the offer), the profile's facts, names and categories of products,
        items and item_1 to item_3 (of the order), left_1 to left_5 with their names, ordered_day, promised_at, late_promised_at,
        delivered_at, credit_left (minor units).
    """
    rows = plan.rows.filter(plan.rows.fresh, plan.rows.reason.isnull(), plan.rows.arm != NOTHING)
    known = {name: profiles[name] for name in _KNOWN if name in profiles.columns}
    joined = _with_moment(rows, documents).join(profiles.select("customer_id", **known), "customer_id")
    joined = joined.mutate(**{name: ibis.null("string") for name in _KNOWN if name not in known})
    joined = warehouse.keep(joined)
    orders = warehouse.keep(joined.select("opening_order", "as_of").filter(lambda t: t.opening_order.notnull()).distinct())
    products = warehouse.current("products").select("product_id", "name", "category")
    for facts in (_items(warehouse, orders, products), _ordered(warehouse, orders), _parcels(warehouse, orders)):
        joined = joined.left_join(warehouse.keep(facts), "opening_order").drop("opening_order_right")
    joined = warehouse.keep(joined.left_join(_credits(warehouse), ["moment", "episode"]).drop("moment_right", "episode_right"))
    joined = warehouse.keep(joined.left_join(warehouse.keep(left(warehouse, joined)), "customer_id").drop("customer_id_right"))
    for column in ("last_product", "opening_product", "offer_product", "scope_product"):
        of_each = {column: products.product_id, f"{column}_name": products.name, f"{column}_category": products.category}
        names = products.select(**of_each)
        joined = joined.left_join(names, column).drop(f"{column}_right")
    return joined


def _with_moment(rows: ir.Table, documents: Documents) -> ir.Table:
    """The rows with what kind of moment opened their round, and what their offer holds for."""
    moments = [(program.name, program.trigger.on) for program in documents.programs]
    return rows.mutate(
        moment=rows.program.cases(*moments, else_="lapse"), scope_product=_after("product:", rows.scope),
        scope_category=_after("category:", rows.scope),
    )


def _after(prefix: str, scope: ir.StringValue) -> ir.StringValue:
    """What a scope names where it is of this kind, null otherwise."""
    return scope.startswith(prefix).ifelse(scope.substr(len(prefix)), ibis.null("string"))


def _items(warehouse: Warehouse, orders: ir.Table, products: ir.Table) -> ir.Table:
    """What is in each order and was kept: opening_order, item_1 to item_3 (names, the dearest first), items (how many things)."""
    lines = warehouse.current("order_lines").filter(lambda t: t.product_id.notnull())
    lines = lines.select(opening_order="order_id", product_id="product_id", amount="amount").semi_join(orders, "opening_order")
    back = warehouse.current("returns").select("product_id", "returned_at", opening_order="order_id").join(orders, "opening_order")
    lines = lines.anti_join(back.filter(back.returned_at < back.as_of), ["opening_order", "product_id"])
    named = lines.left_join(products, "product_id").drop("product_id_right")
    things = named.group_by("opening_order", "name", unnamed=named.name.isnull().ifelse(named.product_id, "")).aggregate(
        amount=named.amount.sum()
    )
    order = [things.name.isnull(), ibis.desc("amount"), "name", "unnamed"]
    placed = things.mutate(place=ibis.row_number().over(group_by="opening_order", order_by=order))
    names = {f"item_{number + 1}": placed.name.max(where=placed.place == number) for number in range(NAMED)}
    return placed.group_by("opening_order").aggregate(items=placed.count(), **names)


def _ordered(warehouse: Warehouse, orders: ir.Table) -> ir.Table:
    known = warehouse.current("orders").select(opening_order="order_id", ordered_day="purchase_day")
    return known.semi_join(orders, "opening_order")


def _parcels(warehouse: Warehouse, orders: ir.Table) -> ir.Table:
    """What was promised of each order, and when the last parcel came: null while one is on its way."""
    parcels = warehouse.current("shipments").select("promised_at", "delivered_at", opening_order="order_id").join(orders, "opening_order")
    parcels = parcels.mutate(arrived=(parcels.delivered_at < parcels.as_of).fill_null(False))
    overdue = ~parcels.arrived & (parcels.promised_at < parcels.as_of)
    return parcels.group_by("opening_order").aggregate(
        promised_at=parcels.promised_at.max(),
        late_promised_at=parcels.promised_at.min(where=overdue.fill_null(False)),
        delivered_at=parcels.arrived.all().ifelse(parcels.delivered_at.max(), ibis.null("timestamp")),
    )


def _credits(warehouse: Warehouse) -> ir.Table:
    """What is left of each credit, minor units, by the round that is about it."""
    given = warehouse.current("credits")
    left = given.amount - given.spent.fill_null(0)
    return given.select(moment=ibis.literal("credit"), episode=given.credit_id, credit_left=left)


def facts_of(row: dict[str, Any], documents: Documents, settings: Settings) -> dict[str, object]:
    """The facts of one message, as `deliver.facts.FROZEN` names them: what is known of the customer, what is offered, and why.

    Args:
        row: Of `messages`.
        documents: The documents that the plan was made from.
        settings: Currency, locale and time zone.
    """
    offer, program = documents.offers[row["offer"]], documents.program(row["program"])
    stages = min(len(program.stages_for(row["cohort"])), program.caps.touches)
    given = row["valid_until"] if offer.redeemed else None
    return {
        "orders": row["orders"],
        "first_day": _iso(row["first_day"]),
        "last_day": _iso(row["last_day"]),
        "last_product": row["last_product_name"] if _fits(row, row["last_category"]) else None,
        "category": _category(row),
        "cause": row["cause"] if row["cause"] in MISHAPS and _registered(row["cause_evidence"]) else None,
        "cohort": row["cohort"],
        "overdue": (row["overdue"] or 0) > 0,
        "persona": (row["personas"] or "").partition(", ")[0] or None,
        "series": stages if stages > 1 else None,
        "blocks": sorted(REQUIRED.intersection(program.content_for(row["stage"], row["cohort"]))),
        "offer_kind": offer.kind,
        "offer_label": offer.label,
        "offer_brief": offer.brief,
        **terms(offer, row["program"], documents, settings),
        "offer_value": _value(row, offer, settings),
        "offer_scope": row["scope_category"] or row["scope_product_name"],
        "offer_minimum": _minimum(offer, settings),
        "valid_until": _iso(given),
        "subject_line": program.stage(row["stage"]).arm(row["arm"]).subject,
        **_left(row),
        **_round(row, settings),
    }


def terms(offer: Offer, program: str, documents: Documents, settings: Settings) -> dict[str, str]:
    """The conditions of an offer as a program makes it; where a hard budget may close it, they say so, and so do messages without them."""
    limit = while_it_lasts(settings.locale) if binding(program, offer, documents.rules) else ""
    return {"offer_terms": f"{offer.terms} {limit}".strip(), "offer_limit": limit}


def _left(row: dict[str, Any]) -> dict[str, object]:
    """What was left in the cart or saved; news of an order says nothing of it."""
    places = [f"left_{number + 1}" for number in range(MOST) if row.get(f"left_{number + 1}") and not row["service"]]
    return {"cart": [row[f"{place}_name"] for place in places], "cart_ids": [row[place] for place in places]}


def _round(row: dict[str, Any], settings: Settings) -> dict[str, object]:
    """What opened the round."""
    day, zone = row["opening_day"], settings.timezone
    named = [row[f"item_{number + 1}"] for number in range(NAMED) if row[f"item_{number + 1}"]]
    promised = row["late_promised_at"] if row["moment"] == "late_delivery" else row["promised_at"]
    left = row["credit_left"]
    return {
        "moment": row["moment"],
        "service": row["service"],
        "order_number": None if is_made(row["opening_order"] or "") else row["opening_order"],
        "products": named,
        "more_products": (row["items"] or 0) - len(named),
        "product": row["opening_product_name"],
        "favourite": row["offer_product_name"] if _fits(row, row["offer_product_category"]) else None,
        "ordered_day": _iso(row["ordered_day"]),
        "promised_day": _iso(_local(promised, zone)),
        "delivered_day": _iso(_local(row["delivered_at"], zone)),
        "day": _iso(day),
        "days_ahead": (day - _local(row["send_at"], zone)).days if day and row["send_at"] else None,
        "years": day.year - row["first_day"].year if row["moment"] == "anniversary" and day and row["first_day"] else None,
        "credit_left": money.show(left, settings.currency, settings.locale) if left else None,
    }


def _about(row: dict[str, Any]) -> str | None:
    """The category that the offer holds for, or that of the product that it holds for; None where it holds for a whole order."""
    found: str | None = row["scope_category"] or row["scope_product_category"]
    return found


def _fits(row: dict[str, Any], category: str | None) -> bool:
    """Whether something of a category may be named beside the offer: what is offered and what is spoken of are of one category."""
    return _about(row) in (None, category)


def _category(row: dict[str, Any]) -> str | None:
    """The category to speak of: the offer's, else that of the moment, else a favourite; after a return, that of before the pause."""
    before = row["offer_product_category"] or row["offer_category"] or row["category"]
    of_moment = before if row["moment"] == "comeback" else row["opening_category"] or row["category"]
    found: str | None = _about(row) or of_moment or row["last_category"]
    return found


def _registered(evidence: str) -> bool:
    """Whether an event of ours stands behind a cause, and not the customer's word alone."""
    return not all(fact.startswith(ANSWERED) for fact in evidence.split(", "))


def _local(instant: datetime | None, timezone: str) -> date | None:
    """The store's day of an instant that history holds, naive UTC."""
    return moment.local_day(instant.replace(tzinfo=UTC), timezone) if instant else None


def _minimum(offer: Offer, settings: Settings) -> str:
    if not offer.minimum_spend:
        return ""
    return money.show(money.to_minor(offer.minimum_spend, settings.currency), settings.currency, settings.locale)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _value(row: dict[str, Any], offer: Offer, settings: Settings) -> str:
    """What a price offer is worth to the customer, in words; empty for others."""
    if offer.percent is not None:
        return f"{offer.percent * 100:g} % off"
    if not offer.price:
        return ""
    if row.get("offer_value"):
        return money.show(row["offer_value"], settings.currency, settings.locale)
    message = float(settings.channel_costs.model_dump()[row["channel"]]) * 10 ** money.exponent(settings.currency)
    return money.show(round(row["cost_ceiling"] / MILLI - message), settings.currency, settings.locale)
