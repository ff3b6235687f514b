"""The page for finance: the headline never says more than the interval, and says first what makes numbers wrong."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.attribution import Credit
from rekindle.learn.baseline import Baseline, Levels
from rekindle.learn.before_after import Change
from rekindle.learn.comparison import Comparison, Relative
from rekindle.learn.learnings import Learning
from rekindle.learn.lift import Lift, Part
from rekindle.learn.maturity import Maturity
from rekindle.learn.report.finance_facts import FinanceFacts, Step
from rekindle.learn.report.finance_page import render_finance
from rekindle.learn.scorecard import judged
from rekindle.learn.stages import Against, StageLift
from rekindle.learn.suite import Epoch, Suite
from rekindle.moment import parse_as_of
from rekindle.program.targets import Target

from .test_page import HOSTILE, Outline

WHOLE = Maturity(90, 90, 1_100, 40, date(2026, 12, 1), date(2027, 2, 1))
NOBODY = Maturity(90, 0, 0, 0, None, None)
YOUNG = Maturity(90, 0, 0, 12, date(2026, 12, 24), date(2027, 1, 5))
GAIN = Comparison(Interval(150, 250, 350), 900, p_value=0.00001, detectable=140)
NOTHING = Comparison(Interval(-90, 20, 130), 900, p_value=0.7, detectable=160)
LUCKY = Comparison(Interval(10, 200, 390), 900, p_value=0.04, adjusted=0.3, detectable=270)
UNKNOWN = Comparison(CannotTell("nobody has been compared yet"), 0.0)


def lift(program: str = "win-back", margin: Comparison = GAIN, maturity: Maturity = WHOLE, **more: object) -> Lift:
    parts = {"tier": {"high": Part(300, 30, {"margin": LUCKY}), "mid": Part(700, 70, {"margin": UNKNOWN})}}
    given = {"parts": parts, "pooled": Interval(1, 2, 3), "reversed_by": (), **more}
    return Lift(program, 1_000, 100, {"margin": margin}, maturity=maturity, first_day=None, last_day=date(2026, 11, 20), **given)


def facts(**more: object) -> FinanceFacts:
    arm = Against(("plain",), 500, 490, {"margin": NOTHING})
    given = {
        "shop": "Marigold", "currency": "EUR", "locale": "en", "as_of": parse_as_of("2026-11-21", "Europe/Berlin"), "simulated": False,
        "lifts": (lift(), lift("birthday", UNKNOWN, YOUNG, parts={}), lift("welcome", UNKNOWN, NOBODY, parts={})),
        "stages": {"win-back": (StageLift("reconnect", WHOLE, {"arm": {"plain": arm}}, 1, {}),)}, "suite": None, "alarms": (),
        "funnel": (
            Step("win-back", "long inactive", "free_delivery", (9, 8, 5, 2, 1)), Step("win-back", "high value", "", (20, 19, 9, 3, 4)),
        ),
        "credits": {"win-back": Credit(
            {"channel": {method: {"email": 80_000.0} for method in ("last_touch", "position", "shapley")}},
            80_000.0, 0.0, Interval(15_000, 25_000, 35_000), 0.3125,
        )},
        "targets": (), "baseline": None, "learnings": (),
    }  # fmt: skip
    return FinanceFacts(**{**given, **more})


def words(**more: object) -> str:
    return Outline(render_finance(facts(**more))).words


def heading(page: str) -> str:
    return re.sub(r"<[^>]*>", "", re.findall(r"<h1>(.*?)</h1>", page, re.DOTALL)[0])


def test_a_gain_is_told_for_all_who_were_assigned_with_its_interval_and_comparison() -> None:
    page = render_finance(facts())
    assert heading(page) == "Programs brought EUR 2,500 of margin more than doing nothing."
    said = Outline(page).words
    assert "EUR +2,500 95 % interval: EUR +1,500 to EUR +3,500" in said
    assert "EUR +2.50 95 % interval: EUR +1.50 to EUR +3.50" in said
    assert "the program win-back against its control: 1,000 customers and 100 who hear nothing" in said
    assert "1 program is told apart from zero, of 1 that can be counted" in said


@pytest.mark.parametrize("part", [NOTHING, LUCKY])
def test_what_chance_explains_is_no_gain(part: Comparison) -> None:
    assert "More than chance" not in words(lifts=(lift(margin=part),), stages={}).replace("more than chance is meant", "")
    assert "not yet distinguishable from zero" in words(lifts=(lift(margin=part),))


def test_an_interval_that_holds_nought_makes_no_headline_whatever_the_estimate() -> None:
    assert heading(render_finance(facts(lifts=(lift(margin=NOTHING),)))) == "What programs brought is not yet distinguishable from zero."


def test_a_program_says_what_holds_however_often_it_is_looked_at() -> None:
    lasting = replace(GAIN, any_day=Interval(-20, 250, 520))
    said = words(lifts=(lift(margin=lasting),))
    assert "However often it is looked at, it lies from EUR -0.20 to EUR +5.20 a customer." in said
    assert "more than chance on one look, but not however often one looks" in said
    assert "-200 to 5,200" in said, "of all who were assigned"
    sure = words(lifts=(lift(margin=replace(GAIN, any_day=Interval(20, 250, 480))),))
    assert "on one look, but not" not in sure
    assert "However often it is looked at, it lies" not in words(lifts=(lift(),)), "an early reading has none"


def test_what_else_a_program_changed_stands_with_its_share_of_the_control() -> None:
    part = replace(GAIN, relative=Relative(Interval(0.05, 0.28, 0.51), 0.001))
    shares = Comparison(Interval(0.01, 0.021, 0.032), 0.2, p_value=0.001)
    measures = {"margin": part, "spend": replace(part, difference=Interval(300, 500, 700)), "reactivated": GAIN, "retained": shares}
    said = words(lifts=(replace(lift(), measures=measures),))
    rows = said[said.index("What each program changed") : said.index("By customers No group")]
    assert "What Spend Difference EUR +5.00 (3.00 to 7.00); +28 % (+5 % to +51 %) of the control So more than chance" in rows
    assert "What Spend of customers who were lapsed at entry Difference EUR +2.50 (1.50 to 3.50)So more than chance" in rows
    assert "What Ordered Difference +2.1 (+1.0 to +3.2) points So more than chance" in rows
    assert "Came back" not in rows, "it is not known"


def test_a_share_that_is_not_told_apart_says_what_would_show_in_points() -> None:
    shares = Comparison(Interval(-0.01, 0.021, 0.052), 0.2, p_value=0.2, detectable=0.0443)
    said = words(lifts=(replace(lift(), measures={"margin": GAIN, "retained": shares}),))
    assert "+2.1 (-1.0 to +5.2) points So not yet distinguishable from zero; 4.4 points would show four times in five" in said


def test_a_loss_is_called_one() -> None:
    loss = Comparison(Interval(-350, -250, -150), 900, p_value=0.00001, detectable=140)
    page = render_finance(facts(lifts=(lift(margin=loss),)))
    assert heading(page) == "Programs brought EUR 2,500 of margin less than doing nothing."
    assert "a loss, more than chance" in Outline(page).words


def test_the_holdout_of_the_latest_year_comes_before_any_program() -> None:
    epochs = (Epoch(2025, 10, 10, {"margin": NOTHING}, 9_000), Epoch(2026, 2_000, 100, {"margin": GAIN}, 12_000))
    said = words(suite=Suite(WHOLE, epochs, None))
    assert "all programs against the holdout of 2026: 2,000 customers and 100 who hear nothing" in said
    assert "EUR +5,000" in said
    assert "EUR 120 Of these 2,000 customers over 90 days; taken off already, as are lower prices." in said, "no other year's"
    assert "The interval holds however often it is looked at." in said
    early = words(suite=Suite(replace(WHOLE, window_days=56), epochs, None))
    assert "This is an early look, over 56 of 90 days: it may not be read again and again" in early
    assert "The interval holds however often" not in early
    assert "The interval is for one look" in words()
    january = (*epochs, Epoch(2027, 30, 2, {"margin": UNKNOWN}, 60))
    kept = words(suite=Suite(WHOLE, january, None))
    assert "all programs against the holdout of 2026, the last year that can be told yet: 2,000 customers and 100 who hear nothing" in kept
    assert "EUR 120 Of these 2,000 customers" in kept
    unknown = Suite(WHOLE, (Epoch(2026, 5, 1, {"margin": UNKNOWN}, 0),), None)
    assert "the program win-back against its control" in words(suite=unknown)


def test_what_is_not_known_says_when_it_will_be() -> None:
    said = words()
    assert "52 rounds are too young to count; the next on 1 December 2026" in said
    assert "24 December 2026" in said
    assert "5 January 2027" in said
    assert "Nobody has entered: welcome." in said
    assert heading(render_finance(facts(lifts=(), stages={}))) == (
        "Nothing has been compared yet, so nothing is known of what programs are worth."
    )
    assert heading(render_finance(facts(lifts=(lift(margin=UNKNOWN, maturity=YOUNG),)))) == "What programs are worth is not known yet."


def test_beside_what_is_not_told_apart_stands_what_would_have_shown() -> None:
    said = words(lifts=(lift(margin=NOTHING),))
    shows = "not yet distinguishable from zero; EUR {} would show four times in five"
    assert shows.format("1.60") in said[said.index("Each program against") : said.index("Who looks at many groups")], "programs"
    assert shows.format("2.70") in said[said.index("Who looks at many groups") : said.index("Chances differ")], "groups"
    assert shows.format("1.60") in said[said.index("Chances differ") :], "variants"


def test_what_makes_numbers_wrong_is_said_before_them() -> None:
    page = render_finance(facts(alarms=("win-back, control has 80 of 1,000, where the draw gives 100: find out why first",)))
    assert heading(page) == "What programs brought cannot be believed yet."
    assert page.index("where the draw gives 100") < page.index("<h1>") < page.index("Incremental margin")
    assert page.index("Believe no number of it yet.") < page.index("where the draw gives 100") < page.index("By program")
    assert "Compare like with like." in words(lifts=(lift(reversed_by=("tier",)),))
    turned = render_finance(facts(lifts=(lift(reversed_by=("tier",)),)))
    assert heading(turned) == "What programs brought cannot be believed yet."
    assert turned.index("over everybody at once win-back has the other sign") < turned.index("<h1>")


def test_parts_are_judged_with_all_of_them_counted() -> None:
    said = words()
    assert "No group is told apart from zero, of 1 looked at" in said  # by itself its interval leaves nought out
    assert "1 group is too small or too young to be told of." in said


def test_a_group_says_how_many_came_back_ordered_and_what_they_spent() -> None:
    came = Comparison(Interval(0.01, 0.05, 0.09), 0.2, 0.01, adjusted=0.02, detectable=0.057)
    ordered = Comparison(Interval(-0.02, 0.01, 0.04), 0.2, 0.5, adjusted=1.0, detectable=0.043)
    spend = Comparison(Interval(-100, 200, 500), 900, 0.2, adjusted=0.6, detectable=430)
    part = Part(300, 30, {"margin": LUCKY, "activated": came, "retained": ordered, "spend": spend})
    said = words(lifts=(lift(parts={"segment": {"advocates": part}}),))
    row = said[said.index("What else changed, shares") : said.index("Chances differ")]
    assert "Segment advocates Came back +5.0 (+1.0 to +9.0)Ordered +1.0 (-2.0 to +4.0); 4.3 points" in row
    assert "Spend EUR +2.00 (-1.00 to 5.00); EUR 4.30" in row


def test_messages_add_up() -> None:
    page = render_finance(facts())
    table = page[page.index('id="funnel"') : page.index('id="credit"')]
    last = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[-1]
    numbers = re.findall(r"<span>(\d[\d,]*)</span>", last)
    assert numbers == ["29", "27", "14", "5", "5"]
    assert "27 messages of 29 planned were handed over in 90 days; 5 were followed by an order" in Outline(page).words


def test_credit_stands_beside_lift_and_says_why_they_differ() -> None:
    said = words()
    assert "EUR 800 of margin followed messages; that is credit, not what they caused" in said
    assert "69% of what followed messages would have come anyway" in said
    assert "EUR +250" in said  # the whole of it, scaled to the lift


def test_targets_the_baseline_and_learnings() -> None:
    target = Target(name="t", metric="incremental_margin", program="win-back", owner="Ada", expect=(1.0, 9.0))
    levels = Levels(100, 50, 20, 200, 900_000, 300_000)
    frozen = Baseline("win-back", "d", "r", date(2026, 1, 1), date(2026, 9, 30), levels, levels, {}, "0.4")
    taught = Learning(
        "short-subject", "win-back", "reconnect", "subject", "Short subjects bring more", "d", "EUR +0.10", "retire", "all",
        datetime(2026, 10, 1, tzinfo=UTC), "Ada",
    )  # fmt: skip
    standing = judged(target, "2026-Q4", Interval(1.5, 2.5, 3.5), None, date(2026, 11, 20))
    said = words(targets=(standing,), baseline=frozen, learnings=(taught,))
    assert "2026-Q4: 1 on track, 0 behind, 0 that cannot be told yet" in said
    assert "200 orders, EUR 3,000 of margin, EUR 45.00 of goods an order" in said
    assert frozen.digest[:12] in said
    assert "1 experiment has taught something" in said
    assert "Short subjects bring more" in said


def test_levels_stand_against_the_baseline_and_are_not_called_lift() -> None:
    levels = Levels(100, 50, 20, 200, 900_000, 300_000)
    frozen = Baseline("win-back", "d", "r", date(2026, 1, 1), date(2026, 9, 30), levels, levels, {}, "0.4")
    changes = (
        Change("goods of an order", 5_200.0, 5_000.0, Interval(-0.02, 0.04, 0.1), is_share=False),
        Change("buyers who ordered again, over 7 weeks", 0.2, 0.15, Interval(0.01, 0.05, 0.09), is_share=True),
    )
    said = words(baseline=frozen, changes=changes)
    table = said[said.index("The quarter so far against the frozen baseline: before and after, which is no lift") :]
    for one in ("EUR 52.00", "EUR 50.00", "+4.0 % (-2.0 to +10.0), not yet distinguishable from the baseline"):
        assert one in table
    assert "20.0 %" in table
    assert "+5.0 points (+1.0 to +9.0)" in table
    assert "before and after" not in words(changes=changes), "without a baseline there is nothing to compare with"


def test_it_needs_nothing_but_itself_and_runs_nothing_of_what_it_is_told() -> None:
    page = render_finance(replace(facts(lifts=(lift(program=HOSTILE),), stages={}), shop=HOSTILE))
    outline = Outline(page)
    assert not {"script", "link", "object", "embed", "base", "form", "img"} & set(outline.tags)
    assert [address for address in outline.named("href") if not address.startswith("#")] == []
    assert render_finance(facts()) == render_finance(facts())
