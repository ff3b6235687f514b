"""The words that break a rule are found, each by its own rule and no other; good sentences are left alone."""

import pytest

from rekindle.deliver.words import LASTING
from rekindle.program.lint import Asked, Place, lint
from rekindle.program.lint.lexicon import lexicons
from rekindle.program.lint.rules import RULES
from tests.program.lint.corpus import ENGLISH, GERMAN
from tests.program.lint.unseen import LATER_ENGLISH, LATER_GERMAN, PLAIN_ENGLISH, PLAIN_GERMAN, PRESSING_ENGLISH, PRESSING_GERMAN

FACTS = dict.fromkeys(("stock", "days_ahead", "valid_until", "promised_day", "last_month"), "")
ALL = [("en", *one) for one in ENGLISH] + [("de", *one) for one in GERMAN]


AROUND = {
    "en": ("Hello, this is what we have for you.", "That is all that we have to say."),
    "de": ("Guten Tag, das haben wir für Sie.", "Mehr ist es auch nicht."),
}


@pytest.mark.parametrize(("locale", "sentence", "rules"), ALL)
def test_a_sentence(locale: str, sentence: str, rules: str) -> None:
    before, after = AROUND[locale]
    text = f"{before}\n\n{sentence}\n\n{after}\n"
    found = lint({"blocks/x.txt": text}, Asked(locale, FACTS, frozenset({"shop.example"})))
    assert {(one.line, one.rule) for one in found} == {(3, rule) for rule in rules.split()}


@pytest.mark.parametrize(("locale", "said"), LASTING.items())
def test_that_a_budget_may_run_out_is_said_where_it_is_true(locale: str, said: str) -> None:
    for limited, expected in ((False, ["budget-unbound"]), (True, [])):
        held = Asked(locale, limited=limited, spoken=((Place("offers.yaml", 7), said),))
        assert [one.rule for one in lint({"blocks/x.txt": "Hello.\n"}, held)] == expected


def test_the_corpus_has_every_rule_of_wording_in_both_languages() -> None:
    for language, sentences in (("en", ENGLISH), ("de", GERMAN)):
        assert set(lexicons()[language].rules) <= {rule for _, rules in sentences for rule in rules.split()}
    assert len(ALL) >= 120
    assert {rule for _, _, rules in ALL for rule in rules.split()} <= set(RULES)


def test_lexicons_hold_rules_that_exist() -> None:
    for lexicon in lexicons().values():
        assert lexicon.rules <= set(RULES)


def flagged(sentences: list[str], locale: str) -> list[str]:
    """The sentences that break a rule."""
    asked = Asked(locale, FACTS | {"first_name": ""}, frozenset({"shop.example"}))
    return [one for one in sentences if lint({"blocks/x.txt": one}, asked)]


def test_sentences_written_without_the_lexicon() -> None:
    missed = set(PRESSING_ENGLISH) - set(flagged(PRESSING_ENGLISH, "en"))
    assert missed <= {
        "Did we lose your heart?", "Your cart is about to be emptied", "Don't say we didn't warn you", "Overweight? This helps.",
    }  # fmt: skip
    assert flagged(PRESSING_GERMAN, "de") == PRESSING_GERMAN
    assert flagged(LATER_ENGLISH, "en") == LATER_ENGLISH
    assert flagged(LATER_GERMAN, "de") == LATER_GERMAN
    assert flagged(PLAIN_ENGLISH, "en") == []
    assert flagged(PLAIN_GERMAN, "de") == []
