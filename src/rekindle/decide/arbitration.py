"""Which of a customer's messages go now, over all programs and channels together, and from when on the others may come again.

Knows nothing of how a variant was drawn. A customer's messages are taken one after another, the highest expected net margin first; each
passes while every cap that it falls under has room. Service messages are apart: they are never put off, and count for no cap.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Offer, Rules


@dataclass(frozen=True, slots=True)
class Question:
    """What messages are weighed against each other by.

    Args:
        rules: Caps.
        as_of: The instant.
        offers: By name.
        own_caps: customer_id, own_cap: what holds for a tired customer in place of the store's cap, null where the store's does; None
            where nobody has one.
    """

    rules: Rules
    as_of: AsOf
    offers: Mapping[str, Offer]
    own_caps: ir.Table | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap: so many messages of some sort in a rolling window.

    Args:
        reason: What a message is put off for, a key of `guardrails.REASONS`.
        touches: The most messages.
        days: The window.
        falls: Which rows of a table with program and offer fall under it.
    """

    reason: str
    touches: int
    days: int
    falls: Callable[[ir.Table], ir.BooleanValue]


def limits(rules: Rules, offers: Mapping[str, Offer]) -> tuple[Limit, ...]:
    """Every cap of the rules, the one over everything first; the first that has no room is the reason.

    The least time between two messages is a cap of one message in that time.
    """
    caps = rules.caps
    found = [Limit("cap_reached", caps.touches, caps.per_days, _all)]
    for program, cap in caps.programs.items():
        found.append(Limit("program_cap_reached", cap.touches, cap.per_days, _of_program(program)))
    for kind, cap in caps.kinds.items():
        names = [name for name, offer in offers.items() if offer.kind == kind]
        found.append(Limit("kind_cap_reached", cap.touches, cap.per_days, _with_offer(names)))
    if caps.price_offers is not None:
        priced = [name for name, offer in offers.items() if offer.price]
        found.append(Limit("price_cap_reached", caps.price_offers.touches, caps.price_offers.per_days, _with_offer(priced)))
    if caps.gap_days is not None:
        found.append(Limit("gap", 1, caps.gap_days, _all))
    return tuple(found)


def _all(rows: ir.Table) -> ir.BooleanValue:
    return rows.program.notnull()


def _of_program(name: str) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda rows: rows.program == name


def _with_offer(names: list[str]) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda rows: rows.offer.isin(sorted(names) or [""]).fill_null(False)


def settled(warehouse: Warehouse, rows: ir.Table, contacts: ir.Table, question: Question) -> ir.Table:
    """Puts off what exceeds a cap.

    Args:
        warehouse: Keeps steps: one for each message that a customer has at most.
        rows: customer_id, program, stage, episode, arm, reason, offer, arm_margin (thousandths), service.
        contacts: Messages of marketing so far: customer_id, program, offer, as_of.
        question: What they are weighed by.

    Returns:
        The rows with `send_at`; of what is put off `reason` is one of `guardrails.PUT_OFF` and `send_at` the first instant (naive UTC)
        at which every cap that it falls under has room again if nothing else is sent. `send_at` is null elsewhere.
    """
    every = limits(question.rules, question.offers)
    ranked = warehouse.keep(_ranked(rows, every))
    marks = ("place", *(f"in_{number}" for number in range(len(every))))
    turns = range(1, (warehouse.scalar(ranked.place.max()) or 0) + 1)
    desk = warehouse.keep(_desk(ranked, contacts, question, every))
    for turn in turns:
        desk = warehouse.keep(_taken(desk, ranked, every, turn))
    losers = desk.filter(ibis.or_(ibis.literal(False), *(desk[f"why_{turn}"].notnull() for turn in turns)))
    if not warehouse.scalar(losers.count()):
        return ranked.drop(*marks).mutate(send_at=ibis.null("timestamp"))
    rooms = _rooms(losers, contacts, question.as_of, every)
    joined = ranked.left_join(rooms, "customer_id").drop("customer_id_right")
    why = joined.place.cases(*((turn, joined[f"why_{turn}"]) for turn in turns), else_=ibis.null("string"))
    now = ibis.literal(question.as_of.naive)
    again = [joined[f"in_{number}"].ifelse(joined[f"room_{number}"], now).fill_null(now) for number in range(len(every))]
    latest = ibis.greatest(*again) if len(again) > 1 else again[0]
    whole = joined.mutate(reason=joined.reason.fill_null(why), send_at=why.notnull().ifelse(latest, ibis.null("timestamp")))
    return whole.select(*(name for name in ranked.columns if name not in (*marks, "send_at")), "send_at")


def _ranked(rows: ir.Table, every: tuple[Limit, ...]) -> ir.Table:
    """The rows with their place among the customer's messages, from 1, 0 for what is none; and what caps they fall under."""
    wants = rows.reason.isnull() & (rows.arm != NOTHING) & ~rows.service
    best_first = [ibis.desc("arm_margin"), "program", "stage", "episode"]
    place = ibis.row_number().over(group_by=["customer_id", wants.fill_null(False)], order_by=best_first) + 1
    falls = {f"in_{number}": one.falls(rows) for number, one in enumerate(every)}
    return rows.mutate(place=wants.fill_null(False).ifelse(place, 0), **falls)


def _desk(ranked: ir.Table, contacts: ir.Table, question: Question, every: tuple[Limit, ...]) -> ir.Table:
    """Every customer with a message: how many of each cap are used (used_0, and as many taken_0), the cap's number (most_0), own_cap."""
    whose = ranked.filter(ranked.place == 1).select("customer_id")
    recent = contacts.filter(contacts.as_of > _since(question.as_of, max(one.days for one in every)))
    used = recent.group_by("customer_id").aggregate(
        **{f"used_{number}": _within(recent, one, question.as_of).cast("int64").sum() for number, one in enumerate(every)}
    )
    desk = whose.left_join(used, "customer_id").drop("customer_id_right")
    if question.own_caps is None:
        desk = desk.mutate(own_cap=ibis.null("int64"))
    else:
        desk = desk.left_join(question.own_caps.select("customer_id", "own_cap"), "customer_id").drop("customer_id_right")
    desk = desk.mutate(**{f"used_{number}": desk[f"used_{number}"].fill_null(0) for number in range(len(every))})
    most = {f"most_{number}": ibis.literal(one.touches) for number, one in enumerate(every)}
    most["most_0"] = ibis.least(desk.own_cap.fill_null(every[0].touches), every[0].touches)
    return desk.mutate(**{f"taken_{number}": desk[f"used_{number}"] for number in range(len(every))}, **most)


def _taken(desk: ir.Table, ranked: ir.Table, every: tuple[Limit, ...], turn: int) -> ir.Table:
    """The desk after each customer's message of one place: passed, and counted, or put off with the reason in `why_<turn>`."""
    mine = ranked.filter(ranked.place == turn).select("customer_id", **{f"in_{number}": f"in_{number}" for number in range(len(every))})
    joined = desk.left_join(mine, "customer_id").drop("customer_id_right")
    full = [joined[f"in_{number}"] & (joined[f"taken_{number}"] >= joined[f"most_{number}"]) for number in range(len(every))]
    tired = full[0] & (joined.taken_0 < every[0].touches)
    reasons = zip(full, (one.reason for one in every), strict=True)
    joined = joined.mutate(**{f"why_{turn}": ibis.cases((tired, "tired"), *reasons, else_=ibis.null("string"))})
    passes = joined[f"why_{turn}"].isnull()
    counted = {
        f"taken_{number}": joined[f"taken_{number}"] + (joined[f"in_{number}"].fill_null(False) & passes).cast("int64")
        for number in range(len(every))
    }
    return joined.mutate(**counted).drop(*(f"in_{number}" for number in range(len(every))))


def _rooms(losers: ir.Table, contacts: ir.Table, as_of: AsOf, every: tuple[Limit, ...]) -> ir.Table:
    """The desk of those with a message put off, and the instant at which each cap has room again (room_0), null where it has room now.

    A cap that is full has room when so many of its messages have left the window that one less than it allows is left: of the messages
    so far, or of those that go now.
    """
    parts = []
    for number, one in enumerate(every):
        mine = contacts.filter(_within(contacts, one, as_of)).semi_join(losers, "customer_id")
        oldest_first = ibis.row_number().over(group_by="customer_id", order_by=["as_of", "program", "stage", "episode"])
        parts.append(mine.select("customer_id", at="as_of", cap_no=ibis.literal(number), older=oldest_first))
    both = ibis.union(*parts).join(losers, "customer_id") if len(parts) > 1 else parts[0].join(losers, "customer_id")
    over = [both[f"taken_{number}"] - both[f"most_{number}"] for number in range(len(every))]
    leaving = both.filter(both.older == both.cap_no.cases(*enumerate(over), else_=-1))
    left = leaving.group_by("customer_id").aggregate(
        **{f"room_{number}": leaving["at"].max(where=leaving.cap_no == number) for number in range(len(every))}
    )
    desk = losers.left_join(left, "customer_id").drop("customer_id_right")
    now = ibis.literal(as_of.naive)
    rooms = {}
    for number, one in enumerate(every):
        again = desk[f"room_{number}"].fill_null(now) + ibis.interval(days=one.days)
        rooms[f"room_{number}"] = (desk[f"taken_{number}"] >= desk[f"most_{number}"]).ifelse(again, ibis.null("timestamp"))
    whys = [name for name in desk.columns if name.startswith("why_")]
    return desk.select("customer_id", *whys, **rooms)


def _within(rows: ir.Table, one: Limit, as_of: AsOf) -> ir.BooleanValue:
    return one.falls(rows) & (rows.as_of > _since(as_of, one.days))


def _since(as_of: AsOf, days: int) -> ir.TimestampScalar:
    return ibis.literal(as_of.naive - timedelta(days=days))
