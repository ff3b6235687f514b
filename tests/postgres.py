"""A PostgreSQL server of the tests' own: Debian's binaries, loopback, a folder under /tmp, gone with the process.

Knows nothing of Rekindle. Where the binaries are missing, tests that ask for it are skipped, and fail where CI=1.
"""

import atexit
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import psycopg
import pytest

USER = "rekindle"
TEMPLATE = "prepared"
_STARTING = 30.0
_names = itertools.count()


def binaries() -> Path | None:
    """The folder of the newest server's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parents[1].name))
    on_path = shutil.which("initdb")
    here = found[-1].parent if found else Path(on_path).resolve().parent if on_path else None
    return here if here and shutil.which("setpriv") else None


class Server:
    """A server that can be stopped, killed and started again on the same port.

    Args:
        durable: Whether commits wait for the disk; a killed server loses nothing either way, a machine without power would.
        folder: Where its own folder is made, a temporary one where left empty.
    """

    def __init__(self, durable: bool = False, folder: Path | None = None) -> None:
        programs = binaries()
        if programs is None:
            reason = "PostgreSQL is not installed: apt install postgresql"
            if os.environ.get("CI") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="rekindle-postgres-", dir=folder))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self._folder, "nobody", "nogroup")
        self._run([str(programs / "initdb"), "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        self._options = [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        atexit.register(self.close)
        self.start()

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        options = ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", *self._options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_nobody(), str(self._programs / "postgres"), "-D", self._data, *options], cwd="/", stdout=log, stderr=log
            )
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the server: SIGINT in good order, SIGQUIT at once, as a crash would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(_STARTING)

    def close(self) -> None:
        """Ends the server and removes its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """A database's URL."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def fresh(self, prepare: Callable[[str], None] | None = None) -> str:
        """The URL of a new database: empty, or as `prepare` left the first one of this server."""
        name = f"test{next(_names)}"
        if prepare is None:
            self.execute("postgres", f"CREATE DATABASE {name}")
            return self.url(name)
        if not self.execute("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):  # noqa: S608  a name of ours
            self.execute("postgres", f"CREATE DATABASE {TEMPLATE}")
            prepare(self.url(TEMPLATE))
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a database, whoever is connected."""
        self.execute("postgres", f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Runs one statement in a database."""
        with psycopg.connect(self.url(database), autocommit=True) as session:
            cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _as_nobody(self) -> list[str]:
        """The server refuses to run as root; the kernel ends it with its parent, however that ends."""
        user = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *user, "--pdeathsig", "QUIT"]

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run([*self._as_nobody(), *command], cwd="/", capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")

    def _wait(self) -> None:
        give_up = time.monotonic() + _STARTING
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > give_up:
                    raise RuntimeError(f"{error}\n{(self._folder / 'log').read_text()}") from error
                time.sleep(0.05)
            else:
                return


@cache
def server() -> Server:
    """The one server of this process."""
    return Server()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
