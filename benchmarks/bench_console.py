"""How soon every page of the console answers on a large store, beside a bare page of the same server.

`python benchmarks/bench_console.py` makes a store of a million customers (a number behind it: of so many), with contacts of all and a plan
of all programs in its outbox. The server is the one that `rekindle serve` starts, with one address more: the console's frame around
nothing, for whoever is signed in. One admin, who may see people, asks for each page in turns with the bare one.
"""

import http.client
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import bench_pages
import big_store
import store_in_use

LIMIT, TIMES = 0.5, 10.0
"""Seconds that the 95th percentile may take, and how many times the bare page's."""

CUSTOMERS, TURNS, CHUNK = 1_000_000, 30, 50_000
BARE = "console/bare"
FRAME = '{% extends "console/base.html" %}{% block title %}Bare{% endblock %}{% block heading %}Bare{% endblock %}'
SESSION, FORM = "rekindle_console", "rekindle_form"
SEARCH = "a customer by e-mail"


def fill(folder: Path, customers: int) -> None:
    """Makes the store: history, contacts, and one run of the main job but for sending."""
    begun = time.perf_counter()
    big_store.make(folder, customers)
    held = store_in_use.use(folder)
    from rekindle import moment
    from rekindle.history.warehouse import open_history
    from rekindle.moment import parse_as_of
    from rekindle.service.flow import cycle, documents, insights, learning, planning, rhythm, segments
    from rekindle.service.people.actions import record_contacts

    as_of, now = parse_as_of(big_store.AS_OF, "UTC"), moment.now()
    with open_history(held.history, held.root) as warehouse:
        people = warehouse.table("people")
        rows = warehouse.arrow(people.select(people.customer_id, email=people.customer_id + "@people.example").order_by("customer_id"))
        for start in range(0, rows.num_rows, CHUNK):
            part = rows.slice(start, CHUNK)
            record_contacts(part.append_column("email_consent", [[True] * part.num_rows]), now)
        cycle.close_cycle(held, warehouse, now)
        approved = documents.approved(held)
        built, _ = insights.profiles(held, warehouse, as_of)
        segments.note(held, warehouse, as_of, built.table)
        rhythm.freeze(held, warehouse, approved, as_of)
        planned = planning.make(held, warehouse, built, approved, as_of)
        touches = planning.commit(held, warehouse, planned, built, approved)
        learning.learn(held, warehouse, approved, as_of)
    print(f"{customers:,} customers, {touches:,} messages: made in {time.perf_counter() - begun:.0f} s")


def addresses(folder: Path) -> dict[str, str]:
    """Every page of the console that only looks, by its name; of a page about one thing, the first there is."""
    store = store_in_use.use(folder)
    from django.urls import NoReverseMatch, reverse

    from rekindle.service.console import urls
    from rekindle.service.flow import documents
    from rekindle.service.outbox.models import Plan, Touch
    from rekindle.service.people.models import Person

    one: dict[str, object] = {
        "plan-one": Plan.objects.latest("pk").pk, "customers-one": Person.objects.order_by("pk")[5_000 % Person.objects.count()].pk,
        "programs-one": "win-back", "messages-one": Touch.objects.latest("pk").pk,
        "segments-one": documents.approved(store).segments[0].name, "documents-edit": "rules.yaml", "documents-versions": "rules.yaml",
    }
    found = {}
    for pattern in urls.urlpatterns:
        name = getattr(pattern, "name", None)
        if not name or name.startswith(("account", "mfa")):
            continue
        try:
            found[name] = reverse(name, args=[one[name]] if name in one else [])
        except NoReverseMatch:
            continue
    return {**found, SEARCH: f"{one['customers-one']}@people.example"}


def signed_in(folder: Path) -> str:
    """The session of an admin who may see people."""
    store_in_use.use(folder)
    from tests.service.console.operators import ready, signed_in

    from rekindle.service.config.web import application
    from rekindle.service.console.roles import Role

    application(store_in_use.use(folder))
    return signed_in(ready(Role.ADMIN, privacy=True)).cookies[SESSION].value


def with_bare_page(root: Path) -> Any:  # noqa: ANN401  what granian calls
    """What `serve` serves, and one address more."""
    from rekindle import settings
    from rekindle.service.config.web import application

    served = application(settings.load(root))
    from django.http import HttpRequest, HttpResponse
    from django.template import engines
    from django.urls import path

    from rekindle.service.config.urls import urlpatterns
    from rekindle.service.console.roles import Role, may

    frame = engines["django"].from_string(FRAME)

    @may(Role.VIEWER)
    def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse(frame.render({}, request))

    urlpatterns.insert(0, path(BARE, bare))
    return served


def serve(folder: Path, port: int) -> None:
    """The server of `rekindle serve`, until it is stopped."""
    from rekindle.cli import serving

    serving._application = with_bare_page
    serving._web(folder, bench_pages.HERE, port, 4)


@dataclass
class Visit:
    """A connection of one who is signed in.

    Args:
        connection: To the server.
        cookies: As the browser would send them.
        token: That forms carry.
    """

    connection: http.client.HTTPConnection
    cookies: str
    token: str = ""

    def get(self, address: str) -> tuple[int, float]:
        """The status of a page, and the seconds that it took."""
        return self._timed("GET", address, "")

    def post(self, address: str, **fields: str) -> tuple[int, float]:
        """The same of a form."""
        return self._timed("POST", address, urlencode({**fields, "csrfmiddlewaretoken": self.token}))

    def _timed(self, method: str, address: str, body: str) -> tuple[int, float]:
        headers = {"Cookie": self.cookies, "Content-Type": "application/x-www-form-urlencoded"}
        begun = time.perf_counter()
        self.connection.request(method, address, body, headers)
        answer = self.connection.getresponse()
        page = answer.read().decode(errors="replace")
        seconds = time.perf_counter() - begun
        if found := re.search(r'csrfmiddlewaretoken" value="(\w+)"', page):
            self.token = found[1]
        if given := re.search(rf"{FORM}=\w+", answer.headers.get("Set-Cookie", "")):
            self.cookies = f"{self.cookies.partition(';')[0]}; {given[0]}"
        return answer.status, seconds


def measured(port: int, name: str, address: str, session: str) -> dict[str, Any]:
    """A page's 95th percentile beside the bare page's, after one look that fills what is kept."""
    visit = Visit(http.client.HTTPConnection(bench_pages.HERE, port), f"{SESSION}={session}")
    looks = {"who": address} if name == SEARCH else {}
    visit.get("/console/customers" if looks else address)
    mine, bare, status = [], [], 0
    for _ in range(TURNS):
        status, seconds = visit.post("/console/customers", **looks) if looks else visit.get(address)
        mine.append(seconds)
        bare.append(visit.get(f"/{BARE}")[1])
    late, plain = (statistics.quantiles(times, n=20)[18] * 1e3 for times in (mine, bare))
    visit.connection.close()
    return {"page": name, "status": status, "p95_ms": round(late, 1), "bare_ms": round(plain, 1), "times": round(late / plain, 1)}


def main(customers: int) -> None:
    """Prints one JSON line a page; fails where a page is later than it may be."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, __file__, "fill", name, str(customers)], check=True)
        told = json.loads(subprocess.run([sys.executable, __file__, "tell", name], check=True, capture_output=True, text=True).stdout)
        with socket.socket() as probe:
            probe.bind((bench_pages.HERE, 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen([sys.executable, __file__, "serve", name, str(port)])
        try:
            bench_pages.wait_for(port)
            found = [measured(port, page, address, told["session"]) for page, address in told["pages"].items()]
        finally:
            server.terminate()
            server.wait()
    for one in sorted(found, key=lambda row: -row["p95_ms"]):
        print(json.dumps(one))
    late = [one["page"] for one in found if one["p95_ms"] > LIMIT * 1e3 or one["times"] > TIMES]
    sys.exit(f"late: {', '.join(late)}" if late else 0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # operators are made as the tests make them
    match sys.argv[1:]:
        case ["fill", folder, customers]:
            fill(Path(folder), int(customers))
        case ["tell", folder]:
            print(json.dumps({"pages": addresses(Path(folder)), "session": signed_in(Path(folder))}))
        case ["serve", folder, port]:
            serve(Path(folder), int(port))
        case [customers]:
            main(int(customers))
        case _:
            main(CUSTOMERS)
