"""A worker process that is killed or paused at a named point: `python -m tests.faults.worker` reads orders and forks a child for each.

The process has sent one message in a store of its own and closed it again, so that a child has nothing open and needs no time for what
is read once: imports, templates, time zones.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from rekindle.service.config import configure
from rekindle.settings import Settings
from tests.faults.points import watched
from tests.faults.sinks import Sink

KILLED, PAUSED = int(signal.SIGKILL), int(signal.SIGSTOP)


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to do, and what befalls it.

    Args:
        store: The settings, as JSON; empty: the worker that is paused goes on.
        sink: The file of the other side.
        channel: The channel of its messages.
        sender: A real sender, as `SENDERS` names it, hands over; empty: a file takes all.
        port: Its other side's.
        now: The instant of sending.
        clock: The file whose text is the present instant, which leases count by.
        batch: How many touches it attempts at once.
        point: Where the signal comes; empty: nowhere.
        call: At which time of passing there.
        after: Or it is killed so many seconds after its beginning, wherever it is then; 0: not.
        blow: The signal.
    """

    store: str = ""
    sink: str = ""
    channel: str = ""
    sender: str = ""
    port: int = 0
    now: str = ""
    clock: str = ""
    batch: int = 0
    point: str = ""
    call: int = 1
    after: float = 0.0
    blow: int = KILLED


class Workers:
    """The process that forks workers, as its parent sees it."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.faults.worker"]
        environment = {**os.environ, "PYTHONPATH": "src:."}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def run(self, order: Order) -> int:
        """Runs a worker until it ends, is killed or pauses: 0 where it came to its end, else the signal."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the process of the workers has ended"
        return int(answer)

    def close(self) -> None:
        """Ends the process, and a worker that is paused."""
        self._process.communicate(timeout=30)


@contextmanager
def workers() -> Iterator[Workers]:
    """A process of workers that is ended."""
    process = Workers()
    try:
        yield process
    finally:
        process.close()


def _work(order: Order) -> None:
    from rekindle.service.flow import sending, shift
    from tests.faults.senders import real

    passed: Counter[str] = Counter()

    def at(point: str) -> None:
        passed[point] += 1
        if point == order.point and passed[point] == order.call:
            os.kill(os.getpid(), order.blow)

    def clock() -> datetime:
        return datetime.fromisoformat(Path(order.clock).read_text())

    shift.BATCH = order.batch
    store = Settings.model_validate_json(order.store)
    senders = {order.channel: real(store, order.sender, order.port, at) if order.sender else Sink(Path(order.sink), at)}
    with watched(at):
        sending.send_due(store, datetime.fromisoformat(order.now), senders=senders, clock=clock)


def _fork(order: Order) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        _work(order)
        status = 0
    except BaseException:  # noqa: BLE001  the child ends here, and only its parent's stderr hears of it
        traceback.print_exc()
    finally:
        os._exit(status)


def _warm_up() -> None:
    configure()
    import_module("tests.faults.senders")
    from django.db import connection

    from rekindle.service.config import use_ledger
    from rekindle.service.flow.sending import send_due
    from tests.faults.crowds import plan
    from tests.service.conftest import NOON, make_store

    with TemporaryDirectory() as folder:
        use_ledger(store := make_store(Path(folder)))
        plan(1, "email")
        send_due(store, NOON, clock=lambda: NOON)
        connection.close()


def main() -> None:
    """Forks a worker for each order on stdin and says on stdout how it ended, or that it is paused."""
    _warm_up()
    paused = 0
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = _fork(order) if order.store else paused
        if not order.store:
            os.kill(child, signal.SIGCONT)
        if order.after:
            time.sleep(order.after)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            paused = child
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        sys.stdout.write(f"{PAUSED if os.WIFSTOPPED(status) else ended}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
