"""Two workers on one outbox, the first of them paused for longer than its lease."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.service.outbox.queries import counts
from rekindle.service.people.actions import opt_out
from rekindle.settings import Settings
from tests.faults import invariants
from tests.faults.crowds import plan
from tests.faults.points import AFTER, HANDING
from tests.faults.shifts import BATCH, Shifts
from tests.faults.worker import PAUSED, Workers, workers
from tests.service.conftest import NOON

LEDGERS = ("sqlite", "postgresql")
SIZE = 6 * BATCH


@pytest.fixture(scope="module")
def forks() -> Iterator[Workers]:
    with workers() as process:
        yield process


@pytest.mark.parametrize("point", [*AFTER, *HANDING])
def test_a_worker_that_was_paused_for_longer_than_its_lease_does_no_harm(
    store: Settings, forks: Workers, point: str, tmp_path: Path
) -> None:
    plan(SIZE, "email", service_every=5)
    shifts = Shifts(store, forks, "email", tmp_path)
    assert shifts.run(point, blow=PAUSED) == PAUSED
    assert shifts.run() == 0
    assert shifts.go_on() == 0
    invariants.hold(shifts.received(), SIZE, unknown_at_most=0)


def test_who_opts_out_while_a_worker_is_paused_gets_nothing(store: Settings, forks: Workers, tmp_path: Path) -> None:
    customers = plan(SIZE, "email")
    shifts = Shifts(store, forks, "email", tmp_path)
    assert shifts.run("begin: after commit", blow=PAUSED) == PAUSED
    for customer in customers:
        opt_out(customer, "email", NOON, "link")
    assert shifts.go_on() == 0
    assert (shifts.received().first, counts()) == ({}, {"suppressed": SIZE})
