from datetime import date, datetime, timedelta

from rekindle.history.warehouse import open_history
from rekindle.moment import AsOf
from rekindle.program.documents import Offer, Program
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


DAY = timedelta(days=1)
NAIVE = NOON.replace(tzinfo=None)


def program(name: str, on: str, klass: str = "marketing", **more: object) -> Program:
    document = {
        "program": name, "version": 1, "class": klass, "owner": "Ada", "review": {"due": "2026-12-01"}, "trigger": {"on": on},
        "audience": {"enter": "orders >= 1"}, "exit": ["opt_out", "erasure"], "caps": {"touches": 1, "gap": "7d", "duration": "21d"},
        "stages": {
            "told": {
                "goal": {"metric": "order", "within": "21d"}, "delay": {"rhythm": 0.0}, "content": ["thanks"], "offers": {"price": False},
                "arms": {"it": {"offer": "none", "prior": {"mean": 0.0, "sd": 0.01}}},
            }
        },
        **more,
    }  # fmt: skip
    return Program.model_validate(document)


PROGRAMS = (
    program("review", "delivery", exit=["reviewed", "pause", "opt_out", "erasure"]), program("credit", "credit"),
    program("refill", "run_out"), program("confirmed", "order", "service"),
    program("late", "late_delivery", "service"), program("arrived", "delivery", "service"),
)  # fmt: skip
WAITING = {
    "reviewed": ("review", "o1"), "not reviewed": ("review", "o2"), "cancelled": ("review", "o3"), "pauses": ("review", "o4"),
    "paused before": ("review", "o5"), "spent": ("credit", "c1"), "unspent": ("credit", "c2"), "expired": ("credit", "c3"),
    "bought again": ("refill", "p:1:2026-10-01"), "bought other": ("refill", "p:1:2026-10-02"), "still late": ("late", "o6"),
    "came": ("late", "o7"), "came too": ("confirmed", "o7"), "late too": ("confirmed", "o6"), "arrived": ("arrived", "o7"),
    "under way": ("confirmed", "o8"),
}
"""Customers by what became of their round, with its program and episode."""


def facts() -> dict[str, list[dict[str, object]]]:
    rounds = [(name, episode) for name, (_, episode) in WAITING.items() if episode[0] == "o"]
    orders = [order(name, episode, NAIVE - 9 * DAY, cancelled=name == "cancelled") for name, episode in rounds]
    gifts = {"spent": ("c1", 500, NAIVE.date() + DAY), "unspent": ("c2", 100, NAIVE.date()), "expired": ("c3", 0, NAIVE.date() - DAY)}
    names = ("pauses", "paused before")
    pauses = [(name, NAIVE + (DAY if name == "pauses" else -DAY)) for name in names]
    bought = {"bought again": date(2026, 10, 20), "bought other": date(2026, 10, 1)}
    return {
        "orders": [
            *{str(one["order_id"]): one for one in orders}.values(),
            *(order(name, name, NAIVE - 20 * DAY, purchase_day=day) for name, day in bought.items()),
        ],
        "order_lines": [
            {"order_id": name, "line_no": 1, "customer_id": name, "product_id": "p:1", "purchase_day": day, "quantity": 1, "amount": 5}
            for name, day in bought.items()
        ],
        "reviews": [{"review_id": "r", "customer_id": "reviewed", "order_id": "o1", "rating": 5, "reviewed_at": NAIVE - DAY}],
        "credits": [
            {"credit_id": key, "customer_id": name, "amount": 500, "spent": spent, "issued_at": NAIVE - 9 * DAY, "expires_on": ends}
            for name, (key, spent, ends) in gifts.items()
        ],
        "consents": [
            {
                "consent_key": name, "customer_id": name, "channel": "email", "purpose": "pause", "granted": True,
                "recorded_at": NAIVE - 3 * DAY, "expires_at": ends,
            }
            for name, ends in pauses
        ],
        "shipments": [
            {"shipment_id": "s6", "order_id": "o6", "promised_at": NAIVE - 2 * DAY, "delivered_at": None},
            {"shipment_id": "s7", "order_id": "o7", "promised_at": NAIVE - 2 * DAY, "delivered_at": NAIVE - DAY},
            {"shipment_id": "s8", "order_id": "o8", "promised_at": NAIVE + DAY, "delivered_at": None},
        ],
    }  # fmt: skip


def test_what_has_closed_since_is_withdrawn_with_its_reason(store: Settings) -> None:
    news = {one.name for one in PROGRAMS if one.service}
    programs, episodes = zip(*WAITING.values(), strict=True)
    plan(list(WAITING), program=list(programs), episode=list(episodes), service=[name in news for name in programs])
    with open_history(store.history, store.root) as warehouse:
        for name, rows in facts().items():
            take(warehouse, name, rows)
        as_of = AsOf(NOON, "UTC")
        assert dispatching.withdraw_closed(warehouse, as_of, []) == 0
        assert dispatching.withdraw_closed(warehouse, as_of, PROGRAMS) == 9
        assert dispatching.withdraw_closed(warehouse, as_of, PROGRAMS) == 0
    reasons = {name: queries.of_customer(name)[0]["reason"] for name in WAITING}
    later = "a later status of the order is told"
    assert {name: reason for name, reason in reasons.items() if reason} == {
        "reviewed": "reviewed since", "cancelled": "the order was cancelled", "pauses": "asked for a pause",
        "spent": "the credit is spent or has expired", "expired": "the credit is spent or has expired", "bought again": "bought again",
        "came": "the parcel has arrived", "came too": later, "late too": later,
    }


def test_an_offer_that_would_hold_for_less_than_its_minimum_is_not_sent(store: Settings) -> None:
    """Seven days at the least; where the day has begun already, in Kiritimati, one is missing."""
    names = ["enough", "short", "tomorrow there", "only words"]
    ends = [NAIVE.date() + timedelta(days=days) for days in (7, 6, 7, 1)]
    plan(names, offer=["credit", "credit", "credit", "summary"], valid_until=ends)
    usual = {"label": "x", "minimum_valid": "7d"}
    offers = {
        "credit": Offer.model_validate({**usual, "(name)": "credit", "kind": "credit", "amount": 5, "redemption": 0.5}),
        "summary": Offer.model_validate({**usual, "(name)": "summary", "kind": "reminder"}),
    }
    with open_history(store.history, store.root) as warehouse:
        take(warehouse, "people", [{"customer_id": "tomorrow there", "timezone": "Pacific/Kiritimati"}])
        as_of = AsOf(NOON, "UTC")
        assert dispatching.withdraw_short(warehouse, as_of, {}) == 0
        assert dispatching.withdraw_short(warehouse, as_of, offers) == 2
        assert dispatching.withdraw_short(warehouse, as_of, offers) == 0
    assert {name for name in names if queries.of_customer(name)[0]["reason"] == dispatching.SHORT} == {"short", "tomorrow there"}
