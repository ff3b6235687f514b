"""The words that break a rule are found, each by its own rule and no other; good sentences are left alone."""

import pytest

from rekindle.program.lint import Asked, lint
from rekindle.program.lint.lexicon import lexicons
from rekindle.program.lint.rules import RULES
from tests.program.lint.corpus import ENGLISH, GERMAN

FACTS = dict.fromkeys(("stock", "days_ahead", "valid_until", "promised_day", "last_month"), "")
ALL = [("en", *one) for one in ENGLISH] + [("de", *one) for one in GERMAN]


def broken(sentence: str, locale: str) -> str:
    """The rules that a sentence breaks."""
    found = lint({"blocks/x.txt": sentence}, Asked(locale, FACTS, frozenset({"shop.example"})))
    return " ".join(sorted({one.rule for one in found}))


@pytest.mark.parametrize(("locale", "sentence", "rules"), ALL)
def test_a_sentence(locale: str, sentence: str, rules: str) -> None:
    assert broken(sentence, locale) == rules


@pytest.mark.parametrize(("locale", "sentence", "rules"), [one for one in ALL if one[2]])
def test_a_sentence_is_found_within_a_message(locale: str, sentence: str, rules: str) -> None:
    around = {"en": ("Hello, this is what we have for you.", "That is all that we have to say."),
              "de": ("Guten Tag, das haben wir für Sie.", "Mehr ist es auch nicht.")}[locale]  # fmt: skip
    found = lint({"blocks/x.txt": f"{around[0]}\n\n{sentence}\n\n{around[1]}\n"}, Asked(locale, FACTS, frozenset({"shop.example"})))
    assert {(one.line, one.rule) for one in found} == {(3, rule) for rule in rules.split()}


def test_the_corpus_has_every_rule_of_wording_in_both_languages() -> None:
    for language, sentences in (("en", ENGLISH), ("de", GERMAN)):
        assert set(lexicons()[language].rules) <= {rule for _, rules in sentences for rule in rules.split()}
    assert len(ALL) >= 120
    assert {rule for _, _, rules in ALL for rule in rules.split()} <= set(RULES)


def test_lexicons_hold_rules_that_exist() -> None:
    for lexicon in lexicons().values():
        assert lexicon.rules <= set(RULES)
