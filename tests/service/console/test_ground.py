"""Who may come to the console, and what every answer of it says to browsers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from rekindle.errors import BadData
from rekindle.service.console import overview, urls
from rekindle.service.console.roles import Role
from rekindle.service.console.shell import NAVIGATION
from rekindle.settings import Settings
from tests.service.console.operators import forget_second_factor, ready, signed_in

ALLAUTH = "account/"
"""Below it are the pages that sign in; allauth's own say themselves who may come."""


def views() -> Iterator[tuple[str, Any]]:
    for one in urls.urlpatterns:
        if isinstance(one, URLPattern):
            yield str(one.pattern), one.callback
        else:
            assert str(one.pattern) == "records/", "Django's admin; test_records.py looks at it"


def test_every_view_says_who_may_come() -> None:
    open_ones = {route for route, view in views() if not hasattr(view, "guarded")}
    assert {route for route in open_ones if not route.startswith(ALLAUTH)} == set()


def test_every_part_of_the_navigation_has_a_page() -> None:
    names = {one.name for one in urls.urlpatterns if isinstance(one, URLPattern)}
    assert {entry.name for entry in NAVIGATION} <= names
    assert get_resolver().reverse_dict.getlist("overview")


def test_who_is_not_signed_in_is_sent_to_the_door_and_gets_no_cookie(shop: Settings) -> None:
    answer = Client().get("/console/")
    assert (answer.status_code, answer["Location"]) == (302, "/console/account/login?next=%2Fconsole%2F")
    assert not answer.cookies
    piece = Client().get("/console/", headers={"HX-Request": "true"})
    assert (piece.status_code, piece["HX-Redirect"]) == (204, "/console/account/login?next=%2Fconsole%2F")


def test_a_role_that_sees_people_needs_a_second_factor_before_any_page(enter: Callable[..., Client]) -> None:
    assert enter(Role.VIEWER).get("/console/").status_code == 200
    for role in (Role.EDITOR, Role.APPROVER, Role.ADMIN):
        operator = ready(role)
        assert signed_in(operator).get("/console/jobs").status_code == 200
        forget_second_factor(operator)
        assert signed_in(operator).get("/console/jobs")["Location"] == "/console/account/second/set-up"


def test_pages_run_nothing_but_our_own_script_and_customers_pages_run_none(enter: Callable[..., Client]) -> None:
    answer = enter().get("/console/")
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert b"style=" not in answer.content
    assert b"<script>" not in answer.content
    public = Client().get("/u/none")
    assert "script-src" not in public["Content-Security-Policy"]
    assert not public.cookies


def test_a_form_that_comes_from_elsewhere_is_refused(enter: Callable[..., Client]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = enter().cookies
    assert client.post("/console/account/logout").status_code == 403


def test_what_fails_for_a_known_reason_is_said_with_its_remedy(enter: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise BadData("no documents are approved", "Approve them.")

    monkeypatch.setattr(overview, "standing", failing)
    answer = enter(Role.VIEWER).get("/console/")
    assert (answer.status_code, b"No documents are approved" in answer.content, b"Approve them." in answer.content) == (500, True, True)
