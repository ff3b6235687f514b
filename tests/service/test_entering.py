"""Handing over to the shop: only a press opens a way, for ten minutes and one use."""

from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client

from rekindle import moment
from rekindle.deliver.short_links import Link, shorten
from rekindle.service.api import actions as keys
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.outbox.models import Touch
from rekindle.service.trust.actions import open_entrance, spend_entrance
from rekindle.service.trust.models import Entrance
from rekindle.settings import Handover, Settings
from tests.service.conftest import NOON
from tests.service.touches import plan

SHOP = "https://shop.example/enter?lang=en"


@pytest.fixture
def visitor(store: Settings) -> Client:
    application(store.model_copy(update={"handover": Handover(url=SHOP)}))
    plan(["c1"])
    return Client(enforce_csrf_checks=True)


def link(store: Settings) -> str:
    return f"/enter/{shorten(load_ring(store.var, 'messages'), Link(Touch.objects.get().pk, 0))}"


def code_of(answer: Any) -> str:
    assert answer.status_code == 303
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert answer["Location"].startswith("https://shop.example/enter?lang=en&code=")
    return asked["code"][0]


def shown(visitor: Client, code: str, key: str) -> Any:
    return visitor.post("/v1/handover", {"code": code}, content_type="application/json", headers={"Authorization": f"Bearer {key}"})


def test_looking_opens_nothing(store: Settings, visitor: Client) -> None:
    for method in ("get", "head", "options"):
        getattr(visitor, method)(link(store))
    assert not Entrance.objects.exists()
    assert "form-action 'self' https://shop.example;" in visitor.get(link(store))["Content-Security-Policy"]


def test_a_press_leads_to_the_shop_and_the_code_says_who_comes_once(store: Settings, visitor: Client) -> None:
    answer = visitor.post(link(store))
    code = code_of(answer)
    assert not answer.cookies
    assert code not in str(Entrance.objects.values()), "the ledger holds a digest"
    key = keys.create("shop", ["handover"], moment.now())
    first = shown(visitor, code, key)
    assert (first.status_code, first.json()) == (200, {"customer": "c1", "risk": "low"})
    assert [shown(visitor, one, key).status_code for one in (code, "x", code[:-1])] == [404, 404, 404]


def test_a_code_is_over_after_ten_minutes(store: Settings, visitor: Client) -> None:
    assert spend_entrance(open_entrance("c1", NOON), NOON + timedelta(minutes=9)) == "c1"
    assert spend_entrance(open_entrance("c1", NOON), NOON + timedelta(minutes=10)) is None


def test_a_new_code_ends_the_one_before(store: Settings, visitor: Client) -> None:
    first, second = (code_of(visitor.post(link(store))) for _ in range(2))
    assert spend_entrance(first, moment.now()) is None
    assert spend_entrance(second, moment.now()) == "c1"


def test_of_many_who_show_a_code_at_once_one_comes_in(store: Settings, visitor: Client) -> None:
    code, came = open_entrance("c1", NOON), []

    def show() -> None:
        came.append(spend_entrance(code, at))
        connection.close()

    at: datetime = NOON
    threads = [Thread(target=show) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came, key=str) == [None] * 7 + ["c1"]


def test_a_form_elsewhere_opens_nothing(store: Settings, visitor: Client) -> None:
    for site in ("cross-site", "same-site", "none"):
        assert visitor.post(link(store), headers={"Sec-Fetch-Site": site}).status_code == 200
    assert not Entrance.objects.exists()
    code_of(visitor.post(link(store), headers={"Sec-Fetch-Site": "same-origin"}))


def test_a_damaged_link_opens_nothing(store: Settings, visitor: Client) -> None:
    good = link(store)
    for at in range(len("/enter/"), len(good)):
        assert visitor.post(f"{good[:at]}{chr(ord(good[at]) ^ 1)}{good[at + 1 :]}").status_code == 404
    assert not Entrance.objects.exists()


def test_a_store_whose_shop_takes_nobody_in_has_no_such_page(store: Settings, visitor: Client) -> None:
    application(store)
    assert visitor.get(link(store)).status_code == visitor.post(link(store)).status_code == 404
