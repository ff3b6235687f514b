"""Every address against everybody who might come: nobody, another customer, every scope of a key."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from rekindle import moment
from rekindle.service.api import actions, v1
from rekindle.service.api.access import STRANGERS
from rekindle.service.api.scopes import SCOPES
from rekindle.service.config.web import application
from rekindle.service.public.forms import LINKS, ORIGINS
from rekindle.settings import Handover, Provider, Settings
from tests.service.matrix import ANYONE, CUSTOMER, METHODS, ROWS, SIGNED, TOKENS, Row, make_known
from tests.service.touches import meet

OURS, THEIRS = CUSTOMER, "grace"


@pytest.fixture
def client(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("TEST_MAIL", "postmark:a-made-up-word")
    monkeypatch.setenv("TEST_SMS", "another-made-up-word")
    told = {
        "handover": Handover(url="https://shop.example/enter"),
        "provider": Provider(esp="postmark", webhook={"webhook_secret": "env:TEST_MAIL"}),
        "sms": store.sms.model_copy(update={"shape": "form", "secret": "env:TEST_SMS"}),
    }
    application(store.model_copy(update=told))
    meet([OURS, THEIRS])
    make_known(store)
    for counted in (v1.OFTEN.counted, STRANGERS, LINKS, ORIGINS):
        monkeypatch.setattr(counted, "most", 10_000)
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def keys(client: Client) -> dict[str, str]:
    return {scope: actions.create(scope, [scope], moment.now()) for scope in SCOPES}


def routes(patterns: Sequence[Any], before: str = "") -> Iterator[str]:
    for one in patterns:
        assert isinstance(one, URLPattern | URLResolver)
        here = f"{before}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, here)
        else:
            yield here


def address(row: Row, at: str = "") -> str:
    return "/" + re.sub(r"<[^>]+>", at or row.about, row.route) + row.query


def ask(client: Client, method: str, path: str, key: str = "") -> Any:
    return client.generic(method, path, headers={"Authorization": f"Bearer {key}"} if key else {})


def of(kind: str) -> list[Row]:
    return [row for row in ROWS if row.opens.partition(":")[0] == kind]


def pairs(rows: Sequence[Row]) -> list[tuple[Row, str]]:
    return [(row, method) for row in rows for method in row.methods.split()]


def test_every_address_has_one_row_and_every_row_an_address(client: Client) -> None:
    found = {route for route in routes(get_resolver().url_patterns) if not route.startswith("console/")}  # they have a matrix of their own
    assert sorted(row.route for row in ROWS) == sorted(found)
    assert {row.opens.partition(":")[2] for row in of("link")} == TOKENS.keys()
    assert {row.opens.partition(":")[2] for row in of("key")} == SCOPES.keys()


def test_what_is_not_there_is_said_below_v1_as_json_and_elsewhere_as_a_page(client: Client) -> None:
    for path in ("/v1/", "/v1/x", "/v1/inapp/", "/v1/%00"):
        assert set(ask(client, "GET", path).json()["error"]) == {"kind", "cause", "remedy", "status"}, path
    for path in ("/v1", "/u/", "/%00", "/admin/", "/.env"):
        answer = ask(client, "GET", path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8"), path


def test_what_is_open_is_answered_to_anyone(client: Client, keys: dict[str, str]) -> None:
    for row, method in pairs(of(ANYONE)):
        for key in ("", *keys.values()):
            assert ask(client, method, address(row), key).status_code == row.answer(method), (row, method)


def test_a_method_that_an_address_does_not_have_is_refused_to_who_may(store: Settings, client: Client, keys: dict[str, str]) -> None:
    for row in ROWS:
        kind, _, which = row.opens.partition(":")
        path = address(row, TOKENS[which](store, OURS) if kind == "link" else "")
        for method in set(METHODS) - set(row.methods.split()):
            assert ask(client, method, path, keys.get(which, "")).status_code == 405, (row, method)


def test_a_key_opens_its_scope_and_nothing_opens_it_else(store: Settings, client: Client, keys: dict[str, str]) -> None:
    tokens = [make(store, OURS) for make in TOKENS.values()]
    for row, method in pairs(of("key")):
        scope, path = row.opens.partition(":")[2], address(row)
        assert [ask(client, method, path, wrong).status_code for wrong in ("", "x", *tokens)] == [401] * (len(tokens) + 2), row
        answers = {name: ask(client, method, path, key).status_code for name, key in keys.items()}
        assert answers == {name: row.answer(method) if name == scope else 403 for name in keys}, (row, method)


def test_a_link_opens_its_own_page_and_no_key_helps(store: Settings, client: Client, keys: dict[str, str]) -> None:
    for row, method in pairs(of("link")):
        purpose = row.opens.partition(":")[2]
        mine = ask(client, method, address(row, TOKENS[purpose](store, OURS)))
        assert mine.status_code == row.answer(method), (row, method)
        foreign = [make(store, OURS) for name, make in TOKENS.items() if name != purpose]
        for token in ("x", OURS, *foreign):
            for key in ("", *keys.values()):
                assert ask(client, method, address(row, token), key).status_code == 404, (row, method, token)


def test_a_page_is_about_nobody_but_whose_link_it_is(store: Settings, client: Client) -> None:
    for row in of("link"):
        make = TOKENS[row.opens.partition(":")[2]]
        for mine, other in ((OURS, THEIRS), (THEIRS, OURS)):
            answer = ask(client, "GET", address(row, make(store, mine)) + f"?customer={other}")
            assert other.encode() not in answer.content, row


def test_what_must_be_signed_is_refused_without(client: Client, keys: dict[str, str]) -> None:
    for row, method in pairs(of(SIGNED)):
        for key in ("", *keys.values()):
            assert ask(client, method, address(row), key).status_code in (401, 403), (row, method)
