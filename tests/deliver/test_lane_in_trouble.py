"""Fifteen lanes that answer well beside one that does not, by a clock that only counts: what the one costs the others.

The worker's part is played: fifty messages in hand and in the air, the next always of the lane with the fewest of them.
"""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import timedelta
from heapq import heappop, heappush

import pytest

from rekindle.deliver.lanes import Lanes, Limits
from rekindle.errors import DeliveryError, OutcomeUnknown, TemporaryFailure

GOOD, BAD = tuple("abcdefghijklmno"), "z"
EACH, BATCH = 200, 50
SLOWED_AT_MOST = 0.05


@dataclass(frozen=True, slots=True)
class Way:
    """How hand-overs in one lane end.

    Args:
        seconds: After how long.
        failure: With what.
    """

    seconds: float
    failure: DeliveryError | None = None


WAYS = {
    "greylists": Way(0.15, TemporaryFailure("450 greylisted", "Wait.", timedelta(minutes=5))),
    "stalls": Way(60.0, TemporaryFailure("no answer", "Wait.", lane=True)),
    "trickles": Way(40.0),
    "stalls after the dot": Way(600.0, OutcomeUnknown("no answer", "See.")),
    "is shut": Way(0.05, TemporaryFailure("421 shutting down", "Wait.", lane=True)),
}


class Line:
    """Messages on their way in a virtual time.

    Args:
        bad: How the lane in trouble goes wrong; None without it.
        limits: Of the lanes.
    """

    def __init__(self, bad: Way | None, limits: Limits) -> None:
        lanes = (*GOOD[:7], *(BAD if bad else ""), *GOOD[7:])
        self.bad, self.now, self.lanes = bad, 0.0, Lanes[str](limits)
        self.pool = {lane: deque(f"{lane}{number}" for number in range(EACH)) for lane in lanes}
        self.hand: dict[str, str] = {}
        self.air: list[tuple[float, str]] = []
        self.later: list[tuple[float, str]] = []
        self.taken: dict[str, float] = {}

    def others(self) -> dict[str, float]:
        """When each message of the lanes that answer well was taken, seconds."""
        while len(self.taken) < len(GOOD) * EACH:
            self.fill()
            admitted = self.lanes.admit(self.hand, self.now)
            for key in admitted.start:
                heappush(self.air, (self.now + self.way(key).seconds, key))
            for key, seconds in admitted.back.items():
                heappush(self.later, (self.now + seconds, key))
            self.hand = {key: lane for key, lane in self.hand.items() if key not in admitted.start and key not in admitted.back}
            self.now = min([self.now + admitted.again, *(queue[0][0] for queue in (self.air, self.later) if queue)])
            self.land()
        return self.taken

    def way(self, key: str) -> Way:
        """How a message's hand-over ends: in a quarter of a second, more or less, or as in the lane in trouble."""
        return self.bad if key[0] == BAD and self.bad else Way(0.2 + int(key[1:]) * 7 % 11 / 100)

    def fill(self) -> None:
        busy = Counter(key[0] for key in (*self.hand, *(key for _, key in self.air)))
        while busy.total() < BATCH and (waiting := [lane for lane in self.pool if self.pool[lane]]):
            lane = min(waiting, key=busy.__getitem__)
            self.hand[self.pool[lane].popleft()] = lane
            busy[lane] += 1

    def land(self) -> None:
        while self.air and self.air[0][0] <= self.now:
            at, key = heappop(self.air)
            self.lanes.ended(key, at, self.way(key).failure)
            if key[0] != BAD:
                self.taken[key] = at
        while self.later and self.later[0][0] <= self.now:
            self.pool[BAD].append(heappop(self.later)[1])


def slowed(way: Way, limits: Limits) -> float:
    """By what part of all their time the others' first, second, or any further message comes later than without the lane in trouble."""
    without, beside = (sorted(Line(bad, limits).others().values()) for bad in (None, way))
    return max(late - early for early, late in zip(without, beside, strict=True)) / without[-1]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_lane_in_trouble_slows_the_others_by_a_twentieth_at_most(way: Way) -> None:
    assert slowed(way, Limits()) <= SLOWED_AT_MOST


@pytest.mark.parametrize("way", ["stalls", "trickles", "stalls after the dot"])
def test_one_in_which_nothing_moves_costs_the_others_nothing_and_would_without_patience(way: str) -> None:
    assert slowed(WAYS[way], Limits()) <= SLOWED_AT_MOST / 10
    assert slowed(WAYS[way], Limits(patience=1e6)) > SLOWED_AT_MOST
