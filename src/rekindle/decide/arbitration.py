"""Which of a customer's messages go now, over all programs and channels together, and from when on the others may come again.

Knows nothing of how a variant was drawn. A customer's messages are taken one after another, the highest expected net margin first; each
passes while every cap that it falls under has room. Service messages are apart: they are never put off, and count for no cap.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import ibis
import ibis.expr.types as ir

from rekindle.decide import given
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
        falls: Which rows of a table with program and offer fall under it: of the journal by what it says of the offer.
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
        found.append(Limit("kind_cap_reached", cap.touches, cap.per_days, _of_kind(kind, offers)))
    if caps.price_offers is not None:
        priced = partial(given.price, offers=offers)
        found.append(Limit("price_cap_reached", caps.price_offers.touches, caps.price_offers.per_days, priced))
    if caps.gap_days is not None:
        found.append(Limit("gap", 1, caps.gap_days, _all))
    return tuple(found)


def _all(rows: ir.Table) -> ir.BooleanValue:
    return rows.program.notnull()


def _of_program(name: str) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda rows: rows.program == name


def _of_kind(kind: str, offers: Mapping[str, Offer]) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda rows: given.kind(rows, offers) == kind


def once_a_plan(warehouse: Warehouse, rows: ir.Table, offers: Mapping[str, Offer]) -> ir.Table:
    """Puts off what would give a customer the same sort of thing twice at one time: a price offer, a costly kind, a thing given once.

    The message with the highest expected net margin keeps its place. What a customer had before counts where variants are made eligible.

    Args:
        warehouse: Keeps the messages of customers who have several.
        rows: As of `settled`.
        offers: By name.
    """
    going = rows.filter(_goes(rows)).select(*ONE, "arm_margin", "offer", why=ibis.null("string"))
    several = going.group_by("customer_id").aggregate(messages=going.count()).filter(lambda t: t.messages > 1)
    rivals = warehouse.keep(going.semi_join(several, "customer_id"))
    if not warehouse.scalar(rivals.count()):
        return rows
    for reason, sort in _sorts(offers):
        mine = rivals.why.isnull().ifelse(rivals.offer.cases(*sort.items(), else_=""), "")
        place = ibis.row_number().over(group_by=["customer_id", mine], order_by=BEST_FIRST)
        rivals = rivals.mutate(why=((mine != "") & (place > 0)).ifelse(reason, rivals.why))
    joined = rows.left_join(rivals.select(*ONE, "why"), ONE)
    return joined.mutate(reason=joined.reason.fill_null(joined.why)).select(*rows.columns)


def _goes(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row is a message that caps may put off."""
    return (rows.reason.isnull() & (rows.arm != NOTHING) & ~rows.service).fill_null(False)


ONE = ["customer_id", "program", "stage", "episode"]
"""What tells one row of a plan from the others."""

BEST_FIRST = [ibis.desc("arm_margin"), "program", "stage", "episode"]


def _sorts(offers: Mapping[str, Offer]) -> Iterator[tuple[str, dict[str, str]]]:
    """What a customer gets one of at a time: the reason for a second, and offers to what they are one of."""
    once = {name: offer.ladder.name if offer.ladder else offer.once_key for name, offer in offers.items()}
    sorts = (
        ("price_cap_reached", {name: "price" for name, offer in offers.items() if offer.price}),
        ("kind_cap_reached", {name: offer.kind for name, offer in offers.items() if offer.costly}),
        ("kind_cap_reached", {name: key for name, key in once.items() if key}),
    )
    return (one for one in sorts if one[1])


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
    marks = ("place", "send_at", *_each("in", every))
    turns = _turns(warehouse, ranked, contacts, question, every)
    verdicts = _together([one.filter(one.why.notnull()).select("customer_id", "place", "why") for one in turns]) if turns else None
    if verdicts is None or not warehouse.scalar(verdicts.count()):
        return ranked.drop(*(name for name in marks if name in ranked.columns)).mutate(send_at=ibis.null("timestamp"))
    ends = _together([one.filter(one.place == one.last).drop("place", "last", "why") for one in turns])
    rooms = _rooms(ends.semi_join(verdicts, "customer_id"), contacts, question.as_of, every)
    joined = ranked.left_join(verdicts, ["customer_id", "place"]).drop("customer_id_right", "place_right")
    joined = joined.left_join(rooms, "customer_id").drop("customer_id_right")
    now = ibis.literal(question.as_of.naive)
    again = [joined[f"in_{number}"].ifelse(joined[f"room_{number}"], now).fill_null(now) for number in range(len(every))]
    latest = ibis.greatest(*again) if len(again) > 1 else again[0]
    whole = joined.mutate(
        reason=joined.reason.fill_null(joined.why), send_at=joined.why.notnull().ifelse(latest, ibis.null("timestamp"))
    )
    return whole.select(*(name for name in ranked.columns if name not in marks), "send_at")


def _together(parts: list[ir.Table]) -> ir.Table:
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _each(word: str, every: tuple[Limit, ...]) -> list[str]:
    """The names of the columns that there are for every cap."""
    return [f"{word}_{number}" for number in range(len(every))]


def _ranked(rows: ir.Table, every: tuple[Limit, ...]) -> ir.Table:
    """The rows with their place among the customer's messages, from 1, 0 for what is none; and what caps they fall under."""
    wants = _goes(rows)
    place = ibis.row_number().over(group_by=["customer_id", wants], order_by=BEST_FIRST) + 1
    falls = {name: one.falls(rows) for name, one in zip(_each("in", every), every, strict=True)}
    return rows.mutate(place=wants.ifelse(place, 0), **falls)


def _turns(
    warehouse: Warehouse, ranked: ir.Table, contacts: ir.Table, question: Question, every: tuple[Limit, ...]
) -> list[ir.Table]:
    """The messages taken one after another, a table for each place: of the customers who have so many.

    Each has customer_id, place, last (the customer's last place), why (null where it passed), most_0 (the customer's own number of the
    first cap) and taken_0 and so on: how many messages every cap has had after it.
    """
    most = warehouse.scalar(ranked.place.max()) or 0
    turns: list[ir.Table] = []
    for turn in range(1, most + 1):
        before = turns[-1].filter(turns[-1].last >= turn) if turns else _desk(ranked, contacts, question, every)
        mine = ranked.filter(ranked.place == turn).select("customer_id", *_each("in", every))
        turns.append(warehouse.keep(_taken(before.join(mine, "customer_id"), every).mutate(place=ibis.literal(turn, "int64"))))
    return turns


def _desk(ranked: ir.Table, contacts: ir.Table, question: Question, every: tuple[Limit, ...]) -> ir.Table:
    """Every customer with a message, before the first is taken: as `_turns`, without place and why."""
    wanted = ranked.filter(ranked.place > 0)
    whose = wanted.group_by("customer_id").aggregate(last=wanted.place.max())
    recent = contacts.filter(contacts.as_of > _since(question.as_of, max(one.days for one in every)))
    used = recent.group_by("customer_id").aggregate(
        **{
            name: _within(recent, one, question.as_of).cast("int64").sum()
            for name, one in zip(_each("taken", every), every, strict=True)
        }
    )
    desk = whose.left_join(used, "customer_id").drop("customer_id_right")
    own_cap: ir.IntegerValue = ibis.null("int64")
    if question.own_caps is not None:
        desk = desk.left_join(question.own_caps.select("customer_id", "own_cap"), "customer_id").drop("customer_id_right")
        own_cap = desk.own_cap
    most = ibis.least(own_cap.fill_null(every[0].touches), every[0].touches)
    return desk.select("customer_id", "last", most_0=most, **{name: desk[name].fill_null(0) for name in _each("taken", every)})


def _taken(desk: ir.Table, every: tuple[Limit, ...]) -> ir.Table:
    """The desk after each customer's next message: passed and counted, or put off, and why."""
    most = [desk.most_0, *(one.touches for one in every[1:])]
    names = list(zip(_each("in", every), _each("taken", every), strict=True))
    full = [desk[own] & (desk[taken] >= number) for (own, taken), number in zip(names, most, strict=True)]
    tired = full[0] & (desk.taken_0 < every[0].touches)
    why = ibis.cases((tired, "tired"), *zip(full, (one.reason for one in every), strict=True), else_=ibis.null("string"))
    decided = desk.mutate(why=why)
    counted = {taken: decided[taken] + (decided[own] & decided.why.isnull()).cast("int64") for own, taken in names}
    return decided.select("customer_id", "last", "why", "most_0", **counted)


def _rooms(ends: ir.Table, contacts: ir.Table, as_of: AsOf, every: tuple[Limit, ...]) -> ir.Table:
    """The instant at which each cap has room again, null where it has room now: customer_id, room_0 and so on.

    A cap that is full has room when so many of its messages have left the window that one less than it allows is left: of the messages
    so far, or of those that go now.

    Args:
        ends: most_0, taken_0 and so on of customers with a message that was put off.
        contacts: Messages so far.
        as_of: The instant.
        every: The caps.
    """
    parts = []
    for number, one in enumerate(every):
        mine = contacts.filter(_within(contacts, one, as_of)).semi_join(ends, "customer_id")
        oldest_first = ibis.row_number().over(group_by="customer_id", order_by=["as_of", "program", "stage", "episode"])
        parts.append(mine.select("customer_id", at="as_of", cap_no=ibis.literal(number), older=oldest_first))
    both = _together(parts).join(ends, "customer_id")
    over = [both.taken_0 - both.most_0, *(both[f"taken_{number}"] - one.touches for number, one in enumerate(every) if number)]
    leaving = both.filter(both.older == both.cap_no.cases(*enumerate(over), else_=-1))
    left = leaving.group_by("customer_id").aggregate(
        **{name: leaving["at"].max(where=leaving.cap_no == number) for number, name in enumerate(_each("room", every))}
    )
    desk, now = ends.left_join(left, "customer_id").drop("customer_id_right"), ibis.literal(as_of.naive)
    rooms = {}
    for number, one in enumerate(every):
        again = desk[f"room_{number}"].fill_null(now) + ibis.interval(days=one.days)
        full = desk[f"taken_{number}"] >= (desk.most_0 if number == 0 else one.touches)
        rooms[f"room_{number}"] = full.ifelse(again, ibis.null("timestamp"))
    return desk.select("customer_id", **rooms)


def _within(rows: ir.Table, one: Limit, as_of: AsOf) -> ir.BooleanValue:
    return one.falls(rows) & (rows.as_of > _since(as_of, one.days))


def _since(as_of: AsOf, days: int) -> ir.TimestampScalar:
    return ibis.literal(as_of.naive - timedelta(days=days))
