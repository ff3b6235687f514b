import inspect
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from rekindle.deliver.channel import Message
from rekindle.deliver.message import Envelope, build
from rekindle.deliver.quoted_printable import encoded
from rekindle.deliver.templates import Rendered
from rekindle.errors import BadData, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels import open_sender
from rekindle.service.channels.posting import Poster
from rekindle.service.channels.provider.channel import Provider
from rekindle.service.channels.provider.esps import ESPS, backend_of, view_of
from rekindle.settings import Settings, load
from tests.deliver.returned_mail import ID, TOKEN
from tests.service.channels.loopback import Request, Script, closed_port, serving

POSTMARK = {"To": "ada@people.example", "SubmittedAt": "2026-11-23T12:00:00Z", "MessageID": "pm-1", "ErrorCode": 0, "Message": "OK"}
MAILGUN = {"id": "<20261123.1@mg.shop.example>", "message": "Queued. Thank you."}
RESEND = {"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}
BREVO = {"messageId": "<202611231200.1@relay.example>"}
POSTER = Poster(private=True, exchange=0.5)
STOP = "https://shop.example/u/1.a.c1~email-marketing~x"


def message(name: str = "Zoë =?utf-8?q?x?= of Marigold", subject: str = "Your lantern, Ada", service: bool = False) -> Message:
    envelope = Envelope(
        from_name=name, from_address="hello@shop.example", to_name="", to_address="ada@people.example", reply_to="answers@shop.example",
        message_id=ID, unsubscribe_url=None if service else STOP, date=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )
    text = "Grüße, Ada\n\nhttps://shop.example/l/1\n"
    rendered = Rendered(subject=subject, preheader="", text=text, encoded=encoded("<p>Grüße, Ada</p>"))
    return Message(ID, date(2026, 11, 23), build(envelope, rendered), "hello@shop.example", "ada@people.example", service)


@dataclass
class Esp:
    """A provider of mail on this machine."""

    script: Script
    url: str

    def answers(self, status: int, said: object, **headers: str) -> None:
        self.script.status, self.script.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.body = said if isinstance(said, bytes) else json.dumps(said).encode()

    @property
    def taken(self) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
        """What came: path, headers, and the form's fields or the object."""
        return [(one.path, one.headers, _said(one)) for one in self.script.came]

    @property
    def last(self) -> tuple[str, dict[str, str], dict[str, Any]]:
        return self.taken[-1]


def _said(request: Request) -> dict[str, Any]:
    text = request.body.decode()
    if "form" not in request.headers.get("content-type", ""):
        return dict(json.loads(text))
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


@pytest.fixture
def esp() -> Iterator[Esp]:
    script = Script(body=json.dumps(POSTMARK).encode())
    with serving(script) as url:
        yield Esp(script, f"{url}/v1/")


def sender(name: str, esp: Esp, **options: object) -> Provider:
    """The provider, but that its poster may reach this machine."""
    return Provider(name, {"api_url": esp.url, **options}, POSTER)


def postmark(esp: Esp) -> Provider:
    return sender("postmark", esp, server_token="t0k3n")  # noqa: S106  made up


def test_postmark_is_given_the_same_message_and_our_token(esp: Esp) -> None:
    assert postmark(esp).hand_over(message()) == "pm-1"
    path, headers, said = esp.last
    assert (path, headers["x-postmark-server-token"], headers["user-agent"].startswith("django-anymail")) == ("/v1/email", "t0k3n", True)
    assert said["From"] == "Zoë =?utf-8?q?x?= of Marigold <hello@shop.example>"
    assert (said["To"], said["ReplyTo"], said["Subject"]) == ("ada@people.example", "answers@shop.example", "Your lantern, Ada")
    assert (said["HtmlBody"].strip(), said["TextBody"]) == ("<p>Grüße, Ada</p>", "Grüße, Ada\n\nhttps://shop.example/l/1\n")
    assert (said["TrackOpens"], said["TrackLinks"], said["Metadata"]) == (False, "None", {"rekindle": TOKEN})
    assert {one["Name"]: one["Value"] for one in said["Headers"]} == {
        "List-Unsubscribe": f"<{STOP}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Message-ID": f"<{ID}>",
        "X-PM-KeepID": "true",
    }


@pytest.mark.parametrize("name", ['Ada, "Q" & Co', "Ada <eve@evil.example>", "back\\slash", "Größe; nie (mehr)", "x" * 200 + " ü"])
def test_a_name_stays_a_name(esp: Esp, name: str) -> None:
    subject = f"{name} =?utf-8?q?=0D=0ABcc:?= eve@evil.example"
    postmark(esp).hand_over(message(name, subject))
    said = esp.last[2]
    assert (parseaddr(said["From"]), said["Subject"]) == ((name, "hello@shop.example"), subject)
    assert "Bcc" not in said


def test_news_of_an_order_has_no_link_to_stop(esp: Esp) -> None:
    postmark(esp).hand_over(message(service=True))
    assert {one["Name"] for one in esp.last[2]["Headers"]} == {"Message-ID", "X-PM-KeepID"}


def test_mailgun_is_given_a_form(esp: Esp) -> None:
    esp.answers(200, MAILGUN)
    given = sender("mailgun", esp, api_key="k3y").hand_over(message())
    path, headers, said = esp.last
    assert (given, path) == (MAILGUN["id"], "/v1/shop.example/messages")
    assert headers["authorization"].startswith("Basic ")
    assert (said["v:rekindle"], said["h:List-Unsubscribe"], said["h:Message-Id"]) == (TOKEN, f"<{STOP}>", f"<{ID}>")
    assert not [name for name in said if name.lower().startswith("h:x-")]
    assert (said["o:tracking-clicks"], said["o:tracking-opens"]) == ("no", "no")


def test_an_idempotency_key_goes_where_the_provider_has_one(esp: Esp) -> None:
    esp.answers(200, RESEND)
    resend = sender("resend", esp, api_key="k3y")
    assert [resend.hand_over(message()), resend.hand_over(message())] == [RESEND["id"]] * 2
    assert [headers["idempotency-key"] for _, headers, _ in esp.taken] == [ID, ID]
    esp.answers(201, BREVO)
    brevo = sender("brevo", esp, api_key="k3y")
    assert [brevo.hand_over(message()), brevo.hand_over(message())] == [BREVO["messageId"]] * 2
    keys = [said["headers"]["idempotencyKey"] for _, _, said in esp.taken[2:]]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 36


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (422, {"ErrorCode": 300}, PermanentFailure), (400, {}, PermanentFailure), (413, {}, PermanentFailure),
        (404, b"<html>", PermanentFailure), (302, {}, PermanentFailure), (401, {"ErrorCode": 10}, TemporaryFailure),
        (403, {}, TemporaryFailure), (408, {}, TemporaryFailure), (429, {}, TemporaryFailure), (503, {}, TemporaryFailure),
        (500, {}, OutcomeUnknown), (502, b"bad gateway", OutcomeUnknown), (504, {}, OutcomeUnknown), (200, b"no JSON", OutcomeUnknown),
        (200, {}, OutcomeUnknown), (200, [], OutcomeUnknown), (200, {**POSTMARK, "To": "eve@people.example"}, OutcomeUnknown),
    ],
)
def test_a_failure_has_its_type(esp: Esp, status: int, answer: object, error: type[Exception]) -> None:
    esp.answers(status, answer)
    with pytest.raises(error):
        postmark(esp).hand_over(message())
    assert len(esp.taken) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [("rejected", PermanentFailure), ("invalid", PermanentFailure), ("strange", OutcomeUnknown), ("error", OutcomeUnknown)],
)
def test_what_a_provider_says_of_the_recipient_counts(esp: Esp, status: str, error: type[Exception]) -> None:
    mandrill = sender("mandrill", esp, api_key="k3y")
    esp.answers(200, [{"email": "ada@people.example", "status": "sent", "_id": "m1"}])
    assert mandrill.hand_over(message()) == "m1"
    esp.answers(200, [{"email": "ada@people.example", "status": status, "_id": "m2"}])
    with pytest.raises(error):
        mandrill.hand_over(message())


def test_who_asks_to_wait_is_left_alone_as_long(esp: Esp) -> None:
    esp.answers(429, {}, Retry_After="90")
    with pytest.raises(TemporaryFailure) as raised:
        postmark(esp).hand_over(message())
    assert (raised.value.wait, raised.value.lane) == (timedelta(seconds=90), True)


def test_what_the_provider_refuses_is_told(esp: Esp) -> None:
    esp.answers(422, {"ErrorCode": 300, "Message": "Invalid 'To' address"})
    with pytest.raises(PermanentFailure, match="answered 422 with error .*Invalid 'To' address"):
        postmark(esp).hand_over(message())


@pytest.mark.parametrize("mood", ["drop", "reset", "garbage", "silent", "trickle"])
def test_no_answer_leaves_it_unknown(esp: Esp, mood: str) -> None:
    esp.script.mood = mood
    with pytest.raises(OutcomeUnknown):
        postmark(esp).hand_over(message())


def test_a_provider_that_is_not_reached_has_taken_nothing() -> None:
    away = Provider("postmark", {"api_url": f"http://127.0.0.1:{closed_port()}/", "server_token": "t"}, POSTER)
    with pytest.raises(TemporaryFailure):
        away.hand_over(message())


def test_a_redirect_is_not_followed(esp: Esp) -> None:
    esp.answers(307, {}, Location=esp.url + "elsewhere")
    with pytest.raises(PermanentFailure):
        postmark(esp).hand_over(message())
    assert len(esp.taken) == 1


def test_several_threads_hand_over_at_once(esp: Esp) -> None:
    channel = postmark(esp)
    with ThreadPoolExecutor(8) as crew:
        given = list(crew.map(channel.hand_over, [message(subject=f"No {number}") for number in range(40)]))
    assert given == ["pm-1"] * 40
    assert sorted(said["Subject"] for _, _, said in esp.taken) == sorted(f"No {number}" for number in range(40))


def test_an_address_of_the_own_network_is_not_posted_to(esp: Esp) -> None:
    shielded = Provider("postmark", {"api_url": esp.url.replace("http:", "https:"), "server_token": "t"}, Poster())
    with pytest.raises(PermanentFailure):
        shielded.hand_over(message())
    assert esp.taken == []


@pytest.mark.parametrize("name", sorted(ESPS))
def test_every_provider_of_the_table_can_be_opened_and_given_a_message(esp: Esp, name: str) -> None:
    """Whatever the provider's API answers here: the message could be written for it, and was posted once."""
    options = {"api_key", "secret_key", "project_id", "server_token", "api_token", "api_url"}
    esp.answers(200, {})
    backend = backend_of(name)
    source = Path(inspect.getfile(backend)).read_text()
    given = {one: esp.url if one == "api_url" else "made-up" for one in options if f'"{one}"' in source}
    channel = Provider(name, given, POSTER)
    with pytest.raises((OutcomeUnknown, PermanentFailure)):
        channel.hand_over(message())
    assert len(esp.taken) == 1
    assert TOKEN in str(esp.last) or not ESPS[name].metadata


def store(root: Path, text: str) -> Settings:
    (root / "rekindle.toml").write_text(text, encoding="utf-8")
    return load(root)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "there is no provider ''"), ('esp = "pigeons"', "there is no provider 'pigeons'"),
        ('esp = "postmark"', "You must set .*SERVER_TOKEN"),
        ('esp = "postmark"\noptions = {server_token = "env:NO_SUCH_NAME"}', "no secret at 'env:NO_SUCH_NAME'"),
        ('esp = "postmark"\noptions = {server_token = "file:token", pigeons = 3}', "'pigeons' is not an option"),
    ],
)
def test_a_mistake_in_the_settings_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, cause: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("t0k3n\n")
    with pytest.raises(BadData, match=cause):
        open_sender(store(tmp_path, f'[senders]\nemail = "provider"\n[provider]\n{text}'), "email")


def test_the_settings_open_a_provider_with_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTMARK_TOKEN", "t0k3n")
    text = '[senders]\nemail = "provider"\n[provider]\nesp = "postmark"\n'
    channel = open_sender(store(tmp_path, text + 'options = {server_token = "env:POSTMARK_TOKEN", message_stream = "broadcast"}'), "email")
    assert isinstance(channel, Provider)
    assert channel.options == {"server_token": "t0k3n", "message_stream": "broadcast"}
    with pytest.raises(BadData, match=r"'server_token' is a secret\. Write env:NAME or file:PATH"):
        store(tmp_path, text + 'options = {server_token = "t0k3n"}')


@pytest.mark.parametrize("name", sorted(name for name, esp in ESPS.items() if esp.view))
def test_no_providers_webhook_is_read_unchecked(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadData, match="nothing says how .* webhook is checked"):
        view_of(store(tmp_path, f'[provider]\nesp = "{name}"\nwebhook = {{webhook_url = "https://shop.example/"}}'))
