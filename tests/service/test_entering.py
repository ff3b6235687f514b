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
    Touch.objects.update(settled_at=moment.now())
    return Client(enforce_csrf_checks=True)


def link(store: Settings) -> str:
    return f"/enter/{shorten(load_ring(store.var, 'messages'), Link(Touch.objects.get().pk, 0))}"


def code_of(answer: Any) -> str:
    assert answer.status_code == 303
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert answer["Location"].startswith("https://shop.example/enter?lang=en&code=")
    return asked["code"][0]


def opened() -> str:
    code = open_entrance(Touch.objects.get(), NOON)
    assert code is not None
    return code


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
    assert spend_entrance(opened(), NOON + timedelta(minutes=10)) is None
    assert spend_entrance(opened(), NOON + timedelta(minutes=9)) == "c1"


def test_a_new_code_ends_the_one_before(store: Settings, visitor: Client) -> None:
    first, second = (code_of(visitor.post(link(store))) for _ in range(2))
    assert spend_entrance(first, moment.now()) is None
    assert spend_entrance(second, moment.now()) == "c1"


def test_a_message_lets_in_once(store: Settings, visitor: Client) -> None:
    for _ in range(2):
        code = code_of(visitor.post(link(store)))
    assert spend_entrance(code, moment.now()) == "c1"
    for answer in (visitor.get(link(store)), visitor.post(link(store))):
        text = answer.content.decode()
        assert (answer.status_code, "<form" in text, "Sign in at the shop as you always do" in text) == (200, False, True)
        assert f'href="{store.brand.url}"' in text
    assert open_entrance(Touch.objects.get(), moment.now()) is None
    plan(["c1"], "plan2", episode=["o2"])
    other = Touch.objects.latest("pk")
    assert open_entrance(other, moment.now()), "another message is another way in"


@pytest.mark.parametrize(("days", "opens"), [(None, 14), (3, 3)])
def test_a_message_lets_in_for_some_days_after_it_was_sent(store: Settings, visitor: Client, days: int | None, opens: int) -> None:
    application(store.model_copy(update={"handover": Handover(url=SHOP, **({} if days is None else {"days": days}))}))
    sent = moment.now() - timedelta(days=opens)
    Touch.objects.update(settled_at=sent + timedelta(minutes=1))
    code_of(visitor.post(link(store)))
    Touch.objects.update(settled_at=sent)
    answer = visitor.post(link(store))
    assert (answer.status_code, "<form" in answer.content.decode()) == (200, False)


def test_of_many_who_show_a_code_at_once_one_comes_in(store: Settings, visitor: Client) -> None:
    code, came = opened(), []

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
