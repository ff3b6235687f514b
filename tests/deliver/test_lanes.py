"""Lanes: who may go, who goes back, and that a lane in trouble never takes another's room."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.deliver.lanes import Lanes, Limits, lane_of
from rekindle.errors import DeliveryError, OutcomeUnknown, PermanentFailure, TemporaryFailure

LANE_FAILED = TemporaryFailure("gone", "Wait.", lane=True)
ONE_FAILED = TemporaryFailure("try again later", "Wait.", timedelta(minutes=5))


def hand(*keys: str) -> dict[str, str]:
    """Messages named lane and number, such as a1."""
    return {key: key[0] for key in keys}


def known(limits: Limits, names: str = "ab", seconds: float = 0.1) -> Lanes[str]:
    """The book of lanes that have answered before, so that it is known what is usual."""
    lanes = Lanes[str](replace(limits, at_once=len(names), per_second=0.0))
    for key in lanes.admit(hand(*(f"{name}0" for name in names)), -100.0).start:
        lanes.ended(key, -100.0 + seconds)
    lanes.limits = limits
    return lanes


def test_one_lane_never_takes_more_than_its_share_and_the_rest_stays_in_hand() -> None:
    lanes = known(Limits(at_once=3, per_lane=2))
    first = lanes.admit(hand("a1", "a2", "a3", "b1", "b2"), 0.0)
    assert (first.start, first.back) == (("a1", "a2", "b1"), {})
    lanes.ended("a1", 0.1)
    assert lanes.admit(hand("a3", "b2"), 0.1).start == ("a3",)
    assert lanes.admit(hand("b2"), 0.2).start == ()


def test_a_lane_shows_with_one_message_that_it_answers() -> None:
    lanes = Lanes[str](Limits(per_lane=3))
    assert lanes.admit(hand("a1", "a2", "a3", "b1"), 0.0).start == ("a1", "b1")
    lanes.ended("a1", 0.1, ONE_FAILED)
    assert lanes.admit(hand("a2", "a3", "b2"), 0.1).start == ("a2", "a3")


def test_what_was_not_handed_over_after_all_leaves_no_trace() -> None:
    lanes = Lanes[str](Limits(at_once=1, per_lane=2))
    assert lanes.admit(hand("a1", "b1"), 0.0).start == ("a1",)
    lanes.dropped("a1")
    assert lanes.admit(hand("a2", "a3", "b1"), 0.0).start == ("a2",), "it has not shown that it answers"


def test_a_quick_channel_is_not_late_before_a_twentieth_of_the_patience() -> None:
    lanes = known(Limits(patience=5.0), seconds=0.001)
    assert lanes.admit(hand("a1"), 0.0).again == 0.25


def test_a_hand_over_that_is_late_gives_its_room_back_and_one_that_is_slow_sends_its_lane_back() -> None:
    lanes = known(Limits(at_once=2, spare=1, per_lane=2, patience=5.0, first_rest=30.0))
    first = lanes.admit(hand("a1", "a2", "a3", "b1"), 0.0)
    assert (first.start, round(first.again, 9)) == (("a1", "a2"), 0.3)
    assert lanes.admit(hand("a3", "b1"), 0.29).start == ()
    late = lanes.admit(hand("a3", "b1", "b2"), 0.31)
    assert (late.start, late.back) == (("b1",), {}), "two in the air and one spare: three in all"
    lanes.ended("b1", 0.4)
    slow = lanes.admit(hand("a3"), 5.0)
    assert (slow.start, slow.back) == ((), {"a3": 30.0})
    lanes.ended("a1", 6.0)
    lanes.ended("a2", 6.0)
    probe = lanes.admit(hand("a3", "a4", "b2"), 6.0)
    assert (probe.start, probe.back) == (("a3", "b2"), {"a4": 30.0}), "a slow lane goes one at a time"
    lanes.ended("a3", 7.0)
    lanes.ended("b2", 7.0)
    assert lanes.admit(hand("a5", "a6"), 7.0).start == ("a5", "a6"), "it has answered in time"


def test_where_all_are_slow_none_is() -> None:
    lanes = Lanes[str](Limits(at_once=4, per_lane=2, patience=5.0))
    assert lanes.admit(hand("a1", "b1"), 0.0).start == ("a1", "b1")
    assert lanes.admit(hand("a2"), 19.0).back == {}, "nobody has answered, so nobody is slower than others"
    lanes.ended("a1", 20.0)
    assert lanes.admit(hand("b2"), 59.9).back == {}
    assert lanes.admit(hand("b2"), 60.0).back == {"b2": 30.0}, "three times the usual"


def test_rests_double_up_to_the_longest_and_an_answer_ends_them() -> None:
    lanes = Lanes[str](Limits(first_rest=30.0, longest_rest=100.0))
    now, rests = 0.0, []
    for number in range(4):
        assert lanes.admit({number: "a"}, now).start == (number,)
        lanes.ended(number, now, LANE_FAILED)
        rests.append(lanes.admit({99: "a"}, now).back[99])
        now += rests[-1]
    assert rests == [30.0, 60.0, 100.0, 100.0]
    assert lanes.admit(hand("a1", "a2"), now).start == ("a1",)
    lanes.ended("a1", now + 1)
    assert lanes.admit(hand("a2", "a3"), now + 1).start == ("a2", "a3")


def test_failures_that_were_in_the_air_together_count_once() -> None:
    lanes = known(Limits(per_lane=3, first_rest=30.0))
    assert lanes.admit(hand("a1", "a2", "a3"), 0.0).start == ("a1", "a2", "a3")
    for key in ("a1", "a2", "a3"):
        lanes.ended(key, 1.0, LANE_FAILED)
    assert lanes.admit(hand("a4"), 1.0).back == {"a4": 30.0}


@pytest.mark.parametrize(
    ("failure", "rest"),
    [
        (None, None),
        (PermanentFailure("no such mailbox", "Drop it."), None),
        (ONE_FAILED, None),
        (LANE_FAILED, 30.0),
        (TemporaryFailure("busy", "Wait.", timedelta(seconds=7), lane=True), 30.0),
        (TemporaryFailure("busy", "Wait.", timedelta(hours=2), lane=True), 7200.0),
        (OutcomeUnknown("no answer", "See."), 30.0),
    ],
)
def test_a_lane_rests_when_it_failed_and_not_when_one_message_did(failure: DeliveryError | None, rest: float | None) -> None:
    lanes = Lanes[str](Limits(first_rest=30.0))
    lanes.admit(hand("a1"), 0.0)
    lanes.ended("a1", 0.5, failure)
    assert lanes.admit(hand("a2"), 0.5).back.get("a2") == rest


def test_a_rate_is_kept_and_says_when_to_look_again() -> None:
    lanes = known(Limits(per_second=2.0), seconds=2.0)
    first = lanes.admit(hand("a1", "a2", "b1"), 10.0)
    assert (first.start, first.back, first.again) == (("a1", "b1"), {}, 0.5)
    assert lanes.admit(hand("a2"), 10.4).start == ()
    assert lanes.admit(hand("a2"), 10.5).start == ("a2",)


def test_many_lanes_in_trouble_share_the_spare_room_alone() -> None:
    lanes = Lanes[str](Limits(at_once=4, spare=2, first_rest=30.0))
    bad = hand(*(f"{lane}1" for lane in "abcdef"))
    for key in lanes.admit(bad, 0.0).start:
        lanes.ended(key, 1.0, LANE_FAILED)
    for key in lanes.admit(hand("e1", "f1"), 1.0).start:
        lanes.ended(key, 2.0, LANE_FAILED)
    again = lanes.admit(bad, 40.0)
    assert again.start == ("a1", "b1")
    assert set(again.back) == {"c1", "d1", "e1", "f1"}
    assert lanes.admit(hand("v1", "w1", "x1", "y1", "z1"), 40.0).start == ("v1", "w1", "x1", "y1")


def test_nothing_in_the_air_and_nothing_in_hand_need_not_be_looked_at_again() -> None:
    assert Lanes[str](Limits()).admit({}, 0.0).again == math.inf


def test_lanes_are_domains_for_mail_and_whole_channels_elsewhere() -> None:
    assert {lane_of("email", "a@X.Example"), lane_of("email", "b@x.example")} == {"x.example"}
    assert lane_of("webhook", "https://a.example/hook") == "webhook"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "end"]), st.integers(0, 30), st.floats(0, 20, allow_nan=False),
        st.sampled_from([None, LANE_FAILED, ONE_FAILED, OutcomeUnknown("no answer", "See.")]),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_limits_hold_and_every_message_goes_once_or_back(steps: list[tuple], at_once: int, spare: int, per_lane: int) -> None:
    limits = Limits(at_once=at_once, spare=spare, per_lane=per_lane)
    lanes, now, numbers = Lanes[int](limits), 0.0, iter(range(10_000))
    in_hand: dict[int, str] = {}
    flying: dict[int, str] = {}
    for what, number, pause, failure in steps:
        now += pause
        if what == "end" and flying:
            key = sorted(flying)[number % len(flying)]
            del flying[key]
            lanes.ended(key, now, failure)
            continue
        in_hand |= {next(numbers): "abcde"[number % 5] for _ in range(number % 7)}
        admission = lanes.admit(in_hand, now)
        assert set(admission.start).isdisjoint(admission.back)
        assert all(seconds > 0 for seconds in admission.back.values())
        assert admission.again > 0
        flying |= {key: in_hand.pop(key) for key in admission.start}
        in_hand = {key: lane for key, lane in in_hand.items() if key not in admission.back}
        assert len(flying) <= limits.threads
        assert max(map(list(flying.values()).count, flying.values()), default=0) <= per_lane
