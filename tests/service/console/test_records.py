"""Raw records: every page of them is for admins with the right to personal data alone, and nothing can be changed there."""

import re
from collections.abc import Callable, Iterator, Sequence

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver

from rekindle.service.console.records import records
from rekindle.service.console.roles import Role
from rekindle.service.people.models import Person
from tests.service.console.operators import PASSWORD, ready
from tests.service.touches import meet

AT = "/console/records/"


def patterns(found: Sequence[object], before: str = "") -> Iterator[str]:
    for part in found:
        assert isinstance(part, URLPattern | URLResolver)
        here = f"{before}{part.pattern}"
        if isinstance(part, URLResolver):
            yield from patterns(part.url_patterns, here)
        else:
            yield re.sub(r"<[^>]+>|\(.*", "1", here)


def test_every_page_is_guarded(enter: Callable[..., Client]) -> None:
    client, found = enter(Role.ADMIN), set(patterns(records.get_urls()))
    assert len(found) > 100
    for at in found:
        answer = client.get(AT + at)
        assert answer.status_code in (403, 404) or answer["Location"] == "/console/account/login", at


def test_only_admins_with_the_right_to_personal_data_look(enter: Callable[..., Client]) -> None:
    meet(["ada"])
    assert Client().get(AT)["Location"].startswith("/console/account/login")
    assert Client().get(f"{AT}login/")["Location"] == "/console/account/login"
    for role in Role:
        for privacy in (False, True):
            answer = enter(role, privacy).get(f"{AT}people/person/")
            assert answer.status_code == (200 if (role, privacy) == (Role.ADMIN, True) else 403)
    assert b"ada@people.example" in enter(Role.ADMIN, True).get(f"{AT}people/person/ada/change/").content


def test_nothing_can_be_changed(enter: Callable[..., Client]) -> None:
    meet(["ada"])
    client = enter(Role.ADMIN, True)
    for at in ("people/person/ada/change/", "people/person/ada/delete/", "people/person/add/", "people/person/"):
        assert client.post(f"{AT}{at}", {"post": "yes", "email": "eve@x.example"}).status_code in (403, 405), at
    assert Person.objects.get().email == "ada@people.example"


def test_tables_are_called_as_people_say(enter: Callable[..., Client]) -> None:
    page = enter(Role.ADMIN, True).get(AT).content.decode()
    named = {*re.findall(r'model-\w+.*?<a href="[^"]+">([^<]+)</a>', page, re.DOTALL)}
    assert {"Touches", "People", "Log entries", "Consents"} <= named
    assert [name for name in named if re.search(r"(ch|ived|aced|bered|ry|Person)s$", name)] == []


def test_a_large_table_is_listed_from_its_end_and_never_counted(enter: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    meet([f"c{number:03}" for number in range(7)])
    client, at = enter(Role.ADMIN, True), f"{AT}people/person/"
    assert "7 records" in client.get(at).content.decode()
    monkeypatch.setattr("rekindle.service.console.records.MOST", 5)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(at).content.decode()
    assert "The last 5 by key" in page
    assert "c006" in page
    counted = [one["sql"] for one in asked if "COUNT(" in one["sql"] and "people_person" in one["sql"]]
    assert counted
    assert all("LIMIT 5" in one for one in counted)


def test_a_list_is_not_sorted_by_what_has_no_index(enter: Callable[..., Client]) -> None:
    meet(["ada", "bob"])
    page = enter(Role.ADMIN, True).get(f"{AT}people/person/", {"o": "2"}).content.decode()
    assert page.index(">bob<") < page.index(">ada<")


def test_no_password_is_shown(enter: Callable[..., Client]) -> None:
    one = ready(Role.VIEWER)
    page = enter(Role.ADMIN, True).get(f"{AT}console/operator/{one.pk}/change/").content.decode()
    assert one.email in page
    assert one.password not in page
    assert PASSWORD not in page


def test_every_table_can_be_looked_at(enter: Callable[..., Client]) -> None:
    client = enter(Role.ADMIN, True)
    page = client.get(AT).content.decode()
    for model in records._registry:
        at = f"{AT}{model._meta.app_label}/{model._meta.model_name}/"
        assert at in page
        assert client.get(at).status_code == 200, at
