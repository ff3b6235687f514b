"""A founder's first hour with the console, in earnest: from the first sign-in to a program with their yes and a message that went."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import chromium
from tests.browser.first_hour import EMAIL, Console, code, serving, write_files
from tests.browser.test_pages import tab_to, wide
from tests.service.console.operators import PASSWORD

pytestmark = pytest.mark.long

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
MINUTES = 600_000
"""Milliseconds that the main job may take on a busy machine."""

WRONG = "strong:has-text('It did not work')"

ANY = re.compile(r"/(?!account|jobs)[^/?]*(?:\d|[0-9a-f]{6})[^/?]*")
"""What stands in an address for one thing among many: two such addresses are one page."""


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    chromium()
    folder = tmp_path_factory.mktemp("console")
    with serving(folder) as found:
        orders, contacts = write_files(folder)
        first_sign_in(found.page, found.welcome)
        bring_orders(found.page, orders)
        bring_contacts(found.page, contacts)
        yield found


def first_sign_in(page: Page, welcome: str) -> None:
    """Sets a password by the link that stands where the server was started, signs in with it, and sets the second factor up."""
    page.goto(welcome)
    page.get_by_label("Your e-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.get_by_role("main").inner_text())
    assert secret
    page.get_by_label("Authenticator code").fill(code(secret[0]))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_text("I have kept them").click()


def bring_orders(page: Page, path: Path) -> None:
    """Drops the file, says which column is which, reads the quality report, and takes it in."""
    expect(page.get_by_role("heading", name="Let us find out who drifts away")).to_be_visible()
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Look through it").click()
    for ours, theirs in {"Who ordered": "Kundin", "When": "Tag", "How much": "Summe", "Number of the order": "Bestellung"}.items():
        page.get_by_label(ours, exact=True).select_option(theirs)
    page.get_by_role("button", name="Look through it").click()
    take_in(page)
    expect(page.get_by_role("main")).to_contain_text("Nobody's address is known")


def bring_contacts(page: Page, path: Path) -> None:
    """Follows what the overview says is missing."""
    page.get_by_role("link", name="Import contacts").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Look through it").click()
    take_in(page)
    expect(page.get_by_role("link", name="Review proposal")).to_be_visible()
    expect(page.get_by_role("main")).not_to_contain_text("Nobody's address is known")


def take_in(page: Page) -> None:
    """Waits for the quality report, and presses the button below it."""
    page.locator(f"h1:has-text('What is in'), {WRONG}").first.wait_for(timeout=MINUTES)
    expect(page.get_by_role("main")).to_contain_text("Every row can be used")
    page.get_by_role("button", name="Take it in").click()
    page.locator(f"h1:has-text('Overview'), {WRONG}").first.wait_for(timeout=MINUTES)


def test_the_welcome_opens_once_and_nothing_opens_without_signing_in(console: Console) -> None:
    with console.another() as page:
        page.context.clear_cookies()
        page.goto(console.welcome)
        expect(page.get_by_label("Password")).to_have_count(0)
        page.goto(f"{console.at}customers")
        assert "/account/login" in page.url


def test_messages_went_and_can_be_read(console: Console) -> None:
    page = console.page
    page.goto(f"{console.at}messages")
    page.get_by_role("main").locator("table a").first.click()
    expect(page.get_by_role("main")).to_contain_text("Ada")
    mails = list((console.root / "var" / "mail").rglob("*.eml"))
    assert mails
    assert b"people.example" in mails[0].read_bytes()


def test_a_program_is_edited_submitted_and_gets_a_yes(console: Console) -> None:
    page = console.page
    page.goto(f"{console.at}programs/win-back")
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Owner").fill("Ada Lamm")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Approve this version").click()
    page.wait_for_url(re.compile("/documents|/jobs"))
    page.locator(f"h1:has-text('Documents'), h1:has-text('Program'), {WRONG}").first.wait_for(timeout=MINUTES)
    expect(page.get_by_role("main")).not_to_contain_text("It did not work")
    page.goto(f"{console.at}programs/win-back")
    expect(page.get_by_role("main")).to_contain_text("Ada Lamm answers for it")


def pages_of(console: Console, page: Page) -> dict[str, str]:
    """Every page that links lead to from the overview, one of each kind, by the form of its address."""
    found, waiting = dict[str, str](), [console.at]
    while waiting:
        address = waiting.pop(0)
        kind = ANY.sub("/*", urlsplit(address).path.removeprefix(urlsplit(console.at).path.rstrip("/")))
        if kind in found or "logout" in kind or "/records/" in f"{kind}/":
            continue
        found[kind] = address
        page.goto(address)
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        waiting += [link.partition("#")[0] for link in links if link.startswith(console.at)]
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_clean_to_axe_fits_a_phone_and_needs_no_script(console: Console, scheme: str, tmp_path: Path) -> None:
    with console.another(**PHONE, color_scheme=scheme) as page:
        kinds = pages_of(console, page)
        assert len(kinds) >= 30, kinds
        for kind, address in kinds.items():
            answer = page.goto(address)
            assert answer
            assert answer.status == 200, kind
            page.screenshot(path=tmp_path / f"{kind.strip('/').replace('/', '-') or 'overview'}.png", full_page=True)
            found = Axe().run(page)
            assert found.violations_count == 0, (kind, found.generate_report())
            assert wide(page) == 0, kind


def test_the_console_works_with_scripts_off(console: Console) -> None:
    with console.another(java_script_enabled=False) as page:
        page.goto(console.at)
        page.get_by_role("link", name="Programs", exact=True).click()
        page.get_by_role("main").get_by_role("link", name="Win back", exact=True).click()
        page.get_by_label("Why").fill("The offer has run out")
        page.get_by_role("button", name="Pause Win back").click()
        expect(page.get_by_role("main")).to_contain_text("paused")
        page.get_by_role("button", name=re.compile("Resume")).click()
        expect(page.get_by_role("main")).to_contain_text("running")


def test_a_customer_is_found_with_the_keyboard_alone(console: Console) -> None:
    with console.another() as page:
        page.goto(f"{console.at}customers")
        tab_to(page, "who")
        page.keyboard.type("k7@people.example")
        page.keyboard.press("Enter")
        page.wait_for_url("**/customers/*")
        expect(page.get_by_role("main")).to_contain_text("k7@people.example")
