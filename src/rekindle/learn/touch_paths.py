"""Which messages of a round came before each of its orders, as sums by path.

Knows nothing of how credit is shared. The engine reduces; what comes out has a row for each sequence of messages that occurred.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.decide.due import Past
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.insight.customer_parts import among
from rekindle.insight.models import Interval
from rekindle.insight.purchases import exact_sum
from rekindle.learn import attribution, outcomes
from rekindle.learn.attribution import Credit, Place, Placed, Shares

BY = ("channel", "stage")
"""What credit is shared over."""

BESIDE, AFTER = ":", "|"
"""Between a message's channel and stage, and between messages, in a path as text."""

Path = tuple[tuple[str, ...], ...]
"""Of every message before an order what `BY` names, the earliest first."""


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
    whole: dict[str, float] = {}
    paths: dict[str, dict[Path, float]] = {}
    for part, mine, theirs in outcomes.by_parts(past, window, warehouse.scalar(entered.count())):
        with warehouse.forgetting():
            orders = warehouse.keep_numbered(_orders(warehouse, theirs, _spans(among(entered, part), watched)), "number")
            for row in warehouse.arrow(orders.group_by("program").aggregate(margin=exact_sum(orders.margin))).to_pylist():
                whole[row["program"]] = whole.get(row["program"], 0.0) + row["margin"]
            for row in warehouse.arrow(_paths(mine, orders)).to_pylist():
                known, path = paths.setdefault(row["program"], {}), tuple(tuple(one.split(BESIDE)) for one in row["path"].split(AFTER))
                known[path] = known.get(path, 0.0) + row["margin"]
    for name in watched:
        found[name] = CannotTell("no order has followed a message yet")
        if name in paths:
            shares = {by: _shares(paths[name], place) for place, by in enumerate(BY)}
            met = sum(paths[name].values())
            found[name] = attribution.credit(shares, met, whole[name] - met, programs[name].caused)
    return found


def _spans(entered: ir.Table, days: Mapping[str, int]) -> ir.Table:
    old = entered.filter(entered.standing == "treated", entered.program.isin(list(days)))
    old = old.mutate(days=old.program.cases(*days.items(), else_=0))
    old = old.filter(old.age_days >= old.days)
    return old.select("program", "customer_id", since=old.entered_at, until=old.entered_at + old.days.as_interval("D"))


def _orders(warehouse: Warehouse, window: outcomes.Window, spans: ir.Table) -> ir.Table:
    """Orders within the spans: program, customer_id, ordered_at, since, margin (minor units)."""
    sold = window.sold
    if sold is None:
        plain = purchases.sales(warehouse, window.as_of).semi_join(spans, "customer_id")
        sold = outcomes.order_margins(warehouse, warehouse.keep(plain), window)
    joined = sold.select("customer_id", "ordered_at", "margin").join(spans, "customer_id")
    return joined.filter(joined.ordered_at >= joined.since, joined.ordered_at < joined.until).drop("until")


def _paths(past: Past, orders: ir.Table) -> ir.Table:
    """The messages before orders in their order, as far as there are any: program, path, margin (of all its orders)."""
    contacts = past.contacts
    sent = contacts.select("program", "customer_id", "stage", "channel", "as_of", sent_at=contacts.send_at.fill_null(contacts.as_of))
    joined = orders.join(sent, ["program", "customer_id"])
    before = joined.filter(joined.as_of >= joined.since, joined.sent_at < joined.ordered_at)
    message = ibis.struct({"sent_at": before.sent_at, "stage": before.stage, "channel": before.channel})
    each = before.group_by("program", "number", "margin").aggregate(messages=message.collect())
    told = each.mutate(path=each.messages.sort().map(lambda one: one["channel"] + BESIDE + one["stage"]).join(AFTER))
    return told.group_by("program", "path").aggregate(margin=exact_sum(told.margin)).order_by("program", "path")


def _shares(paths: Mapping[Path, float], place: int) -> dict[str, Shares]:
    """Method to shares, over what stands at a place of `BY`."""
    placed, sets = [], dict[frozenset[str], float]()
    for path, margin in paths.items():
        names = [message[place] for message in path]
        placed += [Placed(name, _place(number, len(names)), len(names), margin) for number, name in enumerate(names)]
        sets[frozenset(names)] = sets.get(frozenset(names), 0.0) + margin
    return {
        "last_touch": attribution.last_touch(placed), "position": attribution.position(placed), "shapley": attribution.shapley(sets),
    }  # fmt: skip


def _place(number: int, messages: int) -> Place:
    if messages == 1:
        return "only"
    return "first" if number == 0 else "last" if number == messages - 1 else "between"
