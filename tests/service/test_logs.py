"""What is logged and printed names nobody: a customer's data goes through every door, and a place of ours breaks on the way."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
import pytest
from django.http import QueryDict

from rekindle import moment
from rekindle.deliver.links import Claim, sign
from rekindle.service.api import actions as keys
from rekindle.service.api import customers
from rekindle.service.api.scopes import SCOPES
from rekindle.service.config import load_ring
from rekindle.service.config.web import Wsgi, application
from rekindle.service.flow.erasing import erase_asked
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import Touch
from rekindle.service.people.actions import record_contacts
from rekindle.service.people.models import Consent
from rekindle.service.privacy.models import Receipt
from rekindle.service.privacy.shopify import PATH, signature
from rekindle.service.public import own_data, preferences
from rekindle.service.redemptions.models import Coupon, Redemption
from rekindle.settings import Settings
from tests.faults.smtp_server import Fault, SmtpServer
from tests.service.api.asking import BROWSER
from tests.service.conftest import NOON
from tests.service.relays import relay
from tests.service.test_looks import asked
from tests.service.test_preferences import TICKED
from tests.service.touches import plan

CUSTOMER, CODE, WORD = "7f3a", "D6R2ZRE91Z", "shpss_1"
MAIL, PHONE, ORDER = "canary@people.example", "+4915123474711", "canary-order"
CANARIES = ("canary", PHONE.removeprefix("+"))
FORM = "application/x-www-form-urlencoded"
Said = Callable[[], str]


@pytest.fixture
def app(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Wsgi:
    """A store with the one customer, to whom a message with a code waits."""
    monkeypatch.setenv("SHOPIFY_SECRET", WORD)
    served = application(store.model_copy(update={"shopify": store.shopify.model_copy(update={"secret": "env:SHOPIFY_SECRET"})}))
    plan([CUSTOMER], episode=[ORDER], code=[CODE])
    known = {"customer_id": CUSTOMER, "source": "shop", "external_id": "canary-7", "email": MAIL, "phone": PHONE, "first_name": "Canary"}
    record_contacts(pa.Table.from_pylist([{**known, "last_name": "Canary"}]), moment.now())
    Coupon.objects.create(
        code=CODE, customer_id=CUSTOMER, plan="plan1", program="win-back", episode=ORDER, stage="reconnect", offer="percent_10",
        kind="percent", label="10 % off", currency="EUR", percent=0.1, price=True, last_day=moment.now().date() + timedelta(days=5),
    )  # fmt: skip
    return served


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Said:
    """All that was logged and printed."""
    caplog.set_level(logging.INFO)

    def everything() -> str:
        printed = capfd.readouterr()
        return (caplog.text + printed.out + printed.err).lower()

    return everything


def own(store: Settings, page: str) -> str:
    return f"/{page}/{sign(load_ring(store.var, 'preferences'), Claim(CUSTOMER, 'email-marketing'))}"


def posted(app: Wsgi, path: str, fields: dict[str, str]) -> str:
    form = QueryDict(mutable=True)
    form.update(fields)
    return asked(app, "POST", path, form.urlencode(), FORM)[0]


def called(app: Wsgi, method: str, path: str, body: object = None) -> str:
    """The API's status."""
    key = {"HTTP_AUTHORIZATION": f"Bearer {keys.create('tests', list(SCOPES), NOON)}", "HTTP_IDEMPOTENCY_KEY": f"{MAIL}-{path[-9:]}"}
    return asked(app, method, f"/v1{path}", "" if body is None else json.dumps(body), **key)[0]


def test_what_goes_well_names_nobody(store: Settings, app: Wsgi, said: Said) -> None:
    assert posted(app, own(store, "preferences"), {**TICKED, "way_sms": "on", "day": "7", "month": "4"}) == "200 OK"
    Touch.objects.update(status="sent", settled_at=moment.now())
    order = {"customer": MAIL, "currency": "EUR", "lines": [{"product": "p1", "amount": 5000}]}
    wanted = {"customer": MAIL, "wording_version": "v", "channels": ["email", "webpush"], "refused_topics": [], "scored": True}
    subscribed = {"customer": MAIL, "subscription": BROWSER, "marketing": True, "wording_version": "v"}
    for method, path, body, status in (
        ("POST", "/decisions", {"placement": "home", "customer": MAIL}, "200 OK"), ("POST", f"/coupons/{CODE}/validate", order, "200 OK"),
        ("POST", f"/coupons/{CODE}/redeem", {**order, "order_id": ORDER}, "200 OK"), ("GET", f"/customers/{MAIL}/brief", None, "200 OK"),
        ("POST", "/webpush/subscriptions", subscribed, "201 Created"), ("GET", f"/landing?customer={MAIL}", None, "200 OK"),
        ("GET", f"/inapp?customer={MAIL}", None, "200 OK"), ("PUT", "/preferences", wanted, "200 OK"),
        ("POST", "/privacy/data-requests", {"customer": MAIL}, "202 Accepted"),
    ):  # fmt: skip
        assert called(app, method, path, body) == status, path
    assert (Redemption.objects.get().order_id, Consent.objects.filter(channel="webpush").count()) == (ORDER, 1)
    body = json.dumps({"customer": {"email": MAIL, "phone": PHONE}})
    told = {"HTTP_X_SHOPIFY_TOPIC": "customers/redact", "HTTP_X_SHOPIFY_HMAC_SHA256": signature(WORD, body.encode())}
    assert asked(app, "POST", f"/{PATH}", body, **told)[0] == "200 OK"
    assert Receipt.objects.count() == 2
    assert erase_asked(store, NOON) is not None
    assert [one for one in CANARIES if one in said()] == []


def test_what_a_mail_server_answers_names_nobody(store: Settings, app: Wsgi, said: Said) -> None:
    answer = Fault("RCPT", "reply", f"550 5.1.1 <{MAIL}>: no such user at {PHONE}")
    with SmtpServer({"": answer}) as server, relay(server) as smtp:
        send_due(store, NOON, senders={"email": smtp})
    touch = Touch.objects.get()
    assert (touch.status, "no such user" in touch.reason) == ("failed", True)
    assert [one for one in CANARIES if one in said() + touch.reason.lower()] == []


def test_what_is_refused_names_nobody(store: Settings, app: Wsgi, said: Said) -> None:
    damaged = f"{own(store, 'preferences')}x?email={MAIL}"
    assert [asked(app, "GET", damaged)[0], posted(app, damaged, {"email": MAIL})] == ["404 Not Found"] * 2
    assert asked(app, "GET", f"/{MAIL}")[0] == "404 Not Found"
    for method, path, status in (
        ("GET", f"/customers/other-{MAIL}/brief", 422), ("POST", f"/coupons/{MAIL}/redeem", 422), ("GET", f"/{MAIL}", 404),
        ("DELETE", f"/customers/{MAIL}/brief", 405),
    ):  # fmt: skip
        assert called(app, method, path, {"customer": MAIL}).startswith(str(status)), path
    for path in (PATH, "webhooks/mail", "webhooks/sms"):
        assert asked(app, "POST", f"/{path}", json.dumps({"From": PHONE, "email": MAIL}))[0][:3] in {"401", "403", "503"}, path
    assert [one for one in CANARIES if one in said()] == []


def test_a_mistake_of_ours_is_logged_by_its_place_and_names_nobody(
    store: Settings, app: Wsgi, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"Key (email)=({MAIL}) already exists")

    choose, data = own(store, "preferences"), own(store, "data")
    for module, name in ((preferences, "held_and_stopped"), (own_data, "ask"), (customers, "known_of")):
        monkeypatch.setattr(module, name, broken)
    answers = [asked(app, "GET", choose)[0], posted(app, choose, TICKED), posted(app, data, {"copy": "1"})]
    answers.append(called(app, "GET", f"/customers/{MAIL}/brief"))
    assert answers == ["500 Internal Server Error"] * 4
    log = said()
    assert log.count("runtimeerror at ") == 4
    assert [one for one in ("preferences.py:", "own_data.py:", "customers.py:") if one not in log] == []
    assert [one for one in (*CANARIES, choose.rpartition("~")[2].lower()) if one in log] == []
