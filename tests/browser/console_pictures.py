"""Takes the pictures of docs/console.md: `python -m tests.browser.console_pictures STORE`, of a store that may be thrown away afterwards.

Make one with: rekindle simulate STORE --customers 3000 --months 18 --play-weeks 6, and in it: rekindle diagnose
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit
from wsgiref.simple_server import make_server

from rekindle import settings as store_settings
from rekindle.service.config import configure

configure()

from django.urls import resolve  # noqa: E402  after Django is ready
from playwright.sync_api import Page, ViewportSize  # noqa: E402  after Django is ready

from rekindle.service.config.web import application  # noqa: E402  after Django is ready
from rekindle.service.console.models import Operator  # noqa: E402  after Django is ready
from tests.browser.test_console import Console, first_login  # noqa: E402  after Django is ready
from tests.browser.world import _Silent, _Threads, browsing  # noqa: E402  after Django is ready

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "console"
WINDOW: ViewportSize = {"width": 1280, "height": 800}
SECRET = ("account_", "mfa_")
"""Pages that sign somebody out or show what nobody else may see begin so."""


def main(folder: Path) -> None:
    """Writes the pictures, one of each kind of page that links lead to from the overview."""
    store = store_settings.load(folder)
    app = application(store)
    Operator.objects.all().delete()
    server = make_server("127.0.0.1", 0, app, _Threads, _Silent)
    Thread(target=server.serve_forever, daemon=True).start()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with browsing() as browser:
        console = Console(store, f"http://127.0.0.1:{server.server_port}{store.public_path}/console/", browser)
        console.signed_in = first_login(console)
        with console.page(viewport=WINDOW) as page:
            for name in kinds(page, console.at):
                picture(page, FOLDER / f"{name}.png")
    server.shutdown()


def picture(page: Page, path: Path) -> None:
    """Takes all of a page, in a window as high as it is, so that what sticks to the window's edge reaches from top to bottom."""
    high = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**WINDOW, "height": max(high, WINDOW["height"])})
    page.screenshot(path=path, full_page=True)
    page.set_viewport_size(WINDOW)


def kinds(page: Page, at: str) -> Iterator[str]:
    """Opens one page of each kind, and says the name of its kind, which is that of its address in `urls.py`."""
    seen, waiting = set[str](), [at]
    while waiting:
        address = waiting.pop(0)
        if kind(address, at) in seen | {""}:
            continue
        seen.add(kind(address, at))
        page.goto(address)
        seen.add(kind(page.url, at))
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        waiting += [link.partition("#")[0] for link in links if link.startswith(at)]
        yield kind(page.url, at)


def kind(address: str, at: str) -> str:
    """The name of an address; empty for the records and for what shows secrets."""
    found = resolve("/console/" + urlsplit(address).path.removeprefix(urlsplit(at).path))
    name = "" if found.namespaces else found.url_name or ""
    return "" if name.startswith(SECRET) else name


if __name__ == "__main__":
    main(Path(sys.argv[1]))
