"""Which purchases met with friction and after which of them a silence followed, reduced to a table of cells with counts.

Knows nothing of the estimate. A purchase is a customer's purchase day. A lapse after it is a silence of twice the customer's own rhythm as
it was known on that day; a purchase is looked at once that time, and the time in which friction shows, are over.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight import price_rise, purchases
from rekindle.insight.friction import AFTER_DAYS, BAD_RATING
from rekindle.insight.friction_effect import ANSWERED, COVARIATES, RANK
from rekindle.moment import AsOf

FLAGS = (*RANK, ANSWERED)
UNANSWERED_DAYS = 7
"""A ticket that has no answer for so long counts as unanswered (assumed)."""

RHYTHMS, SHORTEST, LONGEST = 2, 28, 365
"""A silence is a lapse from so many rhythms on, and within these days: as the stage `lapsing` has it."""

LEAN = 2
"""Gaps of the store's mean length that a customer's own are drawn towards (assumed)."""

CATEGORIES = 11
"""Categories told apart, the most bought; the others, and unknown ones, are one."""

MOST = 2_000_000
"""Purchases that effects are estimated on at most, give or take."""

MIX = ("category", "second")
_MONTHS = 3


def table(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Every purchase before the instant with its frictions.

    Returns:
        customer_id, day, net (minor units), category and second (that most was spent on; null where unknown or there is none), and a
        boolean per `FLAGS`.
    """
    orders = purchases.sales(warehouse, as_of)
    days = orders.group_by("customer_id", day=orders.purchase_day).aggregate(
        net=purchases.exact_sum(orders.net), began=orders.ordered_at.min(), ended=orders.ordered_at.max()
    )
    days = warehouse.keep(days)
    met = ibis.union(*_met(warehouse, orders, days, as_of))
    flags = met.group_by("customer_id", "day").aggregate(**{kind: (met.kind == kind).any() for kind in FLAGS})
    whole = _beside(_beside(days, _categories(warehouse, as_of)), flags)
    return whole.select("customer_id", "day", "net", *MIX, **{kind: whole[kind].fill_null(False) for kind in FLAGS})


def _beside(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, ["customer_id", "day"]).drop("customer_id_right", "day_right")


def _categories(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """The two categories that most was spent on in each purchase; of equals the first by name."""
    products = warehouse.current("products")
    numbered = warehouse.keep(purchases.categories(products))
    facts = products.select("product_id", "category").join(numbered, "category").select("product_id", "category_no")
    lines = purchases.sold_lines(warehouse, as_of).join(facts, "product_id")
    spent = lines.group_by("customer_id", "category_no", day=lines.purchase_day).aggregate(amount=purchases.exact_sum(lines.amount))
    place = ibis.row_number().over(group_by=["customer_id", "day"], order_by=[ibis.desc("amount"), "category_no"])
    spent = spent.mutate(place=place).filter(lambda t: t.place < 2).left_join(numbered, "category_no")
    names = {name: (spent.place == at).ifelse(spent.category, ibis.null("string")).max() for at, name in enumerate(MIX)}
    return spent.group_by("customer_id", "day").aggregate(**names)


def _met(warehouse: Warehouse, orders: ir.Table, days: ir.Table, as_of: AsOf) -> tuple[ir.Table, ...]:
    """customer_id, day and kind of every friction that belongs to a purchase."""
    seen = ibis.literal(as_of.naive)
    facts = _facts(warehouse, as_of)
    facts = facts.filter(facts.at < seen)
    named = orders.select("order_id", "ordered_at", day="purchase_day")
    linked = facts.filter(facts.order_id.notnull()).join(named, "order_id")
    linked = linked.filter(linked.at < linked.ordered_at + ibis.interval(days=AFTER_DAYS))
    following = days.mutate(next_at=days.began.lead(1).over(group_by="customer_id", order_by="day"))
    loose = facts.filter(facts.order_id.isnull()).drop("order_id").join(following, "customer_id")
    before_next = loose.next_at.isnull() | (loose.at < loose.next_at)
    loose = loose.filter(loose.at >= loose.began, loose.at < loose.began + ibis.interval(days=AFTER_DAYS), before_next)
    events = warehouse.current("events")
    missed = events.filter(events.name == "Product Unavailable", events.occurred_at < seen).join(days, "customer_id")
    on_the_way = missed.filter(missed.occurred_at > missed.began - ibis.interval(days=1), missed.occurred_at <= missed.ended)
    return (
        linked.select("customer_id", "day", "kind"),
        loose.select("customer_id", "day", "kind"),
        on_the_way.select("customer_id", "day", kind=ibis.literal("stockout")),
        price_rise.rises(warehouse, as_of).select("customer_id", day="purchase_day", kind=ibis.literal("price_rise")),
    )


def _facts(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Frictions that name an order or follow a purchase: customer_id, order_id, kind, at."""
    seen = ibis.literal(as_of.naive)
    shipments, returns = warehouse.current("shipments"), warehouse.current("returns")
    reviews, tickets = warehouse.current("reviews"), warehouse.current("tickets")
    missing = shipments.delivered_at.isnull() | (shipments.delivered_at >= seen)
    late = shipments.filter((shipments.delivered_at > shipments.promised_at) | missing)
    goods = (returns.quantity.fill_null(1) > 0).ifelse("return", "refund")
    bad = reviews.filter(reviews.rating <= BAD_RATING)
    waiting = tickets.closed_at.isnull() | (tickets.closed_at > tickets.opened_at + ibis.interval(days=UNANSWERED_DAYS))
    return ibis.union(
        late.select("customer_id", "order_id", kind=ibis.literal("late_delivery"), at="promised_at"),
        returns.select("customer_id", "order_id", kind=goods, at="returned_at"),
        bad.select("customer_id", "order_id", kind=ibis.literal("bad_review"), at="reviewed_at"),
        tickets.select("customer_id", "order_id", kind=waiting.ifelse("open_ticket", ANSWERED), at="opened_at"),
    )


def followed(warehouse: Warehouse, bought: ir.Table, as_of: AsOf) -> ir.Table:
    """Purchases that are old enough to tell, with what followed.

    Args:
        warehouse: Runs one aggregate: the store's mean gap.
        bought: From `table`.
        as_of: The instant.

    Returns:
        What `bought` has, and number (from 1), tenure (days since the first purchase), rhythm and horizon (days), lapsed, gap (days to
        the next purchase, null without one), and next_ of both categories and of every flag.
    """
    mine = ibis.window(group_by="customer_id", order_by="day")
    following = {f"next_{name}": bought[name].lead(1).over(mine) for name in ("day", *MIX, *FLAGS)}
    placed = bought.mutate(number=ibis.row_number().over(mine) + 1, first=bought.day.min().over(group_by="customer_id"), **following)
    placed = placed.mutate(gap=_days(placed.next_day, placed.day), tenure=_days(placed.day, placed.first))
    placed = warehouse.keep(placed)
    mean = warehouse.scalar(placed.gap.mean())
    usual = LEAN * (mean or LONGEST / RHYTHMS)
    rhythm = (placed.tenure + usual) / (placed.number - 1 + LEAN)
    placed = placed.mutate(rhythm=rhythm, horizon=(RHYTHMS * rhythm).round().clip(SHORTEST, LONGEST).cast("int64"))
    age = _days(ibis.literal(as_of.last_day), placed.day)
    old = placed.filter(age >= ibis.greatest(placed.horizon, AFTER_DAYS))
    return warehouse.keep(old.mutate(lapsed=(old.gap > old.horizon).fill_null(True)))


def cells(warehouse: Warehouse, followed: ir.Table) -> ir.Table:
    """The cells of `friction_effect.effect`: what followed a friction of the purchase itself."""
    return _reduced(warehouse, followed, followed.day)


def placebo(warehouse: Warehouse, followed: ir.Table, as_of: AsOf) -> ir.Table:
    """The same cells with the frictions of the purchase after the silence, which cannot have caused it.

    Only purchases that another followed, early enough before the instant for its frictions to show. Categories and season are those of the
    other purchase: they decide which frictions it meets.
    """
    other = followed.filter(followed.next_day.notnull() & (_days(ibis.literal(as_of.last_day), followed.next_day) >= AFTER_DAYS))
    names = {name: other[f"next_{name}"] for name in (*MIX, *FLAGS)}
    return _reduced(warehouse, other.mutate(**names), other.next_day)


def _reduced(warehouse: Warehouse, rows: ir.Table, day: ir.DateValue) -> ir.Table:
    rows = _sampled(warehouse, rows.mutate(dated=day))
    counted = rows.filter(rows.category.notnull()).group_by("category").aggregate(n=lambda t: t.count())
    top = warehouse.arrow(counted.order_by(ibis.desc("n"), "category").limit(CATEGORIES))["category"].to_pylist()
    limits = warehouse.row(rows.aggregate(**{f"q{part}": rows.net.quantile(part / 4) for part in (1, 2, 3)}))
    digits = rows.customer_id.hexdigest("md5")
    hexadecimal = ibis.literal("0123456789abcdef")
    quarter = rows.dated.year() * 4 + (rows.dated.month() - 1) // _MONTHS
    keyed = rows.select(
        *FLAGS,
        lapsed=rows.lapsed.ifelse(1, 0),
        number=_band(rows.number, (2, 3, 5)),
        tenure=_band(rows.tenure, (1, 90, 180, 365)),
        value=_band(rows.net, tuple(limits[f"q{part}"] or 0 for part in (1, 2, 3))),
        **{name: _numbered(rows[name], top) for name in MIX},
        season=(quarter - quarter.min().over()).cast("int64"),
        bucket=hexadecimal.find(digits.substr(0, 1)) * 4 + (hexadecimal.find(digits.substr(1, 1)) / 4).floor().cast("int64"),
    )
    by = [*FLAGS, *COVARIATES, "bucket"]
    return keyed.group_by(*by).aggregate(n=keyed.count(), lapses=keyed.lapsed.sum()).order_by(*by)


def _sampled(warehouse: Warehouse, rows: ir.Table) -> ir.Table:
    """All purchases, or those of customers drawn by a hash of the id where there are over `MOST`."""
    total = warehouse.scalar(rows.count())
    if total <= MOST:
        return rows
    return rows.filter(rows.customer_id.hexdigest("md5")[2:8] < f"{round(MOST / total * 16**6):06x}")


def _numbered(category: ir.StringValue, top: list[str]) -> ir.IntegerValue:
    """A number from 1 for each of the most bought categories, 0 for all others and for none."""
    known = category.fill_null("")
    return known.cases(*((name, at) for at, name in enumerate(top, 1)), else_=0) if top else known.length() * 0


def _band(value: ir.NumericValue, edges: tuple[float, ...]) -> ir.IntegerValue:
    """0 below the first edge, 1 from it to below the next, and so on."""
    return ibis.cases(*((value < edge, at) for at, edge in enumerate(edges)), else_=len(edges))


def _days(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    return later.delta(earlier, unit="day").cast("int64")
