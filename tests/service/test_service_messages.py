"""News of a customer's own order: sent without consent and at any hour, never with an offer or a link to stop, and at least once."""

import json
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from rekindle.deliver.channel import Message
from rekindle.program.rules import QuietHours
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox import queries
from rekindle.service.outbox.models import Touch
from rekindle.service.people import actions as people
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Suppression
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import Killed, Recorder, later, meet, nobody_is_judged, touches

FACTS = {
    "service": True, "moment": "order", "order_number": "M1042", "products": ["BRASS LANTERN"], "promised_day": "2026-11-25",
    "offer_kind": "none", "offer_label": "No offer",
}
NIGHT = QuietHours(start="11:00", end="13:00")


def news(names: list[str], **columns: object) -> None:
    ours = {
        "program": "order-confirmation", "stage": "confirmed", "arm": "order_confirmed", "offer": "none", "service": True,
        "facts": json.dumps(FACTS), **columns,
    }
    outbox.insert_touches("plan1", touches(names, **ours))
    outbox.ready("plan1")


def read(message: Message) -> EmailMessage:
    parsed = BytesParser(policy=policy.default).parsebytes(message.wire)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_it_goes_without_consent_by_night_and_has_no_link_to_stop(store: Settings) -> None:
    meet(["agreed", "left"])
    meet(["silent"], granted=False)
    people.opt_out("left", "email", NOON - timedelta(days=1), "link")
    news(["agreed", "left", "silent"])
    sent = send_due(store, NOON, quiet=NIGHT, senders={"email": (recorder := Recorder())})
    assert sent == Sent(3, {"sent": 3}, 0)
    for message in map(read, recorder.taken):
        assert (message["List-Unsubscribe"], message["List-Unsubscribe-Post"]) == (None, None)
        assert message["Subject"] == "We have your order M1042"
        for kind in ("plain", "html"):
            body = message.get_body((kind,))
            assert body is not None
            text = body.get_content()
            assert "Brass lantern" in text
            assert "Wednesday, 25 November" in text
            assert "/u/" not in text
            assert "agreed to e-mail" not in text


def test_marketing_beside_it_still_asks(store: Settings) -> None:
    meet(["c1"], granted=False)
    news(["c1"])
    outbox.insert_touches("plan1", touches(["c1"]))
    assert send_due(store, NOON).by_status == {"sent": 1, "suppressed": 1}
    assert dict(Touch.objects.values_list("service", "status")) == {True: "sent", False: "suppressed"}


@pytest.mark.parametrize(("agreed_again", "status"), [(None, "suppressed"), (-1, "suppressed"), (+1, "sent")])
def test_an_address_that_bounced_gets_nothing_until_its_owner_agrees_again(store: Settings, agreed_again: int | None, status: str) -> None:
    bounced = NOON - timedelta(days=9) - timedelta(hours=agreed_again or -1)
    meet(["c1"], granted=agreed_again is not None)
    Suppression.objects.create(channel="email", digest=digest_of("c1@people.example"), reason="bounce", recorded_at=bounced)
    news(["c1"])
    assert send_due(store, NOON, senders={"email": Recorder()}).by_status == {status: 1}
    assert Touch.objects.get().reason == ("" if status == "sent" else "address suppressed")


def test_who_has_no_address_gets_nothing(store: Settings) -> None:
    meet(["c1"])
    people.Person.objects.filter(pk="c1").update(email="", email_lookup="")
    news(["c1", "stranger"])
    assert send_due(store, NOON, senders={"email": Recorder()}).by_status == {"suppressed": 2}
    assert set(Touch.objects.values_list("reason", flat=True)) == {"no address"}


@pytest.mark.parametrize("wrong", [{"offer_kind": "shipping"}, {"offer_kind": "credit", "offer_value": "EUR 5.00"}])
def test_an_offer_in_it_makes_it_fail(store: Settings, wrong: dict[str, object]) -> None:
    meet(["c1"])
    news(["c1"], facts=json.dumps(FACTS | wrong))
    recorder = Recorder()
    assert send_due(store, NOON, senders={"email": recorder}).by_status == {"failed": 1}
    assert (recorder.taken, "carries no offer" in Touch.objects.get().reason) == ([], True)


@pytest.mark.parametrize("handed_over", [False, True])
def test_after_a_crash_it_comes_again_under_the_same_name(store: Settings, handed_over: bool) -> None:
    meet(["c1"])
    news(["c1"])

    class Stopping(Recorder):
        def hand_over(self, message: Message) -> str:
            if handed_over:
                super().hand_over(message)
            raise Killed

    first, second = Stopping(), Recorder()
    with pytest.raises(Killed):
        send_due(store, NOON, senders={"email": first}, clock=lambda: NOON)
    assert send_due(store, NOON, senders={"email": second}, clock=lambda: later(5)).by_status == {"sent": 1}
    assert len({message.id for message in [*first.taken, *second.taken]}) == 1
    assert len(second.taken) == 1


def test_a_late_worker_that_did_hand_it_over_is_believed(store: Settings) -> None:
    meet(["c1"])
    news(["c1"])
    batch = outbox.claim("one", NOON, NOON, 9)
    outbox.begin(batch, nobody_is_judged, NOON, NOON)
    assert outbox.recover(later(2)) == (0, 1)
    outbox.settle([(batch[0], outbox.Outcome("sent", message_id="m"))], NOON)
    assert send_due(store, later(3), senders={"email": (again := Recorder())}) == Sent(0, {}, 0)
    assert (again.taken, Touch.objects.get().message_id) == ([], "m")


def test_an_order_or_a_complaint_withdraws_none_of_it(store: Settings) -> None:
    meet(["c1"])
    news(["c1"], send_at=datetime(2026, 11, 24, 10))
    outbox.insert_touches("plan1", touches(["c1"], send_at=datetime(2026, 11, 24, 10)))
    assert queries.waiting().column("id").to_pylist() == [Touch.objects.get(service=False).id]
