"""Browsers that customers let the shop notify."""

import json

from rekindle import moment
from rekindle.service.people import actions as people
from rekindle.service.people.models import Consent, Person
from rekindle.service.people.queries import people_by_id, refusals
from tests.service.api.asking import BROWSER, Ask, meet

LEDGERS = ("sqlite", "postgresql")


def test_a_browser_is_kept_with_its_consent_and_belongs_to_one_customer(ask: Ask) -> None:
    meet("c-1", "c-2")
    agreed = {"marketing": True, "wording_version": "v3"}
    status, said = ask("POST", "/webpush/subscriptions", {"customer": "x-c-1", "subscription": BROWSER, **agreed})
    assert (status, said) == (201, ask("GET", "/webpush/key")[1])
    person = Person.objects.get(pk="c-1")
    assert json.loads(person.push) == BROWSER
    assert refusals(people_by_id(["c-1"]), "webpush", moment.now()) == {}
    assert Consent.objects.filter(channel="webpush").values_list("customer_id", "source", "wording_version").get() == ("c-1", "api", "v3")
    ask("POST", "/webpush/subscriptions", {"customer": "c-2", "subscription": BROWSER, "marketing": False})
    assert refusals(people_by_id(["c-1", "c-2"]), "webpush", moment.now()) == {"c-1": "no address", "c-2": "no consent"}
    assert ask("POST", "/webpush/unsubscribe", BROWSER) == (200, {"ended": True})
    assert ask("POST", "/webpush/unsubscribe", BROWSER) == (200, {"ended": False})
    assert Person.objects.get(pk="c-2").push == ""


def test_a_browser_that_is_gone_gets_nothing_until_there_is_another(ask: Ask) -> None:
    meet("c-1")
    subscribed = {"customer": "c-1", "subscription": BROWSER, "marketing": True}
    ask("POST", "/webpush/subscriptions", subscribed)
    people.suppress("webpush", Person.objects.get(pk="c-1").push_lookup, "gone", moment.now())
    assert refusals(people_by_id(["c-1"]), "webpush", moment.now()) == {"c-1": "address suppressed"}
    ask("POST", "/webpush/subscriptions", {**subscribed, "subscription": {**BROWSER, "endpoint": "https://push.example/new"}})
    assert refusals(people_by_id(["c-1"]), "webpush", moment.now()) == {}
