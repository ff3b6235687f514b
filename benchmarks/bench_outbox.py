"""What the whole protocol of sending costs beside its commits and hand-overs alone, on SQLite and PostgreSQL, and the worker's memory.

Knows nothing of a network: `python benchmarks/bench_outbox.py` hands mail over by SMTP to a process of its own on this machine that takes
everything. The probe is a plain loop that makes as many durable commits on the same table and hands over the same bytes through the same
sender, and does nothing else: no consent, no rendering, no lanes. It has as many threads as the worker's crew, as many messages in the air,
and commits meanwhile, as the worker does. A second probe hands over one at a time, between its commits, and is printed beside the first;
the limit is for the first. All take turns, and the shortest of each counts, because other work on the machine only adds. Another number of
touches for the memory can be given: `python benchmarks/bench_outbox.py 20000`.
"""

import gc
import json
import math
import ssl
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server and the crowds are among the tests

import store_in_use

from rekindle.deliver.channel import Channel, Message
from rekindle.deliver.lanes import Limits
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings

SHARE_LIMIT = 0.70
PEAK_LIMIT = 0.3
"""Gigabytes."""

BATCHES, TURNS, TOUCHES, MANY = (10, 50), 3, 1_000, 200_000
DOMAINS = 50


class Kept:
    """A sender that keeps the last message, so that the probe hands over the same."""

    def __init__(self, sender: Channel) -> None:
        self._sender = sender
        self.last = Message("", date(2026, 1, 1), b"")

    def hand_over(self, message: Message) -> str:
        """Hands over by the sender."""
        self.last = replace(message, until=math.inf)  # the probe hands it over when the last look at it is long ago
        return self._sender.hand_over(message)

    def again(self) -> str:
        """Hands the last message over once more."""
        return self._sender.hand_over(self.last)


class Nothing:
    """A channel that takes everything and keeps nothing."""

    def hand_over(self, _message: Message) -> str:
        """Nothing."""
        return ""


@contextmanager
def commits() -> Iterator[list[int]]:
    """Counts the commits of this process."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    whole, count = BaseDatabaseWrapper.commit, [0]

    def commit(database: BaseDatabaseWrapper) -> None:
        count[0] += 1
        whole(database)

    BaseDatabaseWrapper.commit = commit  # type: ignore[method-assign]  every transaction passes here
    try:
        yield count
    finally:
        BaseDatabaseWrapper.commit = whole  # type: ignore[method-assign]  as it was


def made(folder: Path, database: str, touches: int) -> Settings:
    """A store with touches that are due."""
    configure()
    from tests.faults.crowds import plan
    from tests.service.conftest import make_store

    store = make_store(folder).model_copy(update={"database": database})
    use_ledger(store)
    plan(touches, "email", domains=DOMAINS)
    return store


def sent(store: Settings, sender: Channel) -> None:
    """Sends all of them."""
    from tests.service.conftest import NOON

    from rekindle.service.flow.sending import send_due

    done = send_due(store, NOON, senders={"email": sender}, clock=lambda: NOON).by_status
    assert set(done) == {"sent"}, done


def probe(batch: int, count: int, give: Callable[[], object]) -> None:
    """As many commits as the worker made, each of a batch's rows, and as many messages given away."""
    from django.db import connection, transaction

    cursor, done = connection.cursor(), 0
    first = cursor.execute("SELECT min(id) FROM outbox_touch").fetchone()[0]
    for start in range(0, TOUCHES, batch):
        upto, rows = round(count * (start + batch) / TOUCHES), [first + start, first + start + batch]
        for number in range(upto - done):
            with transaction.atomic():
                cursor.execute("UPDATE outbox_touch SET status = 'probed', fence = fence + 1 WHERE id >= %s AND id < %s", rows)
            if number == 0:
                for _ in range(batch):
                    give()
        done = upto


def probe_at_once(batch: int, count: int, sender: Kept) -> None:
    """The probe with the worker's threads: a batch is in the air at most, and commits go on meanwhile."""
    air: deque[Future[str]] = deque()
    with ThreadPoolExecutor(Limits().threads) as crew:

        def give() -> None:
            if len(air) == batch:
                air.popleft().result()
            air.append(crew.submit(sender.again))

        probe(batch, count, give)
        for one in air:
            one.result()


@contextmanager
def taking_everything() -> Iterator[Channel]:
    """A sender to a mail server in a process of its own."""
    from rekindle.service.channels.smtp.channel import Smtp
    from rekindle.service.channels.smtp.pool import Timing
    from rekindle.service.channels.smtp.session import Server

    other = subprocess.Popen([sys.executable, __file__, "--take"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    where = Server("127.0.0.1", int(other.stdout.readline()), "none", "shop.example", ssl.create_default_context())
    try:
        yield Smtp(where, Limits(), Timing())
    finally:
        other.communicate()


def share(kind: str, batch: int, urls: Iterator[str]) -> dict[str, float | str]:
    """The probe's seconds as a share of the worker's."""
    configure()
    from django.db import connection

    from rekindle.service.flow import shift

    shift.BATCH, shift.AHEAD = batch, 4 * batch
    ours, theirs, single = [], [], []
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as name, taking_everything() as sender, commits() as count:
            store, kept = made(Path(name), next(urls), TOUCHES), Kept(sender)
            gc.collect()  # what making the store has left is nobody's work
            count[0], begun = 0, time.perf_counter()
            sent(store, kept)
            ours.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            commits_made = count[0]
            probe_at_once(batch, commits_made, kept)
            theirs.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            probe(batch, commits_made, kept.again)
            single.append(time.perf_counter() - begun)
            connection.close()
    took = {"worker": min(ours), "probe": min(theirs), "one_at_a_time": min(single)}
    rates: dict[str, float | str] = {f"{name}_a_second": round(TOUCHES / seconds) for name, seconds in took.items()}
    shares = {"share": round(min(theirs) / min(ours), 2), "share_of_one_at_a_time": round(min(single) / min(ours), 2)}
    return {"database": kind, "batch": batch} | rates | shares | {"limit": SHARE_LIMIT}


def peak(touches: int) -> dict[str, float]:
    """The memory of a process that does nothing but send."""
    with tempfile.TemporaryDirectory() as name:
        made(Path(name), Settings(root=Path(name)).database, touches)
        child = subprocess.run([sys.executable, __file__, "--send", name], stdout=subprocess.PIPE, text=True, check=True)
    return {"touches": touches, "peak_gb": round(json.loads(child.stdout), 3), "limit_gb": PEAK_LIMIT}


def main(touches: int) -> None:
    """Prints one JSON line for each database and batch, and one for the memory; fails where a limit is missed."""
    from tests.postgres import Server

    configure()
    server, missed = Server(durable=True), False
    files = iter(lambda: "sqlite:///var/ledger.sqlite3", None)
    bases = iter(server.fresh, None)
    try:
        for kind, urls in (("sqlite", files), ("postgresql", bases)):
            for batch in BATCHES:
                found = share(kind, batch, urls)
                print(json.dumps(found), flush=True)
                missed |= float(found["share"]) < SHARE_LIMIT
    finally:
        server.close()
    memory = peak(touches)
    print(json.dumps(memory))
    if missed or memory["peak_gb"] > PEAK_LIMIT:
        sys.exit("A limit was missed.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        configure()
        from tests.service.conftest import make_store

        sent(make_store(Path(sys.argv[2])), Nothing())
        print(store_in_use.peak())
    elif sys.argv[1:2] == ["--take"]:
        from tests.faults.smtp_server import SmtpServer

        with SmtpServer({}) as server:
            print(server.port, flush=True)
            sys.stdin.read()
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else MANY)
