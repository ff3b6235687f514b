"""Questions written once answer as Django's own queries do, on both databases."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rekindle.deliver.links import Claim, sign
from rekindle.service.config import load_ring, prepared
from rekindle.service.config.web import application
from rekindle.service.people import actions, queries
from rekindle.service.people.models import Consent, Person
from rekindle.service.people.queries import Word, find, person_of, reachable, refusals, said_by
from rekindle.settings import Settings
from tests.service.conftest import NOON

LEDGERS = ("sqlite", "postgresql")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def people(store: Settings) -> None:
    told = {"customer_id": "c1", "source": "shop", "external_id": "1042", "email": "ada@people.example", "phone": "+4915123456789"}
    actions.record_contacts(pa.Table.from_pylist([{**told, "email_consent": True, "sms_consent": True, "consent_at": NOON - DAY}]), NOON)
    actions.consent("c1", "inapp", NOON - DAY, "account")
    actions.opt_out("c1", "sms", NOON - DAY / 2, "text")


def test_rows_are_what_django_gives() -> None:
    person, stored = person_of("c1"), Person.objects.get(pk="c1")
    assert vars(person) | {"_state": None} == vars(stored) | {"_state": None}
    words = map(Word._make, Consent.objects.filter(customer_id="c1").in_order().values_list(*Word._fields))
    assert said_by(person) == [(word, NOON - DAY / 2 if word.channel == "sms" else None) for word in words]
    assert person_of("nobody").email == ""


def test_numbers_and_instants_may_be_left_open() -> None:
    def later(at: datetime, *numbers: int) -> QuerySet[Consent, Any]:
        return Consent.objects.filter(recorded_at__gte=at, pk__in=numbers).order_by("pk").values_list("pk", "recorded_at")

    asked, numbers = prepared.Prepared(later, tuple), list(Consent.objects.values_list("pk", flat=True))
    for at in (NOON, NOON - DAY / 2, NOON - 2 * DAY):
        for some in (numbers[:1], numbers[1:], numbers):
            assert asked(at, *some) == list(later(at, *some))
    assert len(asked(NOON - 2 * DAY, *numbers)) == len(numbers) > 1


def test_a_change_is_djangos_own() -> None:
    change = prepared.Change(
        lambda _at, _name, *numbers: Consent.objects.filter(pk__in=numbers), lambda at, name, *_numbers: {"recorded_at": at, "source": name}
    )
    first, *others = Consent.objects.order_by("pk").values_list("pk", flat=True)
    change(NOON + DAY, "one", first)
    change(NOON + 2 * DAY, "two", *others)
    found = list(Consent.objects.order_by("pk").values_list("recorded_at", "source"))
    assert found == [(NOON + DAY, "one"), *[(NOON + 2 * DAY, "two")] * len(others)]


def test_who_may_be_reached_is_who_is_not_refused() -> None:
    for at in (NOON, NOON + 2 * DAY):
        person = person_of("c1")
        refused = {channel for channel in ("email", "sms", "webpush", "inapp", "webhook") if refusals({"c1": person}, channel, at)}
        assert reachable(person, said_by(person), at) == {"email", "sms", "webpush", "inapp", "webhook"} - refused == {"email", "inapp"}


def test_a_suppression_is_found_by_its_digest_however_many_there_are() -> None:
    if connection.vendor == "sqlite":
        assert "suppression_by_digest (channel=? AND digest=?)" in queries._said("c1", *"abcde").explain()


def test_a_customer_is_found_by_every_name() -> None:
    assert [find(one) for one in ("c1", "1042", " ADA@people.example ")] == ["c1"] * 3


def test_a_preference_page_asks_the_ledger_twice(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    application(store)
    address = f"/preferences/{sign(load_ring(store.var, 'preferences'), Claim('c1', 'email-marketing'))}"
    Client().get(address)
    told: list[str] = []
    monkeypatch.setattr(prepared, "_asked", lambda held, sql, given, ask=prepared._asked: told.append(sql) or ask(held, sql, given))
    with CaptureQueriesContext(connection) as asked:
        assert Client().get(address).status_code == 200
    assert len(told) == 2
    assert len(asked) == (0 if connection.vendor == "sqlite" else 2), "nothing is asked besides"


def test_a_ledger_that_fails_is_named_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    person_of("c1")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_person RENAME TO people_nobody")
    with pytest.raises(DatabaseError):
        person_of("c1")
    connection.close()
