"""Runs the jobs that operators ask for, each as a command in a process of its own, one after the other.

Knows nothing of what a command does. One clerk works for a store at a time: others wait for its lock, and what a dead one left is told. A
ledger that fails is asked again, and a command that runs meanwhile goes on.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import IO

from rekindle import moment
from rekindle.errors import RekindleError, StoreUnavailable
from rekindle.service.config import ledger_named, use_ledger
from rekindle.service.config.talk import once
from rekindle.service.console.jobs import KINDS
from rekindle.service.console.models import Job
from rekindle.service.console.turn import alone
from rekindle.settings import Settings

LOOK = 1.0
"""Seconds between two looks for a job, and between two notes of what one has said."""

_SAID_AT_MOST, _RESULT_AT_MOST = 20_000, 1_000_000


def attend(settings: Settings, stop: Event, say: Callable[[str], None], look: float = LOOK) -> None:
    """Runs jobs until `stop` is set; one that runs then is ended in order. What goes wrong is said, and tried again.

    Args:
        settings: The store's.
        stop: Set by whoever ends it.
        say: Takes a line of talk.
        look: Seconds between two looks.
    """
    clerk = _Clerk(settings, stop, once(say), look)
    while not stop.is_set():
        try:
            with alone(settings) as free:
                if not (free and clerk.serve()):
                    stop.wait(look)
        except (RekindleError, OSError) as error:
            clerk.tell(f"Jobs wait: {error}")
            stop.wait(look)
        else:
            clerk.tell("")


@dataclass(frozen=True, slots=True)
class _Clerk:
    settings: Settings
    stop: Event
    tell: Callable[[str], None]
    look: float

    def serve(self) -> bool:
        """Tells what a dead clerk left, and runs the job that waits longest; whether there was one."""
        use_ledger(self.settings)
        with ledger_named(self.settings):
            left = Job.objects.filter(state=Job.State.RUNNING)
            if left.exists():
                left.update(state=Job.State.FAILED, ended_at=moment.now(), said="The worker ended while this ran. Start it again.")
            job = Job.objects.filter(state=Job.State.WAITING, kind__in=list(KINDS)).order_by("asked_at").first()
            if job is None:
                return False
            job.state, job.began_at = Job.State.RUNNING, moment.now()
            job.save(update_fields=["state", "began_at"])
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
            job.exit_code = self._run(job, printed)
            printed.seek(0)
            job.result = _text(printed.read(_RESULT_AT_MOST))
        job.ended_at = moment.now()
        job.state = Job.State.FAILED if job.exit_code else Job.State.DONE
        while not (self._kept(job, "state", "exit_code", "ended_at", "result", "said") or self.stop.wait(self.look)):
            pass
        return True

    def _run(self, job: Job, printed: IO[str]) -> int:
        """The exit code of a job's commands; what they say on the way is kept line by line, and what the last one printed."""
        kind, code, lines = KINDS[job.kind], 0, list[str]()
        for words in ([*kind.command, *job.arguments], *([kind.after] if kind.after else [])):
            printed.seek(0)
            printed.truncate()
            command = [sys.executable, "-m", "rekindle", "--store", str(self.settings.root), *words]
            with subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True, errors="replace") as running:  # noqa: S603  this very program
                listener = Thread(target=lines.extend, args=(running.stderr or (),), daemon=True)
                listener.start()
                while running.poll() is None:
                    if self.stop.is_set():
                        running.terminate()
                    self._note(job, lines)
                    time.sleep(self.look / 4)
                listener.join()
                code = running.returncode
            if code:
                break
        self._note(job, lines)
        return code

    def _note(self, job: Job, lines: Sequence[str]) -> None:
        """Keeps what was said so far, where there is more of it; what the ledger does not take now is kept with the next."""
        before, job.said = job.said, _text("".join(lines)[-_SAID_AT_MOST:])
        if job.said != before and not self._kept(job, "said"):
            job.said = before

    def _kept(self, job: Job, *fields: str) -> bool:
        """Whether the ledger took a job's fields."""
        try:
            use_ledger(self.settings)
            with ledger_named(self.settings):
                job.save(update_fields=fields)
        except StoreUnavailable as error:
            self.tell(f"A job goes on, and what it says waits: {error}")
            return False
        return True


def _text(said: str) -> str:
    """As every ledger can hold it."""
    return said.replace("\0", "")
