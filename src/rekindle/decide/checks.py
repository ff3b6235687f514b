"""What stands between a customer and a message, with its numbers: each guardrail, passed or not, whether or not it was the reason.

Knows nothing of variants' costs. It reads what the planner's own steps found of one customer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from rekindle.decide import arbitration, rule_parts
from rekindle.decide.assignment import draw_of
from rekindle.decide.inputs import Inputs
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


def before_draw(row: Row, program: Program, stage: Stage, inputs: Inputs) -> tuple[Check, ...]:
    """The guardrails that do not depend on the variant, in the order in which the first that does not pass is the reason.

    Args:
        row: The candidate with the customer's columns.
        program: The program.
        stage: The stage that is due.
        inputs: Of the plan.
    """
    waits = [_waits(row, stage)] if stage.hold_until is not None else []
    if program.service:
        late = [Check("overtaken", False, "there is a later status of the order", {"overtaken": True})] if row["overtaken"] else []
        return (*late, *waits)
    drawn = (_drawn(row, program, inputs, "holdout"), _drawn(row, program, inputs, "control"))
    return (*_answered(row, program, inputs), _reentry(row, program), *waits, *drawn, *_of_round(row, program, inputs))


def _answered(row: Row, program: Program, inputs: Inputs) -> Iterator[Check]:
    """Consent, and what the customer is waiting for an answer to."""
    asked = inputs.shop_of(program).channels
    agreed = [name for name in asked if row[f"{name}_consent"]]
    counted = "counts as given, in a rehearsal" if inputs.shop.rehearsal else f"given for {', '.join(agreed)}" if agreed else "not given"
    words = f"consent {counted}; the store can deliver by {', '.join(asked) or 'no channel'}"
    yield Check("no_consent", bool(row["reachable"]), words, {"agreed": agreed, "channels": list(asked)})
    if row["paused"]:
        yield Check("paused", False, "a pause was asked for", {"paused": True})
    if row["topic_refused"]:
        yield Check("topic_refused", False, f"wants nothing of: {TOPICS[program.topic]}", {"topic": program.topic})
    if row["wished_less"]:
        yield Check("wished_less", False, f"asked for {row['stated_gap_days']} days between two messages", {"last": row["last_any_at"]})
    for name, column, words in (
        ("open_complaint", "open_ticket", "complaint is open"), ("open_return", "open_return", "return is open"),
        ("detractor", "detractor", "answer to the satisfaction question says unhappy"),
    ):
        holds = bool(row.get(column))
        yield Check(name, not holds, f"{'an' if words[0] == 'a' else 'a'} {words}" if holds else f"no {words}", {column: holds})


def _reentry(row: Row, program: Program) -> Check:
    days, may = program.audience.reenter.not_before_days, bool(row["reentry_open"])
    words = f"no other round within {days} days" if may else f"another round is less than {days} days away, or goes first"
    return Check("reentry", may, words, {"not_before_days": days})


def _waits(row: Row, stage: Stage) -> Check:
    told = rule_parts.verdict(stage.hold_until, row) if stage.hold_until is not None else None
    met = not row["held_back"]
    words = f"{stage.name} need not wait" if met or told is None else f"{stage.name} waits until this holds: {told.unmet}"
    return Check("held_back", met, words, {"rule": told.text if told else ""})


def _drawn(row: Row, program: Program, inputs: Inputs, which: str) -> Check:
    """The draw of the holdout, or of the program's control: for a calendar year, and kept while a round lasts."""
    epoch, customer = str(inputs.as_of.day.year), row["customer_id"]
    parts = ("holdout", epoch, customer) if which == "holdout" else ("control", program.name, epoch, customer)
    share = inputs.documents.rules.holdout if which == "holdout" else program.control
    number, kept, out = draw_of(*parts), row["standing"], row["standing_now"] == which
    by = f"md5('{':'.join(parts)}') draws {number:.6f}, in it only below {share:g}"
    words = f"{'in' if out else 'not in'} the {which}: " + (f"the round began as {kept}" if kept else by)
    name = "held_out" if which == "holdout" else "control"
    return Check(name, not out, words, {"text": ":".join(parts), "draw": number, "below": share, "kept": kept})


def _of_round(row: Row, program: Program, inputs: Inputs) -> Iterator[Check]:
    """The program's own caps in this round."""
    caps, used, last = program.caps, row["contacts"], row["last_contact_at"]
    numbers: dict[str, object] = {"used": used, "allowed": caps.touches}
    yield Check("touches_used", used < caps.touches, f"{used} of {caps.touches} messages of this round used", numbers)
    again = last + timedelta(days=caps.gap_days) if last else None
    words = "no message of this round yet"
    if last:
        day = local_day(last.replace(tzinfo=UTC), inputs.as_of.timezone)
        words = f"last message of this round on {day}, at least {caps.gap_days} days between two"
    passed = again is None or inputs.as_of.naive >= again
    yield Check("too_soon", passed, words, {"last": last, "gap_days": caps.gap_days, "again": again})


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
    "cap_reached": "all messages", "program_cap_reached": "messages of this program", "kind_cap_reached": "offers of this kind",
    "price_cap_reached": "price offers", "gap": "between any two messages",
}
"""What each cap counts, in words."""


def after_draw(
    falls: list[tuple[arbitration.Limit, int]], tired: Tired, reason: str | None, again: datetime | None, timezone: str
) -> tuple[Check, ...]:
    """The store's caps that a drawn message falls under.

    Args:
        falls: Those of `used_of_caps` that it falls under.
        tired: The customer's own cap.
        reason: Why it was put off; None where it goes.
        again: The first instant at which it may come again, where it was put off.
        timezone: The store's, in which that is told.
    """
    found = []
    for one, used in falls:
        own = one.reason == "cap_reached" and tired.own_cap is not None and tired.own_cap < one.touches
        most = tired.own_cap if own and tired.own_cap is not None else one.touches
        name = "tired" if own else one.reason
        words = f"{CAPS[one.reason]}: {used} of {most} used in {one.days} days"
        if one.reason == "gap":
            words = f"{used or 'no'} other message in the last {one.days} days"
        if own:
            words += f", lowered from {one.touches} after {tired.streak} messages without an answer"
        refused = reason == name
        if refused and used < most:
            words += "; another message of today is worth more"
        if refused and again is not None:
            words += f"; again from {again.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"
        numbers: dict[str, object] = {"used": used, "allowed": most, "days": one.days, "streak": tired.streak, "risk": tired.opt_out_risk}
        found.append(Check(name, not refused and used < most, words, numbers))
    return tuple(found)
