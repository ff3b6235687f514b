"""Which rounds are counted, over what, and when the others will be."""

from datetime import date

from rekindle.learn.maturity import Maturity, maturity, windows

DAY = date(2026, 6, 1)


def test_windows_end_at_the_horizon_and_begin_at_four_weeks() -> None:
    assert windows(56) == (56, 28)
    assert windows(28) == (28,)
    assert windows(20) == (20,), "a short horizon has no early reading"
    assert windows(100) == (100, 84, 56, 28)


def test_old_enough_rounds_give_the_number_and_the_young_are_counted_and_dated() -> None:
    found = maturity({"treated": {120: 50, 90: 50, 89: 7, 3: 5}, "control": {100: 20, 10: 2}}, 90, DAY)
    assert found == Maturity(90, 90, 120, 14, date(2026, 6, 2), date(2026, 8, 27))
    assert not found.early


def test_an_early_reading_takes_the_longest_window_that_both_sides_have_come_through() -> None:
    found = maturity({"treated": {85: 500, 60: 500}, "control": {84: 19, 57: 40}}, 90, DAY)
    assert (found.window_days, found.counted, found.young, found.early) == (56, 1_059, 0, True)
    assert found.next_on == date(2026, 6, 6), "five days after, the first are through the horizon"


def test_nothing_is_counted_before_four_weeks_or_without_a_side() -> None:
    young = maturity({"treated": {27: 900}, "control": {27: 100}}, 90, DAY)
    assert (young.window_days, young.counted, young.young) == (0, 0, 1_000)
    alone = maturity({"treated": {200: 900}}, 90, DAY, never=True)
    assert (alone.window_days, alone.next_on) == (0, None)
    assert maturity({}, 90, DAY) == Maturity(90, 0, 0, 0, None, None)
