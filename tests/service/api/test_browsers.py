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


def test_a_no_to_marketing_ends_the_yes_of_before_once(ask: Ask) -> None:
    meet("c-1")
    given = {"customer": "c-1", "subscription": BROWSER, "wording_version": "v3"}

    def said(marketing: bool) -> tuple[int, dict[str, str]]:
        status, _ = ask("POST", "/webpush/subscriptions", {**given, "marketing": marketing})
        return status, refusals(people_by_id(["c-1"]), "webpush", moment.now())

    assert said(marketing=False) == (201, {"c-1": "no consent"})
    assert not Consent.objects.filter(channel="webpush").exists(), "there was nothing to end"
    for _ in range(2):
        assert said(marketing=True) == (201, {})
        assert said(marketing=False) == said(marketing=False) == (201, {"c-1": "opted out"})
    assert list(Consent.objects.filter(channel="webpush").in_order().values_list("granted", flat=True)) == [True, False] * 2


def test_a_yes_to_marketing_names_the_words_that_it_was_said_to(ask: Ask) -> None:
    meet("c-1")
    for wording in ({}, {"wording_version": ""}, {"wording_version": " "}):
        status, said = ask("POST", "/webpush/subscriptions", {"customer": "c-1", "subscription": BROWSER, "marketing": True, **wording})
        assert (status, "wording_version" in said["error"]["cause"]) == (422, True)
    assert (Person.objects.get().push, Consent.objects.filter(channel="webpush").count()) == ("", 0)


def test_a_browser_that_is_gone_gets_nothing_until_there_is_another(ask: Ask) -> None:
    meet("c-1")
    subscribed = {"customer": "c-1", "subscription": BROWSER, "marketing": True, "wording_version": "v3"}
    ask("POST", "/webpush/subscriptions", subscribed)
    people.suppress("webpush", Person.objects.get(pk="c-1").push_lookup, "gone", moment.now())
    assert refusals(people_by_id(["c-1"]), "webpush", moment.now()) == {"c-1": "address suppressed"}
    ask("POST", "/webpush/subscriptions", {**subscribed, "subscription": {**BROWSER, "endpoint": "https://push.example/new"}})
    assert refusals(people_by_id(["c-1"]), "webpush", moment.now()) == {}
