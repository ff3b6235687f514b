"""Notifications: read by a browser of ours with its own keys, sent in the shop's name, ended where the browser has gone."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from py_vapid import Vapid02

from rekindle import moment
from rekindle.deliver import payloads
from rekindle.deliver.channel import Message
from rekindle.deliver.variants import Short
from rekindle.errors import PermanentFailure
from rekindle.service.channels import open_sender
from rekindle.service.channels.posting import Poster
from rekindle.service.channels.webpush.channel import WebPush, application_server_key, own_key
from rekindle.service.channels.webpush.subscriptions import Subscription, read
from rekindle.settings import Settings
from tests.service.channels.loopback import Request, Script, serving
from tests.service.conftest import make_store

BROWSER, AUTH = ec.derive_private_key(7, ec.SECP256R1()), bytes(range(16))
POINT = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
OURS = ec.derive_private_key(11, ec.SECP256R1())


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    """A store without a ledger: none is needed here."""
    return make_store(tmp_path / "shop")


@pytest.fixture
def script() -> Script:
    return Script(status=201, body=b"")


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with serving(script) as address:
        yield address


def channel() -> WebPush:
    return WebPush(OURS, "mailto:hello@shop.example", Poster(private=True, exchange=0.5))


def notification(url: str, wire: bytes = b"{}", *, service: bool = False, name: str = "0" * 26) -> Message:
    return Message(name, date(2026, 11, 26), wire, to=Subscription(f"{url}/push/abc", POINT, AUTH).text, service=service)


def shown(came: Request) -> bytes:
    plain: bytes = http_ece.decrypt(came.body, private_key=BROWSER, auth_secret=AUTH)
    return plain


def test_the_browser_alone_reads_it(script: Script, url: str) -> None:
    wire = '{"title":"Grüße","body":"x"}'.encode()
    assert channel().hand_over(notification(url, wire)) == ""
    (came,) = script.came
    assert shown(came) == wire
    assert wire[10:20] not in came.body
    assert (came.headers["content-encoding"], came.headers["ttl"], came.headers["urgency"]) == ("aes128gcm", "86400", "normal")
    other = ec.derive_private_key(8, ec.SECP256R1())
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(came.body, private_key=other, auth_secret=AUTH)


def test_each_is_encrypted_anew_and_a_repeat_bears_the_same_topic(script: Script, url: str) -> None:
    for name, service in (("a", False), ("a", True), ("b", False)):
        channel().hand_over(notification(url, b"{}", service=service, name=name))
    first, again, other = script.came
    assert len({one.body for one in script.came}) == 3
    topics = [one.headers["topic"] for one in script.came]
    assert topics[0] == topics[1] != topics[2]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,32}", topic) for topic in topics)
    assert [one.headers["urgency"] for one in (first, again, other)] == ["normal", "high", "normal"]


def test_it_says_who_sends_for_this_push_service_and_not_for_long(script: Script, url: str) -> None:
    channel().hand_over(notification(url))
    auth = script.came[0].headers["authorization"]
    assert Vapid02.verify(auth)
    token = auth.partition("t=")[2].partition(",")[0].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert (claims["aud"], claims["sub"]) == (url, "mailto:hello@shop.example")
    assert 11 * 3600 < claims["exp"] - moment.now().timestamp() <= 12 * 3600
    key = base64.urlsafe_b64decode(auth.partition("k=")[2] + "=")
    assert key == OURS.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_has_ended_is_gone(script: Script, url: str, status: int) -> None:
    script.status = status
    with pytest.raises(PermanentFailure, match="has ended") as raised:
        channel().hand_over(notification(url))
    assert raised.value.gone


def test_another_refusal_is_not_the_browsers_end(script: Script, url: str) -> None:
    script.status = 413
    with pytest.raises(PermanentFailure) as raised:
        channel().hand_over(notification(url))
    assert not raised.value.gone


def test_a_browser_inside_the_network_is_not_reached(script: Script, url: str, store: Settings) -> None:
    sender = open_sender(store.model_copy(update={"senders": store.senders.model_copy(update={"webpush": "webpush"})}), "webpush")
    assert sender is not None
    for address in (url, url.replace("http", "https")):
        with pytest.raises(PermanentFailure):
            sender.hand_over(notification(address))
    assert script.connections == 0


def test_the_stores_key_is_made_once_and_is_the_one_that_pages_give(store: Settings) -> None:
    given = application_server_key(store)
    assert application_server_key(store) == given
    point = own_key(store).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert base64.urlsafe_b64decode(given + "=") == point
    assert [path.stat().st_mode & 0o777 for path in (store.var / "keys").iterdir()] == [0o600]


@pytest.mark.parametrize(
    "given",
    [
        "", "null", "[]", "{}", "[" * 50_000, '{"endpoint": "https://push.example/x"}',
        json.dumps({"endpoint": "https://push.example/x", "keys": {"p256dh": "AAAA", "auth": "AAAA"}}),
        json.dumps({"endpoint": "file:///etc/passwd", "keys": json.loads(Subscription("x", POINT, AUTH).text)["keys"]}),
        Subscription("https://push.example/x", POINT, AUTH[:15]).text,
        Subscription("https://push.example/x", POINT[:-1] + b"\x00", AUTH).text,
        Subscription("https://push.example/x", b"\x04" + bytes(64), AUTH).text,
        Subscription("https://user@push.example/x", POINT, AUTH).text,
    ],
)  # fmt: skip
def test_what_is_no_subscription_is_refused_for_good(given: str) -> None:
    with pytest.raises(PermanentFailure):
        read(given)


def test_a_subscription_is_read_as_browsers_give_it() -> None:
    whole = Subscription("https://push.example/x", POINT, AUTH)
    assert read(whole.text) == whole
    padded = json.loads(whole.text) | {"expirationTime": None}
    padded["keys"] = {name: value + "=" * (-len(value) % 4) for name, value in padded["keys"].items()}
    assert read(json.dumps(padded)) == whole
    assert "push.example" not in repr(whole)


@given(st.text(max_size=60) | st.dictionaries(st.text(max_size=9), st.text(max_size=9)).map(json.dumps))
def test_any_text_is_a_subscription_or_refused(text: str) -> None:
    with pytest.raises(PermanentFailure):
        read(text)


def test_the_longest_message_fits(script: Script, url: str) -> None:
    for text in ("x" * 20_000, '"' * 20_000, "ü" * 20_000, "🙂" * 20_000):
        wire = payloads.webpush(Short(text, text, "https://shop.example/" + "a" * 1_900), "0" * 26)
        channel().hand_over(notification(url, wire))
        read_again = json.loads(shown(script.came[-1]))
        assert read_again["title"].endswith("...")
        assert (read_again["tag"], len(read_again["url"])) == ("0" * 26, 1_921)
    with pytest.raises(PermanentFailure, match="too long"):
        channel().hand_over(notification(url, b"x" * 3_994))
