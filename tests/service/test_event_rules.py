"""What follows from each kind of event."""

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from rekindle.deliver import delivery_events as told
from rekindle.deliver.delivery_events import DeliveryEvent
from rekindle.deliver.dsn import read_dsn
from rekindle.service.events import models, queries
from rekindle.service.events.actions import Recorded, record
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import FAILED, SENT, UNKNOWN, Touch
from rekindle.service.outbox.queries import counts
from rekindle.service.people.actions import record_contacts
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Consent, Suppression
from rekindle.service.programs.actions import pause, resume
from rekindle.service.programs.queries import paused, pauses
from rekindle.settings import Settings
from tests.deliver.returned_mail import POSTFIX, TOKEN
from tests.service.conftest import NOON
from tests.service.told import PEOPLE, event, sent, statuses, token
from tests.service.touches import Recorder, later, plan


@pytest.fixture
def outbox(store: Settings) -> Settings:
    plan(PEOPLE)
    return store


@pytest.mark.parametrize(
    ("event_", "reason"),
    [
        (event(told.BOUNCED, permanent=True), "bounce"), (event(told.REJECTED, permanent=True), "rejection"),
        (event(told.COMPLAINED), "complaint"), (event(told.BOUNCED), None), (event(told.REJECTED), None), (event(told.DEFERRED), None),
        (event(told.DELIVERED), None), (event(told.OPENED), None), (event(told.CLICKED), None),
    ],
)
def test_an_address_is_suppressed_by_what_is_for_good_and_by_nothing_else(outbox: Settings, event_: DeliveryEvent, reason: str) -> None:
    sent()
    assert record([event_], later(6)).suppressed == bool(reason)
    held = [(one.digest, one.reason, one.recorded_at) for one in Suppression.objects.all()]
    assert held == ([(digest_of("c1@people.example"), reason, later(5))] if reason else [])


@pytest.mark.parametrize(
    ("kinds", "status", "reason"),
    [
        ((told.ACCEPTED,), SENT, ""), ((told.DELIVERED,), SENT, ""), ((told.DEFERRED,), SENT, ""), ((told.COMPLAINED,), SENT, ""),
        ((told.OPENED, told.CLICKED), SENT, ""), ((told.BOUNCED,), FAILED, "bounced: 5.1.1 no such user"),
        ((told.REJECTED,), FAILED, "rejected: 5.1.1 no such user"), ((told.DELIVERED, told.BOUNCED), FAILED, "bounced: 5.1.1 no such user"),
        ((told.BOUNCED, told.OPENED), FAILED, "bounced: 5.1.1 no such user"),
    ],
)
def test_the_unknown_is_settled(outbox: Settings, kinds: tuple[str, ...], status: str, reason: str) -> None:
    Touch.objects.filter(customer_id="c1").update(status=UNKNOWN, settled_at=NOON, mirror="known", attempts=1)
    done = record([event(kind, detail="5.1.1 no such user") for kind in kinds], later(6))
    assert (done.settled, statuses()["c1"]) == (1, (status, reason))
    assert Touch.objects.get(customer_id="c1").mirror == "changed"
    assert sum(counts().values()) == 3


def test_the_next_message_to_who_complained_is_withheld(outbox: Settings) -> None:
    """At once, and with it within the 60 seconds of the rule: the complaint and its suppression are one transaction."""
    record([event(told.COMPLAINED, at=later(-30))], NOON)
    channel = Recorder()
    assert send_due(outbox, NOON, senders={"email": channel}, clock=lambda: NOON).by_status == {"sent": 2, "suppressed": 1}
    assert [message.to for message in channel.taken] == ["c2@people.example", "c3@people.example"]
    assert statuses()["c1"] == ("suppressed", "address suppressed")


def test_what_is_about_no_touch_of_ours_is_kept_and_changes_nothing(outbox: Settings) -> None:
    sent()
    strange = [
        event(told.COMPLAINED, event_id="1", token="a" * 26, recipient="c1@people.example"),
        event(told.BOUNCED, event_id="2", token="", permanent=True, recipient="c1@people.example"),
        event(told.UNSUBSCRIBED, event_id="3", token="", provider_id="theirs", recipient="c1@people.example"),
    ]
    assert record(strange, later(6)) == Recorded(read=3, new=3)
    assert (Suppression.objects.count(), Consent.objects.filter(granted=False).count(), counts()) == (0, 0, {"sent": 3})
    assert [(one.touch, one.customer_id) for one in models.DeliveryEvent.objects.all()] == [(None, "")] * 3


def test_a_report_cannot_silence_another_persons_address(outbox: Settings) -> None:
    """Whoever got a message knows its token, and can write what they like around it."""
    sent()
    forged = POSTFIX.replace(TOKEN.encode(), token("c1").encode()).replace(b"ada@people.example", b"c2@people.example")
    record(read_dsn(forged, later(9)), later(9))
    assert [one.digest for one in Suppression.objects.all()] == [digest_of("c1@people.example")]


def test_an_address_that_the_customer_gave_since_is_not_suppressed(outbox: Settings) -> None:
    sent()
    moved = {"customer_id": ["c1"], "source": ["shop"], "external_id": ["c1"], "email": ["new@people.example"]}
    record_contacts(pa.table(moved), later(7))
    assert record([event(told.BOUNCED, permanent=True, recipient="c1@people.example")], later(8)).suppressed == 0
    assert record([event(told.COMPLAINED, recipient="New@People.example")], later(8)).suppressed == 1


def test_who_unsubscribes_at_the_provider_has_opted_out(outbox: Settings) -> None:
    sent()
    assert record([event(told.UNSUBSCRIBED, at=later(4))], later(6)) == Recorded(read=1, new=1, ours=1, opted_out=1)
    (said,) = Consent.objects.filter(granted=False)
    assert (said.customer_id, said.channel, said.source, said.recorded_at) == ("c1", "email", "esp", later(4))
    assert [(one.digest, one.reason) for one in Suppression.objects.all()] == [(digest_of("c1@people.example"), "opt-out")]


@pytest.mark.parametrize("at", [NOON - timedelta(days=4000), NOON + timedelta(days=4000)])
def test_a_clock_that_is_wrong_does_not_undo_a_complaint(outbox: Settings, at: datetime) -> None:
    sent()
    record([event(told.COMPLAINED, at=at)], later(6))
    assert NOON <= Suppression.objects.get().recorded_at <= later(6)


def test_a_paused_programs_marketing_waits(outbox: Settings) -> None:
    pause("win-back", "wrong text", "Ada", NOON)
    assert send_due(outbox, NOON, senders={"email": Recorder()}, clock=lambda: NOON).by_status == {}
    assert counts() == {"planned": 3}
    resume("win-back", "Ada", NOON)
    assert send_due(outbox, NOON, senders={"email": Recorder()}, clock=lambda: NOON).by_status == {"sent": 3}


def test_a_message_is_known_by_the_providers_name_where_ours_is_not_told(outbox: Settings) -> None:
    sent()
    Touch.objects.filter(customer_id="c2").update(provider_id="<1@esp>")
    assert record([event(told.COMPLAINED, token="", provider_id="<1@esp>")], later(6)).suppressed == 1
    assert Suppression.objects.get().digest == digest_of("c2@people.example")


def shop(size: int) -> list[str]:
    """A program's messages to so many customers, all sent."""
    customers = [f"n{number:05}" for number in range(size)]
    plan(customers)
    Touch.objects.all().update(status=SENT, settled_at=NOON)
    return customers


def test_a_program_pauses_at_one_complaint_in_a_thousand_delivered(store: Settings) -> None:
    customers = shop(1_001)
    record([event(told.BOUNCED, customers[1])], later(1))
    assert queries.complaints("win-back", later(1)) == queries.Complaints(0, 1_000)
    Touch.objects.filter(customer_id=customers[2]).update(status=FAILED)
    assert record([event(told.COMPLAINED, customers[3])], later(2)).paused == ()
    Touch.objects.filter(customer_id=customers[2]).update(status=SENT)
    assert record([event(told.COMPLAINED, customers[4])], later(3)).paused == ("win-back",)
    (held,) = pauses()
    assert (held.by, held.reason, held.at) == ("win-back", "2 of 1000 delivered messages brought a complaint", later(3))
    assert paused() == {"win-back"}
    assert record([event(told.COMPLAINED, customers[5])], later(4)).paused == ()


def test_who_resumes_a_program_gives_it_a_new_beginning(store: Settings) -> None:
    customers = shop(1_000)
    assert record([event(told.COMPLAINED, customers[0])], later(1)).paused == ("win-back",)
    resume("win-back", "Ada", later(2))
    assert record([event(told.COMPLAINED, customers[1])], later(3)).paused == ()
    assert queries.complaints("win-back", later(3)) == queries.Complaints(0, 0)


def test_old_complaints_and_those_of_news_of_orders_do_not_count(store: Settings) -> None:
    customers = shop(1_000)
    assert record([event(told.COMPLAINED, customers[0], at=NOON + timedelta(days=31))], NOON + timedelta(days=31)).paused == ()
    Touch.objects.all().update(service=True)
    assert record([event(told.COMPLAINED, customers[1])], later(3)).paused == ()
