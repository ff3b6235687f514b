"""Codes at the checkout: taken once however often and from how many sides it is asked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection

from rekindle.errors import StoreUnavailable
from rekindle.history.warehouse import open_history
from rekindle.respond.redemption import Line, Reason
from rekindle.service.api import coupons
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.redeeming import Order, redeem, typed
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import Touch
from rekindle.service.redemptions.models import Coupon, Redemption
from rekindle.settings import Settings
from tests.service.api.asking import NOW, Ask, meet, share
from tests.service.touches import touches

LEDGERS = ("sqlite", "postgresql")
CODE = "D6R2ZRE91Z"
ORDER = {"customer": "c-1", "currency": "EUR", "lines": [{"product": "p1", "category": "Lighting", "amount": 5000}]}
TODAY = NOW.date()


def give(code: str = CODE, customer: str = "c-1", **columns: object) -> None:
    base: dict[str, object] = {
        "plan": "plan1", "program": "win-back", "episode": "o1", "stage": "tailor", "offer": "percent_10", "kind": "percent",
        "label": "10 % off", "currency": "EUR", "percent": 0.1, "price": True, "last_day": TODAY + timedelta(days=5),
    }
    Coupon.objects.create(code=code, customer_id=customer, **(base | columns))


@pytest.fixture
def checkout(ask: Ask) -> Ask:
    """The API, with a customer whose message with a code was sent and whose next one waits."""
    meet("c-1", "c-2")
    outbox.insert_touches("plan1", touches(["c-1", "c-1", "c-2"], stage=["tailor", "closing", "tailor"], code=[CODE, "", ""]))
    outbox.ready("plan1")
    Touch.objects.filter(stage="tailor").update(status="sent", settled_at=NOW)
    give()

    def asked(method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        return ask(method, path, body, headers=headers)

    return asked


@pytest.mark.parametrize("buyer", ["family@people.example", "Family@People.example "])
def test_a_code_is_good_for_its_holder_among_those_who_share_an_address(checkout: Ask, buyer: str) -> None:
    share("others@people.example", "c-2", "c-3")
    assert checkout("POST", f"/coupons/{CODE}/validate", {**ORDER, "customer": "others@people.example"})[1]["reason"] == "not_yours"
    share("family@people.example", "c-1", "c-2")
    theirs = {**ORDER, "customer": buyer}
    assert checkout("POST", f"/coupons/{CODE}/validate", theirs)[1]["valid"] is True
    assert checkout("POST", f"/coupons/{CODE}/redeem", {**theirs, "order_id": "o-1"}, "a-key-of-its-own")[0] == 200
    assert Redemption.objects.exists()


def test_a_look_changes_nothing(checkout: Ask) -> None:
    good = {"valid": True, "discount": 500, "currency": "EUR", "offer": "10 % off", "kind": "percent"}
    for _ in range(2):
        assert checkout("POST", f"/coupons/{CODE}/validate", ORDER) == (200, {**good, "last_day": str(TODAY + timedelta(days=5))})
    assert not Redemption.objects.exists()


@pytest.mark.parametrize(
    ("change", "columns", "reason"),
    [
        ({"customer": "c-2"}, {}, "not_yours"), ({"customer": ""}, {}, "not_yours"), ({"customer": "nobody"}, {}, "not_yours"),
        ({"currency": "USD"}, {}, "other_currency"), ({}, {"minimum": 5001}, "below_minimum"),
        ({}, {"scope": "category:Rugs"}, "out_of_scope"), ({}, {"last_day": TODAY - timedelta(days=2)}, "expired"),
        ({}, {"redeemed": 1}, "used"), ({"other_codes": ["0THER"]}, {}, "not_stackable"),
    ],
)  # fmt: skip
def test_why_a_code_is_not_taken(checkout: Ask, change: dict[str, Any], columns: dict[str, Any], reason: str) -> None:
    give("0THER")
    Coupon.objects.filter(pk=CODE).update(**columns)
    status, said = checkout("POST", f"/coupons/{CODE}/validate", ORDER | change)
    assert (status, said["valid"], said["reason"]) == (200, False, reason)
    status, said = checkout("POST", f"/coupons/{CODE}/redeem", {**ORDER, **change, "order_id": "A1"}, "key-00001")
    assert (status, said["error"]["reason"]) == (409, reason)
    assert not Redemption.objects.exists()


STATUSES = [("planned", "not_yet"), ("suppressed", "cancelled"), ("expired", "cancelled"), ("unknown", None)]


@pytest.mark.parametrize(("status", "reason"), STATUSES)
def test_a_code_holds_from_the_hand_over_of_its_message_on(checkout: Ask, status: str, reason: str | None) -> None:
    Touch.objects.filter(stage="tailor", customer_id="c-1").update(status=status)
    assert checkout("POST", f"/coupons/{CODE}/validate", ORDER)[1].get("reason") == reason


def test_a_code_is_read_as_people_type_it(checkout: Ask) -> None:
    assert checkout("POST", f"/coupons/{CODE[:5].lower()} {CODE[5:].lower().replace('1', 'i')}/validate", ORDER)[1]["valid"]
    assert typed(" d6r2-zre9lz") == CODE
    assert checkout("POST", "/coupons/0000000000/validate", ORDER)[1]["reason"] == "unknown"


def test_a_repeated_request_gets_the_first_answer_and_another_one_under_its_key_is_refused(checkout: Ask) -> None:
    asked = {**ORDER, "order_id": "A1"}
    first = checkout("POST", f"/coupons/{CODE}/redeem", asked, "key-00001")
    assert first[0] == 200
    assert first[1]["discount"] == 500
    assert checkout("POST", f"/coupons/{CODE}/redeem", asked, "key-00001") == first
    assert checkout("POST", f"/coupons/{CODE}/redeem", {**asked, "order_id": "A2"}, "key-00001")[0] == 422
    status, said = checkout("POST", f"/coupons/{CODE}/redeem", asked, "key-00002")
    assert (status, said["error"]["reason"]) == (409, "used")
    assert Redemption.objects.count() == 1


def test_a_refusal_is_repeated_too(checkout: Ask) -> None:
    asked = {**ORDER, "customer": "c-2", "order_id": "A1"}
    first = checkout("POST", f"/coupons/{CODE}/redeem", asked, "key-00001")
    Coupon.objects.update(customer_id="c-2")
    assert checkout("POST", f"/coupons/{CODE}/redeem", asked, "key-00001") == first
    assert first[0] == 409


def test_a_key_is_needed_to_redeem(checkout: Ask) -> None:
    assert checkout("POST", f"/coupons/{CODE}/redeem", {**ORDER, "order_id": "A1"})[0] == 422
    assert not Redemption.objects.exists()


def test_a_redeemed_code_ends_its_sequence_at_once_and_history_learns_it(checkout: Ask, store: Settings) -> None:
    assert checkout("POST", f"/coupons/{CODE}/redeem", {**ORDER, "order_id": "A1"}, "key-00001")[0] == 200
    waiting = Touch.objects.get(stage="closing")
    assert (waiting.status, waiting.reason) == ("suppressed", "its code was redeemed")
    with open_history(store.history, store.root) as warehouse:
        assert close_cycle(store, warehouse, NOW).redemptions == 1
        (event,) = warehouse.arrow(warehouse.current("events")).to_pylist()
        assert (event["name"], event["customer_id"]) == ("Coupon Redeemed", "c-1")
        assert close_cycle(store, warehouse, NOW).redemptions == 0


def test_a_redemption_is_rolled_back_once(checkout: Ask, store: Settings) -> None:
    number = checkout("POST", f"/coupons/{CODE}/redeem", {**ORDER, "order_id": "A1"}, "key-00001")[1]["redemption"]
    first = checkout("POST", f"/coupons/{CODE}/rollback", {"redemption": number}, "key-00002")
    assert first[0] == 200
    assert first[1]["rolled_back_at"]
    assert checkout("POST", f"/coupons/{CODE}/rollback", {"redemption": number}, "key-00003")[1] == first[1]
    assert Coupon.objects.get(pk=CODE).redeemed == 0
    assert checkout("POST", f"/coupons/{CODE}/rollback", {"redemption": number + 9}, "key-00004")[0] == 404
    assert checkout("POST", "/coupons/0000000000/rollback", {"redemption": number}, "key-00005")[0] == 404
    assert checkout("POST", f"/coupons/{CODE}/redeem", {**ORDER, "order_id": "A2"}, "key-00006")[0] == 200
    with open_history(store.history, store.root) as warehouse:
        close_cycle(store, warehouse, NOW)
        names = sorted(one["name"] for one in warehouse.arrow(warehouse.current("events")).to_pylist())
        assert names == ["Coupon Redeemed", "Coupon Rolled Back"]


def test_of_many_who_try_at_once_one_redeems(checkout: Ask, store: Settings) -> None:
    order = Order("c-1", "EUR", (Line("p1", "Lighting", 5000),))

    def twenty(thread: int) -> list[object]:
        try:
            return [redeem(store, CODE, order, f"{thread}-{number}", NOW) for number in range(20)]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        found = [one for tries in pool.map(twenty, range(20)) for one in tries]
    assert sum(isinstance(one, Redemption) for one in found) == 1
    assert sum(one == Reason.USED for one in found) == 399
    assert Coupon.objects.get(pk=CODE).redeemed == 1
    assert Redemption.objects.count() == 1


def test_one_request_sent_by_many_at_once_is_done_once(checkout: Ask) -> None:
    def send(_: int) -> tuple[int, Any]:
        try:
            return checkout("POST", f"/coupons/{CODE}/redeem", {**ORDER, "order_id": "A1"}, "key-00001")
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(send, range(10)))
    assert all(one == found[0] for one in found)
    assert found[0][0] == 200
    assert Redemption.objects.count() == 1


@pytest.mark.parametrize("code", ["%00", "' or 1=1 --", "../../x", "A" * 65, "Ω", "<script>"])
def test_hostile_codes_are_refused(checkout: Ask, code: str) -> None:
    assert checkout("POST", f"/coupons/{code}/validate", ORDER)[0] in (404, 422)


HOSTILE: list[dict[str, Any]] = [
    {"lines": []}, {"lines": [{"amount": -1}]}, {"lines": [{"amount": 10**13}]}, {"lines": "x"}, {"currency": "eur"},
    {"customer": "a\x00b"},
]  # fmt: skip


@pytest.mark.parametrize("change", HOSTILE)
def test_hostile_orders_are_refused(checkout: Ask, change: dict[str, Any]) -> None:
    assert checkout("POST", f"/coupons/{CODE}/validate", ORDER | change)[0] == 422


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/coupons/{CODE}/validate", ORDER, 200), (f"/coupons/{CODE}/validate", ORDER | {"customer": "nobody"}, 200),
        ("/coupons/d6r2-zre9iz/validate", ORDER, 200), ("/coupons/%C3%BC/validate", ORDER, 422),
        (f"/coupons/{'A' * 65}/validate", ORDER, 422),
        (f"/coupons/{CODE}/validate", ORDER | {"currency": "eur"}, 422), (f"/coupons/{CODE}/validate", ORDER | {"lines": []}, 422),
        (f"/coupons/{CODE}/validate", ORDER | {"lines": [{"amount": "5000"}]}, 200), (f"/coupons/{CODE}/validate", [], 422),
        (f"/coupons/{CODE}/validate", ORDER | {"lines": [{"amount": 1.5}]}, 422), (f"/coupons/{CODE}/validate", "{", 422),
        (f"/coupons/{CODE}/validate", ORDER | {"lines": [{"amount": True}]}, None), (f"/coupons/{CODE}/validate", ORDER | {"more": 1}, 200),
        (f"/coupons/{CODE}/validate", ORDER | {"customer": None}, 422), (f"/coupons/{CODE}/validate", ORDER | {"customer": "\ud800"}, None),
    ],
)  # fmt: skip
def test_what_is_answered_at_once_is_what_ninja_would_answer(
    checkout: Ask, monkeypatch: pytest.MonkeyPatch, path: str, body: object, status: int | None
) -> None:
    one = checkout("POST", path, body)
    monkeypatch.setattr(coupons, "_in_order", lambda *_: None)
    assert checkout("POST", path, body) == one
    assert status in (None, one[0])


def test_a_look_that_fails_is_told_as_everywhere(checkout: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for broken, status in ((StoreUnavailable("no", "wait"), 503), (ZeroDivisionError(), 500)):
        monkeypatch.setattr(coupons.redeeming, "looked_at", Mock(side_effect=broken))
        found, said = checkout("POST", f"/coupons/{CODE}/validate", ORDER)
        assert (found, said["error"]["status"]) == (status, status)
    monkeypatch.setattr(coupons, "_in_order", lambda *_: None)
    assert checkout("POST", f"/coupons/{CODE}/validate", ORDER) == (found, said)
