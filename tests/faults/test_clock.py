"""The machine's clock is set back or forward while a worker is at work."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain, count, repeat
from pathlib import Path

import pytest

from rekindle.service.flow import shift
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.queries import counts
from rekindle.settings import Settings
from tests.faults import invariants
from tests.faults.crowds import plan
from tests.faults.sinks import Sink, received
from tests.service.conftest import NOON

LEDGERS = ("sqlite", "postgresql")
BATCH = 4
SIZE = 6 * BATCH
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shift, "BATCH", BATCH)


def stepped(after: int, step: timedelta) -> Iterator[datetime]:
    """Noon for so many readings, then another instant for all others."""
    return chain(repeat(NOON, after), repeat(NOON + step))


def send(store: Settings, sink: Path, clock: Iterator[datetime]) -> None:
    send_due(store, NOON, senders={"email": Sink(sink)}, clock=lambda: next(clock))


@pytest.mark.parametrize("step", [-HOUR, HOUR])
@pytest.mark.parametrize("after", [1, 2, 3, 4, 6, 9])
def test_a_step_of_the_clock_sends_nothing_twice_and_loses_nothing(store: Settings, step: timedelta, after: int, tmp_path: Path) -> None:
    plan(SIZE, "email", service_every=5)
    send(store, tmp_path / "sink", stepped(after, step))
    send(store, tmp_path / "sink", repeat(NOON + 2 * HOUR))
    invariants.hold(received(tmp_path / "sink"), SIZE, unknown_at_most=0)


def test_a_clock_that_jumps_at_every_reading_only_takes_longer(store: Settings, tmp_path: Path) -> None:
    plan(SIZE, "email", service_every=5)
    send(store, tmp_path / "sink", (NOON + (-1) ** number * number * HOUR for number in count()))
    send(store, tmp_path / "sink", repeat(NOON + 2_000 * HOUR))
    invariants.hold(received(tmp_path / "sink"), SIZE, unknown_at_most=0)


def test_after_a_step_back_leases_hold_until_the_clock_has_caught_up(store: Settings, tmp_path: Path) -> None:
    plan(SIZE, "email")

    class Killed(BaseException):
        pass

    def stop(point: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        send_due(store, NOON, senders={"email": Sink(tmp_path / "sink", stop)}, clock=lambda: NOON)
    send(store, tmp_path / "sink", repeat(NOON - HOUR))
    assert counts().get("unknown", 0) == 0
    send(store, tmp_path / "sink", repeat(NOON + HOUR))
    invariants.hold(received(tmp_path / "sink"), SIZE, unknown_at_most=BATCH)
