"""Codes that were sent, and those that an order took: counted by offer from history."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa

from rekindle.history.tables import JOURNAL
from rekindle.service.flow import codes_taken
from rekindle.service.flow.codes_taken import Taken
from tests.decide.shop import instant
from tests.insight.histories import history, write

AT = datetime(2026, 2, 20)
TOUCH = {"program": "win-back", "stage": "tailor", "episode": "o1", "arm": "percent", "channel": "email", "settled_at": AT}
ORDER = {"ordered_at": datetime(2026, 2, 25), "purchase_day": AT.date(), "net": 4_000, "discount": 400, "cancelled": False, "code": ""}


def touch(customer: str, code: str, status: str = "sent") -> dict[str, object]:
    return {**TOUCH, "touch_key": f"t-{customer}", "customer_id": customer, "code": code, "status": status}


def test_a_code_counts_for_its_offer_once_an_order_of_its_owner_took_it(tmp_path: Path) -> None:
    with history(tmp_path) as warehouse:
        assert codes_taken.taken(tmp_path) == {}
        write(warehouse, {
            "touches": [touch("a", "CODE-A"), touch("b", "CODE-B"), touch("c", "CODE-C", "failed"), touch("d", ""), touch("e", "CODE-E")],
            "orders": [
                {**ORDER, "order_id": "1", "customer_id": "a", "code": "CODE-A"},
                {**ORDER, "order_id": "2", "customer_id": "b", "code": "CODE-A"},
                {**ORDER, "order_id": "3", "customer_id": "e", "code": "CODE-E", "cancelled": True},
                {**ORDER, "order_id": "4", "customer_id": "b", "code": "CODE-B", "ordered_at": datetime(2026, 3, 5)},
            ],
        })  # fmt: skip
        rows = [
            {**dict.fromkeys(JOURNAL.names), "customer_id": one, "program": "win-back", "stage": "tailor", "episode": "o1", "offer": offer}
            for one, offer in (("a", "ten"), ("b", "ten"), ("c", "ten"), ("d", "words"), ("e", "five"))
        ]
        with warehouse.transaction():
            warehouse.insert("journal", pa.Table.from_pylist(rows, schema=JOURNAL.to_pyarrow()))
        codes_taken.publish(tmp_path, warehouse, instant(0))
    assert codes_taken.taken(tmp_path) == {"ten": Taken(2, 1, 400), "five": Taken(1, 0, 0)}
