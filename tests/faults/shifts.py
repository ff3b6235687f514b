"""The workers of one store, one after the other or two at a time, with one clock for all of them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from rekindle.settings import Settings
from tests.faults.sinks import Received, received
from tests.faults.worker import Order, Workers
from tests.service.conftest import NOON

BATCH = 4


class Shifts:
    """Workers of a store, in processes of their own.

    Args:
        store: The store; its touches are due at noon.
        forks: Makes the processes.
        channel: The channel of its touches.
        folder: Where the other side and the clock are.
        real: A real sender's name, and its other side's port, for `senders.real`; a file takes all where not given.
    """

    def __init__(self, store: Settings, forks: Workers, channel: str, folder: Path, **real: str | int) -> None:
        self._forks, self._clock, self._sink = forks, folder / "clock", folder / "sink"
        self._order: dict[str, Any] = {
            "store": store.model_dump_json(), "sink": str(self._sink), "channel": channel, "now": NOON.isoformat(),
            "clock": str(self._clock), "batch": BATCH, **real,
        }
        self._now = NOON

    def run(self, point: str = "", call: int = 1, after: float = 0.0, blow: int = 9) -> int:
        """A worker begins when all leases are over; how it ended."""
        self._now += timedelta(minutes=2)
        self._clock.write_text(self._now.isoformat())
        return self._forks.run(Order(**self._order, point=point, call=call, after=after, blow=blow))

    def go_on(self) -> int:
        """The worker that is paused goes on; how it ended."""
        return self._forks.run(Order())

    def received(self) -> Received:
        """What the other side has."""
        return received(self._sink)
