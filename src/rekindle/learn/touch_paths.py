"""Which messages of a round came before each of its orders, as sums by set and by place.

Knows nothing of how credit is shared. The engine reduces; what comes out has a row for each set of channels that occurred.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.decide.due import Past
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.insight.models import Interval
from rekindle.insight.purchases import exact_sum
from rekindle.learn import attribution, outcomes
from rekindle.learn.attribution import Credit, Placed, Shares
from rekindle.program.documents import Program

BY = ("channel", "stage")
"""What credit is shared over."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Whose orders are looked at.

    Args:
        entered: Rounds, from `outcomes.rounds`.
        days: How long each is watched; younger rounds are left out.
        caused: The program's lift in all, minor units; or why it is not known.
    """

    entered: ir.Table
    days: int
    caused: Interval | CannotTell


def credit_of(warehouse: Warehouse, past: Past, program: Program, window: outcomes.Window, counted: Counted) -> Credit | CannotTell:
    """The credit of a program's channels and stages, over the very rounds that its lift is of.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        program: The program.
        window: What is counted.
        counted: Whose orders.
    """
    if not counted.days:
        return CannotTell("no round is old enough to be counted")
    with warehouse.forgetting():
        orders = warehouse.keep(_orders(warehouse, window, _spans(program, counted)))
        paths = warehouse.keep(_paths(past, program, orders))
        whole = warehouse.row(orders.aggregate(margin=exact_sum(orders.margin), orders=orders.count()))
        after = orders.semi_join(paths, "order_id")
        met = warehouse.row(after.aggregate(margin=exact_sum(after.margin), orders=after.count()))
        if not met["orders"]:
            return CannotTell("no order has followed a message yet")
        by = {name: _shares(warehouse, paths, name) for name in BY}
    followed = float(met["margin"])
    return attribution.credit(by, followed, float(whole["margin"]) - followed, counted.caused)


def _spans(program: Program, counted: Counted) -> ir.Table:
    entered = counted.entered
    mine = entered.filter(entered.program == program.name) if "program" in entered.columns else entered
    old = mine.filter(mine.standing == "treated", mine.age_days >= counted.days)
    return old.select("customer_id", since=old.entered_at, until=old.entered_at + ibis.interval(days=counted.days))


def _orders(warehouse: Warehouse, window: outcomes.Window, spans: ir.Table) -> ir.Table:
    """Orders within the spans: order_id, customer_id, ordered_at, since, margin (minor units)."""
    sold = window.sold
    if sold is None:
        plain = purchases.sales(warehouse, window.as_of).semi_join(spans, "customer_id")
        sold = outcomes.order_margins(warehouse, warehouse.keep(plain), window)
    joined = sold.select("customer_id", "order_id", "ordered_at", "margin").join(spans, "customer_id")
    return joined.filter(joined.ordered_at >= joined.since, joined.ordered_at < joined.until).drop("until")


def _paths(past: Past, program: Program, orders: ir.Table) -> ir.Table:
    """Every message before every order: order_id, channel, stage, margin (the order's), place (from 0), messages (before the order)."""
    sent = past.contacts.filter(past.contacts.program == program.name)
    sent = sent.select("customer_id", "stage", "channel", "as_of", sent_at=sent.send_at.fill_null(sent.as_of))
    joined = orders.join(sent, "customer_id")
    before = joined.filter(joined.as_of >= joined.since, joined.sent_at < joined.ordered_at)
    of_order = ibis.window(group_by="order_id", order_by=["sent_at", "stage"])
    return before.select(
        "order_id", "channel", "stage", "margin", place=ibis.row_number().over(of_order),
        messages=before.count().over(ibis.window(group_by="order_id")),
    )


def _shares(warehouse: Warehouse, paths: ir.Table, by: str) -> dict[str, Shares]:
    names = warehouse.arrow(paths.select(by).distinct().order_by(by))[by].to_pylist()
    placed = _placed(warehouse, paths, by)
    return {
        "last_touch": attribution.last_touch(placed),
        "position": attribution.position(placed),
        "shapley": attribution.shapley(_coalitions(warehouse, paths, by, names)),
    }


def _coalitions(warehouse: Warehouse, paths: ir.Table, by: str, names: list[str]) -> dict[frozenset[str], float]:
    """Set of names to the margin of the orders before which just those occurred."""
    bits = paths[by].cases(*((name, 1 << number) for number, name in enumerate(names)), else_=0).cast("int64")
    different = paths.select("order_id", "margin", bit=bits).distinct()
    sets = different.group_by("order_id", "margin").aggregate(members=different.bit.sum())
    sums = warehouse.arrow(sets.group_by("members").aggregate(margin=exact_sum(sets.margin)).order_by("members")).to_pylist()
    return {
        frozenset(name for number, name in enumerate(names) if row["members"] >> number & 1): float(row["margin"]) for row in sums
    }


def _placed(warehouse: Warehouse, paths: ir.Table, by: str) -> list[Placed]:
    place = ibis.cases(
        (paths.messages == 1, "only"), (paths.place == 0, "first"), (paths.place == paths.messages - 1, "last"), else_="between"
    )
    rows = paths.select("messages", "margin", name=paths[by], place=place)
    sums = rows.group_by("name", "place", "messages").aggregate(margin=exact_sum(rows.margin)).order_by("name", "place", "messages")
    found = warehouse.arrow(sums).to_pylist()
    return [Placed(row["name"], row["place"], row["messages"], float(row["margin"])) for row in found]
