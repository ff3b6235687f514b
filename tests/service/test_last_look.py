"""The one query before messages says what the whole reading of consent and suppression says."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest

from rekindle.service.people.digests import digest_of
from rekindle.service.people.last_look import LastLook
from rekindle.service.people.models import Consent, Person, Suppression
from rekindle.service.people.queries import refusals
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.reach import unreachable

ADDRESSES = ("", "a@x.example", "b@x.example")

LEDGERS = ("sqlite", "postgresql")


def instants(chance: np.random.Generator, size: int) -> Iterator[datetime]:
    """A few, so that many fall together, some after the present."""
    return (NOON + timedelta(hours=int(hour), microseconds=int(hour) % 2) for hour in chance.integers(-5, 3, size))


@pytest.mark.parametrize("seed", range(3))
def test_it_says_what_the_whole_reading_says(store: Settings, seed: int) -> None:
    chance = np.random.default_rng(seed)
    people = [
        Person(
            customer_id=f"c{number}", email_lookup=ADDRESSES[chance.integers(3)], phone=f"+49{number}" * int(chance.integers(2)),
            updated_at=NOON,
        )
        for number in range(60)
    ]
    Person.objects.bulk_create(people)
    said = [
        Consent(
            customer_id=f"c{chance.integers(60)}", channel=("email", "sms")[chance.integers(2)],
            purpose=("marketing", "pause")[int(chance.random() < 0.1)], granted=bool(chance.integers(2)), basis="consent", source="test",
            recorded_at=at, expires_at=next(instants(chance, 1)) if chance.random() < 0.3 else None,
        )
        for at in instants(chance, 200)
    ]
    Consent.objects.bulk_create(said, ignore_conflicts=True)
    stopped = [
        Suppression(
            channel=("email", "sms")[chance.integers(2)], reason=("opt-out", "bounced", "gone")[chance.integers(3)], recorded_at=at,
            digest=digest_of(chance.choice([*ADDRESSES[1:], *(person.phone for person in people if person.phone)])),
        )
        for at in instants(chance, 40)
    ]
    Suppression.objects.bulk_create(stopped)
    asked = {person.customer_id: person for person in people}
    found = set()
    for channel in ("email", "sms"):
        whole = {False: refusals(asked, channel, NOON), True: unreachable(asked, channel)}
        for service, expected in whole.items():
            look = LastLook(NOON)
            alone = [look.refusals({name: person}, channel, service) for name, person in asked.items()]
            assert look.refusals(asked, channel, service) == {name: why for one in alone for name, why in one.items()} == expected
            found |= {(service, why) for why in expected.values()}
    marketing = {(False, why) for why in ("no consent", "opted out", "consent expired", "no address", "address suppressed")}
    assert found == marketing | {(True, "no address"), (True, "address suppressed")}, "every reason was met"
