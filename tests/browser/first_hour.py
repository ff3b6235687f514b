"""A shop of our own that begins with the console: two files, a store without anything, and `rekindle serve` in earnest beside a browser."""

import csv
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page

from tests.browser.world import PATIENCE, browsing

EMAIL = "ada@marigold.example"
CUSTOMERS = 160
LINK = re.compile(r"http://\S+/account/welcome/\S+")
SECONDS = 120.0
"""What a busy machine may take to serve."""


def code(secret: str) -> str:
    """What the app on a phone shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def write_files(folder: Path) -> tuple[Path, Path]:
    """Orders under names of the shop's own, and contacts who agreed."""
    rng, today = np.random.default_rng(5), date.today()
    orders = [row for number in range(CUSTOMERS) for row in _orders_of(number, rng, today)]
    orders_at, contacts_at = folder / "orders.csv", folder / "contacts.csv"
    with orders_at.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Bestellung", "Kundin", "Tag", "Summe"), *sorted(orders, key=lambda row: row[2])])
    people = [(f"k{number}", f"k{number}@people.example", "Ada", "true", "2025-01-01T00:00:00Z", "form") for number in range(CUSTOMERS)]
    head = ("customer_id", "email", "first_name", "email_consent", "consent_at", "consent_source")
    with contacts_at.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *people])
    return orders_at, contacts_at


def _orders_of(number: int, rng: np.random.Generator, today: date) -> Iterator[tuple[str, str, str, float]]:
    day, last = (today - timedelta(days=int(days)) for days in (rng.integers(220, 700), rng.integers(5, 220)))
    apart, made = float(rng.uniform(25, 70)), 0
    while day < last:
        made += 1
        yield f"B{number}-{made}", f"k{number}", day.isoformat(), round(float(rng.uniform(15, 120)), 2)
        day += timedelta(days=max(1, int(rng.exponential(apart))))


@dataclass
class Console:
    """What is served, and the browser before it.

    Args:
        root: The store's folder.
        at: Where the console begins.
        welcome: The link that sets it up, once.
        browser: Chromium.
        page: The page of who set it up.
    """

    root: Path
    at: str
    welcome: str
    browser: Browser
    page: Page

    @contextmanager
    def another(self, **options: Any) -> Iterator[Page]:
        """A page of the same operator in a window of its own."""
        context = self.browser.new_context(storage_state=self.page.context.storage_state(), **options)
        context.set_default_timeout(PATIENCE)
        try:
            yield context.new_page()
        finally:
            context.close()


@contextmanager
def serving(folder: Path) -> Iterator[Console]:
    """A store of which nobody is an operator yet, served until the end."""
    root = folder / "shop"
    rekindle = [sys.executable, "-m", "rekindle"]
    subprocess.run([*rekindle, "init", str(root), "--currency", "EUR"], check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    said = folder / "said.txt"
    with ExitStack() as held:
        out = held.enter_context(said.open("w", encoding="utf-8"))
        server = subprocess.Popen([*rekindle, "--store", str(root), "serve", "--port", port], stdout=out, stderr=out)
        held.callback(server.wait)
        held.callback(server.terminate)
        welcome = _link(said, server)
        browser = held.enter_context(browsing())
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        yield Console(root, welcome.partition("account/")[0], welcome, browser, context.new_page())


def _link(said: Path, server: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        if found := LINK.search(said.read_text(encoding="utf-8")):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(said.read_text(encoding="utf-8"))
