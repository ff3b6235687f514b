from datetime import datetime, timedelta

from rekindle.history.warehouse import open_history
from rekindle.service.flow import dispatching
from rekindle.service.outbox import queries
from rekindle.settings import Settings
from tests.history.facts import take
from tests.service.conftest import NOON
from tests.service.touches import plan


def order(customer: str, order_id: str, at: datetime, **more: object) -> dict[str, object]:
    return {"order_id": order_id, "customer_id": customer, "ordered_at": at.replace(tzinfo=None), **more}


def test_an_open_complaint_or_return_holds_a_waiting_message_back(store: Settings) -> None:
    plan(["asks", "answered", "returns", "settled"], episode=["a", "b", "c", "d"])
    naive = NOON.replace(tzinfo=None)
    opened, closed = naive - timedelta(days=2), naive - timedelta(days=1)
    with open_history(store.history, store.root) as warehouse:
        tickets = [{"ticket_id": name, "customer_id": name, "opened_at": opened, "closed_at": closed} for name in ("asks", "answered")]
        tickets[0]["closed_at"] = naive + timedelta(days=1)
        take(warehouse, "tickets", tickets)
        names = ("returns", "settled")
        back = [{"return_id": name, "customer_id": name, "returned_at": opened, "open": name == "returns"} for name in names]
        take(warehouse, "returns", back)
        assert dispatching.withdraw_silenced(warehouse, NOON) == 2
        assert dispatching.withdraw_silenced(warehouse, NOON) == 0
    assert queries.counts() == {"planned": 2, "suppressed": 2}
    assert {queries.of_customer(name)[0]["reason"] for name in ("asks", "returns")} == {"open complaint or return"}


def test_whoever_orders_before_the_send_gets_no_message(store: Settings) -> None:
    plan(["bought", "cancelled", "silent", "later"], episode=["a", "b", "c", "d"])
    before, since = NOON - timedelta(days=90), NOON - timedelta(hours=2)
    with open_history(store.history, store.root) as warehouse:
        anchors = zip(("bought", "cancelled", "silent", "later"), "abcd", strict=True)
        facts = [order(customer, key, before) for customer, key in anchors]
        facts += [order("bought", "e", since), order("cancelled", "f", since, cancelled=True), order("later", "g", NOON)]
        take(warehouse, "orders", facts)
        assert dispatching.withdraw_ordered(warehouse, NOON, ["review-request"]) == 0  # an order ends no round of it
        assert dispatching.withdraw_ordered(warehouse, NOON, []) == 0
        assert dispatching.withdraw_ordered(warehouse, NOON, ["win-back"]) == 1
        assert dispatching.withdraw_ordered(warehouse, NOON, ["win-back"]) == 0
    assert queries.counts() == {"planned": 3, "suppressed": 1}
    assert queries.of_customer("bought")[0]["reason"] == "ordered since"
