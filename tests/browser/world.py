"""A store's pages and a shop of our own behind them, over HTTPS on this machine, and a browser that finds both by their names.
"""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from quopri import decodestring
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rekindle import moment
from rekindle.service.config import use_ledger
from rekindle.service.config.web import application
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.settings import Brand, Handover, Settings
from tests.service.channels.certificates import authority
from tests.service.conftest import NOON, make_store
from tests.service.touches import FACTS, Recorder, plan

CHROMIUM = Path("/usr/bin/chromium")
PAGES, SHOP = "pages.example", "marigold.example"
CODE, LOGO = "7K2MQW9XTB", "/logo.svg"
DRAWN = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='240' height='60'><rect width='240' height='60' rx='12' fill='#8a3b12'/>"
    b"<text x='24' y='40' font-family='sans-serif' font-size='30' fill='#fff'>Marigold</text></svg>"
)
PATIENCE = 60_000
"""Milliseconds that a busy machine may take for a page."""

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
STATED = {
    **FACTS, "first_day": "2024-11-03", "order_number": "M1042", "products": ["Lantern", "Linen lampshade"], "category": "Lighting",
    "offer_kind": "credit", "offer_label": "EUR 5.00 off", "offer_terms": "One order.", "offer_value": "EUR 5.00", "overdue": True,
    "cart": ["Wall lamp", "Glass vase"], "cart_ids": ["wall-lamp", "vase:2"],
    "persona": "premium",
}  # fmt: skip


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: Chromium tries a certificate that it does not know once, and then takes it."""


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *said: object) -> None:  # noqa: A002  the name it is called by
        """Says nothing."""


@contextmanager
def served(app: Callable[..., Any], context: ssl.SSLContext) -> Iterator[int]:
    """The port at which an application is served over HTTPS."""
    with make_server("127.0.0.1", 0, app, _Threads, _Silent) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Shop:
    """The shop that the pages lead to; it remembers what was asked of it."""

    asked: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] == LOGO:
            start("200 OK", [("Content-Type", "image/svg+xml")])
            return [DRAWN]
        self.asked.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<!doctype html><html lang='en'><title>Marigold</title><h1>The shop</h1></html>"]


@dataclass
class World:
    """Everything that a test needs.

    Args:
        store: The store.
        browser: Chromium.
        shop: What is behind the store's pages.
        mails: Customer to the mail they got, its HTML.
    """

    store: Settings
    browser: Browser
    shop: Shop
    mails: dict[str, str]

    @contextmanager
    def page(self, **options: Any) -> Iterator[Page]:
        """A page with nothing in it, in a context of its own."""
        context = self.browser.new_context(ignore_https_errors=True, **options)
        context.set_default_timeout(PATIENCE)
        try:
            yield context.new_page()
        finally:
            context.close()

    def link(self, customer: str, part: str) -> str:
        """The link of a customer's mail that holds a part."""
        addresses = self.mails[customer].split('href="')[1:]
        return next(one for one in (address.partition('"')[0] for address in addresses) if part in one)


@contextmanager
def opened(root: Path) -> Iterator[World]:
    """A world in an empty folder."""
    made = make_store(root / "shop")
    brand = Brand(url=f"https://{SHOP}/", color="#8a3b12", logo=f"https://{SHOP}{LOGO}")
    handover = Handover(url=f"https://{SHOP}/enter", cart_url=f"https://{SHOP}/cart?add={{items}}&code={{code}}")
    store = made.model_copy(update={"handover": handover, "public_url": f"https://{PAGES}/rekindle", "brand": brand})
    shop, app = Shop(), application(store)
    with ExitStack() as held:
        mails = _sent(store)
        ours = held.enter_context(served(app, authority(root / "ours", PAGES)[0]))
        theirs = held.enter_context(served(shop, authority(root / "theirs", SHOP)[0]))
        found = f"--host-resolver-rules=MAP {PAGES}:443 127.0.0.1:{ours}, MAP {SHOP}:443 127.0.0.1:{theirs}"
        yield World(store, held.enter_context(browsing(found)), shop, mails)


@contextmanager
def browsing(*args: str) -> Iterator[Browser]:
    """Chromium, and the ledger beside it.

    Playwright's loop runs in this thread meanwhile. Django has a connection of its own for a thread with a loop, and keeps it: the next
    loop of the thread would find that of this one's ledger.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as play:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=[*QUIET, *args], timeout=PATIENCE)
        try:
            yield browser
        finally:
            browser.close()
            connections[DEFAULT_DB_ALIAS].close()
            del connections[DEFAULT_DB_ALIAS]


LANDINGS = """
pages:
  - for: {persona: premium}
    collection: https://marigold.example/lamps
    words:
      de: {title: "Licht für lange Abende", text: "Leuchten aus unserer Werkstatt.", collection: "Zu den Leuchten"}
"""


def _sent(store: Settings) -> dict[str, str]:
    """What two customers were sent, one of them in Germany."""
    use_ledger(store)
    (store.root / "content").mkdir()
    (store.root / "content" / "landings.yaml").write_text(LANDINGS, encoding="utf-8")
    until = (moment.now() + timedelta(days=9)).date()
    facts = json.dumps({**STATED, "valid_until": until.isoformat()})
    plan(["ada", "grete"], facts=facts, code=CODE, arm="credit", offer="credit_5", stage="reassure", valid_until=until)
    Person.objects.filter(pk="grete").update(locale="de")
    recorder = Recorder()
    send_due(store, NOON, senders={"email": recorder})
    Touch.objects.update(settled_at=moment.now())
    bodies = {message.to.partition("@")[0]: message.wire.partition(b"text/html")[2] for message in recorder.taken}
    return {customer: decodestring(body).decode() for customer, body in bodies.items()}
