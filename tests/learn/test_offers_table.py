"""Which offers bring more than nothing: a truth that raw conversion gets the wrong way round, and numbers by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.evidence import Evidence, Rest
from rekindle.learn.offers_table import Line, offers_table
from rekindle.program.documents import NOTHING
from tests.decide.shop import TAILOR, program

TWICE = {**TAILOR, "arms": {**TAILOR["arms"], "again": {"offer": "percent", "prior": {"mean": 0.02, "sd": 0.02}}}}
PROGRAM = program(stages={"tailor": TWICE})
ARMS = ("percent", "credit", "again", NOTHING)
MARGIN = 2_000.0


def evidence(decisions: np.ndarray, orders: np.ndarray, rest: tuple[np.ndarray, np.ndarray] | None, share: float = 1.0) -> Evidence:
    """One stage in one or more contexts; every order brings the same margin. `rest`: decisions and orders of who might have got each."""
    shape = decisions.shape
    compared = None
    if rest is not None:
        count, came = (part.astype(float) for part in rest)
        compared = Rest(count, count * share, came * MARGIN, came * MARGIN**2, came)
    return Evidence(
        "back", "tailor", tuple(f"c{row}" for row in range(shape[0])), ARMS, decisions.astype(float), decisions * share,
        orders * MARGIN, orders * MARGIN**2, orders.astype(float), np.ones(shape[0]), np.zeros(shape), np.ones(shape),
        np.zeros(shape[1]), np.ones(shape[1]), ("email", "email", "email", ""), compared,
    )


def lines(one: Evidence) -> dict[tuple[str, str], Line]:
    return {(line.offer, line.context): line for line in offers_table([one], {"back": PROGRAM})}


def test_an_offer_for_good_customers_is_held_against_good_customers() -> None:
    """The credit goes to regulars, who order at 30 % anyway; the others at 5 %. It adds nothing, the percentage adds 5 points.

    Of 40,000 customers half are regulars. Raw, the credit converts at 30 % and the percentage at 22 %; next to `nothing` of everybody, at
    17 %, the credit would look like a gain of 13 points.
    """
    chance = np.random.default_rng(8)
    regular = chance.random(40_000) < 0.5
    arm = np.where(regular, chance.integers(0, 3, 40_000), chance.integers(1, 3, 40_000))  # 0 credit, 1 percent, 2 nothing
    ordered = chance.random(40_000) < np.where(regular, 0.30, 0.05) + np.where(arm == 1, 0.05, 0.0)
    credit, percent, idle = (arm == number for number in range(3))
    count = np.array([[percent.sum(), credit.sum(), 0, idle.sum()]])
    came = np.array([[(percent & ordered).sum(), (credit & ordered).sum(), 0, (idle & ordered).sum()]])
    may = [idle, idle & regular, idle, idle]
    rest = np.array([[one.sum() for one in may]]), np.array([[(one & ordered).sum() for one in may]])
    found = lines(evidence(count, came, rest))
    raw = came[0] / count[0].clip(1)
    assert raw[1] - raw[3] > 0.10
    assert raw[1] > raw[0]
    for offer, truth in (("credit", 0.0), ("percent", 0.05)):
        line = found[offer, "c0"]
        assert isinstance(line.conversion, Interval)
        assert isinstance(line.margin, Interval)
        assert line.conversion.low < truth < line.conversion.high
        assert line.conversion.high - line.conversion.low < 0.05
        assert line.margin.estimate == pytest.approx(line.conversion.estimate * MARGIN)
    assert found["credit", "c0"].nothing == rest[0][0, 1]


def test_the_difference_and_its_interval_are_those_of_two_samples() -> None:
    one = evidence(np.array([[0, 400, 0, 200]]), np.array([[0, 60, 0, 20]]), (np.array([[200] * 4]), np.array([[20] * 4])))
    line = lines(one)["credit", "c0"]
    sides = [np.repeat([1.0, 0.0], counts) for counts in ((60, 340), (20, 180))]
    width = 1.959964 * np.sqrt(sum(side.var(ddof=1) / len(side) for side in sides))
    assert isinstance(line.conversion, Interval)
    assert line.conversion.estimate == pytest.approx(0.05)
    assert line.conversion.high - line.conversion.estimate == pytest.approx(width)
    assert isinstance(line.margin, Interval)
    welch = stats.ttest_ind(sides[0] * MARGIN, sides[1] * MARGIN, equal_var=False)
    assert line.margin.estimate / ((line.margin.high - line.margin.low) / 2 / 1.959964) == pytest.approx(welch.statistic)
    assert (line.decisions, line.nothing, line.program) == (400, 200, "back")


def test_what_half_of_has_come_is_expected_to_double() -> None:
    counts = np.array([[0, 400, 0, 200]]), np.array([[0, 60, 0, 20]]), (np.array([[200] * 4]), np.array([[20] * 4]))
    whole, half = lines(evidence(*counts))["credit", "c0"], lines(evidence(*counts, share=0.5))["credit", "c0"]
    for one, other in ((whole.conversion, half.conversion), (whole.margin, half.margin)):
        assert isinstance(one, Interval)
        assert isinstance(other, Interval)
        assert [other.low, other.estimate, other.high] == pytest.approx([2 * one.low, 2 * one.estimate, 2 * one.high])


def test_variants_with_one_offer_are_put_together_by_their_decisions() -> None:
    counts = np.array([[300, 0, 100, 200]]), np.array([[60, 0, 15, 20]])
    found = lines(evidence(*counts, rest=None))
    assert set(found) == {("percent", "c0")}
    line = found["percent", "c0"]
    assert isinstance(line.conversion, Interval)
    assert line.conversion.estimate == pytest.approx((300 * (0.20 - 0.10) + 100 * (0.15 - 0.10)) / 400)
    assert line.decisions == 400


def test_without_a_comparison_or_with_few_orders_the_reason_is_given() -> None:
    one = evidence(np.array([[50, 30, 0, 40], [9, 0, 0, 0]]), np.array([[20, 3, 0, 12], [9, 0, 0, 0]]), None)
    found = lines(one)
    assert isinstance(found["percent", "c0"].conversion, Interval)
    few, nobody = found["credit", "c0"].margin, found["percent", "c1"].margin
    assert isinstance(few, CannotTell)
    assert few.reason == "3 orders followed it and 12 followed nothing; 10 of each are needed"
    assert isinstance(nobody, CannotTell)
    assert "without a message" in nobody.reason


def test_contexts_are_kept_apart_and_a_variant_that_is_no_longer_there_is_left_out() -> None:
    one = evidence(np.full((2, 4), 100), np.array([[30, 20, 30, 20], [20, 40, 20, 20]]), None)
    found = lines(replace(one, arms=("gone", "credit", "again", NOTHING)))
    assert set(found) == {("credit", "c0"), ("credit", "c1"), ("percent", "c0"), ("percent", "c1")}
    assert found["percent", "c0"].decisions == 100
    gains = [found["credit", where].conversion for where in ("c0", "c1")]
    assert [gain.estimate for gain in gains if isinstance(gain, Interval)] == pytest.approx([0.0, 0.2])
