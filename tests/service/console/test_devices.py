"""Guesses at one operator's password from many networks wait longer and longer, and never where that operator has signed in before."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client

from rekindle import moment
from rekindle.service.console import actions, backoff, devices
from rekindle.service.console.models import Operator
from rekindle.service.console.roles import Role
from rekindle.settings import Settings
from tests.service.console.operators import PASSWORD, forget_second_factor, ready
from tests.service.console.test_accounts import OTHER, code, log_in, set_up, welcome

WRONG = "six anchors"
SECOND = "/console/account/second/enter"


class Strangers:
    """Who guesses, each from a network of their own.

    Args:
        monkeypatch: Sets the clock.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self._networks = moment.now(), count(1)
        monkeypatch.setattr(moment, "now", lambda: self.now)

    def guess(self, email: str, password: str = WRONG, client: Client | None = None) -> Any:
        """The answer to one guess."""
        return log_in(client or Client(), email, password, f"203.0.{next(self._networks)}.7")

    def wear_out(self, email: str) -> None:
        """Guesses until another one has to wait for long, at once each time that it may."""
        for wrong in range(backoff.FREE + 6):
            self.now += timedelta(seconds=backoff.wait(wrong))
            assert b"not correct" in self.guess(email).content, wrong


@pytest.fixture
def strangers(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    return Strangers(monkeypatch)


def known(email: str, role: Role) -> Client:
    """The browser in which an operator has signed in before, and out again."""
    client = Client()
    log_in(client, email)
    if role > Role.VIEWER:
        client.post(SECOND, {"code": code()})
    client.post("/console/account/logout")
    return client


def is_known(client: Client) -> bool:
    """Whether a browser holds the cookie of somebody's."""
    return any(name.startswith(devices.NAME) for name in client.cookies)


def test_the_wait_doubles_from_a_second_to_a_quarter_of_an_hour() -> None:
    assert [backoff.wait(wrong) for wrong in (0, 9, 10, 11, 15, 19, 20, 500)] == [0, 0, 1, 2, 32, 512, 900, 900]


def test_guesses_of_many_networks_at_one_operator_wait(strangers: Strangers) -> None:
    one, other = ready(Role.VIEWER), ready(Role.EDITOR)
    strangers.wear_out(one.email)
    late = strangers.guess(one.email, PASSWORD)
    assert b"Wait 64 s" in late.content, "even with the right password, and from a network that never guessed"
    assert b"Wait 64 s" in strangers.guess(one.email.upper(), PASSWORD).content, "however the address is written"
    assert strangers.guess(other.email, PASSWORD)["Location"] == SECOND, "nobody else waits"
    strangers.now += timedelta(seconds=64)
    assert strangers.guess(one.email, PASSWORD)["Location"] == "/console/", "a guess that came too soon made nobody wait longer"


def test_who_is_no_operator_waits_alike(strangers: Strangers) -> None:
    strangers.wear_out("nobody@marigold.example")
    assert b"Wait 64 s" in strangers.guess("nobody@marigold.example").content


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
def test_an_operator_comes_in_where_they_have_signed_in_before(strangers: Strangers, role: Role) -> None:
    one = ready(role)
    client = known(one.email, role)
    strangers.wear_out(one.email)
    assert strangers.guess(one.email, PASSWORD, client)["Location"] == ("/console/" if role == Role.VIEWER else SECOND)


def test_a_right_password_alone_makes_no_browser_known(strangers: Strangers) -> None:
    one, first, second = ready(Role.ADMIN), Client(), Client()
    log_in(first, one.email)
    assert not is_known(first), "the code was never given"
    forget_second_factor(one)
    log_in(second, one.email)
    assert not is_known(second), "nor set up"
    set_up(second)
    assert is_known(second)


def test_a_known_browser_is_slowed_by_its_own_guesses_alone(strangers: Strangers) -> None:
    one = ready(Role.VIEWER)
    stolen, client = known(one.email, Role.VIEWER), known(one.email, Role.VIEWER)
    for wrong in range(backoff.FREE + 6):
        strangers.now += timedelta(seconds=backoff.wait(wrong))
        assert b"not correct" in strangers.guess(one.email, client=stolen).content
    assert b"Wait 64 s" in strangers.guess(one.email, PASSWORD, stolen).content
    assert strangers.guess(one.email, PASSWORD, client)["Location"] == "/console/"


def test_a_known_browser_is_known_for_one_operator_and_limited_by_its_network(strangers: Strangers) -> None:
    mine, other = ready(Role.VIEWER), ready(Role.EDITOR)
    client = known(mine.email, Role.VIEWER)
    strangers.wear_out(other.email)
    assert b"Wait 64 s" in strangers.guess(other.email, PASSWORD, client).content
    for _ in range(5):
        log_in(client, mine.email, WRONG, "198.51.100.9")
    assert b"Too many failed" in log_in(client, mine.email, PASSWORD, "198.51.100.9").content


def test_a_cookie_that_we_did_not_sign_or_long_ago_is_none(strangers: Strangers, monkeypatch: pytest.MonkeyPatch) -> None:
    one = ready(Role.VIEWER)
    client = known(one.email, Role.VIEWER)
    name = next(name for name in client.cookies if name.startswith(devices.NAME))
    forged = Client()
    forged.cookies[name] = f"{client.cookies[name].value}x"
    strangers.wear_out(one.email)
    assert b"Wait 64 s" in strangers.guess(one.email, PASSWORD, forged).content
    monkeypatch.setattr(devices, "KNOWN_FOR", -1)
    assert b"Wait 64 s" in strangers.guess(one.email, PASSWORD, client).content


def test_a_link_for_a_password_lets_an_operator_in_anywhere(strangers: Strangers) -> None:
    one, client = ready(Role.VIEWER), Client()
    strangers.wear_out(one.email)
    client.post(welcome(actions.new_link(one.email, "ada", strangers.now)), {"password": OTHER})
    assert strangers.guess(one.email, OTHER, client)["Location"] == "/console/"


def test_a_day_later_nothing_of_it_counts(strangers: Strangers) -> None:
    one = ready(Role.VIEWER)
    strangers.wear_out(one.email)
    strangers.now += timedelta(seconds=backoff.FORGOTTEN)
    for _ in range(backoff.FREE):
        assert b"not correct" in strangers.guess(one.email).content


@pytest.mark.parametrize(("host", "near", "secure"), [("127.0.0.1:8377", "127.0.0.1", False), ("pages.example", "127.0.0.1", True)])
def test_the_cookie_is_the_consoles_own(shop: Settings, host: str, near: str, secure: bool) -> None:
    client = Client(headers={"Host": host})
    log_in(client, ready(Role.VIEWER).email, address=near)
    (cookie,) = (one for name, one in client.cookies.items() if name.startswith(devices.NAME))
    assert (bool(cookie["secure"]), cookie["httponly"], cookie["samesite"], cookie["path"]) == (secure, True, "Lax", "/console/")
    assert Operator.objects.get().email not in cookie.value
