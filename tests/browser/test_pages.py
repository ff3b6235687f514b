"""What customers do with the pages: from a mail's link, by mouse, by keyboard alone, on a narrow phone, in both languages."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from rekindle import moment
from rekindle.service.flow.confirming import confirm_url, rendered, request_opt_in
from rekindle.service.flow.linking import open_linker
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.service.public.forms import LINKS
from rekindle.service.trust.actions import spend_entrance
from rekindle.service.trust.models import Answer
from rekindle.service.wishes.actions import Said
from rekindle.service.wishes.queries import wishes_of
from tests.browser.world import CODE, SHOP, World
from tests.service.touches import meet

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
KINDS = ("view", "for", "enter", "why", "answer", "rate", "review", "preferences", "known", "data", "u")
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""What a mail that is shown again is held to: a mail program has the landmarks and the first heading that axe wants of a page besides."""


def address(world: World, customer: str, kind: str) -> str:
    """A page's address, by the links of a customer's mail."""
    if kind in ("preferences", "u"):
        return world.link(customer, f"/{kind}/")
    if kind in ("known", "data"):
        return world.link(customer, "/preferences/").replace("/preferences/", f"/{kind}/")
    return world.link(customer, "/why/").replace("/why/", f"/{kind}/")


def wide(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def tab_to(page: Page, name: str) -> None:
    """Presses the tabulator until something of a name has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"the tabulator never comes to {name}")


def follow(page: Page, part: str) -> Page:
    """Goes by the keyboard to the link of a mail whose address has a part, and gives the page that it opens, here or beside."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if part in page.evaluate("document.activeElement.href || ''"):
            beside = page.evaluate("document.activeElement.target") == "_blank"
            with page.context.expect_page() if beside else nullcontext() as opened:
                page.keyboard.press("Enter")
            found: Page = opened.value if opened else page
            found.wait_for_url(f"**{part}**")
            return found
    raise AssertionError(f"the tabulator never comes to a link with {part}")


def clean(page: Page, what: str, seen: Path, rules: Sequence[str] = ()) -> None:
    """Whether axe finds nothing, the page fits, nothing is kept of the visit; and how it looks, for a person."""
    page.screenshot(path=seen / f"{what}.png", full_page=True)
    found = Axe().run(page, options={"runOnly": list(rules)} if rules else None)
    assert found.violations_count == 0, (what, found.generate_report())
    assert wide(page) == 0, what
    assert page.context.cookies() == []


@pytest.mark.parametrize(("customer", "scheme"), [("ada", "light"), ("grete", "dark")])
def test_every_page_is_clean_to_axe_and_fits_a_narrow_phone(world: World, customer: str, scheme: str, tmp_path: Path) -> None:
    with world.page(**PHONE, color_scheme=scheme) as page:
        for kind in KINDS:
            answer = page.goto(address(world, customer, kind))
            assert answer is not None
            assert answer.status == 200
            clean(page, f"{customer}-{kind}-{scheme}", tmp_path, WCAG if kind == "view" else ())


@pytest.mark.parametrize(("customer", "scheme", "button"), [("joan", "light", "Yes, confirm"), ("hanna", "dark", "Ja, bestätigen")])
def test_asking_for_a_yes_and_everything_that_a_press_leads_to_is_clean(
    world: World, customer: str, scheme: str, button: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, now = world.store, moment.now()
    meet([customer], granted=False)
    Person.objects.filter(pk=customer).update(locale="de" if customer == "hanna" else "en")
    assert request_opt_in(store, customer, Said(now, "form", proven=False))
    touch = Touch.objects.get(customer_id=customer)
    with world.page(**PHONE, color_scheme=scheme) as page:
        page.set_content(rendered(store, touch, Person.objects.get(pk=customer)).html)
        clean(page, f"{customer}-mail", tmp_path)
        page.goto(confirm_url(store, touch.episode))
        clean(page, f"{customer}-confirm", tmp_path)
        page.get_by_role("button", name=button).click()
        clean(page, f"{customer}-confirmed", tmp_path)
        own, choose = open_linker(store).own(customer, "email")
        page.goto(own)
        page.get_by_role("button").click()
        clean(page, f"{customer}-stopped", tmp_path)
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_be_visible()
        assert wishes_of(Person.objects.get(pk=customer), moment.now()).channels == {"email"}, "one press takes it back"
        clean(page, f"{customer}-taken-back", tmp_path)
        page.goto(open_linker(store).about(touch)["rate_url"])
        page.get_by_role("radio").nth(7).check()
        page.get_by_role("button").click()
        clean(page, f"{customer}-thanks", tmp_path)
        page.goto(f"{choose}x")
        clean(page, f"{customer}-not-ours", tmp_path)
        for at, buttons in enumerate(((0,), (1, 0))):
            page.goto(choose.replace("/preferences/", "/data/"))
            for one in buttons:
                page.get_by_role("button").nth(one).click()
                clean(page, f"{customer}-data-{at}{one}", tmp_path)
        monkeypatch.setattr(LINKS, "most", 0)
        page.goto(choose)
        page.get_by_role("button").first.click()
        assert page.get_by_role("heading", level=1).inner_text() in ("One moment, please", "Einen Moment, bitte")
        clean(page, f"{customer}-hurried", tmp_path)


def test_a_segments_landing_shows_the_shops_words_and_its_logo(world: World) -> None:
    with world.page(**PHONE) as page:
        page.goto(world.link("grete", "/for/"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Licht für lange Abende")
        assert page.get_by_role("img", name="Marigold").evaluate("one => one.naturalWidth") == 240
        page.get_by_role("link", name="Zu den Leuchten").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The shop")
        assert page.url.startswith(f"https://{SHOP}/lamps?utm_source=rekindle&utm_medium=email&utm_campaign=win-back")


def test_a_mails_link_leads_to_changed_preferences(world: World) -> None:
    with world.page() as page:
        page.goto(world.link("ada", "/preferences/"))
        page.get_by_label("Requests for a review or an answer").uncheck()
        page.get_by_label("At which hour").select_option("18")
        page.get_by_label("Pause").select_option("60")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_have_text("Saved. It holds from now on.")
        expect(page.get_by_label("Requests for a review or an answer")).not_to_be_checked()
    held = wishes_of(Person.objects.get(pk="ada"), moment.now())
    assert (held.refused, held.hour, held.paused_until is not None) == ({"questions"}, 18, True)


def test_a_mail_of_win_back_leads_to_the_cart_as_it_was_left(world: World) -> None:
    with world.page(**PHONE) as page:
        page.goto(world.link("ada", "/for/"))
        expect(page.get_by_role("listitem").filter(has_text="Wall lamp")).to_be_visible()
        expect(page.get_by_text(CODE)).to_be_visible()
        page.get_by_role("link", name="Open my cart").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The shop")
        assert page.url.startswith(f"https://{SHOP}/cart?add=wall-lamp%2Cvase%3A2&code={CODE}&utm_source=rekindle")
    assert sum(one.startswith("/cart?add=wall-lamp%2Cvase%3A2") for one in world.shop.asked) == 1


def test_one_press_hands_a_customer_over_to_the_shop(world: World) -> None:
    with world.page(**PHONE) as page:
        page.goto(world.link("grete", "/for/"))
        page.get_by_role("link", name="Anmelden").click()
        page.get_by_role("button", name="Anmelden").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The shop")
        code = page.url.removeprefix(f"https://{SHOP}/enter?code=")
    assert [spend_entrance(code, moment.now()) for _ in range(2)] == ["grete", None]


def test_everything_can_be_done_with_the_keyboard_alone(world: World) -> None:
    with world.page(**PHONE) as page:
        page.goto(world.link("grete", "/preferences/"))
        tab_to(page, "topic_occasions")
        page.keyboard.press("Space")
        tab_to(page, "Speichern")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus can be seen"
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("Gespeichert. Es gilt ab jetzt.")
        page.goto(address(world, "grete", "rate"))
        tab_to(page, "score")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        tab_to(page, "Absenden")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Vielen Dank")
    assert wishes_of(Person.objects.get(pk="grete"), moment.now()).refused == {"occasions"}
    assert Answer.objects.get(customer_id="grete", question="rate").value == "3"


def test_from_a_mail_to_changed_preferences_with_the_keyboard_alone(world: World) -> None:
    with world.page(**PHONE) as mail:
        mail.set_content(world.mails["ada"])
        page = follow(mail, "/preferences/")
        tab_to(page, "topic_advice")
        page.keyboard.press("Space")
        tab_to(page, "monthly")
        page.keyboard.press("ArrowDown")
        assert wide(page) == 0
        tab_to(page, "Save")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("Saved. It holds from now on.")
    held = wishes_of(Person.objects.get(pk="ada"), moment.now())
    assert ("advice" in held.refused, held.monthly) == (True, 4)


def test_from_a_mail_of_win_back_to_the_cart_with_the_keyboard_alone(world: World) -> None:
    before = len(world.shop.asked)
    with world.page(**PHONE) as mail:
        mail.set_content(world.mails["ada"])
        page = follow(mail, "/for/")
        expect(page.get_by_text(CODE)).to_be_visible()
        assert wide(page) == 0
        tab_to(page, "Open my cart")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus can be seen"
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("The shop")
    asked = [one.partition("&utm")[0] for one in world.shop.asked[before:] if "favicon" not in one]
    assert asked == [f"/cart?add=wall-lamp%2Cvase%3A2&code={CODE}"]


def test_a_mail_is_shown_again_as_it_was_sent(world: World) -> None:
    with world.page(**PHONE) as page:
        page.goto(world.link("ada", "/view/"))
        expect(page.get_by_text(CODE).first).to_be_visible()
        assert wide(page) == 0
        heading = page.locator(".headline div").first.evaluate("one => getComputedStyle(one).fontSize")
        assert heading == "28px", "its styles hold"
