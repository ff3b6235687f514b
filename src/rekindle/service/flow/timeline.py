"""What happened with one customer, in order: what they did, what was decided about them and why, what they were sent and said.

Knows nothing of pages. Reads the ledger and the published files alone; nothing here changes anything.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rekindle import moment, money
from rekindle.decide.arms import MILLI
from rekindle.decide.due import PAUSE
from rekindle.decide.guardrails import PUT_OFF, REASONS
from rekindle.decide.wishes import TOPIC
from rekindle.insight.journey import STEPS
from rekindle.insight.profile import PROFILING
from rekindle.learn.report.figures import Figures
from rekindle.program.documents import NOTHING
from rekindle.program.triggers import TOPICS
from rekindle.service.events import queries as events
from rekindle.service.flow import journal_files, snapshots
from rekindle.service.outbox.models import OPEN, Touch
from rekindle.service.people.models import PURCHASE, Consent
from rekindle.settings import Settings

WHY = {
    "overtaken": "A later status of the order is told instead.",
    "no_consent": "The customer has not agreed to messages by any way in which this shop sends them.",
    "paused": "The customer asked for a pause, and it is not over.",
    "topic_refused": "The customer said that they want nothing of this topic.",
    "wished_less": "The customer asked for fewer messages, and has had as many as they wished.",
    "open_complaint": "A ticket of theirs is open: marketing waits until it is closed.",
    "open_return": "A return of theirs is open: marketing waits until it is settled.",
    "detractor": "They told us that they are unhappy: marketing waits, and a person should look first.",
    "reentry": "The last round of this program is too recent for another.",
    "held_back": "It is not the moment for this message yet.",
    "held_out": "By lot, this customer gets no marketing this year: the others are compared with them, so that lift can be told.",
    "control": "By lot, this customer gets nothing from this program this year: its lift is measured against them.",
    "touches_used": "They have had all messages of this round.",
    "too_soon": "The last message of this round is too recent.",
    "no_variant": "No variant fits: each lacks something, such as a product to speak of, or margin enough for the offer.",
    "budget_reached": "The budget of this period has no room for the message.",
    "cap_reached": "They have had as many messages as the rules allow in this time.",
    "tired": "They left the last messages unanswered, so that fewer come.",
    "program_cap_reached": "They have had as many messages of this program as the rules allow in this time.",
    "kind_cap_reached": "They had this kind of offer too recently.",
    "price_cap_reached": "They had an offer that lowers a price too recently.",
    "gap": "Another message reached them too recently.",
}
"""Every reason of `guardrails.REASONS` as a sentence for who looks at one customer."""

_ADDRESS, _NUMBER = re.compile(r"\S+@\S+"), re.compile(r"\+?\d[\d() -]{6,}\d")

SHORT = {"held_out": "in the group without marketing", "control": "in the group that this program is compared with"}
"""Reasons whose usual words say little to who does not know how lift is measured."""

WAYS = {"email": "e-mail", "sms": "SMS", "webpush": "a note on their screen", "inapp": "a note in the shop"}

LOT = "Variants are drawn by lot, and nothing is one of them: only so can be told what a message was worth."

TOLD = {
    "delivered": "Arrived", "opened": "Opened", "clicked": "Followed a link", "bounced": "Came back", "complained": "Called it spam",
    "unsubscribed": "Opted out at the mail provider",
}  # fmt: skip
"""What a mail server or provider tells, with the words people read."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, or waits to.

    Args:
        at: When.
        kind: decision, left_alone, message, told, consent or step.
        title: What, in a few words.
        lines: More of it, a sentence each.
        of: The program and its step that it is about; empty where it is about none.
        touch: The message's number, 0 where there is none.
        waits: Whether it is still to come.
        hourless: Whether the hour says nothing: what was decided holds for a day.
    """

    at: datetime
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    of: str = ""
    touch: int = 0
    waits: bool = False
    hourless: bool = False


def timeline(settings: Settings, customer_id: str, went: snapshots.Went | None, personal: bool) -> tuple[Moment, ...]:
    """Everything known of what happened with a customer, the latest first; what waits stands before.

    Args:
        settings: The store's.
        customer_id: Whose.
        went: What the latest diagnosis found about the customer; None where there is none.
        personal: Whether the reader may see addresses and the ids of other systems; they are masked where not.
    """
    found = [
        *(_decision(row, settings) for row in journal_files.decisions_of(settings.var, customer_id)),
        *(_message(one, personal) for one in Touch.objects.filter(customer_id=customer_id, plan__ready=True).order_by("id")),
        *(_told(one, personal) for one in events.of_customer(customer_id)),
        *(_said(one, settings) for one in Consent.objects.filter(customer_id=customer_id)),
        *_steps(went, personal),
    ]
    return tuple(sorted(found, key=lambda one: (one.waits, one.at), reverse=True))


def masked(text: str) -> str:
    """A text of a server without the addresses and numbers in it.

    >>> masked("550 <ada@shop.example>: no such user"), masked("+44 117 496 0000 is not in use")
    ('550 (an address) no such user', '(a number) is not in use')
    """
    return _NUMBER.sub("(a number)", _ADDRESS.sub("(an address)", text))


def spaced(name: str) -> str:
    """A name as people write it."""
    return name.replace("_", " ").replace("-", " ")


def _decision(row: Mapping[str, Any], settings: Settings) -> Moment:
    at, of, reason = row["as_of"].replace(tzinfo=UTC), f"{spaced(row['program'])}, {spaced(row['stage'])}", row["reason"]
    if reason:
        way = "Put off" if reason in PUT_OFF else "Left alone"
        said = (WHY[reason], *_among(row, settings)) if row["arm"] else (WHY[reason],)
        return Moment(at, "left_alone", f"{way}: {SHORT.get(reason, REASONS[reason])}", said, of, hourless=True)
    if row["arm"] == NOTHING:
        return Moment(at, "left_alone", "Left alone: drawn to hear nothing this time", (LOT, *_among(row, settings)), of, hourless=True)
    return Moment(at, "decision", f"Chosen: {spaced(row['arm'])}", (*_among(row, settings), *_worth(row, settings)), of, hourless=True)


def _among(row: Mapping[str, Any], settings: Settings) -> tuple[str, ...]:
    """What else there was, and the chance; where only one thing could come, nothing was drawn."""
    variants = [spaced(one) for one in (row["eligible"] or "").split("|") if one]
    if row["propensity"] in (None, 1) or len(variants) < 2:
        return ()
    share = Figures(settings.currency, settings.locale.replace("-", "_")).share(row["propensity"])
    return (f"Drawn by lot among {', '.join(variants)}: the chance was {share}.",)


def _worth(row: Mapping[str, Any], settings: Settings) -> tuple[str, ...]:
    if row["expected_margin"] is None or not row["propensity"] or row["propensity"] == 1:
        return ()
    gain = money.show(row["expected_margin"] / MILLI, settings.currency)
    cost = row["expected_cost"] / MILLI
    costs = f"less than {money.show(1, settings.currency)}" if 0 < cost < 1 else money.show(cost, settings.currency)
    return (f"Expected: {gain} of margin, its cost of {costs} taken off.",)


STATUS = {
    "planned": "Waits to be sent", "claimed": "Is being sent", "attempting": "Is being sent", "sent": "Sent", "failed": "Could not be sent",
    "suppressed": "Withheld", "expired": "Not sent in time", "unknown": "Not known whether it was sent",
}
"""What becomes of a message, with the words people read."""


def _message(touch: Touch, personal: bool) -> Moment:
    waits = touch.status in OPEN
    reason = touch.reason if personal else masked(touch.reason)
    lines, of = (f"{reason[:1].upper()}{reason[1:]}.",) if reason else (), f"{spaced(touch.program)}, {spaced(touch.stage)}"
    at = touch.send_at if waits else touch.settled_at or touch.send_at
    return Moment(at, "message", f"{STATUS[touch.status]} by {WAYS.get(touch.channel, touch.channel)}", lines, of, touch.pk, waits)


def _told(event: Mapping[str, Any], personal: bool) -> Moment:
    kind, detail = str(event["kind"]), str(event["detail"]) if personal else masked(str(event["detail"]))
    return Moment(event["occurred_at"].replace(tzinfo=UTC), "told", TOLD.get(kind, spaced(kind)), (detail,) * bool(detail))


def _said(one: Consent, settings: Settings) -> Moment:
    if one.basis == PURCHASE:
        title = f"Bought, which allows marketing by {WAYS.get(one.channel, one.channel)}"
        return Moment(one.recorded_at, "consent", title, ("Nobody was asked: it follows from an order, and any word of theirs ends it.",))
    return Moment(one.recorded_at, "consent", _word(one, settings), (f"Said at: {one.source}.",) * bool(one.source))


def _word(one: Consent, settings: Settings) -> str:
    if one.purpose == PROFILING:
        return "Allows again to be told apart by their orders" if one.granted else "Objected to being told apart by their orders"
    if one.purpose == PAUSE:
        until = f" until {moment.local_day(one.expires_at, settings.timezone)}" if one.expires_at else ""
        return f"Asked for a pause{until}" if one.granted else "Ended the pause"
    if one.purpose.startswith(TOPIC):
        key = one.purpose.removeprefix(TOPIC)
        topic = TOPICS.get(key, spaced(key))
        return f"Wants to hear of {topic} again" if one.granted else f"Wants nothing of {topic}"
    return f"{'Agreed to' if one.granted else 'Refused'} {one.purpose} by {WAYS.get(one.channel, one.channel)}"


def _steps(found: snapshots.Went | None, personal: bool) -> Iterator[Moment]:
    for one in found.steps if found else ():
        if one["step"] != "contacted":  # the message itself stands there
            words, fact = STEPS[one["step"]], one["fact"] if personal else ""
            yield Moment(one["at"].replace(tzinfo=UTC), "step", f"{words[:1].upper()}{words[1:]}", (fact,) * bool(fact))
