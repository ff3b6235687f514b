"""Which messages of a round came before each of its orders, as sums by set and by place.

Knows nothing of how credit is shared. The engine reduces; what comes out has a row for each set of channels that occurred.
"""

from collections.abc import Mapping
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

BY = ("channel", "stage")
"""What credit is shared over."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Which of a program's orders are looked at.

    Args:
        days: How long each round is watched; younger rounds are left out.
        caused: The program's lift in all, minor units; or why it is not known.
    """

    days: int
    caused: Interval | CannotTell


def credits_of(
    warehouse: Warehouse, past: Past, window: outcomes.Window, entered: ir.Table, programs: Mapping[str, Counted]
) -> dict[str, Credit | CannotTell]:
    """The credit of programs' channels and stages, over the very rounds that their lifts are of, in one pass over all of them.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        window: What is counted.
        entered: Their rounds, from `outcomes.rounds`, kept.
        programs: By name.
    """
    watched = {name: one.days for name, one in programs.items() if one.days}
    found: dict[str, Credit | CannotTell] = {name: CannotTell("no round is old enough to be counted") for name in programs}
    if not watched:
        return found
    with warehouse.forgetting():
        orders = warehouse.keep(_orders(warehouse, window, _spans(entered, watched)))
        paths = warehouse.keep(_paths(past, orders))
        after = orders.semi_join(paths, ["program", "order_id"])
        whole, met = (_margins(warehouse, rows) for rows in (orders, after))
        shares = {by: _shares(warehouse, paths, by) for by in BY} if met else {}
    for name in watched:
        found[name] = CannotTell("no order has followed a message yet")
        if name in met:
            mine = {by: parts[name] for by, parts in shares.items()}
            found[name] = attribution.credit(mine, met[name], whole[name] - met[name], programs[name].caused)
    return found


def _margins(warehouse: Warehouse, orders: ir.Table) -> dict[str, float]:
    rows = warehouse.arrow(orders.group_by("program").aggregate(margin=exact_sum(orders.margin))).to_pylist()
    return {row["program"]: float(row["margin"]) for row in rows}


def _spans(entered: ir.Table, days: Mapping[str, int]) -> ir.Table:
    old = entered.filter(entered.standing == "treated", entered.program.isin(list(days)))
    old = old.mutate(days=old.program.cases(*days.items(), else_=0))
    old = old.filter(old.age_days >= old.days)
    return old.select("program", "customer_id", since=old.entered_at, until=old.entered_at + old.days.as_interval("D"))


def _orders(warehouse: Warehouse, window: outcomes.Window, spans: ir.Table) -> ir.Table:
    """Orders within the spans: program, order_id, customer_id, ordered_at, since, margin (minor units)."""
    sold = window.sold
    if sold is None:
        plain = purchases.sales(warehouse, window.as_of).semi_join(spans, "customer_id")
        sold = outcomes.order_margins(warehouse, warehouse.keep(plain), window)
    joined = sold.select("customer_id", "order_id", "ordered_at", "margin").join(spans, "customer_id")
    return joined.filter(joined.ordered_at >= joined.since, joined.ordered_at < joined.until).drop("until")


def _paths(past: Past, orders: ir.Table) -> ir.Table:
    """Every message before every order: program, order_id, channel, stage, margin (the order's), place (from 0), messages (before it)."""
    contacts = past.contacts
    sent = contacts.select("program", "customer_id", "stage", "channel", "as_of", sent_at=contacts.send_at.fill_null(contacts.as_of))
    joined = orders.join(sent, ["program", "customer_id"])
    before = joined.filter(joined.as_of >= joined.since, joined.sent_at < joined.ordered_at)
    order = ["program", "order_id"]
    return before.select(
        *order, "channel", "stage", "margin", messages=before.count().over(ibis.window(group_by=order)),
        place=ibis.row_number().over(ibis.window(group_by=order, order_by=["sent_at", "stage"])),
    )


def _shares(warehouse: Warehouse, paths: ir.Table, by: str) -> dict[str, dict[str, Shares]]:
    """Program to method to shares."""
    placed, sets = _placed(warehouse, paths, by), _coalitions(warehouse, paths, by)
    return {
        name: {
            "last_touch": attribution.last_touch(placed[name]),
            "position": attribution.position(placed[name]),
            "shapley": attribution.shapley(sets[name]),
        }
        for name in placed
    }


def _coalitions(warehouse: Warehouse, paths: ir.Table, by: str) -> dict[str, dict[frozenset[str], float]]:
    """Program to the sets of names that came before an order, each with the margin of the orders before which just those did."""
    names = warehouse.arrow(paths.select(by).distinct().order_by(by))[by].to_pylist()
    bits = paths[by].cases(*((name, 1 << number) for number, name in enumerate(names)), else_=0).cast("int64")
    different = paths.select("program", "order_id", "margin", bit=bits).distinct()
    sets = different.group_by("program", "order_id", "margin").aggregate(members=different.bit.sum())
    sums = sets.group_by("program", "members").aggregate(margin=exact_sum(sets.margin)).order_by("program", "members")
    found: dict[str, dict[frozenset[str], float]] = {}
    for row in warehouse.arrow(sums).to_pylist():
        members = frozenset(name for number, name in enumerate(names) if row["members"] >> number & 1)
        found.setdefault(row["program"], {})[members] = float(row["margin"])
    return found


def _placed(warehouse: Warehouse, paths: ir.Table, by: str) -> dict[str, list[Placed]]:
    place = ibis.cases(
        (paths.messages == 1, "only"), (paths.place == 0, "first"), (paths.place == paths.messages - 1, "last"), else_="between"
    )
    rows = paths.select("program", "messages", "margin", name=paths[by], place=place)
    key = ("program", "name", "place", "messages")
    found: dict[str, list[Placed]] = {}
    for row in warehouse.arrow(rows.group_by(*key).aggregate(margin=exact_sum(rows.margin)).order_by(*key)).to_pylist():
        found.setdefault(row["program"], []).append(Placed(row["name"], row["place"], row["messages"], float(row["margin"])))
    return found
