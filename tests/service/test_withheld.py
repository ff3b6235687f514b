"""What a code promises is asked once more in the transaction in which its message begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rekindle.deliver.channel import Message
from rekindle.service.flow import spending
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.flow.shift import BATCH
from rekindle.service.outbox.models import Touch
from rekindle.service.redemptions.models import Coupon, Spend
from rekindle.settings import Settings
from tests.decide.shop import rules
from tests.service.conftest import NOON
from tests.service.touches import OneByOne, Recorder, plan

LEDGERS = ("sqlite", "postgresql")
NAMES = [f"c{number}" for number in range(BATCH + 10)]
LATE = NAMES[-4:]
"""They are claimed, and have not begun, when the first message leaves."""
GIVEN: dict[str, Any] = {
    "plan": "plan1", "program": "win-back", "kind": "amount", "label": "EUR 5.00 off", "currency": "EUR", "amount": 500, "price": True,
    "last_day": NOON.date() + timedelta(days=5),
}  # fmt: skip


@pytest.fixture
def coded(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A store whose budget of 100.00 is hard, and messages each with a code of 5.00 of it."""
    held = rules(budget={"amount": 100, "per": "30d", "hard": True})
    monkeypatch.setattr(spending.documents, "approved_rules", lambda _: held)
    plan(NAMES, code=[f"CODE{name}" for name in NAMES])
    Coupon.objects.bulk_create(
        Coupon(code=f"CODE{name}", customer_id=name, episode="o1", stage="reconnect", offer="five", limited=True, **GIVEN) for name in NAMES
    )
    return store


@dataclass
class Meanwhile(OneByOne):
    """A channel at whose first message something happens in the shop."""

    what: Callable[[], object] = dict

    def hand_over(self, message: Message) -> str:
        if not self.taken:
            assert set(Touch.objects.filter(customer_id__in=LATE).values_list("status", flat=True)) == {"claimed"}
            self.what()
        return super().hand_over(message)


def spend(cost: int) -> Callable[[], object]:
    return lambda: Spend.objects.create(program="win-back", payer="shop", spent_on=NOON.date(), cost=cost)


def reasons() -> dict[str, str]:
    return dict(Touch.objects.filter(status="suppressed").values_list("customer_id", "reason"))


@pytest.mark.parametrize(("change", "cost"), [({}, 9600), ({"percent": 10, "amount": None}, 9600), ({"amount": 600}, 9450)])
def test_no_code_leaves_of_a_budget_that_was_spent_meanwhile(coded: Settings, change: dict[str, Any], cost: int) -> None:
    """Spent as the planner means it, from 95.00 on, or with too little left for the least that the code costs."""
    Coupon.objects.filter(customer_id__in=LATE).update(**change)
    Coupon.objects.exclude(customer_id__in=LATE[:-1]).update(limited=False)
    done = send_due(coded, NOON, senders={"email": (sender := Meanwhile(what=spend(cost)))})
    assert done == Sent(len(NAMES), {"sent": len(NAMES) - 3, "suppressed": 3}, 0)
    assert reasons() == dict.fromkeys(LATE[:-1], "the budget of its offer is spent")
    assert {message.to.partition("@")[0] for message in sender.taken} == {*NAMES} - {*LATE[:-1]}


def test_codes_of_a_budget_that_has_room_leave(coded: Settings) -> None:
    done = send_due(coded, NOON, senders={"email": Meanwhile(what=spend(9400))})
    assert done == Sent(len(NAMES), {"sent": len(NAMES)}, 0)


def test_no_code_leaves_of_a_round_that_ended_meanwhile(coded: Settings) -> None:
    first, other = LATE[:2]
    Coupon.objects.create(code="EARLY", customer_id=first, episode="o1", stage="light", offer="five", **GIVEN)
    Coupon.objects.create(code="OLD", customer_id=other, episode="o0", stage="light", offer="five", **GIVEN)
    ended = Coupon.objects.filter(code__in=("EARLY", "OLD"))
    send_due(coded, NOON, senders={"email": Meanwhile(what=lambda: ended.update(redeemed=1))})
    assert reasons() == {first: "its code was redeemed"}


@pytest.mark.parametrize("questions", [0, 1])
def test_without_a_hard_budget_it_is_one_question_a_batch_and_without_codes_none(
    coded: Settings, monkeypatch: pytest.MonkeyPatch, questions: int
) -> None:
    Coupon.objects.update(limited=False)
    if not questions:
        Touch.objects.update(code="")
    Touch.objects.filter(customer_id__in=NAMES[BATCH:]).delete()
    whole, asked = spending._HELD_BACK, []
    monkeypatch.setattr(spending, "_HELD_BACK", lambda *codes: asked.append(codes) or whole(*codes))
    with CaptureQueriesContext(connection) as seen:
        send_due(coded, NOON, senders={"email": Recorder()})
    assert [len(codes) for codes in asked] == [BATCH] * questions
    assert [query for query in seen if "redemptions_spend" in query["sql"]] == []
