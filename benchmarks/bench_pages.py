"""How fast pages and answers come, beside a bare view of the same server: `python benchmarks/bench_pages.py`.

The server is the one that `rekindle serve` starts, with one address more, which answers two letters. That one goes the way of every page of
Django's; the three that are measured go a shorter one. The load comes from another process over connections that stay open, for customers
and codes of whom no two in a row are alike. Each is asked in turns with the bare view: first as often as it can, then on a clock at half of
that, where an answer's time counts from the instant at which it was to be asked.
"""

import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.http import HttpRequest, HttpResponse
from django.urls import path

from rekindle import moment
from rekindle.service.config import configure, load_ring, use_ledger
from rekindle.settings import Settings

RATE, SLOWER = 0.5, 5.0
"""At least this share of the bare view's answers a second, and at most this many times its 99th percentile at half load."""

CUSTOMERS, KEYS, CONNECTIONS, TURNS, SECONDS = 1_000, 300, 8, 3, 3.0
"""A key may ask so often a minute and no more, so that there are many."""

HERE = "127.0.0.1"


def bare(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  Django's way of calling
    """The least that the server can be asked for."""
    return HttpResponse("ok")


def with_bare_view(root: Path) -> Any:  # noqa: ANN401  what granian calls
    """What `serve` serves, and one address more."""
    from rekindle import settings
    from rekindle.service.config.web import application

    served = application(settings.load(root))
    from rekindle.service.config.urls import urlpatterns

    urlpatterns.append(path("bare", bare))
    return served


def serve(root: Path, port: int) -> None:
    """The server of `rekindle serve`, until it is stopped."""
    from rekindle.cli import serving

    serving._application = with_bare_view
    serving._web(root, HERE, port, 4)


def fill(root: Path) -> dict[str, list[bytes]]:
    """Makes a store with customers, codes, links and keys; what is asked, by name."""
    (root / "rekindle.toml").write_text("", encoding="utf-8")
    store = Settings(root=root)
    configure()
    use_ledger(store)
    from rekindle.deliver.links import Claim, sign
    from rekindle.deliver.short_links import Link, shorten
    from rekindle.service.api import actions
    from rekindle.service.links.actions import number_of

    names = [f"c{number:05}" for number in range(CUSTOMERS)]
    codes = customers_with_codes(names)
    clicks, choose = load_ring(store.var, "clicks"), load_ring(store.var, "preferences")
    shop = number_of("https://shop.example/new")
    keys = [actions.create("bench", ["coupons"], moment.now()) for _ in range(KEYS)]
    order = {"currency": "EUR", "lines": [{"product": "p1", "category": "Lighting", "amount": 5000}]}
    return {
        "bare view": [asking("GET", "/bare")],
        "click redirect": [asking("GET", f"/c/{shorten(clicks, Link(number + 1, shop))}") for number in range(CUSTOMERS)],
        "coupon validation": [
            asking("POST", f"/v1/coupons/{code}/validate", keys[number % KEYS], json.dumps({"customer": f"shop-{number}", **order}))
            for number, code in enumerate(codes)
        ],
        "preference page": [asking("GET", f"/preferences/{sign(choose, Claim(name, 'email-marketing'))}") for name in names],
    }


def customers_with_codes(names: list[str]) -> list[str]:
    """Customers who agreed, each with a message that was sent and the code in it; the codes."""
    from tests.service.touches import touches

    from rekindle.service.outbox import actions as outbox
    from rekindle.service.outbox.models import Touch
    from rekindle.service.people.actions import record_contacts
    from rekindle.service.redemptions.models import Coupon

    now, size = moment.now(), len(names)
    consents = {"email_consent": [True] * size, "consent_at": [now - timedelta(days=9)] * size}
    ids = {"customer_id": names, "source": ["shop"] * size, "external_id": [f"shop-{number}" for number in range(size)]}
    record_contacts(pa.table({**ids, "email": [f"{one}@people.example" for one in names], **consents}), now - timedelta(days=9))
    with_wishes(names, now)
    codes = [f"C0DE{number:06}" for number in range(size)]
    outbox.insert_touches("plan1", touches(names, stage="tailor", code=codes))
    outbox.ready("plan1")
    Touch.objects.update(status="sent", settled_at=now)
    Coupon.objects.bulk_create(
        Coupon(
            code=code, customer_id=name, plan="plan1", program="win-back", episode="o1", stage="tailor", offer="percent_10", kind="percent",
            label="10 % off", currency="EUR", percent=0.1, price=True, last_day=now.date() + timedelta(days=30),
        )
        for code, name in zip(codes, names, strict=True)
    )  # fmt: skip
    return codes


def with_wishes(names: list[str], at: datetime) -> None:
    """A third of the customers wants something of their own, a third refuses a topic, a tenth pauses: no two pages in a row are alike."""
    from rekindle.service.people.models import Consent, Person

    Person.objects.filter(pk__in=names[::3]).update(stated_hour=18, monthly=2, stated_channel="email", birthday="2000-02-29", locale="de")
    told = {"channel": "all", "basis": "objection", "source": "preference page", "recorded_at": at - timedelta(days=2)}
    paused = {**told, "basis": "consent", "expires_at": at + timedelta(days=30)}
    Consent.objects.bulk_create(Consent(customer_id=name, purpose="topic:occasions", granted=False, **told) for name in names[1::3])
    Consent.objects.bulk_create(Consent(customer_id=name, purpose="pause", granted=True, **paused) for name in names[5::10])


def asking(method: str, address: str, key: str = "", body: str = "") -> bytes:
    """A request as it goes over the wire."""
    more = f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {address} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0\r\n{more}\r\n{body}".encode()


class Load:
    """Connections to the server, and what they waited.

    Args:
        requests: What is asked, one after another.
        port: The server's.
    """

    def __init__(self, requests: list[bytes], port: int) -> None:
        self.requests: Iterator[bytes] = cycle(requests)
        self.port, self.waited = port, list[float]()

    async def one(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], since: float) -> None:
        """Asks once; an answer that is none ends the benchmark."""
        reader, writer = streams
        writer.write(next(self.requests))
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        if status not in (200, 302):
            raise RuntimeError(f"answered {status}")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2])
        if b"content-length" in fields:
            await reader.readexactly(int(fields[b"content-length"]))
        elif fields.get(b"transfer-encoding") == b"chunked":
            while (size := int(await reader.readline(), 16)) or await reader.readline() != b"\r\n":
                await reader.readexactly(size + 2)
        self.waited.append(time.perf_counter() - since)

    async def run(self, seconds: float, every: float = 0.0) -> None:
        """Asks for so long: each connection as soon as it is answered, or all together once in so many seconds."""
        begun = time.perf_counter()
        turns = iter(range(sys.maxsize))

        async def connection() -> None:
            streams = await asyncio.open_connection(HERE, self.port)
            while (now := time.perf_counter()) < begun + seconds:
                since = begun + next(turns) * every if every else now
                if since > now:
                    await asyncio.sleep(since - now)
                await self.one(streams, since)
            streams[1].close()

        await asyncio.gather(*(connection() for _ in range(CONNECTIONS * (4 if every else 1))))


def generate(port: int) -> None:
    """The process that asks: reads (requests, every) as lines, says answers a second and the 99th percentile."""
    held: dict[str, list[bytes]] = {name: [one.encode() for one in many] for name, many in json.loads(sys.stdin.readline()).items()}
    for line in sys.stdin:
        name, every = json.loads(line)
        load = Load(held[name], port)
        asyncio.run(load.run(SECONDS, every))
        print(json.dumps([len(load.waited) / SECONDS, statistics.quantiles(load.waited, n=100)[98]]), flush=True)


def measured(ask: Callable[[str, float], tuple[float, float]], name: str) -> bool:
    """Asks for something and the bare view in turns, says both, and whether both limits are kept."""
    rates, waits = [], []
    for _ in range(TURNS):
        mine, theirs = ask(name, 0.0)[0], ask("bare view", 0.0)[0]
        rates.append((mine, theirs))
        waits.append((ask(name, 2 / mine)[1], ask("bare view", 2 / theirs)[1]))
    share = statistics.median(mine / theirs for mine, theirs in rates)
    slower = statistics.median(mine / theirs for mine, theirs in waits)
    (rate, plain), (wait, plain_wait) = (tuple(map(statistics.median, zip(*many, strict=True))) for many in (rates, waits))
    print(f"{name:18} {rate:6.0f} a second, bare view {plain:6.0f}: {share:5.1%} (at least {RATE:.0%})")
    print(f"{'':18} p99 at half load {wait * 1e3:6.1f} ms, bare view {plain_wait * 1e3:6.1f} ms: {slower:.1f} times (at most {SLOWER:.0f})")
    return share >= RATE and slower <= SLOWER


def main() -> None:
    """Starts server and load, and measures."""
    with tempfile.TemporaryDirectory() as folder:
        requests = fill(Path(folder))
        with socket.socket() as probe:
            probe.bind((HERE, 0))
            port = str(probe.getsockname()[1])
        server = subprocess.Popen([sys.executable, __file__, "serve", folder, port])
        load = subprocess.Popen([sys.executable, __file__, "load", port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert load.stdin is not None
        assert load.stdout is not None

        def tell(said: object) -> None:
            load.stdin.write(json.dumps(said) + "\n")
            load.stdin.flush()

        def ask(name: str, every: float) -> tuple[float, float]:
            tell([name, every])
            rate, wait = json.loads(load.stdout.readline())
            return rate, wait

        try:
            wait_for(int(port))
            tell({name: [one.decode() for one in many] for name, many in requests.items()})
            kept = [measured(ask, name) for name in requests if name != "bare view"]
        finally:
            load.terminate()
            server.terminate()
            server.wait()
    sys.exit(not all(kept))


def wait_for(port: int) -> None:
    """Returns when somebody listens."""
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((HERE, port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # touches are made as the tests make them
    match sys.argv[1:]:
        case ["serve", root, port]:
            serve(Path(root), int(port))
        case ["load", port]:
            generate(int(port))
        case _:
            main()
