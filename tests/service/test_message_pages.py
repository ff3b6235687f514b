"""The pages about one message: what was sent is shown again, and why it came is said from its own decision."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from rekindle.deliver.short_links import Link, shorten
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import Touch
from rekindle.service.people.actions import opt_out
from rekindle.service.people.models import Person
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import FACTS, Recorder, plan


@pytest.fixture
def visitor(store: Settings) -> Client:
    application(store)
    return Client(enforce_csrf_checks=True)


def link(store: Settings, page: str, customer: str = "c1") -> str:
    return f"/{page}/{shorten(load_ring(store.var, 'messages'), Link(Touch.objects.get(customer_id=customer).pk, 0))}"


def sent(store: Settings, **columns: object) -> str:
    plan(["c1"], **columns)
    recorder = Recorder()
    send_due(store, NOON, senders={"email": recorder})
    (message,) = recorder.taken
    return message.wire.decode()


def test_a_mail_leads_to_itself_and_to_why_it_came(store: Settings, visitor: Client) -> None:
    wire = sent(store).replace("=\r\n", "")
    for page in ("view", "why"):
        assert f"https://shop.example/rekindle{link(store, page)}" in wire


def test_what_is_shown_again_is_what_was_sent_without_traps(store: Settings, visitor: Client) -> None:
    sent(store)
    answer = visitor.get(link(store, "view"))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Ada" in text
    assert "Lantern" in text
    assert "display:none;visibility:hidden" not in text
    assert "View in browser" not in text
    assert "script-src" not in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_a_message_that_cannot_be_written_any_more_says_so(store: Settings, visitor: Client) -> None:
    sent(store)
    Touch.objects.update(stage="gone")
    assert visitor.get(link(store, "view")).status_code == 410


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "Your last order was in March 2026."),
        ({"moment": "birthday"}, "You told us your birthday."),
        ({"moment": "delivery", "delivered_day": "2026-11-20"}, "Your order arrived on November 20, 2026."),
        ({"cohort": "one_bad_experience", "cause": "late_delivery"}, "A parcel of yours came late."),
        ({"offer_kind": "credit"}, "The offer in it is a personal one."),
    ],
)
def test_why_is_said_from_the_decision(store: Settings, visitor: Client, facts: dict[str, str], said: str) -> None:
    plan(["c1"], facts=json.dumps({**FACTS, **facts}))
    text = visitor.get(link(store, "why")).content.decode()
    assert said in text
    assert "You agreed to messages from us by e-mail, on November 14, 2026." in text


def test_the_yes_that_counts_is_that_of_before_the_message(store: Settings, visitor: Client) -> None:
    sent(store)
    opt_out("c1", "email", NOON + timedelta(hours=1), "link")
    assert "You agreed" in visitor.get(link(store, "why")).content.decode()


def test_news_of_an_order_needs_no_yes_and_cannot_be_stopped(store: Settings, visitor: Client) -> None:
    plan(["c1"], service=True, facts=json.dumps({"service": True, "order_number": "M7"}))
    text = visitor.get(link(store, "why")).content.decode()
    assert "your own order M7" in text
    assert "agreed" not in text
    assert "/u/" not in text


def test_why_is_said_in_the_customers_language(store: Settings, visitor: Client) -> None:
    plan(["c1"])
    Person.objects.update(locale="de")
    assert "Ihre letzte Bestellung war im März 2026." in visitor.get(link(store, "why")).content.decode()


@pytest.mark.parametrize("page", ["view", "why"])
def test_damaged_links_get_one_answer(store: Settings, visitor: Client, page: str) -> None:
    plan(["c1"])
    good, nothing = link(store, page), visitor.get("/u/none").content
    for at in range(len(f"/{page}/"), len(good)):
        assert visitor.get(f"{good[:at]}{chr(ord(good[at]) ^ 1)}{good[at + 1 :]}").content == nothing
    assert visitor.get(f"/{page}/{shorten(load_ring(store.var, 'clicks'), Link(Touch.objects.get().pk, 0))}").content == nothing


def test_a_message_that_is_forgotten_is_nobodys(store: Settings, visitor: Client) -> None:
    plan(["c1"])
    address = link(store, "why")
    Touch.objects.all().delete()
    assert visitor.get(address).status_code == 404
