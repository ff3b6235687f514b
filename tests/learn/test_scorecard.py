"""How targets stand: by the whole of an interval, never by its middle; less is better of complaints and opt-outs."""

from datetime import date

import pytest

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn import scorecard
from rekindle.learn.scorecard import Found, judged
from rekindle.program.targets import Target

DAY = date(2026, 11, 1)


def target(metric: str = "incremental_margin", expect: tuple[float, float] = (0.0, 2.0), **more: object) -> Target:
    program = "win-back" if metric in scorecard.MEASURE else None
    return Target.model_validate({"(name)": "t", "metric": metric, "program": program, "owner": "Ada", "expect": expect, **more})


@pytest.mark.parametrize(
    ("found", "status", "why"),
    [
        (Interval(0.1, 0.8, 1.5), "on track", "as expected"),
        (Interval(0.0, 0.8, 1.5), "on track", "as expected"),
        (Interval(-0.4, 0.8, 2.0), "cannot tell", "what is known so far reaches to both sides of what is expected"),
        (Interval(-1.6, -0.9, -0.2), "behind", "less than is expected at least"),
        (Interval(2.1, 3.0, 3.9), "on track", "more than was expected at most: see that it is right"),
        (CannotTell("too few"), "cannot tell", "too few"),
    ],
)
def test_a_lift_is_judged_by_the_whole_of_its_interval(found: Found, status: str, why: str) -> None:
    standing = judged(target(), "2026-Q4", found, None, DAY)
    assert (standing.status, standing.why) == (status, why)


@pytest.mark.parametrize(("rate", "status"), [(0.0, "on track"), (0.001, "on track"), (0.0011, "behind")])
def test_of_complaints_less_is_better(rate: float, status: str) -> None:
    assert judged(target("complaint_rate", (0.0, 0.001)), "2026-Q4", rate, None, DAY).status == status


def test_what_people_read() -> None:
    spread = judged(target(), "2026-Q4", Interval(-0.4, 0.8, 2.0), None, DAY)
    assert scorecard.shown_found(spread, "EUR") == "EUR +0.80 (EUR -0.40 to EUR +2.00)"
    assert scorecard.shown_range(spread.target, "EUR") == "EUR 0.00 to 2.00"
    assert scorecard.shown_baseline(spread, "EUR") == "the control"
    level = judged(target("repeat_purchase_rate", (0.4, 0.5)), "2026-Q4", 0.412, 0.389, DAY)
    assert (scorecard.shown_found(level, "EUR"), scorecard.shown_baseline(level, "EUR")) == ("41.2 %", "38.9 %")
    assert scorecard.shown_range(target("complaint_rate", (0.0, 0.001)), "EUR") == "at most 0.10 %"
    none = judged(target("aov_change", (0.0, 0.1)), "2026-Q4", CannotTell("why"), CannotTell("none"), DAY)
    assert (scorecard.shown_found(none, "EUR"), scorecard.shown_baseline(none, "EUR")) == ("-", "no baseline yet")


@pytest.mark.parametrize(("change", "said"), [(Interval(-0.02, 0.01, 0.04), True), (Interval(0.01, 0.02, 0.03), False), (None, False)])
def test_a_level_that_may_not_have_changed_says_so(change: Interval | None, said: bool) -> None:
    """It is before and after, so that it is called neither lift nor effect."""
    level = judged(target("repeat_purchase_rate", (0.4, 0.5)), "2026-Q4", 0.412, 0.389, DAY, change)
    assert ("not yet distinguishable from the baseline" in level.why) is said
    assert level.why.startswith("as expected")
    assert "lift" not in level.why
    worth = judged(target("aov_change", (0.0, 0.1)), "2026-Q4", change or CannotTell("few"), 0.0, DAY, change)
    assert ("not yet distinguishable from the baseline" in worth.why) is said


def test_an_order_value_is_judged_by_the_whole_of_its_interval() -> None:
    spread = Interval(-0.02, 0.04, 0.1)
    found = judged(target("aov_change", (0.0, 0.1)), "2026-Q4", spread, 0.0, DAY, spread)
    assert found.status == "cannot tell"
    assert scorecard.shown_found(found, "EUR") == "+4.0 % (-2.0 % to +10.0 %)"


def test_beside_the_baseline_s_share_stands_how_far_it_is() -> None:
    level = judged(target("repeat_purchase_rate", (0.4, 0.5)), "2026-Q4", 0.412, 0.389, DAY, Interval(-0.01, 0.023, 0.056))
    assert scorecard.shown_baseline(level, "EUR") == "38.9 %: +2.3 points (-1.0 to +5.6)"
