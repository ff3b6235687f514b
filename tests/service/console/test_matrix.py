"""Every page of the console against every operator: each role, with and without the right to personal data, and who is not signed in."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from rekindle.service.console.roles import Role
from rekindle.settings import Settings
from tests.service.console.matrix import ROWS, Row
from tests.service.console.test_ground import views
from tests.service.console.test_overview import publish

GUARDED = [row for row in ROWS if row.look is not None]


def address(row: Row) -> str:
    return "/console/" + re.sub(r"<(?:(int):)?[^>]*>", lambda found: "1" if found[1] else "x", row.route)


@pytest.fixture
def everybody(shop: Settings, enter: Callable[..., Client]) -> dict[tuple[Role, bool], Client]:
    publish(shop)
    return {(role, privacy): enter(role, privacy) for role in Role for privacy in (False, True)}


def expected(row: Row, least: Role | None, operator: tuple[Role, bool], good: int) -> int:
    if least is None:
        return 405
    role, privacy = operator
    return good if role >= least and (privacy or not row.privacy) else 403


def test_every_address_has_one_row_and_says_the_same() -> None:
    said = {route: getattr(view, "guarded", (None, None, False)) for route, view in views()}
    assert {row.route: (row.look, row.post, row.privacy) for row in ROWS} == said


def test_a_page_is_shown_to_whose_role_may_look_and_to_nobody_else(everybody: dict[tuple[Role, bool], Client]) -> None:
    for row in GUARDED:
        assert Client().get(address(row)).status_code == 302, row
        for operator, client in everybody.items():
            assert client.get(address(row)).status_code == expected(row, row.look, operator, row.status), (row, operator)


def test_a_page_takes_a_form_from_whose_role_may_post_and_from_nobody_else(everybody: dict[tuple[Role, bool], Client]) -> None:
    for row in GUARDED:
        assert Client().post(address(row)).status_code == (302 if row.post else 405), row
        for operator, client in everybody.items():
            assert client.post(address(row)).status_code == expected(row, row.post, operator, row.posted), (row, operator)


def test_other_methods_are_refused(everybody: dict[tuple[Role, bool], Client]) -> None:
    for row in GUARDED:
        for method in ("PUT", "PATCH", "DELETE"):
            assert everybody[Role.ADMIN, True].generic(method, address(row)).status_code == 405, row
