"""What counts as evidence of a lapse, to the second."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.insight import friction
from rekindle.moment import parse_as_of
from tests.insight.histories import history, write

AS_OF = parse_as_of("2026-05-02", "UTC")
NOW = AS_OF.naive
LAST = datetime(2026, 3, 1, 12)
SECOND = timedelta(seconds=1)
EVENTS = ("Product Unavailable", "Product Viewed")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def seen(warehouse: Warehouse) -> list[str]:
    return sorted(warehouse.arrow(friction.events(warehouse, AS_OF))["fact"].to_pylist())


def test_a_delivery_is_late_when_its_promise_has_passed(warehouse: Warehouse) -> None:
    times = {
        "late": (LAST, LAST + SECOND), "to the second": (LAST, LAST), "early": (LAST, LAST - SECOND), "never": (LAST, None),
        "not yet due": (NOW, None), "due a second ago": (NOW - SECOND, None), "not yet seen": (NOW - SECOND, NOW),
        "unpromised": (None, LAST),
    }
    told = [{"shipment_id": name, "customer_id": "c", "promised_at": due, "delivered_at": came} for name, (due, came) in times.items()]
    write(warehouse, {"shipments": told})
    assert seen(warehouse) == ["shipment due a second ago", "shipment late", "shipment never", "shipment not yet seen"]


def test_the_other_kinds_of_evidence(warehouse: Warehouse) -> None:
    write(
        warehouse,
        {
            "events": [{"message_id": kind, "customer_id": "c", "name": kind, "occurred_at": LAST} for kind in EVENTS],
            "returns": [{"return_id": name, "customer_id": "c", "returned_at": at} for name, at in (("r", LAST), ("later", NOW))],
            "reviews": [{"review_id": str(stars), "customer_id": "c", "rating": stars, "reviewed_at": LAST} for stars in range(1, 6)],
            "tickets": [
                {"ticket_id": name, "customer_id": "c", "opened_at": LAST, "closed_at": at}
                for name, at in (("open", None), ("closed", NOW - SECOND), ("closes later", NOW))
            ],
        },
    )
    assert seen(warehouse) == ["event Product Unavailable", "return r", "review 1", "review 2", "ticket closes later", "ticket open"]
    table = friction.open_tickets(warehouse, AS_OF)
    assert warehouse.arrow(table).to_pylist() == [{"customer_id": "c", "open_ticket": True}]


def test_the_first_kind_near_the_last_order_is_the_cause_with_all_its_evidence(warehouse: Warehouse) -> None:
    def fact(customer: str, cause: str, name: str, at: datetime) -> dict[str, object]:
        return {"customer_id": customer, "cause": cause, "fact": name, "happened_at": at}

    begin, end = LAST - timedelta(days=30), LAST + timedelta(days=45)
    facts = [
        fact("both", "return", "return 1", LAST), fact("both", "late_delivery", "shipment 2", LAST),
        fact("both", "late_delivery", "shipment 10", LAST),
        fact("edge", "open_ticket", "ticket in", begin), fact("edge", "late_delivery", "shipment before", begin - SECOND),
        fact("end", "bad_review", "review in", end - SECOND), fact("end", "late_delivery", "shipment after", end),
        fact("none", "return", "return old", begin - SECOND), fact("stranger", "return", "return 9", LAST),
    ]
    customers = ibis.memtable(pa.table({"customer_id": ["both", "edge", "end", "none", "quiet"], "last_ordered_at": [LAST] * 5}))
    found = warehouse.arrow(friction.causes(ibis.memtable(pa.Table.from_pylist(facts)), customers).order_by("customer_id")).to_pylist()
    assert found == [
        {"customer_id": "both", "cause": "late_delivery", "had_friction": True, "cause_evidence": "shipment 10, shipment 2"},
        {"customer_id": "edge", "cause": "open_ticket", "had_friction": True, "cause_evidence": "ticket in"},
        {"customer_id": "end", "cause": "bad_review", "had_friction": True, "cause_evidence": "review in"},
    ]


def test_causes_are_named_in_the_order_in_which_they_win() -> None:
    assert list(friction.CAUSES) == [
        "late_delivery", "stockout", "return", "refund", "bad_review", "open_ticket", "poor_support", "checkout", "price_rise",
        "need_ended", "unknown",
    ]
    assert set(friction.REASONS.values()) < set(friction.CAUSES)


def ranked(facts: list[dict[str, object]], warehouse: Warehouse) -> list[tuple[str, int, str, str]]:
    customers = ibis.memtable(pa.table({"customer_id": ["a", "b"], "last_ordered_at": [LAST] * 2}))
    table = friction.ranked(ibis.memtable(pa.Table.from_pylist(facts)), customers)
    rows = warehouse.arrow(table.order_by("customer_id", "place")).to_pylist()
    return [(row["customer_id"], row["place"], row["cause"], row["evidence"]) for row in rows]


def test_every_cause_with_evidence_is_ranked_and_what_the_customer_said_comes_first(warehouse: Warehouse) -> None:
    def fact(customer: str, cause: str, name: str, at: datetime = LAST) -> dict[str, object]:
        return {"customer_id": customer, "cause": cause, "fact": name, "happened_at": at}

    late = LAST + timedelta(days=400)
    facts = [
        fact("a", "return", "return 1"), fact("a", "late_delivery", "shipment 1"), fact("a", "price_rise", "product p"),
        fact("a", "need_ended", "answer m", late), fact("a", "checkout", "answer before", LAST - SECOND),
        fact("b", "return", "return 2"), fact("b", "return", "answer n", late), fact("b", "bad_review", "review late", late),
    ]
    assert ranked(facts, warehouse) == [
        ("a", 1, "need_ended", "answer m"), ("a", 2, "late_delivery", "shipment 1"), ("a", 3, "return", "return 1"),
        ("a", 4, "price_rise", "product p"), ("b", 1, "return", "answer n, return 2"),
    ]


def test_answers_are_evidence_of_the_cause_they_name_and_other_answers_of_none(warehouse: Warehouse) -> None:
    names = [friction.ANSWER + reason for reason in (*friction.REASONS, "other")] + ["Why Prompt Shown"]
    told = [{"message_id": name, "customer_id": "c", "name": name, "occurred_at": LAST} for name in names]
    write(warehouse, {"events": told})
    rows = warehouse.arrow(friction.events(warehouse, AS_OF)).to_pylist()
    expected = {f"answer {friction.ANSWER}{reason}": cause for reason, cause in friction.REASONS.items()}
    assert {row["fact"]: row["cause"] for row in rows} == expected


def test_money_back_without_goods_is_a_refund(warehouse: Warehouse) -> None:
    told = [{"return_id": str(n), "customer_id": "c", "returned_at": LAST, "quantity": n, "amount": 500} for n in (None, 0, 1)]
    write(warehouse, {"returns": told})
    rows = warehouse.arrow(friction.events(warehouse, AS_OF)).to_pylist()
    assert {row["fact"]: row["cause"] for row in rows} == {"return None": "return", "return 0": "refund", "return 1": "return"}
