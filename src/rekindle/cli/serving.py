"""`serve` and `work`: the pages that customers reach, and the worker that hands messages over.

Knows nothing of what they do.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Any

import typer

from rekindle import moment, settings
from rekindle.cli.folder import create, operator, plan_store
from rekindle.cli.operators import link_of
from rekindle.cli.output import say
from rekindle.errors import RekindleError

LOOK = 0.5
"""Seconds between two looks at whether the worker still runs."""

PAUSE = 10.0
"""Seconds before a worker that ended is started again."""

Host = Annotated[str, typer.Option(metavar="HOST", help="Where to listen. Put a server that speaks HTTPS before it.")]
Port = Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="The port.")]
Threads = Annotated[int, typer.Option(metavar="N", min=1, max=64, help="How many requests are answered at once.")]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Pages only; `rekindle work` runs elsewhere.")]


def serve(context: typer.Context, host: Host = "127.0.0.1", port: Port = 8377, threads: Threads = 4, no_worker: NoWorker = False) -> None:
    """Serve the console, the pages that customers reach and the API, and hand messages over as they fall due. Until Ctrl-C.

    An empty or new folder becomes a store; the console begins it.
    """
    store = settings.load(_begun(context.obj))
    stop = Event()
    worker = Thread(target=attend, args=([sys.executable, "-m", "rekindle", "--store", str(store.root), "work"], stop))
    if not no_worker:
        worker.start()
    here = f"http://{host}:{port}"
    say(f"Pages          {here}/ for {store.public_url}" + ("" if no_worker else "; the worker runs beside them"))
    say(f"Console        {_way_in(store, here)}")
    try:
        _web(store.root, host, port, threads)
    finally:
        stop.set()
        if not no_worker:
            worker.join()


def _begun(folder: Path) -> Path:
    """The folder, made a store where nothing is in it yet."""
    if not (folder / settings.FILE_NAME).exists() and not (folder.is_dir() and any(folder.iterdir())):
        create(plan_store(folder, None, None, None, None), operator())
    return folder


def _way_in(store: settings.Settings, here: str) -> str:
    """Where the console is; as long as there is no operator, the link by which the first one chooses a password."""
    from rekindle.service.config import use_ledger
    from rekindle.service.console import actions

    use_ledger(store)
    actions.forget_what_ended(moment.now())
    token = actions.first_link(moment.now())
    if token is None:
        return f"{here}{store.public_path}/console/"
    return f"set it up, once and within a day: {link_of(store, token, here)}"


def attend(command: Sequence[str], stop: Event, pause: float = PAUSE) -> None:
    """Keeps a program running, and says so when it has to be started again.

    Args:
        command: The program and its arguments.
        stop: Ends the program, and this.
        pause: Seconds before it is started again.
    """
    while not stop.is_set():
        with subprocess.Popen(command) as running:  # noqa: S603  this very program
            while running.poll() is None:
                if stop.wait(LOOK):
                    running.terminate()
                    return
        if not stop.wait(pause):
            say(f"The worker ended (exit {running.returncode}) and is started again.")


def _web(root: Path, host: str, port: int, threads: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        str(root), address=host, port=port, interface=Interfaces.WSGI, blocking_threads=threads, websockets=False,
        log_level=LogLevels.warning,
    )  # fmt: skip
    server.serve(target_loader=partial(_application, root), wrap_loader=False)


def _application(root: Path) -> Any:  # noqa: ANN401  what granian calls
    from rekindle.service.config import configure
    from rekindle.service.config.web import application

    configure()  # takes a while; a setting that is saved meanwhile is seen, as they are read after it
    store = settings.load(root)
    answer = application(store)
    Thread(target=_read_ahead, args=(store,), daemon=True).start()
    return answer


def _read_ahead(store: settings.Settings) -> None:
    """Reads the approved documents before somebody asks for a page that needs them; what is wrong with them that page says."""
    from rekindle.service.flow import documents

    with suppress(RekindleError):
        documents.approved(store)


def work(context: typer.Context) -> None:
    """Hand messages over as they fall due, without pages. Several may run at once, and each takes what no other has."""
    from rekindle.service.console import clerk
    from rekindle.service.flow import serving

    store = settings.load(context.obj)
    stop = Event()
    jobs = Thread(target=clerk.attend, args=(store, stop, say))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say("Handing over what falls due; Ctrl-C ends it.")
    jobs.start()
    try:
        serving.work(store, stop, say)
    finally:
        stop.set()
        jobs.join()


COMMANDS = {"serve": serve, "work": work}
