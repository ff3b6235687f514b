"""A worker's shift: every touch that is due goes from claimed to attempting, into the air and to its outcome, at most one batch at a time.

Knows nothing of how a sender works. One thread keeps the outbox; a crew of others writes messages and hands them over, also while that one
waits for a commit. What a slow or resting lane holds up is its own messages alone.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heapify, heappop, heappush

from django.db import DatabaseError

from rekindle.deliver.channel import Channel, Message
from rekindle.deliver.lanes import Lanes, Limits, lane_of
from rekindle.errors import BadData, DeliveryError, LookAgain, PermanentFailure, Refused, RekindleError
from rekindle.program.rules import QuietHours
from rekindle.service.config.prepared import whole
from rekindle.service.flow.composing import Desk, compose, foresee
from rekindle.service.flow.crew import Crew, Landed
from rekindle.service.flow.permitting import PAUSED, Question, not_now, refusals
from rekindle.service.flow.retrying import not_taken, taken
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.actions import LEASE
from rekindle.service.outbox.models import FAILED, PLANNED, SUPPRESSED, Touch
from rekindle.service.outbox.outcome import Outcome
from rekindle.service.outbox.queries import Held
from rekindle.service.people.actions import suppress
from rekindle.service.people.last_look import LastLook
from rekindle.service.people.models import Person
from rekindle.service.people.queries import address_of

BATCH = 50
"""At most so many touches are attempted and not settled: what a crash leaves unknown."""

AHEAD = 200
"""So many touches are claimed ahead, so that one lane's messages do not stand before everybody else's; more when half of them are gone."""

FAR_AHEAD = 1_000
"""So many where what is claimed waits for lanes that are stuck."""

STUCK_AFTER = 0.5
"""Seconds without news after which lanes that let nothing go are stuck: their messages make room for others."""

LULL = 0.02
"""Seconds without news after which what has landed is committed, though some of the batch is still in the air."""

SETTLE_WITHIN = 1.0
"""Seconds after which what has landed is committed in any case."""

RENEW_AFTER = LEASE / 4
"""A worker that is alive renews its leases when so much has passed since the last time: a hand-over may take longer than a lease."""

AT_MOST = RENEW_AFTER.total_seconds()
"""Seconds of waiting for news in one go; a hand-over may take longer."""


FRESH = 1.0
"""Seconds for which a last look holds: a message whose first byte has not gone by then is looked at again."""

LOOKS = 3
"""So often a message is looked at again in one run before it waits like one that was not taken."""


_people = whole(Person, lambda *ids: Person.objects.filter(pk__in=ids))


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all messages of a shift.

    Args:
        desk: What messages are written with; what is due at its instant is the shift's work.
        quiet: When nobody is written to.
        senders: By channel.
        limits: How much each takes at once, by channel.
        held: What is not to be taken up now; asked again and again, so that a pause stops a shift, too.
        clock: The present instant, which leases count by.
        instant: The instant of sending, the present one unless the clock is shifted.
        stopped: Whether the shift is to end now, in order.
        topics: Program to what its marketing is about.
    """

    desk: Desk
    quiet: QuietHours
    senders: Mapping[str, Channel]
    limits: Mapping[str, Limits]
    held: Callable[[], Held]
    clock: Callable[[], datetime]
    instant: Callable[[], datetime]
    stopped: Callable[[], bool]
    topics: Mapping[str, str]

    def question(self, now: datetime) -> Question:
        """What is asked of every touch of a batch at an instant."""
        return Question(now, self.desk.settings, self.quiet, self.senders, self.held().programs, self.topics)


@dataclass(frozen=True, slots=True)
class _Case:
    """A claimed touch, whom it goes to, and its lane."""

    touch: Touch
    person: Person
    lane: str


class Shift:
    """One worker at work.

    Args:
        terms: What holds for all messages.
        crew: Hands them over.
        owner: The worker's name in the ledger.
    """

    def __init__(self, terms: Terms, crew: Crew, owner: str) -> None:
        self._terms, self._crew, self._owner = terms, crew, owner
        self._lanes = {channel: Lanes[int](limits) for channel, limits in terms.limits.items()}
        self._pool: dict[str, deque[_Case]] = {}
        self._hand: dict[int, _Case] = {}
        self._air: dict[int, _Case] = {}
        self._landed: list[tuple[Touch, Outcome]] = []
        self._stuck: dict[str, float] = {}
        self._looks = Counter[int]()
        self._settle_at = math.inf
        self._renewed_at = terms.clock()
        self._look = LastLook(terms.desk.now, terms.topics)
        self._tally: Counter[str] = Counter()

    def work(self) -> Counter[str]:
        """Hands over all that is due; how many touches ended in each status so far, `planned` those that wait for later."""
        dry, news = False, True
        try:
            while not self._terms.stopped():
                dry = self._turn(dry, news)
                if not (self._pool or self._hand or self._air or self._landed):
                    return self._tally
                again = self._depart()
                news = self._land(again)
                if self._hand and not news and not self._landed:
                    self._make_room(again)
        except KeyboardInterrupt:
            self._leave()
            raise
        self._leave()
        return self._tally

    def _turn(self, dry: bool, news: bool) -> bool:
        """Claims, settles and begins as much as is worth a commit; whether all that is due has been claimed.

        What has landed is settled in the transaction that begins as many others, while the other half of the batch is in the air.
        """
        if not self._is_due(news):
            return dry
        room = BATCH - len(self._hand) - len(self._air)
        if room < BATCH // 2:
            self._settle()
            return dry
        now = time.monotonic()
        self._stuck = {lane: until for lane, until in self._stuck.items() if until > now}
        if not dry and (size := self._claimable()) > 0:
            dry = self._claim(size) < size
        if chosen := self._next(room):
            self._begin(chosen)
        else:
            self._settle()
        return dry

    def _is_due(self, news: bool) -> bool:
        """Whether half a batch has landed, or what has landed has waited long enough, or nothing has, and others may begin."""
        waited = not news or not (self._hand or self._air) or time.monotonic() >= self._settle_at
        return waited or not self._landed or len(self._landed) >= BATCH / 2

    def _claimable(self) -> int:
        """How many more touches are to be claimed ahead: enough that can go, unless very many cannot."""
        free = sum(len(cases) for lane, cases in self._pool.items() if lane not in self._stuck)
        return min(AHEAD - free, FAR_AHEAD - sum(map(len, self._pool.values()))) if free <= AHEAD // 2 else 0

    def _claim(self, size: int) -> int:
        """Takes the next due touches up; how many."""
        terms = self._terms
        claimed = outbox.claim(self._owner, terms.desk.now, terms.clock(), size, terms.held())
        for case in _cases(claimed, _people_of(claimed)):
            self._pool.setdefault(case.lane, deque()).append(case)
        return len(claimed)

    def _next(self, room: int) -> list[_Case]:
        """The next of what is claimed, of the lane with the fewest under way first, so that none fills a batch while others wait."""
        busy = Counter(case.lane for case in (*self._hand.values(), *self._air.values()))
        queue = [(busy[lane], number, lane) for number, lane in enumerate(self._pool) if lane not in self._stuck]
        heapify(queue)
        chosen: list[_Case] = []
        while queue and len(chosen) < room:
            count, number, lane = heappop(queue)
            chosen.append(self._pool[lane].popleft())
            if self._pool[lane]:
                heappush(queue, (count + 1, number, lane))
            else:
                del self._pool[lane]
        return chosen

    def _make_room(self, again: float) -> None:
        """Takes out of the hand what its lanes do not let go, so that others can; none of it was handed over."""
        terms, until = self._terms, time.monotonic() + again
        mine = outbox.put_back([case.touch for case in self._hand.values()], terms.clock())
        for case in reversed([case for key, case in self._hand.items() if key in mine]):
            self._stuck[case.lane] = until
            self._pool.setdefault(case.lane, deque()).appendleft(case)
        self._hand = {}

    def _begin(self, cases: Sequence[_Case]) -> None:
        """Looks again at what may have changed, in the transaction that moves what may go to attempting and settles what has landed."""
        terms, now, people = self._terms, self._terms.instant(), dict[str, Person]()

        def judge(mine: Sequence[Touch]) -> Mapping[int, Outcome]:
            people.update(_people_of(mine))
            return not_now(terms.question(now), mine, people)

        begun = outbox.begin([case.touch for case in cases], judge, terms.clock(), now, self._landed)
        self._settled(begun.settled)
        self._hand |= {case.touch.id: case for case in _cases(begun.attempted, people)}
        waiting = [outcome.status for outcome in begun.instead.values() if outcome.reason != PAUSED]
        self._tally.update(waiting)  # those of paused programs wait as if never claimed
        self._look = LastLook(now, terms.topics)

    def _depart(self) -> float:
        """Lets go what its lane lets go now; seconds until time alone may let another one go."""
        again = math.inf
        for channel, lanes in self._lanes.items():
            mine = {key: case.lane for key, case in self._hand.items() if case.touch.channel == channel}
            if not mine:
                continue
            admitted = lanes.admit(mine, time.monotonic())
            again = min(again, admitted.again)
            for key, seconds in admitted.back.items():
                later = self._terms.instant() + timedelta(seconds=math.ceil(seconds))
                self._end(self._hand.pop(key).touch, Outcome(PLANNED, reason=f"{mine[key]} did not answer", send_at=later))
            self._start([self._hand.pop(key) for key in admitted.start], lanes)
        return again

    def _start(self, cases: Sequence[_Case], lanes: Lanes[int]) -> None:
        """Reads suppression once more, and lets messages go; they are written on their way."""
        if not cases:
            return
        terms, people = self._terms, {case.touch.customer_id: case.person for case in cases}
        desk = replace(terms.desk, now=terms.instant())
        for case in cases:
            foresee(desk, case.touch)
        looked = time.monotonic()
        refused = refusals(self._look, [case.touch for case in cases], people)
        for case in cases:
            touch = case.touch
            if stop := refused.get(touch.id):
                lanes.dropped(touch.id)
                self._end(touch, Outcome(SUPPRESSED, reason=stop))
            else:
                self._air[touch.id] = case
                self._crew.start(touch.id, terms.senders[touch.channel], partial(_written, desk, case, looked + FRESH))

    def _land(self, again: float) -> bool:
        """Takes in what has ended, and waits for it as long as nothing else can be done; whether there was anything."""
        if not self._air and not self._hand:
            return False
        patience = LULL if self._landed else STUCK_AFTER if self._hand else AT_MOST
        news = self._crew.landed(min(again, patience))
        self._renew()
        for one in news:
            case = self._air.pop(one.touch)
            if isinstance(one.error, LookAgain) and self._looks[one.touch] < LOOKS:
                self._looks[one.touch] += 1
                self._lanes[case.touch.channel].dropped(one.touch)
                self._hand[one.touch] = case
                continue
            if one.message is None:
                self._lanes[case.touch.channel].dropped(one.touch)
                self._end(case.touch, _not_written(one.error))
                continue
            failure = one.error if isinstance(one.error, DeliveryError) else None
            self._lanes[case.touch.channel].ended(one.touch, one.at, failure)
            self._stuck.pop(case.lane, None)
            now = self._terms.instant()
            self._end(case.touch, _outcome(case.touch, one, one.message, now))
            if isinstance(one.error, PermanentFailure) and one.error.gone:
                channel = case.touch.channel
                suppress(channel, address_of(case.person, channel), "gone", now)
        return bool(news)

    def _end(self, touch: Touch, outcome: Outcome) -> None:
        self._settle_at = min(self._settle_at, time.monotonic() + SETTLE_WITHIN)
        self._landed.append((touch, outcome))

    def _settle(self) -> None:
        """Commits what has ended."""
        if self._landed:
            self._settled(outbox.settle(self._landed, self._terms.instant()))

    def _settled(self, statuses: Mapping[int, str]) -> None:
        self._tally.update(statuses.values())
        self._landed, self._settle_at = [], math.inf

    def _renew(self) -> None:
        """Lets the leases begin again where the last time was a while ago."""
        clock = self._terms.clock()
        if clock - self._renewed_at >= RENEW_AFTER:
            outbox.renew(self._owner, clock)
            self._renewed_at = clock

    def _leave(self) -> None:
        """Ends an interrupted shift in order: what is in the air is waited for, and all else is left to the next worker."""
        while self._air:
            self._land(AT_MOST)
        for case in self._hand.values():
            self._end(case.touch, Outcome(PLANNED, reason="the worker was stopped"))
        self._hand = {}
        self._settle()
        outbox.release([case.touch for lane in self._pool.values() for case in lane])


def _people_of(touches: Sequence[Touch]) -> dict[str, Person]:
    """Whom touches go to as the ledger knows them now, by customer id; who is not known has no consent and no address."""
    names = {touch.customer_id for touch in touches}
    known = {one.customer_id: one for one in _people(*names)} if names else {}
    return {name: known.get(name) or Person(customer_id=name) for name in names}


def _cases(touches: Sequence[Touch], people: Mapping[str, Person]) -> Iterator[_Case]:
    for touch in touches:
        person = people[touch.customer_id]
        lane = lane_of(touch.channel, person.push if touch.channel == "webpush" else address_of(person, touch.channel))
        yield _Case(touch, person, lane)


def _written(desk: Desk, case: _Case, until: float) -> Message:
    """The message, which must not go after an instant."""
    return replace(compose(desk, case.touch, case.person), until=until)


def _not_written(error: BaseException | None) -> Outcome:
    """What becomes of a touch whose message cannot be written."""
    if isinstance(error, BadData | Refused | PermanentFailure):
        return Outcome(FAILED, reason=str(error))
    if error is None or isinstance(error, RekindleError | DatabaseError) or not isinstance(error, Exception):
        raise error or AssertionError("it was written")
    return Outcome(FAILED, reason=f"a defect, please report it: {type(error).__name__}: {error}")  # of one message: others go on


def _outcome(touch: Touch, landed: Landed, message: Message, now: datetime) -> Outcome:
    if landed.error is None:
        return taken(message.id, landed.theirs)
    if isinstance(landed.error, Exception):
        return not_taken(touch, landed.error, now, message.id)
    raise landed.error
