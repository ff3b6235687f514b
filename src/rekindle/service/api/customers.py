"""A customer in short, for whoever answers their call: what is known, what was sent and why, what they asked for.

Knows nothing of how anything was found. Nothing here changes anything.
"""

from collections.abc import Iterator
from datetime import datetime

from django.http import HttpRequest
from ninja import Path, Router, Schema

from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId
from rekindle.service.api.preferences import Preferences, preferences_of
from rekindle.service.config.web import store_in_use
from rekindle.service.events import queries as events
from rekindle.service.flow.explained import known
from rekindle.service.flow.snapshots import Known, known_of
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.service.people.queries import find, person_of
from rekindle.service.public.answers import filled
from rekindle.service.public.messages import reasons
from rekindle.service.public.visitors import Reader

router = Router(auth=Key("brief"), tags=["customers"])

LAST = 20
"""Messages that are told, and reports of what became of them."""

_OPEN = {"open_ticket": "a ticket is open", "open_return": "a return is open"}
_NOW_ELSEWHERE = "Consent"
"""A line about what `preferences` says as it is at this moment."""


class Line(Schema):
    """Something known, in words."""

    about: str
    words: str


class Message(Schema):
    """A message, and why it came, in the words of the customer's own page about it. `at`: when it left, or was to leave."""

    program: str
    stage: str
    channel: str
    service: bool
    status: str
    at: datetime
    why: list[str]


class Told(Schema):
    """What a mail server or provider told."""

    kind: str
    source: str
    at: datetime


class Brief(Schema):
    """A customer in short. `as_of`: of the profile that `known` and `open` are from; null where the customer has none."""

    customer: str
    as_of: str | None
    known: list[Line]
    open: list[str]
    messages: list[Message]
    told: list[Told]
    preferences: Preferences


@router.get("/{customer}/brief", response=Brief, summary="A customer in short, for a support agent")
def brief(request: HttpRequest, customer: Path[CustomerId]) -> Brief:
    """What to know before answering; the newest messages first, at most 20."""
    mine = find(customer, tell=False)
    person = person_of(mine)
    profile = known_of(store_in_use().var, mine)
    told = events.of_customer(mine)[-LAST:]
    return Brief(
        customer=mine, as_of=profile.as_of if profile else None, known=list(_lines(profile)),
        open=[words for name, words in _OPEN.items() if profile and profile.row[name]], messages=list(_messages(person)),
        told=[Told(kind=one["kind"], source=one["source"], at=one["occurred_at"]) for one in reversed(told)],
        preferences=preferences_of(person),
    )  # fmt: skip


def _lines(profile: Known | None) -> Iterator[Line]:
    for line in known(dict(profile.row), store_in_use()) if profile else ():
        about, _, words = line.partition(" ")
        if about != _NOW_ELSEWHERE:
            yield Line(about=about, words=words.strip())


def _messages(person: Person) -> Iterator[Message]:
    for touch in Touch.objects.filter(customer_id=person.customer_id, plan__ready=True).order_by("-id")[:LAST]:
        why = reasons(Reader(person, touch), filled(person.locale, f"channel_{touch.channel}"))
        yield Message(
            program=touch.program, stage=touch.stage, channel=touch.channel, service=touch.service, status=touch.status,
            at=touch.settled_at or touch.send_at, why=why,
        )  # fmt: skip
