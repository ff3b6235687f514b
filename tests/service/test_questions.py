"""Answers: given by one press, kept once, told to history in the words that insight and the planner know."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client

from rekindle.deliver.short_links import Link, shorten
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.friction import REASONS
from rekindle.respond.questions import VALUES
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.service.trust.models import Answer
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import FACTS, plan

PAGES = {"answer": "price", "rate": "3", "review": "2"}


@pytest.fixture
def visitor(store: Settings) -> Client:
    application(store)
    plan(["c1"], facts=json.dumps({**FACTS, "order_number": "M7", "products": ["Lantern", "Vase"]}))
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    with open_history(store.history, store.root) as opened:
        yield opened


def link(store: Settings, page: str) -> str:
    return f"/{page}/{shorten(load_ring(store.var, 'messages'), Link(Touch.objects.get().pk, 0))}"


def told(warehouse: Warehouse, name: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = warehouse.arrow(warehouse.current(name)).drop_columns(["source", "batch", "digest"]).to_pylist()
    return rows


@pytest.mark.parametrize("page", PAGES)
def test_looking_answers_nothing_even_where_the_address_holds_an_answer(store: Settings, visitor: Client, page: str) -> None:
    for method in ("get", "head", "options"):
        getattr(visitor, method)(f"{link(store, page)}?score={PAGES[page]}")
    assert not Answer.objects.exists()
    shown = visitor.get(f"{link(store, page)}?score={PAGES[page]}").content.decode()
    assert shown.count(" checked") == 1
    assert " checked" not in visitor.get(link(store, page)).content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_press_is_kept_and_a_better_answer_takes_its_place(store: Settings, visitor: Client, page: str) -> None:
    for text in ("first", "second"):
        answer = visitor.post(link(store, page), {"score": PAGES[page], "text": text})
        assert (answer.status_code, len(answer.cookies)) == (200, 0)
    kept = Answer.objects.get()
    assert (kept.value, kept.text, kept.customer_id, kept.order_id) == (PAGES[page], "second", "c1", "M7")


def test_history_learns_values_and_never_words(store: Settings, visitor: Client, warehouse: Warehouse) -> None:
    for page, value in PAGES.items():
        visitor.post(link(store, page), {"score": value, "text": "my own words"})
    assert close_cycle(store, warehouse, NOON).answers == 3
    events = {(one["name"], one["value"]) for one in told(warehouse, "events")}
    assert events == {("Why Prompt Answered: price", None), ("Survey Answered", "3")}
    (review,) = told(warehouse, "reviews")
    assert (review["customer_id"], review["order_id"], review["rating"]) == ("c1", "M7", 2)
    assert "my own words" not in str(told(warehouse, "events") + told(warehouse, "reviews"))
    assert close_cycle(store, warehouse, NOON).answers == 0


def test_an_answer_that_is_changed_is_told_anew(store: Settings, visitor: Client, warehouse: Warehouse) -> None:
    for value in ("2", "9"):
        visitor.post(link(store, "rate"), {"score": value})
        assert close_cycle(store, warehouse, NOON).answers == 1
    assert [one["value"] for one in told(warehouse, "events")] == ["9"]


HOSTILE = ["", "11", "-1", "price'", "<script>", "٣", "1" * 500]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("value", HOSTILE)
def test_what_a_question_does_not_offer_is_no_answer(store: Settings, visitor: Client, page: str, value: str) -> None:
    answer = visitor.post(link(store, page), {"score": value})
    assert answer.status_code == 400
    assert b"Please choose one" in answer.content
    assert not Answer.objects.exists()


def test_words_are_kept_without_signs_that_no_text_has_and_no_longer_than_may_be(store: Settings, visitor: Client) -> None:
    visitor.post(link(store, "review"), {"score": "5", "text": "\x00good\u202e" + "x" * 5_000})
    assert Answer.objects.get().text == "good" + "x" * 1_996


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_link_answers_nothing(store: Settings, visitor: Client, page: str) -> None:
    good = link(store, page)
    for at in range(len(f"/{page}/"), len(good)):
        assert visitor.post(f"{good[:at]}{chr(ord(good[at]) ^ 1)}{good[at + 1 :]}", {"score": PAGES[page]}).status_code == 404
    assert not Answer.objects.exists()


def test_every_reason_that_is_evidence_can_be_chosen() -> None:
    assert set(REASONS) <= set(VALUES["why"])


@pytest.mark.parametrize("page", PAGES)
def test_a_question_is_asked_in_the_customers_language(store: Settings, visitor: Client, page: str) -> None:
    Person.objects.update(locale="de_CH")
    assert "Absenden" in visitor.get(link(store, page)).content.decode()
