"""Hours of purchase: local time, counts and chances by hand, and never worse than the store's histogram."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import send_hour
from rekindle.insight.dirichlet import Concentration
from rekindle.moment import parse_as_of
from tests.insight import evaluations, planted, real_shops
from tests.insight.histories import history, order, write


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def never_worse(found: dict[str, evaluations.Losses]) -> None:
    """Not by more than the rounding of chances."""
    for band, one in found.items():
        ours, store = one.mean
        assert ours <= store + 1e-5, (band, ours, store, len(one.ours))


def test_days_and_hours_are_the_customers_own(warehouse: Warehouse) -> None:
    """One instant in Berlin, New York and, for an unknown zone and for none, in the store's zone; the clock changes in March."""
    zones = {"a": "America/New_York", "b": "Mars/Olympus", "c": None, "d": "Asia/Kolkata"}
    winter, summer = datetime(2026, 3, 2, 5, 30), datetime(2026, 4, 6, 5, 30)
    orders = [order(f"{name}{at.month}", name, at, 1) for name in zones for at in (winter, summer)]
    orders.append(order("late", "a", winter + timedelta(hours=20), 1))
    write(warehouse, {"orders": orders, "people": [{"customer_id": name, "timezone": zone} for name, zone in zones.items() if name != "c"]})
    visited = send_hour.visits(warehouse, parse_as_of("2026-05-01", "Europe/Berlin"))
    found = {(row["customer_id"], row["day"]): (row["weekday"], row["block"]) for row in warehouse.arrow(visited).to_pylist()}
    starts = np.array(send_hour.STARTS)
    expected = {}
    for one in sorted(orders, key=lambda row: row["ordered_at"], reverse=True):  # the first of a day is written last
        zone = ZoneInfo({"a": "America/New_York", "d": "Asia/Kolkata"}.get(one["customer_id"], "Europe/Berlin"))
        local = one["ordered_at"].replace(tzinfo=UTC).astimezone(zone)
        expected[one["customer_id"], local.date()] = (local.weekday(), int((starts <= local.hour).sum()) - 1)
    assert found == expected
    assert len(found) == 8  # 20:30 in New York is of the day that began at 0:30 there


def test_offsets_change_with_the_clocks() -> None:
    rows = send_hour.offsets(["Europe/Berlin", None, "Asia/Kolkata"], "UTC", datetime(2026, 3, 1), datetime(2026, 11, 1)).to_pylist()
    assert [(row["zone"], row["minutes"]) for row in rows] == [
        ("", 0), ("Asia/Kolkata", 330), ("Europe/Berlin", 60), ("Europe/Berlin", 120), ("Europe/Berlin", 60),
    ]
    assert [row["until"] for row in rows[2:4]] == [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)]
    assert send_hour.offsets([], "UTC", None, None).num_rows == 0


def test_chances_by_hand(warehouse: Warehouse) -> None:
    """A customer's posterior block share, leaned by how the weekday differs from the week."""
    planted.insert(warehouse, *planted.hours(1, 400, 6.0, 4.0))
    visited, habits = evaluations.fitted(warehouse, parse_as_of("2026-01-01", "UTC"))
    assert isinstance(habits.block_weight, Concentration)
    assert habits.block_weight.value == pytest.approx(4.0, rel=0.25)
    assert habits.block_weight.value < habits.block_weight.careful < 8.0
    segments = visited.select("customer_id").distinct().mutate(segment=ibis.null("string"))
    rows = warehouse.arrow(send_hour.block_chances(evaluations.asked(warehouse, visited, segments), habits, 2)).to_pylist()
    best = warehouse.arrow(send_hour.best_block(evaluations.asked(warehouse, visited, segments), habits, 2)).to_pylist()
    own: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(7))
    for row in warehouse.arrow(visited).to_pylist():
        own[row["customer_id"]][row["block"]] += 1
    a, blocks, lean = habits.block_weight.careful, np.array(habits.blocks), np.array(habits.by_weekday[2]) / np.array(habits.blocks)
    expected = {}
    for row in rows:
        count = own[row["customer_id"]]
        score = (count + a * blocks) / (count.sum() + a) * lean
        expected[row["customer_id"]] = score / score.sum()
        assert [row[f"chance_{k}"] for k in range(7)] == pytest.approx(score / score.sum(), abs=2e-6)
        assert (row["own"], row["source"]) == (pytest.approx(count.sum() / (count.sum() + a), abs=1e-6), "own")
    for row in best:
        assert row["chance"] == pytest.approx(expected[row["customer_id"]].max(), abs=2e-6)
        assert (row["from_hour"], row["block"]) == (send_hour.STARTS[row["block"]], expected[row["customer_id"]].argmax())


def test_without_habits_everyone_has_the_stores_hours(warehouse: Warehouse) -> None:
    planted.insert(warehouse, *planted.hours(2, 600, 6.0, None))
    visited, habits = evaluations.fitted(warehouse, parse_as_of("2026-01-01", "UTC"))
    assert isinstance(habits.block_weight, Concentration)
    assert habits.block_weight.careful == inf
    everyone = evaluations.asked(warehouse, visited, visited.select("customer_id").distinct().mutate(segment=ibis.null("string")))
    for row in warehouse.arrow(send_hour.block_chances(everyone, habits, 5)).to_pylist():
        assert (row["own"], row["source"]) == (0.0, "store")
        assert [row[f"chance_{k}"] for k in range(7)] == pytest.approx(habits.by_weekday[5], abs=2e-6)


def test_segments_that_differ_speak_for_newcomers(warehouse: Warehouse) -> None:
    """Office buyers at ten, the rest at eight in the evening; a newcomer has their segment's hours, without one the store's."""
    chance = np.random.default_rng(3)
    orders, rows = [], []
    for number in range(500):
        office = number % 2 == 0
        rows.append((f"c{number}", "office" if office else "home"))
        for at in range(int(chance.integers(1, 4))):
            hour = 10 if office == (chance.random() < 0.85) else 20
            day = datetime(2025, 3, 1, hour) + timedelta(days=int(chance.integers(0, 200)))
            orders.append(order(f"o{number}-{at}", f"c{number}", day, 1))
    write(warehouse, {"orders": orders})
    segments = ibis.memtable({"customer_id": [row[0] for row in rows], "segment": [row[1] for row in rows]})
    visited, habits = evaluations.fitted(warehouse, parse_as_of("2026-01-01", "UTC"), segments)
    assert set(habits.segments) == {"office", "home"}
    new = ibis.memtable({"customer_id": ["x", "y", "z"], "segment": ["office", "home", "unheard of"]})
    found = warehouse.arrow(send_hour.best_block(evaluations.asked(warehouse, visited, new), habits, 1).order_by("customer_id")).to_pylist()
    assert [(row["from_hour"], row["source"]) for row in found][:2] == [(9, "segment"), (18, "segment")]
    assert found[2]["source"] == "store"
    assert found[0]["chance"] == pytest.approx(0.85, abs=0.08)
    assert isinstance(habits.block_weight, Concentration)


def test_a_shop_without_orders_cannot_tell(warehouse: Warehouse) -> None:
    visited = send_hour.visits(warehouse, parse_as_of("2026-01-01", "UTC"))
    assert send_hour.fit(warehouse, visited) == CannotTell("There is no order yet, so no hour is better than another.")


@pytest.mark.parametrize("concentration", [3.0, None])
def test_on_simulated_shops_never_worse_than_the_store(warehouse: Warehouse, concentration: float | None) -> None:
    planted.insert(warehouse, *planted.hours(7, 1_200, 5.0, concentration))
    found = evaluations.hours(warehouse, parse_as_of("2025-09-01", "UTC"), parse_as_of("2026-02-01", "UTC"))
    assert set(found) == set(evaluations.BANDS)
    never_worse(found)
    if concentration is not None:
        gains = [store - ours for ours, store in (found[band].mean for band in evaluations.BANDS)]
        assert gains[0] == pytest.approx(0.0, abs=0.02)
        assert gains[-1] > gains[2] > 0.05


@pytest.mark.long
def test_on_online_retail_never_worse_than_the_store(warehouse: Warehouse) -> None:
    real_shops.online_retail(warehouse)
    found = evaluations.hours(warehouse, parse_as_of("2011-09-01", "UTC"), parse_as_of("2012-01-01", "UTC"))
    assert {band: len(one.ours) for band, one in found.items()}["11+"] > 100
    never_worse(found)
    assert sum(map(sum, (one.ours for one in found.values()))) < 0.995 * sum(map(sum, (one.store for one in found.values())))




def test_on_complete_journey_never_worse_than_the_store(warehouse: Warehouse) -> None:
    """Instants are UTC; the households are taken for New York's."""
    real_shops.complete_journey(warehouse)
    found = evaluations.hours(warehouse, parse_as_of("2017-09-01", "America/New_York"), parse_as_of("2018-02-01", "America/New_York"))
    assert {band: len(one.ours) for band, one in found.items()}["11+"] > 1_000
    never_worse(found)
    assert found["11+"].mean[0] < found["11+"].mean[1] - 0.1
