"""Suppression knows addresses by a keyed digest: it names nobody, outlives an erasure, and means nothing under another key."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rekindle.errors import StoreUnavailable
from rekindle.service.config import database, use_ledger
from rekindle.service.people import actions, queries
from rekindle.service.people.digests import _key, digest_of
from rekindle.service.people.models import Consent, Person, Suppression
from rekindle.service.privacy.actions import forget
from rekindle.service.privacy.queries import traces
from rekindle.settings import Settings
from tests.postgres import server
from tests.service.reach import looked, unreachable

LEDGERS = ("sqlite", "postgresql")

AT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def met(at: datetime, customer: str = "c1", **columns: object) -> int:
    said = {"customer_id": customer, "email": "Ada@Example.org", "phone": "+4915123456789", "email_consent": True, **columns}
    return actions.record_contacts(pa.Table.from_pylist([said]), at).consents


def refusals(at: datetime, service: bool = False) -> set[str]:
    """What the whole reading and the last look say of everybody's e-mail."""
    people = Person.objects.in_bulk()
    whole = unreachable(people, "email") if service else queries.refusals(people, "email", at)
    assert looked(at, people, "email", service) == whole
    return set(whole.values())


def test_the_ledger_holds_the_hmac_of_the_address_under_the_stores_own_key(store: Settings) -> None:
    met(AT)
    actions.suppress("email", "ada@example.org", "bounce", AT)
    path = store.var / "keys" / "suppression.key"
    key = bytes.fromhex(path.read_text())
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    assert Suppression.objects.get().digest == hmac.new(key, b"ada@example.org", hashlib.sha256).hexdigest()


def test_two_stores_know_one_address_by_two_digests(store: Settings, tmp_path: Path) -> None:
    mine = digest_of("ada@example.org")
    use_ledger(store.model_copy(update={"root": tmp_path / "other"}))
    assert mine != digest_of("ada@example.org")


def test_who_opts_out_by_a_clock_that_was_set_back_has_opted_out(store: Settings) -> None:
    met(AT + DAY)
    assert refusals(AT + 2 * DAY) == set()
    actions.opt_out("c1", "email", AT, "link")
    assert refusals(AT + 2 * DAY) == {"opted out"}
    assert refusals(AT + 2 * DAY, service=True) == set()
    actions.opt_out("c1", "email", AT, "link")
    assert Consent.objects.filter(granted=False).count() == 1


def test_it_outlives_the_person(store: Settings) -> None:
    met(AT)
    actions.opt_out("c1", "email", AT + DAY, "link")
    for model in (Person, Consent):
        model._base_manager.all().delete()
    assert met(AT + 2 * DAY, consent_at=AT) == 1, "a yes from before"
    assert refusals(AT + 3 * DAY) == {"address suppressed"}
    assert met(AT + 2 * DAY, "c2", consent_at=AT + 2 * DAY) == 1, "one that is dated later is a new yes"
    assert queries.refusals(queries.people_by_id(["c2"]), "email", AT + 3 * DAY) == {}


def test_a_refusal_that_a_file_tells_counts_for_the_address_whoever_it_belongs_to(store: Settings) -> None:
    met(AT, "family", sms_consent=True, inapp_consent=True, consent_at=AT)
    actions.take_changes()
    actions.changes_known()
    told = {"email_consent": False, "sms_consent": False, "inapp_consent": False, "consent_at": AT + DAY}
    assert [met(AT + 2 * DAY, **told) for _ in range(2)] == [3, 0], "said twice it is said once"
    assert set(Person.objects.values_list("customer_id", "mirror")) == {("family", "changed"), ("c1", "changed")}
    family = Person.objects.in_bulk(["family"])
    found = {channel: queries.refusals(family, channel, AT + 3 * DAY) for channel in ("email", "sms", "inapp")}
    assert found == {"email": {"family": "address suppressed"}, "sms": {"family": "address suppressed"}, "inapp": {}}
    assert set(Suppression.objects.values_list("digest", "reason", "recorded_at")) == {
        (digest_of(one), "opt-out", AT + DAY) for one in ("ada@example.org", "+4915123456789", "c1")
    }
    met(AT + 3 * DAY, "family", consent_at=AT + 3 * DAY)
    assert queries.refusals(family, "email", AT + 4 * DAY) == {}, "a later yes of theirs"


@pytest.mark.parametrize("granted", [False, True])
def test_every_address_of_who_was_erased_is_suppressed_whoever_brings_it_back(store: Settings, granted: bool) -> None:
    met(AT, email_consent=granted, sms_consent=True, consent_at=AT)
    met(AT, "family", consent_at=AT)
    actions.take_changes()
    actions.changes_known()
    forget(traces(["c1"], []), AT + DAY)
    assert list(Person.objects.values_list("customer_id", "mirror")) == [("family", "changed")], "who shares an address, too"
    mine = Suppression.objects.values_list("channel", "digest", "reason", "recorded_at")
    held = {"email": "ada@example.org", "sms": "+4915123456789", "inapp": "c1", "webhook": "c1"}
    erased = {(channel, digest_of(address), "erased", AT + DAY) for channel, address in held.items()}
    assert set(mine.filter(reason="erased")) == erased
    assert met(AT + 2 * DAY, "c2") == 0, "a yes without a date"
    assert met(AT + 2 * DAY, "c3", consent_at=AT) == 1, "one from before"
    assert refusals(AT + 3 * DAY) == {"address suppressed", "no consent"}
    assert refusals(AT + 3 * DAY, service=True) == set(), "news of an order comes"
    assert met(AT + 3 * DAY, "c4", consent_at=AT + 2 * DAY) == 1, "one that is dated later is a new yes"
    assert queries.refusals(queries.people_by_id(["c4"]), "email", AT + 3 * DAY) == {}


@pytest.mark.parametrize("reason", ["opt-out", "bounce"])
def test_a_yes_without_a_date_undoes_no_suppression(store: Settings, reason: str) -> None:
    actions.suppress("email", "ada@example.org", reason, AT)
    assert met(AT + DAY) == 0
    assert refusals(AT + 2 * DAY) == {"no consent"}
    assert met(AT + DAY, sms_consent=True) == 1, "of another channel it is one"


def test_a_bounce_stops_news_of_orders_too_and_history_learns_of_it(store: Settings) -> None:
    met(AT)
    assert refusals(AT + DAY) == refusals(AT + DAY, service=True) == set()
    actions.suppress("email", "ada@example.org", "bounce", AT + DAY)
    assert refusals(AT + DAY) == refusals(AT + DAY, service=True) == {"address suppressed"}
    assert queries.consents()["granted"].to_pylist() == [False]


def test_without_its_key_nothing_is_guessed(store: Settings) -> None:
    met(AT)
    actions.suppress("email", "ada@example.org", "bounce", AT)
    (store.var / "keys" / "suppression.key").unlink()
    _key.cache_clear()  # as a process that starts now
    with pytest.raises(StoreUnavailable, match=r"suppression\.key is missing"):
        looked(AT, Person.objects.in_bulk(), "email", service=False)
    assert not (store.var / "keys" / "suppression.key").exists()


def test_addresses_that_were_held_become_digests(store: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [("email", f"c{number}@x.example", "bounce") for number in range(25)] + [("sms", "+4915123456789", "opt-out")]
    kept = store.database if store.database.startswith("sqlite") else server().fresh()
    older = store.model_copy(update={"root": tmp_path / "older", "database": kept})
    with monkeypatch.context() as patch:
        patch.setattr(database, "_migrate", lambda _: MigrationExecutor(connection).migrate([("people", "0004_wishes")]))
        use_ledger(older)
    with connection.cursor() as cursor:
        row = "INSERT INTO people_suppression (channel, address, reason, recorded_at) VALUES (%s, %s, %s, %s)"
        instant = connection.ops.adapt_datetimefield_value(AT)
        cursor.executemany(row, [(channel, address, why, instant) for channel, address, why in held])
    use_ledger(store)
    use_ledger(older)
    assert set(Suppression.objects.values_list("channel", "digest", "reason", "recorded_at")) == {
        (channel, digest_of(address), why, AT) for channel, address, why in held
    }
