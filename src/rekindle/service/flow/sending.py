"""Handing over what is due: claim, look again at what may have changed, attempt, hand over, commit the outcome.

Knows nothing of why a touch was decided. Marketing is handed over at most once: what is attempted is never taken again. A message about
the customer's own order waits for no consent and for no morning, carries no link to stop, and may come twice under one Message-ID.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle import moment
from rekindle.decide.timing import next_allowed, zone_of
from rekindle.deliver.channel import Channel
from rekindle.errors import RekindleError, TemporaryFailure
from rekindle.program.rules import QuietHours
from rekindle.service.channels import open_senders
from rekindle.service.config import use_ledger
from rekindle.service.flow.composing import COMPOSERS, Desk, compose, open_desk
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.actions import Outcome
from rekindle.service.outbox.models import EXPIRED, FAILED, PLANNED, SENT, SUPPRESSED, UNKNOWN, Touch
from rekindle.service.outbox.queries import due
from rekindle.service.people.models import Person
from rekindle.service.people.queries import people_by_id, refusals
from rekindle.service.people.reach import unreachable
from rekindle.settings import Settings

BATCH = 50
RETRY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the touches that were due.

    Args:
        planned: How many were due.
        by_status: How many ended in each settled state; these and `postponed` add up to `planned` and the unknown of earlier runs.
        postponed: How many wait: it was the customer's night, or the channel could not take them now.
    """

    planned: int
    by_status: Mapping[str, int]
    postponed: int


@dataclass(frozen=True, slots=True)
class _Run:
    """What holds for every message of a run."""

    desk: Desk
    quiet: QuietHours
    senders: Mapping[str, Channel]

    @property
    def settings(self) -> Settings:
        return self.desk.settings

    @property
    def now(self) -> datetime:
        return self.desk.now


def send_due(
    settings: Settings,
    now: datetime,
    *,
    quiet: QuietHours | None = None,
    senders: Mapping[str, Channel] | None = None,
    clock: Callable[[], datetime] = moment.now,
) -> Sent:
    """Sends the touches of ready plans that are due, and says what became of them.

    Args:
        settings: The store.
        now: The instant of sending: what is due, what has expired, where it is night.
        quiet: When nobody is written to, in the customer's time zone; 20:00 to 09:00 where not given.
        senders: Channel to what hands its messages over; the store's own where not given.
        clock: The present instant, which leases count by.

    Raises:
        Refused: No message of this store could be lawful: no postal address, or no HTTPS address for its links.
    """
    use_ledger(settings)
    run = _Run(open_desk(settings, now), quiet or QuietHours(), open_senders(settings) if senders is None else senders)
    unknown, _ = outbox.recover(clock())
    planned, totals, owner = due(now), Counter({UNKNOWN: unknown} if unknown else {}), secrets.token_hex(8)
    while batch := outbox.claim(owner, now, clock(), BATCH):
        totals.update(_send_batch(run, batch, clock))
    return Sent(planned, {status: n for status, n in sorted(totals.items()) if status != PLANNED}, totals[PLANNED])


def _send_batch(run: _Run, batch: Sequence[Touch], clock: Callable[[], datetime]) -> Counter[str]:
    people = people_by_id({touch.customer_id for touch in batch})
    instead = _not_now(run, batch, people)
    begun = outbox.begin(batch, instead, clock(), run.now)
    outcomes = {touch.id: _attempt(run, touch, people[touch.customer_id]) for touch in begun}
    outbox.settle(begun, outcomes, run.now)
    return Counter(outcome.status for outcome in (*instead.values(), *outcomes.values()))


def _not_now(run: _Run, batch: Sequence[Touch], people: Mapping[str, Person]) -> dict[int, Outcome]:
    """What becomes, without an attempt, of the touches that must not be attempted now."""
    refused = {service: _refused(run, people, service) for service in {touch.service for touch in batch}}
    outcomes = {
        touch.id: _instead(run, touch, people.get(touch.customer_id), refused[touch.service].get(touch.customer_id, "")) for touch in batch
    }
    return {key: outcome for key, outcome in outcomes.items() if outcome}


def _refused(run: _Run, people: Mapping[str, Person], service: bool) -> dict[str, str]:
    """Who must not get a message now, and why: for want of consent, or, of their own order, only where no address works."""
    return unreachable(people, "email") if service else refusals(people, "email", run.now)


def _instead(run: _Run, touch: Touch, person: Person | None, refusal: str) -> Outcome | None:
    home = zone_of(person.timezone if person else "", run.settings.timezone)
    if touch.valid_until and touch.valid_until < moment.local_day(run.now, home):
        return Outcome(EXPIRED, reason=f"valid until {touch.valid_until}")
    if touch.channel not in run.senders or touch.channel not in COMPOSERS:
        return Outcome(FAILED, reason=f"no sender for {touch.channel} is set up")
    if person is None or refusal:
        return Outcome(SUPPRESSED, reason=refusal or ("no address" if touch.service else "no consent"))
    if touch.service:
        return None
    morning = end_of_quiet(run.now, run.quiet, zone_of(person.timezone, run.settings.timezone))
    return Outcome(PLANNED, reason="quiet hours", send_at=morning) if morning else None


def end_of_quiet(now: datetime, quiet: QuietHours, timezone: str) -> datetime | None:
    """When the quiet hours that hold now end, UTC; None where none hold."""
    allowed = next_allowed(now, timezone, quiet)
    return allowed if allowed > now else None


def _attempt(run: _Run, touch: Touch, person: Person) -> Outcome:
    """Renders one message, reads suppression once more, and hands it over."""
    try:
        message = compose(run.desk, touch, person)
        if refusal := _refused(run, {person.customer_id: person}, touch.service).get(person.customer_id):
            return Outcome(SUPPRESSED, reason=refusal)
        theirs = run.senders[touch.channel].hand_over(message)
    except TemporaryFailure as error:
        return Outcome(PLANNED, reason=str(error), send_at=run.now + RETRY)
    except RekindleError as error:
        return Outcome(FAILED, reason=str(error))
    return Outcome(SENT, message_id=message.id, provider_id=theirs)
