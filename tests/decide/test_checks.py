"""What a guardrail says: one sentence where it lets a message through, and another where it stops one."""

import pytest

from rekindle.decide.arbitration import Limit
from rekindle.decide.assignment import draw_of
from rekindle.decide.checks import Tired, after_draw
from tests.decide.shop import RECONNECT, Decider, customer, instant, program
from tests.decide.test_explanation import told

WAITS = {"reconnect": {**RECONNECT, "hold_until": "orders >= 2"}}

FREE = {
    "no_consent": "they agreed to email, by which the store can deliver",
    "open_complaint": "no complaint of theirs is open",
    "open_return": "no return of theirs is open",
    "detractor": "they have not told us that they are unhappy",
    "reentry": "no other round of this program within 30 days",
    "held_back": "reconnect need not wait for anything",
    "held_out": "they are not among the 0.1 % of customers who get no marketing this year",
    "control": "this year there is nobody who gets nothing from this program",
    "touches_used": "this round has had 0 of at most 3 messages",
    "too_soon": "no message of this round has gone yet",
}
"""What each guardrail before the draw says of a customer whom none stops."""


def said(decider: Decider, **changes: object) -> dict[str, tuple[bool, str]]:
    """Every check of the one round that is due, by its name: whether it passed, and its words."""
    (one,) = told(decider, 0, customer("c1", **changes))
    return {check.name: (check.passed, check.words) for check in one.checks}


@pytest.fixture
def waits(decider: Decider) -> Decider:
    """A shop whose first message waits for a second order; hardly anyone is held out."""
    return decider.with_documents(program(stages=WAITS, audience={"enter": "orders >= 1", "reenter": {"not_before": "30d"}}), holdout=0.001)


def test_each_guardrail_that_lets_a_message_through_says_why(waits: Decider) -> None:
    found = said(waits)
    assert {name: found[name] for name in FREE} == {name: (True, words) for name, words in FREE.items()}


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"email_consent": False}, "no_consent",
         "they have not agreed to marketing by email, and the store can deliver this by nothing else"),
        ({"open_ticket": True}, "open_complaint", "a complaint of theirs is open, and marketing waits for its end"),
        ({"open_return": True}, "open_return", "a return of theirs is open, and marketing waits for its end"),
        ({"detractor": True}, "detractor", "they told us that they are unhappy, and marketing waits"),
        ({"orders": 1}, "held_back", "reconnect has to wait: their number of orders must be at least 2 (it is 1)"),
    ],
)  # fmt: skip
def test_each_guardrail_that_stops_one_says_what_stops_it(waits: Decider, changes: dict[str, object], name: str, words: str) -> None:
    found = said(waits, **changes)
    assert found[name] == (False, words)
    assert {other: found[other] for other in FREE if other != name} == {other: (True, FREE[other]) for other in FREE if other != name}


def test_a_lot_is_said_with_its_share_and_as_it_was_when_the_round_began(decider: Decider) -> None:
    half = decider.with_documents(program(control=0.5), holdout=0.001)
    idle = next(name for name in map(str, range(99)) if draw_of("control", "back", "2026", name) < 0.5)
    assert said(half, customer_id=idle)["control"] == (
        False, "they are by lot among the 50 % of customers who get nothing from this program this year",
    )  # fmt: skip
    half.remember({"customer_id": "c1", "day": -20, "standing": "control", "arm": None, "reason": "control"})
    found = said(half)
    assert found["control"] == (False, "when this round began, they were by lot among those who get nothing from this program")
    assert found["held_out"] == (True, "when this round began, they were not among those who get no marketing")


def test_a_round_whose_messages_are_used_up_or_too_recent_says_so(decider: Decider) -> None:
    few = decider.with_documents(program(caps={"touches": 1, "gap": "40d", "duration": "120d"}))
    few.remember({"customer_id": "c1", "day": -30})
    found = said(few, timezone="America/New_York")
    assert found["touches_used"] == (False, "this round has had 1 message, and 1 is the most")
    words = "the last message of this round went on 2026-01-30, 40 days must lie between two: again from 2026-03-11"
    assert found["too_soon"] == (False, words), "the days of the customer's own zone"
    enough = decider.with_documents(program(caps={"touches": 2, "gap": "7d", "duration": "120d"}))
    assert said(enough)["too_soon"] == (True, "the last message of this round went on 2026-01-31, at least 7 days ago")


def capped(name: str, most: int, used: int, reason: str | None = None, tired: Tired | None = None) -> tuple[bool, str]:
    own = tired or Tired()
    (check,) = after_draw([(Limit(name, most, 30, lambda rows: rows.program.notnull()), used)], own, reason, instant(1).naive)
    assert check.numbers["allowed"] in (most, own.own_cap)
    assert ("again" in check.numbers) == (reason == check.name)
    return check.passed, check.words


def test_the_store_s_caps_say_how_much_was_had_and_what_takes_the_rest() -> None:
    assert capped("cap_reached", 3, 0) == (True, "they have had 0 of at most 3 messages of marketing in 30 days")
    assert capped("cap_reached", 3, 3, "cap_reached") == (False, "they have had 3 messages of marketing in 30 days, and 3 is the most")
    assert capped("program_cap_reached", 2, 1, "program_cap_reached") == (
        False,
        "they have had 1 of at most 2 messages of this program in 30 days; what is left goes to messages of today that are worth more",
    )  # fmt: skip
    assert capped("price_cap_reached", 1, 1) == (
        False, "they have had 1 message with an offer that lowers a price in 30 days, and 1 is the most",
    )  # fmt: skip
    tired = Tired(streak=4, opt_out_risk=0.1, own_cap=1)
    assert capped("cap_reached", 3, 1, "tired", tired) == (
        False, "they have had 1 message of marketing in 30 days, and 1 is the most; it was 3 before they left 4 messages in a row without"
        " an answer",
    )  # fmt: skip


def test_the_gap_between_two_messages_is_never_said_to_be_there_where_it_stops_one() -> None:
    assert capped("gap", 1, 0) == (True, "no other message in the last 30 days")
    assert capped("gap", 1, 0, "gap") == (False, "another message goes today, and 30 days must lie between two")
    assert capped("gap", 1, 1, "gap") == (False, "another message went less than 30 days ago, and so many must lie between two")
