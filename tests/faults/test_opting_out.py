"""A worker in a process of its own is at work on a real ledger while customers opt out: nothing leaves afterwards.

The law gives days; the measure here is a second from the word to the last message that begins to leave, and the ledger's own is none.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from rekindle import moment
from rekindle.deliver.channel import Message
from rekindle.deliver.lanes import Limits
from rekindle.service.flow.sending import send_due
from rekindle.service.flow.wishing import wish
from rekindle.service.outbox.models import ATTEMPTING, CLAIMED, PLANNED, Touch
from rekindle.service.people.actions import opt_out
from rekindle.service.people.models import Person
from rekindle.service.privacy.actions import ask
from rekindle.service.privacy.models import ERASURE
from rekindle.service.wishes.actions import Said
from rekindle.service.wishes.queries import wishes_of
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import meet, plan

LEDGERS = ("sqlite", "postgresql")

SIZE = 600
TAKES = 0.005
"""Seconds that a message takes, so that the worker needs some for all of them."""

WITHIN = 1.0
PATIENCE = 30.0

WORKER = "from rekindle.service.config import configure; configure(); from tests.faults.test_opting_out import work; work()"


class Slow:
    """A channel that takes one message at a time and writes down when it began."""

    limits = Limits(at_once=1, spare=0, per_lane=1)

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def hand_over(self, message: Message) -> str:
        self._file.write(f"{json.dumps([message.to, moment.now().timestamp()])}\n")
        time.sleep(TAKES)
        return ""


def begun(path: Path) -> dict[str, float]:
    """When each address' message began to leave."""
    return {address: at for address, at in map(json.loads, path.read_text().splitlines())} if path.is_file() else {}


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, "the worker does not get there"
        time.sleep(0.01)


def by_link(store: Settings, customer: str) -> None:
    """As the link of a message and a mail program's button do."""
    opt_out(customer, "email", moment.now(), "unsubscribe link")


def by_page(store: Settings, customer: str) -> None:
    """As the preference page's button does."""
    person, now = Person.objects.get(pk=customer), moment.now()
    held = wishes_of(person, now)
    wish(store, customer, type(held)(), Said(now, "preference page"))


def by_objection(store: Settings, customer: str) -> None:
    """As the preference page's tick to be scored no more does."""
    person, now = Person.objects.get(pk=customer), moment.now()
    wish(store, customer, replace(wishes_of(person, now), scored=False), Said(now, "preference page"))


def by_pause(store: Settings, customer: str) -> None:
    person, now = Person.objects.get(pk=customer), moment.now()
    wish(store, customer, replace(wishes_of(person, now), paused_until=now + timedelta(days=30)), Said(now, "preference page"))


def by_erasure(store: Settings, customer: str) -> None:
    """As the page of a customer's own data does."""
    ask(ERASURE, customer, "page", moment.now())


def test_an_opt_out_holds_within_a_second_for_queued_and_claimed_messages(store: Settings, tmp_path: Path) -> None:
    customers = [f"c{number:04}" for number in range(SIZE)]
    meet(customers)
    plan(customers)
    file = tmp_path / "left"
    command = [sys.executable, "-c", WORKER, store.model_dump_json(), str(file)]
    worker = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src:."})
    try:
        wait(lambda: len(begun(file)) > 20 or worker.poll() is not None)
        said: dict[str, float] = {}
        found = {}
        for status in (PLANNED, CLAIMED, ATTEMPTING):
            rows = Touch.objects.filter(status=status).order_by("-pk").values_list("customer_id", flat=True)
            found[status] = list(rows[:20])
        for chosen in found.values():
            for customer, stops in zip(chosen, cycle((by_link, by_page, by_objection, by_pause, by_erasure)), strict=False):
                stops(store, customer)
                said[f"{customer}@people.example"] = moment.now().timestamp()
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.wait()
    left = begun(file)
    late = {address: left[address] - at for address, at in said.items() if address in left and left[address] > at}
    assert max(late.values(), default=0.0) < WITHIN
    assert all(found.values()), "some waited, some were claimed, some were about to leave"
    stopped = [address for address in said if address not in left]
    assert len(stopped) > len(said) // 2, "most were asked in time"
    assert Touch.objects.filter(status="suppressed").count() == len(stopped)
    assert Touch.objects.filter(status="sent").count() == len(left) == SIZE - len(stopped)


def work() -> None:
    """What the worker's process does."""
    settings = Settings.model_validate_json(sys.argv[1])
    send_due(settings, NOON + timedelta(hours=1), senders={"email": Slow(Path(sys.argv[2]))})

