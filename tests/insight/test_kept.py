"""What was bought and kept: returns in full and in part, with and without an order, gifts, and the instant."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.insight import kept
from rekindle.moment import parse_as_of
from tests.insight.histories import Fact, history, line, order, write

AS_OF = parse_as_of("2026-05-02", "Europe/Berlin")
APRIL, MAY = datetime(2026, 4, 1, 10), datetime(2026, 5, 1, 10)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def back(name: str, customer: str, at: datetime, **more: object) -> Fact:
    return {"return_id": name, "customer_id": customer, "returned_at": at, "amount": 0, **more}


def found(warehouse: Warehouse) -> list[tuple[object, ...]]:
    rows = warehouse.arrow(kept.kept_lines(warehouse, AS_OF)).to_pylist()
    return sorted((row["order_id"], row["product_id"], row["quantity"], row["amount"]) for row in rows)


def test_lines_of_one_product_are_one_and_fees_are_none(warehouse: Warehouse) -> None:
    made, void, late = order("a", "c", APRIL, 9), order("b", "c", APRIL, 9, cancelled=True), order("z", "c", datetime(2026, 5, 2), 9)
    lines = [line(made, 1, "tea", 300, quantity=2), line(made, 2, "tea", 200), line(made, 3, None, 90), line(void, 1, "jam", 1)]
    write(warehouse, {"orders": [made, void, late], "order_lines": [*lines, line(late, 1, "tea", 5)]})
    assert found(warehouse) == [("a", "tea", 3, 500)]


def test_what_came_back_in_full_is_not_kept(warehouse: Warehouse) -> None:
    first, second = order("a", "c", APRIL, 9), order("b", "c", MAY, 9)
    lines = [line(first, n, name, 100, quantity=3) for n, name in enumerate(("tea", "jam", "pot", "cup"), 1)]
    lines += [line(second, 1, "tea", 40), line(second, 2, "pan", 60)]
    returns = [
        back("1", "c", MAY, order_id="a", product_id="tea", quantity=2), back("2", "c", MAY, order_id="a", product_id="tea", quantity=1),
        back("3", "c", MAY, order_id="a", product_id="jam", quantity=2),  # one of three is kept
        back("4", "c", MAY, order_id="a", product_id="pot"),  # how many is not said: all
        back("5", "c", datetime(2026, 5, 3), order_id="a", product_id="cup", quantity=3),  # after the instant
        back("6", "c", MAY, order_id="b", amount=99),  # less than the order
    ]
    write(warehouse, {"orders": [first, second], "order_lines": lines, "returns": returns})
    assert found(warehouse) == [("a", "cup", 3, 100), ("a", "jam", 3, 100), ("b", "pan", 1, 60), ("b", "tea", 1, 40)]


def test_an_order_sent_back_whole_is_not_kept(warehouse: Warehouse) -> None:
    made = order("a", "c", APRIL, 9)
    write(warehouse, {"orders": [made], "order_lines": [line(made, 1, "tea", 60), line(made, 2, "jam", 40)],
                      "returns": [back("1", "c", MAY, order_id="a", amount=100)]})
    assert found(warehouse) == []
    returned = warehouse.arrow(kept.returned_products(warehouse, AS_OF).order_by("product_id")).to_pylist()
    assert [row["product_id"] for row in returned] == ["jam", "tea"]


def test_a_return_without_an_order_is_of_the_customers_latest_by_then(warehouse: Warehouse) -> None:
    orders = [order("a", "c", APRIL, 9), order("b", "c", datetime(2026, 4, 10), 9), order("d", "c", MAY, 9), order("e", "other", APRIL, 9)]
    write(warehouse, {"orders": orders, "order_lines": [line(one, 1, "tea", 10, quantity=2) for one in orders],
                      "returns": [back("1", "c", datetime(2026, 4, 20), product_id="tea", quantity=2)]})
    assert [row[0] for row in found(warehouse)] == ["a", "d", "e"]


def test_gifts_are_known_by_name_or_category(warehouse: Warehouse) -> None:
    names = {"1": "Gift card 50", "2": "Gift Wrapping", "3": "Gifted tea", "4": "Geschenkgutschein", "5": "Tea", "6": "Chèque cadeau"}
    made = order("a", "c", APRIL, 9)
    products = [{"product_id": key, "name": name} for key, name in names.items()]
    products[4]["category"] = "Gift vouchers"
    write(warehouse, {"orders": [made], "order_lines": [line(made, n, key, 10) for n, key in enumerate([*names, "7"], 1)],
                      "products": products})
    lines = kept.without_gifts(kept.kept_lines(warehouse, AS_OF), warehouse.current("products"))
    assert sorted(warehouse.arrow(lines)["product_id"].to_pylist()) == ["3", "7"]


def test_items_are_products_or_categories(warehouse: Warehouse) -> None:
    made = order("a", "c", APRIL, 9)
    products = [{"product_id": "tea", "category": "Warm"}, {"product_id": "coffee", "category": "Warm"}, {"product_id": "jam"}]
    write(warehouse, {"orders": [made], "order_lines": [line(made, n, name, 10) for n, name in enumerate(("tea", "coffee", "jam"), 1)],
                      "products": products})
    lines, catalogue = kept.kept_lines(warehouse, AS_OF), warehouse.current("products")

    def rows(level: kept.Level) -> list[tuple[str, str]]:
        return sorted((row["item"], row["item_group"]) for row in warehouse.arrow(kept.items(lines, catalogue, level)).to_pylist())

    assert rows("product") == [("coffee", "Warm"), ("jam", ""), ("tea", "Warm")]
    assert rows("category") == [("Warm", "")]
