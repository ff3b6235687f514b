"""Whether touches may be attempted now, and what becomes of those that may not.

Knows nothing of how a message is written and handed over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rekindle import moment
from rekindle.decide.timing import next_allowed, zone_of
from rekindle.program.rules import QuietHours
from rekindle.service.flow import spending
from rekindle.service.flow.composing import COMPOSERS
from rekindle.service.outbox.models import EXPIRED, FAILED, PLANNED, SUPPRESSED, Touch
from rekindle.service.outbox.outcome import Outcome
from rekindle.service.people.last_look import LastLook, Reader
from rekindle.service.people.models import Person
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every touch of a batch.

    Args:
        now: The instant at which it is asked.
        settings: The store's; its time zone is that of customers of whom none is known.
        quiet: When nobody is written to.
        channels: Those that the store has a sender for.
        paused: Programs whose marketing waits until somebody resumes them.
        topics: Program to what its marketing is about.
    """

    now: datetime
    settings: Settings
    quiet: QuietHours
    channels: Collection[str]
    paused: Collection[str]
    topics: Mapping[str, str]


PAUSED = "the program is paused"


def not_now(question: Question, touches: Sequence[Touch], people: Mapping[str, Person]) -> dict[int, Outcome]:
    """What becomes, without an attempt, of the touches that must not be attempted now, by id; the others may.

    Args:
        question: What is asked.
        touches: Claimed ones.
        people: Their customers, by id, of whom nothing needs to be known.
    """
    refused = _promises(question, touches) | refusals(LastLook(question.now, question.topics), touches, people)
    zones = {touch.id: zone_of(people[touch.customer_id].timezone, question.settings.timezone) for touch in touches}
    here = {zone: _here(question, zone) for zone in set(zones.values())}
    outcomes = {touch.id: _instead(question, touch, here[zones[touch.id]], refused.get(touch.id, "")) for touch in touches}
    return {key: outcome for key, outcome in outcomes.items() if outcome}


def refusals(look: LastLook, touches: Sequence[Touch], people: Mapping[str, Person]) -> dict[int, str]:
    """Whose customer must not get them now, by id, and why: one question for each channel and kind of message.

    Args:
        look: What is asked.
        touches: Claimed ones.
        people: Their customers, by id.
    """
    found: dict[int, str] = {}
    for channel, service in {(touch.channel, touch.service) for touch in touches}:
        mine = [touch for touch in touches if (touch.channel, touch.service) == (channel, service)]
        readers = {touch.id: Reader(people[touch.customer_id], touch.program, touch.episode) for touch in mine}
        found |= look.refusals(readers, channel, service)
    return found


def _promises(question: Question, touches: Sequence[Touch]) -> dict[int, str]:
    """Which have a code that would not be taken any more, by id, and why."""
    coded = {touch.id: touch.code for touch in touches if touch.code}
    withheld = spending.withheld(question.settings, coded.values(), question.now)
    return {key: withheld[code] for key, code in coded.items() if code in withheld}


@dataclass(frozen=True, slots=True)
class _Here:
    """What holds in a time zone at the instant of the question: the day, and when the quiet hours end, None where none hold."""

    day: date
    morning: datetime | None


def _here(question: Question, zone: str) -> _Here:
    return _Here(moment.local_day(question.now, zone), end_of_quiet(question.now, question.quiet, zone))


def _instead(question: Question, touch: Touch, here: _Here, refusal: str) -> Outcome | None:
    if touch.valid_until and touch.valid_until < here.day:
        return Outcome(EXPIRED, reason=f"valid until {touch.valid_until}")
    if touch.channel not in question.channels or touch.channel not in COMPOSERS:
        return Outcome(FAILED, reason=f"no sender for {touch.channel} is set up")
    if refusal:
        return Outcome(SUPPRESSED, reason=refusal)
    if not touch.service and touch.program in question.paused:
        return Outcome(PLANNED, reason=PAUSED)
    if touch.service or here.morning is None:
        return None
    return Outcome(PLANNED, reason="quiet hours", send_at=here.morning)


def end_of_quiet(now: datetime, quiet: QuietHours, timezone: str) -> datetime | None:
    """When the quiet hours that hold now end, UTC; None where none hold."""
    allowed = next_allowed(now, timezone, quiet)
    return allowed if allowed > now else None
