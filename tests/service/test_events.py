from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from rekindle.deliver import delivery_events as told
from rekindle.history.warehouse import open_history
from rekindle.service.events import models, queries
from rekindle.service.events.actions import Recorded, record, settle_late
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.outbox.models import ATTEMPTING, FAILED, SENT, UNKNOWN, Touch
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Suppression
from rekindle.service.programs.queries import pauses
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.told import PEOPLE, event, sent, statuses
from tests.service.touches import Killed, later, plan

LEDGERS = ("sqlite", "postgresql")


@pytest.fixture
def outbox(store: Settings) -> Settings:
    plan(PEOPLE)
    return store


def test_an_event_told_twice_counts_once(outbox: Settings) -> None:
    sent()
    twice = [event(told.COMPLAINED, raw="first"), event(told.COMPLAINED, raw="second")]
    assert record(twice, later(6)) == Recorded(read=2, new=1, ours=1, suppressed=1)
    assert record(twice, later(7)) == Recorded(read=2)
    told_of = {"kind": "complained", "source": "esp", "detail": "", "occurred_at": later(5)}
    assert (queries.of_customer("c1"), queries.of_customer("c2")) == ([told_of], [])
    assert record([event(told.COMPLAINED, source="arf")], later(8)).new == 1
    assert models.DeliveryEvent.objects.count() == 2


def test_what_came_back_was_not_sent_and_history_hears_of_it(outbox: Settings) -> None:
    sent()
    came_back = event(told.BOUNCED, permanent=False, detail="4.4.7 expired")
    assert record([came_back, event(told.DELIVERED, "c2")], later(6)).settled == 1
    assert statuses() == {"c1": ("failed", "bounced: 4.4.7 expired"), "c2": ("sent", ""), "c3": ("sent", "")}
    assert [touch.customer_id for touch in Touch.objects.filter(mirror="changed")] == ["c1"]


def test_what_was_told_before_a_touch_was_unknown_settles_it_later(outbox: Settings) -> None:
    Touch.objects.filter(customer_id__in=PEOPLE[:2]).update(status=ATTEMPTING, lease_until=later(1), attempts=1)
    assert record([event(told.DELIVERED), event(told.DELIVERED, "c3")], NOON).settled == 0
    Touch.objects.filter(customer_id__in=PEOPLE[:2]).update(status=UNKNOWN, settled_at=later(2))
    assert settle_late(later(3)) == 1
    assert {name: status for name, (status, _) in statuses().items()} == {"c1": SENT, "c2": UNKNOWN, "c3": "planned"}
    assert settle_late(later(4)) == 0


@pytest.mark.parametrize(("first", "then", "found"), [(SENT, UNKNOWN, 0), (UNKNOWN, SENT, 0), (UNKNOWN, UNKNOWN, 1)])
def test_a_touch_that_changes_between_two_questions_is_left_for_the_next_time(outbox: Settings, first: str, then: str, found: int) -> None:
    assert record([event(told.DELIVERED)], NOON).new == 1
    Touch.objects.filter(customer_id="c1").update(status=first)

    def changed(execute: Callable[..., object], *statement: object) -> object:
        answer = execute(*statement)
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(lambda: (Touch.objects.filter(customer_id="c1").update(status=then), connection.close())).result()
        return answer

    with connection.execute_wrapper(changed):
        assert len(list(queries.told_of_unknown())) == found


def test_history_is_told_once_of_what_became_of_messages(outbox: Settings) -> None:
    sent()
    record(
        [
            event(told.BOUNCED, detail="5.1.1 ada@people.example unknown", permanent=True), event(told.COMPLAINED, "c2"),
            event(told.DELIVERED, "c3"), event(told.CLICKED, "c3"), event(told.COMPLAINED, "nobody"),
        ],
        later(6),
    )
    with open_history(outbox.history, outbox.root) as warehouse:
        assert close_cycle(outbox, warehouse, later(7)).events == 3
        assert close_cycle(outbox, warehouse, later(8)).events == 0
        assert record([event(told.UNSUBSCRIBED, "c3")], later(9)).opted_out == 1
        assert close_cycle(outbox, warehouse, later(10)).events == 1
        facts = warehouse.arrow(warehouse.current("events")).to_pylist()
        touches = {row["customer_id"]: row["status"] for row in warehouse.arrow(warehouse.current("touches")).to_pylist()}
    assert sorted((row["customer_id"], row["name"], row["occurred_at"]) for row in facts) == [
        (customer, name, later(5).replace(tzinfo=None)) for customer, name in (
            ("c1", "Email Bounced"), ("c2", "Email Marked as Spam"), ("c3", "Email Delivered"), ("c3", "Unsubscribed"),
        )
    ]
    assert "people.example" not in str(facts)
    assert touches == {"c1": "failed"}


def test_opens_by_machines_are_kept_apart_from_opens_by_people(outbox: Settings) -> None:
    sent()
    by_person, by_apple = event(told.OPENED, agent="Mozilla/5.0 (iPhone)"), event(told.OPENED, "c2", agent="Mozilla/5.0")
    record([by_person, by_apple, event(told.OPENED, "c3", agent="Thunderbird", at=NOON + timedelta(seconds=5))], later(6))
    with open_history(outbox.history, outbox.root) as warehouse:
        assert close_cycle(outbox, warehouse, later(7)).events == 3
        facts = warehouse.arrow(warehouse.current("events")).to_pylist()
    assert {row["customer_id"]: (row["name"], row["value"]) for row in facts} == {
        "c1": ("Email Opened", None), "c2": ("Email Prefetched", "agent"), "c3": ("Email Prefetched", "at once"),
    }


def test_an_event_and_what_follows_are_one_transaction(outbox: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sent()

    def stop(*_: object) -> list[str]:
        raise Killed

    monkeypatch.setattr("rekindle.service.outbox.actions.settle_unknown", stop)
    with pytest.raises(Killed):
        record([event(told.COMPLAINED)], later(6))
    monkeypatch.undo()
    assert (models.DeliveryEvent.objects.count(), Suppression.objects.count()) == (0, 0)
    assert record([event(told.COMPLAINED)], later(7)).suppressed == 1


def test_a_program_pauses_itself_in_the_transaction_of_the_complaint(outbox: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rekindle.deliver.delivery_events.AT_LEAST", 3)
    sent()
    assert record([event(told.COMPLAINED), event(told.COMPLAINED, "c2")], later(1)).paused == ("win-back",)
    (held,) = pauses()
    assert (held.by, held.reason, held.at) == ("win-back", "2 of 3 delivered messages brought a complaint", later(1))


def test_the_same_told_at_once_to_several_counts_once_and_nobody_waits_for_good(outbox: Settings) -> None:
    sent()
    kinds = (told.COMPLAINED, told.BOUNCED, told.UNSUBSCRIBED, told.DELIVERED)
    events = [event(kind, customer, permanent=True) for kind in kinds for customer in PEOPLE]
    ready = Barrier(4)

    def tell(turn: int) -> int:
        ready.wait()
        try:
            return record(events[turn:] + events[:turn], later(6)).read
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as crew:
        assert list(crew.map(tell, (0, 3, 7, 11))) == [12] * 4
    assert models.DeliveryEvent.objects.count() == 12
    assert {status for status, _ in statuses().values()} == {FAILED}
    assert {one.digest for one in Suppression.objects.all()} == {digest_of(f"{customer}@people.example") for customer in PEOPLE}
