"""What was left in the cart: the last word on each thing counts, and what was bought since is no longer there."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.service.flow.left_behind import left
from tests.insight.histories import history, write

AT = datetime(2026, 11, 1, 12)
AS_OF = datetime(2026, 11, 23)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def event(number: int, name: str, product: str, customer: str = "c1", at: datetime | None = None) -> dict[str, object]:
    happened = at or AT + timedelta(hours=number)
    return {"message_id": f"e{number}", "customer_id": customer, "name": name, "product_id": product, "occurred_at": happened}


def found(warehouse: Warehouse, *events: dict[str, object]) -> dict[str, list[str]]:
    products = [{"product_id": f"p{number}", "name": f"Thing {number}", "in_stock": number != 9} for number in range(1, 10)]
    write(warehouse, {"products": products, "events": list(events)})
    messages = warehouse.keep(pa.table({"customer_id": ["c1", "c2"], "as_of": [AS_OF] * 2}))
    rows = warehouse.arrow(left(warehouse, messages)).to_pylist()
    return {row["customer_id"]: [row[f"left_{n}"] for n in range(1, 6) if row[f"left_{n}"]] for row in rows}


def test_the_latest_comes_first_and_nobody_else_is_looked_at(warehouse: Warehouse) -> None:
    events = [event(1, "Product Added", "p1"), event(2, "Product Added to Wishlist", "p2"), event(3, "Product Added", "p3", "c3")]
    assert found(warehouse, *events) == {"c1": ["p2", "p1"]}


def test_what_was_taken_out_or_cannot_be_had_is_not_there(warehouse: Warehouse) -> None:
    events = [
        event(1, "Product Added", "p1"), event(2, "Product Removed", "p1"), event(3, "Product Added to Wishlist", "p2"),
        event(4, "Product Removed from Wishlist", "p2"), event(5, "Product Added", "p9"), event(6, "Product Added", "p8", at=AS_OF),
        event(7, "Product Added", "p3"), event(8, "Product Added", "unknown"),
    ]  # fmt: skip
    assert found(warehouse, *events) == {"c1": ["p3"]}


def test_moving_a_thing_from_the_wishlist_to_the_cart_keeps_it(warehouse: Warehouse) -> None:
    events = [event(1, "Product Added to Wishlist", "p1"), event(2, "Product Added", "p1"), event(3, "Product Removed from Wishlist", "p1")]
    assert found(warehouse, *events) == {"c1": ["p1"]}


def test_what_was_bought_since_is_not_there_and_what_was_bought_before_is(warehouse: Warehouse) -> None:
    write(warehouse, {"order_lines": [bought("o1", "p1", AT), bought("o2", "p2", AT - timedelta(days=2))]})
    assert found(warehouse, event(1, "Product Added", "p1"), event(2, "Product Added", "p2")) == {"c1": ["p2"]}


def bought(order_id: str, product: str, at: datetime) -> dict[str, object]:
    what = {"customer_id": "c1", "product_id": product, "quantity": 1, "amount": 500}
    return {"order_id": order_id, "line_no": 1, "purchase_day": at.date(), **what}


def test_at_most_five_things_are_brought_back(warehouse: Warehouse) -> None:
    events = [event(number, "Product Added", f"p{number}") for number in range(1, 8)]
    assert found(warehouse, *events) == {"c1": ["p7", "p6", "p5", "p4", "p3"]}
