"""What people text back: who may deliver it, what it changes, and the one answer that it gets."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from standardwebhooks.webhooks import Webhook

from rekindle import moment
from rekindle.service.channels.sms.inbound import inbound
from rekindle.service.channels.sms.models import Received
from rekindle.service.config.web import application
from rekindle.service.people import actions
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Consent, Suppression
from rekindle.service.people.queries import people_by_id, refusals
from rekindle.settings import Settings

ADDRESS = "https://shop.example/rekindle/webhooks/sms"
TOKEN, SECRET = "twilio-auth-token", "whsec_" + base64.b64encode(bytes(range(32))).decode()
NUMBER = "+4915123456789"
YESTERDAY = moment.now() - timedelta(days=1)
Text = Callable[..., HttpResponse]


def served(store: Settings, tmp_path: Path, shape: str, word: str) -> Settings:
    (tmp_path / "secret").write_text(word)
    chosen = store.model_copy(update={"sms": store.sms.model_copy(update={"shape": shape, "secret": f"file:{tmp_path}/secret"})})
    application(chosen)
    return chosen


@pytest.fixture
def text(store: Settings, tmp_path: Path) -> Text:
    """Delivers a text as Twilio does."""
    served(store, tmp_path, "form", TOKEN)

    def deliver(body: str, name: str = "", sign: str = TOKEN, **fields: str) -> HttpResponse:
        given = {"MessageSid": name or f"SM{os.urandom(8).hex()}", "From": NUMBER, "To": "+15005550006", "Body": body, **fields}
        said = ADDRESS + "".join(f"{key}{value}" for key, value in sorted(given.items()))
        seal = base64.b64encode(hmac.new(sign.encode(), said.encode(), hashlib.sha1).digest()).decode()
        return inbound(RequestFactory().post("/webhooks/sms", given, HTTP_X_TWILIO_SIGNATURE=seal))

    return deliver


def meet(*customers: str) -> None:
    size = len(customers)
    people = {
        "customer_id": list(customers), "phone": [NUMBER] * size, "email": [f"{one}@people.example" for one in customers],
        "sms_consent": [True] * size, "email_consent": [True] * size, "consent_at": [YESTERDAY] * size,
    }  # fmt: skip
    actions.record_contacts(pa.table(people), YESTERDAY)


def silenced(*customers: str) -> dict[str, str]:
    return refusals(people_by_id(customers), "sms", moment.now())


def said(response: HttpResponse) -> str:
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml"
    words: str = response.content.decode().removeprefix('<?xml version="1.0" encoding="UTF-8"?>')
    return words


def test_stop_takes_effect_at_once_for_everybody_with_the_number_and_on_sms_alone(text: Text) -> None:
    meet("c-1", "c-2")
    answer = said(text("Stop."))
    assert answer.startswith("<Response><Message>Marigold: you are unsubscribed")
    assert silenced("c-1", "c-2") == {"c-1": "opted out", "c-2": "opted out"}
    assert refusals(people_by_id(["c-1"]), "email", moment.now()) == {}
    refused = Consent.objects.filter(channel="sms", granted=False)
    assert {(one.customer_id, one.basis, one.source) for one in refused} == {("c-1", "objection", "sms"), ("c-2", "objection", "sms")}


def test_there_is_exactly_one_confirmation(text: Text) -> None:
    meet("c-1")
    first = said(text("STOP", name="SM1"))
    assert said(text("STOP", name="SM1")) == first, "delivered twice: our answer may have been lost"
    assert said(text("STOP", name="SM2")) == said(text("quit")) == "<Response></Response>"
    assert Consent.objects.filter(granted=False).count() == 1


def test_who_agrees_again_may_stop_again(text: Text) -> None:
    meet("c-1")
    text("STOP")
    actions.consent("c-1", "sms", moment.now(), "account")
    assert silenced("c-1") == {}
    assert "unsubscribed" in said(text("STOP"))
    assert silenced("c-1") == {"c-1": "opted out"}


def test_a_number_that_nobody_is_known_by_is_suppressed_all_the_same(text: Text) -> None:
    assert "unsubscribed" in said(text("STOPALL"))
    assert said(text("STOPALL")) == "<Response></Response>"
    assert list(Suppression.objects.values_list("channel", "digest", "reason")) == [("sms", digest_of(NUMBER), "opt-out")]
    meet("c-1")
    assert silenced("c-1") == {"c-1": "address suppressed"}


def test_help_is_answered_and_start_gives_no_consent(text: Text) -> None:
    meet("c-1")
    assert "hello@marigold.example" in said(text("HELP"))
    text("STOP")
    assert "agree in your account" in said(text("START"))
    assert silenced("c-1") == {"c-1": "opted out"}
    assert said(text("thanks!")) == "<Response></Response>"


def test_where_the_provider_has_answered_itself_we_do_not(text: Text) -> None:
    meet("c-1")
    assert said(text("STOP", OptOutType="STOP")) == "<Response></Response>"
    assert silenced("c-1") == {"c-1": "opted out"}


@pytest.mark.parametrize("number", ["4915123456789", "004915123456789", "+49 151 23456789", " 4915123456789"])
def test_a_number_is_taken_with_its_country_however_that_is_written(text: Text, number: str) -> None:
    meet("c-1")
    assert "unsubscribed" in said(text("STOP", From=number))
    assert silenced("c-1") == {"c-1": "opted out"}


@pytest.mark.parametrize("number", ["015123456789", "", "MARIGOLD", "+", "00"])
def test_a_stop_of_which_nobody_can_tell_whose_it_is_is_refused_rather_than_lost(text: Text, number: str) -> None:
    response = text("STOP", From=number)
    assert (response.status_code, json.loads(response.content)["error"]["kind"]) == (422, "BadData")
    assert (Suppression.objects.count(), Received.objects.count()) == (0, 0)


def test_nothing_of_what_was_said_and_by_whom_is_kept(text: Text) -> None:
    text("my card is 4111 1111 1111 1111", name="SM7")
    row = Received.objects.get()
    assert (row.message_id, row.answer) == ("SM7", "")


def test_what_is_not_signed_changes_nothing(text: Text) -> None:
    meet("c-1")
    for response in (text("STOP", sign="another"), text("STOP", sign="")):
        assert response.status_code == 403
        assert json.loads(response.content)["error"]["kind"] == "Refused"
    unsigned = inbound(RequestFactory().post("/webhooks/sms", {"MessageSid": "SM1", "From": NUMBER, "Body": "STOP"}))
    assert unsigned.status_code == 403
    assert silenced("c-1") == {}
    assert Received.objects.count() == 0


def test_a_signature_is_for_all_fields_and_the_whole_address(text: Text) -> None:
    given = {"MessageSid": "SM1", "From": NUMBER, "Body": "STOP"}
    for address in (ADDRESS, f"{ADDRESS}?a=b", ADDRESS.replace("https", "http"), "https://evil.example/webhooks/sms"):
        text_to_sign = address + "".join(f"{key}{value}" for key, value in sorted(given.items()))
        seal = base64.b64encode(hmac.new(TOKEN.encode(), text_to_sign.encode(), hashlib.sha1).digest()).decode()
        for query, body in (("", given), ("?a=b", given), ("", {**given, "From": "+4915100000000"})):
            response = inbound(RequestFactory().post(f"/webhooks/sms{query}", body, HTTP_X_TWILIO_SIGNATURE=seal))
            assert (response.status_code == 200) == (body == given and address == f"{ADDRESS}{query}")


def test_only_a_post_is_heard(text: Text) -> None:
    assert inbound(RequestFactory().get("/webhooks/sms", {"Body": "STOP"})).status_code == 405


@pytest.fixture
def event(store: Settings, tmp_path: Path) -> Text:
    """Delivers a text as a bridge does, signed by the library of Standard Webhooks."""
    served(store, tmp_path, "json", SECRET)

    def deliver(body: str, name: str = "msg_1", sign: str = SECRET, late: timedelta = timedelta(0)) -> HttpResponse:
        at = moment.now() - late
        seal = Webhook(sign).sign(name, at, body)
        headers = {"webhook-id": name, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": f"v1,bm90 {seal}"}
        return inbound(RequestFactory().post("/webhooks/sms", body, content_type="application/json", headers=headers))

    return deliver


def test_a_bridge_delivers_signed_events(event: Text) -> None:
    meet("c-1")
    stop = json.dumps({"from": NUMBER, "text": "stop"})
    assert "unsubscribed" in json.loads(event(stop).content)["reply"]
    assert "unsubscribed" in json.loads(event(stop).content)["reply"], "the same event"
    assert json.loads(event(stop, name="msg_2").content) == {"reply": None}
    assert silenced("c-1") == {"c-1": "opted out"}


def test_a_bridges_event_must_be_signed_new_and_whole(event: Text) -> None:
    stop = json.dumps({"from": NUMBER, "text": "stop"})
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    assert [event(stop, sign=other).status_code, event(stop, late=timedelta(minutes=6)).status_code] == [403, 403]
    assert [event(stop, late=timedelta(minutes=-6)).status_code, event(stop, name="").status_code] == [403, 403]
    for body in ("[]", "{", "null", '{"from": "+1"}', "[" * 50_000):
        assert event(body).status_code == 422, body[:20]
    assert event(json.dumps({"from": "not a number", "text": "STOP"}), name="msg_9").status_code == 422
    assert Suppression.objects.count() == 0


@pytest.mark.parametrize("shape", ["form", "json"])
def test_where_the_secret_is_missing_strangers_do_not_hear_where_it_belongs(
    store: Settings, tmp_path: Path, shape: str, caplog: pytest.LogCaptureFixture
) -> None:
    served(store, tmp_path, shape, TOKEN)
    (tmp_path / "secret").unlink()
    answer = inbound(RequestFactory().post("/webhooks/sms", {"MessageSid": "SM1", "From": NUMBER, "Body": "stop"}))
    assert answer.status_code == 503
    assert json.loads(answer.content)["error"]["cause"] == "this is not set up here"
    assert b"secret" not in answer.content
    assert f"rekindle.toml: sms.secret: no secret at 'file:{tmp_path}/secret'" in caplog.text
