"""Run-out days: gaps, shrinkage and windows as worked out apart, a simulated truth, and real repurchases against simple means."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from math import log
from pathlib import Path

import ibis
import numpy as np
import pytest
from scipy.stats import fisk

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import kept, replenishment, run_out
from rekindle.moment import AsOf, parse_as_of
from tests.insight import evaluations, planted, real_shops
from tests.insight.histories import history

LATER = parse_as_of("2030-01-01", "UTC")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def refills(warehouse: Warehouse, seed: int, customers: int = 300) -> ibis.Table:
    planted.insert(warehouse, *planted.refills(seed, customers, 500))
    return warehouse.keep(kept.items(kept.kept_lines(warehouse, LATER), warehouse.current("products")))


def at_day(day: date) -> AsOf:
    return parse_as_of(day.isoformat(), "UTC")


def test_the_curve_is_the_log_logistic_of_another_library(warehouse: Warehouse) -> None:
    centre, sharpness, silent = np.log([3.0, 20.0, 90.0, 20.0]), np.full(4, 1.7), np.array([0.0, 12.0, 30.0, 700.0])
    curve = run_out.Curve(centre, sharpness)
    days = np.array([1.0, 25.0, 80.0, 720.0])
    assert curve.later(days) == pytest.approx(fisk.sf(days, 1.7, scale=np.exp(centre)), rel=1e-10)
    now, end = (fisk.sf(silent + more, 1.7, scale=np.exp(centre)) for more in (0.5, 60.5))
    for share in (0.05, 0.5, 0.95):
        inverse = np.clip(np.rint(fisk.isf(now - share * (now - end), 1.7, scale=np.exp(centre))), silent + 1, silent + 60)
        assert curve.ahead(silent, share).tolist() == inverse.tolist()
        table = ibis.memtable({"n": [0, 1, 2, 3], "scale": np.exp(centre), "silent": silent.astype(int)})
        table = table.mutate(days=run_out.days_ahead(table.scale, 1.7, table.silent, share)).order_by("n")
        assert warehouse.arrow(table)["days"].to_pylist() == inverse.tolist()


def test_a_window_holds_what_it_is_calibrated_to(warehouse: Warehouse) -> None:
    """Gaps drawn from the curve fill the time ahead evenly; from twice as late a curve, the window moves."""
    chance = np.random.default_rng(1)
    centre, silent = np.log(chance.uniform(5, 50, 20_000)), chance.integers(0, 30, 20_000).astype(float)
    curve = run_out.Curve(centre, np.full(20_000, 2.0))
    now, end = curve.later(silent + 0.5), curve.later(silent + 60.5)
    left = now - chance.random(20_000) * (now - end)
    gap = np.clip(np.rint(np.exp(centre) * ((1 - left) / left) ** 0.5), silent + 1, silent + 60)
    window = run_out.calibrated(run_out.Came(curve, silent, gap, np.ones(20_000)))
    assert (window.early, window.middle, window.late) == pytest.approx((0.1, 0.5, 0.9), abs=0.03)
    early = run_out.calibrated(run_out.Came(run_out.Curve(centre + log(2), curve.sharpness), silent, gap, np.ones(20_000)))
    assert early.middle < 0.4


def by_hand(gaps: list[dict]) -> tuple[int, dict[str, float], dict[tuple[str, ...], int]]:
    """Centre, shrinkage and effects in plain Python, level by level."""
    left = [(row, row["left"]) for row in gaps]
    centre = round(sum(value for _, value in left) / len(left))
    left = [(row, value - centre) for row, value in left]
    shrinkage, effects = {}, {}
    for level, names in replenishment.LEVELS.items():
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, value in left:
            groups[tuple(row[name] for name in names)].append(value)
        n, k, mean = len(left), len(groups), sum(value for _, value in left) / len(left)
        if k < 2 or n == k:
            continue
        within = sum(sum((v - sum(g) / len(g)) ** 2 for v in g) for g in groups.values()) / (n - k)
        between = sum(len(g) * (sum(g) / len(g) - mean) ** 2 for g in groups.values()) / (k - 1)
        among = (between - within) / ((n - sum(len(g) ** 2 for g in groups.values()) / n) / (k - 1))
        if among <= 0:
            continue
        shrinkage[level] = within / among
        moved = {key: round(sum(g) / (len(g) + shrinkage[level])) for key, g in groups.items()}
        effects |= {(level, *key): effect for key, effect in moved.items()}
        left = [(row, value - moved[tuple(row[name] for name in names)]) for row, value in left]
    return centre, shrinkage, effects


def test_shrinkage_is_that_of_plain_python_and_of_the_truth(warehouse: Warehouse) -> None:
    """Planted standard deviations: 0.3 of customers and of pairs, 0.35 within; items spread evenly over logarithms of 12 to 60 days."""
    bought = refills(warehouse, 3, customers=150)
    gaps = warehouse.arrow(replenishment.gaps(warehouse, bought)).to_pylist()
    fitted = replenishment.fit_lasting(warehouse, bought)
    assert isinstance(fitted, replenishment.Lasting)
    centre, shrinkage, effects = by_hand(gaps)
    assert (fitted.centre, fitted.gaps) == (centre, len(gaps))
    assert fitted.shrinkage == pytest.approx(shrinkage, rel=2e-3)
    for level, table in fitted.effects.items():
        for row in warehouse.arrow(table).to_pylist():
            assert abs(row["effect"] - effects[(level, *(row[name] for name in replenishment.LEVELS[level]))]) <= 3
    assert fitted.spread == pytest.approx(350, rel=0.08)
    middle = np.linspace(log(12), log(60), 12)
    items = {row["item"]: row["effect"] for row in warehouse.arrow(fitted.effects["item"]).to_pylist()}
    groups = {row["item_group"]: row["effect"] for row in warehouse.arrow(fitted.effects["group"]).to_pylist()}
    found = [(fitted.centre + groups[f"group {n // 4}"] + items[f"i{n:02}"]) / 1000 for n in range(12)]
    assert np.corrcoef(found, middle)[0, 1] > 0.98
    assert np.abs(np.array(found) - middle).max() < 0.25


def test_on_a_simulated_truth_the_window_holds_and_the_means_are_beaten(warehouse: Warehouse) -> None:
    found = evaluations.run_outs(warehouse, refills(warehouse, 4), planted.day_of(420))
    assert found.purchases > 800
    assert 0.77 <= found.covered <= 0.83
    assert found.hits["run-out day"] > max(found.hits["item's mean"], found.hits["customer's mean"]) + 0.05
    assert found.error["run-out day"] < min(found.error["item's mean"], found.error["customer's mean"])


def test_on_complete_journey_the_window_holds_and_the_means_are_beaten(warehouse: Warehouse) -> None:
    """Types of product, purchases of the sixty days from October 2017 on."""
    real_shops.complete_journey(warehouse)
    bought = warehouse.keep(kept.items(kept.kept_lines(warehouse, LATER), warehouse.current("products"), "category"))
    found = evaluations.run_outs(warehouse, bought, date(2017, 10, 1))
    assert found.purchases > 2_500
    assert 0.77 <= found.covered <= 0.83
    assert found.hits["run-out day"] > max(found.hits["item's mean"], found.hits["customer's mean"]) + 0.03


@pytest.mark.long
def test_on_online_retail_the_window_holds_and_the_means_are_beaten(warehouse: Warehouse) -> None:
    """Purchases of the sixty days from September and from October 2011 on."""
    real_shops.online_retail(warehouse)
    bought = warehouse.keep(kept.items(kept.kept_lines(warehouse, LATER), warehouse.current("products")))
    for day in (date(2011, 9, 1), date(2011, 10, 1)):
        found = evaluations.run_outs(warehouse, bought, day)
        assert 0.77 <= found.covered <= 0.83
        assert found.hits["run-out day"] > max(found.hits["item's mean"], found.hits["customer's mean"]) + 0.05


def test_a_young_shop_says_what_it_cannot_tell(warehouse: Warehouse) -> None:
    days = [date(2026, 1, 1) + timedelta(days=7 * at) for at in range(12)]
    rows = [(f"c{n}", day, "tea", "") for n in range(4) for day in days[: n + 9]]
    columns = dict(zip(("customer_id", "purchase_day", "item", "item_group"), map(list, zip(*rows, strict=True)), strict=True))
    bought = ibis.memtable(columns)
    few = replenishment.fit(warehouse, bought.filter(bought.purchase_day < ibis.literal(date(2026, 1, 20))), at_day(date(2026, 2, 1)))
    assert few == CannotTell("Only 8 items were bought again so far, so how long they last is unknown.")
    weak = replenishment.fit(warehouse, bought, at_day(date(2026, 4, 1)))
    assert isinstance(weak, replenishment.Replenishment)
    assert (weak.quality, weak.window) == ("weak", run_out.Window(0.1, 0.5, 0.9, 0))
    (row, *_) = warehouse.arrow(replenishment.run_out(bought, weak, at_day(date(2026, 3, 20))).order_by("customer_id")).to_pylist()
    assert (row["lasts_days"], row["purchases"], row["last_day"]) == (7, 9, days[8])
