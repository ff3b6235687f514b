import email
import email.policy
import json
import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from rekindle import moment
from rekindle.deliver.short_links import Link, shorten
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.sending import send_due
from rekindle.service.flow.visits import grown
from rekindle.service.outbox.models import Touch
from rekindle.service.public.clicks import note
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import Recorder, plan

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


def test_the_visit_of_who_was_erased_is_no_fact_and_leaves_its_file(sent: Settings) -> None:
    visit(sent, "v1", "c1", 600)
    visit(sent, "v2", "c2", 600, agent="Canary/1")
    note(sent.var, '{"visit": "v4", "touch": \n', NOON)
    Touch.objects.filter(customer_id="c2").delete()
    with open_history(sent.history, sent.root) as warehouse:
        assert close_cycle(sent, warehouse, NOON).visits == 1
        (file,) = (sent.var / "clicks").glob("*.jsonl*")
        kept = file.read_text()
        assert ("Canary" in kept, '"v1"' in kept, '"v4"' in kept) == (False, True, True)
        assert close_cycle(sent, warehouse, NOON).visits == 0, "read again, and nothing new"
        assert (file.read_text(), grown(sent.var)) == (kept, {})


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


@pytest.fixture
def links(store: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The links of a shipped mail that went out at noon, without the hidden one; they are followed ten minutes later."""
    plan(["c1"])
    recorder = Recorder()
    send_due(store, NOON, senders={"email": recorder})
    page = email.message_from_bytes(recorder.taken[0].wire, policy=email.policy.default).get_body(("html",)).get_content()
    found = re.findall(r'<a href="https://shop.example/rekindle([^"]+)"(?! aria-hidden)', page)
    monkeypatch.setattr(moment, "now", lambda: NOON + timedelta(seconds=600))
    return list(dict.fromkeys(found))


def followed(store: Settings, links: list[str]) -> list[tuple[str, str | None]]:
    """The names and reasons of what history knows of a browser that follows these links."""
    application(store)
    for link in links:
        assert Client().get(link, headers={"User-Agent": PERSON}).status_code in (200, 302)
    with open_history(store.history, store.root) as warehouse:
        close_cycle(store, warehouse, NOON)
        events = warehouse.arrow(warehouse.current("events").filter(lambda t: t.message_id.startswith("visit:")))
        return [(one["name"], one["value"]) for one in events.to_pylist()]


def test_who_follows_every_link_of_a_mail_at_once_is_a_machine(store: Settings, links: list[str]) -> None:
    assert {link.split("/")[1] for link in links} >= {"c", "view", "why", "preferences", "u"}
    assert followed(store, links) == [("Link Scanned", "all links")]


def test_who_follows_the_one_link_or_looks_at_the_mail_first_is_a_person(store: Settings, links: list[str]) -> None:
    few = [link for link in links if link.split("/")[1] in ("c", "view")]
    assert len(few) == 2
    assert followed(store, [*few, *few]) == [("Email Link Clicked", None)] * 2


def test_every_page_about_a_message_is_another_destination(sent: Settings) -> None:
    application(sent)
    touch = Touch.objects.get(customer_id="c1").pk
    token = shorten(load_ring(sent.var, "messages"), Link(touch, 0))
    for page in ("view", "why", "answer", "rate", "review", "for"):
        Client().get(f"/{page}/{token}")
        Client().head(f"/{page}/{token}")
        Client().get(f"/{page}/x{token}")
    found = [json.loads(line) for file in (sent.var / "clicks").glob("*.jsonl") for line in file.read_text().splitlines()]
    assert [(one["touch"], one["destination"]) for one in found] == [(touch, -number) for number in range(1, 7)]
    assert token not in json.dumps(found)
