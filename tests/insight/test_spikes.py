"""When a store sold far more than usual, and whose orders were bunched: against plain counting, and against chance."""

from collections.abc import Iterator
from datetime import date, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import spikes

FIRST = date(2025, 1, 1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("spikes")) as opened:
        yield opened


def counted(orders: dict[int, int]) -> list[date]:
    days = np.array([FIRST + timedelta(days=at) for at in sorted(orders)], dtype="datetime64[D]")
    return spikes.store_spikes(days, np.array([orders[at] for at in sorted(orders)], dtype=np.int64)).tolist()


def by_hand(orders: dict[int, int]) -> list[date]:
    first, last = min(orders), max(orders)
    found = []
    for end in range(first + 62, last + 1):
        week = sum(orders.get(at, 0) for at in range(end - 6, end + 1))
        usual = sum(orders.get(at, 0) for at in range(end - 62, end - 6)) / 8
        if week >= 1.5 * usual and week > usual + 3 * max(usual, 1.0) ** 0.5:
            found.append(FIRST + timedelta(days=end))
    return found


@settings(max_examples=60)
@given(st.dictionaries(st.integers(0, 120), st.integers(1, 40), min_size=1))
def test_a_spike_is_a_week_far_above_the_eight_before(orders: dict[int, int]) -> None:
    assert counted(orders) == by_hand(orders)


def test_nothing_is_usual_in_the_first_nine_weeks_and_without_orders() -> None:
    assert counted({**dict.fromkeys(range(61), 1), 61: 500}) == []
    assert counted({**dict.fromkeys(range(62), 1), 62: 500}) == [FIRST + timedelta(days=62)]
    assert spikes.store_spikes(np.array([], dtype="datetime64[D]"), np.array([], dtype=np.int64)).tolist() == []


def test_chance_alone_makes_no_spikes() -> None:
    chance = np.random.default_rng(2)
    days = np.arange("2024-01-01", "2026-01-01", dtype="datetime64[D]")
    assert sum(len(spikes.store_spikes(days, chance.poisson(30, len(days)))) for _ in range(20)) == 0


def test_who_went_quiet_within_thirty_days_of_a_spike_is_told_which(warehouse: Warehouse) -> None:
    found = np.array(["2025-03-01", "2025-03-20"], dtype="datetime64[D]")
    last = [date(2025, 2, 28), date(2025, 3, 1), date(2025, 3, 19), date(2025, 3, 20), date(2025, 4, 19), date(2025, 4, 20)]
    table = ibis.memtable(pa.table({"last_day": last}))
    seen = warehouse.arrow(spikes.after_store_spike(table, found).order_by("last_day"))["store_spike"].to_pylist()
    assert seen == [None, date(2025, 3, 1), date(2025, 3, 1), date(2025, 3, 20), date(2025, 3, 20), None]
    none = warehouse.arrow(spikes.after_store_spike(table, found[:0]))["store_spike"].to_pylist()
    assert none == [None] * 6


@pytest.mark.parametrize(
    ("recent", "repeats", "recency", "spiked"),
    [
        (1, 0, 0, False), (2, 1, 10, False), (2, 2, 310, True), (3, 5, 100, True), (3, 5, 99, False),
        (5, 52, 364, False),  # a weekly buyer has five in any thirty days
    ],
)
def test_orders_are_bunched_by_the_customers_own_measure(
    warehouse: Warehouse, recent: int, repeats: int, recency: int, spiked: bool
) -> None:
    table = ibis.memtable(pa.table({"recent_days": [recent], "repeats": [repeats], "recency_days": [recency]}))
    assert warehouse.arrow(table.select(s=spikes.own_spike(table)))["s"].to_pylist() == [spiked]
