"""What customers did after they entered a program, by what they were assigned to and not by what they were sent.

Knows nothing of lift. One row per customer and epoch; the window opens when the round got its standing. `followed` does the arithmetic for
any span of a round, such as the time since a decision.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from rekindle.decide.arms import MILLI, Shop
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.insight.customer_parts import Part, among, parts
from rekindle.learn.measures import COLUMNS
from rekindle.learn.sums import CELL, Cells, in_cells, numbered, read, summed
from rekindle.moment import AsOf, start_of_day
from rekindle.program.documents import Offer, Program
from rekindle.program.targets import days_of, quarter_of

ACTIVATION = ("Signed In", "Product Viewed")
"""Events that count as activation besides an order; opens and clicks never do."""

STANDINGS = ("treated", "control")
COSTS = ("incentives", "messages", "redeemed")
"""What is told of a round besides the measures: what its offers and messages cost, and its orders with a code of a message."""

DAY = 86_400
MARKETING = "marketing"
PERIOD = 28
"""Days of a period of which it is asked whether there was an order."""


@dataclass(frozen=True, slots=True)
class Window:
    """What outcomes are counted over.

    Args:
        as_of: Later facts are not seen.
        margin: The store's margin on goods of unknown cost.
        offers: By name, for what redemptions cost besides a lower price.
        shop: Currency and channel costs.
        sold: Orders with what they brought, from `priced`; each question works it out for its own customers where None.
        redeemed: Of these, the orders with the code of a message, from `redemptions`; likewise.
    """

    as_of: AsOf
    margin: Decimal
    offers: dict[str, Offer]
    shop: Shop
    sold: ir.Table | None = None
    redeemed: ir.Table | None = None


def by_parts(past: Past, window: Window, rows: int) -> Iterator[tuple[Part, Past, Window]]:
    """Parts of the customers, each with what was decided and bought of it, so that memory holds what followed for one at a time.

    Args:
        past: Ready plans before the instant.
        window: What is counted; its orders are those of the part then.
        rows: Rounds or decisions of all parts together.
    """
    for part in parts(rows, MANY):
        mine = Past(among(past.journal, part), among(past.contacts, part))
        known = {name: among(table, part) for name in ("sold", "redeemed") if (table := getattr(window, name)) is not None}
        yield part, mine, replace(window, **known)


MANY = 2_000_000
"""Rounds or decisions that are followed at a time, give or take."""


def rounds(past: Past, programs: Sequence[Program], window: Window) -> ir.Table:
    """Every customer's first round of a program in an epoch: the standing is drawn for the epoch, and further rounds may be of its doing.

    Returns:
        program, customer_id, standing, entered_at, age_days (whole days until the instant), epoch, month (of the entry, as
        202603), what the journal says of the customer then (`AT_ENTRY`), and baseline.
    """
    rows = past.journal.filter(past.journal.program.isin([one.name for one in programs]), past.journal.standing.isin(STANDINGS))
    return first_of_epoch(rows.filter(rows.as_of == rows.entered_at), window.as_of, ("program",))


AT_ENTRY = ("holdout_share", "control_share", "policy", "context", "cohort", "cause", "value_tier", "segments")
"""What is known of a round from the row in which it got its standing."""


def first_of_epoch(rows: ir.Table, as_of: AsOf, within: Sequence[str] = ()) -> ir.Table:
    """Of rows in which rounds got their standing each customer's first of every calendar year, within other columns: as `rounds`."""
    rows = rows.mutate(epoch=epoch_of(rows.entered_at, as_of))
    order = ["entered_at", "program", "episode", "stage", "plan"]
    place = ibis.row_number().over(group_by=[*within, "customer_id", "epoch"], order_by=order)
    first = rows.mutate(place=place).filter(lambda t: t.place == 0)
    age = (ibis.literal(as_of.naive).epoch_seconds() - first.entered_at.epoch_seconds()) / DAY
    return first.select(
        *within, "customer_id", "standing", "entered_at", "epoch", *AT_ENTRY, "baseline",
        age_days=age.floor().cast("int64"), month=(first.entered_at.year() * 100 + first.entered_at.month()).cast("int64"),
    )


def ages(warehouse: Warehouse, rows: ir.Table, *by: str) -> dict[tuple[str, ...], dict[int, int]]:
    """How many rows are so many days old, by some columns.

    Args:
        warehouse: Runs the count.
        rows: The columns and age_days; of rows that stand for several, `rows` says for how many.
        by: The columns.
    """
    found: dict[tuple[str, ...], dict[int, int]] = {}
    number = rows.rows.sum() if "rows" in rows.columns else rows.count()
    for row in warehouse.arrow(rows.group_by(*by, "age_days").aggregate(rows=number)).to_pylist():
        found.setdefault(tuple(row[name] for name in by), {})[row["age_days"]] = row["rows"]
    return found


def epoch_of(at: ir.TimestampValue, as_of: AsOf) -> ir.IntegerValue:
    """The calendar year of an instant in the store's time zone, of the last years."""
    last = as_of.seen_day.year
    began = [(at >= ibis.literal(start_of_day(date(year, 1, 1), as_of.timezone).replace(tzinfo=None)), year) for year in _years(last)]
    return ibis.cases(*began, else_=last - EPOCHS).cast("int64")


EPOCHS = 30
"""So many calendar years are told apart."""


def _years(last: int) -> range:
    return range(last, last - EPOCHS, -1)


QUARTERS = 8
"""So many quarters are told apart."""


def quarter_in(at: ir.TimestampValue, as_of: AsOf) -> ir.StringValue:
    """The quarter of an instant in the store's time zone, of the last ones; null before them."""
    began, quarter = [], quarter_of(as_of.seen_day)
    for _ in range(QUARTERS):
        first = days_of(quarter)[0]
        began.append((at >= ibis.literal(start_of_day(first, as_of.timezone).replace(tzinfo=None)), quarter))
        quarter = quarter_of(first - timedelta(days=1))
    return ibis.cases(*began, else_=ibis.null("string"))


def old_enough(entered: ir.Table, days: Mapping[str, int], as_of: AsOf) -> ir.Table:
    """Rounds that are old enough to be counted, for `measured`.

    Args:
        entered: From `rounds`.
        days: Program to over how many days a round is counted, at least one; younger rounds, and others' programs, are left out.
        as_of: The instant.

    Returns:
        The rounds with since, until, days, and matured (the quarter in which the window ended, such as 2026-Q4; null before the last
        `QUARTERS`).
    """
    aged = entered.filter(entered.program.isin(list(days)))
    aged = aged.mutate(days=aged.program.cases(*days.items(), else_=0))
    old = aged.filter(aged.age_days >= aged.days)
    until = old.entered_at + old.days.as_interval("D")
    return old.mutate(since=old.entered_at, until=until, matured=quarter_in(until, as_of))


_SPAN = ("program", "customer_id", "since", "until", "days", "cohort", "baseline")
"""What `measured` reads of rounds, and the covariate."""


def summed_up(
    warehouse: Warehouse, past: Past, programs: Sequence[Program], window: Window, old: ir.Table, by: Sequence[str]
) -> Cells:  # fmt: skip
    """What rounds brought, as sums of `measures.COLUMNS` and `COSTS`; a cell comes once for each part of the customers.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Whose messages and redemptions count.
        window: What is counted.
        old: Rounds as `old_enough` gives them, some at least.
        by: What cells are told apart by.
    """
    found, size = [], warehouse.row(old.aggregate(rows=old.count(), longest=old.days.max()))
    cells, columns = warehouse.keep(numbered(old, by)), [name for name in _SPAN if name in old.columns]
    for part, mine, theirs in by_parts(past, window, size["rows"]):
        with warehouse.forgetting():
            spans = in_cells(among(old, part), cells, *columns)
            rows = measured(warehouse, mine, programs, spans, theirs, size["longest"])
            found.append(warehouse.arrow(summed(rows, (CELL,), (*COLUMNS, *COSTS))))
    return read(warehouse.arrow(cells), found)


def measured(
    warehouse: Warehouse, past: Past, programs: Sequence[Program], spans: ir.Table, window: Window, longest: int
) -> ir.Table:
    """Spans with the columns that measures are computed from.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Whose messages and redemptions count.
        spans: As `followed` takes them, with `days`, how long each is, and `cohort`, the lapsed cohort at entry, null of who was in none.
        window: What is counted.
        longest: The most of these days.

    Returns:
        The spans with `measures.COLUMNS` (money in minor units; margin net of redemptions and channel costs), incentives, messages
        (minor units) and redeemed (orders with a code that a message carried).
    """
    joined = followed(warehouse, past, programs, spans, window, longest)
    ordered, messages = joined.orders > 0, joined.messages_milli / MILLI
    first = (joined.first_order_at.epoch_seconds() - joined.since.epoch_seconds()) / DAY
    return joined.mutate(
        margin=joined.gross_margin - joined.incentives - messages, messages=messages,
        reactivated=joined.cohort.notnull().ifelse(joined.spend, 0),
        retained=ordered.cast("int64"), repeated=(joined.purchase_days > 1).cast("int64"),
        regularity=joined.periods / (joined.days / PERIOD).ceil(), days_to_order=first.fill_null(joined.days),
        activated=((joined.active > 0) | ordered).cast("int64"), opted_out=(joined.opted_out > 0).cast("int64"),
    )


def end_of(since: ir.TimestampValue, program: Program, window: Window) -> ir.TimestampValue:
    """Until when what follows an instant is counted: the program's horizon later, or the instant of the question if that is sooner."""
    return ibis.least(since + ibis.interval(days=program.goal.horizon_days), ibis.literal(window.as_of.naive))


def followed(
    warehouse: Warehouse, past: Past, programs: Sequence[Program], spans: ir.Table, window: Window, longest: int = 0
) -> ir.Table:
    """What orders brought in spans of rounds, and what messages and redemptions cost.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Whose messages and redemptions count.
        spans: customer_id, since, until and whatever else; where there is a program or an episode, its own messages and codes count alone.
        window: What is counted.
        longest: Days that spans have at most; where given, more is told of them.

    Returns:
        The spans with orders, spend, gross_margin, incentives (minor units), messages_milli (thousandths of a minor unit), redeemed (orders
        with a code of a message), all 0 where nothing followed, and first_order_at (null where nothing followed). Where `longest` is
        given, also periods (`PERIOD`s with an order), purchase_days (2 for two and more), active (events of `ACTIVATION`) and opted_out
        (consents taken back).
    """
    sold = window.sold
    spans = warehouse.keep_numbered(spans, "span")
    if sold is None:
        sold = _since(warehouse, purchases.sales(warehouse, window.as_of), spans.since)
    told = [
        _bought(warehouse, sold, spans, window, longest), _redeemed(warehouse, programs, sold, spans, window),
        _sent(past, programs, spans, window),
    ]  # fmt: skip
    if longest:
        told += [_activated(warehouse, spans), _opted_out(warehouse, spans)]
    joined, counted = spans, [name for part in told for name in part.columns if name not in ("span", "first_order_at")]
    for part in told:
        joined = joined.left_join(part, "span").drop("span_right")
    return joined.mutate(**{name: joined[name].fill_null(0) for name in counted}).drop("span")


def priced(warehouse: Warehouse, past: Past, window: Window) -> ir.Table:
    """What every order brought of customers who ever had a standing, kept, for `Window.sold`: worked out once for many questions."""
    begun = past.journal.filter(past.journal.standing.notnull())
    begun = warehouse.keep(begun.group_by("customer_id").aggregate(entered_at=begun.entered_at.min()))
    sold = _since(warehouse, purchases.sales(warehouse, window.as_of), begun.entered_at)
    orders = warehouse.keep(sold.semi_join(begun, "customer_id").select(*_ORDER, "net", "lines"))
    told = warehouse.keep(order_margins(warehouse, orders, window).select(*_ORDER, "spend", "margin"))
    warehouse.forget(begun, orders)
    return told


_ORDER = ("customer_id", "order_id", "ordered_at", "purchase_day", "code")


def redemptions(warehouse: Warehouse, programs: Sequence[Program], sold: ir.Table) -> ir.Table:
    """Orders with the very code that a message carried, kept: of the message program, stage, arm, customer_id and episode; ordered_at."""
    touches = warehouse.current("touches")
    given = touches.filter(touches.program.isin([one.name for one in programs]), touches.code != "")
    coded = sold.filter(sold.code != "").select("customer_id", "ordered_at", "code")
    given = given.select("program", "stage", "arm", "customer_id", "episode", "code")
    return warehouse.keep(given.join(coded, ["customer_id", "code"]).drop("code"))


def _since(warehouse: Warehouse, sold: ir.Table, instants: ir.TimestampColumn) -> ir.Table:
    """The orders from the first of some instants on."""
    earliest = warehouse.scalar(instants.min())
    return sold if earliest is None else sold.filter(sold.ordered_at >= ibis.literal(earliest))


def _whose(spans: ir.Table) -> list[str]:
    """What a message or a code belongs to, as far as spans tell it apart."""
    return [name for name in ("program", "customer_id", "episode") if name in spans.columns]


def _within(rows: ir.Table, at: str, spans: ir.Table, by: Sequence[str] = ("customer_id",)) -> ir.Table:
    """Rows in the spans of their customers, with the span and its since."""
    joined = rows.join(spans.select(*by, "span", "since", "until"), list(by))
    return joined.filter(joined[at] >= joined.since, joined[at] < joined.until)


def _bought(warehouse: Warehouse, sold: ir.Table, spans: ir.Table, window: Window, longest: int) -> ir.Table:
    told = _within(sold.drop("code"), "ordered_at", spans)
    if window.sold is None:
        told = order_margins(warehouse, warehouse.keep(told), window)
    sums: dict[str, ir.Value] = {
        "orders": told.count(), "spend": purchases.exact_sum(told.spend), "gross_margin": purchases.exact_sum(told.margin),
        "first_order_at": told.ordered_at.min(),
    }
    if longest:
        period = (told.ordered_at.epoch_seconds() - told.since.epoch_seconds()) // (PERIOD * DAY)
        seen = [(period == number).any().cast("int64") for number in range(-(-longest // PERIOD))]
        sums["periods"] = sum(seen[1:], seen[0])
        sums["purchase_days"] = (told.purchase_day.max() > told.purchase_day.min()).ifelse(2, 1)
    return told.group_by("span").aggregate(**sums)


def order_margins(warehouse: Warehouse, orders: ir.Table, window: Window) -> ir.Table:
    """Adds spend and margin (minor units) to orders, by the same arithmetic as the profile's."""
    lines, products = warehouse.current("order_lines"), warehouse.current("products")
    mine = lines.semi_join(orders, "order_id").left_join(products.select("product_id", unit_cost="cost"), "product_id")
    mine = mine.select("order_id", "amount", earned=purchases.earned(mine, window.margin))
    basket = mine.group_by("order_id").aggregate(amount=purchases.exact_sum(mine.amount), earned=purchases.exact_sum(mine.earned))
    returns = warehouse.current("returns")
    seen = returns.filter(returns.returned_at < ibis.literal(window.as_of.naive), returns.order_id.notnull())
    back = seen.group_by("order_id").aggregate(returned=seen.amount.sum().cast("int64"))
    whole = orders.left_join(basket, "order_id").drop("order_id_right").left_join(back, "order_id").drop("order_id_right")
    whole = whole.mutate(
        **{name: whole[name].fill_null(0) for name in ("amount", "earned", "returned")},
        spend=whole.net, bare=(whole.lines == 0).ifelse(whole.net, 0),
    )
    return whole.mutate(margin=purchases.margin(whole, window.margin))


def _sent(past: Past, programs: Sequence[Program], spans: ir.Table, window: Window) -> ir.Table:
    """What the messages of a round cost within its spans."""
    mine = past.contacts.filter(past.contacts.program.isin([one.name for one in programs]))
    mine = mine.select("program", "customer_id", "episode", "channel", sent_at="as_of")
    costs = {name: round(window.shop.minor(cost) * MILLI) for name, cost in window.shop.channel_costs.items()}
    met = _within(mine, "sent_at", spans, _whose(spans))
    return met.group_by("span").aggregate(messages_milli=purchases.exact_sum(met.channel.cases(*costs.items(), else_=0)))


def _redeemed(warehouse: Warehouse, programs: Sequence[Program], sold: ir.Table, spans: ir.Table, window: Window) -> ir.Table:
    """Redemptions, and what their offers cost besides a lower price, such as the delivery."""
    costs = {
        f"{program.name}:{stage.name}:{arm.name}": round(window.shop.minor(window.offers[arm.offer].unit_cost))
        for program in programs for stage in program.stages for arm in stage.arms if not window.offers[arm.offer].price
    }
    used = redemptions(warehouse, programs, sold) if window.redeemed is None else window.redeemed
    met = _within(used, "ordered_at", spans, _whose(spans))
    offered = met.program + ":" + met.stage + ":" + met.arm
    cost = offered.cases(*costs.items(), else_=0) if costs else ibis.literal(0)
    return met.group_by("span").aggregate(redeemed=met.count(), incentives=purchases.exact_sum(cost))


def _activated(warehouse: Warehouse, spans: ir.Table) -> ir.Table:
    events = warehouse.current("events")
    met = _within(events.filter(events.name.isin(ACTIVATION)).select("customer_id", "occurred_at"), "occurred_at", spans)
    return met.group_by("span").aggregate(active=met.count())


def _opted_out(warehouse: Warehouse, spans: ir.Table) -> ir.Table:
    """Who took a consent to marketing back, whether or not it was given again since."""
    words = warehouse.table("consents")
    taken = words.filter(words.purpose == MARKETING, ~words.granted).select("customer_id", "recorded_at").distinct()
    met = _within(taken, "recorded_at", spans)
    return met.group_by("span").aggregate(opted_out=met.count())
