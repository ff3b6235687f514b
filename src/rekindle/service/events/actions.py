"""What is told of a message is kept, and what follows from it is done in the same transaction.

Knows nothing of who tells it. An event that is about no touch of ours changes nothing: it is kept, and that is all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Self

from django.db import transaction

from rekindle.deliver.delivery_events import COMPLAINED, LOST, TAKEN, UNSUBSCRIBED, DeliveryEvent, stops, too_many
from rekindle.service.events import models, queries
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import FAILED, SENT, Touch
from rekindle.service.outbox.outcome import Outcome
from rekindle.service.people import actions as people
from rekindle.service.people.addresses import lookup_form
from rekindle.service.people.models import Person
from rekindle.service.people.queries import address_of, people_by_id
from rekindle.service.programs import actions as programs

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Recorded:
    """What events did.

    Args:
        read: How many were told.
        new: How many of them were not held yet.
        ours: How many of these are about a touch of this store.
        suppressed: Addresses that get nothing more.
        opted_out: People who stopped.
        settled: Touches of which it is now known what became of them: the unknown, and those that came back.
        paused: Programs that paused themselves.
    """

    read: int = 0
    new: int = 0
    ours: int = 0
    suppressed: int = 0
    opted_out: int = 0
    settled: int = 0
    paused: tuple[str, ...] = ()

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def record(events: Iterable[DeliveryEvent], at: datetime) -> Recorded:
    """Keeps what was told and does what follows: suppression, opt-out, settling, and a program's pause. Safe to repeat.

    Args:
        events: As told.
        at: The present instant.
    """
    told, done = list(events), Recorded()
    for start in range(0, len(told), CHUNK):
        with transaction.atomic():
            done += _record(told[start : start + CHUNK], at)
    return done


def settle_late(at: datetime) -> int:
    """Settles the unknown touches of which something was told before they were unknown, and says how many."""
    with transaction.atomic():
        told = list(queries.told_of_unknown())
        return len(outbox.settle_unknown(_outcomes(told), at)) if told else 0


def take_events() -> None:
    """Marks the events that history does not know yet and is told."""
    with transaction.atomic():
        rows = models.DeliveryEvent.objects.filter(mirror=models.CHANGED, kind__in=queries.NAMES).exclude(customer_id="")
        rows.update(mirror=models.TAKEN)


def events_known() -> None:
    """History now knows the events taken."""
    with transaction.atomic():
        models.DeliveryEvent.objects.filter(mirror=models.TAKEN).update(mirror=models.KNOWN)


def _record(told: Sequence[DeliveryEvent], at: datetime) -> Recorded:
    named = {(event.source, event.event_id): event for event in told}
    known = queries.held(named.keys())
    new = [named[name] for name in sorted(named) if name not in known]
    touches = _touches(new)
    models.DeliveryEvent.objects.bulk_create([_row(event, touches.get(_name(event)), at) for event in new], ignore_conflicts=True)
    ours = sorted(((touch, event) for event in new if (touch := touches.get(_name(event)))), key=lambda pair: pair[0].customer_id)
    suppressed, opted_out = _silence(ours, at)
    settled = len(outbox.settle_unknown(_outcomes((touch, event.kind, event.detail) for touch, event in ours), at))
    complained = {touch.program for touch, event in ours if event.kind == COMPLAINED and not touch.service}
    return Recorded(len(told), len(new), len(ours), suppressed, opted_out, settled, _pause(complained, at))


def _name(event: DeliveryEvent) -> tuple[str, str]:
    return event.source, event.event_id


def _touches(events: Sequence[DeliveryEvent]) -> dict[tuple[str, str], Touch]:
    """The touch that each event is about: by our own token, or by the provider's id where the event has no token."""
    tokens = {event.token for event in events if event.token}
    theirs = {event.provider_id for event in events if event.provider_id and not event.token}
    by_token = {touch.token: touch for touch in Touch.objects.filter(token__in=tokens)}
    by_theirs = {touch.provider_id: touch for touch in Touch.objects.filter(provider_id__in=theirs)}
    found = {_name(event): by_token.get(event.token) if event.token else by_theirs.get(event.provider_id) for event in events}
    return {name: touch for name, touch in found.items() if touch}


def _row(event: DeliveryEvent, touch: Touch | None, at: datetime) -> models.DeliveryEvent:
    """What is told of no touch of ours is kept without whom it is about: it may be somebody who was erased."""
    return models.DeliveryEvent(
        source=event.source, event_id=event.event_id, kind=event.kind, touch=touch.id if touch else None,
        customer_id=touch.customer_id if touch else "", token=event.token, provider_id=event.provider_id,
        recipient=event.recipient if touch else "", permanent=event.permanent, detail=event.detail, agent=event.agent,
        raw=event.raw if touch else "", occurred_at=event.at, recorded_at=at,
    )


def _silence(ours: Sequence[tuple[Touch, DeliveryEvent]], at: datetime) -> tuple[int, int]:
    """Suppresses addresses and records who stopped, and says how many of each."""
    persons = people_by_id({touch.customer_id for touch, _ in ours})
    suppressed = opted_out = 0
    for touch, event in ours:
        person = persons.get(touch.customer_id)
        when = min(at, max(event.at, touch.settled_at or event.at))
        if event.kind == UNSUBSCRIBED:
            people.opt_out(touch.customer_id, touch.channel, when, event.source)
            opted_out += 1
        elif (address := _address(touch, event, person, when)) and (reason := stops(event)):
            people.suppress(touch.channel, address, reason, when)
            suppressed += 1
    return suppressed, opted_out


def _address(touch: Touch, event: DeliveryEvent, person: Person | None, when: datetime) -> str:
    """Where the touch went, in the form of suppression; empty where its customer has had another address since.

    The recipient that an event names is not believed alone, for a report by mail can name anybody: it only tells whether the customer's
    own address is still the one that was meant. One that differs may be where their mail is forwarded to.
    """
    held = address_of(person, touch.channel) if person else ""
    meant = not event.recipient or lookup_form(event.recipient) == held or (person is not None and person.updated_at <= when)
    return held if meant else ""


def _outcomes(told: Iterable[tuple[Touch, str, str]]) -> Mapping[str, Outcome]:
    """What becomes of touches, by token: one that came back failed, whatever else was told; one of which else was told was sent."""
    outcomes: dict[str, Outcome] = {}
    for touch, kind, detail in told:
        if kind in LOST:
            outcomes[touch.token] = Outcome(FAILED, reason=f"{kind}: {detail or 'no reason given'}")
        elif kind in TAKEN:
            outcomes.setdefault(touch.token, Outcome(SENT))
    return outcomes


def _pause(names: Collection[str], at: datetime) -> tuple[str, ...]:
    paused = []
    for name in sorted(names):
        found = queries.complaints(name, at)
        if too_many(found.complaints, found.delivered):
            reason = f"{found.complaints} of {found.delivered} delivered messages brought a complaint"
            paused += [name] if programs.pause(name, reason, name, at) else []
    return tuple(paused)
