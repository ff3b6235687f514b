"""The one query before messages says what the whole reading of consent and suppression says."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest

from rekindle.service.flow import sending
from rekindle.service.outbox.models import Touch
from rekindle.service.people.digests import digest_of
from rekindle.service.people.last_look import REDEEMED, TO_BE_ERASED, LastLook, Reader
from rekindle.service.people.models import Consent, Person, Suppression
from rekindle.service.people.queries import refusals
from rekindle.service.privacy import actions as privacy
from rekindle.service.privacy.models import ACCESS, ERASURE, Receipt
from rekindle.service.redemptions.models import Coupon
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.reach import looked, unreachable
from tests.service.touches import Recorder, meet, plan

CROWD = 200
ADDRESSES = ("", "a@x.example", "b@x.example", "c@x.example")
WORDS = [("email", "marketing"), ("sms", "marketing"), ("all", "pause"), ("all", "profiling"), ("all", "topic:advice"), ("sms", "pause")]
SHARES = [0.35, 0.35, 0.1, 0.1, 0.05, 0.05]

LEDGERS = ("sqlite", "postgresql")


def instants(chance: np.random.Generator, size: int) -> Iterator[datetime]:
    """A few, so that many fall together, some after the present."""
    return (NOON + timedelta(hours=int(hour), microseconds=int(hour) % 2) for hour in chance.integers(-5, 3, size))


@pytest.mark.parametrize("seed", range(3))
def test_it_says_what_the_whole_reading_says(store: Settings, seed: int) -> None:
    chance = np.random.default_rng(seed)
    people = [
        Person(
            customer_id=f"c{number}", email_lookup=ADDRESSES[chance.integers(4)], phone=f"+49{number}" * int(chance.integers(2)),
            updated_at=NOON,
        )
        for number in range(CROWD)
    ]
    Person.objects.bulk_create(people)
    said = [
        Consent(
            customer_id=f"c{chance.integers(CROWD)}", channel=channel, purpose=purpose,
            granted=bool(chance.integers(2)), basis="consent", source="test",
            recorded_at=at, expires_at=next(instants(chance, 1)) if chance.random() < 0.3 else None,
        )
        for at, (channel, purpose) in zip(instants(chance, 5 * CROWD), chance.choice(WORDS, 5 * CROWD, p=SHARES), strict=True)
    ]
    Consent.objects.bulk_create(said, ignore_conflicts=True)
    stopped = [
        Suppression(
            channel=("email", "sms")[chance.integers(2)], recorded_at=at,
            reason=("opt-out", "erased", "bounced", "gone")[chance.integers(4)],
            digest=digest_of(chance.choice([*ADDRESSES[1:], *(person.phone for person in people if person.phone)])),
        )
        for at in instants(chance, CROWD // 2)
    ]
    Suppression.objects.bulk_create(stopped)
    asked = {person.customer_id: person for person in people}
    found = set()
    for channel in ("email", "sms"):
        whole = {False: refusals(asked, channel, NOON), True: unreachable(asked, channel)}
        for service, expected in whole.items():
            alone = [looked(NOON, {name: person}, channel, service) for name, person in asked.items()]
            assert looked(NOON, asked, channel, service) == {name: why for one in alone for name, why in one.items()} == expected
            found |= {(service, why) for why in expected.values()}
    wishes = ("paused", "objected to profiling")
    marketing = {(False, why) for why in ("no consent", "opted out", "consent expired", "no address", "address suppressed", *wishes)}
    assert found == marketing | {(True, "no address"), (True, "address suppressed")}, "every reason was met"


TOPICS = {"win-back": "offers", "thank-you": "advice"}


def refused(at: datetime = NOON, service: bool = False) -> dict[str, str]:
    """What the last look says of a message of each program to c1."""
    person = Person.objects.get(pk="c1")
    found = LastLook(at, TOPICS).refusals({number: Reader(person, name, "o1") for number, name in enumerate(TOPICS)}, "email", service)
    return {name: found[number] for number, name in enumerate(TOPICS) if number in found}


def test_a_refused_topic_stops_messages_of_that_topic_alone(store: Settings) -> None:
    meet(["c1"])
    assert refused() == {}
    for minutes, word in enumerate((False, True, False)):
        said = {"customer_id": "c1", "channel": "all", "purpose": "topic:advice", "granted": word, "basis": "objection", "source": "test"}
        Consent.objects.create(**said, recorded_at=NOON - timedelta(hours=1) + timedelta(minutes=minutes))
        assert refused() == ({} if word else {"thank-you": "topic refused"})
    assert refused(service=True) == {}


def test_a_topic_refused_after_the_plan_stops_the_message(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "topics_of", lambda _: TOPICS)
    plan(["c1", "c2"])
    for customer, topic in (("c1", "offers"), ("c2", "advice")):
        said = {"channel": "all", "purpose": f"topic:{topic}", "granted": False, "basis": "objection", "source": "test"}
        Consent.objects.create(**said, customer_id=customer, recorded_at=NOON)
    sending.send_due(store, NOON, senders={"email": Recorder()})
    assert set(Touch.objects.values_list("customer_id", "status", "reason")) == {("c1", "suppressed", "topic refused"), ("c2", "sent", "")}


@pytest.mark.parametrize("everyone", [False, True])
def test_who_asked_to_be_erased_gets_nothing_that_is_planned_later(store: Settings, everyone: bool) -> None:
    meet(["c1", "c2"])
    privacy.ask(ERASURE, "" if everyone else "c1", "api", NOON, everyone=everyone)
    plan(["c1", "c2"])
    sender, others = Recorder(), [] if everyone else ["c2@people.example"]
    sending.send_due(store, NOON, senders={"email": sender})
    assert [message.to for message in sender.taken] == others
    assert Touch.objects.get(customer_id="c1").reason == TO_BE_ERASED
    whom = dict.fromkeys(["c1", "c2"] if everyone else ["c1"], TO_BE_ERASED)
    assert looked(NOON, Person.objects.in_bulk(), "email", service=True) == whom
    assert looked(NOON, Person.objects.in_bulk(), "email", service=False) == whom
    privacy.ask(ACCESS, "c2", "api", NOON)
    Receipt.objects.filter(kind=ERASURE).update(done_at=NOON)
    assert refused() == refused(service=True) == {}


def test_a_round_whose_code_was_redeemed_sends_no_marketing_any_more(store: Settings) -> None:
    given = {"plan": "plan1", "stage": "reconnect", "offer": "o", "kind": "percent", "label": "10 % off", "currency": "EUR", "price": True}
    plan(["c1", "c2"])
    rounds = {"MINE": ("c1", "win-back", "o1"), "ELSE": ("c1", "thank-you", "o0"), "OTHER": ("c2", "win-back", "o2")}
    for code, (customer, program, episode) in rounds.items():
        Coupon.objects.create(code=code, customer_id=customer, program=program, episode=episode, redeemed=1, **given)
    assert (refused(), refused(service=True)) == ({"win-back": REDEEMED}, {})
    sending.send_due(store, NOON, senders={"email": Recorder()})
    assert set(Touch.objects.values_list("customer_id", "status", "reason")) == {("c1", "suppressed", REDEEMED), ("c2", "sent", "")}
    Coupon.objects.update(redeemed=0)
    assert refused() == {}, "it was rolled back"
