"""What a customer wants now, from every word that was ever said.

Changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rekindle.decide.due import PAUSE
from rekindle.decide.wishes import TOPIC
from rekindle.insight.profile import PROFILING
from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.models import PURCHASE, Person
from rekindle.service.people.queries import Word, address_of, reachable, said_by
from rekindle.service.wishes.wishes import Wishes


def wishes_of(person: Person, at: datetime) -> Wishes:
    """A customer's wishes at an instant.

    Args:
        person: Who.
        at: Aware; what has expired by then holds no more.
    """
    return _wishes(person, said_by(person), at)


def held_and_stopped(person: Person, at: datetime) -> tuple[Wishes, frozenset[str]]:
    """A customer's wishes, and the channels that they had agreed to and stopped at last: what coming back restores.

    Args:
        person: Who.
        at: As `wishes_of`. The channels are all of one moment, and reach the customer still.
    """
    said = said_by(person)
    return _wishes(person, said, at), _stopped(person, [word for word, _ in said])


def _wishes(person: Person, said: Sequence[tuple[Word, datetime | None]], at: datetime) -> Wishes:
    words = {(one.channel, one.purpose): one for one, _ in said}
    live = {key for key, one in words.items() if one.granted and not (one.expires_at and one.expires_at <= at)}
    pause = next((words[key] for key in live if key[1] == PAUSE), None)
    no = {purpose for (_, purpose), one in words.items() if not one.granted}
    return Wishes(
        channels=reachable(person, said, at),
        refused=frozenset(purpose.removeprefix(TOPIC) for purpose in no if purpose.startswith(TOPIC)), channel=person.stated_channel,
        hour=person.stated_hour, monthly=person.monthly, birthday=person.birthday, paused_until=pause.expires_at if pause else None,
        scored=PROFILING not in no,
    )  # fmt: skip


def _stopped(person: Person, said: Iterable[Word]) -> frozenset[str]:
    words: dict[str, list[Word]] = {}
    for one in said:
        if one.purpose == MARKETING and one.basis != PURCHASE:
            words.setdefault(one.channel, []).append(one)
    agreed = {channel for channel, told in words.items() if any(one.granted for one in told)}
    stops = {channel: words[channel][-1].recorded_at for channel in agreed if not words[channel][-1].granted}
    last = max(stops.values(), default=None)
    return frozenset(channel for channel, at in stops.items() if at == last and address_of(person, channel))
