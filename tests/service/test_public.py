import hashlib
import io
import json
from pathlib import Path

import pytest
from django.test import Client

from rekindle.deliver.links import Claim, sign
from rekindle.deliver.short_links import TRAP, Link, shorten
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.links.actions import number_of
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Consent, Suppression
from rekindle.settings import Settings
from tests.service.touches import meet

SHOP = "https://shop.example/new?utm_source=rekindle"


@pytest.fixture
def visitor(store: Settings) -> Client:
    application(store)
    return Client(enforce_csrf_checks=True)


def lines(store: Settings) -> list[dict[str, object]]:
    files = sorted((store.var / "clicks").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def link(store: Settings, touch: int = 7, url: str = SHOP) -> str:
    return shorten(load_ring(store.var, "clicks"), Link(touch, number_of(url)))


def stop_link(store: Settings, customer: str = "c1") -> str:
    return sign(load_ring(store.var, "unsubscribe"), Claim(customer, "email-marketing"))


def digest(store: Settings) -> str:
    from django.db import connection

    return hashlib.sha256("\n".join(connection.connection.iterdump()).encode()).hexdigest()


def test_a_link_leads_on_and_leaves_one_line(store: Settings, visitor: Client) -> None:
    answer = visitor.get(f"/c/{link(store)}", headers={"User-Agent": "Mozilla/5.0"}, REMOTE_ADDR="198.51.100.7")
    assert (answer.status_code, answer["Location"]) == (302, SHOP)
    (seen,) = lines(store)
    assert (seen["touch"], seen["destination"], seen["agent"]) == (7, number_of(SHOP), "Mozilla/5.0")
    assert "198.51.100" not in json.dumps(seen)
    assert not answer.cookies


def test_neighbours_have_one_network_and_strangers_another(store: Settings, visitor: Client) -> None:
    for address in ("198.51.100.7", "198.51.100.200", "203.0.113.9"):
        visitor.get(f"/c/{link(store)}", REMOTE_ADDR=address)
    first, second, third = (seen["network"] for seen in lines(store))
    assert first == second != third


def test_the_hidden_link_leads_to_the_shop_and_is_told_apart(store: Settings, visitor: Client) -> None:
    token = shorten(load_ring(store.var, "clicks"), Link(7, TRAP))
    assert visitor.get(f"/c/{token}")["Location"] == store.brand.url
    assert lines(store)[0]["destination"] == TRAP


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing_in_the_ledger(store: Settings, visitor: Client, method: str) -> None:
    meet(["c1"])
    addresses = [f"/c/{link(store)}", f"/u/{stop_link(store)}", "/assets/public.css", "/assets/brand.css", "/c/none", "/u/none"]
    before = digest(store)
    for address in addresses:
        getattr(visitor, method)(address)
    assert digest(store) == before


def test_a_damaged_link_gets_one_answer_whatever_is_wrong_with_it(store: Settings, visitor: Client) -> None:
    good = link(store)
    unknown = shorten(load_ring(store.var, "clicks"), Link(7, 999_999))
    damaged = [good[:at] + chr(ord(good[at]) ^ 1) + good[at + 1 :] for at in range(len(good))]
    answers = {visitor.get(f"/c/{token}").content for token in [*damaged, unknown, good[:-1], f"{good}A", "x" * 500]}
    assert len(answers) == 1
    assert b"does not work" in answers.pop()
    assert lines(store) == []


def test_nobody_can_lead_our_link_elsewhere(store: Settings, visitor: Client) -> None:
    answer = visitor.get(f"/c/{link(store)}?url=https://evil.example&next=//evil.example")
    assert answer["Location"] == SHOP


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_one_click_stops_without_cookie_and_redirect(store: Settings, visitor: Client, form: str) -> None:
    meet(["c1"])
    body = "List-Unsubscribe=One-Click"
    if "multipart" in form:
        body = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    answer = visitor.generic("POST", f"/u/{stop_link(store)}", body, content_type=form)
    assert (answer.status_code, len(answer.cookies)) == (200, 0)
    assert Consent.objects.filter(customer_id="c1", channel="email", granted=False).count() == 1
    assert Suppression.objects.get().digest == digest_of("c1@people.example")


@pytest.mark.parametrize("body", ["", "List-Unsubscribe=Two-Clicks", "list-unsubscribe=One-Click", "Unsubscribe=One-Click"])
def test_another_body_stops_nothing(store: Settings, visitor: Client, body: str) -> None:
    meet(["c1"])
    answer = visitor.generic("POST", f"/u/{stop_link(store)}", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert not Suppression.objects.exists()


def test_a_damaged_link_stops_nobody(store: Settings, visitor: Client) -> None:
    meet(["c1"])
    good = stop_link(store)
    for at in range(len(good)):
        answer = visitor.post(f"/u/{good[:at]}{chr(ord(good[at]) ^ 1)}{good[at + 1 :]}", {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 404
    assert not Suppression.objects.exists()


def test_pages_run_nothing_and_load_nothing_from_elsewhere(store: Settings, visitor: Client) -> None:
    answer = visitor.get(f"/u/{stop_link(store)}")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert b"<script" not in answer.content
    assert b"style=" not in answer.content


def test_the_path_of_the_public_address_may_be_there_or_not(store: Settings, tmp_path: Path) -> None:
    answer = application(store)
    for path in ("/rekindle/assets/public.css", "/assets/public.css"):
        got: list[str] = []
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.input": io.BytesIO()}
        b"".join(answer(environ, lambda status, headers, got=got: got.append(status)))
        assert got == ["200 OK"]
