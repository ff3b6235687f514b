"""Workers killed with SIGKILL at every moment of a real sender's hand-over: a file, a row, mail over SMTP, a request over HTTP."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from rekindle.service.channels import SENDERS
from rekindle.settings import Settings
from tests.faults import invariants
from tests.faults.crowds import plan
from tests.faults.senders import MOMENTS, other_side
from tests.faults.shifts import BATCH, Shifts
from tests.faults.worker import KILLED, Workers, workers

LEDGERS = ("sqlite", "postgresql")


@pytest.fixture(scope="module")
def forks() -> Iterator[Workers]:
    with workers() as process:
        yield process


def test_every_sender_is_killed() -> None:
    assert MOMENTS.keys() == SENDERS.keys()


@pytest.mark.parametrize("sender", sorted(MOMENTS))
def test_a_worker_killed_while_a_sender_hands_over_sends_nothing_twice_and_loses_nothing(
    store: Settings, forks: Workers, sender: str, tmp_path: Path
) -> None:
    channel, moments = import_module(SENDERS[sender]).CHANNELS[-1], MOMENTS[sender]
    size = 3 * BATCH * len(moments)
    plan(size, channel, service_every=5)
    with other_side(store, sender) as side:
        shifts = Shifts(store, forks, channel, tmp_path, sender=sender, port=side.port)
        for number, moment in enumerate(moments):
            before = invariants.in_doubt()
            assert shifts.run(moment, call=1 + number % 2) == KILLED, moment
            assert invariants.in_doubt() - before <= BATCH, moment
        assert shifts.run() == 0
        invariants.hold(side.got(), size, unknown_at_most=BATCH * len(moments))
