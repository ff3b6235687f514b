import json
from datetime import datetime, timedelta

import pytest

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.visits import grown
from rekindle.service.outbox.models import Touch
from rekindle.service.public.clicks import note
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import plan

PERSON = "Mozilla/5.0 (X11; Linux x86_64)"


def visit(store: Settings, number: str, customer: str, after: float, destination: int = 5, agent: str = PERSON) -> None:
    touch = Touch.objects.get(customer_id=customer).pk
    at = NOON + timedelta(seconds=after)
    seen = {"visit": number, "touch": touch, "destination": destination, "visited_at": at.isoformat(), "agent": agent, "network": "n"}
    note(store.var, json.dumps(seen) + "\n", at)


def told(warehouse: Warehouse) -> list[tuple[str, str, str, datetime]]:
    rows = warehouse.arrow(warehouse.current("events").order_by("message_id"))
    return [(one["message_id"], one["customer_id"], one["name"], one["occurred_at"]) for one in rows.to_pylist()]


@pytest.fixture
def sent(store: Settings) -> Settings:
    plan(["c1", "c2"])
    Touch.objects.update(status="sent", settled_at=NOON)
    return store


def test_a_persons_visit_and_a_machines_become_facts_of_different_names(sent: Settings) -> None:
    visit(sent, "v1", "c1", 600)
    visit(sent, "v2", "c2", 5)
    with open_history(sent.history, sent.root) as warehouse:
        assert close_cycle(sent, warehouse, NOON).visits == 2
        at = NOON.replace(tzinfo=None)
        clicked = ("visit:v1", "c1", "Email Link Clicked", at + timedelta(seconds=600))
        assert told(warehouse) == [clicked, ("visit:v2", "c2", "Link Scanned", at + timedelta(seconds=5))]
        assert grown(sent.var) == {}
        assert close_cycle(sent, warehouse, NOON).visits == 0


def test_what_is_learned_later_corrects_what_history_knew(sent: Settings) -> None:
    visit(sent, "v1", "c1", 600)
    with open_history(sent.history, sent.root) as warehouse:
        close_cycle(sent, warehouse, NOON)
        visit(sent, "v2", "c1", 700, destination=0)
        assert close_cycle(sent, warehouse, NOON).visits == 2
        assert [name for _, _, name, _ in told(warehouse)] == ["Link Scanned", "Link Scanned"]


def test_torn_and_foreign_lines_are_passed_over(sent: Settings) -> None:
    visit(sent, "v1", "c1", 600)
    note(sent.var, '{"visit": "v2", "touch": \n', NOON)
    note(sent.var, '{"visit": "v3", "touch": 999999, "destination": 5, "visited_at": "2026-11-23T12:30:00+00:00"}\n', NOON)
    note(sent.var, "\x00\xff nonsense\n", NOON)
    visit(sent, "v4", "c2", 600)
    with open_history(sent.history, sent.root) as warehouse:
        assert close_cycle(sent, warehouse, NOON).visits == 2
        assert [key for key, *_ in told(warehouse)] == ["visit:v1", "visit:v4"]


def test_a_sender_other_than_e_mail_has_its_own_name(sent: Settings) -> None:
    Touch.objects.filter(customer_id="c1").update(channel="webpush")
    Touch.objects.filter(customer_id="c2").update(channel="sms")
    visit(sent, "v1", "c1", 600)
    visit(sent, "v2", "c2", 600)
    with open_history(sent.history, sent.root) as warehouse:
        close_cycle(sent, warehouse, NOON)
        assert [name for _, _, name, _ in told(warehouse)] == ["Push Notification Tapped", "Link Clicked"]
