"""What a provider of text messages is sent, and what its answers mean."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from rekindle.deliver.channel import Message
from rekindle.errors import BadData, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels import open_sender
from rekindle.service.channels.posting import Poster
from rekindle.service.channels.sms.channel import Sms
from rekindle.settings import Settings
from tests.service.channels.loopback import Script, serving
from tests.service.conftest import make_store

HELLO = Message("0" * 26, date(2026, 11, 23), "Marigold: ünser & +1 %41 öffer. Reply STOP to stop".encode(), to="+4915123456789")


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    """A store without a ledger: none is needed here."""
    return make_store(tmp_path / "shop")


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def provider(script: Script) -> Iterator[Sms]:
    with serving(script) as url:
        yield Sms(f"{url}/Accounts/AC1/Messages.json", "+15005550006", "form", "Basic QUMxOnM=", Poster(private=True, exchange=0.5))


def test_a_form_has_the_fields_that_twilio_knows(script: Script, provider: Sms) -> None:
    script.status, script.body = 201, b'{"sid": "SM900", "status": "queued", "to": "+4915123456789"}'
    assert provider.hand_over(HELLO) == "SM900"
    (came,) = script.came
    assert parse_qs(came.body.decode(), strict_parsing=True) == {
        "To": ["+4915123456789"], "From": ["+15005550006"], "Body": [HELLO.wire.decode()],
    }  # fmt: skip
    headers = {name: came.headers[name] for name in ("content-type", "authorization", "idempotency-key")}
    assert headers == {"content-type": "application/x-www-form-urlencoded", "authorization": "Basic QUMxOnM=", "idempotency-key": "0" * 26}
    assert came.path == "/Accounts/AC1/Messages.json"


def test_a_bridge_is_sent_an_object(script: Script, provider: Sms) -> None:
    script.body = b'{"id": 42}'
    assert replace(provider, shape="json").hand_over(HELLO) == "42"
    (came,) = script.came
    assert json.loads(came.body) == {"id": "0" * 26, "to": "+4915123456789", "from": "+15005550006", "text": HELLO.wire.decode()}
    assert came.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"OK", b"[]", b"null", b'{"sid": null}', b'{"sid": {"a": 1}}', b'{"sid": "a\\nb"}', b'{"sid": "\xc3\xbc"}', b"\xff",
        b"[" * 30_000, b'{"sid": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_provider_that_names_nothing_has_taken_it_all_the_same(script: Script, provider: Sms, body: bytes) -> None:
    script.body = body
    assert provider.hand_over(HELLO) == ""


def test_what_a_provider_refuses_says_its_number_and_not_the_customers(script: Script, provider: Sms) -> None:
    script.status, script.body = 400, b'{"code": 21211, "message": "The To number +4915123456789 is not valid", "status": 400}'
    with pytest.raises(PermanentFailure) as raised:
        provider.hand_over(HELLO)
    assert raised.value.cause == "127.0.0.1 answered 400 with error 21211"


@pytest.mark.parametrize(
    ("status", "kind"), [(429, TemporaryFailure), (503, TemporaryFailure), (401, TemporaryFailure), (500, OutcomeUnknown)]
)
def test_a_text_is_not_risked_twice(script: Script, provider: Sms, status: int, kind: type[Exception]) -> None:
    script.status = status
    with pytest.raises(kind):
        provider.hand_over(HELLO)


def test_the_settings_open_it(store: Settings, tmp_path: Path) -> None:
    word = tmp_path / "secret"
    word.write_text("s3cret\n")
    given = {"url": "https://sms.example/send", "sender": "Marigold", "secret": f"file:{word}"}
    senders = store.senders.model_copy(update={"sms": "sms"})

    def opened(**sms: str) -> Sms:
        channel = open_sender(store.model_copy(update={"senders": senders, "sms": store.sms.model_copy(update=sms)}), "sms")
        assert isinstance(channel, Sms)
        return channel

    assert opened(**given).authorization == "Bearer s3cret"
    assert opened(**given, user="AC1").authorization == f"Basic {base64.b64encode(b'AC1:s3cret').decode()}"
    assert "s3cret" not in repr(opened(**given))
    for missing in given:
        with pytest.raises(BadData, match="sms has no url, no sender or no secret"):
            opened(**{**given, missing: ""})
