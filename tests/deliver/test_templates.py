import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from rekindle.deliver.facts import CARD_KINDS, FROZEN, Facts, with_frozen
from rekindle.deliver.palette import palette
from rekindle.deliver.templates import TemplateSet, render
from rekindle.errors import BadData, Refused
from rekindle.service.flow.content import shipped_content

STAGES = ("reconnect", "tailor", "reassure", "closing")
SHIPPED = shipped_content()
KINDS = ("none", "reminder", "education", *sorted(CARD_KINDS))
FACTS = Facts(
    stage="reconnect", first_name="Ada", orders=5, first_day=date(2024, 11, 3), last_day=date(2026, 3, 3), last_product="Lantern",
    category="Lighting", offer_kind="reminder", offer_label="Summary", shop_name="Marigold", shop_url="https://marigold.example",
    postal_address="12 Garden Row, Bristol", unsubscribe_url="https://r.example/u/x", preferences_url="https://r.example/p/x",
)
GIVEN = {"offer_label": "Something nice", "offer_terms": "One order.", "code": "7K2MQW9XTB", "valid_until": date(2026, 12, 5)}
SLY = re.compile(
    r"we miss you|miss(ed)? (you|out)|last chance|hurry|act now|don't (miss|lose)|only \d+ left|running out|expires soon"
    r"|before it's too late|disappointed|sad to|goodbye forever|no thanks, i",
    re.IGNORECASE,
)


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.targets.append(dict(attrs).get("href") or "")


def with_offer(facts: Facts, kind: str) -> Facts:
    return replace(facts, offer_kind=kind, **GIVEN) if kind in CARD_KINDS else replace(facts, offer_kind=kind)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_says_what_it_must_with_every_offer(stage: str, kind: str) -> None:
    rendered = render(SHIPPED, with_offer(replace(FACTS, stage=stage), kind))
    links = Links()
    links.feed(rendered.html)
    assert links.targets.count("https://marigold.example") == 1
    assert set(links.targets) == {"https://marigold.example", "https://r.example/u/x", "https://r.example/p/x"}
    for form in (rendered.html, rendered.text):
        assert "You get this because you agreed to e-mail from Marigold, and because your last order was in March 2026." in form
        assert "12 Garden Row, Bristol" in form
        assert "{{" not in form
        assert "{%" not in form
        assert "None" not in form
        assert not SLY.search(form)
        assert ("personal offer" in form) == (kind in CARD_KINDS)
        assert ("5 December 2026" in form) == (kind in CARD_KINDS)
        assert ("7K2MQW9XTB" in form) == (kind in CARD_KINDS)
    assert rendered.text.startswith(("Hello", "Something", "A question", "Ada, good", "A last note"))
    assert rendered.subject
    assert rendered.preheader
    assert "Ada" in rendered.text


def test_a_variant_may_have_a_subject_of_its_own() -> None:
    usual, own = (render(SHIPPED, replace(FACTS, subject_line=said)) for said in ("", "Anything we can help with?"))
    assert own.subject == "Anything we can help with?" != usual.subject
    assert (own.text, own.preheader) == (usual.text, usual.preheader)
    assert f"<title>{own.subject}</title>" in own.html


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_with_nothing_known_every_stage_still_reads(stage: str, kind: str) -> None:
    bare = Facts(
        stage=stage, shop_name="Marigold", shop_url="https://marigold.example", postal_address="12 Garden Row",
        unsubscribe_url="https://r.example/u/x", preferences_url="https://r.example/p/x",
    )
    rendered = render(SHIPPED, with_offer(bare, kind))
    for form in (rendered.subject, rendered.preheader, rendered.html, rendered.text):
        assert "None" not in form
        assert " ," not in form
        assert " ." not in re.sub(r"<style.*?</style>", "", form, flags=re.DOTALL)
        assert "  in " not in form


def test_the_first_message_acknowledges_the_relationship() -> None:
    text = render(SHIPPED, FACTS).text
    assert "You have ordered from us 5 times since November 2024. Thank you for choosing us." in text
    assert "you last chose Lantern, in March 2026" in text
    assert "what was it? One line in reply" in text


def test_one_order_is_one_order() -> None:
    text = render(SHIPPED, replace(FACTS, orders=1, offer_kind="none")).text
    assert "You have ordered from us once." in text


@pytest.mark.parametrize("cause", [None, "unknown", "open_ticket"])
def test_nothing_is_apologised_for_without_an_event(cause: str | None) -> None:
    rendered = render(SHIPPED, replace(FACTS, cause=cause))
    assert "sorry" not in rendered.html + rendered.text + rendered.subject


@pytest.mark.parametrize("cause", ["late_delivery", "stockout", "return", "bad_review"])
def test_what_happened_is_named(cause: str) -> None:
    rendered = render(SHIPPED, replace(FACTS, cause=cause, fix="Parcels now leave the same day."))
    for form in (rendered.html, rendered.text):
        assert "sorry" in form
        assert "Parcels now leave the same day." in form


def test_the_last_message_says_what_happens_next_and_how_to_stop() -> None:
    text = render(SHIPPED, replace(FACTS, stage="closing")).text
    assert "What happens next: if you do nothing, this series ends here." in text
    assert "choose how often we write, or pause: https://r.example/p/x" in text
    assert "three steps" in text


@pytest.mark.parametrize("price", ["percent", "amount", "credit"])
@pytest.mark.parametrize("lacking", [{"code": ""}, {"valid_until": None}])
def test_a_price_offer_needs_its_code_and_its_end(price: str, lacking: dict[str, object]) -> None:
    with pytest.raises(Refused, match="no code or no last day"):
        render(SHIPPED, replace(with_offer(FACTS, price), **lacking))


def test_no_postal_address_no_message() -> None:
    with pytest.raises(Refused, match="postal address"):
        render(SHIPPED, replace(FACTS, postal_address=" "))


@pytest.mark.parametrize("link", ["unsubscribe_url", "preferences_url"])
def test_links_are_https(link: str) -> None:
    with pytest.raises(Refused, match="HTTPS"):
        render(SHIPPED, replace(FACTS, **{link: "http://r.example/x"}))


HOSTILE = [
    "{{ 7*7 }}", "{% for i in (1..9999999) %}x{% endfor %}", "<img src=x onerror=alert(1)>", '"><script>x</script>', "a\r\nBcc: b@c.d",
]


@pytest.mark.parametrize("evil", HOSTILE)
@pytest.mark.parametrize("field", ["first_name", "last_product", "category", "offer_label", "shop_name", "postal_address", "why", "fix"])
def test_a_fact_is_never_markup_code_or_a_new_line(field: str, evil: str) -> None:
    rendered = render(SHIPPED, replace(with_offer(FACTS, "shipping"), cause="return", **{field: evil}))
    assert "<script>" not in rendered.html
    assert "<img" not in rendered.html
    assert "49" not in rendered.text
    assert "\nBcc:" not in rendered.text
    assert "\n" not in rendered.subject + rendered.preheader


def test_a_name_that_advertises_is_not_greeted() -> None:
    assert render(SHIPPED, replace(FACTS, first_name="Win at https://x.example")).text.startswith("Hello,")


def test_templates_are_bounded_and_strict() -> None:
    def with_text(body: str) -> TemplateSet:
        return TemplateSet({**SHIPPED.texts, "win-back/reconnect.txt": f"Subject: a\nPreheader: b\n\n{body}"})

    reaching = ("{% render 'other' %}", "{% include '../rekindle.toml' %}")
    for body in ("{% for i in (1..2000) %}x{% endfor %}", "{{ nobody }}", "{% if %}", *reaching):
        with pytest.raises(BadData, match="win-back/reconnect"):
            render(with_text(body), FACTS)


def test_mistakes_in_content_are_named() -> None:
    for change, message in (
        ({"win-back/reconnect.txt": "no head"}, "Subject"),
        ({"layout.mjml": "<mjml><mj-body>"}, "MJML"),
        ({"layout.mjml": "<mjml><mj-body><!-- include blocks/none --></mj-body></mjml>"}, "blocks/none.mjml"),
    ):
        with pytest.raises(BadData, match=message):
            render(TemplateSet({**SHIPPED.texts, **change}), FACTS)
    with pytest.raises(BadData, match="win-back/nowhere"):
        render(SHIPPED, replace(FACTS, stage="nowhere"))


def test_frozen_facts_come_back() -> None:
    frozen = with_frozen(FACTS, '{"last_day": "2026-01-31", "valid_until": null, "orders": 2, "cause": null}', date(2026, 12, 1))
    assert (frozen.last_day, frozen.orders, frozen.cause) == (date(2026, 1, 31), 2, None)
    assert {name for name in FROZEN if not hasattr(FACTS, name)} == set()


@pytest.mark.parametrize("color", ["#000000", "#ffffff", "#1f5f5b", "#e4572e", "#ffd400", "#808080"])
def test_text_on_the_brand_colour_can_be_read(color: str) -> None:
    def light(text: str) -> float:
        parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05

    shades = palette(color)
    for one, other, least in (("", "brand_ink", 4.3), ("#ffffff", "brand_text", 4.5), ("brand_deep", "brand_light", 4.5)):
        pair = sorted(light(shades.get(name, name or color)) for name in (one, other))
        assert pair[1] / pair[0] >= least
