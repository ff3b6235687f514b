"""The ledger fails in the middle: its server is killed, or its disk is full."""

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from rekindle.errors import StoreUnavailable
from rekindle.service.channels.mailbox.channel import Mailbox
from rekindle.service.config import use_ledger
from rekindle.service.flow import shift
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox.models import Touch
from rekindle.settings import Settings
from tests.faults import invariants
from tests.faults.crowds import plan
from tests.faults.points import POINTS, often, watched
from tests.faults.sinks import Sink, nothing, received
from tests.postgres import Server
from tests.service.conftest import NOON, make_store

BATCH = 4
SIZE = 6 * BATCH
BEFORE_A_WRITE = [point for point in POINTS if point != "settle: after commit"]
"""After the last settling nothing is written that the disk could refuse."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shift, "BATCH", BATCH)


def send(store: Settings, sink: Path, at: Callable[[str], None], minutes: int) -> Sent:
    with watched(at):
        return send_due(store, NOON, senders={"email": Sink(sink, at)}, clock=lambda: NOON + timedelta(minutes=minutes))


def once(point: str, call: int, deed: Callable[[], None]) -> Callable[[str], None]:
    passed: Counter[str] = Counter()

    def at(here: str) -> None:
        passed[here] += 1
        if here == point and passed[here] == call:
            deed()

    return at


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that these tests may kill."""
    mine = Server()
    yield mine
    mine.close()


@pytest.mark.parametrize("point", POINTS)
def test_the_server_is_killed_and_started_again(own: Server, point: str, tmp_path: Path) -> None:
    url = own.fresh(lambda empty: use_ledger(make_store(tmp_path / "first").model_copy(update={"database": empty})))
    store = make_store(tmp_path / "shop").model_copy(update={"database": url})
    use_ledger(store)
    plan(SIZE, "email", service_every=5)
    call = 2 if often(point) else 1
    with pytest.raises(StoreUnavailable, match="cannot use the ledger postgresql://"):
        send(store, tmp_path / "sink", once(point, call, lambda: own.stop(signal.SIGQUIT)), minutes=2)
    own.start()
    send(store, tmp_path / "sink", nothing, minutes=4)
    invariants.hold(received(tmp_path / "sink"), SIZE, unknown_at_most=BATCH)
    connection.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own that is soon full."""
    folder = Path(tempfile.mkdtemp(prefix="rekindle-disk-"))
    folder.chmod(0o755)
    mounted = os.geteuid() == 0 and not subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder], check=False).returncode
    try:
        if not mounted:
            pytest.skip("only root may mount a disk, and not in every container")
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def fill(disk: Path) -> None:
    """Leaves not one byte."""
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def make_room(disk: Path) -> None:
    (disk / "filler").unlink()


def forbid_growth(store: Settings) -> None:
    """The kernel lets no file of this process grow beyond the ledger's log; Python ignores the signal that comes with the refusal."""
    log = store.var / "ledger.sqlite3-wal"
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.fixture
def growth_allowed_again() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("growth_allowed_again")
@pytest.mark.parametrize("point", BEFORE_A_WRITE)
def test_the_ledgers_file_cannot_grow(point: str, tmp_path: Path) -> None:
    use_ledger(store := make_store(tmp_path / "shop"))
    plan(SIZE, "email", service_every=5)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    call = 2 if often(point) else 1
    with pytest.raises(StoreUnavailable, match=r"cannot use the ledger .*ledger\.sqlite3: disk I/O error"):
        send(store, tmp_path / "sink", once(point, call, lambda: forbid_growth(store)), minutes=2)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    send(store, tmp_path / "sink", nothing, minutes=4)
    invariants.hold(received(tmp_path / "sink"), SIZE, unknown_at_most=BATCH)
    connection.close()


@pytest.mark.parametrize("point", ["claim: after commit", "begin: after commit", "hand over: middle", "settle: before commit"])
def test_the_ledgers_disk_is_full(small_disk: Path, point: str, tmp_path: Path) -> None:
    use_ledger(store := make_store(small_disk / "shop"))
    plan(SIZE, "email", service_every=5)
    with pytest.raises(StoreUnavailable, match=r"cannot use the ledger .*ledger\.sqlite3: database or disk is full"):
        send(store, tmp_path / "sink", once(point, 2 if often(point) else 1, lambda: fill(small_disk)), minutes=2)
    make_room(small_disk)
    send(store, tmp_path / "sink", nothing, minutes=4)
    invariants.hold(received(tmp_path / "sink"), SIZE, unknown_at_most=BATCH)
    connection.close()


def test_the_servers_disk_is_full(small_disk: Path, tmp_path: Path) -> None:
    full = Server(folder=small_disk)
    try:
        use_ledger(store := make_store(tmp_path / "shop").model_copy(update={"database": full.fresh()}))
        plan(200, "email", service_every=5)
        with pytest.raises(StoreUnavailable, match="No space left on device"):
            send(store, tmp_path / "sink", once("hand over: middle", 6, lambda: fill(small_disk)), minutes=2)
        make_room(small_disk)
        send(store, tmp_path / "sink", nothing, minutes=4)
        invariants.hold(received(tmp_path / "sink"), 200, unknown_at_most=BATCH)
    finally:
        connection.close()
        full.close()


def test_the_mailboxs_disk_is_full(store: Settings, small_disk: Path) -> None:
    customers = plan(SIZE, "email")
    mailbox = Mailbox(small_disk / "mail")
    fill(small_disk)
    send_due(store, NOON, senders={"email": mailbox}, clock=lambda: NOON)
    waiting = Touch.objects.filter(status="planned")
    assert waiting.count() == SIZE
    assert all("No space left on device" in one.reason for one in waiting)
    assert list((small_disk / "mail").rglob("*.eml*")) == []
    make_room(small_disk)
    assert send_due(store, NOON + timedelta(hours=1), senders={"email": mailbox}).by_status == {"sent": SIZE}
    assert len(list((small_disk / "mail").rglob("*.eml"))) == len(customers)
