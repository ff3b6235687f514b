"""Lift against second implementations, its interval against a truth of nought, and what it refuses to say."""

from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.models import Interval
from rekindle.learn.lift import LEAST_CONTROL, MEASURES, Lift, compare, detectable, measure

Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("lift")) as opened:
        yield opened


def shop(chance: np.random.Generator, size: int, control: float = 0.2, effect: float = 0.0) -> Columns:
    """Rounds with heavy-tailed margins, most of them nought, that a baseline foretells in part; `effect` is added where treated."""
    likely = chance.beta(1, 4, size)
    baseline = np.rint(likely * chance.gamma(2, 3_000, size))
    bought = chance.random(size) < likely
    spend = np.rint(np.where(bought, chance.gamma(2, 4_000, size), 0))
    treated = chance.random(size) >= control
    return {
        "baseline": baseline, "spend": spend, "margin": spend * 0.4 + effect * treated, "retained": bought.astype(int),
        "activated": (bought | (chance.random(size) < 0.1)).astype(int), "treated": treated,
    }


def reduced(rows: Columns) -> dict[str, dict[str, float]]:
    """What `lift.reduce` gives of each group, by numpy."""
    found = {}
    for standing, mine in (("treated", rows["treated"]), ("control", ~rows["treated"])):
        x = rows["baseline"][mine]
        one = {"n": len(x), "mean_baseline": x.mean(), "var_baseline": x.var(ddof=1)}
        for name in MEASURES:
            y = rows[name][mine]
            one |= {f"mean_{name}": y.mean(), f"var_{name}": y.var(ddof=1), f"cov_{name}": np.cov(x, y)[0, 1]}
        found[standing] = one
    return found


def table(warehouse: Warehouse, rows: Columns, cohorts: list[str | None] | None = None):
    size = len(rows["margin"])
    columns = {name: values for name, values in rows.items() if name != "treated"}
    standing = np.where(rows["treated"], "treated", "control")
    entered = pa.array([datetime(2026, 3, 2)] * size, pa.timestamp("us"))
    named = pa.array(cohorts or ["other"] * size, pa.string())
    return warehouse.keep(pa.table({**columns, "standing": standing, "cohort": named, "entered_at": entered}))


def measured(warehouse: Warehouse, rows: Columns, cohorts: list[str | None] | None = None) -> Lift:
    return measure(warehouse, table(warehouse, rows, cohorts), "back", date(2026, 4, 26))


def interval(found: Interval | CannotTell) -> tuple[float, float, float]:
    assert isinstance(found, Interval)
    return found.low, found.estimate, found.high


@pytest.mark.parametrize("name", MEASURES)
def test_without_a_baseline_it_is_welch_as_scipy_has_it(warehouse: Warehouse, name: str) -> None:
    rows = shop(np.random.default_rng(1), 3_000) | {"baseline": np.full(3_000, 500.0)}
    result = stats.ttest_ind(rows[name][rows["treated"]], rows[name][~rows["treated"]], equal_var=False)
    low, high = result.confidence_interval(0.95)
    found = measured(warehouse, rows).measures[name]
    estimate = rows[name][rows["treated"]].mean() - rows[name][~rows["treated"]].mean()
    assert interval(found.difference) == pytest.approx((low, estimate, high), rel=1e-9)
    assert found.p_value == pytest.approx(result.pvalue, rel=1e-9)
    assert found.control_mean == pytest.approx(rows[name][~rows["treated"]].mean())


@pytest.mark.parametrize("name", MEASURES)
def test_with_a_baseline_it_is_welch_of_what_the_baseline_does_not_foretell(warehouse: Warehouse, name: str) -> None:
    """Deng, Xu, Kohavi & Walker (2013): theta = cov / var over both groups."""
    rows = shop(np.random.default_rng(2), 3_000, effect=150.0)
    x, y, treated = rows["baseline"], rows[name], rows["treated"]
    theta = np.cov(x, y)[0, 1] / x.var(ddof=1)
    rest = y - theta * (x - x.mean())
    result = stats.ttest_ind(rest[treated], rest[~treated], equal_var=False)
    low, high = result.confidence_interval(0.95)
    found = measured(warehouse, rows).measures[name]
    assert interval(found.difference) == pytest.approx((low, rest[treated].mean() - rest[~treated].mean(), high), rel=1e-6)
    assert found.p_value == pytest.approx(result.pvalue, rel=1e-6)


def test_it_agrees_with_a_regression_on_treatment_and_baseline_and_is_narrower_than_without(warehouse: Warehouse) -> None:
    rows = shop(np.random.default_rng(3), 4_000, effect=400.0)
    design = np.column_stack([np.ones(4_000), rows["treated"], rows["baseline"]])
    slope, *_ = np.linalg.lstsq(design, rows["margin"], rcond=None)
    low, estimate, high = interval(measured(warehouse, rows).measures["margin"].difference)
    assert estimate == pytest.approx(slope[1], abs=0.02 * (high - low))
    plain = interval(measured(warehouse, rows | {"baseline": np.zeros(4_000)}).measures["margin"].difference)
    assert high - low < plain[2] - plain[0]
    assert low < 400 < high


def test_a_difference_by_hand() -> None:
    """Twenty customers of 10 and 30 against twenty of 0 and 20: 10 more, with a standard error of sqrt(2 x 2000 / 19 / 20)."""
    treated = {"n": 20, "mean_baseline": 1.0, "var_baseline": 0.0}
    control = dict(treated)
    for name in MEASURES:
        treated |= {f"mean_{name}": 20.0, f"var_{name}": 2_000 / 19, f"cov_{name}": 0.0}
        control |= {f"mean_{name}": 10.0, f"var_{name}": 2_000 / 19, f"cov_{name}": 0.0}
    low, estimate, high = interval(compare({"treated": treated, "control": control})["margin"].difference)
    half = 2.024394 * (2 * 2_000 / 19 / 20) ** 0.5  # Student's t with 38 degrees of freedom
    assert (low, estimate, high) == pytest.approx((10 - half, 10.0, 10 + half), rel=1e-6)


def test_an_interval_holds_nought_where_there_is_nothing_nineteen_times_in_twenty() -> None:
    """300 shops in which treatment does nothing: 285 expected to hold it, three standard deviations either way."""
    chance = np.random.default_rng(20260302)
    held = {"margin": 0, "retained": 0}
    for _ in range(300):
        found = compare(reduced(shop(chance, 1_200, control=0.15)))
        for name in held:
            low, _, high = interval(found[name].difference)
            held[name] += low <= 0 <= high
    bounds = (285 - 3 * (300 * 0.05 * 0.95) ** 0.5, 285 + 3 * (300 * 0.05 * 0.95) ** 0.5)
    assert all(bounds[0] <= count <= bounds[1] for count in held.values()), held


def test_the_detectable_effect_shows_four_times_in_five() -> None:
    chance = np.random.default_rng(8)
    seen = 0
    for _ in range(300):
        rows = shop(chance, 1_200, control=0.3) | {"baseline": np.zeros(1_200)}
        treated = int(rows["treated"].sum())
        rows["margin"] = rows["margin"] + rows["treated"] * detectable(rows["margin"].var(ddof=1), treated, 1_200 - treated)
        seen += interval(compare(reduced(rows))["margin"].difference)[0] > 0
    assert abs(seen / 300 - 0.8) < 4 * (0.8 * 0.2 / 300) ** 0.5


def test_the_detectable_effect_of_a_measurement_pools_both_groups(warehouse: Warehouse) -> None:
    rows = shop(np.random.default_rng(5), 500)
    groups = rows["margin"][rows["treated"]], rows["margin"][~rows["treated"]]
    pooled = sum((len(one) - 1) * one.var(ddof=1) for one in groups) / (500 - 2)
    found = measured(warehouse, rows)
    assert found.detectable == pytest.approx(2.801585 * (pooled * (1 / len(groups[0]) + 1 / len(groups[1]))) ** 0.5, rel=1e-6)
    assert (found.treated, found.control) == (len(groups[0]), len(groups[1]))


def test_too_small_a_group_says_nothing_but_its_mean(warehouse: Warehouse) -> None:
    rows = shop(np.random.default_rng(6), 400)
    few = np.flatnonzero(~rows["treated"])[LEAST_CONTROL - 1 :]
    rows = {name: np.delete(values, few) for name, values in rows.items()}
    found = measured(warehouse, rows)
    for name in MEASURES:
        difference = found.measures[name].difference
        assert isinstance(difference, CannotTell)
        assert f"{LEAST_CONTROL - 1} in the control" in difference.reason
        assert found.measures[name].p_value is None
        assert found.measures[name].control_mean == pytest.approx(rows[name][~rows["treated"]].mean())
    assert isinstance(found.detectable, float)


def test_no_control_nobody_and_no_difference_are_no_lift(warehouse: Warehouse) -> None:
    alone = measured(warehouse, {name: values[:50] for name, values in shop(np.random.default_rng(7), 50, control=0.0).items()})
    assert isinstance(alone.measures["margin"].difference, CannotTell)
    assert isinstance(alone.detectable, CannotTell)
    empty = measured(warehouse, {name: values[:0] for name, values in shop(np.random.default_rng(7), 50).items()})
    assert (empty.treated, empty.control, empty.cohorts, empty.first_day, empty.weeks) == (0, 0, {}, None, 0)
    still = shop(np.random.default_rng(7), 200) | {name: np.zeros(200) for name in MEASURES}
    difference = measured(warehouse, still).measures["margin"].difference
    assert isinstance(difference, CannotTell)
    assert difference.reason == "0 of the control and 0 of the others have ordered so far; 10 of each are needed"
    level = measured(warehouse, still | {"retained": np.ones(200)}).measures["margin"].difference
    assert isinstance(level, CannotTell)
    assert level.reason == "no differences in margin yet, in either group"


def test_a_control_that_has_hardly_ordered_is_no_comparison(warehouse: Warehouse) -> None:
    """Twelve of 263 against none of 30 is luck (Fisher: p = 0.62), whatever the interval of the means says."""
    rows = shop(np.random.default_rng(7), 293)
    treated = np.arange(293) < 263
    retained = ((np.arange(293) % 22 == 0) & treated).astype(float)
    rows |= {"treated": treated, "retained": retained, "margin": retained * 2_500.0, "spend": retained * 6_000.0}
    difference = measured(warehouse, rows).measures["margin"].difference
    assert isinstance(difference, CannotTell)
    assert difference.reason == "0 of the control and 12 of the others have ordered so far; 10 of each are needed"


def test_cohorts_are_measured_apart_and_who_has_none_is_of_the_others(warehouse: Warehouse) -> None:
    rows = shop(np.random.default_rng(9), 900)
    names = np.random.default_rng(9).choice(["long_inactive", "other", ""], 900)
    found = measured(warehouse, rows, [str(name) or None for name in names])
    assert list(found.cohorts) == ["long_inactive", "other"]
    for cohort, mine in (("long_inactive", names == "long_inactive"), ("other", names != "long_inactive")):
        treated, control = mine & rows["treated"], mine & ~rows["treated"]
        assert found.cohort_sizes[cohort] == (treated.sum(), control.sum())
        alone = compare(reduced({name: values[mine] for name, values in rows.items()}))
        assert interval(found.cohorts[cohort]["margin"].difference) == pytest.approx(interval(alone["margin"].difference), rel=1e-6)
    assert (found.first_day, found.last_day, found.weeks) == (date(2026, 3, 2), date(2026, 4, 26), 8)
