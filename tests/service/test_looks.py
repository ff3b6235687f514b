"""The short way of looks answers as Django's own does, and lets nothing else wait."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from rekindle import moment
from rekindle.deliver.links import Claim, sign
from rekindle.deliver.short_links import Link, shorten
from rekindle.service.api import actions
from rekindle.service.config import load_ring, looks
from rekindle.service.config.web import application
from rekindle.service.links.actions import number_of
from rekindle.service.public import clicks, styles
from rekindle.settings import Settings
from tests.service.touches import meet

LEDGERS = ("sqlite", "postgresql")
ORDER = json.dumps({"customer": "c1", "currency": "EUR", "lines": [{"amount": 5000}]})
Answered = tuple[str, Mapping[str, str], bytes]


def asked(app: Any, method: str, address: str, body: str = "", kind: str = "application/json", **more: str) -> Answered:
    environ = RequestFactory().generic(method, address, body, kind, HTTP_X_FORWARDED_PROTO="https", **more).environ
    told: list[tuple[str, dict[str, str]]] = []
    answer = app({**environ, "wsgi.input": BytesIO(body.encode())}, lambda status, headers, *_: told.append((status, dict(headers))))
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return (*told[0], content)


@pytest.fixture
def addresses(store: Settings) -> dict[str, str]:
    application(store)
    meet(["c1"])
    click = shorten(load_ring(store.var, "clicks"), Link(7, number_of("https://shop.example/new")))
    choose = sign(load_ring(store.var, "preferences"), Claim("c1", "email-marketing"))
    return {"click": f"/c/{click}", "choose": f"/preferences/{choose}", "validate": "/v1/coupons/D6R2ZRE91Z/validate"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT"])
def test_both_ways_answer_alike(store: Settings, addresses: dict[str, str], method: str) -> None:
    short, whole, key = application(store), WSGIHandler(), actions.create("shop", ["coupons"], moment.now())
    good = [address for name, address in addresses.items() if (method, name) != ("POST", "choose")]  # a second post says less
    asked_for = [*good, "/c/none", "/preferences/none", "/c/", "/c/a/b", "/preferences//", "/v1/coupons/validate"]
    for address in [*asked_for, "/v1/coupons//validate", "/v1/coupons/a/b/validate", "/v1/coupons/%C3%BC/validate", "/c/%0A"]:
        for given in (f"Bearer {key}", ""):
            one, other = (asked(app, method, address, ORDER, HTTP_AUTHORIZATION=given) for app in (short, whole))
            assert one == other, (address, given)


def test_each_look_goes_the_short_way(addresses: dict[str, str]) -> None:
    for name, method in (("click", "GET"), ("choose", "GET"), ("validate", "POST")):
        assert [bool(look.part(method, addresses[name])) for look in looks.LOOKS].count(True) == 1
        other = "POST" if method == "GET" else "GET"
        assert not any(look.part(other, addresses[name]) for look in looks.LOOKS)


def test_a_look_that_fails_says_so_once_and_ends_its_turn(
    store: Settings, addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = application(store)
    with monkeypatch.context() as broken:
        broken.setattr(clicks, "load_ring", lambda *_: 1 / 0)
        status, headers, _ = asked(app, "GET", addresses["click"])
    assert (status, headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("500 Internal Server Error", "no-store", "nosniff")
    (told,) = caplog.records
    assert (told.name, told.exc_info) == ("django.request", None)
    assert re.fullmatch(r"c/<str:token> failed: ZeroDivisionError at \S+/public/clicks\.py:\d+", told.getMessage())
    assert asked(app, "GET", addresses["click"])[0] == "302 Found"


def test_a_look_gives_up_an_old_connection(store: Settings, addresses: dict[str, str]) -> None:
    app = application(store)
    asked(app, "GET", addresses["choose"])
    held = connection.connection
    asked(app, "GET", addresses["choose"])
    assert connection.connection is held
    connection.close_at = 0.0
    assert asked(app, "GET", addresses["choose"])[0] == "200 OK"
    assert connection.connection is not held


def test_what_is_there_is_handed_over_whole_and_a_stream_is_not(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    app, ended = application(store), list[object]()
    request_finished.connect(lambda **told: ended.append(told), weak=False, dispatch_uid="ended")
    environ = RequestFactory().get("/assets/public.css").environ
    try:
        assert [type(app(environ, lambda *_: None)), len(ended)] == [list, 1]
        monkeypatch.setattr(styles, "HttpResponse", lambda text, **_: StreamingHttpResponse([text.encode()]))
        streamed = app(environ, lambda *_: None)
        assert len(ended) == 1
        assert b"".join(streamed).startswith(b"/*")
        streamed.close()
        assert len(ended) == 2
    finally:
        request_finished.disconnect(dispatch_uid="ended")


def test_who_writes_waits_for_no_look_and_looks_take_turns_on_sqlite_alone(store: Settings, addresses: dict[str, str]) -> None:
    app, vendor = application(store), connection.vendor

    def ask(method: str) -> str:
        try:
            return asked(app, method, addresses["choose"], "sent=1", "application/x-www-form-urlencoded")[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with looks._TURN:
            assert pool.submit(ask, "POST").result(60) == "200 OK"
            look = pool.submit(ask, "GET")
            if vendor == "sqlite":
                with pytest.raises(StillWaiting):
                    look.result(0.3)
        assert look.result(60) == "200 OK"
