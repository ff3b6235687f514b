"""What strangers put into names, headers and queries, at every address: nothing breaks, leads elsewhere, or runs."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from django.test import Client

from rekindle import moment
from rekindle.service.api import actions
from rekindle.service.api.scopes import SCOPES
from rekindle.service.people.models import Person
from rekindle.settings import Settings
from tests.service.matrix import ROWS, TOKENS, Row
from tests.service.test_matrix import OURS, address, client

__all__ = ["client"]

NAMES = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7191 * 7 }}", "{% debug %}", "'; DROP TABLE people_person; --",
    "Ada\r\nSet-Cookie: a=b", "\u202eadA", "=HYPERLINK(1)", "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 20,
]  # fmt: skip
HEADERS = [
    {"Host": "evil.example"}, {"Host": "evil.example:99999"}, {"Host": "<evil.example>"}, {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-For": '"><script>alert(1)</script>, 999.1.1.1'}, {"X-Forwarded-For": ":::::,,,"}, {"X-Forwarded-Proto": "evil"},
    {"User-Agent": "\x00\x1b[31m" + "A" * 20_000}, {"Accept-Language": "../../etc/passwd,*;q=9"}, {"Cookie": "sessionid=1; csrftoken=\x7f"},
    {"Authorization": "Bearer"}, {"Authorization": "Bearer " + "A" * 9_000}, {"Authorization": "Basic !!!!"},
    {"Referer": "javascript:alert(1)"},
    {"Idempotency-Key": "\x00" * 9}, {"Content-Type": "multipart/form-data"}, {"Content-Type": "application/json; charset=evil"},
    {"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"}, {"Expect": "evil"}, {"Range": "bytes=0-1,1-0"},
]  # fmt: skip
QUERIES = ["url=https://evil.example", "next=//evil.example", "a[]=1&a=%00&%ff=%fe", "&" * 1_500]


Asked = Callable[..., Any]


@pytest.fixture
def ask(store: Settings, client: Client) -> Asked:
    """Asks an address as who may."""
    key = {"Authorization": f"Bearer {actions.create('tests', list(SCOPES), moment.now())}"}
    tokens = {purpose: make(store, OURS) for purpose, make in TOKENS.items()}

    def asked(row: Row, method: str, headers: Mapping[str, str] = MappingProxyType({}), query: str = "") -> Any:
        kind, _, which = row.opens.partition(":")
        path = address(row, tokens.get(which, ""))
        said = {**(key if kind == "key" else {}), **headers}
        return client.generic(method, f"{path}{'&' if '?' in path else '?'}{query}", b"a=b", headers=said)

    return asked


def leads(answer: Any) -> str:
    """Where an answer leads; a code behind the address may be new each time."""
    place = str(answer.get("Location", ""))
    assert "evil" not in place
    return place.partition("?")[0]


def every() -> Iterator[tuple[Row, str]]:
    return ((row, method) for row in ROWS for method in row.methods.split())


def test_no_header_breaks_an_address_leads_elsewhere_or_comes_back(ask: Asked) -> None:
    for row, method in every():
        usual = leads(ask(row, method))
        for headers in HEADERS:
            answer = ask(row, method, headers)
            assert answer.status_code < 500, (row, method, headers)
            assert leads(answer) == usual, (row, method, headers)
            assert b"evil" not in answer.content, (row, method, headers)
            assert not answer.cookies, (row, method)


def test_no_query_leads_elsewhere(ask: Asked) -> None:
    for row, method in every():
        usual = leads(ask(row, method))
        for query in QUERIES:
            answer = ask(row, method, query=query)
            assert (answer.status_code < 500, leads(answer)) == (True, usual), (row, method, query)
            assert b"evil.example" not in answer.content, (row, method, query)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_runs_on_a_page(ask: Asked, name: str) -> None:
    Person.objects.update(first_name=name[:200], last_name=name[:200], locale=name[:35], timezone=name[:64])
    for row, method in every():
        answer = ask(row, method)
        assert answer.status_code < 500, (row, method)
        text = answer.content.decode()
        assert "<script" not in text, row
        assert "onerror=alert(1)>" not in text, row
        assert "50337" not in text, row
        assert not answer.cookies, row
