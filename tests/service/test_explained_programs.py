"""A program's verdict over one customer, read as an agent would read it out, and the numbers under it."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from rekindle.decide.checks import Check
from rekindle.decide.explanation import Verdict
from rekindle.decide.rule_parts import Part, RuleVerdict
from rekindle.decide.terms import Terms
from rekindle.decide.variants import Draw, Variant
from rekindle.decide.whereabouts import Round
from rekindle.service.flow import explained_numbers, explained_programs
from rekindle.service.flow.explained_programs import balance, percent

HELD = RuleVerdict("orders >= 1", holds=True, parts=())
DUE = Round(
    "o1", datetime(2026, 1, 30), None, None, None, None, None, None, None, None, None, "reconnect", 0, datetime(2026, 1, 30), None, None,
    "due", "", HELD, (),
)  # fmt: skip
OF_ORDER = replace(DUE, opened_at=datetime(2026, 11, 23, 23, 30), opening_order="o1", due_at=datetime(2026, 11, 28, 23, 30), delay_days=5)
ROW = {
    "last_day": date(2026, 1, 30), "expected_next_order_at": date(2026, 6, 3), "lifecycle": "lapsing", "average_days_between_orders": 124.2,
}  # fmt: skip
GIFT = Terms(
    d=0.01, d_sd=0.012, m=1797.0, expected_orders=2.10697, open_days=14, horizon_days=182, p0=0.162075, r=0.8, c=300.0, k=1.0, s=0.0,
    channel=0.1, opt_out=7.572, expected_cost=41_398, seller_cost=0, cost_ceiling=300_100, expected_margin=-31_000, spread=21_564,
)  # fmt: skip
PLAIN = replace(GIFT, d=0.006, r=0.0, c=0.0, open_days=30, p0=0.347303, expected_cost=100, cost_ceiling=100, expected_margin=3_110)


def variant(arm: str, terms: Terms, start: float, **changes: object) -> Variant:
    found = Variant(
        arm, "o", "shipping" if terms.r else "none", "Free delivery", "email", None, None, True, None, (), 1 / 3, 1 / 3, 1.0, 1 / 3, start,
        start + 1 / 3, terms,
    )  # fmt: skip
    return replace(found, **changes)


def draw(*variants: Variant, arm: str = "gift", nothing: float = 1 / 3) -> Draw:
    return Draw("reconnect", "high/none", "equal-chance-1", "back:reconnect:1:c1:o1", 0.5, variants, nothing, arm, 1 / 3, False, True, True)


def read(verdict: Verdict, zone: str = "Europe/Lisbon") -> list[str]:
    """The sentences, without the space before them."""
    return [line.strip() for line in explained_programs.lines(verdict, ROW, "EUR", zone)]


def counted(verdict: Verdict, zone: str = "Europe/Lisbon") -> dict[str, str]:
    """The numbers by what they are; of several of one name the last."""
    _, *rows = explained_numbers.lines(verdict, ROW, "EUR", zone)
    return {name: words.strip() for name, _, words in (row.strip().partition("  ") for row in rows)}


SENT = Verdict("back", False, "lapse", "due", DUE, send_at=datetime(2026, 11, 25, 23, 0), valid_until=date(2026, 12, 9))


def test_a_lapse_says_since_when_somebody_is_silent_and_never_since_when_a_message_is_due() -> None:
    for zone in ("Europe/Lisbon", "America/New_York"):
        assert read(SENT, zone)[1] == (
            "Silent since their last order on 2026-01-30: the next was expected on 2026-06-03, and since 2026-10-06 they count as lapsing."
        )
    told = "\n".join([*read(SENT), *counted(SENT).values()])
    assert "due" not in told
    assert counted(SENT)["silence"] == "more than 2 x 124.200 days after 2026-01-30, and 28 at least: 2026-10-06"
    later = replace(DUE, last_stage="reconnect", last_arm="nothing", last_at=datetime(2026, 10, 28, 23), stage="tailor", delay_days=28)
    assert read(replace(SENT, round=later), "Europe/Berlin")[1].endswith(
        ". Last came reconnect (nothing, by the draw) on 2026-10-29; tailor comes 28 days after that."
    )


@pytest.mark.parametrize(
    ("trigger", "one", "words"),
    [
        ("delivery", OF_ORDER, "Opened by a delivery on 2026-11-24; reconnect comes 5 days after that."),
        ("order", replace(OF_ORDER, delay_days=0), "Opened by an order on 2026-11-24."),
        ("birthday", replace(DUE, opening_day=date(2026, 2, 6)), "Opened by a birthday on 2026-02-06."),
        ("credit", replace(DUE, opening_day=date(2026, 2, 6)), "Opened by an unspent credit that expires on 2026-02-06."),
        ("credit", DUE, "Opened by an unspent credit since 2026-01-30."),
        ("late_delivery", replace(OF_ORDER, delay_days=0), "Opened by a late delivery that was promised for 2026-11-24."),
        ("order", replace(OF_ORDER, delay_days=1, passed=("first_thanks",)),
         "Opened by an order on 2026-11-24; reconnect comes 1 day after that; passed over: first thanks."),
    ],
)  # fmt: skip
def test_what_opened_a_round_is_said_with_the_days_to_its_first_message(trigger: str, one: Round, words: str) -> None:
    assert read(replace(SENT, trigger=trigger, round=one), "Europe/Berlin")[1] == words


def test_a_message_that_is_given_at_a_loss_says_why() -> None:
    gift = replace(SENT, draw=draw(variant("talk", PLAIN, 0.0), variant("gift", GIFT, 1 / 3)))
    assert read(gift) == [
        "back           reconnect: gift (Free delivery) by email, leaves on 2026-11-25 at 23:00; the offer holds until 2026-12-09",
        read(SENT)[1],
        "Drawn by lot among 3 choices, each as likely as another until results are known:",
        "33.3 %  talk",
        "33.3 %  gift (Free delivery) <- drawn",
        "33.3 %  nothing, to be left alone this time",
        "It is assumed that such a message adds EUR 0.18 of margin on average, costs EUR 0.41 and loses EUR 0.08 by those who leave: "
        "EUR 0.31 less than no message. The offer costs more than it is expected to add, mostly for orders that would come anyway. "
        "It is tried all the same: the chances are equal until results are known.",
    ]  # fmt: skip
    learned = draw(variant("talk", PLAIN, 0.0), variant("gift", GIFT, 1 / 3, weight=0.1))
    told = read(replace(SENT, draw=learned))
    assert told[2] == "Drawn by lot among 3 choices, with the approved chances:"
    assert told[-1].endswith("It is tried all the same: the approved chances still give it 33.3 %.")
    small = replace(GIFT, r=0.0, c=0.0, expected_cost=100, expected_margin=-200, d=0.004)
    assert read(replace(SENT, draw=draw(variant("gift", small, 0.0))))[-1].endswith(
        "less than EUR 0.01 less than no message. It is tried all the same: the chances are equal until results are known."
    )


def test_the_numbers_of_an_offer_add_up_and_stand_there_once() -> None:
    found = counted(replace(SENT, draw=draw(variant("talk", PLAIN, 0.0), variant("gift", GIFT, 1 / 3))))
    assert {name: found[name] for name in ("adds", "anyway", "offer", "message", "leaving", "cost", "in all")} == {
        "adds": "0.01 extra orders (assumed, give or take 0.012) x 17.97000 margin = 0.17970",
        "anyway": "2.106970 orders x 14/182 days = 0.162075 while the offer holds",
        "offer": "(0.162075 + 0.01) orders x 0.8 takers x 3.00000 = 0.41298",
        "message": "0.00100",
        "leaving": "0.2 % of the margin expected = 0.07572",
        "cost": "0.41298 + 0.00100 = EUR 0.41398",
        "in all": "0.17970 - 0.41298 - 0.00100 - 0.07572 = -EUR 0.31000",
    }


def test_where_nothing_is_offered_no_terms_of_an_offer_are_told() -> None:
    plain = replace(SENT, draw=draw(variant("talk", PLAIN, 0.0), variant("gift", GIFT, 1 / 3), arm="talk"))
    assert read(plain)[0] == "back           reconnect: talk by email, leaves on 2026-11-25 at 23:00"
    found = counted(plain)
    assert not {"anyway", "offer", "ours"} & set(found)
    assert (found["cost"], found["in all"]) == ("0.00100 = EUR 0.00100", "0.10782 - 0.00100 - 0.07572 = EUR 0.03110")
    assert "takers" not in "".join(found.values())


def test_what_a_seller_pays_is_told_apart() -> None:
    shared = replace(GIFT, s=0.5, k=0.4, expected_cost=16_619, seller_cost=8_260, expected_margin=2_038)
    one = replace(SENT, draw=draw(variant("gift", shared, 0.0)))
    found = counted(one)
    assert found["offer"] == "(0.162075 + 0.01) orders x 0.8 takers x 3.00000 x 0.400000 not sent back = 0.16519"
    assert found["ours"] == "0.16519 x 0.5 = 0.08260, the seller pays the rest"
    assert found["in all"] == "0.17970 - 0.08260 - 0.00100 - 0.07572 = EUR 0.02038"
    assert "costs EUR 0.17 (EUR 0.08 of it the seller's)" in read(one)[-1]


def test_what_does_not_hold_is_said_in_words_and_written_as_a_rule_among_the_numbers() -> None:
    part = Part("overdue > 0", False, {"overdue": -84}, "their next order must be overdue (it is not expected for 84 days)")
    unmet = RuleVerdict("overdue > 0", holds=False, parts=(part,))
    one = replace(SENT, state="not_for", round=replace(DUE, state="not_for", enter=unmet))
    assert read(one) == ["back           not for them: their next order must be overdue (it is not expected for 84 days)"]
    assert counted(one) == {"rule": "overdue > 0 (overdue is -84)"}
    hindered = variant("talk", PLAIN, 0.0, eligible=False, rule=unmet, obstacles=(("rule", unmet.words),), chance=0.0, end=0.0)
    told = replace(SENT, draw=draw(hindered, variant("gift", GIFT, 0.0)))
    assert read(told)[3] == "no      talk: their next order must be overdue (it is not expected for 84 days)"
    assert counted(told)["rule"] == "of talk: overdue > 0 (overdue is -84)"


def test_a_message_put_off_says_until_when_on_the_customer_s_clock() -> None:
    stopped = Check("gap", False, "another message goes today, and 2 days must lie between two")
    one = replace(SENT, reason="gap", checks=(Check("detractor", True, "they have not"), stopped), draw=draw(variant("gift", GIFT, 0.0)))
    assert read(one, "Europe/Berlin")[0] == "back           reconnect: gift was drawn, and is put off to 2026-11-26 at 00:00"
    assert read(one)[2:4] == [f"STOPPED {stopped.words}", "passed  they have not"]
    assert read(replace(one, reason="held_out", draw=None))[0] == (
        "back           reconnect: left alone (in the group without marketing)"
    )


def test_a_chance_is_never_rounded_to_certainty_and_a_balance_never_to_nothing() -> None:
    assert [percent(one) for one in (0.0, 0.0004, 0.25, 0.9996, 1.0)] == ["0.0 %", "under 0.1 %", "25.0 %", "over 99.9 %", "100.0 %"]
    assert [balance(one, "EUR") for one in (0.0, 0.4, -0.4, -31.0)] == [
        "as much as no message", "less than EUR 0.01 more than no message", "less than EUR 0.01 less than no message",
        "EUR 0.31 less than no message",
    ]  # fmt: skip
