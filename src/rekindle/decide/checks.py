"""What stands between a customer and a message, with its numbers: each guardrail, passed or not, whether or not it was the reason.

Knows nothing of variants' costs. It reads what the planner's own steps found of one customer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis.expr.types as ir

from rekindle.decide import arbitration, rule_parts, timing
from rekindle.decide.assignment import draw_of
from rekindle.decide.inputs import Inputs
from rekindle.decide.rule_words import Show
from rekindle.history.warehouse import Warehouse
from rekindle.moment import local_day
from rekindle.program.documents import Program, Stage
from rekindle.program.triggers import TOPICS

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One guardrail.

    Args:
        name: The refusal that it would give, a key of `guardrails.REASONS`, or what it looks at.
        passed: Whether it lets a message through.
        words: What it found, for people.
        numbers: What it found, for programs; instants are naive UTC.
    """

    name: str
    passed: bool
    words: str
    numbers: dict[str, object] = field(default_factory=dict)


def before_draw(row: Row, program: Program, stage: Stage, inputs: Inputs, show: Show) -> tuple[Check, ...]:
    """The guardrails that do not depend on the variant, in the order in which the first that does not pass is the reason.

    Args:
        row: The candidate with the customer's columns.
        program: The program.
        stage: The stage that is due.
        inputs: Of the plan.
        show: Minor units as an amount that people read.
    """
    waits = [_waits(row, stage, show)] if stage.hold_until is not None else []
    if program.service:
        late = [Check("overtaken", False, "a later status of the order is told instead", {"overtaken": True})] if row["overtaken"] else []
        return (*late, *waits)
    drawn = (_drawn(row, program, inputs, "holdout"), _drawn(row, program, inputs, "control"))
    return (*_answered(row, program, inputs), _reentry(row, program), *waits, *drawn, *_of_round(row, program, inputs))


ANSWERS = {
    "open_complaint": ("open_ticket", "no complaint of theirs is open", "a complaint of theirs is open, and marketing waits for its end"),
    "open_return": ("open_return", "no return of theirs is open", "a return of theirs is open, and marketing waits for its end"),
    "detractor": ("detractor", "they have not told us that they are unhappy", "they told us that they are unhappy, and marketing waits"),
}
"""What a customer waits for an answer to: the column, what to say where there is nothing, and where there is."""


def _answered(row: Row, program: Program, inputs: Inputs) -> Iterator[Check]:
    """Consent, and what the customer is waiting for an answer to."""
    yield _consent(row, inputs.shop_of(program).channels, inputs.shop.rehearsal)
    if row["paused"]:
        yield Check("paused", False, "they asked for a pause, and it is not over", {"paused": True})
    if row["topic_refused"]:
        yield Check("topic_refused", False, f"they want nothing of: {TOPICS[program.topic]}", {"topic": program.topic})
    if row["wished_less"]:
        words = f"they asked for at least {row['stated_gap_days']} days between two messages, and the last is less than that ago"
        yield Check("wished_less", False, words, {"last": row["last_any_at"]})
    for name, (column, none, some) in ANSWERS.items():
        holds = bool(row.get(column))
        yield Check(name, not holds, some if holds else none, {column: holds})


def _consent(row: Row, channels: Sequence[str], rehearsal: bool) -> Check:
    """Whether there is a way to write by, to which the customer agreed."""
    agreed, reached = [name for name in channels if row[f"{name}_consent"]], bool(row["reachable"])
    ways = " or ".join(channels)
    if not channels:
        words = "the store can deliver by no channel of this program"
    elif rehearsal:
        words = f"it is a rehearsal, in which everyone counts as agreed to {ways}"
    elif reached:
        words = f"they agreed to {' and '.join(agreed)}, by which the store can deliver"
    else:
        words = f"they have not agreed to marketing by {ways}, and the store can deliver this by nothing else"
    return Check("no_consent", reached, words, {"agreed": agreed, "channels": list(channels)})


def _reentry(row: Row, program: Program) -> Check:
    days, may = program.audience.reenter.not_before_days, bool(row["reentry_open"])
    words = f"no other round of this program within {days} days" if may else (
        f"another round of this program is less than {days} days old, or goes before this one"
    )  # fmt: skip
    return Check("reentry", may, words, {"not_before_days": days})


def _waits(row: Row, stage: Stage, show: Show) -> Check:
    told = rule_parts.verdict(stage.hold_until, row, show) if stage.hold_until is not None else None
    met, name = not row["held_back"], stage.name.replace("_", " ")
    words = f"{name} need not wait for anything" if met or told is None else f"{name} has to wait: {told.words}"
    return Check("held_back", met, words, {"rule": told.text if told else "", "unmet": told.unmet if told else ""})


def _drawn(row: Row, program: Program, inputs: Inputs, which: str) -> Check:
    """The draw of the holdout, or of the program's control: for a calendar year, and kept while a round lasts."""
    epoch, customer = str(inputs.as_of.day.year), row["customer_id"]
    parts = ("holdout", epoch, customer) if which == "holdout" else ("control", program.name, epoch, customer)
    share = inputs.documents.rules.holdout if which == "holdout" else program.control
    number, kept, out = draw_of(*parts), row["standing"], row["standing_now"] == which
    name, what = ("held_out", "no marketing") if which == "holdout" else ("control", "nothing from this program")
    among = "by lot among" if out else "not among"
    words = f"they are {among} the {100 * share:g} % of customers who get {what} this year"
    if kept:
        words = f"when this round began, they were {among} those who get {what}"
    elif not share:
        words = f"this year there is nobody who gets {what}"
    return Check(name, not out, words, {"text": ":".join(parts), "draw": number, "below": share, "kept": kept})


def _of_round(row: Row, program: Program, inputs: Inputs) -> Iterator[Check]:
    """The program's own caps in this round."""
    caps, used, last = program.caps, row["contacts"], row["last_contact_at"]
    numbers: dict[str, object] = {"used": used, "allowed": caps.touches}
    words = f"this round has had {_of_most(used, caps.touches, '')}"
    yield Check("touches_used", used < caps.touches, words, numbers)
    again = last + timedelta(days=caps.gap_days) if last else None
    passed, words = again is None or inputs.as_of.naive >= again, "no message of this round has gone yet"
    if last and again:
        zone = timing.zone_of(row["timezone"], inputs.as_of.timezone)
        day, free = (local_day(one.replace(tzinfo=UTC), zone) for one in (last, again))
        since = f"at least {caps.gap_days} days ago" if passed else f"{caps.gap_days} days must lie between two: again from {free}"
        words = f"the last message of this round went on {day}, {since}"
    yield Check("too_soon", passed, words, {"last": last, "gap_days": caps.gap_days, "again": again})


def _of_most(used: int, most: int, which: str) -> str:
    """A count of such messages beside the most that there may be.

    >>> _of_most(0, 1, ""), _of_most(3, 3, " of marketing")
    ('0 of at most 1 message', '3 messages of marketing, and 3 is the most')
    """
    if used < most:
        return f"{used} of at most {most} message{'s' * (most != 1)}{which}"
    return f"{used} message{'s' * (used != 1)}{which}, and {most} is the most"


@dataclass(frozen=True, slots=True)
class Tired:
    """What a customer's silence did to the cap.

    Args:
        streak: Messages in a row without an answer.
        opt_out_risk: The chance assumed that the next drives the customer away.
        own_cap: Messages that the customer may get in the window of the store's cap; None where that holds.
    """

    streak: int = 0
    opt_out_risk: float | None = None
    own_cap: int | None = None


def used_of_caps(warehouse: Warehouse, contacts: ir.Table, question: arbitration.Question) -> list[tuple[arbitration.Limit, int]]:
    """Every cap of the store with the messages that its window holds already.

    Args:
        warehouse: Counts.
        contacts: The customer's messages of marketing.
        question: The caps.
    """
    limits = arbitration.limits(question.rules, question.offers)
    counts = {
        f"used_{number}": (one.falls(contacts) & (contacts.as_of > question.as_of.naive - timedelta(days=one.days))).sum()
        for number, one in enumerate(limits)
    }
    row = warehouse.row(contacts.aggregate(**counts))
    return [(one, int(row[f"used_{number}"] or 0)) for number, one in enumerate(limits)]


CAPS = {
    "cap_reached": "of marketing", "program_cap_reached": "of this program", "kind_cap_reached": "with an offer of this kind",
    "price_cap_reached": "with an offer that lowers a price",
}
"""Which messages each cap counts, in words."""


def after_draw(
    falls: list[tuple[arbitration.Limit, int]], tired: Tired, reason: str | None, again: datetime | None
) -> tuple[Check, ...]:
    """The store's caps that a drawn message falls under.

    Args:
        falls: Those of `used_of_caps` that it falls under.
        tired: The customer's own cap.
        reason: Why it was put off; None where it goes.
        again: The first instant at which it may come again, where it was put off.
    """
    found = []
    for one, used in falls:
        own = one.reason == "cap_reached" and tired.own_cap is not None and tired.own_cap < one.touches
        most = tired.own_cap if own and tired.own_cap is not None else one.touches
        name = "tired" if own else one.reason
        refused = reason == name
        words = _of_gap(one.days, used, refused) if one.reason == "gap" else _of_cap(one, used, most, refused)
        if own:
            words += f"; it was {one.touches} before they left {tired.streak} messages in a row without an answer"
        numbers: dict[str, object] = {"used": used, "allowed": most, "days": one.days, "streak": tired.streak, "risk": tired.opt_out_risk}
        found.append(Check(name, not refused and used < most, words, numbers | ({"again": again} if refused else {})))
    return tuple(found)


def _of_gap(days: int, used: int, refused: bool) -> str:
    if used:
        return f"another message went less than {days} days ago, and so many must lie between two"
    return f"another message goes today, and {days} days must lie between two" if refused else f"no other message in the last {days} days"


def _of_cap(one: arbitration.Limit, used: int, most: int, refused: bool) -> str:
    words = f"they have had {_of_most(used, most, f' {CAPS[one.reason]} in {one.days} days')}"
    return words + ("; what is left goes to messages of today that are worth more" if refused and used < most else "")
