"""Handing over what is due: claim, look again at what may have changed, attempt, hand over, commit the outcome.

Knows nothing of why a touch was decided. Marketing is handed over at most once: what is attempted is never taken again. A message about
the customer's own order waits for no consent and for no morning, carries no link to stop, and may come twice under one Message-ID.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rekindle import moment
from rekindle.decide.timing import next_allowed, zone_of
from rekindle.deliver.channel import Channel, Message
from rekindle.deliver.facts import Facts, with_frozen, with_registered
from rekindle.deliver.links import Claim, Ring, sign
from rekindle.deliver.message import Envelope, build, message_id
from rekindle.deliver.templates import TemplateSet, render
from rekindle.errors import Refused, RekindleError, TemporaryFailure
from rekindle.program.rules import QuietHours
from rekindle.service.channels import open_sender
from rekindle.service.config import load_ring, use_ledger
from rekindle.service.flow.content import load_content, registered_facts
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
LIST = "email-marketing"


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
class _Desk:
    """What every message of a run needs."""

    settings: Settings
    now: datetime
    quiet: QuietHours
    channel: Channel
    templates: TemplateSet
    shop: Facts
    unsubscribe: Ring
    preferences: Ring


def send_due(
    settings: Settings,
    now: datetime,
    *,
    quiet: QuietHours | None = None,
    channel: Channel | None = None,
    clock: Callable[[], datetime] = moment.now,
) -> Sent:
    """Sends the touches of ready plans that are due, and says what became of them.

    Args:
        settings: The store.
        now: The instant of sending: what is due, what has expired, where it is night.
        quiet: When nobody is written to, in the customer's time zone; 20:00 to 09:00 where not given.
        channel: Where messages go; the store's mailbox where not given.
        clock: The present instant, which leases count by.

    Raises:
        Refused: No message of this store could be lawful: no postal address, or no HTTPS address for its links.
    """
    use_ledger(settings)
    sender = channel or open_sender(settings, "email")
    if sender is None:
        raise Refused("the store has no sender of e-mail", 'Write senders.email = "mailbox" in rekindle.toml.')
    desk = _open_desk(settings, now, quiet or QuietHours(), sender)
    unknown, _ = outbox.recover(clock())
    planned, totals, owner = due(now), Counter({UNKNOWN: unknown} if unknown else {}), secrets.token_hex(8)
    while batch := outbox.claim(owner, now, clock(), BATCH):
        totals.update(_send_batch(desk, batch, clock))
    return Sent(planned, {status: n for status, n in sorted(totals.items()) if status != PLANNED}, totals[PLANNED])


def shop_facts(settings: Settings, templates: TemplateSet) -> Facts:
    """What messages state about the shop, without anything about a customer; the links are examples."""
    shop = Facts(
        stage="", shop_name=settings.name, shop_url=settings.brand.url, brand_color=settings.brand.color, locale=settings.locale,
        postal_address=settings.sender.postal_address, unsubscribe_url=f"{settings.public_url}/u/example",
        preferences_url=f"{settings.public_url}/preferences/example", reply_to=settings.sender.reply_to or settings.sender.email,
    )
    return with_registered(shop, registered_facts(templates))


def with_links(facts: Facts, public_url: str, rings: tuple[Ring, Ring], customer_id: str) -> Facts:
    """The facts with a customer's own signed links: to stop, and to choose.

    Args:
        facts: Of a message.
        public_url: Where the store's customers reach the pages.
        rings: The keys of both links, in this order.
        customer_id: Whose they are.
    """
    stop, choose = (sign(ring, Claim(customer_id, LIST)) for ring in rings)
    return replace(facts, unsubscribe_url=f"{public_url}/u/{stop}", preferences_url=f"{public_url}/preferences/{choose}")


def _open_desk(settings: Settings, now: datetime, quiet: QuietHours, channel: Channel) -> _Desk:
    if not settings.sender.postal_address.strip():
        raise Refused("marketing mail needs the sender's postal address", "Write sender.postal_address in rekindle.toml.")
    if not settings.public_url.startswith("https://"):
        raise Refused("links to unsubscribe must be HTTPS", "Write public_url = \"https://...\" in rekindle.toml.")
    templates = load_content(settings.root)
    rings = load_ring(settings.var, "unsubscribe"), load_ring(settings.var, "preferences")
    return _Desk(settings, now, quiet, channel, templates, shop_facts(settings, templates), *rings)


def _send_batch(desk: _Desk, batch: Sequence[Touch], clock: Callable[[], datetime]) -> Counter[str]:
    people = people_by_id({touch.customer_id for touch in batch})
    instead = _not_now(desk, batch, people)
    begun = outbox.begin(batch, instead, clock(), desk.now)
    outcomes = {touch.id: _attempt(desk, touch, people[touch.customer_id]) for touch in begun}
    outbox.settle(begun, outcomes, desk.now)
    return Counter(outcome.status for outcome in (*instead.values(), *outcomes.values()))


def _not_now(desk: _Desk, batch: Sequence[Touch], people: Mapping[str, Person]) -> dict[int, Outcome]:
    """What becomes, without an attempt, of the touches that must not be attempted now."""
    refused = {service: _refused(desk, people, service) for service in {touch.service for touch in batch}}
    outcomes = {
        touch.id: _instead(desk, touch, people.get(touch.customer_id), refused[touch.service].get(touch.customer_id, "")) for touch in batch
    }
    return {key: outcome for key, outcome in outcomes.items() if outcome}


def _refused(desk: _Desk, people: Mapping[str, Person], service: bool) -> dict[str, str]:
    """Who must not get a message now, and why: for want of consent, or, of their own order, only where no address works."""
    return unreachable(people, "email") if service else refusals(people, "email", desk.now)


def _instead(desk: _Desk, touch: Touch, person: Person | None, refusal: str) -> Outcome | None:
    home = zone_of(person.timezone if person else "", desk.settings.timezone)
    if touch.valid_until and touch.valid_until < moment.local_day(desk.now, home):
        return Outcome(EXPIRED, reason=f"valid until {touch.valid_until}")
    if touch.channel != "email":
        return Outcome(FAILED, reason=f"no sender for {touch.channel} is set up")
    if person is None or refusal:
        return Outcome(SUPPRESSED, reason=refusal or ("no address" if touch.service else "no consent"))
    if touch.service:
        return None
    morning = end_of_quiet(desk.now, desk.quiet, zone_of(person.timezone, desk.settings.timezone))
    return Outcome(PLANNED, reason="quiet hours", send_at=morning) if morning else None


def end_of_quiet(now: datetime, quiet: QuietHours, timezone: str) -> datetime | None:
    """When the quiet hours that hold now end, UTC; None where none hold."""
    allowed = next_allowed(now, timezone, quiet)
    return allowed if allowed > now else None


def _attempt(desk: _Desk, touch: Touch, person: Person) -> Outcome:
    """Renders one message, reads suppression once more, and hands it over."""
    try:
        message = _message(desk, touch, person)
        if refusal := _refused(desk, {person.customer_id: person}, touch.service).get(person.customer_id):
            return Outcome(SUPPRESSED, reason=refusal)
        desk.channel.hand_over(message)
    except TemporaryFailure as error:
        return Outcome(PLANNED, reason=str(error), send_at=desk.now + RETRY)
    except RekindleError as error:
        return Outcome(FAILED, reason=str(error))
    return Outcome(SENT, message_id=message.id)


def _message(desk: _Desk, touch: Touch, person: Person) -> Message:
    sender = desk.settings.sender
    rings = desk.unsubscribe, desk.preferences
    linked = with_links(with_frozen(desk.shop, touch.facts), desk.settings.public_url, rings, touch.customer_id)
    facts = replace(
        linked, stage=touch.stage, program=touch.program, arm=touch.arm, code=touch.code, first_name=person.first_name,
        service=touch.service,
    )
    identity = message_id(touch.key, sender.email)
    envelope = Envelope(
        from_name=sender.name or desk.settings.name, from_address=sender.email, to_name="", to_address=person.email,
        reply_to=sender.reply_to or sender.email, message_id=identity,
        unsubscribe_url=None if touch.service else facts.unsubscribe_url, date=desk.now,
    )
    return Message(identity, moment.local_day(desk.now, desk.settings.timezone), build(envelope, render(desk.templates, facts)))
