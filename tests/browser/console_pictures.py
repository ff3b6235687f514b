"""Takes the pictures of docs/console.md: `python -m tests.browser.console_pictures STORE`, of a store that may be thrown away afterwards.

Make one with: rekindle simulate STORE --customers 3000 --months 18 --play-weeks 6
"""

import os
import sys
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import make_server

from rekindle import settings as store_settings
from rekindle.service.config import configure

configure()

from playwright.sync_api import sync_playwright  # noqa: E402  after Django is ready

from rekindle.service.config.web import application  # noqa: E402  after Django is ready
from rekindle.service.console.models import Operator  # noqa: E402  after Django is ready
from rekindle.service.console.shell import NAVIGATION  # noqa: E402  after Django is ready
from tests.browser.test_console import Console, first_login  # noqa: E402  after Django is ready
from tests.browser.world import CHROMIUM, PATIENCE, QUIET, _Silent, _Threads  # noqa: E402  after Django is ready

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "console"
WINDOW = {"width": 1280, "height": 800}
FIRST_OF = {"customers": "customer", "programs": "program", "segments": "segment", "messages": "message"}
"""Lists whose first entry has a picture of its own, by its name."""


def main(folder: Path) -> None:
    """Writes the pictures."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop is in this thread
    store = store_settings.load(folder)
    app = application(store)
    Operator.objects.all().delete()
    server = make_server("127.0.0.1", 0, app, _Threads, _Silent)
    Thread(target=server.serve_forever, daemon=True).start()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=[*QUIET], timeout=PATIENCE)
        console = Console(store, f"http://127.0.0.1:{server.server_port}{store.public_path}/console/", browser)
        console.signed_in = first_login(console)
        with console.page(viewport=WINDOW) as page:
            for name in (*(entry.name for entry in NAVIGATION), "plan", "start/contacts"):
                page.goto(console.at + ("" if name == "overview" else name))
                page.screenshot(path=FOLDER / f"{name.replace('/', '-')}.png")
                if name in FIRST_OF:
                    page.locator("main table a, main .todo a").first.click()
                    page.wait_for_load_state()
                    page.screenshot(path=FOLDER / f"{FIRST_OF[name]}.png")
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
