"""Runs the jobs that operators ask for, each as a command in a process of its own, one after the other.

Knows nothing of what a command does. One clerk works for a store at a time: others wait for its lock, and what a dead one left is told.
"""

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import IO

from rekindle import moment
from rekindle.errors import RekindleError
from rekindle.service.config import use_ledger
from rekindle.service.console.jobs import KINDS
from rekindle.service.console.models import Job
from rekindle.settings import Settings

LOOK = 1.0
"""Seconds between two looks for a job, and between two notes of what one has said."""

_SAID_AT_MOST, _RESULT_AT_MOST = 20_000, 1_000_000


def attend(settings: Settings, stop: Event, look: float = LOOK) -> None:
    """Runs jobs until `stop` is set; one that runs then is ended in order.

    Args:
        settings: The store's.
        stop: Set by whoever ends it.
        look: Seconds between two looks.
    """
    while not stop.is_set():
        with _alone(settings) as alone:
            if alone:
                use_ledger(settings)
                left = Job.objects.filter(state=Job.State.RUNNING)
                left.update(state=Job.State.FAILED, ended_at=moment.now(), said="The worker ended while this ran. Start it again.")
                while not stop.is_set():
                    _next(settings, stop, look) or stop.wait(look)
        stop.wait(look)


@contextmanager
def _alone(settings: Settings) -> Iterator[bool]:
    """Whether no other clerk works for this store, for as long as this lasts."""
    settings.var.mkdir(parents=True, exist_ok=True)
    with (settings.var / "clerk.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _next(settings: Settings, stop: Event, look: float) -> bool:
    """Runs the job that waits longest; whether there was one."""
    try:
        use_ledger(settings)
        job = Job.objects.filter(state=Job.State.WAITING).order_by("asked_at").first()
        if job is None:
            return False
        job.state, job.began_at = Job.State.RUNNING, moment.now()
        job.save(update_fields=["state", "began_at"])
        with TemporaryFile("w+", encoding="utf-8") as printed:
            code = _run(settings, job, printed, stop, look)
            printed.seek(0)
            job.result = printed.read(_RESULT_AT_MOST)
        job.exit_code, job.ended_at = code, moment.now()
        job.state = Job.State.FAILED if code else Job.State.DONE
        job.save(update_fields=["state", "exit_code", "ended_at", "result", "said"])
    except RekindleError:
        return False  # the ledger cannot be reached now: it is asked again
    return True


def _run(settings: Settings, job: Job, printed: IO[str], stop: Event, look: float) -> int:
    """The exit code of a job's commands; what they say on the way is kept line by line, and what the last one printed."""
    kind, code, lines = KINDS[job.kind], 0, list[str]()
    for words in ([*kind.command, *job.arguments], *([kind.after] if kind.after else [])):
        printed.seek(0)
        printed.truncate()
        command = [sys.executable, "-m", "rekindle", "--store", str(settings.root), *words]
        with subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True, errors="replace") as running:  # noqa: S603  this very program
            listener = Thread(target=lines.extend, args=(running.stderr or (),), daemon=True)
            listener.start()
            while running.poll() is None:
                if stop.is_set():
                    running.terminate()
                _note(job, lines)
                time.sleep(look / 4)
            listener.join()
            code = running.returncode
        if code:
            break
    _note(job, lines)
    return code


def _note(job: Job, lines: Sequence[str]) -> None:
    """Keeps what was said so far, where there is more of it."""
    told = "".join(lines)[-_SAID_AT_MOST:]
    if told != job.said:
        job.said = told
        job.save(update_fields=["said"])
