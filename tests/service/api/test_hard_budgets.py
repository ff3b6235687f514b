"""A hard budget at the checkout: never exceeded from however many sides, given back, without effect on codes given without it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from rekindle.deliver.short_links import Link, shorten
from rekindle.history.warehouse import open_history
from rekindle.respond.redemption import Line, Reason
from rekindle.service.config import load_ring
from rekindle.service.flow import spending
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.redeeming import Order, redeem
from rekindle.service.outbox.models import Touch
from rekindle.service.redemptions.actions import roll_back
from rekindle.service.redemptions.models import Coupon, Redemption, Spend
from rekindle.settings import Settings
from tests.decide.shop import rules
from tests.service.api.asking import NOW, Ask, meet
from tests.service.touches import FACTS, touches

LEDGERS = ("sqlite", "postgresql")
CODES = [f"C0DE{number:06}" for number in range(20)]
ORDER = {"customer": "c-1", "currency": "EUR", "lines": [{"product": "p1", "category": "Lighting", "amount": 5000}]}
LINES = (Line("p1", "Lighting", 5000),)
HARD = {"amount": 100, "per": "30d", "hard": True}
Bind = Callable[..., None]


@pytest.fixture
def bind(monkeypatch: pytest.MonkeyPatch) -> Bind:
    """Approves rules with such budgets."""

    def bound(budget: dict[str, Any] = HARD, *budgets: dict[str, Any]) -> None:
        held = rules(budget=budget, budgets=list(budgets))
        monkeypatch.setattr(spending.documents, "approved_rules", lambda _: held)

    return bound


@pytest.fixture
def checkout(ask: Ask) -> Ask:
    """The API, with a customer to whom twenty messages with codes of 5.00 were sent."""
    from rekindle.service.outbox import actions as outbox

    meet("c-1")
    facts = {**FACTS, "offer_kind": "amount", "offer_label": "EUR 5.00 off", "offer_terms": "One order."}
    rows = touches(["c-1"] * 20, stage="tailor", episode=[f"o{n}" for n in range(20)], code=CODES, facts=json.dumps(facts))
    outbox.insert_touches("plan1", rows)
    outbox.ready("plan1")
    Touch.objects.update(status="sent", settled_at=NOW)
    for number, code in enumerate(CODES):
        Coupon.objects.create(
            code=code, customer_id="c-1", plan="plan1", program="win-back", episode=f"o{number}", stage="tailor", offer="five",
            kind="amount", label="EUR 5.00 off", currency="EUR", amount=500, price=True, last_day=NOW.date() + timedelta(days=5),
            limited=True,
        )  # fmt: skip

    def asked(method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
        return ask(method, path, body, headers={"Idempotency-Key": key} if key else {})

    return asked


def total() -> int:
    return sum(Spend.objects.values_list("cost", flat=True))


def test_a_code_that_would_take_more_than_there_is_is_refused_and_a_rollback_gives_it_back(checkout: Ask, bind: Bind) -> None:
    bind({"amount": 12, "per": "30d", "hard": True})
    first, _ = (checkout("POST", f"/coupons/{code}/redeem", {**ORDER, "order_id": code}, f"key-{code}")[1] for code in CODES[:2])
    refused = {"valid": False, "reason": "budget_spent", "words": "the budget of the code's offer is spent for now"}
    assert checkout("POST", f"/coupons/{CODES[2]}/validate", ORDER) == (200, refused)
    status, said = checkout("POST", f"/coupons/{CODES[2]}/redeem", {**ORDER, "order_id": "A3"}, "key-00003")
    assert (status, said["error"]["reason"], total()) == (409, "budget_spent", 1000)
    assert checkout("POST", f"/coupons/{CODES[0]}/validate", ORDER)[1]["reason"] == "used"
    for _ in range(2):
        assert checkout("POST", f"/coupons/{CODES[0]}/rollback", {"redemption": first["redemption"]}, "key-00004")[0] == 200
    assert total() == 500
    assert checkout("POST", f"/coupons/{CODES[2]}/redeem", {**ORDER, "order_id": "A3"}, "key-00005")[0] == 200


def test_a_smaller_order_takes_what_is_left(checkout: Ask, bind: Bind) -> None:
    bind({"amount": 3, "per": "30d", "hard": True})
    small = {**ORDER, "lines": [{"product": "p1", "amount": 300}]}
    assert checkout("POST", f"/coupons/{CODES[0]}/validate", ORDER)[1]["reason"] == "budget_spent"
    assert checkout("POST", f"/coupons/{CODES[0]}/validate", small)[1]["discount"] == 300


OTHERS = [
    ({"amount": 0, "per": "30d"}, []), ({"amount": 100, "per": "30d"}, [{"amount": 0, "per": "7d", "program": "birthday", "hard": True}]),
    ({"amount": 100, "per": "30d"}, [{"amount": 0, "per": "7d", "payer": "seller", "hard": True}]),
]  # fmt: skip


@pytest.mark.parametrize(("budget", "budgets"), OTHERS)
def test_what_no_hard_budget_covers_is_taken(checkout: Ask, bind: Bind, budget: dict[str, Any], budgets: list[dict[str, Any]]) -> None:
    bind(budget, *budgets)
    assert checkout("POST", f"/coupons/{CODES[0]}/validate", ORDER)[1]["valid"]


def test_a_code_whose_message_spoke_of_no_budget_is_taken_and_counts(checkout: Ask, bind: Bind) -> None:
    bind({"amount": 0, "per": "30d", "hard": True})
    Coupon.objects.filter(pk=CODES[0]).update(limited=False)
    assert checkout("POST", f"/coupons/{CODES[0]}/redeem", {**ORDER, "order_id": "A1"}, "key-00001")[0] == 200
    assert total() == 500
    assert checkout("POST", f"/coupons/{CODES[1]}/validate", ORDER)[1]["reason"] == "budget_spent"


def test_each_payer_has_its_part_and_what_takes_nothing_off_has_its_cost(checkout: Ask, bind: Bind, store: Settings) -> None:
    bind(HARD, {"amount": 3, "per": "30d", "payer": "seller", "hard": True})
    Coupon.objects.filter(pk__in=CODES[:2]).update(seller_part=0.4, price=False, amount=0, cost=400)
    order = Order("c-1", "EUR", LINES)
    made = redeem(store, CODES[0], order, "A1", NOW)
    assert isinstance(made, Redemption)
    assert dict(Spend.objects.exclude(payer="").values_list("payer", "cost")) == {"shop": 240, "seller": 160}
    assert redeem(store, CODES[1], order, "A2", NOW) == Reason.BUDGET_SPENT, "the seller's 3.00 have no room for 1.60 more"
    roll_back(CODES[0], made.pk, NOW)
    assert total() == 0


def test_days_drop_out_of_the_period(checkout: Ask, bind: Bind, store: Settings) -> None:
    bind({"amount": 5, "per": "7d", "hard": True})
    order = Order("c-1", "EUR", LINES)
    assert isinstance(redeem(store, CODES[0], order, "A1", NOW), Redemption)
    Coupon.objects.update(last_day=NOW.date() + timedelta(days=60))
    assert redeem(store, CODES[1], order, "A2", NOW + timedelta(days=6)) == Reason.BUDGET_SPENT
    assert isinstance(redeem(store, CODES[1], order, "A2", NOW + timedelta(days=7)), Redemption)


@pytest.mark.parametrize("budgets", [(HARD,), ({"amount": 1000, "per": "30d"}, {**HARD, "program": "win-back", "per": "7d"})])
def test_of_many_who_try_at_once_none_exceeds_it(checkout: Ask, bind: Bind, store: Settings, budgets: tuple[dict[str, Any], ...]) -> None:
    """Twenty threads try every code of twenty: 65.00 are taken already, so that seven of 5.00 fit in the 100.00."""
    bind(*budgets)
    Spend.objects.create(program="win-back", payer="shop", spent_on=NOW.date() - timedelta(days=1), cost=6500)
    order = Order("c-1", "EUR", LINES)

    def twenty(thread: int) -> list[object]:
        try:
            return [redeem(store, CODES[(thread + number) % 20], order, f"{thread}-{number}", NOW) for number in range(20)]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        found = [one for tries in pool.map(twenty, range(20)) for one in tries]
    assert sum(isinstance(one, Redemption) for one in found) == 7
    assert {one for one in found if not isinstance(one, Redemption)} <= {Reason.USED, Reason.BUDGET_SPENT}
    assert (total(), Redemption.objects.count(), sum(Coupon.objects.values_list("redeemed", flat=True))) == (10_000, 7, 7)


def test_history_learns_what_was_spent_by_day_and_no_customer(checkout: Ask, bind: Bind, store: Settings) -> None:
    bind()
    made = redeem(store, CODES[0], Order("c-1", "EUR", LINES), "A1", NOW)
    assert isinstance(made, Redemption)
    for expected in (500, 0):
        with open_history(store.history, store.root) as warehouse:
            close_cycle(store, warehouse, NOW)
            (row,) = warehouse.arrow(warehouse.current("spend").drop("source", "batch", "digest")).to_pylist()
        day: date = row.pop("spent_on")
        assert row == {"spend_id": f"win-back:shop:{day}", "program": "win-back", "payer": "shop", "cost": expected}
        roll_back(CODES[0], made.pk, NOW)


def test_pages_say_so_while_it_is_spent(checkout: Ask, bind: Bind, store: Settings) -> None:
    """By hand: of 9.00 the first code leaves 4.00, too little for another 5.00, and next to a spent budget for the planner."""
    bind({"amount": 9, "per": "30d", "hard": True})
    link = f"/for/{shorten(load_ring(store.var, 'messages'), Link(Touch.objects.get(code=CODES[1]).pk, 0))}"
    page = Client().get(link).content.decode()
    assert CODES[1] in page
    assert isinstance(redeem(store, CODES[0], Order("c-1", "EUR", LINES), "A1", NOW), Redemption)
    page = Client().get(link).content.decode()
    assert "Its budget is spent for now" in page
    assert CODES[1] not in page


def test_messages_that_wait_with_a_code_that_would_be_refused_are_withdrawn(checkout: Ask, bind: Bind, store: Settings) -> None:
    bind({"amount": 5, "per": "30d", "hard": True})
    Touch.objects.filter(code__in=CODES[1:3]).update(status="planned")
    Coupon.objects.filter(pk=CODES[2]).update(limited=False)
    assert spending.withdraw_spent(store, NOW) == 0
    assert isinstance(redeem(store, CODES[0], Order("c-1", "EUR", LINES), "A1", NOW), Redemption)
    assert spending.withdraw_spent(store, NOW) == 1
    assert Touch.objects.get(code=CODES[1]).reason == "the budget of its offer is spent"
    assert Touch.objects.get(code=CODES[2]).status == "planned"
