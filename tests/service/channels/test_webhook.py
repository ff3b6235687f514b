"""Events to a system of the shop: verified by the library of Standard Webhooks, and to no address inside unless that is meant."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from rekindle.deliver.channel import Message
from rekindle.errors import BadData, PermanentFailure, Refused
from rekindle.service.channels import open_sender
from rekindle.service.channels.standard_webhooks import key_of, signed, verify
from rekindle.service.channels.webhook.channel import Webhook
from rekindle.settings import Settings
from tests.service.channels.loopback import Script, serving
from tests.service.conftest import make_store

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EVENT = '{"type":"message.due","data":{"title":"Grüße"}}'.encode()


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    """A store without a ledger: none is needed here."""
    return make_store(tmp_path / "shop")


def opened(store: Settings, tmp_path: Path, word: str = SECRET, **webhook: str) -> Webhook:
    (tmp_path / "secret").write_text(word)
    given = {"url": "https://hook.example/x", "secret": f"file:{tmp_path}/secret", **webhook}
    senders = store.senders.model_copy(update={"webhook": "webhook"})
    channel = open_sender(
        store.model_copy(update={"senders": senders, "webhook": store.webhook.model_copy(update=given)}), "webhook"
    )  # fmt: skip
    assert isinstance(channel, Webhook)
    return channel


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with serving(script) as address:
        yield address


def test_the_library_of_the_standard_verifies_what_is_posted(script: Script, url: str, store: Settings, tmp_path: Path) -> None:
    channel = opened(store, tmp_path, network="private", url=f"{url}/hooks?a=b")
    assert channel.hand_over(Message("0" * 26, date(2026, 11, 26), EVENT, to=f"{url}/hooks?a=b")) == ""
    (came,) = script.came
    assert Receiver(SECRET).verify(came.body, came.headers) == json.loads(EVENT)
    assert (came.path, came.headers["webhook-id"], came.headers["content-type"]) == ("/hooks?a=b", "0" * 26, "application/json")
    with pytest.raises(WebhookVerificationError):
        Receiver("whsec_" + base64.b64encode(bytes(32)).decode()).verify(came.body, came.headers)


def test_it_stands_in_for_the_sender_of_another_channel(script: Script, url: str, store: Settings, tmp_path: Path) -> None:
    channel = opened(store, tmp_path, network="private", url=url)
    channel.hand_over(Message("0" * 26, date(2026, 11, 26), "Grüße. Reply STOP to stop".encode(), to="+4915123456789", service=True))
    (came,) = script.came
    event = Receiver(SECRET).verify(came.body, came.headers)
    assert event["type"] == "message.ready"
    assert event["data"] == {"id": "0" * 26, "to": "+4915123456789", "service": True, "message": "Grüße. Reply STOP to stop"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "2130706433"])
def test_nothing_inside_is_reached_unless_it_is_meant(host: str, url: str, script: Script, store: Settings, tmp_path: Path) -> None:
    port = url.rpartition(":")[2]
    for scheme in ("http", "https"):
        with pytest.raises(PermanentFailure):
            opened(store, tmp_path, url=f"{scheme}://{host}:{port}/").hand_over(Message("m", date(2026, 11, 26), EVENT, to="c-1"))
    assert script.connections == 0


def test_a_receiver_that_leads_elsewhere_is_not_followed_inside(url: str, script: Script, store: Settings, tmp_path: Path) -> None:
    inner = Script()
    with serving(inner) as private:
        script.status, script.headers = 302, {"Location": private}
        with pytest.raises(PermanentFailure, match="answered 302"):
            opened(store, tmp_path, network="private", url=url).hand_over(Message("m", date(2026, 11, 26), EVENT, to=url))
    assert inner.came == []


def test_the_settings_are_needed_and_the_secret_is_one(store: Settings, tmp_path: Path) -> None:
    for missing in ("url", "secret"):
        with pytest.raises(BadData, match="the webhook has no url or no secret"):
            opened(store, tmp_path, **{missing: ""})
    for word in ("", "whsec_", "hunter2", "whsec_" + base64.b64encode(bytes(23)).decode(), "whsec_ü"):
        with pytest.raises(BadData, match="the secret of the webhook is none"):
            opened(store, tmp_path, word)
    assert SECRET not in repr(opened(store, tmp_path))
    assert repr(bytes(range(32))) not in repr(opened(store, tmp_path))


def test_what_is_signed_is_verified_for_five_minutes() -> None:
    key = key_of(SECRET)
    headers = signed(key, "msg_1", NOW, EVENT)
    assert verify(key, {name.title(): value for name, value in headers.items()}, EVENT, NOW + timedelta(minutes=5)) == "msg_1"
    assert verify(key, {**headers, "webhook-signature": f"v1a,eA== v1,eA== {headers['webhook-signature']}"}, EVENT, NOW) == "msg_1"
    for late in (timedelta(minutes=5, seconds=1), timedelta(minutes=-6), timedelta(days=400)):
        with pytest.raises(Refused):
            verify(key, headers, EVENT, NOW + late)


def test_every_octet_of_an_event_counts() -> None:
    key = key_of(SECRET)
    headers = signed(key, "msg_1", NOW, EVENT)
    for name, value in headers.items():
        for at in range(len(value)):
            for other in {chr(ord(value[at]) ^ 1), ""}:
                with pytest.raises(Refused):
                    verify(key, {**headers, name: value[:at] + other + value[at + 1 :]}, EVENT, NOW)
    for at in range(len(EVENT)):
        with pytest.raises(Refused):
            verify(key, headers, EVENT[:at] + bytes([EVENT[at] ^ 1]) + EVENT[at + 1 :], NOW)
    for name in headers:
        with pytest.raises(Refused):
            verify(key, {one: value for one, value in headers.items() if one != name}, EVENT, NOW)


NAMES = st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "x"])


@given(st.dictionaries(NAMES, st.text(max_size=40)), st.binary(max_size=40))
def test_no_headers_are_taken_by_chance_and_none_break_it(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Refused):
        verify(key_of(SECRET), headers, body, NOW)
