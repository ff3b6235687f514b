"""What operators do with the console: from the first link to an approved program and a sent message, in a real browser.

And every page of it: in light and dark, on a narrow phone, by keyboard alone, with scripts off.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from wsgiref.simple_server import make_server

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from rekindle import moment
from rekindle import settings as store_settings
from rekindle.service.config import use_ledger
from rekindle.service.config.web import application
from rekindle.service.console import actions, clerk
from rekindle.service.console.shell import NAVIGATION
from rekindle.service.flow import documents
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import SENT, Plan, Touch
from rekindle.settings import Settings
from tests.browser.conftest import chromium
from tests.browser.first_hour import code
from tests.browser.world import PATIENCE, STATED, _Silent, _Threads, browsing
from tests.service.conftest import NOON
from tests.service.console.operators import PASSWORD
from tests.service.console.test_overview import HASH, publish
from tests.service.live import go_live
from tests.service.touches import Recorder, plan

ADA = "ada@marigold.example"
LONG = 300_000
"""Milliseconds that a busy machine may take for a command."""

TOML = """
name = "Marigold"
public_url = "https://marigold.example"
[brand]
url = "https://marigold.example"
[sender]
email = "hello@marigold.example"
postal_address = "12 Garden Row, Bristol"
[senders]
email = "smtp"
[smtp]
host = "127.0.0.1"
port = 2525
security = "none"
"""


@dataclass
class Console:
    """A store that is live, its console, and a browser in which the first operator has signed in."""

    store: Settings
    at: str
    browser: Browser
    signed_in: Any = None

    @contextmanager
    def page(self, **options: Any) -> Iterator[Page]:
        """A page of a window of its own."""
        context: BrowserContext = self.browser.new_context(storage_state=self.signed_in, **options)
        context.set_default_timeout(PATIENCE)
        try:
            yield context.new_page()
        finally:
            context.close()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    chromium()
    root = tmp_path_factory.mktemp("console") / "shop"
    root.mkdir()
    (root / "rekindle.toml").write_text(TOML, encoding="utf-8")
    store = store_settings.load(root)
    use_ledger(store)
    go_live(store)
    until = (moment.now() + timedelta(days=9)).date()
    stated = json.dumps({**STATED, "valid_until": until.isoformat()})
    plan(["ada", "grace"], HASH, facts=stated, code="7K2MQW9XTB", arm="credit", offer="credit_5", stage="reassure", valid_until=until)
    path, owner = root / "programs" / "win-back.yaml", "owner: Grace"
    path.write_text(re.sub(r"^owner: .*$", owner, path.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    documents.submit(store, moment.now())
    stop = Event()
    with ExitStack() as held:
        server = held.enter_context(make_server("127.0.0.1", 0, application(store), _Threads, _Silent))
        for target in (server.serve_forever, lambda: clerk.attend(store, stop, print, 0.2)):
            thread = Thread(target=target)
            thread.start()
            held.callback(thread.join)
        held.callback(stop.set)
        held.callback(server.shutdown)
        found = Console(store, f"http://127.0.0.1:{server.server_port}/console/", held.enter_context(browsing()))
        found.signed_in = first_login(found)
        yield found


def first_login(console: Console) -> Any:
    """The first operator chooses a password, signs in and sets up the second factor; the browser's state then."""
    token = actions.first_link(moment.now())
    with console.page() as page:
        page.goto(f"{console.at}account/welcome/{token}")
        assert troubles(page) == []
        page.get_by_label("Your e-mail address").fill(ADA)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        assert troubles(page) == []
        page.locator("[name=login]").fill(ADA)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Set up your second factor")
        assert troubles(page) == []
        secret = page.locator("code").inner_text()
        page.locator("[name=code]").fill(code(secret))
        page.get_by_role("button", name="Turn it on").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
        assert troubles(page) == []
        page.get_by_role("link", name="I have kept them").click()
        page.wait_for_load_state()
        return page.context.storage_state()


def troubles(page: Page, *rules: str) -> list[tuple[str, list[object]]]:
    """What axe finds on a page, by some of its rules or by all."""
    found = Axe().run(page, options={"runOnly": list(rules)} if rules else {}).response["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]


def wide(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def test_from_a_version_that_waits_to_an_approved_program_and_a_sent_message(console: Console) -> None:
    with console.page() as page:
        page.goto(f"{console.at}documents")
        page.get_by_role("link", name="Look and approve").click()
        expect(page.locator("main")).to_contain_text("owner: Grace")
        page.get_by_role("button", name="Approve this version").click()
        page.wait_for_url(re.compile("/documents$"), timeout=LONG)  # the job's page follows it, and leads on when it is done
        assert "Grace" in {one.owner for one in documents.approved(console.store).programs}
        publish(console.store)
        page.goto(console.at)
        expect(page.locator(".lede")).to_contain_text("2 messages await you")
        page.get_by_role("link", name="Review proposal", exact=True).click()
        page.get_by_label("How many messages leave").fill("3")
        page.get_by_role("button", name="Yes, send them").click()
        expect(page.get_by_role("alert")).to_contain_text("3 was typed")
        page.get_by_label("How many messages leave").fill("2")
        page.get_by_role("button", name="Yes, send them").click()
        expect(page.get_by_role("status")).to_contain_text("2 messages leave when they are due")
        assert Plan.objects.get().approved_by == ADA
        recorder = Recorder()
        send_due(console.store, NOON, senders={"email": recorder})
        assert len(recorder.taken) == Touch.objects.filter(status=SENT).count() == 2
        page.goto(f"{console.at}messages")
        expect(page.locator("main")).to_contain_text("Sent 2")


LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "tablet": {"viewport": {"width": 900, "height": 800}},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True},
}
NARROW = ("tablet", "phone")
AXE = {"dark": ("color-contrast",)}
"""Of a look that changes the colours alone, the rules that look at them; what a narrow window changes, axe does not see."""

PAGES = (*(entry.name for entry in NAVIGATION if entry.name != "overview"), "plan", "start/contacts", "account/second", "documents")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_read_by_everybody(console: Console, look: str) -> None:
    said: list[str] = []
    with console.page(**LOOKS[look]) as page:
        page.on("console", lambda message: said.append(message.text))
        for name in ("", *PAGES):
            answer = page.goto(console.at + name)
            assert answer is not None
            assert answer.status == 200, name
            assert wide(page) == 0, name
            assert look in NARROW or troubles(page, *AXE.get(look, ())) == [], name
    assert said == [], "no script, style or picture was refused"


RECORDS = ("records/", "records/outbox/", "records/outbox/touch/", "records/outbox/touch/{touch}/change/")


@pytest.mark.parametrize("look", LOOKS)
def test_raw_records_can_be_read_by_everybody(console: Console, look: str) -> None:
    with console.page(**LOOKS[look]) as page:
        for name in RECORDS:
            answer = page.goto(console.at + name.format(touch=Touch.objects.first().pk))  # type: ignore[union-attr]  # there are two
            assert answer is not None
            assert answer.status == 200, name
            assert wide(page) == 0, name
            assert look in NARROW or troubles(page) == [], name


def test_every_page_can_be_read_with_scripts_off(console: Console) -> None:
    with console.page(java_script_enabled=False) as page:
        for name in ("", *PAGES):
            answer = page.goto(console.at + name)
            assert answer is not None
            assert answer.status == 200, name
            expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_keyboard_alone_leads_from_the_overview_to_the_proposal(console: Console) -> None:
    publish(console.store)
    with console.page() as page:
        page.goto(console.at)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Review proposal"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus can be seen"
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/plan/"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("message")


def test_the_files_of_the_console_are_ours_and_kept(console: Console, tmp_path: Path) -> None:
    with console.page() as page:
        answers: dict[str, Any] = {}
        page.on("response", lambda answer: answers.setdefault(answer.url, answer))
        page.goto(console.at)
        files = {url: answer for url, answer in answers.items() if "/files/" in url}
    assert {url.partition("?")[0].rpartition("/")[2] for url in files} == {"console.css", "htmx-2.min.js"}
    assert all(url.startswith(console.at) for url in files)
    assert {answer.headers["cache-control"] for answer in files.values()} == {"max-age=31536000, public"}


def test_who_signs_out_is_out(console: Console) -> None:
    with console.page(java_script_enabled=False) as page:
        page.goto(f"{console.at}start/contacts")
        page.get_by_role("button", name="Sign out").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto(console.at)
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
