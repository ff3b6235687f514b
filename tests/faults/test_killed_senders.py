"""Workers killed with SIGKILL at every moment of a real sender's hand-over: a file, a row of the ledger, mail over SMTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.settings import Settings
from tests.faults import invariants
from tests.faults.crowds import plan
from tests.faults.senders import MOMENTS, got
from tests.faults.shifts import BATCH, Shifts
from tests.faults.smtp_server import SmtpServer
from tests.faults.worker import KILLED, Workers, workers


@pytest.fixture(scope="module")
def forks() -> Iterator[Workers]:
    with workers() as process:
        yield process


@pytest.mark.parametrize("sender", sorted(MOMENTS))
def test_a_worker_killed_while_a_sender_hands_over_sends_nothing_twice_and_loses_nothing(
    store: Settings, forks: Workers, sender: str, tmp_path: Path
) -> None:
    channel, moments = "inapp" if sender == "inapp" else "email", MOMENTS[sender]
    size = 3 * BATCH * len(moments)
    plan(size, channel, service_every=5)
    with SmtpServer({}) as server:
        shifts = Shifts(store, forks, channel, tmp_path, sender=sender, port=server.port)
        for number, moment in enumerate(moments):
            before = invariants.in_doubt()
            assert shifts.run(moment, call=1 + number % 2) == KILLED, moment
            assert invariants.in_doubt() - before <= BATCH, moment
        assert shifts.run() == 0
    invariants.hold(got(store, sender, server), size, unknown_at_most=BATCH * len(moments))
