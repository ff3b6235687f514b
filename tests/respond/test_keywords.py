"""What people text back, and what they are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.program.sms_segments import segments
from rekindle.respond.keywords import Wish, answer, wish

STOPS = ["STOP", "StopAll", "end", "CANCEL", "unsubscribe", "Quit", "revoke", "opt out", "OPT-OUT", "Stopp", "abmelden"]
AROUND = ["{}", " {} ", "{}.", "{}!!!", "«{}»", "'{}'", "\n{}\n", "*{}*", "{} 🙏", "_{}_", "({})"]
SHOP = ("Marigold", "hello@marigold.example", "https://marigold.example")


@pytest.mark.parametrize("word", STOPS)
def test_every_word_for_stop_counts_in_any_case_and_punctuation(word: str) -> None:
    spelt = [form.format(one) for form in AROUND for one in (word, word.upper(), word.lower(), word.title())]
    assert [text for text in spelt if wish(text) is not Wish.STOP] == []


FORMS = ["S.T.O.P", "s t o p", "ＳＴＯＰ", "stop all", "STOP please, no more", "Stop! I mean it", "unsubscribe me"]


@pytest.mark.parametrize("text", FORMS)
def test_stop_is_understood_in_the_forms_that_people_use(text: str) -> None:
    assert wish(text) is Wish.STOP


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("HELP", Wish.HELP), ("info?", Wish.HELP), ("Hilfe!", Wish.HELP), ("START", Wish.START), ("unstop", Wish.START),
        ("", Wish.OTHER), ("thank you", Wish.OTHER), ("cancel my order please", Wish.OTHER), ("when does the offer end", Wish.OTHER),
        ("don't stop", Wish.OTHER), ("nonstop", Wish.OTHER), ("quite good", Wish.OTHER), ("I need help", Wish.OTHER), ("🛑", Wish.OTHER),
    ],
)  # fmt: skip
def test_what_asks_for_something_else_is_not_taken_for_stop(text: str, asked: Wish) -> None:
    assert wish(text) is asked


@given(st.text(max_size=2_000))
def test_any_text_is_understood_as_one_wish(text: str) -> None:
    assert wish(text) in set(Wish)
    assert wish(f"STOP {text}") is Wish.STOP


@pytest.mark.parametrize("locale", ["en", "de_AT", "de-DE", "fr", ""])
@pytest.mark.parametrize("asked", [Wish.STOP, Wish.HELP, Wish.START])
def test_an_answer_names_the_shop_and_fits_one_segment(asked: Wish, locale: str) -> None:
    said = answer(asked, locale, *SHOP)
    assert said.startswith("Marigold: ")
    assert (segments(said).encoding, segments(said).count) == ("GSM-7", 1)
    assert ("abgemeldet" in said) == (asked is Wish.STOP and locale.startswith("de"))


def test_nothing_else_is_answered() -> None:
    assert answer(Wish.OTHER, "en", *SHOP) == ""
