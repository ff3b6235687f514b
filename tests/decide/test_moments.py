"""Programs that answer a moment other than a lapse, told tick by tick: rounds of an order, branches, stages that wait, service messages."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.decide.policy import Policy
from tests.decide.shop import MONDAY, Decider, Row, certainly, customer, program
from tests.insight.histories import history, order, write

NOW = MONDAY.replace(tzinfo=None)
EXIT = ["opt_out", "erasure"]
CAPS = {"touches": 9, "gap": "1d", "duration": "60d"}


def stage(arm: str, delay: int = 0, offer: str = "reminder", **more: object) -> dict[str, object]:
    return {
        "goal": {"metric": "order", "within": "21d"}, "delay": {"rhythm": 0.0, "at_least": f"{delay}d"}, "content": ["relationship"],
        "offers": {"price": False}, "arms": {arm: {"offer": offer, "prior": {"mean": 0.01, "sd": 0.01}}}, **more,
    }


def certain(**arms: str) -> Policy:
    """The words of each stage for certain."""
    return Policy("words", certainly(*(f"{name}:{arm}" for name, arm in arms.items())))


def thanks(stages: dict[str, object], **changes: object) -> object:
    enters = {"enter": "orders > 0", "reenter": {"not_before": "0d"}}
    return program(**{"trigger": {"on": "order"}, "audience": enters, "exit": EXIT, "caps": CAPS, "stages": stages, **changes})


@pytest.fixture
def ordered(tmp_path: Path) -> Iterator[Decider]:
    """Two customers, one with two orders on two days."""
    facts = [order("x1", "x", NOW, 1_000), order("y1", "y", NOW, 1_000), order("x2", "x", NOW + timedelta(days=1), 1_000)]
    with history(tmp_path, {"orders": facts}) as warehouse:
        yield Decider(warehouse)


def people(**changes: object) -> list[Row]:
    """Both are active: no lapse is about them."""
    last = {"x": "x2", "y": "y1"}
    return [
        customer(name, last_order_id=last[name], last_day=(MONDAY + timedelta(days=1)).date(), lifecycle="repeat", **changes)
        for name in last
    ]


def decided(decider: Decider, day: float, rows: list[Row]) -> set[tuple[str, str, str]]:
    """Decides, keeps the plan, and gives episode, stage and variant or reason of everyone who is due."""
    made = decider.plan(day, rows)
    decider.keep(made, day)
    return {(row["episode"], row["stage"], row["reason"] or row["arm"]) for row in decider.rows(made)}


def test_every_order_has_a_round_of_its_own_and_each_stage_comes_once(ordered: Decider) -> None:
    decider = ordered.with_documents(thanks({"thanks": stage("hello", 1), "care": stage("advice", 5)}))
    decider.policy = certain(thanks="hello", care="advice")
    assert decided(decider, 0.5, people()) == set(), "nothing is due on the day of the order"
    assert decided(decider, 1.5, people()) == {("x1", "thanks", "hello"), ("y1", "thanks", "hello")}
    assert decided(decider, 2.5, people()) == {("x2", "thanks", "hello")}
    assert decided(decider, 5, people()) == set()
    assert decided(decider, 8, people()) == {("x1", "care", "advice"), ("y1", "care", "advice"), ("x2", "care", "advice")}
    assert decided(decider, 30, people()) == set(), "there is no third stage"


def test_a_round_does_not_begin_long_after_it_was_due(ordered: Decider) -> None:
    decider = ordered.with_documents(thanks({"thanks": stage("hello", 1)}, trigger={"on": "order", "within": "3d"}))
    decider.policy = certain(thanks="hello")
    assert {episode for episode, _, _ in decided(decider, 4.5, people())} == {"x2"}, "1 + 3 days after x1 and y1 are over"


def test_an_order_ends_the_rounds_before_it_where_the_program_says_so(ordered: Decider) -> None:
    decider = ordered.with_documents(thanks({"thanks": stage("hello", 1)}, exit=[*EXIT, "order"]))
    decider.policy = certain(thanks="hello")
    assert {episode for episode, _, _ in decided(decider, 2, people())} == {"y1", "x2"}


def test_one_round_at_a_time_where_the_program_wants_time_between_them(ordered: Decider) -> None:
    decider = ordered.with_documents(
        thanks({"thanks": stage("hello", 1)}, trigger={"on": "order", "within": "30d"},
               audience={"enter": "orders > 0", "reenter": {"not_before": "10d"}})
    )
    decider.policy = certain(thanks="hello")
    assert decided(decider, 3, people()) == {("x1", "thanks", "hello"), ("y1", "thanks", "hello"), ("x2", "thanks", "reentry")}
    assert decided(decider, 12, people()) == {("x2", "thanks", "reentry")}
    assert decided(decider, 14, people()) == {("x2", "thanks", "hello")}, "ten days after the round of x1 began"


def test_a_segment_that_shrinks_does_not_end_a_round_that_began(ordered: Decider) -> None:
    decider = ordered.with_documents(
        thanks(
            {"thanks": stage("hello", 1), "care": stage("advice", 5)},
            audience={"enter": "value_tier == 'mid'", "reenter": {"not_before": "0d"}},
        )
    )
    decider.policy = certain(thanks="hello", care="advice")
    assert len(decided(decider, 1.5, people())) == 2
    assert decided(decider, 7, people(value_tier="high")) == {("x1", "care", "advice"), ("y1", "care", "advice")}


def test_a_stage_waits_while_its_rule_does_not_hold_and_keeps_its_place(ordered: Decider) -> None:
    ask = stage("question", 1, hold_until="value_tier != 'high'")
    decider = ordered.with_documents(thanks({"ask": ask}))
    decider.policy = certain(ask="question")
    assert decided(decider, 1.5, people(value_tier="high")) == {("x1", "ask", "held_back"), ("y1", "ask", "held_back")}
    assert decided(decider, 6, people()) == {("x1", "ask", "question"), ("y1", "ask", "question"), ("x2", "ask", "question")}


def test_a_stage_is_passed_over_by_whom_it_is_not_for(ordered: Decider) -> None:
    decider = ordered.with_documents(
        thanks({"thanks": stage("hello"), "nudge": stage("again", 2, only_if="orders == 1"), "bye": stage("end_word", 4)})
    )
    decider.policy = certain(thanks="hello", nudge="again", bye="end_word")
    many = people(orders=3)
    assert len(decided(decider, 2, many)) == 3
    assert decided(decider, 4.5, many) == set()
    assert {name for _, name, _ in decided(decider, 7, many)} == {"bye"}


CLICK = {"clicked": {"to": "more", "after": "1d"}, "ignored": {"to": "bye"}, "bought": {"to": "end"}}


def test_what_a_message_came_to_says_what_follows(ordered: Decider) -> None:
    branching = {"thanks": stage("hello", 0, branches=CLICK), "more": stage("detail", 9), "bye": stage("end_word", 4)}
    decider = ordered.with_documents(thanks(branching))
    decider.policy = certain(thanks="hello", more="detail", bye="end_word")
    assert len(decided(decider, 0.5, people())) == 2
    clicked = {"message_id": "m1", "customer_id": "y", "name": "Email Link Clicked", "occurred_at": NOW + timedelta(days=0.9)}
    write(decider.warehouse, {"events": [clicked]})
    assert decided(decider, 2, people()) == {("y1", "more", "detail"), ("x2", "thanks", "hello")}, "x bought: the round of x1 is over"
    assert decided(decider, 7, people()) == {("x2", "bye", "end_word"), ("y1", "bye", "end_word")}, "x2 was told hello and left it at that"


def test_who_bought_hears_no_more_where_a_branch_ends(ordered: Decider) -> None:
    decider = ordered.with_documents(thanks({"thanks": stage("hello", 0, branches=CLICK), "more": stage("m", 1), "bye": stage("b", 1)}))
    decider.policy = certain(thanks="hello", more="m", bye="b")
    assert len(decided(decider, 0.5, people())) == 2
    rows = people()
    rows[1]["last_day"] = MONDAY.date() - timedelta(days=1)
    assert decided(decider, 3, rows) == {("x2", "thanks", "hello"), ("y1", "bye", "b")}, "x ordered after the message, y did not"


def test_a_service_message_is_neither_asked_for_nor_drawn_nor_capped_nor_put_off_till_morning(ordered: Decider) -> None:
    caps = {"caps": {"touches": 1, "per": "30d"}, "holdout": 0.5}
    confirm = program("confirm", **{
        "trigger": {"on": "order"}, "class": "service", "audience": {"enter": "orders > 0"}, "exit": [], "caps": CAPS, "control": 0.5,
        "stages": {"placed": stage("receipt")},
    })
    marketing = thanks({"thanks": stage("hello")}, control=0.0)
    decider = ordered.with_documents(confirm, marketing, **caps)
    rows = decider.rows(decider.plan(2.1, people(email_consent=False, open_ticket=True)))
    service = [row for row in rows if row["program"] == "confirm"]
    assert {(row["episode"], row["arm"], row["reason"]) for row in service} == {(name, "receipt", None) for name in ("x1", "y1", "x2")}
    assert {row["propensity"] for row in service} == {1.0}
    assert {row["send_at"] for row in service} == {NOW + timedelta(days=2.1)}, "in the night, at once"
    assert {row["expected_margin"] for row in service} == {20_000 - 1_000}, "0.01 orders of 2,000 less a mail; nobody leaves for it"
    assert {row["reason"] for row in rows if row["program"] == "back"} == {"no_consent"}
