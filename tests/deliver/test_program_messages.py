"""The messages of the shipped programs: what each stage promises to say, it says; what is not known, it does without."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from ruamel.yaml import YAML

from rekindle.deliver.claims import Registry
from rekindle.deliver.facts import CARD_KINDS, PRICE_KINDS, Facts, with_frozen, with_registered
from rekindle.deliver.templates import Rendered, render
from rekindle.errors import Refused
from rekindle.service.flow.content import shipped_content
from tests.deliver.test_templates import SLY, Links

CATALOGUE = files("rekindle.program.catalogue")
APART = ("offers.yaml", "rules.yaml", "segments.yaml", "targets.yaml", "win-back.yaml")
CONTENT = shipped_content()
SHOP = Facts(
    stage="", shop_name="Marigold", shop_url="https://marigold.example", postal_address="12 Garden Row, Bristol",
    unsubscribe_url="https://r.example/u/x", preferences_url="https://r.example/p/x", reply_to="hello@marigold.example",
)
KNOWN = replace(
    SHOP, first_name="Ada", orders=5, first_day=date(2024, 11, 3), last_day=date(2026, 11, 20), last_product="LANTERN", category="Lighting",
    order_number="M1042", products=("BRASS LANTERN", "Linen lampshade", "Candle"), more_products=2, product="Candle", favourite="Wall lamp",
    ordered_day=date(2026, 11, 20), promised_day=date(2026, 11, 24), delivered_day=date(2026, 11, 25), day=date(2026, 12, 2), days_ahead=7,
    years=2, credit_left="EUR 5.00", returns_policy="30 days, with a label in the parcel.", guarantee="Two years on everything.",
    late_remedy="We have given you back what you paid for delivery.", care="Keep it dry.", support="Mia answers from 8 to 18.",
)
OFFERED = {"offer_label": "Something nice", "offer_terms": "One order.", "code": "7K2MQW9XTB", "valid_until": date(2026, 12, 5)}

OFFERED_FOR = {name: OFFERED[name] for name in ("code", "valid_until")}


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(CATALOGUE.joinpath(name).read_text(encoding="utf-8"))
    return found


PROGRAMS = {
    program["program"]: program
    for program in (document(one.name) for one in CATALOGUE.iterdir() if one.name.endswith(".yaml") and one.name not in APART)
}
OFFERS = document("offers.yaml")["offers"]


def variants() -> Iterator[tuple[str, str, str, str]]:
    """Program, stage, arm and the kind of its offer."""
    for name, program in sorted(PROGRAMS.items()):
        for stage, body in program["stages"].items():
            for arm, what in body["arms"].items():
                yield name, stage, arm, OFFERS[what["offer"]]["kind"]


VARIANTS = list(variants())
SAYS = {
    "about_your_order": "It is about that order and no advertising",
    "apology_for_the_event": "sorry",
    "benefit": "Something nice|There is nothing that you need to do|nothing that you need to do|use it with your next order",
    "care": r"Keep it dry\.|look after it",
    "credit_and_its_expiry": r"EUR.5\.00(.|\n)*2 December 2026",
    "curated_from_before": "Wall lamp",
    "current_relevance": "something to go with it from Lighting",
    "delivered_day": "Wednesday, 25 November",
    "expiry_if_offer": "Good until the end of",
    "last_purchase_or_favourite_or_saved": "Brass lantern",
    "next_step": "(?i)reply",
    "occasion": "Happy birthday|2 years ago you ordered from us for the first time",
    "offer_or_its_absence": r"Something nice|no offer in this e-mail|nothing that you need to do|Happy birthday|whenever you need it",
    "one_action": "https://marigold.example|mailto:|[Rr]eply to this e-mail",
    "one_question": r"from 0 \(not at all\) to 10 \(very\)\?",
    "personal_offer_disclosure_if_any": "",
    "preferences_and_pause": "Write to me less, or pause",
    "product_named": "Candle",
    "products_named": r"Brass lantern(, |\n(  \* )?)Linen lampshade",
    "promised_day": "Tuesday, 24 November",
    "relationship": "(?i)5 orders",
    "remedy_if_registered": "We have given you back what you paid for delivery",
    "returns_policy": "30 days, with a label in the parcel",
    "review_ask": "Would you write a review?",
    "reward_disclosure": "",
    "run_out_window": "in about a week",
    "support": "Mia answers from 8 to 18",
    "thanks": "(?i)thank you",
    "what_happens_next": "(?i)what happens next",
    "why_you_got_this": "You get this because you agreed to e-mail from Marigold",
}
"""What stands in a message, HTML or text, that has the block, all facts being known."""


def stated(facts: Facts, program: str, stage: str, arm: str, kind: str) -> Rendered:
    document = PROGRAMS[program]
    offered = OFFERED if kind in CARD_KINDS else {"offer_label": OFFERS["none"]["label"]}
    return render(
        CONTENT,
        replace(
            facts, program=program, stage=stage, arm=arm, moment=document["trigger"]["on"], service=document["class"] == "service",
            offer_kind=kind, **offered,
        ),
    )


def seen(said: Rendered) -> tuple[str, str]:
    """What a reader sees of both forms: the HTML without head, styles and tags; addresses of links stay."""
    body = re.sub(r"<style.*?</style>|<head>.*?</head>|<!--.*?-->", "", said.html, flags=re.DOTALL)
    linked = re.sub(r'<a [^>]*href="([^"]*)"[^>]*>', r" \1 ", body.replace("<br />", "\n"))
    return re.sub(r"<[^>]*>", "", linked), said.text


def test_every_shipped_program_is_looked_at() -> None:
    assert len(PROGRAMS) == 12
    arms = [arm for _, _, arm, _ in VARIANTS] + [
        arm for stage in document("win-back.yaml")["stages"].values() for arm in stage["arms"]
    ]
    assert len(arms) == len(set(arms)), "a variant's name is one program's alone"


@pytest.mark.parametrize(("program", "stage", "arm", "kind"), VARIANTS)
def test_a_stage_says_what_its_content_promises(program: str, stage: str, arm: str, kind: str) -> None:
    said = stated(KNOWN, program, stage, arm, kind)
    blocks = [*PROGRAMS[program]["content_always"], *PROGRAMS[program]["stages"][stage]["content"]]
    for form in seen(said):
        for block in blocks:
            if block != "expiry_if_offer" or kind in CARD_KINDS:
                assert re.search(SAYS[block], form), block
        assert ("personal offer" in form) == (kind in CARD_KINDS)
        assert ("It is yours whatever you write, and also if you write nothing." in form) == (
            kind in CARD_KINDS and "reward_disclosure" in blocks
        )
        assert not SLY.search(form)
        assert not re.search(r"\{\{|\{%|None|\bnil\b|false|true", form)
    assert "Ada" in said.text
    assert 5 < len(said.subject) <= 70
    assert 5 < len(said.preheader) <= 110


@pytest.mark.parametrize(("program", "stage", "arm", "kind"), VARIANTS)
def test_with_nothing_known_it_still_reads(program: str, stage: str, arm: str, kind: str) -> None:
    said = stated(SHOP, program, stage, arm, kind)
    for form in (said.subject, said.preheader, *seen(said)):
        assert not re.search(r"None|\bnil\b|(?<!\n) [,.:]|  (in|on|of) |\b(in|on|of|until|for) *[.,]|: *\.", form)
        assert not re.search("Ada|Lantern|November|EUR", form), form
    assert said.subject
    assert said.preheader
    assert len(said.text) > 200


@pytest.mark.parametrize(("program", "stage", "arm", "kind"), VARIANTS)
def test_who_may_stop_finds_the_link_and_who_need_not_finds_none(program: str, stage: str, arm: str, kind: str) -> None:
    links = Links()
    said = stated(KNOWN, program, stage, arm, kind)
    links.feed(said.html)
    ways_out = {"https://r.example/u/x", "https://r.example/p/x"}
    if PROGRAMS[program]["class"] == "service":
        assert links.targets == []
        assert "r.example" not in said.text
        assert "agreed" not in said.text
    else:
        assert ways_out <= set(links.targets)
        assert ways_out <= set(re.findall(r"https://r\S+", said.text))
        rest = [link for link in links.targets if link not in ways_out]
        assert len(rest) <= 1 or all(link.startswith("mailto:hello@marigold.example?subject=") for link in rest)


SERVICE = [one for one in VARIANTS if PROGRAMS[one[0]]["class"] == "service"]


@pytest.mark.parametrize(("program", "stage", "arm", "kind"), SERVICE)
def test_a_service_message_promotes_nothing(program: str, stage: str, arm: str, kind: str) -> None:
    assert kind == "none"
    said = stated(KNOWN, program, stage, arm, kind)
    for form in seen(said):
        assert not re.search(r"(?i)offer|checkout|discount|% off|look around|recommend|review|you may (also )?like", form)
    for wrong in ({"offer_kind": "shipping"}, {"code": "7K2MQW9XTB"}):
        with pytest.raises(Refused, match="carries no offer"):
            render(CONTENT, replace(KNOWN, program=program, stage=stage, service=True, **wrong))


@pytest.mark.parametrize(("promised", "late"), [(date(2026, 11, 24), True), (date(2026, 11, 25), False), (None, False)])
def test_only_a_missed_promise_is_apologised_for(promised: date | None, late: bool) -> None:
    said = stated(replace(KNOWN, promised_day=promised), "delivery-arrived", "arrived", "arrived_notice", "none")
    for form in (said.html, said.text):
        assert ("sorry" in form) == late
        assert ("We have given you back what you paid for delivery." in form) == late
    assert ("later than promised" in said.subject) == late


def test_a_remedy_is_named_only_where_one_is_registered() -> None:
    said = stated(replace(KNOWN, late_remedy=""), "delivery-late", "late", "late_notice", "none")
    assert "What we do about it" not in said.text + said.html


def test_a_birthday_has_no_age_and_no_year() -> None:
    said = stated(replace(KNOWN, day=date(2026, 12, 2)), "birthday", "wishes", "birthday_wish", "none")
    body = "".join((*seen(said), said.subject))
    assert "2026" not in body
    assert "2 December" not in body
    assert "years" not in body
    assert "because you told us your birthday." in said.text


def test_an_order_names_up_to_three_products() -> None:
    one = stated(replace(KNOWN, products=("Vase",), more_products=0), "thank-you", "thanks", "thanks_by_name", "none")
    assert "You chose Vase on Friday, 20 November" in one.text
    assert one.subject == "Thank you for choosing Vase"
    many = stated(KNOWN, "thank-you", "thanks", "thanks_by_name", "none")
    assert "You chose Brass lantern, Linen lampshade, Candle and 2 more on" in many.text


@pytest.mark.parametrize("field", ["product", "favourite", "order_number", "credit_left", "late_remedy", "care", "support", "reply_to"])
@pytest.mark.parametrize("evil", ["{{ 7*7 }}", "<img src=x onerror=alert(1)>", '"><script>x</script>', "a\r\nBcc: b@c.d"])
def test_a_new_fact_is_never_markup_code_or_a_new_line(field: str, evil: str) -> None:
    hostile = replace(KNOWN, products=(evil,), **{field: evil})
    for program, stage, arm, kind in VARIANTS:
        said = stated(hostile, program, stage, arm, kind)
        assert "<script>" not in said.html
        assert "<img" not in said.html
        assert "49" not in said.text
        assert "\nBcc:" not in said.text
        assert "\n" not in said.subject + said.preheader


def test_advice_is_that_of_the_category_and_promised_only_where_there_is_some() -> None:
    shop = Registry.model_validate({"care": [{"text": "Dust the shade with a dry cloth.", "categories": ["Lighting"]}, "Keep it dry."]})
    both = with_registered(replace(KNOWN, care=""), shop)
    mine = stated(with_frozen(both, "{}", date(2026, 12, 1)), "onboarding", "care", "care_advice", "education")
    assert (mine.subject, mine.preheader) == ("How to look after Brass lantern", "Dust the shade with a dry cloth.")
    assert "Keep it dry." not in "".join(seen(mine))
    other = stated(with_frozen(both, '{"category": "Garden"}', date(2026, 12, 1)), "onboarding", "care", "care_advice", "education")
    assert other.preheader == "Keep it dry."
    none = replace(KNOWN, care="")
    asking = stated(none, "onboarding", "care", "care_advice", "education")
    assert asking.subject == "Brass lantern: is everything as it should be?"
    assert "To make it last" not in "".join(seen(asking))
    welcome = stated(none, "onboarding", "welcome", "first_thanks", "none")
    assert "how to look after what you chose" not in "".join(seen(welcome))
    assert "how to look after what you chose" in stated(KNOWN, "onboarding", "welcome", "first_thanks", "none").text


def test_an_offer_for_a_category_names_it_and_says_its_worth_once() -> None:
    given = replace(KNOWN, offer_label="10 % off in one category", offer_value="10 % off", offer_scope="GARDEN", **OFFERED_FOR)
    said = render(CONTENT, replace(given, program="win-back", stage="tailor", arm="percent", offer_kind="percent"))
    assert said.subject == "10 % off in one category: Garden"
    assert (said.text.count("10 % off"), "  For Garden\n" in said.text) == (1, True)


def test_price_offers_are_cards() -> None:
    assert PRICE_KINDS <= CARD_KINDS


def test_the_link_for_machines_is_in_the_html_alone_and_nobody_sees_it() -> None:
    trapped = replace(KNOWN, trap_url="https://r.example/c/trap")
    for program, stage, arm, kind in VARIANTS:
        said = stated(trapped, program, stage, arm, kind)
        assert said.html.count("https://r.example/c/trap") == 1
        (link,) = re.findall(r'<a href="https://r\.example/c/trap"[^>]*></a>', said.html)
        assert 'aria-hidden="true" tabindex="-1" style="display:none;' in link
        assert "r.example/c/trap" not in said.text
        assert "r.example/c/" not in stated(KNOWN, program, stage, arm, kind).html
