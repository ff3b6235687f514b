"""Short messages: one family with their e-mail, whatever the channel; an SMS in one segment where no offer makes it longer."""

import re
from dataclasses import replace

import pytest

from rekindle.deliver.facts import CARD_KINDS, PRICE_KINDS, Facts
from rekindle.deliver.family import OFFER, family, strays
from rekindle.deliver.templates import TemplateSet, render
from rekindle.deliver.variants import SHORT, short, template
from rekindle.errors import BadData, Refused
from rekindle.program.sms_segments import ALONE, segments
from tests.deliver.test_contracts import ALL, EVERY
from tests.deliver.test_program_messages import CONTENT, OFFERED, OFFERS, SHOP, SLY

STAGES = [(program, stage) for program, body in sorted(EVERY.items()) for stage in body["stages"]]
OWN = {"win-back", "thank-you", "order-confirmation", "delivery-late", "replenishment", "birthday", "review-request"}
LINK = "https://r.marigold.example/c/aB3dE5fGhJkLmN"
WHOLE = {**OFFERED, "offer_label": "A very good thing", "offer_value": "EUR 7.50", "offer_scope": "Porcelain", "offer_minimum": "EUR 30.00"}


def told(facts: Facts, program: str, stage: str, kind: str) -> Facts:
    body = EVERY[program]
    given = WHOLE if kind in CARD_KINDS else {"offer_label": "none"}
    return replace(
        facts, program=program, stage=stage, moment=body["trigger"]["on"], service=body["class"] == "service", offer_kind=kind, **given
    )


def kinds(program: str, stage: str) -> list[str]:
    return sorted({OFFERS[arm["offer"]]["kind"] for arm in EVERY[program]["stages"][stage]["arms"].values()})


def test_no_shipped_form_strays_from_its_family() -> None:
    assert list(strays(CONTENT)) == []
    assert len(STAGES) == 22


@pytest.mark.parametrize(("program", "stage"), STAGES)
def test_every_form_states_the_offer_of_the_e_mail_whole_and_claims_nothing_else(program: str, stage: str) -> None:
    forms = family(CONTENT, program, stage)
    assert set(forms) == {"text", "html", *SHORT}
    offered = forms["text"] & OFFER
    assert forms["html"] & OFFER == offered
    for channel in SHORT:
        assert offered <= forms[channel], channel
        assert forms[channel] - OFFER <= forms["text"] | forms["html"], channel


@pytest.mark.parametrize(("program", "stage"), STAGES)
def test_the_offer_is_read_alike_in_every_form(program: str, stage: str) -> None:
    for kind in kinds(program, stage):
        facts = told(ALL, program, stage, kind)
        mail = render(CONTENT, facts)
        forms = {"text": mail.text, "html": mail.html} | {
            one: f"{said.title} {said.text}" for one in SHORT for said in [short(CONTENT, facts, one)]
        }
        for form, words in forms.items():
            plain = words.replace("\N{NO-BREAK SPACE}", " ")
            day = "5 Dec 2026" if form == "sms" else "5 December 2026"
            for fact in ("A very good thing", "EUR 7.50", "Porcelain", "EUR 30.00", "7K2MQW9XTB", day):
                assert (fact in plain) == (kind in CARD_KINDS), (form, fact, kind)
            assert ("ersonal offer" in plain) == (kind in CARD_KINDS), form
            assert not SLY.search(words)


@pytest.mark.parametrize(("program", "stage"), STAGES)
@pytest.mark.parametrize("facts", [ALL, SHOP], ids=["known", "unknown"])
def test_an_sms_fits_one_segment_and_can_be_stopped(facts: Facts, program: str, stage: str) -> None:
    for kind in kinds(program, stage):
        given = replace(told(facts, program, stage, kind), shop_url=LINK, offer_label="Free returns for 60 days", offer_value="",
                        offer_scope=None, offer_minimum="")  # fmt: skip
        said = short(CONTENT, given, "sms")
        assert said.title == ""
        assert said.text.count(LINK) == 1
        assert said.text.endswith(LINK if given.service else f"{LINK} Reply STOP to stop")
        assert segments(said.text).encoding == "GSM-7"
        longest = 2 if kind in CARD_KINDS else 1
        assert segments(said.text).count <= longest, said.text
        assert "Marigold" in said.text
        assert not re.search(r"\{\{|\{%|None|\bnil\b|  | \.|\. *\.|: *$", said.text)


@pytest.mark.parametrize("cause", [None, "late_delivery", "stockout", "return", "bad_review"])
@pytest.mark.parametrize(("program", "stage"), [one for one in STAGES if one[0] in OWN])
@pytest.mark.parametrize("facts", [ALL, SHOP], ids=["known", "unknown"])
def test_an_sms_without_an_offer_is_one_segment_with_a_long_name(facts: Facts, program: str, stage: str, cause: str | None) -> None:
    link = "https://shop.example/rekindle/c/a.3JXAeKJAiYmtSKIUkoQghw"
    given = replace(told(facts, program, stage, "none"), shop_name="M" * 20, shop_url=link, cause=cause)
    said = segments(short(CONTENT, given, "sms").text)
    assert (said.encoding, said.count) == ("GSM-7", 1)
    assert said.units <= ALONE["GSM-7"]


@pytest.mark.parametrize(("program", "stage"), STAGES)
@pytest.mark.parametrize("facts", [ALL, SHOP], ids=["known", "unknown"])
def test_a_notification_has_a_title_a_text_and_a_link(facts: Facts, program: str, stage: str) -> None:
    for kind in kinds(program, stage):
        for channel in ("webpush", "inapp", "webhook"):
            said = short(CONTENT, replace(told(facts, program, stage, kind), shop_url=LINK), channel)
            assert 5 < len(said.title) <= 120
            assert 5 < len(said.text) <= 300
            assert said.url == LINK
            assert "\n" not in said.title + said.text
            assert not re.search(r"\{\{|\{%|None|\bnil\b|  | \.|e-mail|[Aa] reply", f"{said.title}|{said.text}"), said


def test_what_ships_has_its_own_short_words_where_most_is_sent() -> None:
    own = {path.partition("/")[0] for path in CONTENT.texts if path.endswith(".sms.txt") and not path.startswith("blocks/")}
    assert own == OWN
    for program, stage in STAGES:
        name = f"{program}/{stage}"
        assert template(CONTENT, name, "sms") == (f"{name}.sms.txt" if program in OWN else "blocks/short.sms.txt")
        assert template(CONTENT, name, "inapp") == (f"{name}.short.txt" if program in OWN else "blocks/short.txt")


def test_a_channels_own_words_go_before_those_that_all_share() -> None:
    mine = TemplateSet({**CONTENT.texts, "win-back/tailor.webpush.txt": "Title: Mine\n\nOnly here, {{ first_name }}."})
    facts = told(ALL, "win-back", "tailor", "none")
    assert (short(mine, facts, "webpush").title, short(mine, facts, "webpush").text) == ("Mine", "Only here, Ada.")
    assert short(mine, facts, "inapp") == short(CONTENT, facts, "inapp")


def test_an_sms_is_not_made_longer_by_signs_that_have_plain_ones() -> None:
    said = short(CONTENT, replace(told(ALL, "thank-you", "thanks", "none"), products=("Mia’s “red” lamp – large…",)), "sms")
    assert "Mia's \"red\" lamp - large..." in said.text


@pytest.mark.parametrize("kind", sorted(PRICE_KINDS))
def test_a_short_message_lacks_no_more_than_an_e_mail(kind: str) -> None:
    facts = replace(told(ALL, "win-back", "tailor", kind), code="")
    with pytest.raises(Refused, match="no code or no last day"):
        short(CONTENT, facts, "sms")


def test_mistakes_in_short_words_are_named() -> None:
    wrong = TemplateSet({**CONTENT.texts, "win-back/tailor.sms.txt": "{{ nobody }}"})
    with pytest.raises(BadData, match=r"win-back/tailor\.sms\.txt"):
        short(wrong, told(ALL, "win-back", "tailor", "none"), "sms")


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("win-back/tailor.sms.txt", "{{ offer_label }} until {{ valid_until }}", "the sms of win-back/tailor lacks the offer's code"),
        ("win-back/tailor.short.txt", "{{ code }}", "the webpush of win-back/tailor lacks the offer's offer_minimum, "),
        ("onboarding/help.sms.txt", "{{ offer_label }}", "the sms of onboarding/help offers offer_label, and the e-mail does not"),
        ("onboarding/help.sms.txt", "{{ guarantee }}", "the sms of onboarding/help claims guarantee, and the e-mail does not"),
    ],
)
def test_a_form_that_strays_is_named(path: str, text: str, why: str) -> None:
    found = [one for one in strays(TemplateSet({**CONTENT.texts, path: text})) if one.path == path]
    assert any(one.why.startswith(why) for one in found), found


PERSONAS = {"price_sensitive": "it can go back", "premium": "Our guarantee", "quick_solution": "How soon it is with you"}


@pytest.mark.parametrize("persona", [None, *PERSONAS])
def test_a_persona_reads_what_matters_to_it_and_others_the_neutral_words(persona: str | None) -> None:
    said = render(CONTENT, replace(told(ALL, "win-back", "tailor", "none"), persona=persona))
    for one, words in PERSONAS.items():
        assert (words in said.text) == (words in said.html) == (one == persona)
    without = render(CONTENT, replace(told(SHOP, "win-back", "tailor", "none"), persona=persona))
    assert without.text == render(CONTENT, told(SHOP, "win-back", "tailor", "none")).text, "no registered fact, no difference"
