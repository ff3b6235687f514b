"""Messages inside the shop: what a customer sees depends on their word at this moment, not at the hour of sending."""

import json
from datetime import date, timedelta

import pytest

from rekindle.deliver.channel import Message
from rekindle.errors import PermanentFailure
from rekindle.service.channels.inapp.channel import InApp
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.people import actions as people
from rekindle.service.people.models import Consent
from rekindle.service.privacy import actions as privacy
from rekindle.service.privacy.models import ERASURE
from tests.service.api.asking import NOW, Ask, meet, share

LEDGERS = ("sqlite", "postgresql")

TODAY, YESTERDAY, TOMORROW = (NOW.date() + timedelta(days=days) for days in (0, -1, 1))


def put(name: str, customer: str = "c-1", last_day: date | None = TOMORROW, *, service: bool = False) -> None:
    said = {"title": f"<b>{name}</b>", "text": "x", "url": "https://shop.example/c/1", "last_day": last_day and last_day.isoformat()}
    InApp().hand_over(Message(name, TODAY, json.dumps(said).encode(), to=customer, service=service))


def listed(ask: Ask, customer: str = "c-1") -> list[str]:
    status, said = ask("GET", f"/inapp?customer={customer}")
    assert (status, said["next"]) == (200, None)
    return [one["id"] for one in said["items"]]


def test_a_customer_sees_what_is_valid_and_theirs(ask: Ask) -> None:
    meet("c-1", "c-2")
    put("until-tomorrow")
    put("until-today", last_day=TODAY)
    put("until-yesterday", last_day=YESTERDAY)
    put("somebody-elses", customer="c-2")
    put("without-an-end", last_day=None)
    assert listed(ask) == ["until-tomorrow", "until-today", "without-an-end"]
    assert listed(ask, "x-c-1") == listed(ask), "by the shop's own id"
    assert listed(ask, "nobody") == []
    assert InAppMessage.objects.get(message_id="without-an-end").last_day == TODAY + timedelta(days=30)
    first = ask("GET", "/inapp?customer=c-1")[1]["items"][0]
    assert first == {
        "id": "until-tomorrow", "title": "<b>until-tomorrow</b>", "text": "x", "url": "https://shop.example/c/1", "service": False,
        "last_day": TOMORROW.isoformat(), "seen_at": None, "dismissed_at": None,
    }  # fmt: skip


def test_who_may_be_several_sees_nothing(ask: Ask) -> None:
    meet("c-1", "c-2")
    put("offer")
    assert listed(ask, "C-1@people.example") == ["offer"]
    share("family@people.example", "c-1", "c-2")
    assert listed(ask, "family@people.example") == []


def test_who_opts_out_sees_nothing_that_was_put_there_before_but_news_of_orders(ask: Ask) -> None:
    meet("c-1")
    put("offer")
    put("your-order", service=True)
    assert listed(ask) == ["offer", "your-order"]
    people.opt_out("c-1", "email", NOW, "test")
    assert listed(ask) == ["offer", "your-order"], "another channel"
    people.opt_out("c-1", "inapp", NOW, "test")
    assert listed(ask) == ["your-order"]
    people.consent("c-1", "inapp", NOW + timedelta(seconds=1), "account")
    assert listed(ask) == ["offer", "your-order"]


@pytest.mark.parametrize("purpose", ["pause", "profiling"])
def test_who_pauses_or_objects_sees_news_of_orders_alone_and_who_asked_to_be_erased_nothing(ask: Ask, purpose: str) -> None:
    meet("c-1")
    put("offer")
    put("your-order", service=True)
    said = {"customer_id": "c-1", "channel": "all", "purpose": purpose, "granted": purpose == "pause", "basis": "objection"}
    Consent.objects.create(**said, source="test", recorded_at=NOW)
    assert listed(ask) == ["your-order"]
    privacy.ask(ERASURE, "c-1", "page", NOW)
    assert listed(ask) == []


def test_without_a_consent_there_is_no_marketing(ask: Ask) -> None:
    meet("c-1", inapp=False)
    put("offer")
    put("offer-for-a-stranger", customer="stranger")
    assert listed(ask) == listed(ask, "stranger") == []


def test_a_message_is_seen_once_and_put_away_for_good(ask: Ask) -> None:
    meet("c-1")
    put("offer")
    status, first = ask("POST", "/inapp/offer/seen")
    assert (status, first["id"], first["seen_at"] is not None, first["dismissed_at"]) == (200, "offer", True, None)
    assert ask("POST", "/inapp/offer/seen")[1]["seen_at"] == first["seen_at"]
    assert listed(ask) == ["offer"]
    assert ask("POST", "/inapp/offer/dismiss")[1]["dismissed_at"] is not None
    assert listed(ask) == []
    assert ask("POST", "/inapp/another/seen")[0] == 404


def test_long_lists_come_in_pages(ask: Ask) -> None:
    meet("c-1")
    for n in range(7):
        put(f"m{n}")
    seen: list[str] = []
    after = 0
    while after is not None:
        said = ask("GET", f"/inapp?customer=c-1&limit=3&after={after}")[1]
        assert len(said["items"]) <= 3
        seen += [one["id"] for one in said["items"]]
        after = said["next"]
    assert seen == [f"m{n}" for n in range(7)]


def test_the_same_message_twice_is_one_and_another_form_is_refused(ask: Ask) -> None:
    put("offer")
    put("offer", last_day=YESTERDAY)
    assert InAppMessage.objects.get().last_day == TOMORROW
    InApp().hand_over(Message("odd", TODAY, b'{"title": "\\u0000", "text": "\\ud800"}', to="c-1"))
    assert InAppMessage.objects.values_list("title", "text").get(message_id="odd") == ("?", "?")
    for wire in (b"", b"[]", b"null", b'{"last_day": "soon"}', b"[" * 50_000, b"\xff"):
        with pytest.raises(PermanentFailure):
            InApp().hand_over(Message("broken", TODAY, wire, to="c-1"))
