"""What a customer wants now, from every word that was ever said.

Changes nothing.
"""

from datetime import datetime

from rekindle.decide.due import PAUSE
from rekindle.decide.wishes import TOPIC
from rekindle.insight.profile import PROFILING
from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.models import PURCHASE, Consent, Person
from rekindle.service.people.queries import address_of, refusals
from rekindle.service.wishes.wishes import Wishes


def wishes_of(person: Person, at: datetime) -> Wishes:
    """A customer's wishes at an instant.

    Args:
        person: Who.
        at: Aware; what has expired by then holds no more.
    """
    words: dict[tuple[str, str], Consent] = {}
    for one in Consent.objects.filter(customer_id=person.customer_id).in_order():
        words[one.channel, one.purpose] = one
    live = {key for key, one in words.items() if one.granted and not (one.expires_at and one.expires_at <= at)}
    agreed = {channel for channel, purpose in live if purpose == MARKETING}
    pause = next((words[key] for key in live if key[1] == PAUSE), None)
    no = {purpose for (_, purpose), one in words.items() if not one.granted}
    return Wishes(
        channels=frozenset(channel for channel in agreed if not refusals({person.customer_id: person}, channel, at)),
        refused=frozenset(purpose.removeprefix(TOPIC) for purpose in no if purpose.startswith(TOPIC)), channel=person.stated_channel,
        hour=person.stated_hour, monthly=person.monthly, birthday=person.birthday, paused_until=pause.expires_at if pause else None,
        scored=PROFILING not in no,
    )  # fmt: skip


def stopped_last(person: Person) -> frozenset[str]:
    """The channels that a customer had agreed to and stopped at last, all of one moment, that still reach them: what coming back restores.

    Args:
        person: Who.
    """
    said = Consent.objects.filter(customer_id=person.customer_id, purpose=MARKETING).exclude(basis=PURCHASE).in_order()
    words: dict[str, list[Consent]] = {}
    for one in said:
        words.setdefault(one.channel, []).append(one)
    agreed = {channel for channel, told in words.items() if any(one.granted for one in told)}
    stops = {channel: words[channel][-1].recorded_at for channel in agreed if not words[channel][-1].granted}
    last = max(stops.values(), default=None)
    return frozenset(channel for channel, at in stops.items() if at == last and address_of(person, channel))
