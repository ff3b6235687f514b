"""How operators come in: the first one, those they invite, with a second factor that no reset skips, and never by guessing."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from rekindle import moment
from rekindle.errors import BadData, Refused
from rekindle.service.console import actions
from rekindle.service.console.models import Deed, Invitation, Operator
from rekindle.service.console.roles import Role
from rekindle.settings import Settings
from tests.service.console.operators import PASSWORD, SECRET, forget_second_factor, ready, signed_in

LOGIN = "/console/account/login"
OTHER = "eleven boats on the far river"


def code(secret: str = SECRET) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))


def log_in(client: Client, email: str, password: str = PASSWORD, address: str = "203.0.113.7") -> Any:
    return client.post(LOGIN, {"login": email, "password": password}, REMOTE_ADDR=address)


def welcome(token: str) -> str:
    return f"/console/account/welcome/{token}"


def test_the_first_operator_is_an_admin_who_sets_up_a_second_factor_before_seeing_anything(shop: Settings) -> None:
    token = actions.first_link(moment.now())
    assert token
    client = Client()
    assert client.get(welcome(token)).status_code == 200
    answer = client.post(welcome(token), {"email": "Ada@Marigold.example", "password": PASSWORD})
    assert answer["Location"] == LOGIN
    one = Operator.objects.get()
    assert (one.email, one.role, one.privacy) == ("ada@marigold.example", Role.ADMIN, True)
    assert log_in(client, "ada@marigold.example")["Location"] == "/console/"
    assert client.get("/console/")["Location"] == "/console/account/second/set-up"
    found = client.get("/console/account/second/set-up")
    assert found.status_code == 200
    page = found.content.decode()
    secret = re.search(r"<code>([A-Z2-7]{16,})</code>", page)
    assert secret, page
    assert client.post("/console/account/second/set-up", {"code": code(secret[1])})["Location"] == "/console/account/second/codes"
    assert len(re.findall(r"<li>\d{8}</li>", client.get("/console/account/second/codes").content.decode())) == 10
    assert client.get("/console/").status_code in (200, 302)
    assert client.get("/console/operators").status_code == 200


def test_there_is_no_link_and_no_password_by_default(shop: Settings) -> None:
    first, second = actions.first_link(moment.now()), actions.first_link(moment.now())
    assert first
    assert second
    assert Client().get(welcome(first)).status_code == 404, "an earlier start's link ends"
    assert log_in(Client(), "admin@marigold.example", "admin").status_code == 200
    assert not Operator.objects.exists()
    ready(Role.ADMIN)
    assert actions.first_link(moment.now()) is None
    assert Client().post(welcome(second), {"email": "b@marigold.example", "password": OTHER}).status_code == 404
    assert not Operator.objects.filter(email="b@marigold.example").exists()


def test_a_link_is_good_once_and_for_a_day_and_looking_spends_nothing(shop: Settings) -> None:
    token = actions.invite("grace@marigold.example", Role.VIEWER, False, "ada", moment.now())
    for _ in range(3):
        assert Client().get(welcome(token)).status_code == 200
    assert Client().post(welcome(token), {"password": "short"}).status_code == 400
    assert Client().post(welcome(token), {"password": PASSWORD, "email": "mallory@elsewhere.example"}).status_code == 302
    assert [one.email for one in Operator.objects.all()] == ["grace@marigold.example"]
    assert Client().post(welcome(token), {"password": OTHER}).status_code == 404
    late = actions.new_link("grace@marigold.example", "ada", moment.now() - timedelta(hours=25))
    assert Client().get(welcome(late)).status_code == 404
    assert log_in(Client(), "grace@marigold.example")["Location"] == "/console/"


def test_a_password_signs_nobody_in_who_has_a_second_factor(shop: Settings) -> None:
    one, client = ready(Role.APPROVER), Client()
    assert log_in(client, one.email)["Location"] == "/console/account/second/enter"
    assert client.get("/console/")["Location"].startswith(LOGIN)
    assert client.post("/console/account/second/enter", {"code": "000000"}).status_code == 200
    assert client.get("/console/")["Location"].startswith(LOGIN)
    assert client.post("/console/account/second/enter", {"code": code()})["Location"] == "/console/"
    assert client.get("/console/").status_code in (200, 302)


def test_a_new_password_ends_the_sessions_and_leaves_the_second_factor(enter: Callable[..., Client]) -> None:
    client, one = enter(Role.APPROVER), ready(Role.APPROVER)
    token = actions.new_link(one.email, "ada", moment.now())
    assert Client().post(welcome(token), {"password": OTHER}).status_code == 302
    assert client.get("/console/jobs")["Location"].startswith(LOGIN)
    assert Authenticator.objects.filter(user=one).exists()
    again = Client()
    assert log_in(again, one.email, OTHER)["Location"] == "/console/account/second/enter"
    assert again.get("/console/jobs")["Location"].startswith(LOGIN)


def set_up(client: Client) -> Any:
    page = client.get("/console/account/second/set-up").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{16,})</code>", page)
    assert secret, page
    return client.post("/console/account/second/set-up", {"code": code(secret[1])})


def test_a_session_of_a_password_alone_does_not_outlast_the_setting_up_of_a_second_factor(shop: Settings) -> None:
    one = ready(Role.APPROVER)
    forget_second_factor(one)
    stranger, owner = Client(), Client()
    for client in (stranger, owner):
        assert log_in(client, one.email)["Location"] == "/console/"
    assert set_up(owner).status_code == 302
    assert owner.get("/console/jobs").status_code == 200, "who sets it up has given it"
    assert stranger.get("/console/jobs")["Location"].startswith(LOGIN), "every other session ends"


def test_every_session_gives_the_second_factor_itself(shop: Settings) -> None:
    one, client = ready(Role.APPROVER), Client()
    client.force_login(one)
    asked = client.get("/console/jobs")["Location"]
    assert asked == "/console/account/second/again?next=%2Fconsole%2Fjobs"
    assert client.post(asked, {"code": code()})["Location"] == "/console/jobs"
    assert client.get("/console/jobs").status_code == 200


def test_with_a_greater_role_or_right_other_sessions_end(enter: Callable[..., Client]) -> None:
    admin, grown, other = enter(Role.ADMIN), enter(Role.EDITOR), enter(Role.VIEWER)
    at = f"/console/operators/{ready(Role.EDITOR).pk}"
    admin.post(at, {"role": Role.EDITOR.value})
    assert grown.get("/console/jobs").status_code == 200, "nothing was added"
    admin.post(at, {"role": Role.EDITOR.value, "privacy": "on"})
    assert grown.get("/console/jobs")["Location"].startswith(LOGIN)
    grown = signed_in(ready(Role.EDITOR))
    admin.post(at, {"role": Role.APPROVER.value, "privacy": "on"})
    assert grown.get("/console/jobs")["Location"].startswith(LOGIN)
    assert other.get("/console/").status_code == 200, "somebody else's stays"
    admin.post(f"/console/operators/{ready(Role.ADMIN).pk}", {"role": Role.ADMIN.value, "privacy": "on"})
    assert admin.get("/console/operators").status_code == 200, "the session in which it is done stays"


def test_guesses_are_limited_for_who_guesses_and_shut_nobody_else_out(shop: Settings) -> None:
    one = ready(Role.VIEWER)
    for _ in range(5):
        assert b"not correct" in log_in(Client(), one.email, "wrong").content
    assert b"Too many failed" in log_in(Client(), one.email).content, "even the right one, from where the guesses came"
    assert log_in(Client(), one.email, address="198.51.100.9")["Location"] == "/console/"


@pytest.mark.parametrize(
    ("same", "other"),
    [([f"2001:db8:7:{number:x}::{number:x}" for number in range(1, 7)], "2001:db8:8::1"),
     ([f"203.0.113.{number}" for number in range(1, 7)], "203.0.114.1")],
)  # fmt: skip
def test_guesses_are_counted_by_network(shop: Settings, same: list[str], other: str) -> None:
    one = ready(Role.VIEWER)
    for address in same[:5]:
        assert b"not correct" in log_in(Client(), one.email, "wrong", address).content
    assert b"Too many failed" in log_in(Client(), one.email, address=same[5]).content
    assert log_in(Client(), one.email, address=other)["Location"] == "/console/"


def test_who_guesses_at_many_is_limited_by_address(shop: Settings) -> None:
    for number in range(40):
        log_in(Client(), f"nobody{number}@marigold.example", "wrong")
    assert b"Too many failed" in log_in(Client(), "another@marigold.example", "wrong").content


def test_an_address_is_believed_of_a_server_on_our_own_net_alone(shop: Settings) -> None:
    from rekindle.service.console.accounts import Accounts

    def seen(near: str, said: str) -> str:
        request = Client().get(LOGIN, REMOTE_ADDR=near, headers={"X-Forwarded-For": said}).wsgi_request
        return Accounts(request).get_client_ip(request)

    assert seen("127.0.0.1", "1.2.3.4, 203.0.113.7") == "203.0.113.7"
    assert seen("8.8.8.8", "1.2.3.4") == "8.8.8.8"
    assert seen("127.0.0.1", "<script>") == "127.0.0.1"


def test_the_secret_of_a_second_factor_is_not_in_the_ledger_as_it_is(shop: Settings) -> None:
    ready(Role.ADMIN)
    assert SECRET not in str(list(Authenticator.objects.values_list("data", flat=True)))


@pytest.mark.parametrize(
    ("host", "near", "between", "secure"),
    [
        ("127.0.0.1:8377", "127.0.0.1", "", False), ("localhost", "127.0.0.1", "", False), ("[::1]:8377", "::1", "", False),
        ("pages.example", "127.0.0.1", "", True), ("127.0.0.1:8377", "192.0.2.7", "", True), ("localhost", "", "", True),
        ("127.0.0.1:8377", "127.0.0.1", "X-Forwarded-For", True), ("127.0.0.1:8377", "127.0.0.1", "X-Forwarded-Host", True),
        ("127.0.0.1:8377", "127.0.0.1", "Forwarded", True),
    ],
)  # fmt: skip
def test_cookies_leave_by_https_alone_unless_the_browser_is_on_this_machine(
    shop: Settings, host: str, near: str, between: str, secure: bool
) -> None:
    client = Client(headers={"Host": host} | ({between: "192.0.2.7"} if between else {}))
    answer = client.post(LOGIN, {"login": ready(Role.VIEWER).email, "password": PASSWORD}, REMOTE_ADDR=near)
    cookie = answer.cookies["rekindle_console"]
    assert (bool(cookie["secure"]), cookie["httponly"], cookie["samesite"], cookie["path"]) == (secure, True, "Lax", "/console/")


def test_admins_invite_change_and_remove_and_all_of_it_is_kept(enter: Callable[..., Client]) -> None:
    client = enter(Role.ADMIN)
    page = client.post("/console/operators", {"email": "grace@marigold.example", "role": Role.EDITOR.value}).content.decode()
    link = re.search(r"https://marigold.example(/console/account/welcome/[\w-]+)", page)
    assert link
    assert Client().get(link[1]).status_code == 200
    assert client.post("/console/operators", {"email": "Grace@marigold.example", "role": 1}).status_code == 400
    grace = Operator.objects.get(email="grace@marigold.example")
    at = f"/console/operators/{grace.pk}"
    assert client.post(at, {"role": Role.APPROVER.value, "privacy": "on"}).status_code == 302
    assert client.post(at, {"role": Role.VIEWER.value, "privacy": "on"}).status_code == 400, "a viewer never sees personal data"
    grace.refresh_from_db()
    assert (grace.role, grace.privacy) == (Role.APPROVER, True)
    assert client.post(at, {"what": "remove"}).status_code == 302
    assert not Operator.objects.filter(email=grace.email).exists()
    assert [deed.what for deed in Deed.objects.all()] == ["added an operator", "changed an operator", "removed an operator"]
    assert Invitation.objects.count() == 0


def test_the_last_admin_stays(shop: Settings) -> None:
    one = ready(Role.ADMIN)
    with pytest.raises(Refused, match="last admin"):
        actions.remove(one.email, "ada", moment.now())
    with pytest.raises(Refused, match="last admin"):
        actions.change(one.email, Role.EDITOR, False, "ada", moment.now())
    with pytest.raises(BadData):
        actions.new_link("nobody@marigold.example", "ada", moment.now())


@pytest.mark.parametrize(
    ("host", "proto", "warned"),
    [("localhost", "", False), ("10.0.0.7:8377", "", True), ("m.example", "https", False)],
)
def test_a_connection_that_others_can_read_is_warned_of(shop: Settings, host: str, proto: str, warned: bool) -> None:
    page = Client(headers={"Host": host, **({"X-Forwarded-Proto": proto} if proto else {})}).get(LOGIN).content
    assert (b"This connection is not private" in page) is warned


def test_what_has_ended_is_forgotten(enter: Callable[..., Client]) -> None:
    client = enter(Role.VIEWER)
    actions.new_link(ready(Role.VIEWER).email, "ada", moment.now())
    actions.forget_what_ended(moment.now())
    assert client.get("/console/").status_code == 200
    assert Invitation.objects.exists()
    actions.forget_what_ended(moment.now() + timedelta(days=2))
    assert client.get("/console/").status_code == 302
    assert not Invitation.objects.exists()
