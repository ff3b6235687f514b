"""What was bought, when and at what margin, in small cases whose numbers are worked out here."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.insight import offer_scopes, profile, purchases
from rekindle.moment import parse_as_of
from tests.insight.histories import Fact, Marketplace, history, line, order, write

AS_OF = parse_as_of("2026-05-02", "Europe/Berlin")
MAY = datetime(2026, 5, 1, 10)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def rows(warehouse: Warehouse, table: ibis.Table, *by: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = warehouse.arrow(table.order_by(*by)).to_pylist()
    return found


def test_an_order_stands_if_it_came_before_the_instant_and_was_not_cancelled(warehouse: Warehouse) -> None:
    """The instant is midnight in Berlin, ten in the evening UTC."""
    orders = [
        order("last", "c", datetime(2026, 5, 1, 21, 59, 59), 1), order("late", "c", datetime(2026, 5, 1, 22), 2),
        order("void", "c", MAY, 4, cancelled=True),
    ]
    write(warehouse, {"orders": orders, "order_lines": [line(one, 1, "p", one["net"]) for one in orders]})
    assert [row["order_id"] for row in rows(warehouse, purchases.sales(warehouse, AS_OF), "order_id")] == ["last"]
    assert [row["order_id"] for row in rows(warehouse, purchases.sold_lines(warehouse, AS_OF), "order_id")] == ["last"]
    (row,) = rows(warehouse, purchases.per_customer(purchases.sales(warehouse, AS_OF)), "customer_id")
    assert (row["orders"], row["spend"], row["bare"], row["first_day"], row["last_day"]) == (1, 1, 1, date(2026, 5, 1), date(2026, 5, 1))


def test_lines_of_the_day_under_way_are_seen_up_to_the_instant(warehouse: Warehouse) -> None:
    orders = [order("morning", "c", datetime(2026, 5, 1, 8), 1, lines=1), order("evening", "c", datetime(2026, 5, 1, 18), 2, lines=1)]
    write(warehouse, {"orders": orders, "order_lines": [line(one, 1, "p", one["net"]) for one in orders]})
    noon = parse_as_of("2026-05-01T12:00:00Z", "Europe/Berlin")
    assert [row["order_id"] for row in rows(warehouse, purchases.sold_lines(warehouse, noon), "order_id")] == ["morning"]


def test_days_are_the_shops_and_orders_of_one_day_are_one_purchase_day(warehouse: Warehouse) -> None:
    """Half past ten in the evening UTC is the next day in Berlin."""
    orders = [
        order("a", "c", datetime(2026, 4, 1, 22, 30), 10, discount=3), order("b", "c", datetime(2026, 4, 2, 8), 20, lines=2),
        order("d", "c", datetime(2026, 4, 9, 8), 40), order("e", "other", MAY, 80),
    ]
    write(warehouse, {"orders": orders})
    sales = purchases.sales(warehouse, AS_OF)
    sums = purchases.per_customer(sales)
    assert rows(warehouse, sums, "customer_id") == [
        {
            "customer_id": "c", "orders": 3, "purchase_days": 2, "spend": 70, "discount": 3, "bare": 50,
            "first_day": date(2026, 4, 2), "last_day": date(2026, 4, 9), "previous_day": date(2026, 4, 2), "gap_squares": 49,
            "recent_days": 2, "discounted": 1, "single": 0, "lined": 1, "last_order_id": "d", "last_ordered_at": datetime(2026, 4, 9, 8),
        },
        {
            "customer_id": "other", "orders": 1, "purchase_days": 1, "spend": 80, "discount": 0, "bare": 80,
            "first_day": date(2026, 5, 1), "last_day": date(2026, 5, 1), "previous_day": None, "gap_squares": 0,
            "recent_days": 1, "discounted": 0, "single": 0, "lined": 0, "last_order_id": "e", "last_ordered_at": MAY,
        },
    ]


def test_the_last_order_is_the_latest_and_of_one_instant_the_greatest_id(warehouse: Warehouse) -> None:
    orders = [order(name, "c", at, 1) for name, at in (("z", datetime(2026, 5, 1, 9)), ("x", MAY), ("y", MAY), ("w", MAY))]
    write(warehouse, {"orders": orders})
    (row,) = rows(warehouse, purchases.per_customer(purchases.sales(warehouse, AS_OF)), "customer_id")
    assert (row["last_order_id"], row["last_ordered_at"], row["previous_day"]) == ("y", MAY, None)


def test_the_last_order_is_one_of_the_last_day_even_where_the_store_has_changed_its_time_zone(warehouse: Warehouse) -> None:
    """Its days were once those of Auckland: an earlier instant may lie on a later day."""
    tomorrow = order("auckland", "c", datetime(2026, 5, 1, 9), 1, purchase_day=date(2026, 5, 2))
    write(warehouse, {"orders": [order("berlin", "c", MAY, 1), tomorrow]})
    (row,) = rows(warehouse, purchases.per_customer(purchases.sales(warehouse, AS_OF)), "customer_id")
    assert (row["last_order_id"], row["last_day"], row["previous_day"]) == ("auckland", date(2026, 5, 2), date(2026, 5, 1))


def by_hand(orders: list[Fact]) -> dict[str, object]:
    """What `per_customer` says of one customer's orders, in plain Python."""
    days = sorted({one["purchase_day"] for one in orders})
    gaps = [(later - earlier).days for earlier, later in zip(days, days[1:], strict=False)]
    last = max((one for one in orders if one["purchase_day"] == days[-1]), key=lambda one: (one["ordered_at"], one["order_id"]))
    return {
        "customer_id": last["customer_id"], "orders": len(orders), "purchase_days": len(days), "spend": sum(one["net"] for one in orders),
        "discount": sum(one["discount"] for one in orders), "bare": sum(one["net"] for one in orders if one["lines"] == 0),
        "first_day": days[0], "last_day": days[-1], "previous_day": days[-2] if gaps else None, "gap_squares": sum(gap**2 for gap in gaps),
        "recent_days": sum((days[-1] - day).days < 30 for day in days),
        "discounted": sum(one["discount"] > 0 or bool(one.get("code")) for one in orders),
        "single": sum(one["lines"] == 1 for one in orders), "lined": sum(one["lines"] > 0 for one in orders),
        "last_order_id": last["order_id"], "last_ordered_at": last["ordered_at"],
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_said_of_every_customer_is_what_plain_python_says(warehouse: Warehouse, seed: int) -> None:
    facts = Marketplace(seed, "", [f"c{number}" for number in range(60)], datetime(2025, 11, 1), 200).tell(6.0)
    chance = np.random.default_rng(seed)
    for one in facts["orders"]:
        one["code"] = str(chance.choice(["", "MAY"])) if chance.random() < 0.3 else None
    write(warehouse, facts)
    standing = [one for one in facts["orders"] if not one["cancelled"] and one["ordered_at"] < AS_OF.naive]
    names = sorted({one["customer_id"] for one in standing})
    expected = [by_hand([one for one in standing if one["customer_id"] == name]) for name in names]
    assert rows(warehouse, purchases.per_customer(purchases.sales(warehouse, AS_OF)), "customer_id") == expected
    assert any(one["recent_days"] > 2 for one in expected)
    assert any(one["recent_days"] < one["purchase_days"] < one["orders"] for one in expected)


@pytest.mark.parametrize(("back", "recent"), [(29, 2), (30, 1)])
def test_recent_are_thirty_days_with_the_last(warehouse: Warehouse, back: int, recent: int) -> None:
    write(warehouse, {"orders": [order("a", "c", MAY - timedelta(days=back), 1), order("b", "c", MAY, 1)]})
    (row,) = rows(warehouse, purchases.per_customer(purchases.sales(warehouse, AS_OF)), "customer_id")
    assert (row["recent_days"], row["gap_squares"]) == (recent, back**2)


def ranked(warehouse: Warehouse, **ranks: int) -> ibis.Table:
    """The current products with these price ranks; all can be offered but those out of stock."""
    table = pa.table({"product_id": pa.array(ranks.keys(), pa.string()), "price_rank": pa.array(ranks.values(), pa.int64())})
    named = warehouse.current("products").left_join(ibis.memtable(table), "product_id").drop("product_id_right")
    return offer_scopes.numbered(warehouse, named)


def test_a_basket_knows_cost_from_the_line_then_the_product_and_ties_go_to_the_first_name(warehouse: Warehouse) -> None:
    made = order("o", "c", MAY, 1_000, lines=5)
    lines = [
        line(made, 1, "tea", 300, cost=100, quantity=2), line(made, 2, "tea", 200, quantity=3), line(made, 3, "jam", 500),
        line(made, 4, "gone", 90), line(made, 5, None, 10),
    ]
    products = [{"product_id": "tea", "category": "Warm", "cost": 30}, {"product_id": "jam", "category": "Sweet", "cost": None}]
    write(warehouse, {"orders": [made], "order_lines": lines, "products": products})
    catalogue = ranked(warehouse, tea=1000, jam=250)
    baskets = purchases.baskets(purchases.sold_lines(warehouse, AS_OF), catalogue, purchases.categories(catalogue), Decimal("0.40"))
    assert rows(warehouse, baskets, "customer_id") == [
        {
            "customer_id": "c", "amount": 1_100, "earned": 310_000 + 240_000, "ranked": 1_000, "rank_sum": 500 * 1_000 + 500 * 250,
            "category": "Sweet", "category_share": 500 / 1_100, "offer_category_no": 0, "offer_no": 0,
        },
    ]


def test_a_basket_without_categories_or_without_money_has_no_favourite_share(warehouse: Warehouse) -> None:
    paid, free = order("o", "c", MAY, 70, lines=1), order("q", "d", MAY, 0, lines=1)
    lines = [line(paid, 1, "plain", 70), line(free, 1, "tea", 0)]
    products = [{"product_id": "plain"}, {"product_id": "tea", "category": "Warm"}]
    write(warehouse, {"orders": [paid, free], "order_lines": lines, "products": products})
    catalogue = ranked(warehouse)
    baskets = purchases.baskets(purchases.sold_lines(warehouse, AS_OF), catalogue, purchases.categories(catalogue), Decimal("0.40"))
    assert [(row["category"], row["category_share"]) for row in rows(warehouse, baskets, "customer_id")] == [(None, 0.0), ("Warm", 0.0)]


def test_what_is_out_of_stock_or_of_a_suspended_seller_is_not_offered_but_its_category_may_be(warehouse: Warehouse) -> None:
    """Warm has most money and a mug for one unit; Sweet has nothing left; loose goods come last; amounts beyond every shop fit in."""
    bought = {"c": [("tea", 900), ("mug", 1), ("jam", 5_000)], "d": [("jam", 800), ("loose", 7)], "e": [("jam", 1), ("bars", 1)]}
    bought |= {"f": [("mug", 10**12), ("cup", 10**12), ("loose", 7)]}
    made = {customer: order(f"o{customer}", customer, MAY, 1, lines=len(sold)) for customer, sold in bought.items()}
    lines = [line(made[customer], at, product, paid) for customer, sold in bought.items() for at, (product, paid) in enumerate(sold)]
    products = [
        {"product_id": "tea", "category": "Warm", "in_stock": False}, {"product_id": "mug", "category": "Warm", "in_stock": True},
        {"product_id": "cup", "category": "Warm"}, {"product_id": "jam", "category": "Sweet", "in_stock": False},
        {"product_id": "bars", "category": "Sweet", "seller_id": "gone"}, {"product_id": "loose"},
    ]
    sellers = [{"seller_id": "gone", "suspended": True}, {"seller_id": "here", "suspended": False}]
    write(warehouse, {"orders": [*made.values()], "order_lines": lines, "products": products, "sellers": sellers})
    catalogue = warehouse.keep(ranked(warehouse))
    names = warehouse.keep(purchases.categories(catalogue))
    baskets = purchases.baskets(purchases.sold_lines(warehouse, AS_OF), catalogue, names, Decimal("0.40"))
    named = baskets.left_join(catalogue.select("product_id", "offer_no"), "offer_no")
    named = named.left_join(names.select(scope="category", offer_category_no="category_no"), "offer_category_no")
    found = {row["customer_id"]: (row["scope"], row["product_id"]) for row in rows(warehouse, named, "customer_id")}
    assert found == {"c": ("Warm", "mug"), "d": (None, "loose"), "e": (None, None), "f": ("Warm", "cup")}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"spend": 1_000, "bare": 1_000}, 400),  # nothing known: the store's rate
        ({"spend": 1_000, "amount": 1_000, "earned": 300_000}, 300),  # all known
        ({"spend": 1_000, "amount": 1_000, "earned": 400_000 + 200_000}, 600),  # 400 known, and 40 % of the other half
        ({"spend": 900, "amount": 1_000, "earned": 300_000}, 200),  # the order's own discount of 100 in full
        ({"spend": 1_000, "bare": 1_000, "returned": 1_000}, 0),
        ({"spend": 1_000, "bare": 1_000, "returned": 1_001}, -1),  # rounded down
        ({"spend": 3, "bare": 3}, 1),
        ({}, 0),
    ],
)
def test_a_margin_by_hand(warehouse: Warehouse, facts: dict[str, int], expected: int) -> None:
    zeros = dict.fromkeys(("spend", "bare", "amount", "earned", "returned"), 0)
    table = ibis.memtable(pa.Table.from_pylist([{**zeros, **facts}]))
    assert warehouse.scalar(table.select(m=purchases.margin(table, Decimal("0.40"))).m.max()) == expected


def test_a_cancelled_order_brings_nothing_and_its_refund_takes_nothing(warehouse: Warehouse) -> None:
    kept, void = order("kept", "c", MAY, 500, lines=1), order("void", "c", MAY, 900, lines=1, cancelled=True)
    back = [
        {"return_id": "1", "order_id": "void", "customer_id": "c", "returned_at": MAY, "amount": 900, "open": True},
        {"return_id": "2", "order_id": "kept", "customer_id": "c", "returned_at": MAY, "amount": 200, "open": False},
        {"return_id": "3", "order_id": None, "customer_id": "c", "returned_at": MAY, "amount": 30},
        {"return_id": "4", "order_id": "kept", "customer_id": "c", "returned_at": datetime(2026, 5, 1, 22), "amount": 7},
    ]
    write(warehouse, {"orders": [kept, void], "order_lines": [line(kept, 1, "p", 500), line(void, 1, "q", 900)], "returns": back})
    (row,) = rows(warehouse, purchases.returned(warehouse, AS_OF), "customer_id")
    assert row == {"customer_id": "c", "returned": 230, "open_return": True}
    catalogue = ranked(warehouse)
    baskets = purchases.baskets(purchases.sold_lines(warehouse, AS_OF), catalogue, purchases.categories(catalogue), Decimal("0.40"))
    assert [row["amount"] for row in rows(warehouse, baskets, "customer_id")] == [500]


def test_the_last_product_is_the_dearest_of_the_last_day(warehouse: Warehouse) -> None:
    times = {"a": datetime(2026, 4, 1), "b": datetime(2026, 5, 1, 6), "d": MAY}
    early, first, second = (order(name, "c", at, 9, lines=2) for name, at in times.items())
    sold = [(early, 1, "dear", 99), (first, 1, "zinc", 5), (second, 1, "alum", 5), (second, 2, None, 50), (second, 3, "tin", 4)]
    products = [{"product_id": "alum", "category": "Metal"}]
    write(warehouse, {"orders": [early, first, second], "order_lines": [line(*one) for one in sold], "products": products})
    customers = purchases.per_customer(purchases.sales(warehouse, AS_OF))
    found = purchases.last_products(purchases.sold_lines(warehouse, AS_OF), customers, warehouse.current("products"))
    assert rows(warehouse, found, "customer_id") == [{"customer_id": "c", "last_product": "alum", "last_category": "Metal"}]


def test_a_margin_since_a_day_counts_what_was_ordered_and_what_came_back_from_its_first_hour(warehouse: Warehouse) -> None:
    """The first of April begins at ten in the evening UTC."""
    orders = [
        order("before", "c", datetime(2026, 3, 31, 21, 59), 4_000, lines=1), order("after", "c", datetime(2026, 3, 31, 22), 800, lines=1),
        order("bare", "c", MAY, 100), order("void", "c", MAY, 70, lines=1, cancelled=True),
    ]
    lines = [line(orders[0], 1, "p", 4_000), line(orders[1], 1, "p", 1_000, quantity=2), line(orders[3], 1, "p", 70)]
    back = [
        {"return_id": str(number), "order_id": of, "customer_id": customer, "returned_at": at, "amount": amount}
        for number, (of, customer, at, amount) in enumerate(
            [
                ("before", "c", datetime(2026, 3, 31, 21, 59), 9), ("before", "c", datetime(2026, 3, 31, 22), 50), ("void", "c", MAY, 70),
            ]
        )
    ]
    write(warehouse, {"orders": orders, "order_lines": lines, "returns": back, "products": [{"product_id": "p", "cost": 300}]})
    days = (AS_OF.day - date(2026, 4, 1)).days
    found = profile.build(warehouse, profile.Question(AS_OF, Decimal("0.40"), 26, tier_days=days)).table
    (known,) = rows(warehouse, found.filter(found.customer_id == "c"), "customer_id")
    assert known["tier_margin"] == (1_000 - 600) + 40 - 20 + (800 - 1_000)
