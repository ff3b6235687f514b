"""How soon every page of the console answers on a large store, beside a bare page of the same server.

`python benchmarks/bench_console.py` makes a store of a million customers, with contacts of all, a year's messages, a plan that waits, and
what each kind of job leaves. `bench_console.py CUSTOMERS` makes one of another size, `bench_console.py CUSTOMERS FOLDER` in a folder that
stays, or takes what is there; `bench_console.py CUSTOMERS FOLDER WORDS` asks only for pages whose names hold the words.

The server is the one that `rekindle serve` starts, with one address more: the console's frame around nothing, for whoever is signed in. One
admin, who may see people, asks for each page in turns with the bare one, after one look that fills what is kept. A page that answers with
another status than is expected is an error. What a page takes as the very first of a server that has just started, and after everything was
published anew, is printed beside; no limit is for these.
"""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import bench_pages
import console_pages
import console_questions
import console_store
import store_in_use
from console_pages import Look, Page

from rekindle.cli import serving
from rekindle.cli.serving import _application

LIMIT, TIMES = 0.5, 10.0
"""Seconds that the 95th percentile may take, and how many times the bare page's."""

CUSTOMERS, TURNS = 1_000_000, 40
BARE = Look("/console/bare")
FRAME = '{% extends "console/base.html" %}{% block title %}Bare{% endblock %}{% block heading %}Bare{% endblock %}'
SESSION, FORM = "rekindle_console", "rekindle_form"
PUBLISHED = ("insight", "journal", "diagnosis", "segments", "learn", "plans", "offers")
"""Below `var`, the folders of what pages read."""


def tell(folder: Path) -> dict[str, Any]:
    """Every page and how to ask for it, and the sessions of those who ask: an admin who may see people, and an editor who may not."""
    held = store_in_use.use(folder)
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from tests.service.console.operators import ready, signed_in

    from rekindle.service.config.web import application
    from rekindle.service.console.roles import Role

    application(held)
    who = {"admin": ready(Role.ADMIN, privacy=True), "editor": ready(Role.EDITOR)}
    RecoveryCodes.activate(who["admin"])
    sessions = {name: signed_in(one).cookies[SESSION].value for name, one in who.items()}
    return {"pages": [asdict(page) for page in (*console_pages.pages(), *console_questions.questions())], **sessions}


def with_bare_page(root: Path) -> Any:  # noqa: ANN401  what granian calls
    """What `serve` serves, and one address more."""
    served = _application(root)
    from django.http import HttpRequest, HttpResponse
    from django.template import engines
    from django.urls import path

    from rekindle.service.config.urls import urlpatterns
    from rekindle.service.console.roles import Role, may

    frame = engines["django"].from_string(FRAME)

    @may(Role.VIEWER)
    def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse(frame.render({}, request))

    urlpatterns.insert(0, path(BARE.address.removeprefix("/"), bare))
    return served


def serve(folder: Path, port: int) -> None:
    """The server of `rekindle serve`, until it is stopped."""
    serving._application = with_bare_page
    serving._web(folder, bench_pages.HERE, port, 4)


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """A server that has just started; its port."""
    with socket.socket() as probe:
        probe.bind((bench_pages.HERE, 0))
        port = probe.getsockname()[1]
    running = subprocess.Popen([sys.executable, __file__, "serve", str(folder), str(port)])
    try:
        bench_pages.wait_for(port)
        yield port
    finally:
        running.terminate()
        running.wait()


@dataclass
class Visit:
    """Somebody who is signed in.

    Args:
        connection: To the server.
        cookies: As the browser would send them.
        token: That forms carry.
    """

    connection: http.client.HTTPConnection
    cookies: str
    token: str = ""

    def look(self, one: Look) -> tuple[int, float]:
        """The status of a page, and the seconds that it took."""
        body = "" if one.fields is None else urlencode({**one.fields, "csrfmiddlewaretoken": self.token})
        headers = {"Cookie": self.cookies, "Content-Type": "application/x-www-form-urlencoded"}
        headers |= {"HX-Request": "true"} if one.piece else {}
        begun = time.perf_counter()
        self.connection.request("GET" if one.fields is None else "POST", one.address, body, headers)
        answer = self.connection.getresponse()
        page = answer.read().decode(errors="replace")
        seconds = time.perf_counter() - begun
        if found := re.search(r'csrfmiddlewaretoken" value="(\w+)"', page):
            self.token = found[1]
        if given := re.search(rf"{FORM}=\w+", answer.headers.get("Set-Cookie", "")):
            self.cookies = f"{self.cookies.partition(';')[0]}; {given[0]}"
        return answer.status, seconds

    def elsewhere(self, port: int) -> "Visit":
        """The same at another server of the store."""
        return replace(self, connection=http.client.HTTPConnection(bench_pages.HERE, port))


def measured(visit: Visit, page: Page) -> dict[str, Any]:
    """A page's 95th percentile beside the bare page's, and the answers that were not expected."""
    looks = cycle(page.looks)
    visit.connection.close()  # the server has closed it where nobody asked for long; the next look opens it anew
    warm = visit.look(page.looks[-1])[0]
    mine, bare, statuses = [], [], {warm}
    for one in islice(looks, TURNS):
        status, seconds = visit.look(one)
        statuses.add(status)
        mine.append(seconds)
        bare.append(visit.look(BARE)[1])
    late, plain = (statistics.quantiles(times, n=20)[18] * 1e3 for times in (mine, bare))
    wrong = sorted(statuses - {page.status})
    return {"page": page.name, "p95_ms": round(late, 1), "bare_ms": round(plain, 1), "times": round(late / plain, 1), "wrong": wrong}


def first(folder: Path, visit: Visit, page: Page) -> dict[str, float]:
    """Milliseconds of a page as the first of a server, and as the first after everything was published anew."""
    with server(folder) as port:
        here = visit.elsewhere(port)
        started = here.look(page.looks[0])[1]
        for name in PUBLISHED:
            for path in sorted((folder / "var" / name).rglob("*")):  # what is made of the profiles comes after them
                os.utime(path)
        anew = here.look(page.looks[-1])[1]
    return {"first_ms": round(started * 1e3), "published_ms": round(anew * 1e3)}


def main(customers: int, folder: Path, words: str) -> None:
    """Prints one JSON line a page; fails where a page is later than it may be, or is none."""
    if not (folder / "rekindle.toml").exists():
        subprocess.run([sys.executable, __file__, "fill", str(folder), str(customers)], check=True)
    asked = subprocess.run([sys.executable, __file__, "tell", str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(asked.stdout)
    pages = [Page(**{**one, "looks": tuple(Look(**look) for look in one["looks"])}) for one in told["pages"] if words in one["name"]]
    with server(folder) as port:
        visits = [Visit(http.client.HTTPConnection(bench_pages.HERE, port), f"{SESSION}={told[who]}") for who in ("admin", "editor")]
        for visit in visits:
            visit.look(Look("/console/customers"))  # its form has the token
        found = [measured(visits[page.masked], page) for page in pages]
    for page, row in sorted(zip(pages, found, strict=True), key=lambda one: -one[1]["p95_ms"]):
        print(json.dumps(row | first(folder, visits[page.masked], page)), flush=True)
    late = [one["page"] for one in found if one["p95_ms"] > LIMIT * 1e3 or one["times"] > TIMES]
    wrong = [f"{one['page']} {one['wrong']}" for one in found if one["wrong"]]
    said = [f"{words}: {', '.join(those)}" for words, those in (("late", late), ("not as expected", wrong)) if those]
    sys.exit("\n".join(said) or 0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # operators are made as the tests make them
    match sys.argv[1:]:
        case ["fill", folder, customers]:
            console_store.fill(Path(folder), int(customers))
        case ["tell", folder]:
            print(json.dumps(tell(Path(folder))))
        case ["serve", folder, port]:
            serve(Path(folder), int(port))
        case [customers, folder, *words]:
            main(int(customers), Path(folder), " ".join(words))
        case rest:
            with tempfile.TemporaryDirectory() as name:
                main(int(rest[0]) if rest else CUSTOMERS, Path(name), "")
