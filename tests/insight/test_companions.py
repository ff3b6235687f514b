"""Complements and substitutes: planted pairs are found and no others, counts are those of plain Python, owned things are not shown."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from scipy.stats import chi2, norm, poisson

from rekindle.history.warehouse import Warehouse
from rekindle.insight import companions, kept
from rekindle.moment import parse_as_of
from tests.insight import planted
from tests.insight.histories import history, line, order, write

AS_OF = parse_as_of("2026-01-01", "UTC")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def held_in(warehouse: Warehouse) -> ibis.Table:
    return warehouse.keep(companions.baskets(kept.kept_lines(warehouse, AS_OF), warehouse.current("products")))


def pairs_of(warehouse: Warehouse, table: ibis.Table) -> set[tuple[str, str]]:
    return {(row["product_id"], row["companion_id"]) for row in warehouse.arrow(table).to_pylist()}


@pytest.mark.parametrize(
    ("count", "lower", "upper"), [(1, 0.025, 5.57), (5, 1.62, 11.67), (10, 4.80, 18.39), (50, 37.11, 65.92), (100, 81.36, 121.63)]
)
def test_limits_of_a_count_are_the_published_ones(warehouse: Warehouse, count: int, lower: float, upper: float) -> None:
    """95 % limits of a Poisson mean: Garwood's table as in Breslow & Day (1987), table 2.10, and the exact limits by chi-squared."""
    table = ibis.memtable({"n": [count]}).mutate(
        low=companions.lower_count(ibis._.n, float(norm.isf(0.025))), high=companions.upper_count(ibis._.n, float(norm.isf(0.025)))
    )
    row = warehouse.row(table)
    assert row["low"] == pytest.approx(lower, rel=0.02, abs=0.02)
    assert row["high"] == pytest.approx(upper, rel=0.01)
    assert (lower, upper) == pytest.approx((chi2.ppf(0.025, 2 * count) / 2, chi2.isf(0.025, 2 * count + 2) / 2), rel=0.005, abs=0.001)


def test_far_out_the_lower_limit_errs_to_the_careful_side(warehouse: Warehouse) -> None:
    """At the confidence that thousands of pairs ask for: a mean at the limit gives such a count no more often than stated."""
    z = 5.5
    table = ibis.memtable({"n": list(range(5, 80))}).mutate(low=companions.lower_count(ibis._.n, z))
    for row in warehouse.arrow(table).to_pylist():
        assert poisson.sf(row["n"] - 1, row["low"]) <= 1.01 * norm.sf(z)


@pytest.mark.parametrize("seed", [1])
def test_planted_pairs_are_found_and_no_others(warehouse: Warehouse, seed: int) -> None:
    planted.insert(warehouse, *planted.companions(seed))
    held = held_in(warehouse)
    assert pairs_of(warehouse, companions.complements(warehouse, held)) == {("p01", "p02"), ("p02", "p01"), ("p11", "p12"), ("p12", "p11")}
    switched = companions.switched(warehouse, held, warehouse.current("products"))
    assert pairs_of(warehouse, switched) == {("s1", "s2"), ("s2", "s1")}


@pytest.mark.parametrize("seed", [11])
def test_a_shop_without_pairs_has_none(warehouse: Warehouse, seed: int) -> None:
    planted.insert(warehouse, *planted.companions(seed, planted=False))
    held = held_in(warehouse)
    assert pairs_of(warehouse, companions.complements(warehouse, held)) == set()
    assert pairs_of(warehouse, companions.switched(warehouse, held, warehouse.current("products"))) == set()


def test_the_counts_are_those_of_plain_python(warehouse: Warehouse) -> None:
    sold, categories = planted.companions(5)
    planted.insert(warehouse, sold, categories)
    held = held_in(warehouse)
    inside: dict[int, set[str]] = defaultdict(set)
    for number, product in zip(sold.order.tolist(), sold.product.tolist(), strict=True):
        inside[number].add(product)
    single = Counter(product for products in inside.values() for product in products)
    double = Counter((a, b) for products in inside.values() for a in products for b in products if a != b)
    found = warehouse.arrow(companions.complements(warehouse, held)).to_pylist()
    assert len(found) == 4
    possible = len([product for product in single if single[product] >= companions.LEAST_TOGETHER]) ** 2
    z = float(norm.isf(0.05 / (possible / 2)))
    for row in found:
        a, b = row["product_id"], row["companion_id"]
        n, expected = double[a, b], single[a] * single[b] / len(inside)
        low = n * max(1 - 1 / (9 * n) - z / (3 * n**0.5), 0) ** 3 / expected
        assert row["together"] == n
        assert (row["expected"], row["lift"], row["lift_low"]) == pytest.approx((expected, n / expected, low), rel=1e-5)
    (step,) = [row for row in warehouse.arrow(companions.switched(warehouse, held, warehouse.current("products"))).to_pylist()
               if row["product_id"] == "s1"]
    visits: dict[int, list[set[str]]] = defaultdict(list)
    for number in sorted(inside):
        visits[number // 8].append(inside[number])
    turns = [turn for baskets in visits.values() for turn in pairwise(baskets)]
    assert step["together"] == sum("s1" in a and "s1" not in b and "s2" in b and "s2" not in a for a, b in turns)


def test_looked_at_one_and_bought_the_other(warehouse: Warehouse) -> None:
    at = datetime(2025, 3, 1, 12)
    orders, lines, events = [], [], []
    for number in range(200):
        made = order(f"o{number}", f"c{number}", at + timedelta(days=number % 30), 10, lines=1)
        orders.append(made)
        lines.append(line(made, 1, "tent b" if number < 60 else f"other {number % 5}", 10))
        seen = "tent a" if number < 60 else f"another {number % 7}"
        events.append({"message_id": f"e{number}", "customer_id": f"c{number}", "name": "Product Viewed", "product_id": seen,
                       "occurred_at": made["ordered_at"] - timedelta(days=2 if number < 30 or number >= 60 else 9)})
    names = sorted({row["product_id"] for row in [*lines, *events]})
    write(warehouse, {"orders": orders, "order_lines": lines, "events": events, "products": [{"product_id": name} for name in names]})
    held = held_in(warehouse)
    (row,) = warehouse.arrow(companions.viewed_instead(warehouse, held, warehouse.current("products"), AS_OF)).to_pylist()
    assert (row["product_id"], row["companion_id"], row["kind"], row["evidence"]) == ("tent a", "tent b", "substitute", "view")
    assert (row["together"], row["expected"]) == (30, pytest.approx(30 * 30 / 170, abs=1e-5))  # views of nine days ago do not count


def test_substitutes_share_a_category(warehouse: Warehouse) -> None:
    sold, categories = planted.companions(6)
    planted.insert(warehouse, sold, {**categories, "s1": "tea", "s2": "coffee"})
    held = held_in(warehouse)
    assert pairs_of(warehouse, companions.switched(warehouse, held, warehouse.current("products"))) == set()


def test_a_customer_is_shown_nothing_that_they_have_or_sent_back(warehouse: Warehouse) -> None:
    rows = [("tea", "pot", 3.0), ("tea", "cup", 2.5), ("tea", "tin", 2.0), ("jam", "cup", 4.0), ("jam", "jar", 1.5)]
    pairs = ibis.memtable(pa.table({
        "product_id": [row[0] for row in rows], "companion_id": [row[1] for row in rows], "lift_low": [row[2] for row in rows],
        "together": [9] * len(rows),
    }))
    anchors = ibis.memtable({"customer_id": ["a", "a", "b", "c"], "product_id": ["tea", "jam", "tea", "rice"]})
    owned = ibis.memtable({"customer_id": ["a", "a", "b"], "product_id": ["tea", "jam", "tea"]})
    returned = ibis.memtable({"customer_id": ["a", "b"], "product_id": ["pot", "cup"]})
    found = warehouse.arrow(companions.suggestions(pairs, anchors, owned, returned, limit=2).order_by("customer_id", "place"))
    assert [(row["customer_id"], row["place"], row["product_id"], row["companion_of"]) for row in found.to_pylist()] == [
        ("a", 1, "cup", "jam"), ("a", 2, "tin", "tea"), ("b", 1, "pot", "tea"), ("b", 2, "tin", "tea"),
    ]
