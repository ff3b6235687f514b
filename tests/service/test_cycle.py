from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module

import pyarrow as pa
import pytest
from django.apps import apps

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.flow import cycle
from rekindle.service.flow.cycle import Mirrored, close_cycle
from rekindle.service.flow.sending import send_due
from rekindle.service.people.actions import opt_out, record_contacts
from rekindle.service.people.models import CHANGED, Person
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import Killed, Recorder, meet, plan


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    with open_history(store.history, store.root) as opened:
        yield opened


def rows(warehouse: Warehouse, name: str) -> list[dict[str, object]]:
    facts = warehouse.arrow(warehouse.current(name)).drop_columns(["source", "batch", "digest"])
    return sorted(facts.to_pylist(), key=str)


def test_what_happened_becomes_facts_once(store: Settings, warehouse: Warehouse) -> None:
    plan(["c1", "c2"])
    assert close_cycle(store, warehouse, NOON) == Mirrored(consents=2, people=2, touches=0)
    send_due(store, NOON, senders={"email": Recorder()})
    assert close_cycle(store, warehouse, NOON) == Mirrored(consents=0, people=0, touches=2)
    assert close_cycle(store, warehouse, NOON) == Mirrored(consents=0, people=0, touches=0)
    touch = rows(warehouse, "touches")[0]
    assert touch == {
        "touch_key": "win-back:c1:o1:reconnect", "customer_id": "c1", "program": "win-back", "stage": "reconnect", "episode": "o1",
        "arm": "reminder", "channel": "email", "code": "", "status": "sent", "settled_at": NOON.replace(tzinfo=None),
    }
    assert warehouse.scalar(warehouse.table("batches").count()) == 2


def test_an_opt_out_is_known_with_its_time(store: Settings, warehouse: Warehouse) -> None:
    meet(["c1"])
    close_cycle(store, warehouse, NOON)
    opt_out("c1", "email", NOON + timedelta(hours=1), "link")
    assert close_cycle(store, warehouse, NOON) == Mirrored(consents=1, people=0, touches=0)
    (consent,) = rows(warehouse, "consents")
    assert (consent["granted"], consent["recorded_at"]) == (False, (NOON + timedelta(hours=1)).replace(tzinfo=None))


def test_a_birthday_is_told_without_its_year_and_again_where_it_changes(store: Settings, warehouse: Warehouse) -> None:
    contact = {"customer_id": ["c1", "c2"], "email": ["a@b.example", "c@d.example"]}
    record_contacts(pa.table({**contact, "birthday": pa.array([date(1990, 2, 3), None])}), NOON)
    assert close_cycle(store, warehouse, NOON).people == 2
    assert [row["birthday"] for row in rows(warehouse, "people")] == ["02-03", None]
    assert "1990" not in str(rows(warehouse, "people"))
    record_contacts(pa.table({**contact, "birthday": pa.array([date(1991, 2, 3), date(2000, 2, 29)])}), NOON)
    assert close_cycle(store, warehouse, NOON).people == 1
    assert [row["birthday"] for row in rows(warehouse, "people")] == ["02-03", "02-29"]


def test_birthdays_that_an_older_version_kept_to_itself_are_told(store: Settings, warehouse: Warehouse) -> None:
    contact = {"customer_id": ["c1", "c2"], "email": ["a@b.example", "c@d.example"]}
    record_contacts(pa.table({**contact, "birthday": pa.array([date(1990, 2, 3), None])}), NOON)
    close_cycle(store, warehouse, NOON)
    import_module("rekindle.service.people.migrations.0002_birthdays_told").tell(apps, None)
    assert [person.pk for person in Person.objects.filter(mirror=CHANGED)] == ["c1"]


def test_nothing_personal_reaches_history(store: Settings, warehouse: Warehouse) -> None:
    plan(["c1"])
    send_due(store, NOON, senders={"email": Recorder()})
    close_cycle(store, warehouse, NOON)
    for name in ("consents", "people", "touches"):
        assert "@" not in str(rows(warehouse, name))
        assert "Ada" not in str(rows(warehouse, name))


@pytest.mark.parametrize("step", ["take_changes", "take_settled", "append", "record_batch", "changes_known", "settled_known"])
def test_a_stop_in_between_is_made_good(store: Settings, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    plan(["c1"])
    send_due(store, NOON, senders={"email": Recorder()})

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(cycle, step, stop)
        with pytest.raises(Killed):
            close_cycle(store, warehouse, NOON)
    close_cycle(store, warehouse, NOON)
    assert [len(rows(warehouse, name)) for name in ("consents", "people", "touches")] == [1, 1, 1]
    assert close_cycle(store, warehouse, NOON) == Mirrored(0, 0, 0)
