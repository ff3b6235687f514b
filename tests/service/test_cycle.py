from collections.abc import Iterator
from datetime import timedelta

import pytest

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.flow import cycle
from rekindle.service.flow.cycle import Mirrored, close_cycle
from rekindle.service.flow.sending import send_due
from rekindle.service.people.actions import opt_out
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
    send_due(store, NOON, channel=Recorder())
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


def test_nothing_personal_reaches_history(store: Settings, warehouse: Warehouse) -> None:
    plan(["c1"])
    send_due(store, NOON, channel=Recorder())
    close_cycle(store, warehouse, NOON)
    for name in ("consents", "people", "touches"):
        assert "@" not in str(rows(warehouse, name))
        assert "Ada" not in str(rows(warehouse, name))


@pytest.mark.parametrize("step", ["take_changes", "take_settled", "append", "record_batch", "changes_known", "settled_known"])
def test_a_stop_in_between_is_made_good(store: Settings, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    plan(["c1"])
    send_due(store, NOON, channel=Recorder())

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(cycle, step, stop)
        with pytest.raises(Killed):
            close_cycle(store, warehouse, NOON)
    close_cycle(store, warehouse, NOON)
    assert [len(rows(warehouse, name)) for name in ("consents", "people", "touches")] == [1, 1, 1]
    assert close_cycle(store, warehouse, NOON) == Mirrored(0, 0, 0)
