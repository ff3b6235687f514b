"""What customers want to get: the shop's own account page asks for it and says it.

Knows nothing of what follows from a wish.
"""

from datetime import date, timedelta
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import AwareDatetime, Field

from rekindle import moment
from rekindle.errors import BadData
from rekindle.insight.profile import CHANNELS
from rekindle.program.triggers import TOPICS
from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId, Line
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.wishing import wish
from rekindle.service.people.models import Person
from rekindle.service.people.queries import address_of, find, person_of
from rekindle.service.wishes.actions import Said
from rekindle.service.wishes.queries import wishes_of
from rekindle.service.wishes.wishes import Wishes

router = Router(auth=Key("preferences"), tags=["preferences"])

_LONGEST_PAUSE = timedelta(days=366)
_ROUNDED = timedelta(milliseconds=1)
"""An instant that was told comes back rounded."""

_FIRST_YEAR = 1900

Channel = Annotated[str, Field(pattern=f"^({'|'.join(CHANNELS)})$")]
Topic = Annotated[str, Field(pattern=f"^({'|'.join(TOPICS)})$")]


class Preferences(Schema):
    """A customer's wishes, all of them.

    `channels`: by which marketing may come; `first_channel`: the one that is tried first; `hour`: where the customer is; `monthly`:
    messages of marketing in 30 days at most; `scored`: false after an objection to being told apart by orders. Null is no wish.
    """

    channels: Annotated[list[Channel], Field(max_length=len(CHANNELS))]
    refused_topics: Annotated[list[Topic], Field(max_length=len(TOPICS))] = []
    first_channel: Channel | None = None
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    monthly: Annotated[int, Field(ge=1, le=30)] | None = None
    birthday: date | None = None
    paused_until: AwareDatetime | None = None
    scored: bool = True


class Wanted(Preferences):
    """The wishes that a customer has told the shop, with the version of the words that they agreed to."""

    customer: CustomerId
    wording_version: Annotated[Line, Field(min_length=1)]


@router.get("", response=Preferences, summary="What a customer wants to get")
def asked(request: HttpRequest, customer: CustomerId) -> Preferences:
    """A customer's wishes as they hold now."""
    return preferences_of(_person(customer))


@router.put("", response=Preferences, summary="What a customer wants to get from now on")
def said(request: HttpRequest, wanted: Wanted) -> Preferences:
    """Makes a customer's wishes these, all of them; what waits against them is withdrawn. Saying the same again writes nothing."""
    person, now = _person(wanted.customer), moment.now()
    wish(store_in_use(), person.customer_id, _wishes(wanted, person), Said(now, "api", wanted.wording_version, proven=False))
    return preferences_of(_person(person.customer_id))


def _person(customer: str) -> Person:
    mine = find(customer, tell=False)
    return person_of(mine)


def _held(person: Person) -> Wishes:
    return wishes_of(person, moment.now())


def _wishes(wanted: Wanted, person: Person) -> Wishes:
    """What was said, where it can be done; ways that nobody can choose here stay as they are."""
    now = moment.now()
    if mute := sorted(one for one in wanted.channels if not address_of(person, one)):
        raise BadData(f"no address of the customer is known for {mute[0]}", "Leave the channel out, or import the contact first.")
    if wanted.birthday and not date(_FIRST_YEAR, 1, 1) <= wanted.birthday <= now.date():
        raise BadData("birthday is no day on which a customer can have been born", f"Give a day since {_FIRST_YEAR}.")
    until, held = wanted.paused_until, _held(person)
    if until and not now < until <= now + _LONGEST_PAUSE:
        raise BadData("paused_until is not within the year to come", "Give an instant within 366 days, or null.")
    if until and held.paused_until and abs(until - held.paused_until) < _ROUNDED:
        until = held.paused_until
    return Wishes(
        channels=frozenset(wanted.channels) | (held.channels - set(CHANNELS)), refused=frozenset(wanted.refused_topics),
        channel=wanted.first_channel or "", hour=wanted.hour, monthly=wanted.monthly, birthday=wanted.birthday, paused_until=until,
        scored=wanted.scored,
    )  # fmt: skip


def preferences_of(person: Person) -> Preferences:
    """A customer's wishes as they hold now, as the API tells them."""
    held = _held(person)
    return Preferences(
        channels=sorted(held.channels & set(CHANNELS)), refused_topics=sorted(held.refused), first_channel=held.channel or None,
        hour=held.hour, monthly=held.monthly, birthday=held.birthday, paused_until=held.paused_until, scored=held.scored,
    )  # fmt: skip
