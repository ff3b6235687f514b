"""Reading grades by their published formulas, and how syllables are counted for them."""

import pytest

from rekindle.program.lint.lexicon import lexicons, words
from rekindle.program.lint.passages import FACT
from rekindle.program.lint.readability import Counts, count, flesch_kincaid, wiener_sachtextformel

PLATYPUS = "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature"
EN, DE = lexicons()["en"], lexicons()["de"]


def test_flesch_kincaid_of_a_sentence_that_is_often_cited() -> None:
    """13 words, 24 syllables, 1 sentence: grade 11.3."""
    assert flesch_kincaid(Counts(1, 13, 24, 0, 0, 0)) == pytest.approx(11.3, abs=0.05)
    counted = count(words(PLATYPUS), 1, EN.vowels, EN.silent)
    assert (counted.words, counted.sentences) == (13, 1)
    assert abs(counted.syllables - 24) <= 2


def test_wiener_sachtextformel_by_hand() -> None:
    """10 words in 2 sentences, of them 2 with three syllables or more, 3 with more than six letters, 5 with one syllable."""
    by_hand = 0.1935 * 20 + 0.1672 * 5 + 0.1297 * 30 - 0.0327 * 50 - 0.875
    assert wiener_sachtextformel(Counts(2, 10, 20, 2, 3, 5)) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("word", "syllables"), [("order", 2), ("have", 1), ("table", 2), ("the", 1), ("free", 1), ("you", 1), ("hm", 1), (FACT, 2)]
)
def test_syllables_in_english(word: str, syllables: int) -> None:
    assert count([word], 1, EN.vowels, EN.silent).syllables == syllables


@pytest.mark.parametrize(("word", "syllables"), [("Bestellung", 3), ("Lampe", 2), ("Öl", 1), ("Haus", 1), ("für", 1), (FACT, 2)])
def test_syllables_in_german(word: str, syllables: int) -> None:
    assert count([word], 1, DE.vowels, DE.silent).syllables == syllables


def test_nothing_has_no_division_by_it() -> None:
    assert count([], 0, EN.vowels) == Counts(1, 1, 0, 0, 0, 0)
