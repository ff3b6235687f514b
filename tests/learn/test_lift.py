"""A program's lift from the sums of its rounds: its parts, pooled beside stratified, and the traps that make a lift of nothing."""

from datetime import date

import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.comparison import compare, for_ever
from rekindle.learn.lift import TIGHTEST_AT, Lift, measure
from rekindle.learn.maturity import Maturity
from rekindle.learn.sequential import confidence_sequence
from rekindle.learn.sums import Cells
from tests.learn.summing import Columns, cells, shop, sides

WHOLE = Maturity(56, 56, 0, 0, None, None)
DAYS = date(2026, 3, 2), date(2026, 4, 26)


def measured(rows: Columns, **keys: np.ndarray) -> Lift:
    found = cells(rows, **keys)
    told = found.only(found.keys["segments"] != "")
    return measure("back", found, told, WHOLE, DAYS)


def interval(found: Interval | CannotTell) -> tuple[float, float, float]:
    assert isinstance(found, Interval), found
    return found.low, found.estimate, found.high


def test_a_program_has_its_counts_its_window_and_what_could_have_been_seen() -> None:
    rows = shop(np.random.default_rng(5), 500)
    found = measured(rows)
    assert (found.treated, found.control) == (rows["treated"].sum(), 500 - rows["treated"].sum())
    assert (found.first_day, found.last_day, found.weeks) == (*DAYS, 8)
    assert found.detectable == pytest.approx(2.801585 * found.measures["margin"].error, rel=1e-6)
    assert interval(found.pooled) == pytest.approx(interval(found.measures["margin"].difference), rel=1e-6), "by tea-tasting"


def test_parts_are_measured_apart_and_their_p_values_know_of_each_other() -> None:
    rows, chance = shop(np.random.default_rng(9), 1_800), np.random.default_rng(9)
    names = chance.choice(["long_inactive", "other"], 1_800)
    tiers = chance.choice(["high", "mid", "occasional"], 1_800)
    found = measured(rows, cohort=names, value_tier=tiers)
    assert list(found.parts["cohort"]) == ["long_inactive", "other"]
    for cohort in ("long_inactive", "other"):
        mine = {name: values[names == cohort] for name, values in rows.items()}
        assert found.cohort_sizes[cohort] == (mine["treated"].sum(), (~mine["treated"]).sum())
        assert interval(found.cohorts[cohort]["margin"].difference) == pytest.approx(interval(compare(*sides(mine))["margin"].difference))
    told = [part.measures["margin"] for parts in found.parts.values() for part in parts.values()]
    assert len(told) == 5
    assert min(one.adjusted for one in told) == pytest.approx(min(1.0, 5 * min(one.p_value for one in told)))
    assert all(one.adjusted >= one.p_value for one in told)


def test_a_quarter_has_the_rounds_whose_window_ended_in_it() -> None:
    """What a program did in one quarter is not what it did in another: the first lost, the second gained."""
    first, second = (shop(np.random.default_rng(seed), 2_000, effect=effect) for seed, effect in ((3, -900.0), (4, 900.0)))
    rows = {name: np.concatenate([first[name], second[name]]) for name in first}
    found = measured(rows, matured=np.repeat(["2026-Q3", "2026-Q4"], 2_000))
    for quarter, mine in (("2026-Q3", first), ("2026-Q4", second)):
        told = found.quarters[quarter]
        assert (told.treated, told.control) == (mine["treated"].sum(), (~mine["treated"]).sum())
        assert interval(told.measures["margin"].difference) == pytest.approx(interval(compare(*sides(mine))["margin"].difference))
    assert found.quarters["2026-Q3"].measures["margin"].difference.high < 0 < found.quarters["2026-Q4"].measures["margin"].difference.low
    assert measured(shop(np.random.default_rng(5), 500)).quarters == {}, "before the last quarters there is none"


def test_a_program_s_margin_has_an_interval_for_every_day_once_the_horizon_is_whole() -> None:
    rows = shop(np.random.default_rng(5), 3_000)
    found = measured(rows).measures
    margin = found["margin"]
    for_ever = confidence_sequence(margin.difference.estimate, 3_000 * margin.error**2, 3_000, TIGHTEST_AT)
    assert interval(margin.any_day) == pytest.approx(interval(for_ever))
    assert margin.any_day.low < margin.difference.low < margin.difference.high < margin.any_day.high
    assert [name for name, one in found.items() if one.any_day] == ["margin"], "the others are for one look"
    mine = cells(rows)
    early = measure("back", mine, mine, Maturity(90, 56, 0, 0, None, None), DAYS)
    assert early.measures["margin"].any_day is None, "the days that are counted change"


def test_who_looks_every_day_is_fooled_by_the_interval_for_one_look_alone() -> None:
    """Forty looks at each of 300 programs that bring nothing, 100 rounds more each time."""
    chance, fooled, lasting = np.random.default_rng(29), 0, 0
    for _ in range(300):
        rows = shop(chance, 4_100, control=0.3)
        parts = {size: {name: one[:size] for name, one in rows.items()} for size in range(200, 4_101, 100)}
        looks = {size: compare(*sides(part), ("margin",))["margin"] for size, part in parts.items()}
        known = [(one, for_ever(one, size, TIGHTEST_AT)) for size, one in looks.items() if one.error]
        fooled += any(one.told_apart for one, _ in known)
        lasting += any(not every.low <= 0 <= every.high for _, every in known)
    assert fooled > 300 * 0.15
    assert lasting <= 300 * 0.05


def test_in_shops_where_nothing_works_hardly_ever_any_part_stands_out() -> None:
    """Nine parts at 5 % each would show something in 37 shops of a hundred; adjusted it is at most 5, three deviations above allowed."""
    chance, stood_out, plain = np.random.default_rng(17), 0, 0
    for _ in range(120):
        rows = shop(chance, 4_500, control=0.3)
        found = measured(rows, cohort=chance.choice(list("abcd"), 4_500), value_tier=chance.choice(list("xyzuv"), 4_500))
        told = [part.measures["margin"] for parts in found.parts.values() for part in parts.values()]
        stood_out += any(one.told_apart for one in told)
        plain += any(one.p_value < 0.05 for one in told)
    assert stood_out <= 120 * 0.05 + 3 * (120 * 0.05 * 0.95) ** 0.5
    assert plain > 25


def test_a_customer_counts_in_every_segment_that_they_are_in() -> None:
    rows = shop(np.random.default_rng(21), 900)
    member = np.where(np.arange(900) % 3 == 0, "|advocates|", np.where(np.arange(900) % 3 == 1, "|advocates|cart_left|", "|"))
    found = measured(rows, segments=member)
    assert {name: part.treated + part.control for name, part in found.parts["segment"].items()} == {"advocates": 600, "cart_left": 300}
    assert "segment" not in measured(rows).parts, "rounds of before segments were written down are in none"


def two_seasons(effect: float) -> tuple[Columns, np.ndarray]:
    """A rich season with half in the control, then a poor one with a tenth: the mix makes the treated look poor."""
    chance = np.random.default_rng(23)
    rich, poor = shop(chance, 3_000, control=0.5), shop(chance, 9_000, control=0.1)
    for rows, times in ((rich, 6.0), (poor, 1.0)):
        rows["margin"] = rows["margin"] * times + effect * rows["treated"]
    rows = {name: np.concatenate([rich[name], poor[name]]) for name in rich}
    return rows | {"baseline": np.zeros(12_000)}, np.repeat(["0.5", "0.1"], (3_000, 9_000))


def test_a_change_of_sign_between_pooled_and_stratified_is_an_alarm() -> None:
    """Simpson's paradox: everybody gained 600, and pooled they seem to have lost."""
    rows, share = two_seasons(600.0)
    found = measured(rows, control_share=share)
    pooled, true = interval(found.pooled), interval(found.measures["margin"].difference)
    assert pooled[2] < 0 < true[0] < 600 < true[2]
    assert "policy and context" in found.reversed_by
    still, share = two_seasons(0.0)
    assert interval(measured(still, control_share=share).measures["margin"].difference)[0] < 0 < interval(
        measured(still, control_share=share).measures["margin"].difference
    )[2]
    fair = shop(np.random.default_rng(3), 3_000)
    assert measured(fair, cohort=np.random.default_rng(3).choice(["a", "b"], 3_000)).reversed_by == ()


def test_parts_are_stratified_as_the_program_is() -> None:
    """A tier and a segment that everybody is in are the program again, though the treated are mostly of a poorer context."""
    rows, context = two_seasons(600.0)
    everybody = np.full(len(context), "|advocates|")
    found = measured(rows, context=context, value_tier=np.full(len(context), "mid"), segments=everybody)
    whole = interval(found.measures["margin"].difference)
    assert whole[0] < 600 < whole[2]
    for part in (found.parts["tier"]["mid"], found.parts["segment"]["advocates"]):
        assert interval(part.measures["margin"].difference) == pytest.approx(whole)


def test_a_segment_that_turns_the_sign_is_an_alarm_and_a_segment_that_does_not_is_none() -> None:
    rows, season = two_seasons(600.0)
    even = np.where(np.random.default_rng(4).random(len(season)) < 0.5, "tea|", "")
    marked = np.char.add(np.where(season == "0.5", "|advocates|", "|"), even)
    assert measured(rows, segments=marked).reversed_by == ("segment advocates",)
    assert measured(rows, segments=np.char.add("|", even)).reversed_by == ()


def test_customers_picked_for_a_dip_return_by_themselves_and_that_is_no_lift() -> None:
    """Regression to the mean: picked for having spent little of late, all spend more afterwards; the control does so too.

    Of 200 shops in which nothing works the interval holds nought in 190, three standard deviations either way; before and after differ
    in all of them.
    """
    chance, held, rose = np.random.default_rng(91), 0, 0
    for _ in range(200):
        rate = chance.gamma(1.0, 2.0, 3_000)
        before, after = chance.poisson(rate), chance.poisson(rate)
        low = before <= np.quantile(before, 0.5)
        size = int(low.sum())
        rows = shop(chance, size, control=0.2)
        rows |= {
            "margin": after[low] * 800.0, "orders": after[low].astype(float), "retained": (after[low] > 0).astype(float),
            "baseline": before[low].astype(float),
        }
        found = interval(measured(rows).measures["margin"].difference)
        held += found[0] <= 0 <= found[2]
        rose += after[low].mean() > before[low].mean() * 1.3
    assert rose == 200
    assert abs(held - 190) <= 3 * (200 * 0.05 * 0.95) ** 0.5


def test_nobody_and_no_control_are_no_lift() -> None:
    alone = measured({name: values[:50] for name, values in shop(np.random.default_rng(7), 50, control=0.0).items()})
    assert isinstance(alone.measures["margin"].difference, CannotTell)
    assert isinstance(alone.detectable, CannotTell)
    assert isinstance(alone.pooled, CannotTell)
    nobody: Cells = cells({name: values[:0] for name, values in shop(np.random.default_rng(7), 50).items()})
    empty = measure("back", nobody, nobody, Maturity(56, 0, 0, 0, None, None), (None, DAYS[1]))
    assert (empty.treated, empty.control, empty.cohorts, empty.weeks) == (0, 0, {}, 0)
