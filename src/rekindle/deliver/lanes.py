"""Which of the messages in hand may go now, so that a place that answers slowly or not at all holds up nobody else.

Knows nothing of messages, channels and threads. A *lane* is what fails together: the domain of an e-mail's address, the push service
of a browser, a whole channel elsewhere. Instants are seconds of a clock that only rises. One thread keeps the book; the hand-overs may run
in others.
"""

import math
import re
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from rekindle.errors import DeliveryError, OutcomeUnknown, TemporaryFailure

K = TypeVar("K", bound=Hashable)
_PUSH_SERVICE = re.compile(r'"endpoint": ?"https://([^/:"]+)')
_OVER_USUAL = 3.0
"""A hand-over is late after so many times what is usual, and never before that part of the patience:"""
_SOONEST = 0.05
_WEIGHT = 0.1
"""How much the last answer weighs in what is usual."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may go at once.

    Args:
        at_once: Hand-overs in the air, those of lanes in trouble apart, and those that have taken three times as long as usual.
        spare: How many more there may be of both, all together: they do not take the room of the others.
        per_lane: Hand-overs in the air in one lane; a lane in trouble has one, and one that has never answered.
        per_second: Hand-overs begun in one lane a second; 0 for as many as come.
        patience: Seconds after which a hand-over counts as slow, and its lane as in trouble; three times what is usual where that is
            longer, so that where all are slow, none is.
        first_rest: Seconds for which a lane rests after its first failure; each further one doubles it.
        longest_rest: Seconds that no rest exceeds, unless the other side asked for more.
    """

    at_once: int = 8
    spare: int = 4
    per_lane: int = 4
    per_second: float = 0.0
    patience: float = 5.0
    first_rest: float = 30.0
    longest_rest: float = 3600.0

    @property
    def threads(self) -> int:
        """How many hand-overs can be in the air: as many threads are enough."""
        return self.at_once + self.spare


@dataclass(frozen=True, slots=True)
class Admission(Generic[K]):
    """What is to become of the messages in hand; what is named in neither stays in hand.

    Args:
        start: These go now, in this order, and count as in the air.
        back: These are given up for so many seconds, so that they do not fill the hand.
        again: Seconds after which the passing of time alone may let another one go; infinite where only the end of a hand-over can.
    """

    start: tuple[K, ...]
    back: Mapping[K, float]
    again: float


@dataclass(frozen=True, slots=True)
class _Flight:
    lane: str
    since: float
    probe: bool


@dataclass(frozen=True, slots=True)
class _Trouble:
    failures: int = 0
    rests_until: float = -math.inf


class _Air:
    """What is in the air at one instant.

    In the room of all; apart from it, which is probes and what has become slow; by lane; and the lanes in which something is slow.
    """

    def __init__(self) -> None:
        self.normal = 0
        self.apart = 0
        self.by_lane = Counter[str]()
        self.slow = set[str]()


class Lanes(Generic[K]):
    """The book of what is in the air and of which lanes rest.

    Args:
        limits: How much may go at once.

    >>> lanes = Lanes[int](Limits(per_lane=1))
    >>> lanes.admit({1: "a.example", 2: "a.example", 3: "b.example"}, now=0.0).start
    (1, 3)
    >>> lanes.ended(1, 0.25, TemporaryFailure("the server has gone away", "Wait.", lane=True))
    >>> lanes.ended(3, 0.25)
    >>> lanes.admit({2: "a.example", 4: "b.example"}, now=10.25)
    Admission(start=(4,), back={2: 20.0}, again=0.75)
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._flights: dict[K, _Flight] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._next: dict[str, float] = {}
        self._answered: set[str] = set()
        self._usual = math.inf

    def admit(self, in_hand: Mapping[K, str], now: float) -> Admission[K]:
        """Decides what goes now.

        Args:
            in_hand: The messages that are claimed and not in the air, each with its lane, in the order in which they are to go.
            now: The present instant, seconds.
        """
        self._next = {lane: at for lane, at in self._next.items() if at > now}
        start: list[K] = []
        back: dict[K, float] = {}
        air, again = self._air(now), math.inf
        for key, lane in in_hand.items():
            if pause := self._pause(lane, air, now):
                back[key] = pause
            elif not self._has_room(lane, air):
                continue
            elif (wait := self._next.get(lane, now) - now) > 0:
                again = min(again, wait)
            else:
                self._depart(key, lane, air, now)
                start.append(key)
        return Admission(tuple(start), back, min(again, self._turns(now)))

    def ended(self, key: K, now: float, failure: DeliveryError | None = None) -> None:
        """A hand-over came to its end.

        Args:
            key: As admitted.
            now: The present instant, seconds.
            failure: What it raised. A temporary one of the lane lets the lane rest, and so does an unknown outcome: the next would be
                unknown too. Any other is an answer, and who answers in time is in no trouble.
        """
        flight = self._flights.pop(key)
        took = now - flight.since
        before = self._troubles.get(flight.lane)
        if isinstance(failure, OutcomeUnknown) or (isinstance(failure, TemporaryFailure) and failure.lane):
            asked = failure.wait.total_seconds() if isinstance(failure, TemporaryFailure) and failure.wait else 0.0
            self._troubles[flight.lane] = self._rested(before or _Trouble(), now, asked)
            return
        self._answered.add(flight.lane)
        self._usual = took if self._usual == math.inf else self._usual + _WEIGHT * (took - self._usual)
        if took >= self._patience:
            self._troubles[flight.lane] = before or _Trouble()
        elif before and before.rests_until <= now:
            del self._troubles[flight.lane]

    def dropped(self, key: K) -> None:
        """A message that was let go was not handed over after all: nothing is learned of its lane."""
        del self._flights[key]

    def _rested(self, before: _Trouble, now: float, asked: float) -> _Trouble:
        """A lane after one more failure; those that were in the air together count as one."""
        if before.rests_until > now:
            return replace(before, rests_until=max(before.rests_until, now + asked))
        growing = self.limits.first_rest * 2.0 ** min(before.failures, 60)
        return _Trouble(before.failures + 1, now + max(asked, min(growing, self.limits.longest_rest)))

    def _air(self, now: float) -> _Air:
        air, late, patience = _Air(), self._late, self._patience
        for flight in self._flights.values():
            age = now - flight.since
            air.by_lane[flight.lane] += 1
            if age >= patience:
                air.slow.add(flight.lane)
            if flight.probe or age >= patience:
                air.apart += 1
            elif age < late:
                air.normal += 1
        return air

    def _turns(self, now: float) -> float:
        """Seconds until a hand-over becomes late or slow."""
        ages = [now - flight.since for flight in self._flights.values() if not flight.probe]
        limits = self._late, self._patience
        left = (limit - age for age in ages for limit in limits)
        return min((seconds for seconds in left if seconds > 0), default=math.inf)

    @property
    def _late(self) -> float:
        """Seconds after which a hand-over gives its room back; without end as long as nobody has answered at all."""
        return max(_OVER_USUAL * self._usual, _SOONEST * self.limits.patience)

    @property
    def _patience(self) -> float:
        """Seconds after which a hand-over counts as slow; without end as long as nobody has answered at all."""
        return max(self.limits.patience, self._late)

    def _pause(self, lane: str, air: _Air, now: float) -> float:
        """For how many seconds a lane takes no further message; 0 where it may."""
        trouble = self._troubles.get(lane)
        if trouble and trouble.rests_until > now:
            return trouble.rests_until - now
        full = lane in air.slow or (trouble and (air.by_lane[lane] > 0 or air.apart >= self.limits.spare))
        return self.limits.first_rest if full else 0.0

    def _has_room(self, lane: str, air: _Air) -> bool:
        if len(self._flights) >= self.limits.threads:
            return False
        most = self.limits.per_lane if lane in self._answered else 1
        return lane in self._troubles or (air.normal < self.limits.at_once and air.by_lane[lane] < most)

    def _depart(self, key: K, lane: str, air: _Air, now: float) -> None:
        probe = lane in self._troubles
        self._flights[key] = _Flight(lane, now, probe)
        air.by_lane[lane] += 1
        air.normal += not probe
        air.apart += probe
        if self.limits.per_second > 0:
            self._next[lane] = now + 1.0 / self.limits.per_second


def lane_of(channel: str, to: str) -> str:
    """The lane of a message.

    Args:
        channel: email, sms, webpush, inapp or webhook.
        to: Whom it goes to, as the channel writes it.

    >>> lane_of("email", "ada@Mail.Example"), lane_of("sms", "+4915112345678")
    ('mail.example', 'sms')
    >>> lane_of("webpush", '{"endpoint":"https://Push.Example/send/abc","keys":{}}')
    'push.example'
    """
    if channel == "webpush":
        service = _PUSH_SERVICE.search(to)
        return service[1].lower() if service else channel
    return to.rpartition("@")[2].lower() if channel == "email" else channel
