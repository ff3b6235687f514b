"""What customers want, as the shop's own pages ask for it and say it."""

from datetime import timedelta
from typing import Any

import pytest

from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import Touch
from rekindle.service.people import actions as people
from rekindle.service.people.models import Consent
from rekindle.service.wishes.actions import Said, set_wishes
from rekindle.service.wishes.wishes import Wishes
from tests.service.api.asking import NOW, Ask, meet
from tests.service.touches import touches

LEDGERS = ("sqlite", "postgresql")
NO_WISH = {
    "channels": ["inapp"], "refused_topics": [], "first_channel": None, "hour": None, "monthly": None, "birthday": None,
    "paused_until": None, "scored": True,
}  # fmt: skip
WISHES: dict[str, Any] = {
    "channels": ["email"], "refused_topics": ["occasions", "questions"], "first_channel": "email", "hour": 18, "monthly": 2,
    "birthday": "1990-02-28", "paused_until": f"{NOW + timedelta(days=30):%Y-%m-%dT%H:%M:%S.123Z}", "scored": False,
}  # fmt: skip
ASKED = {"customer": "x-c-1", "wording_version": "account-3"}


def test_what_is_said_is_what_is_told_and_saying_it_again_writes_nothing(ask: Ask) -> None:
    meet("c-1")
    assert ask("GET", "/preferences?customer=x-c-1") == (200, NO_WISH)
    assert ask("PUT", "/preferences", {**WISHES, **ASKED}) == (200, WISHES)
    assert ask("GET", "/preferences?customer=c-1") == (200, WISHES)
    agreed = Consent.objects.get(channel="email", granted=True)
    assert (agreed.source, agreed.wording_version, agreed.purpose) == ("api", "account-3", "marketing")
    before = Consent.objects.count()
    assert ask("PUT", "/preferences", {**WISHES, **ASKED}) == (200, WISHES)
    assert Consent.objects.count() == before


def test_what_waits_against_a_wish_is_withdrawn(ask: Ask) -> None:
    meet("c-1")
    people.consent("c-1", "email", NOW - timedelta(days=1), "account")
    outbox.insert_touches("plan1", touches(["c-1"]))
    outbox.ready("plan1")
    assert ask("PUT", "/preferences", {**NO_WISH, **ASKED, "channels": ["email", "inapp"], "scored": False})[0] == 200
    assert Touch.objects.get().status == "suppressed"


def test_what_the_page_said_comes_back_as_it_was(ask: Ask) -> None:
    meet("c-1")
    set_wishes("c-1", Wishes(channels=frozenset({"inapp"}), paused_until=NOW + timedelta(days=30, microseconds=1)), Said(NOW, "page"))
    before = Consent.objects.count()
    assert ask("PUT", "/preferences", {**ask("GET", "/preferences?customer=c-1")[1], **ASKED})[0] == 200
    assert Consent.objects.count() == before


def test_a_way_that_is_none_of_these_stays_as_it_is(ask: Ask) -> None:
    meet("c-1")
    people.consent("c-1", "webhook", NOW - timedelta(days=1), "account")
    assert ask("PUT", "/preferences", {**NO_WISH, **ASKED, "channels": []})[1]["channels"] == []
    said = Consent.objects.filter(channel="webhook")
    assert [one.granted for one in said] == [True]


HOSTILE: list[dict[str, Any]] = [
    {"channels": ["fax"]}, {"channels": ["sms"]}, {"channels": ["email\n"]}, {"first_channel": ""}, {"refused_topics": ["x"]}, {"hour": 24},
    {"monthly": 0}, {"monthly": 31}, {"birthday": "2999-01-01"}, {"birthday": "1899-12-31"}, {"birthday": "2001-02-29"},
    {"paused_until": "2020-01-01T00:00:00Z"}, {"paused_until": "9999-12-31T23:59:59-14:00"}, {"paused_until": "0001-01-01T00:00:00+14:00"},
    {"paused_until": "2027-01-01T00:00:00"}, {"wording_version": ""}, {"wording_version": "a\x00"}, {"customer": "nobody"}, {"scored": "?"},
]  # fmt: skip


@pytest.mark.parametrize("change", HOSTILE)
def test_what_cannot_be_is_refused_and_changes_nothing(ask: Ask, change: dict[str, Any]) -> None:
    meet("c-1")
    before = list(Consent.objects.values())
    status, said = ask("PUT", "/preferences", {**NO_WISH, **ASKED, **change})
    assert (status, said["error"]["kind"]) == (422, "BadData")
    assert list(Consent.objects.values()) == before
    assert ask("GET", "/preferences?customer=c-1") == (200, NO_WISH)
