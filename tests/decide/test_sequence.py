"""One program over sixty days, told tick by tick: who is due for what stands in the journal and in the profile alone."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from rekindle.decide.planner import Plan
from rekindle.decide.policy import Policy
from tests.decide.shop import MONDAY, Decider, Row, by_customer, certainly, customer, instant, program
from tests.insight.histories import write

WORDS = Policy(
    "words",
    certainly(
        "reconnect:plain:lesson:light", "tailor:percent:credit", "closing:last_word", but={"reconnect:high/other": "nothing"}
    ),
)
"""Certain words instead of chance; customers of high value hear nothing at first."""

CAPS = {"touches": 2, "gap": "12d", "duration": "60d"}
TICKS = (0, 10, 12, 32, 34, 35, 60)


def people(day: int) -> list[Row]:
    """What is known of everyone on a day."""
    rows = [
        customer("told"),
        customer("quiet", value_tier="high"),
        customer("fast", average_days_between_orders=4.0),
        customer("slow", average_days_between_orders=400.0),
        customer("shrunk", **({"lifecycle": "cooling", "overdue": -3} if day else {})),
        customer("complained", open_ticket=day == 10),
        customer("returning", open_return=day == 10),
        customer("left", email_consent=day < 10),
        customer("bought"),
        customer("late", lifecycle="lapsing" if day >= 10 else "cooling"),
    ]
    if day >= 6:
        rows[8] |= {
            "last_order_id": "order-new", "last_day": date(2026, 3, 7), "orders": 4, "lifecycle": "lapsing" if day >= 32 else "repeat",
        }
    return rows


@dataclass(frozen=True)
class Told:
    """Every tick's rows by customer, and which of them were news for the journal."""

    rows: dict[int, dict[str, Row]]
    fresh: dict[int, set[str]]
    last: Plan


@pytest.fixture(scope="module")
def story(shared_decider: Decider) -> Told:
    decider = replace(shared_decider.with_documents(program(caps=CAPS)), policy=WORDS)
    rows, fresh = {}, {}
    for day in TICKS:
        made = decider.plan(day, people(day))
        listed = decider.rows(made)
        rows[day], fresh[day] = by_customer(listed), {row["customer_id"] for row in listed if row["fresh"]}
        decider.keep(made, day)
    return Told(rows, fresh, made)


def said(rows: dict[str, Row]) -> dict[str, str]:
    """Stage and arm, or stage and reason."""
    return {name: f"{row['stage']} {row['reason'] or row['arm']}" for name, row in rows.items()}


EVERYONE = ("told", "fast", "slow", "shrunk", "complained", "returning", "left", "bought")


def test_everyone_in_the_audience_enters_at_the_first_stage(story: Told) -> None:
    assert said(story.rows[0]) == {**dict.fromkeys(EVERYONE, "reconnect plain"), "quiet": "reconnect nothing"}
    assert {row["entered_at"] for row in story.rows[0].values()} == {instant(0).naive}


def test_the_next_stage_comes_after_its_delay_and_the_gap_between_messages(story: Told) -> None:
    """A quarter of 40 days is 10, of 4 days at least 7, of 400 days at most 28; the gap of 12 days binds who had a message."""
    assert said(story.rows[10]) == {
        "told": "tailor too_soon", "fast": "tailor too_soon", "shrunk": "tailor too_soon", "quiet": "tailor percent",
        "complained": "tailor open_complaint", "returning": "tailor open_return", "left": "tailor no_consent", "late": "reconnect plain",
    }
    assert said(story.rows[12]) == {
        "told": "tailor percent", "fast": "tailor percent", "shrunk": "tailor percent", "returning": "tailor percent",
    }


def test_a_round_ends_by_the_exits_that_its_program_names(story: Told) -> None:
    """A complaint and an opt-out end it for good, an open return only silences: this program does not name it."""
    assert all(name not in story.rows[day] for day in (12, 32, 60) for name in ("complained", "left"))
    assert said(story.rows[12])["returning"] == "tailor percent"


def test_a_shrinking_audience_loses_nobody_and_who_bought_leaves(story: Told) -> None:
    assert story.rows[12]["shrunk"]["entered_at"] == instant(0).naive
    assert all("bought" not in story.rows[day] for day in (10, 12))


def test_the_last_stage_has_its_own_delay_and_the_round_its_cap_on_messages(story: Told) -> None:
    """Half of 40 days after the stage before: day 32 for who was told on day 12, day 30 for who was quiet and has had one message."""
    rows = said(story.rows[32])
    assert (rows["told"], rows["quiet"], rows["slow"]) == ("closing touches_used", "closing last_word", "tailor percent")
    assert rows["fast"] == "closing touches_used"


def test_who_lapses_again_has_a_new_round_but_not_too_soon_after_the_last(story: Told) -> None:
    """The round ended with the order of day 5; thirty days must pass, whatever the refusals in between."""
    assert [said(story.rows[day]).get("bought") for day in (32, 34, 35)] == ["reconnect reentry", "reconnect reentry", "reconnect plain"]
    assert [story.rows[day]["bought"]["entered_at"] for day in (32, 34, 35)] == [None, None, instant(35).naive]
    assert [story.rows[day]["bought"]["standing"] for day in (34, 35)] == [None, "treated"]
    assert (story.rows[0]["bought"]["episode"], story.rows[35]["bought"]["episode"]) == ("order-bought", "order-new")
    assert story.rows[0]["bought"]["draw"] != story.rows[35]["bought"]["draw"]


def test_a_round_ends_with_its_duration(story: Told) -> None:
    assert "told" in story.rows[35]
    assert set(story.rows[60]) == {"late", "bought"}  # who entered on day 10, and on day 35


def test_a_refusal_is_news_once_and_again_when_its_reason_changes(story: Told) -> None:
    assert story.fresh[10] == set(story.rows[10])
    assert "left" not in story.fresh[12]
    assert {day: "bought" in story.fresh[day] for day in (32, 34, 35)} == {32: True, 34: False, 35: True}


def test_money_and_validity_follow_the_stage(story: Told) -> None:
    told = story.rows[12]["told"]
    assert (told["offer"], told["cost_ceiling"]) == ("percent", (400 + 1) * 1000)  # a tenth of 50 is capped at 4
    assert told["valid_until"] == (MONDAY + timedelta(days=12 + 14)).date()  # the stage's 14 days, not the offer's 21
    assert told["send_at"] == (MONDAY + timedelta(days=12, hours=8)).replace(tzinfo=None)  # nine in Berlin


def test_a_redeemed_code_ends_the_round_before_its_order_is_known(decider: Decider) -> None:
    decider = replace(decider.with_documents(program(caps=CAPS)), policy=WORDS)
    both = [customer("told"), customer("redeemed")]
    decider.keep(decider.plan(0, both), 0)
    taken = {"message_id": "redemption:1", "customer_id": "redeemed", "name": "Coupon Redeemed", "occurred_at": instant(5).naive}
    write(decider.warehouse, {"events": [taken]})
    assert said(by_customer(decider.rows(decider.plan(12, both)))) == {"told": "tailor percent"}
