"""What a customer comes back to: the cart and the offer as they are now, from the facts that the message froze."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from rekindle import moment
from rekindle.deliver.short_links import Link, shorten
from rekindle.errors import BadData
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.flow.content import content_findings, load_content
from rekindle.service.flow.linting import examined
from rekindle.service.links.models import Destination
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.service.redemptions.models import Coupon
from rekindle.settings import Handover, Settings, load
from tests.service.touches import FACTS, plan

CART = {"cart": ["LANTERN", "Vase"], "cart_ids": ["p 1", "p&2"]}
OFFER = {"offer_kind": "credit", "offer_label": "EUR 5.00 off", "offer_terms": "One order.", "valid_until": "2026-12-05"}
CODE = "7K2MQW9XTB"


@pytest.fixture
def visitor(store: Settings) -> Client:
    handover = Handover(cart_url="https://shop.example/cart?add={items}&discount={code}")
    application(store.model_copy(update={"handover": handover}))
    return Client()


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    at = [datetime(2026, 12, 5, 12, tzinfo=UTC)]
    monkeypatch.setattr(moment, "now", lambda: at[0])
    return at


def landed(store: Settings, visitor: Client, **facts: object) -> str:
    plan(["c1"], facts=json.dumps({**FACTS, **facts}), code=CODE)
    return again(store, visitor)


def again(store: Settings, visitor: Client) -> str:
    answer = visitor.get(f"/for/{shorten(load_ring(store.var, 'messages'), Link(Touch.objects.get().pk, 0))}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_cart_is_opened_in_the_shop_with_its_offer(store: Settings, visitor: Client, noon: list[datetime]) -> None:
    page = landed(store, visitor, **CART, **OFFER)
    assert "<li>Lantern</li>" in page
    assert f'href="https://shop.example/cart?add=p+1%2Cp%262&amp;discount={CODE}&amp;utm_source=rekindle' in page
    assert "It holds until December 5, 2026." in page
    assert "Enter your code" not in page, "the cart has it"


def test_an_offer_ends_where_the_customer_is(store: Settings, visitor: Client, noon: list[datetime]) -> None:
    noon[0] = datetime(2026, 12, 5, 23, 30, tzinfo=UTC)
    page = landed(store, visitor, **CART, **OFFER)
    assert "It holds until December 5, 2026." in page
    Person.objects.update(timezone="Asia/Tokyo")
    page = again(store, visitor)
    assert "It ended on December 5, 2026." in page
    assert CODE not in page


def test_a_used_code_is_not_offered_again(store: Settings, visitor: Client, noon: list[datetime]) -> None:
    plan(["c1"], facts=json.dumps({**FACTS, **OFFER}), code=CODE)
    Coupon.objects.create(code=CODE, customer_id="c1", price=True, redeemed=1)
    page = again(store, visitor)
    assert "You have used it already." in page
    assert CODE not in page


def test_without_a_cart_the_page_leads_to_the_shop(store: Settings, visitor: Client) -> None:
    page = landed(store, visitor, category="LIGHTING")
    assert "Lighting" in page
    assert "Open my cart" not in page
    assert 'href="https://shop.example?utm_source=rekindle' in page


def test_a_shop_without_an_address_for_carts_gets_none(store: Settings, visitor: Client) -> None:
    application(store)
    assert "cart?" not in landed(store, visitor, **CART)


def test_looking_numbers_no_destination(store: Settings, visitor: Client) -> None:
    landed(store, visitor, **CART, **OFFER)
    visitor.get(f"/view/{shorten(load_ring(store.var, 'messages'), Link(Touch.objects.get().pk, 0))}")
    assert not Destination.objects.exists()


@pytest.mark.parametrize("url", ["http://shop.example/{items}", "https://shop.example/cart", "javascript:{items}"])
def test_an_address_for_carts_is_https_and_takes_things(tmp_path: Path, url: str) -> None:
    (tmp_path / "rekindle.toml").write_text(f'[handover]\ncart_url = "{url}"\n')
    with pytest.raises(BadData, match="items"):
        load(tmp_path)


def test_an_address_that_takes_customers_in_has_no_place_for_a_code(tmp_path: Path) -> None:
    (tmp_path / "rekindle.toml").write_text('[handover]\nurl = "https://shop.example/enter?code={code}"\n')
    with pytest.raises(BadData, match=r"\?code= is put after it"):
        load(tmp_path)


PAGES = """
pages:
  - for: {program: win-back, persona: price_sensitive}
    collection: https://shop.example/essentials?ref=7
    words:
      en: {title: "Made to last", text: "What people buy again.", collection: "See the essentials", steps: ["Look around.", "Order."]}
  - for: {program: win-back}
    words:
      en: {title: "Shown to the rest"}
      de: {title: "Für alle anderen"}
"""


def write(store: Settings, text: str) -> None:
    (store.root / "content").mkdir(exist_ok=True)
    (store.root / "content" / "landings.yaml").write_text(text)


def test_a_segment_comes_back_to_the_shops_own_words_with_the_customers_own_offer(
    store: Settings, visitor: Client, noon: list[datetime]
) -> None:
    write(store, PAGES)
    page = landed(store, visitor, **OFFER, persona="price_sensitive")
    assert "<h1>Made to last</h1>" in page
    assert 'href="https://shop.example/essentials?ref=7&amp;utm_source=rekindle' in page
    assert "<li>Look around.</li>" in page
    assert "It holds until December 5, 2026." in page
    Person.objects.update(locale="de")
    assert "<h1>Für alle anderen</h1>" in again(store, visitor), "the first that holds in the customer's language"


def test_whom_no_page_is_written_for_and_whoever_comes_while_it_is_wrong_finds_the_usual_one(
    store: Settings, visitor: Client, noon: list[datetime]
) -> None:
    write(store, PAGES.replace("program: win-back", "program: news"))
    assert "<h1>Good to see you again</h1>" in landed(store, visitor)
    write(store, PAGES.replace("title", "tilte"))
    assert "<h1>Good to see you again</h1>" in again(store, visitor)


def test_what_is_wrong_in_landing_pages_is_named_with_its_line(store: Settings) -> None:
    write(store, PAGES.replace("https://shop.example/essentials?ref=7", "http://shop.example").replace('text: "', 'txt: "'))
    found = {(one.line, one.rule) for one in content_findings(load_content(store.root)) if one.file == "content/landings.yaml"}
    assert found == {(4, "value-bad"), (6, "key-unknown")}
    write(store, PAGES.replace(', collection: "See the essentials"', ""))
    (only,) = (one for one in content_findings(load_content(store.root)) if one.file == "content/landings.yaml")
    assert only.rule == "landing-collection"


def test_the_linter_reads_landing_pages(store: Settings) -> None:
    write(store, PAGES.replace("Shown to the rest", "Hurry, only 3 left!"))
    found = [one for one in examined(store).findings if one.file == "content/landings.yaml"]
    assert [(one.line, one.severity) for one in found][:1] == [(9, "error")]


def test_a_page_that_nobody_would_see_is_named(store: Settings) -> None:
    write(store, PAGES.replace("{program: win-back}", "{program: winback}").replace("persona: price_sensitive", "stage: tailer"))
    found = {(one.line, one.rule) for one in examined(store).findings if one.file == "content/landings.yaml"}
    assert found == {(3, "landing-stage"), (7, "landing-program")}
