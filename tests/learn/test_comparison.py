"""A comparison against second implementations, its interval against a truth of nought, and what it refuses to say."""

import numpy as np
import pytest
import tea_tasting as tt
from scipy import stats
from scipy.stats import false_discovery_control
from tea_tasting.aggr import Aggregates

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn import as_json
from rekindle.learn.comparison import Comparison, compare, detectable, holm
from rekindle.learn.measures import CATALOGUE
from rekindle.learn.strata import aligned
from rekindle.learn.sums import Sums
from tests.learn.summing import Columns, cells, shop, sides, summed

MEANS = tuple(name for name, one in CATALOGUE.items() if not one.over)


def interval(found: Comparison) -> tuple[float, float, float]:
    assert isinstance(found.difference, Interval), found.difference
    return found.difference.low, found.difference.estimate, found.difference.high


@pytest.mark.parametrize("name", MEANS)
def test_without_a_baseline_it_is_welch_as_scipy_has_it(name: str) -> None:
    rows = shop(np.random.default_rng(1), 3_000) | {"baseline": np.full(3_000, 500.0)}
    y = rows[CATALOGUE[name].column]
    result = stats.ttest_ind(y[rows["treated"]], y[~rows["treated"]], equal_var=False)
    low, high = result.confidence_interval(0.95)
    found = compare(*sides(rows))[name]
    estimate = y[rows["treated"]].mean() - y[~rows["treated"]].mean()
    assert interval(found) == pytest.approx((low, estimate, high), rel=1e-9)
    assert found.p_value == pytest.approx(result.pvalue, rel=1e-9)
    assert found.control_mean == pytest.approx(y[~rows["treated"]].mean())
    assert found.narrower == 0


@pytest.mark.parametrize("name", MEANS)
def test_with_a_baseline_it_is_welch_of_what_the_baseline_does_not_foretell(name: str) -> None:
    """Deng, Xu, Kohavi & Walker (2013): theta = cov / var over both groups."""
    rows = shop(np.random.default_rng(2), 3_000, effect=150.0)
    x, y, treated = rows["baseline"], rows[CATALOGUE[name].column], rows["treated"]
    theta = np.cov(x, y)[0, 1] / x.var(ddof=1)
    rest = y - theta * (x - x.mean())
    result = stats.ttest_ind(rest[treated], rest[~treated], equal_var=False)
    low, high = result.confidence_interval(0.95)
    found = compare(*sides(rows))[name]
    assert interval(found) == pytest.approx((low, rest[treated].mean() - rest[~treated].mean(), high), rel=1e-6)
    assert found.p_value == pytest.approx(result.pvalue, rel=1e-6)
    plain = np.sqrt(sum(y[side].var(ddof=1) / side.sum() for side in (treated, ~treated)))
    assert found.narrower == pytest.approx(max(1 - found.error / plain, 0), abs=1e-9)


def test_a_ratio_is_that_of_tea_tasting() -> None:
    """By the delta method; the interval to five decimals, with Welch's degrees of freedom."""
    rows = shop(np.random.default_rng(4), 5_000)
    groups = []
    for side in (~rows["treated"], rows["treated"]):
        spend, orders = rows["spend"][side], rows["orders"][side]
        groups.append(
            Aggregates(
                count_=int(side.sum()), mean_={"spend": spend.mean(), "orders": orders.mean()},
                var_={"spend": spend.var(ddof=1), "orders": orders.var(ddof=1)}, cov_={("orders", "spend"): np.cov(spend, orders)[0, 1]},
            )
        )
    other = tt.RatioOfMeans("spend", "orders").analyze_aggregates(*groups)
    found = compare(*sides(rows))["aov"]
    assert interval(found) == pytest.approx((other.effect_size_ci_lower, other.effect_size, other.effect_size_ci_upper), rel=1e-5)
    assert (found.p_value, found.control_mean) == pytest.approx((other.pvalue, other.control), rel=1e-5)


def published(name: str, total: float, squares: float, n: int) -> Sums:
    """Sums as the notebook of tea-tasting's vectors gives them."""
    whole = summed(shop(np.random.default_rng(0), n, 0.0) | {"baseline": np.zeros(n), "retained": np.ones(n)})
    values = whole.values.copy()
    for key, value in ((f"y:{name}", total), (f"yy:{name}", squares)):
        values[:, whole.names.index(key)] = value
    return Sums(whole.names, values)


def test_the_published_vector_of_an_experiment() -> None:
    """SCIENCE.md 2: A 1396.87, 52377.9767, 3407; B 2422.7, 134698.29, 3461; absolute .29 (.04538, .53462), p .02016."""
    control, treated = published("margin", 1396.87, 52377.9767, 3407), published("margin", 2422.7, 134698.29, 3461)
    found = compare(treated, control, ("margin",))["margin"]
    assert interval(found) == pytest.approx((0.04538, 0.29, 0.53462), abs=5e-6)
    assert found.p_value == pytest.approx(0.02016, abs=5e-6)


def test_the_published_vector_of_a_relative_difference() -> None:
    """Of the same two groups: relative .70732, interval -.03526 to 1.44989, p .06191."""
    control, treated = published("spend", 1396.87, 52377.9767, 3407), published("spend", 2422.7, 134698.29, 3461)
    told = compare(treated, control, ("spend",))["spend"]
    found = told.relative
    assert (found.difference.low, found.difference.estimate, found.difference.high) == pytest.approx((-0.03526, 0.70732, 1.44989), abs=5e-6)
    assert found.p_value == pytest.approx(0.06191, abs=5e-6)
    said = as_json.comparison("spend", told)
    assert said["relative"] == {
        "difference": found.difference.estimate, "low": found.difference.low, "high": found.difference.high, "p_value": found.p_value,
    }  # fmt: skip


def test_a_relative_difference_with_a_baseline_and_strata_is_of_the_adjusted_means_and_holds_the_truth() -> None:
    """200 shops of two strata where the treated spend a quarter more: 190 expected, three standard deviations either way."""
    chance, held = np.random.default_rng(15), 0
    for _ in range(200):
        rows = shop(chance, 4_000)
        rows["spend"] = rows["spend"] * (1 + 0.25 * rows["treated"])
        whole = cells(rows, context=(chance.random(4_000) < 0.3).astype(int))
        told = compare(*aligned(whole, ("context",)), ("spend",))["spend"].relative.difference
        held += told.low <= 0.25 <= told.high
    assert abs(held - 190) <= 3 * (200 * 0.05 * 0.95) ** 0.5


def test_no_share_is_told_of_what_is_no_money_or_hardly_above_nought() -> None:
    found = compare(*sides(shop(np.random.default_rng(1), 3_000)))
    assert {name for name, one in found.items() if one.relative} == {"margin", "spend", "reactivated"}
    poor = shop(np.random.default_rng(1), 3_000)
    poor["margin"] = poor["margin"] - poor["margin"].mean()
    assert compare(*sides(poor), ("margin",))["margin"].relative is None


def test_spend_of_the_reactivated_takes_enough_of_them_whoever_else_ordered() -> None:
    """Of 3,000 hundreds ordered; of those who were lapsed nine in either group, or eleven, each as much."""
    for few, told in ((9, False), (11, True)):
        rows = shop(np.random.default_rng(1), 3_000)
        chosen = np.concatenate([np.flatnonzero(rows["treated"] == side)[:few] for side in (True, False)])
        rows["reactivated"] = np.where(np.isin(np.arange(3_000), chosen), 5_000.0, 0.0)
        found = compare(*sides(rows))
        assert isinstance(found["spend"].difference, Interval)
        assert isinstance(found["reactivated"].difference, Interval) is told
    nobody = {**rows, "reactivated": np.zeros(3_000)}
    assert compare(*sides(nobody))["reactivated"].difference.reason == "no differences in reactivated yet, in either group"


def test_a_difference_by_hand() -> None:
    """Twenty customers of 10 and 30 against twenty of 0 and 20: 10 more, with a standard error of sqrt(2 x 2000 / 19 / 20)."""
    rows = shop(np.random.default_rng(3), 40) | {"baseline": np.zeros(40), "retained": np.ones(40), "treated": np.arange(40) < 20}
    rows["margin"] = np.where(np.arange(40) < 20, 10.0, 0.0) + np.where(np.arange(40) % 2 == 0, 20.0, 0.0)
    half = 2.024394 * (2 * 2_000 / 19 / 20) ** 0.5  # Student's t with 38 degrees of freedom
    assert interval(compare(*sides(rows))["margin"]) == pytest.approx((10 - half, 10.0, 10 + half), rel=1e-6)


def test_it_agrees_with_a_regression_and_is_narrower_than_without_a_baseline() -> None:
    rows = shop(np.random.default_rng(3), 4_000, effect=400.0)
    design = np.column_stack([np.ones(4_000), rows["treated"], rows["baseline"]])
    slope, *_ = np.linalg.lstsq(design, rows["margin"], rcond=None)
    low, estimate, high = interval(compare(*sides(rows))["margin"])
    assert estimate == pytest.approx(slope[1], abs=0.02 * (high - low))
    plain = interval(compare(*sides(rows | {"baseline": np.zeros(4_000)}))["margin"])
    assert high - low < plain[2] - plain[0]
    assert low < 400 < high


def test_a_baseline_that_hardly_varies_is_left_out() -> None:
    """One group's is all the same; another is the same up to the last digits of floating point."""
    for baseline in (np.where(np.arange(2_000) % 2 == 0, 700.0, 0.0), np.full(2_000, 1e9 / 3)):
        rows = shop(np.random.default_rng(12), 2_000)
        rows |= {"treated": np.arange(2_000) % 4 > 0, "baseline": baseline * (np.arange(2_000) % 4 > 0) if baseline[1] == 0 else baseline}
        found = compare(*sides(rows))["margin"]
        assert found.narrower == 0
        assert interval(found) == pytest.approx(interval(compare(*sides(rows | {"baseline": np.zeros(2_000)}))["margin"]))


def test_strata_weigh_by_their_size_and_each_is_compared_within_itself() -> None:
    """Two strata by hand against numpy: a share of 10 % where customers are poor, of 50 % where they are rich."""
    chance = np.random.default_rng(11)
    poor, rich = shop(chance, 4_000, control=0.1), shop(chance, 1_000, control=0.5)
    rich = {name: values * (10 if name in ("spend", "margin") else 1) for name, values in rich.items()} | {"treated": rich["treated"]}
    rows = {name: np.concatenate([poor[name], rich[name]]) for name in poor} | {"baseline": np.zeros(5_000)}
    share = np.repeat(["0.1", "0.5"], (4_000, 1_000))
    expected, variance = 0.0, 0.0
    for value, weight in (("0.1", 0.8), ("0.5", 0.2)):
        y, side = rows["margin"][share == value], rows["treated"][share == value]
        expected += weight * (y[side].mean() - y[~side].mean())
        variance += weight**2 * (y[side].var(ddof=1) / side.sum() + y[~side].var(ddof=1) / (~side).sum())
    found = compare(*aligned(cells(rows, control_share=share)))["margin"]
    assert (interval(found)[1], found.error) == pytest.approx((expected, variance**0.5))
    pooled = rows["margin"][rows["treated"]].mean() - rows["margin"][~rows["treated"]].mean()
    assert pooled < found.difference.low, "the pooled difference takes the rich control for an effect"


def test_small_strata_are_put_together_within_what_they_were_drawn_by() -> None:
    rows = shop(np.random.default_rng(13), 3_000, control=0.3)
    policy = np.char.add("p", (np.arange(3_000) % 150).astype(str))  # twenty rounds each, six of them control
    both = [aligned(cells(rows, policy=policy), ("policy",)), aligned(cells(rows))]
    assert [len(one[0]) for one in both] == [1, 1]
    share = np.where(np.arange(3_000) % 3 == 0, "0.3", "0.2")
    treated, control = aligned(cells(rows, policy=policy, control_share=share), ("policy",))
    assert (len(treated), int(treated.n.sum() + control.n.sum())) == (2, 3_000)
    alone = rows | {"treated": np.where(share == "0.2", True, rows["treated"])}
    treated, control = aligned(cells(alone, control_share=share))
    assert int(treated.n.sum() + control.n.sum()) == 1_000, "where nobody is control nobody is compared"


def nothing_works(name: str, shops: int, size: int, control: float) -> int:
    """In how many of so many shops in which treatment does nothing the interval holds nought."""
    chance = np.random.default_rng(20260302)
    held = 0
    for _ in range(shops):
        low, _, high = interval(compare(*sides(shop(chance, size, control)), (name,))[name])
        held += low <= 0 <= high
    return held


@pytest.mark.parametrize("name", ["margin", "retained", "aov"])
def test_an_interval_holds_nought_where_there_is_nothing_nineteen_times_in_twenty(name: str) -> None:
    """300 shops: 285 expected to hold it, three standard deviations either way."""
    assert abs(nothing_works(name, 300, 1_200, 0.15) - 285) < 3 * (300 * 0.05 * 0.95) ** 0.5


def test_the_detectable_effect_shows_four_times_in_five() -> None:
    chance = np.random.default_rng(8)
    seen = 0
    for _ in range(300):
        rows = shop(chance, 1_200, control=0.3) | {"baseline": np.zeros(1_200)}
        treated = int(rows["treated"].sum())
        rows["margin"] = rows["margin"] + rows["treated"] * detectable(rows["margin"].var(ddof=1), treated, 1_200 - treated)
        seen += interval(compare(*sides(rows), ("margin",))["margin"])[0] > 0
    assert abs(seen / 300 - 0.8) < 4 * (0.8 * 0.2 / 300) ** 0.5


def test_what_could_have_been_seen_stands_beside_every_number() -> None:
    found = compare(*sides(shop(np.random.default_rng(5), 900)))
    for one in found.values():
        assert one.detectable == pytest.approx(2.801585 * one.error, rel=1e-6)
    few = compare(*sides(shop(np.random.default_rng(5), 60)))["margin"]
    assert isinstance(few.difference, CannotTell)
    assert few.detectable > found["margin"].detectable


def test_too_few_say_nothing_but_their_mean() -> None:
    rows = shop(np.random.default_rng(6), 400)
    few = np.flatnonzero(~rows["treated"])[19:]
    rows = {name: np.delete(values, few) for name, values in rows.items()}
    for name, found in compare(*sides(rows)).items():
        assert isinstance(found.difference, CannotTell), name
        assert found.difference.reason == f"19 in the control and {rows['treated'].sum()} treated; 20 of each are needed"
        assert found.p_value is None
    assert compare(*sides(rows))["margin"].control_mean == pytest.approx(rows["margin"][~rows["treated"]].mean())


def test_a_control_that_has_hardly_ordered_is_no_comparison() -> None:
    """Twelve of 263 against none of 30 is luck (Fisher: p = 0.62), whatever the interval of the means says."""
    rows = shop(np.random.default_rng(7), 293)
    treated = np.arange(293) < 263
    retained = ((np.arange(293) % 22 == 0) & treated).astype(float)
    rows |= {"treated": treated, "retained": retained, "margin": retained * 2_500.0, "spend": retained * 6_000.0}
    difference = compare(*sides(rows))["margin"].difference
    assert isinstance(difference, CannotTell)
    assert difference.reason == "0 of the control and 12 of the others have ordered so far; 10 of each are needed"


def test_no_difference_between_anybody_is_no_lift() -> None:
    still: Columns = shop(np.random.default_rng(7), 200)
    level = still | {name: np.zeros(200) for name in ("margin", "spend", "orders")} | {"retained": np.ones(200)}
    for name in ("margin", "aov"):
        difference = compare(*sides(level))[name].difference
        assert isinstance(difference, CannotTell)
        assert difference.reason == f"no differences in {name} yet, in either group"


def test_adjusted_p_values_are_holms_and_never_below_the_plain_ones() -> None:
    """By hand: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04; each at least the one before."""
    assert holm([0.04, 0.01, None, 0.03, 0.02]) == pytest.approx([0.06, 0.04, None, 0.06, 0.06])
    chance = np.random.default_rng(1).random(50) ** 3
    adjusted = np.array(holm(list(chance)))
    assert (adjusted >= false_discovery_control(chance) - 1e-12).all(), "never more generous than Benjamini and Hochberg"
    assert adjusted.max() <= 1
