"""Whether touches may be attempted now, and what becomes of those that may not.

Knows nothing of how a message is written and handed over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rekindle import moment
from rekindle.decide.timing import next_allowed, zone_of
from rekindle.program.rules import QuietHours
from rekindle.service.flow.composing import COMPOSERS
from rekindle.service.outbox.models import EXPIRED, FAILED, PLANNED, SUPPRESSED, Touch
from rekindle.service.outbox.outcome import Outcome
from rekindle.service.people.models import Person
from rekindle.service.people.queries import refusals
from rekindle.service.people.reach import unreachable


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every touch of a run.

    Args:
        now: The instant of sending.
        timezone: The store's, for customers of whom none is known.
        quiet: When nobody is written to.
        channels: Those that the store has a sender for.
    """

    now: datetime
    timezone: str
    quiet: QuietHours
    channels: Collection[str]


def not_now(question: Question, touches: Sequence[Touch], people: Mapping[str, Person]) -> dict[int, Outcome]:
    """What becomes, without an attempt, of the touches that must not be attempted now, by id; the others may.

    Args:
        question: What is asked.
        touches: Claimed ones.
        people: Their customers, by id.
    """
    refused: dict[tuple[str, bool], Mapping[str, str]] = {}
    for kind in {(touch.channel, touch.service) for touch in touches}:
        channel, service = kind
        asked = {one.customer_id: people[one.customer_id] for one in touches if one.channel == channel and one.customer_id in people}
        refused[kind] = unreachable(asked, channel) if service else refusals(asked, channel, question.now)
    outcomes = {
        touch.id: _instead(question, touch, people.get(touch.customer_id), refused[touch.channel, touch.service].get(touch.customer_id, ""))
        for touch in touches
    }
    return {key: outcome for key, outcome in outcomes.items() if outcome}


def _instead(question: Question, touch: Touch, person: Person | None, refusal: str) -> Outcome | None:
    home = zone_of(person.timezone if person else "", question.timezone)
    if touch.valid_until and touch.valid_until < moment.local_day(question.now, home):
        return Outcome(EXPIRED, reason=f"valid until {touch.valid_until}")
    if touch.channel not in question.channels or touch.channel not in COMPOSERS:
        return Outcome(FAILED, reason=f"no sender for {touch.channel} is set up")
    if person is None or refusal:
        return Outcome(SUPPRESSED, reason=refusal or ("no address" if touch.service else "no consent"))
    if touch.service:
        return None
    morning = end_of_quiet(question.now, question.quiet, home)
    return Outcome(PLANNED, reason="quiet hours", send_at=morning) if morning else None


def end_of_quiet(now: datetime, quiet: QuietHours, timezone: str) -> datetime | None:
    """When the quiet hours that hold now end, UTC; None where none hold."""
    allowed = next_allowed(now, timezone, quiet)
    return allowed if allowed > now else None
