"""How long it takes from `git clone` to the first look at the overview on simulated data, without the downloads.

`python benchmarks/bench_first_look.py` downloads the wheels of requirements.lock first (WHEELS behind it: into that folder, to be used
again), and then times what a newcomer does: the clone, `make .venv/ready` with those wheels and no index, `rekindle serve` in an empty
folder, and in the console, over HTTP as a browser would, the first password and second factor, the button that has a marketplace
simulated, and its job until the overview names customers. What a person needs to read and type is not counted. `processor` says how much
of it was work: on a machine with other things to do, the seconds are more.
"""

import base64
import hashlib
import hmac
import http.cookiejar
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, build_opener

LIMIT = 180.0
"""Seconds."""

HERE = Path(__file__).parents[1]
EMAIL, PASSWORD = "ada@marigold.example", "seven lanterns at the harbour"
LINK = re.compile(r"http://\S+/account/welcome/\S+")
PATIENCE = 600.0
"""Seconds after which the benchmark gives up."""


class Visitor:
    """A browser without a window: it keeps cookies and sends the forms that it was shown."""

    def __init__(self) -> None:
        self._opener = build_opener(HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.address, self.page = "", ""

    def open(self, address: str, **fields: str) -> str:
        """A page, or with fields what comes of its form."""
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.page)
        given = urlencode({**fields, "csrfmiddlewaretoken": token[1] if token else ""}).encode() if fields else None
        with self._opener.open(urljoin(self.address, address), given) as answer:
            self.address, self.page = answer.url, answer.read().decode()
        return self.page


def code(secret: str) -> str:
    """What the app on a phone shows now (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time() // 30)), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def processor() -> float:
    """Seconds of processor time that everything took that was started from here and has ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def environment(**more: str) -> dict[str, str]:
    """A newcomer's: Python keeps what it has compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | more


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The link that `rekindle serve` prints in an empty folder, while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    said = folder.parent / "said.txt"
    command = [str(folder.parent / "rekindle" / ".venv" / "bin" / "rekindle"), "--store", str(folder), "serve", "--port", port]
    with said.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment()) as server:
        try:
            until = time.monotonic() + PATIENCE
            while not (found := LINK.search(said.read_text())):
                if server.poll() is not None or time.monotonic() > until:
                    sys.exit(said.read_text())
                time.sleep(0.05)
            yield found[0]
        finally:
            server.terminate()


def first_visit(link: str) -> Visitor:
    """An operator who has chosen a password and set up the second factor."""
    visitor = Visitor()
    until = time.monotonic() + PATIENCE
    while not visitor.page:
        try:
            visitor.open(link)
        except OSError:  # the pages are not up yet
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    visitor.open(visitor.address, email=EMAIL, password=PASSWORD)
    visitor.open(visitor.address, login=EMAIL, password=PASSWORD)
    secret = re.search(r"<code>([A-Z2-7]{16,})</code>", visitor.page)
    if not secret:
        sys.exit(f"no second factor was asked for at {visitor.address}")
    visitor.open(visitor.address, code=code(secret[1]))
    return visitor


def look(visitor: Visitor, console: str) -> str:
    """Has a marketplace simulated; what the overview says first when the job is done."""
    visitor.open(f"{console}start")
    visitor.open(visitor.address, what="marketplace")
    job, until = visitor.address, time.monotonic() + PATIENCE
    while "See what came of it" not in visitor.open(job):
        if "It did not work" in visitor.page or time.monotonic() > until:
            sys.exit(visitor.page)
        time.sleep(0.5)
    lede = re.search(r'<p class="lede">(.*?)</p>', visitor.open(console))
    if not lede or "customers" not in lede[1]:
        sys.exit(visitor.page)
    return re.sub(r"<[^>]+>", "", lede[1])


def main(wheels: Path, folder: Path) -> None:
    """Prints the seconds of every step; fails where they add up to more than they may."""
    clone = folder / "rekindle"
    built = ["setuptools", "wheel"]  # what the few that come as sources are built with
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *built, "-d", str(wheels)], check=True)
    wanted = ["--quiet", "--require-hashes", "-r", str(HERE / "requirements.lock"), "-d", str(wheels)]
    subprocess.run([sys.executable, "-m", "pip", "download", *wanted], check=True)
    seconds, begun, before = dict[str, float](), time.perf_counter(), processor()

    def done(step: str) -> None:
        seconds[step] = round(time.perf_counter() - begun - sum(seconds.values()), 1)

    subprocess.run(["git", "clone", "--quiet", str(HERE), str(clone)], check=True)
    done("clone")
    local = environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
    subprocess.run(["make", ".venv/ready"], cwd=clone, check=True, env=local)
    done("install")
    with served(folder / "shop") as link:
        done("serve")
        visitor = first_visit(link)
        done("sign_in")
        says = look(visitor, link.partition("account/")[0])
        done("marketplace")
    total, worked = round(sum(seconds.values()), 1), round(processor() - before, 1)
    print(json.dumps({"seconds": seconds, "total": total, "limit": LIMIT, "processor": worked, "overview": says}))
    sys.exit("A limit was missed." if total > LIMIT else 0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(name) / "wheels", Path(name))
