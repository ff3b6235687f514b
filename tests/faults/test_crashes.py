"""Workers killed with SIGKILL at every point of a touch's way, on every channel and both databases."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.service.flow.composing import COMPOSERS
from rekindle.settings import Settings
from tests.faults import invariants
from tests.faults.crowds import plan
from tests.faults.points import POINTS, last, often
from tests.faults.shifts import BATCH, Shifts
from tests.faults.worker import KILLED, Workers, workers

LEDGERS = ("sqlite", "postgresql")
MANY = 100
"""Kills in one store of the long test: ten stores of five channels and two databases make a thousand."""


@pytest.fixture(scope="module")
def forks() -> Iterator[Workers]:
    with workers() as process:
        yield process


@pytest.mark.parametrize("channel", sorted(COMPOSERS))
def test_a_worker_killed_anywhere_sends_nothing_twice_and_loses_nothing(
    store: Settings, forks: Workers, channel: str, tmp_path: Path
) -> None:
    size = 3 * BATCH * len(POINTS)
    plan(size, channel, service_every=5)
    shifts = Shifts(store, forks, channel, tmp_path)
    for number, point in enumerate(sorted(POINTS, key=last)):
        if last(point):
            size += len(plan(3 * BATCH, channel, service_every=5, name=f"more{number}"))
        before = invariants.in_doubt()
        call = 1 + number % 2 if often(point) else 1
        assert shifts.run(point, call) == KILLED, point
        assert invariants.in_doubt() - before <= BATCH, point
    assert shifts.run() == 0
    invariants.hold(shifts.received(), size, unknown_at_most=BATCH * len(POINTS))


@pytest.mark.long
@pytest.mark.parametrize("channel", sorted(COMPOSERS))
def test_a_thousand_kills(store: Settings, forks: Workers, channel: str, tmp_path: Path) -> None:
    """Half of them at named points, half of them wherever the worker is after some hundredths of a second."""
    size = 4 * BATCH * MANY
    plan(size, channel, service_every=7)
    shifts, killed, points = Shifts(store, forks, channel, tmp_path), 0, [point for point in POINTS if not last(point)]
    for number in range(MANY):
        drawn = hashlib.md5(f"{channel}:{number}".encode(), usedforsecurity=False).digest()
        point = points[drawn[0] % len(points)]
        call = 1 + drawn[1] % 3 if often(point) else 1
        how = {"after": 0.02 + drawn[2] / 1000} if number % 2 else {"point": point, "call": call}
        before = invariants.in_doubt()
        killed += (ended := shifts.run(**how)) == KILLED
        assert invariants.in_doubt() - before <= BATCH * (ended == KILLED)
    assert shifts.run() == 0
    assert killed == MANY
    invariants.hold(shifts.received(), size, unknown_at_most=BATCH * MANY)
