"""What a persona's score is, by hand; that it finds planted personas; that it never knows who a customer is."""

from collections.abc import Iterator

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import personas

COLUMNS = ("orders", "discounted", "lined", "single", "ranked", "rank_sum")
Row = dict[str, int]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("personas")) as opened:
        yield opened


def scored(warehouse: Warehouse, rows: list[Row]) -> list[dict[str, object]]:
    table = ibis.memtable(pa.Table.from_pylist([{**row, "n": n} for n, row in enumerate(rows)]))
    store = personas.Habits(**warehouse.row(personas.habits(table)))
    found: list[dict[str, object]] = warehouse.arrow(personas.with_personas(table, store).order_by("n")).to_pylist()
    return found


def customer(orders: int, discounted: int = 0, single: int = 0, rank: float = 0.5, amount: int = 1_000) -> Row:
    ranked = amount * orders
    return dict(zip(COLUMNS, (orders, discounted, orders, single, ranked, round(ranked * rank * 1000)), strict=True))


@st.composite
def customers(draw: st.DrawFn) -> list[Row]:
    def one(orders: int) -> st.SearchStrategy[Row]:
        up_to = st.integers(0, orders)
        return st.builds(customer, st.just(orders), up_to, up_to, st.floats(0, 1), st.integers(0, 5_000))

    return draw(st.lists(st.integers(1, 30).flatmap(one), min_size=1, max_size=40))


@settings(max_examples=12)
@given(rows=customers())
def test_scores_weigh_the_odds_of_the_own_habit_against_the_stores(warehouse: Warehouse, rows: list[Row]) -> None:
    def habit(part: str, whole: str) -> float:
        total = sum(row[whole] for row in rows)
        return sum(row[part] for row in rows) / total if total else 0.0

    usual = {"price_sensitive": habit("discounted", "orders"), "quick_solution": habit("single", "lined")}
    usual["premium"] = habit("rank_sum", "ranked") / 1000
    for row, found in zip(rows, scored(warehouse, rows), strict=True):
        rank = row["rank_sum"] / 1000 / row["ranked"] if row["ranked"] else None
        shown = {
            "price_sensitive": (row["discounted"], row["orders"]), "quick_solution": (row["single"], row["lined"]),
            "premium": ((rank or 0.0) * row["lined"], row["lined"]),
        }
        signs = {"price_sensitive": row["discounted"], "quick_solution": row["single"], "premium": row["lined"]}
        for tag, (part, whole) in shown.items():
            own = (part + 4 * usual[tag]) / (whole + 4)
            odds = own / (1 - own) if 0 < usual[tag] < 1 else 1.0
            expected = odds / (odds + (usual[tag] / (1 - usual[tag]) if 0 < usual[tag] < 1 else 1.0))
            assert found[tag] == pytest.approx(expected, rel=1e-9)
            if abs(expected - 2 / 3) > 1e-9:
                assert (tag in found["personas"].split(", ")) == (expected > 2 / 3 and signs[tag] >= 2)
        assert found["price_rank"] == (None if rank is None else pytest.approx(rank, rel=1e-12))


def test_tags_may_overlap_and_need_two_signs(warehouse: Warehouse) -> None:
    crowd = [customer(5, discounted=1, single=2, rank=0.4) for _ in range(50)]
    both, once, little = customer(8, discounted=8, single=8), customer(1, discounted=1, single=1), customer(2)
    found = scored(warehouse, [*crowd, both, once, little])[-3:]
    assert [row["personas"] for row in found] == ["price_sensitive, quick_solution", "", ""]


def test_planted_personas_are_found(warehouse: Warehouse) -> None:
    """Simulated truth: a third buys on sale half the time, a third one thing at a time, a third the dearer things."""
    chance, rows, truth = np.random.default_rng(5), [], []
    for number in range(1_500):
        kind, orders = number % 3, int(chance.integers(1, 12))
        on_sale = chance.binomial(orders, 0.5 if kind == 0 else 0.08)
        alone = chance.binomial(orders, 0.9 if kind == 1 else 0.4)
        rows.append(customer(orders, int(on_sale), int(alone), float(chance.beta(6, 2) if kind == 2 else chance.beta(3, 3))))
        truth.append(kind)
    found = scored(warehouse, rows)
    for kind, tag in enumerate(("price_sensitive", "quick_solution", "premium")):
        score, is_kind = np.array([row[tag] for row in found]), np.array(truth) == kind
        above = mannwhitneyu(score[is_kind], score[~is_kind]).statistic
        assert above / (is_kind.sum() * (~is_kind).sum()) > 0.8  # the area under the curve


def test_a_store_that_never_gives_a_discount_finds_nobody_price_sensitive(warehouse: Warehouse) -> None:
    assert {row["price_sensitive"] for row in scored(warehouse, [customer(3), customer(9)])} == {0.5}
