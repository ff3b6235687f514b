"""From a plan's touches to what stands at the other side of every channel, through the worker itself."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rekindle.deliver.channel import Message
from rekindle.errors import BadData, PermanentFailure, TemporaryFailure
from rekindle.program.sms_segments import segments
from rekindle.service.channels import open_senders
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.channels.inapp.queries import shown
from rekindle.service.channels.sms.actions import receive
from rekindle.service.flow.plan_approving import leaving
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import FAILED, PLANNED, SENT, SUPPRESSED, Touch
from rekindle.service.people import actions as people
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Person, Suppression
from rekindle.settings import Senders, Settings
from tests.service.channels.loopback import Script, serving
from tests.service.conftest import NOON, in_earnest
from tests.service.touches import OneByOne, touches

LEDGERS = ("sqlite", "postgresql")
SHORT = ("sms", "webpush", "inapp", "webhook")
BROWSER = '{"endpoint":"https://push.example/1","keys":{"p256dh":"BA","auth":"AA"}}'


def planned(store: Settings, *customers: str, agreed: tuple[str, ...] = SHORT) -> Settings:
    """One touch for each customer and channel, as one plan; a stage each, so that each is a touch of its own."""
    before, size = NOON - timedelta(days=9), len(customers)
    known = {"customer_id": list(customers), "source": ["shop"] * size, "external_id": [f"x-{one}" for one in customers]}
    people.record_contacts(pa.table({**known, "phone": [f"+49151{n:08d}" for n in range(23456789, 23456789 + size)]}), before)
    for one in customers:
        people.keep_browser(one, BROWSER.replace("/1", f"/{one}"), f"lookup-{one}", before)
        for channel in agreed:
            people.consent(one, channel, before, "test")
    rows = [touches(list(customers), stage=["tailor"] * size, episode=[f"o-{channel}"] * size, channel=channel) for channel in SHORT]
    outbox.insert_touches("plan1", pa.concat_tables(rows))
    outbox.ready("plan1")
    outbox.approve("plan1", "ada", before)
    senders = Senders(email="mailbox", sms="folder", webpush="folder", inapp="inapp", webhook="folder")
    return in_earnest(store).model_copy(update={"senders": senders, "webhook": store.webhook.model_copy(update={"url": "https://hook.example/x"})})


def kept(store: Settings) -> dict[str, dict[str, Any]]:
    """What the folder holds, by the message's id."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in (store.var / "messages").rglob("*.json")]
    return {one["id"]: one for one in files}


def test_every_channel_says_the_same_offer_to_the_right_address(store: Settings) -> None:
    chosen = planned(store, "c-1")
    sent = send_due(chosen, NOON, senders=open_senders(chosen))
    assert (sent.planned, sent.by_status) == (4, {SENT: 4}), list(Touch.objects.values_list("channel", "status", "reason"))
    token = dict(Touch.objects.values_list("channel", "token"))
    assert {one.channel: one.message_id for one in Touch.objects.all()} == token
    held = kept(chosen)
    assert {channel: held[token[channel]]["to"] for channel in ("sms", "webpush", "webhook")} == {
        "sms": "+4915123456789", "webpush": BROWSER.replace("/1", "/c-1"), "webhook": "https://hook.example/x",
    }  # fmt: skip
    text = held[token["sms"]]["message"]
    assert "STOP" in text
    assert segments(text).encoding == "GSM-7"
    pushed, event = (json.loads(held[token[channel]]["message"]) for channel in ("webpush", "webhook"))
    row = InAppMessage.objects.get()
    assert (row.message_id, row.customer_id, row.last_day.isoformat()) == (token["inapp"], "c-1", "2026-12-05")
    assert pushed["tag"] == token["webpush"]
    assert {pushed["title"], event["data"]["title"], row.title} == {row.title}
    assert (event["data"]["id"], event["data"]["customer"], event["data"]["external_id"]) == (token["webhook"], "c-1", "x-c-1")
    assert [one.message_id for one in shown("c-1", NOON, "UTC")] == [token["inapp"]]


def test_consent_counts_channel_by_channel(store: Settings) -> None:
    chosen = planned(store, "c-1", agreed=("sms", "inapp"))
    people.opt_out("c-1", "inapp", NOON, "test")
    send_due(chosen, NOON, senders=open_senders(chosen))
    outcomes = {one.channel: (one.status, one.reason) for one in Touch.objects.all()}
    assert outcomes == {
        "sms": (SENT, ""), "webpush": (SUPPRESSED, "no consent"), "inapp": (SUPPRESSED, "opted out"), "webhook": (SUPPRESSED, "no consent"),
    }  # fmt: skip
    assert InAppMessage.objects.count() == 0


def test_a_browser_that_is_gone_is_suppressed_with_its_touch(store: Settings) -> None:
    class Gone:
        def hand_over(self, message: Message) -> str:
            raise PermanentFailure("the browser's subscription has ended", "Ask the customer again.", gone=True)

    chosen = planned(store, "c-1")
    send_due(chosen, NOON, senders={**open_senders(chosen), "webpush": Gone()})
    assert Touch.objects.get(channel="webpush").status == FAILED
    assert list(Suppression.objects.values_list("channel", "digest")) == [("webpush", digest_of(Person.objects.get().push_lookup))]


def test_who_texts_stop_in_the_middle_of_a_batch_gets_nothing_more(store: Settings) -> None:
    """The first message is on its way when all the others' owners text STOP, as it comes in at the web process."""
    customers = [f"c-{n}" for n in range(8)]
    chosen = planned(store, *customers)
    numbers = dict(Person.objects.values_list("customer_id", "phone"))

    class Answered(OneByOne):
        def hand_over(self, message: Message) -> str:
            if not self.taken:
                for number in set(numbers.values()) - {message.to}:
                    assert "unsubscribed" in receive(chosen, f"SM{number}", number, "STOP", NOON)
            return super().hand_over(message)

    sms = Answered()
    send_due(chosen, NOON, senders={"sms": sms})
    assert len(sms.taken) == 1
    assert Counter(Touch.objects.filter(channel="sms").values_list("status", "reason")) == {(SENT, ""): 1, (SUPPRESSED, "opted out"): 7}


def test_a_system_of_the_shop_stands_in_for_a_provider(store: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_" + "A" * 44)
    script = Script()
    with serving(script) as url:
        hook = {"url": url, "secret": f"file:{tmp_path}/secret", "network": "private"}
        chosen = planned(store, "c-1").model_copy(update={"webhook": store.webhook.model_copy(update=hook)})
        chosen = chosen.model_copy(update={"senders": Senders(email="", sms="webhook", webhook="webhook")})
        send_due(chosen, NOON, senders=open_senders(chosen))
    events = {json.loads(one.body)["type"]: json.loads(one.body)["data"] for one in script.came}
    assert (events["message.ready"]["to"], events["message.due"]["external_id"]) == ("+4915123456789", "x-c-1")
    assert {one.headers["webhook-id"] for one in script.came} == {events[name]["id"] for name in ("message.ready", "message.due")}
    assert set(Touch.objects.filter(channel__in=("sms", "webhook")).values_list("status")) == {(SENT,)}


def test_a_push_service_that_is_away_holds_up_no_other(store: Settings) -> None:
    """Anybody may subscribe with an address of their own; one that never answers is their own lane."""
    chosen = planned(store, *(f"c-{n}" for n in range(4)))
    Person.objects.filter(pk="c-0").update(push=BROWSER.replace("push.example", "dead.example"))

    class Away(OneByOne):
        def hand_over(self, message: Message) -> str:
            if "dead.example" in message.to:
                raise TemporaryFailure("dead.example cannot be reached", "Check the network.", lane=True)
            return super().hand_over(message)

    send_due(chosen, NOON, senders={"webpush": Away()})
    assert Counter(Touch.objects.filter(channel="webpush").values_list("status", flat=True)) == {SENT: 3, PLANNED: 1}


def test_many_messages_are_put_into_the_shop_by_several_threads_once_each(store: Settings) -> None:
    chosen = planned(store, *(f"c-{n}" for n in range(15)))
    sent = send_due(chosen, NOON, senders=open_senders(chosen))
    assert sent.by_status == {SENT: 60}
    assert InAppMessage.objects.count() == len(set(InAppMessage.objects.values_list("message_id", flat=True))) == 15
    assert len(kept(chosen)) == 45


def test_what_stays_on_this_machine_asks_nobody(store: Settings) -> None:
    quiet = store.model_copy(update={"senders": Senders(email="mailbox", sms="folder", webpush="folder")})
    assert leaving(quiet) == {}
    assert leaving(quiet.model_copy(update={"senders": Senders(sms="sms", inapp="inapp")})) == {"sms": "sms", "inapp": "inapp"}


@pytest.mark.parametrize(("channel", "name"), [("sms", "mailbox"), ("email", "folder"), ("inapp", "sms"), ("email", "webpush")])
def test_a_sender_serves_its_own_channels_alone(store: Settings, channel: str, name: str) -> None:
    with pytest.raises(BadData, match=f"senders.{channel}: '{name}' serves "):
        open_senders(store.model_copy(update={"senders": Senders(**{"email": "", channel: name})}))
