import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from standardwebhooks import Webhook

from rekindle.service.channels.posting import Poster
from rekindle.service.channels.provider.channel import Provider as Channel
from rekindle.service.config.web import application
from rekindle.service.events.models import DeliveryEvent
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import FAILED, SENT, Touch
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Consent, Suppression
from rekindle.settings import Provider, Settings
from tests.service.channels.loopback import Script, serving
from tests.service.conftest import NOON
from tests.service.told import PEOPLE, sent, token
from tests.service.touches import plan

WORD = "a-made-up-word-for-tests"
POSTMARK: dict[str, Any] = {
    "RecordType": "Bounce", "ID": 4323372036854775807, "Type": "HardBounce", "TypeCode": 1, "Name": "Hard bounce", "MessageID": "pm-1",
    "Metadata": {"rekindle": token("c1")}, "Description": "The server was unable to deliver your message (ex: unknown user).",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.", "Email": "c1@people.example",
    "BouncedAt": "2026-11-23T12:05:00Z", "Inactive": True, "Subject": "Your lantern",
}  # fmt: skip
SPAM = {**POSTMARK, "RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 2}


def with_provider(store: Settings, monkeypatch: pytest.MonkeyPatch, esp: str, **webhook: str) -> Client:
    """A client of a store with three messages sent, whose provider is `esp`; what secures its webhook stands in the environment."""
    for name, value in webhook.items():
        monkeypatch.setenv(f"TEST_{name.upper()}", value)
    plan(PEOPLE)
    sent()
    options = {name: f"env:TEST_{name.upper()}" for name in webhook}
    application(store.model_copy(update={"provider": Provider(esp=esp, webhook=options)}))
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def postmark(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Client:
    return with_provider(store, monkeypatch, "postmark", webhook_secret=f"postmark:{WORD}")


def basic(word: str = WORD) -> str:
    return "Basic " + base64.b64encode(f"postmark:{word}".encode()).decode()


def tell(client: Client, said: object, **headers: str) -> int:
    named = {"Authorization": basic()} | {name.replace("_", "-"): value for name, value in headers.items()}
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    status: int = client.post("/webhooks/mail", body, content_type="application/json", headers=named).status_code
    return status


def statuses() -> dict[str, str]:
    return dict(Touch.objects.values_list("customer_id", "status"))


def suppressed() -> list[tuple[str, str]]:
    return sorted(Suppression.objects.values_list("digest", "reason"))


def test_a_hard_bounce_is_kept_and_acted_upon(postmark: Client) -> None:
    assert tell(postmark, POSTMARK) == 200
    assert statuses() == {"c1": FAILED, "c2": SENT, "c3": SENT}
    assert Touch.objects.get(customer_id="c1").reason.startswith("bounced: smtp;550 5.1.1 The email account")
    assert suppressed() == [(digest_of("c1@people.example"), "bounce")]
    (held,) = DeliveryEvent.objects.all()
    assert (held.source, held.kind, held.customer_id, held.provider_id) == ("postmark", "bounced", "c1", "pm-1")
    assert held.occurred_at == datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    assert json.loads(held.raw) == POSTMARK


def test_what_is_told_again_counts_once(postmark: Client) -> None:
    assert [tell(postmark, SPAM), tell(postmark, SPAM)] == [200, 200]
    assert (DeliveryEvent.objects.count(), suppressed()) == (1, [(digest_of("c1@people.example"), "complaint")])
    delivered = {"RecordType": "Delivery", "MessageID": "pm-2", "Recipient": "c2@people.example", "DeliveredAt": "2026-11-23T12:05:00Z",
                 "Details": "Test", "Metadata": {"rekindle": token("c2")}}  # fmt: skip
    assert [tell(postmark, delivered), tell(postmark, delivered)] == [200, 200]
    assert DeliveryEvent.objects.filter(kind="delivered").count() == 1


def test_a_bounce_that_may_pass_suppresses_nobody(postmark: Client) -> None:
    for kind in ("SoftBounce", "Transient", "DnsError", "VirusNotification", "Unknown", "AutoResponder", "Blocked"):
        assert tell(postmark, {**POSTMARK, "Type": kind}) == 200
        assert suppressed() == [], kind


def test_who_unsubscribes_at_the_provider_has_opted_out(postmark: Client) -> None:
    said = {"RecordType": "SubscriptionChange", "MessageID": "pm-1", "Recipient": "c1@people.example", "Origin": "Recipient",
            "SuppressSending": True, "SuppressionReason": "ManualSuppression", "ChangedAt": "2026-11-23T12:05:00Z",
            "Metadata": {"rekindle": token("c1")}}  # fmt: skip
    assert tell(postmark, said) == 200
    assert list(Consent.objects.filter(granted=False).values_list("customer_id", "source")) == [("c1", "postmark")]


def test_what_is_not_ours_changes_nothing(postmark: Client) -> None:
    for number, other in enumerate(({}, {"rekindle": "x" * 26}, {"rekindle": 7}, {"rekindle": token("c1") + "\x00"})):
        assert tell(postmark, {**POSTMARK, "ID": number, "MessageID": "other", "Metadata": other}) == 200
    assert (suppressed(), statuses()) == ([], dict.fromkeys(PEOPLE, SENT))
    assert DeliveryEvent.objects.count() == 4


def test_who_does_not_know_the_word_is_refused(postmark: Client) -> None:
    tried = ("", "Basic", "Basic x", basic("wrong"), f"Bearer {WORD}")
    assert [tell(postmark, POSTMARK, Authorization=one) for one in tried] == [403] * len(tried)
    assert (DeliveryEvent.objects.count(), suppressed()) == (0, [])


def test_what_no_provider_says_is_refused_and_never_fails(postmark: Client) -> None:
    unreadable = (b"", b"no JSON", b"[]", b"7", b"null", b'{"RecordType": []}', b'{"FromFull": {}}', b"\xff", b"[" * 100_000)
    assert [tell(postmark, said) for said in unreadable] == [422] * len(unreadable)
    strange = (b"{}", b'{"RecordType": "Bounce"}', b'{"RecordType": 7}', b'{"RecordType": "Open", "Metadata": {"rekindle": [[]]}}')
    assert [tell(postmark, said) for said in strange] == [200] * len(strange)
    assert suppressed() == []


def test_too_much_at_once_is_refused(postmark: Client) -> None:
    assert tell(postmark, b'{"RecordType": "' + b"x" * 1_100_000 + b'"}') in (400, 413, 422)
    assert DeliveryEvent.objects.count() == 0


def test_looking_changes_nothing(postmark: Client) -> None:
    assert postmark.head("/webhooks/mail").status_code == 200
    assert [postmark.get("/webhooks/mail").status_code, postmark.put("/webhooks/mail").status_code] == [405, 405]


@pytest.mark.parametrize("webhook", [{}, {"api_key": "another"}])
def test_a_webhook_without_a_word_takes_nothing(store: Settings, monkeypatch: pytest.MonkeyPatch, webhook: Mapping[str, str]) -> None:
    assert tell(with_provider(store, monkeypatch, "postmark", **webhook), POSTMARK) == 503
    assert DeliveryEvent.objects.count() == 0


def test_strangers_do_not_hear_where_a_word_that_is_missing_belongs(
    store: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = with_provider(store, monkeypatch, "postmark", webhook_secret=WORD)
    monkeypatch.delenv("TEST_WEBHOOK_SECRET")
    answer = client.post("/webhooks/mail", json.dumps(POSTMARK), content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["cause"]) == (503, "this is not set up here")
    assert b"TEST_" not in answer.content
    assert "rekindle.toml: provider.webhook.webhook_secret: no secret at 'env:TEST_WEBHOOK_SECRET'" in caplog.text


def mailgun(severity: str, reason: str, word: str = WORD) -> dict[str, Any]:
    signed = hmac.new(word.encode(), b"1764147900" + severity.encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": "1764147900", "token": severity, "signature": signed},
        "event-data": {
            "event": "failed", "severity": severity, "reason": reason, "timestamp": 1764147900.5, "recipient": "c1@people.example",
            "message": {"headers": {"message-id": "20261123.1@mg.shop.example"}}, "user-variables": {"rekindle": token("c1")},
            "delivery-status": {"code": 550, "message": "5.1.1 no such user", "description": ""},
        },
    }


@pytest.mark.parametrize(
    ("said", "reasons", "status"),
    [
        (mailgun("permanent", "bounce"), ["bounce"], FAILED), (mailgun("permanent", "old"), [], FAILED),
        (mailgun("temporary", "generic"), [], SENT),
    ],
)
def test_mailgun_signs_what_it_tells(
    store: Settings, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], reasons: list[str], status: str
) -> None:
    client = with_provider(store, monkeypatch, "mailgun", webhook_signing_key=WORD)
    assert tell(client, mailgun("permanent", "bounce", "another word")) == 403
    assert tell(client, said) == 200
    assert ([reason for _, reason in suppressed()], statuses()["c1"]) == (reasons, status)


@pytest.mark.parametrize(("kind", "reasons"), [("Permanent", ["bounce"]), ("Transient", [])])
def test_resend_signs_what_it_tells(store: Settings, monkeypatch: pytest.MonkeyPatch, kind: str, reasons: list[str]) -> None:
    word = "whsec_" + base64.b64encode(b"thirty-two octets of a test word").decode()
    client = with_provider(store, monkeypatch, "resend", signing_secret=word)
    body = json.dumps(
        {
            "type": "email.bounced", "created_at": "2026-11-23T12:05:00.000Z",
            "data": {
                "email_id": "49a3999c", "to": ["c1@people.example"], "bounce": {"message": "a hard bounce message", "type": kind},
                "headers": [{"name": "X-Metadata", "value": json.dumps({"rekindle": token("c1")})}],
            },
        }
    )
    now = datetime.now(UTC)
    signed = Webhook(word).sign("msg_1", now, body)
    headers = {"svix_id": "msg_1", "svix_timestamp": str(int(now.timestamp()))}
    assert tell(client, body.encode(), svix_signature="v1,d3Jvbmc=", **headers) == 403
    assert tell(client, body.encode(), svix_signature=signed, **headers) == 200
    assert [reason for _, reason in suppressed()] == reasons


def test_what_a_silent_provider_took_is_unknown_until_it_tells(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    client = with_provider(store, monkeypatch, "postmark", webhook_secret=f"postmark:{WORD}")
    Touch.objects.update(status="planned", settled_at=None, attempts=0)
    with serving(Script(mood="drop")) as url:
        channel = Channel("postmark", {"api_url": url, "server_token": "t"}, Poster(private=True, exchange=1.0))
        assert send_due(store, NOON, senders={"email": channel}, clock=lambda: NOON).by_status["unknown"] >= 1
    assert statuses()["c1"] == "unknown"
    delivery = {"RecordType": "Delivery", "MessageID": "pm-9", "Recipient": "c1@people.example", "DeliveredAt": "2026-11-23T12:05:00Z"}
    assert tell(client, {**delivery, "Metadata": {"rekindle": token("c1")}}) == 200
    assert statuses()["c1"] == SENT
    assert tell(client, POSTMARK) == 200
    assert statuses()["c1"] == FAILED
