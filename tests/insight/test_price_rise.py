"""When a product counts as dearer: a tenth more, for all who bought it in the month after, three times at least."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.insight import price_rise
from rekindle.moment import parse_as_of
from tests.insight.histories import Fact, Facts, history, line, order, write

AS_OF = parse_as_of("2026-09-02", "Europe/Berlin")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def sale(number: int, customer: str, at: datetime, product: str, amount: int, **more: object) -> tuple[Fact, Fact]:
    made = order(f"o{number}", customer, at, amount, lines=1)
    return made, line(made, 1, product, amount, **more)


def shop(sales: list[tuple[Fact, Fact]]) -> Facts:
    return {"orders": [one for one, _ in sales], "order_lines": [one for _, one in sales]}


def risen(warehouse: Warehouse, *asked: object) -> set[tuple[str, str, date]]:
    rows = warehouse.arrow(price_rise.rises(warehouse, AS_OF, *asked)).to_pylist()
    return {(row["customer_id"], row["product_id"], row["dearer_day"]) for row in rows}


@pytest.mark.parametrize(
    ("paid", "later", "rose"),
    [
        (1000, (1100, 1100, 1200), True),
        (1000, (1099, 1200, 1200), False),
        (1000, (1200, 1200), False),
        (1000, (900, 1200, 1200, 1200), False),
        (3, (4, 4, 4), True),
    ],
)
def test_a_tenth_more_for_all_who_bought_in_the_month_after(warehouse: Warehouse, paid: int, later: tuple[int, ...], rose: bool) -> None:
    sales = [sale(0, "c", datetime(2026, 5, 20, 12), "p", paid)]
    sales += [sale(n, f"d{n}", datetime(2026, 6, 1 + n, 12), "p", amount) for n, amount in enumerate(later, 1)]
    write(warehouse, shop(sales))
    assert risen(warehouse) == ({("c", "p", date(2026, 6, 2))} if rose else set())


def test_a_discount_that_ends_and_another_quantity_are_no_rise(warehouse: Warehouse) -> None:
    sales = [sale(0, "c", datetime(2026, 5, 20, 12), "p", 900, discount=100)]
    sales += [sale(9, "q", datetime(2026, 5, 21, 12), "p", 5000, quantity=5)]
    sales += [sale(n, f"d{n}", datetime(2026, 6, n, 12), "p", 1000) for n in (1, 2, 3)]
    write(warehouse, shop(sales))
    assert risen(warehouse) == set()


def test_only_sales_that_are_seen_and_stand_count(warehouse: Warehouse) -> None:
    sales = [sale(0, "c", datetime(2026, 8, 20, 12), "p", 1000)]
    sales += [sale(n, f"d{n}", datetime(2026, 9, 1 + n, 12), "p", 2000) for n in (0, 1, 2)]
    write(warehouse, shop(sales))
    assert risen(warehouse) == set()


def test_plain_python_finds_the_same_rises(warehouse: Warehouse) -> None:
    chance = np.random.default_rng(11)
    sales = []
    for number in range(600):
        at = datetime(2026, 1, 1, 12) + timedelta(days=int(chance.integers(0, 240)))
        quantity, unit = int(chance.integers(1, 4)), int(100 * 1.12**at.month + chance.integers(0, 6))
        product = f"p{chance.integers(0, 12)}"
        sales.append(sale(number, f"c{chance.integers(0, 80)}", at, product, unit * quantity, quantity=quantity))
    write(warehouse, shop(sales))
    by_month: dict[tuple[object, int], list[Fact]] = {}
    for _, one in sales:
        by_month.setdefault((one["product_id"], one["purchase_day"].month), []).append(one)
    expected = set()
    for _, one in sales:
        after = by_month.get((one["product_id"], one["purchase_day"].month + 1), [])
        paid = one["amount"] / one["quantity"]
        if len(after) >= 3 and all(other["amount"] / other["quantity"] >= 1.1 * paid - 1e-9 for other in after):
            expected.add((one["customer_id"], one["product_id"], min(other["purchase_day"] for other in after)))
    assert 20 < len(expected) < 580
    assert risen(warehouse) == expected


@pytest.mark.parametrize(("last_day", "found"), [(date(2026, 6, 2), True), (date(2026, 7, 2), True), (date(2026, 8, 21), False)])
def test_of_some_customers_what_rose_long_before_their_last_day_is_left_out(warehouse: Warehouse, last_day: date, found: bool) -> None:
    """Of what was bought on 1 May the price rose on 30 June: as late as it can."""
    sales = [sale(n, who, datetime(2026, 5, 1, 12), "p", 1000) for n, who in enumerate("cx")]
    sales += [sale(n, f"d{n}", datetime(2026, 6, 30, 12), "p", 1200) for n in (2, 3, 4)]
    write(warehouse, shop(sales))
    customers = warehouse.keep(pa.table({"customer_id": ["c"], "last_day": [last_day]}))
    assert risen(warehouse, customers, 2) == ({("c", "p", date(2026, 6, 30))} if found else set())
