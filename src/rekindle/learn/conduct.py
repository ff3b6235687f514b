"""How a store behaved towards its customers in a period: messages, complaints, opt-outs, and whether any cap was broken.

Knows nothing of what it was worth. Reduces in the engine; a complaint and an opt-out count for the program that wrote last before them,
and those that no message came before, such as a contact imported without consent, count for none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from rekindle.decide.arbitration import Limit, limits
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import NOTHING, Offer, Rules

HANDED_OVER = ("sent", "unknown")
"""What a touch ended in that may have reached its customer."""

COMPLAINT = "Email Marked as Spam"
ECHO = timedelta(days=30)
"""A complaint or an opt-out is about a message of so many days before at most."""


@dataclass(frozen=True, slots=True)
class Reception:
    """How a program's messages were received.

    Args:
        program: Its name.
        channel: By which they went.
        handed_over: Messages.
        complaints: Customers who called one spam.
        opt_outs: Customers who took a consent back after one.
    """

    program: str
    channel: str
    handed_over: int
    complaints: int
    opt_outs: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A cap, and how often it was not kept.

    Args:
        reason: Which cap, as refusals call it.
        touches: The most messages.
        days: Of the window.
        messages: Handed over that fall under it.
        breaches: Messages among them that were one too many.
        customers: Who got one.
    """

    reason: str
    touches: int
    days: int
    messages: int
    breaches: int
    customers: int


@dataclass(frozen=True, slots=True)
class Period:
    """From an instant on, up to before another; naive UTC."""

    since: datetime
    until: datetime

    def holds(self, at: ir.TimestampValue) -> ir.BooleanValue:
        """Whether an instant lies in it."""
        return (at >= ibis.literal(self.since)) & (at < ibis.literal(self.until))


def receptions(warehouse: Warehouse, period: Period) -> tuple[Reception, ...]:
    """How the messages of each program and channel were received, by their names.

    Args:
        warehouse: Its open history.
        period: Of messages, complaints and opt-outs alike.
    """
    touches = warehouse.current("touches")
    sent = touches.filter(touches.status.isin(HANDED_OVER)).select("customer_id", "program", "channel", "settled_at")
    mine = sent.filter(period.holds(sent.settled_at))
    handed = mine.group_by("program", "channel").aggregate(n=mine.count())
    events, words = warehouse.current("events"), warehouse.current("consents")
    complained = events.filter(events.name == COMPLAINT).select("customer_id", at="occurred_at")
    refused = words.filter(words.purpose == "marketing", ~words.granted).select("customer_id", at="recorded_at")
    found: dict[tuple[str, str], dict[str, int]] = {}
    counted = {"handed_over": handed, "complaints": _after(sent, complained, period), "opt_outs": _after(sent, refused, period)}
    for name, rows in counted.items():
        for row in warehouse.arrow(rows).to_pylist():
            found.setdefault((row["program"], row["channel"]), {})[name] = row["n"]
    return tuple(Reception(*key, *(found[key].get(name, 0) for name in counted)) for key in sorted(found))


def _after(sent: ir.Table, heard: ir.Table, period: Period) -> ir.Table:
    """Customers who were heard of in a period, by program and channel of the last message before: program, channel, n."""
    once = heard.filter(period.holds(heard["at"])).group_by("customer_id").aggregate(at=heard["at"].min())
    joined = once.left_join(sent, ["customer_id"]).drop("customer_id_right")
    near = (joined.settled_at <= joined["at"]) & (joined.settled_at > joined["at"] - ibis.interval(days=ECHO.days))
    last = ibis.struct({"at": joined.settled_at, "program": joined.program, "channel": joined.channel}).max(where=near)
    named = joined.group_by("customer_id").aggregate(last=last)
    told = named.mutate(program=named.last["program"], channel=named.last["channel"])
    return told.filter(told.program.notnull()).group_by("program", "channel").aggregate(n=ibis._.count())


def caps_kept(
    warehouse: Warehouse, rules: Rules, offers: Mapping[str, Offer], services: Iterable[str], period: Period
) -> tuple[Kept, ...]:
    """Every cap of the rules with the messages that broke it: those that were decided within its window of too many before.

    Args:
        warehouse: Its open history.
        rules: The approved ones; decisions of before they were approved are not to be held to them.
        offers: By name.
        services: Programs whose messages no cap counts.
        period: Of decisions.
    """
    journal, touches = warehouse.table("journal"), warehouse.current("touches")
    drawn = journal.filter(journal.reason.isnull(), journal.arm.notnull(), journal.arm != NOTHING, journal["as_of"] < period.until)
    marketing = drawn.filter(~drawn.program.isin(sorted(services) or [""]))
    sent = touches.filter(touches.status.isin(HANDED_OVER)).select("customer_id", "program", "stage", "episode")
    rows = warehouse.keep(marketing.semi_join(sent, ["customer_id", "program", "stage", "episode"]))
    return tuple(_kept(warehouse, rows, one, period) for one in limits(rules, offers))


def _kept(warehouse: Warehouse, rows: ir.Table, cap: Limit, period: Period) -> Kept:
    mine = rows.filter(cap.falls(rows).fill_null(False))
    before = mine.as_of.lag(cap.touches).over(ibis.window(group_by="customer_id", order_by=["as_of", "program", "stage", "episode"]))
    told = mine.mutate(before=before)
    close = (told.before > told.as_of - ibis.interval(days=cap.days)).fill_null(False)
    seen = told.filter(period.holds(told.as_of)).mutate(close=close)
    row = warehouse.row(
        seen.aggregate(
            messages=seen.count(), breaches=seen.close.cast("int64").sum().fill_null(0),
            customers=seen.customer_id.nunique(where=seen.close),
        )
    )
    return Kept(cap.reason, cap.touches, cap.days, row["messages"], row["breaches"], row["customers"] or 0)
