"""What goes over on short channels."""

import json
from datetime import UTC, date, datetime

from rekindle.deliver import payloads
from rekindle.deliver.facts import Facts
from rekindle.deliver.variants import Short

SHORT = Short("We kept your place", "Grüße\nand 10 % for you", "https://m.example/a")


def test_a_text_message_is_its_text() -> None:
    assert payloads.sms(Short("", "Marigold: grüß dich", "")) == "Marigold: grüß dich".encode()


def test_half_a_surrogate_pair_stops_nothing() -> None:
    broken = Short("\ud83d title", "text \udc00", "https://m.example/a")
    assert payloads.sms(broken) == b"text ?"
    assert json.loads(payloads.webpush(broken, "t-1"))["title"] == "? title"
    assert json.loads(payloads.inapp(broken, None))["text"] == "text ?"


def test_a_notification_is_what_a_page_shows() -> None:
    given = json.loads(payloads.webpush(SHORT, "t-1"))
    assert given == {"title": SHORT.title, "body": SHORT.text, "url": SHORT.url, "tag": "t-1"}


def test_a_message_in_the_shop_says_until_when_it_holds() -> None:
    given = {"title": SHORT.title, "text": SHORT.text, "url": SHORT.url}
    assert json.loads(payloads.inapp(SHORT, date(2026, 12, 1))) == {**given, "last_day": "2026-12-01"}
    assert json.loads(payloads.inapp(SHORT, None)) == {**given, "last_day": None}


def test_an_event_says_whom_it_is_for_and_what_is_offered() -> None:
    facts = Facts(
        stage="tailor", program="win-back", arm="free_shipping", offer_label="Free shipping", code="BACK-7F", valid_until=date(2026, 12, 1)
    )
    at = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
    event = json.loads(payloads.webhook(SHORT, facts, key="t-1", at=at, customer="c-1", external_id=""))
    assert (event["type"], event["timestamp"]) == ("message.due", "2026-11-26T09:30:00+00:00")
    assert event["data"] == {
        "id": "t-1", "customer": "c-1", "external_id": None, "program": "win-back", "stage": "tailor", "variant": "free_shipping",
        "service": False, "title": SHORT.title, "text": SHORT.text, "url": SHORT.url, "offer": "Free shipping", "code": "BACK-7F",
        "last_day": "2026-12-01",
    }  # fmt: skip
