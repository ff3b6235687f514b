"""What customers did after they entered a program, by what they were assigned to and not by what they were sent.

Knows nothing of lift. One row per round (episode); the window opens when the round got its standing. `followed` does the arithmetic for
any span of a round, such as the time since a decision.
"""

from dataclasses import dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.decide.arms import MILLI, Shop
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.moment import AsOf
from rekindle.program.documents import Offer, Program

ACTIVATION = ("Signed In", "Product Viewed")
"""Events that count as activation besides an order; opens and clicks never do."""

STANDINGS = ("treated", "control")


@dataclass(frozen=True, slots=True)
class Window:
    """What outcomes are counted over.

    Args:
        as_of: Later facts are not seen.
        margin: The store's margin on goods of unknown cost.
        offers: By name, for what redemptions cost besides a lower price.
        shop: Currency and channel costs.
    """

    as_of: AsOf
    margin: Decimal
    offers: dict[str, Offer]
    shop: Shop


def rounds(past: Past, program: Program) -> ir.Table:
    """Every round that got a standing: customer_id, episode, standing, cohort, baseline, entered_at."""
    rows = past.journal.filter(past.journal.program == program.name, past.journal.standing.isin(STANDINGS))
    place = ibis.row_number().over(group_by=["customer_id", "episode"], order_by=["as_of", "stage", "plan"])
    first = rows.mutate(place=place).filter(lambda t: t.place == 0)
    return first.select("customer_id", "episode", "standing", "cohort", "baseline", "entered_at")


def outcomes(warehouse: Warehouse, past: Past, program: Program, window: Window) -> ir.Table:
    """What each round brought within the program's horizon, or so far.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        program: The program.
        window: What is counted.

    Returns:
        rounds and orders, spend (minor units), margin (minor units, net of redemptions and channel costs), activated, retained.
    """
    entered = rounds(past, program)
    spans = warehouse.keep(entered.mutate(since=entered.entered_at, until=end_of(entered.entered_at, program, window)))
    joined = _beside(followed(warehouse, past, program, spans, window), _activated(warehouse, spans))
    joined = joined.mutate(active=joined.active.fill_null(False))
    net = joined.gross_margin - joined.incentives - joined.messages_milli / MILLI
    ordered = joined.orders > 0
    whole = joined.mutate(margin=net, retained=ordered.cast("int64"), activated=(joined.active | ordered).cast("int64"))
    return whole.select(
        "customer_id", "episode", "standing", "cohort", "baseline", "entered_at", "orders", "spend", "margin", "activated", "retained"
    )


def end_of(since: ir.TimestampValue, program: Program, window: Window) -> ir.TimestampValue:
    """Until when what follows an instant is counted: the program's horizon later, or the instant of the question if that is sooner."""
    return ibis.least(since + ibis.interval(days=program.goal.horizon_days), ibis.literal(window.as_of.naive))


def followed(warehouse: Warehouse, past: Past, program: Program, spans: ir.Table, window: Window) -> ir.Table:
    """What orders brought in spans of rounds, and what messages and redemptions cost.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        program: The program.
        spans: customer_id, episode, since, until and whatever else, kept; where there is a `stage`, a round has a span for each.
        window: What is counted.

    Returns:
        The spans with orders, spend, gross_margin, incentives (minor units), messages_milli (thousandths of a minor unit), all 0 where
        nothing followed, and first_order_at (null where nothing followed).
    """
    sold, earliest, joined = purchases.sales(warehouse, window.as_of), warehouse.scalar(spans.since.min()), spans
    if earliest is not None:
        sold = sold.filter(sold.ordered_at >= ibis.literal(earliest))
    parts = (
        _bought(warehouse, sold, spans, window), _redeemed(warehouse, program, sold, spans, window), _sent(past, program, spans, window)
    )
    for part in parts:
        joined = _beside(joined, part)
    counted = ("orders", "spend", "gross_margin", "incentives", "messages_milli")
    return joined.mutate(**{name: joined[name].fill_null(0) for name in counted})


def _key(spans: ir.Table) -> list[str]:
    """What tells spans apart."""
    return [name for name in ("customer_id", "episode", "stage") if name in spans.columns]


def _beside(spans: ir.Table, part: ir.Table) -> ir.Table:
    key = _key(spans)
    return spans.left_join(part, key).drop(*(f"{name}_right" for name in key))


def _within(orders: ir.Table, spans: ir.Table) -> ir.Table:
    """Orders in the spans of their customers, with what tells the span apart."""
    joined = orders.join(spans.select(*_key(spans), "since", "until"), "customer_id")
    return joined.filter(joined.ordered_at >= joined.since, joined.ordered_at < joined.until)


def _bought(warehouse: Warehouse, sold: ir.Table, spans: ir.Table, window: Window) -> ir.Table:
    orders = warehouse.keep(_within(sold.select("customer_id", "order_id", "ordered_at", "net", "lines"), spans))
    priced = order_margins(warehouse, orders, window)
    return priced.group_by(*_key(spans)).aggregate(
        orders=priced.count(), spend=priced.spend.sum().cast("int64"), gross_margin=priced.margin.sum().cast("int64"),
        first_order_at=priced.ordered_at.min(),
    )


def order_margins(warehouse: Warehouse, orders: ir.Table, window: Window) -> ir.Table:
    """Adds spend and margin (minor units) to orders, by the same arithmetic as the profile's."""
    lines, products = warehouse.current("order_lines"), warehouse.current("products")
    mine = lines.semi_join(orders, "order_id").left_join(products.select("product_id", unit_cost="cost"), "product_id")
    mine = mine.select("order_id", "amount", earned=purchases.earned(mine, window.margin))
    basket = mine.group_by("order_id").aggregate(amount=mine.amount.sum().cast("int64"), earned=mine.earned.sum().cast("int64"))
    returns = warehouse.current("returns")
    seen = returns.filter(returns.returned_at < ibis.literal(window.as_of.naive), returns.order_id.notnull())
    back = seen.group_by("order_id").aggregate(returned=seen.amount.sum().cast("int64"))
    whole = orders.left_join(basket, "order_id").drop("order_id_right").left_join(back, "order_id").drop("order_id_right")
    whole = whole.mutate(
        **{name: whole[name].fill_null(0) for name in ("amount", "earned", "returned")},
        spend=whole.net, bare=(whole.lines == 0).ifelse(whole.net, 0),
    )
    return whole.mutate(margin=purchases.margin(whole, window.margin))


def _sent(past: Past, program: Program, spans: ir.Table, window: Window) -> ir.Table:
    """What the messages of a round cost within its spans."""
    mine = past.contacts.filter(past.contacts.program == program.name).select("customer_id", "episode", "as_of", "channel")
    mine = mine.join(spans.select(*_key(spans), "since", "until"), ["customer_id", "episode"])
    mine = mine.filter(mine.as_of >= mine.since, mine.as_of < mine.until)
    costs = {name: round(window.shop.minor(cost) * MILLI) for name, cost in window.shop.channel_costs.items()}
    return mine.group_by(*_key(spans)).aggregate(messages_milli=mine.channel.cases(*costs.items(), else_=0).sum().cast("int64"))


def _redeemed(warehouse: Warehouse, program: Program, sold: ir.Table, spans: ir.Table, window: Window) -> ir.Table:
    """What redeemed offers cost besides a lower price, such as the delivery that the shop paid for: per span, minor units.

    An offer is redeemed by an order with the very code that its message carried.
    """
    costs = {
        f"{stage.name}:{arm.name}": round(window.shop.minor(window.offers[arm.offer].unit_cost))
        for stage in program.stages for arm in stage.arms if not window.offers[arm.offer].price
    }
    touches = warehouse.current("touches")
    given = touches.filter(touches.program == program.name, touches.code != "").select(
        "customer_id", "episode", "code", offered=touches.stage + ":" + touches.arm
    )
    used = _within(sold.filter(sold.code != "").select("customer_id", "order_id", "ordered_at", "code"), spans)
    paired = used.join(given, ["customer_id", "episode", "code"])
    return paired.group_by(*_key(spans)).aggregate(
        incentives=paired.offered.cases(*costs.items(), else_=0).sum().cast("int64")
    )


def _activated(warehouse: Warehouse, spans: ir.Table) -> ir.Table:
    events = warehouse.current("events")
    met = events.filter(events.name.isin(ACTIVATION)).join(spans.select("customer_id", "episode", "since", "until"), "customer_id")
    met = met.filter(met.occurred_at >= met.since, met.occurred_at < met.until)
    return met.group_by("customer_id", "episode").aggregate(active=met.count() > 0)
