"""Whose rhythm is whose own, and what customers of one order borrow; a second time in plain Python."""

import statistics
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import rhythm

Row = dict[str, object]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("rhythm")) as opened:
        yield opened


def of_gaps(gaps: list[int], category: str | None = "tea", model: float = 50.0) -> Row:
    squares = sum(gap * gap for gap in gaps)
    return {"repeats": len(gaps), "recency_days": sum(gaps), "gap_squares": squares, "category": category, "rhythm_days": model}


def table_of(rows: list[Row]) -> ir.Table:
    counts = dict.fromkeys(("repeats", "recency_days", "gap_squares", "n"), pa.int64())
    schema = pa.schema({**counts, "category": pa.string(), "rhythm_days": pa.float64()})
    return ibis.memtable(pa.Table.from_pylist([{**row, "n": n} for n, row in enumerate(rows)], schema=schema))


def paced(warehouse: Warehouse, rows: list[Row]) -> list[tuple[float, str]]:
    table = table_of(rows)
    store = rhythm.StoreGaps(**warehouse.row(rhythm.store_gaps(table)))
    found = warehouse.arrow(rhythm.with_rhythm(table, rhythm.by_category(table, store)).order_by("n"))
    return list(zip(found["rhythm_days"].to_pylist(), found["rhythm_source"].to_pylist(), strict=True))


@settings(max_examples=50)
@given(every=st.lists(st.lists(st.integers(1, 400), max_size=9), min_size=1, max_size=40))
def test_regular_is_a_sample_deviation_below_half_the_mean_over_four_gaps_and_more(warehouse: Warehouse, every: list[list[int]]) -> None:
    table = table_of([of_gaps(gaps) for gaps in every])
    found = warehouse.arrow(table.select("n", regular=rhythm.regular(table)).order_by("n"))["regular"].to_pylist()
    for gaps, is_regular in zip(every, found, strict=True):
        if len(gaps) < 4:
            assert not is_regular
        elif abs(2 * statistics.stdev(gaps) / statistics.mean(gaps) - 1) > 1e-9:
            assert is_regular == (2 * statistics.stdev(gaps) < statistics.mean(gaps))


def test_a_deviation_of_exactly_half_the_mean_is_not_below_it(warehouse: Warehouse) -> None:
    """Gaps 6, 6, 14, 14, 10 have mean 10 and a sample variance of 16; 5, 5, 15, 15, 10 one of 25, which is half the mean squared."""
    table = table_of([of_gaps([6, 6, 14, 14, 10]), of_gaps([5, 5, 15, 15, 10])])
    assert warehouse.arrow(table.select("n", r=rhythm.regular(table)).order_by("n"))["r"].to_pylist() == [True, False]


def test_each_rhythm_comes_from_where_it_says(warehouse: Warehouse) -> None:
    """Tea has 2 gaps of 10 days in all, the store 4 of 120: usual 30; tea (10 + 20 x 30) / 22 = 27.7 days, 0.924 of the usual."""
    rows = [
        of_gaps([5, 5]), of_gaps([50, 60], "vases"), of_gaps([]), of_gaps([], None), of_gaps([], "never seen twice"),
    ]
    found = paced(warehouse, rows)
    tea = (10 + 20 * 30) / 22 / 30
    expected = [(50.0, "model"), (50.0, "model"), (50.0 * tea, "category"), (50.0, "store"), (50.0, "store")]
    assert [source for _, source in found] == [source for _, source in expected]
    assert [days for days, _ in found] == pytest.approx([days for days, _ in expected], rel=1e-12)


def test_who_orders_by_the_clock_is_due_by_it(warehouse: Warehouse) -> None:
    assert paced(warehouse, [of_gaps([28, 30, 29, 31]), of_gaps([2, 90, 3, 60])]) == [(29.5, "own"), (50.0, "model")]


def test_a_store_without_a_second_order_lends_the_models(warehouse: Warehouse) -> None:
    assert paced(warehouse, [of_gaps([]), of_gaps([], None)]) == [(50.0, "store"), (50.0, "store")]


def test_a_known_category_rhythm_is_found_and_beats_the_stores(warehouse: Warehouse) -> None:
    """Simulated truth: tea every 20 days, vases every 120."""
    chance = np.random.default_rng(3)
    truth = {"tea": 20.0, "vases": 120.0}
    drawn = [(category, chance.exponential(mean, 3)) for category, mean in truth.items() for _ in range(400)]
    rows = [of_gaps([max(1, round(gap)) for gap in gaps], category) for category, gaps in drawn]
    found = paced(warehouse, [*rows, of_gaps([], "tea", 70.0), of_gaps([], "vases", 70.0)])[-2:]
    usual = statistics.mean(gap for row in rows for gap in [row["recency_days"] / 3])
    for (days, source), mean in zip(found, truth.values(), strict=True):
        assert source == "category"
        assert days == pytest.approx(70.0 * mean / usual, rel=0.1)
