"""A program's months: what a customer won back brings, what was redeemed anyway, and when that is an alarm."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from rekindle.learn.lift import Lift, measure
from rekindle.learn.maturity import Maturity
from rekindle.learn.report.finance_facts import cost_of
from rekindle.learn.trend import Trend, trend
from tests.learn.summing import Columns, cells, shop


def months(*parts: Columns) -> Lift:
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    named = np.repeat([str(202601 + number) for number in range(len(parts))], [len(part["margin"]) for part in parts])
    found, whole = cells(rows, month=named), Maturity(56, 56, 0, 0, None, None)
    return measure("back", found, found.only(found.keys["segments"] != ""), whole, (date(2026, 1, 5), date(2026, 6, 1)))


def month(seed: int, effect: float = 0.0, more: float = 0.0, redeemed: float = 0.0) -> Columns:
    """2,000 rounds; a share more of the treated order once for 1,000 of margin, and a share redeem a code whatever they would have done."""
    chance = np.random.default_rng(seed)
    rows = shop(chance, 2_000, control=0.3) | {"baseline": np.zeros(2_000)}
    extra = (chance.random(2_000) < more) & rows["treated"]
    rows["margin"] = rows["margin"] + 1_000.0 * extra + effect * rows["treated"]
    rows["orders"], rows["retained"] = rows["orders"] + extra, np.maximum(rows["retained"], extra)
    rows["redeemed"] = ((chance.random(2_000) < redeemed) & rows["treated"]).astype(float)
    rows["incentives"], rows["messages"] = rows["redeemed"] * 300, np.where(rows["treated"], 2.0, 0.0)
    return rows


def test_each_month_has_its_own_comparison_and_costs() -> None:
    found = trend(months(month(1, redeemed=0.1), month(2)))
    assert [one.month for one in found.months] == ["202601", "202602"]
    first, second = found.months
    treated = month(1)["treated"].sum()
    assert (first.treated, first.control) == (treated, 2_000 - treated)
    assert first.redeemed == month(1, redeemed=0.1)["redeemed"].sum()
    assert first.cost == pytest.approx(2 + 300 * first.redeemed / treated)
    assert (second.redeemed, second.anyway, second.cost) == (0, None, 2)


def test_a_month_without_a_control_keeps_its_costs() -> None:
    """The month itself cannot be compared; what its messages cost was paid all the same."""
    alone = month(8, redeemed=0.1)
    alone = {name: one[alone["treated"]] for name, one in alone.items()}
    first = month(1, redeemed=0.1)
    paid = sum(float(one[name].sum()) for one in (first, alone) for name in ("incentives", "messages"))
    assert cost_of(months(first, alone)) == pytest.approx(paid)
    assert cost_of(replace(months(first), cells=None)) == 0.0


def test_the_margin_of_each_customer_won_back_is_told_where_there_are_any() -> None:
    found = trend(months(month(3, more=0.25), month(4)))
    assert found.months[0].margin_each == pytest.approx(1_250, rel=0.3), "a fifth of them would have ordered anyway"
    assert found.months[1].margin_each is None, "without more orderers there is nothing to divide by"


def test_redeemed_orders_that_would_have_come_anyway_are_an_alarm() -> None:
    """All redeemed, nobody ordered more: at least half would have come anyway. Where who redeems is who ordered more there is none."""
    wasted = trend(months(month(5), month(6, redeemed=0.4)))
    assert wasted.months[1].anyway.low > 0.5
    assert any("would have come anyway" in words for words in wasted.alarms)
    assert trend(months(month(5), month(7, more=0.3, redeemed=0.3))).alarms == ()


def test_a_margin_that_falls_below_the_months_before_is_an_alarm() -> None:
    good = [month(10 + number, effect=900.0) for number in range(4)]
    assert any("fell below" in words for words in trend(months(*good, month(20, effect=-900.0))).alarms)
    assert trend(months(*good, month(20, effect=900.0))).alarms == ()


def test_months_that_do_not_change_hardly_ever_alarm() -> None:
    """One in a hundred on the one side: of 150 shops 1.5 are expected."""
    alarms = sum(bool(trend(months(*(month(1_000 + 10 * shop_ + number) for number in range(4)))).alarms) for shop_ in range(150))
    assert alarms <= 6


def test_nothing_counted_is_no_trend() -> None:
    assert trend(replace(months(month(1)), cells=None)) == Trend((), ())
