"""Opt-outs between any two steps of a worker, and between a message's last look and its first byte.

A worker's step ends where it asks the ledger something. Who opts out there gets no first byte afterwards. Who opts out after the last look,
when nothing stands between it and the first byte but the sender, gets the message only within the second for which a look holds; where the
worker stands still for longer, it looks again, and nothing leaves. Each customer of each run is one interleaving: their own opt-out at a
step or behind the look, drawn for it.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from rekindle.deliver.channel import Message
from rekindle.service.flow.crew import Crew
from rekindle.service.flow.sending import send_due
from rekindle.service.flow.shift import FRESH
from rekindle.service.outbox.models import Touch
from rekindle.service.people.actions import opt_out
from rekindle.settings import Settings
from tests.faults.crowds import plan
from tests.service.conftest import NOON

LEDGERS = ("sqlite", "postgresql")
CROWD = 250
BEHIND = 52
"""Of 256 who opt out, so many do behind the last look."""


@dataclass
class Scheduler:
    """Lets customers opt out at a worker's steps, in another thread and on a connection of its own, while the worker stands still.

    Args:
        leaving: Step to who opts out there.
        behind: Who opts out behind the last look, and whether the worker then stands still for longer than a look holds.
        elsewhere: The other thread.
        shut: Whether nobody else can write while the worker is in a transaction: whoever wants to waits until it has ended.
    """

    leaving: dict[int, list[str]]
    behind: dict[str, bool]
    elsewhere: ThreadPoolExecutor
    shut: bool
    steps: int = 0
    started: int = 0
    ended: list[str] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def hand_over(self, message: Message) -> str:
        customer, now = message.to.partition("@")[0], time.monotonic()
        assert message.until - FRESH <= now, "a look holds no longer than it says"
        try:
            if customer in self.behind and ("opted out", customer) not in self.events:
                self.leave(customer)
                now = message.until + 0.001 if self.behind[customer] else time.monotonic()
            message.begin(now)
            self.events.append(("first byte", customer))
        finally:
            self.ended.append(customer)
        return ""

    def leave(self, customer: str) -> None:
        self.elsewhere.submit(opt_out, customer, "email", NOON, "link").result()
        self.events.append(("opted out", customer))

    def step(self, execute: Callable[..., Any], sql: str, params: object, many: bool, context: dict[str, Any]) -> Any:
        """Passed by every statement of the worker."""
        self.waiting += self.leaving.pop(self.steps, [])
        self.steps += 1
        if self.waiting and not (self.shut and connection.in_atomic_block):
            while len(self.ended) < self.started:
                time.sleep(0.0001)
            for customer in self.waiting:
                self.leave(customer)
            self.waiting = []
        return execute(sql, params, many, context)


@contextmanager
def counted(scheduler: Scheduler) -> Iterator[None]:
    """Counts the messages that the worker gives to its crew."""
    whole = Crew.start

    def start(crew: Crew, *job: Any) -> None:
        scheduler.started += 1
        whole(crew, *job)

    Crew.start = start  # type: ignore[method-assign]  the crew that counts
    try:
        yield
    finally:
        Crew.start = whole  # type: ignore[method-assign]  as it was


def run(store: Settings, number: int, steps: int, elsewhere: ThreadPoolExecutor) -> Scheduler:
    """One worker and its customers, each of whom opts out where it is drawn for them; nobody does where `steps` is 0."""
    leaving: dict[int, list[str]] = defaultdict(list)
    behind: dict[str, bool] = {}
    for customer in plan(CROWD, "email", name=f"run{number}"):
        drawn = hashlib.md5(f"{number}:{customer}".encode(), usedforsecurity=False).digest()
        if steps and drawn[4] < BEHIND:
            behind[customer] = drawn[5] % 2 == 1
        elif steps:
            leaving[int.from_bytes(drawn[:4]) % steps].append(customer)
    scheduler = Scheduler(leaving, behind, elsewhere, shut=connection.vendor == "sqlite")
    with counted(scheduler), connection.execute_wrapper(scheduler.step):
        send_due(store, NOON, senders={"email": scheduler}, clock=lambda: NOON)
    for customer in (*scheduler.waiting, *(one for others in leaving.values() for one in others)):
        scheduler.events.append(("opted out", customer))  # the worker had fewer steps, for it suppressed
    return scheduler


def judge(scheduler: Scheduler) -> tuple[int, int]:
    """How many opted out before their message and how many after it; asserts that the former got none."""
    order = {event: number for number, event in enumerate(scheduler.events)}
    begun = {name for kind, name in scheduler.events if kind == "first byte"}
    out = {name for kind, name in scheduler.events if kind == "opted out"}
    late = {name for name in begun & out if order["first byte", name] > order["opted out", name]}
    at_once = {name for name, stands_still in scheduler.behind.items() if not stands_still}
    assert late <= at_once, "the worker looked less than a second before, and went on at once"
    assert scheduler.behind.keys() - at_once <= out - begun, "who stood still looked again"
    by_status = defaultdict(set)
    for name, status in Touch.objects.filter(customer_id__in=begun | out).values_list("customer_id", "status"):
        by_status[status].add(name)
    assert by_status == {"sent": begun, "suppressed": out - begun} or by_status == {"sent": begun}
    return len(out - begun), len((out & begun) - late)


@contextmanager
def another_thread() -> Iterator[ThreadPoolExecutor]:
    """A thread with a connection of its own; durability is not asked here, and on SQLite every opt-out would wait for the disk."""
    with ThreadPoolExecutor(1) as elsewhere:
        if connection.vendor == "sqlite":
            elsewhere.submit(lambda: connection.cursor().execute("PRAGMA synchronous=OFF")).result()
        try:
            yield elsewhere
        finally:
            elsewhere.submit(lambda: connection.close()).result()  # the proxy is asked in that thread


def interleave(store: Settings, runs: int) -> tuple[int, int]:
    """How many customers opted out before their message and how many after it."""
    before = after = 0
    with another_thread() as elsewhere:
        steps = run(store, 0, 0, elsewhere).steps
        for number in range(1, runs + 1):
            early, late = judge(run(store, number, steps, elsewhere))
            before, after = before + early, after + late
    return before, after


def test_who_opts_out_at_any_step_gets_nothing_afterwards(store: Settings) -> None:
    """Five thousand interleavings on each database."""
    before, after = interleave(store, 20)
    assert before + after < 19 * CROWD, "some opted out within the second, and got it"
    assert min(before, after) > 4 * CROWD
