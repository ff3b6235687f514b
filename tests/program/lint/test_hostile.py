"""No text makes the linter fail, take long, or change its mind."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.program.lint import Asked, lint
from rekindle.program.lint.markup import tokens

ASKED = Asked("en", {"name": "Ada", "shop_url": "https://shop.example/"}, frozenset({"shop.example"}))
LINES = """
{% if name %}|{% else %}|{% endif %}|{% case name %}|{% when 'a' %}|{% endcase %}|{% for one in (0..9) %}|{% endfor %}|{{ name }}|{{|}}
{%|%}|<!-- include a -->|<!-- include blocks/x -->|<!--|-->|{% raw %}|{% endraw %}|{% comment %}|{% endcomment %}|{{ nome | upcase }}
lint: allow guilt because "x"|<mj-text>|</mj-text>|<mj-style>|<img src='a'>|<a href="|">|Act now|hurry|We miss you. |only 3 left
Subject: |Preheader: a|'|"|https://bit.ly/a|1.
"""
PIECES = st.sampled_from([*LINES.strip().replace("\n", "|").split("|"), "\n", "\n\n", "\u200b", "\ue000", "\x1e", "\ud800", "1. ", " "])
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join))
FILES = st.dictionaries(
    st.sampled_from(
        ["a.txt", "win-back/a.txt", "win-back/a.mjml", "win-back/a.sms.txt", "blocks/x.txt", "blocks/x.mjml", "brand.yaml", "facts.yaml"]
    ),
    TEXTS,
)


@settings(max_examples=80, deadline=None)
@given(FILES)
def test_any_text_has_an_answer_and_always_the_same(texts: dict[str, str]) -> None:
    found = lint(texts, ASKED)
    assert lint(texts, ASKED) == found == tuple(sorted(set(found)))
    for one in found:
        name = one.file.removeprefix("content/")
        assert name in texts
        assert 1 <= one.line <= texts[name].count("\n") + 1


@settings(max_examples=80, deadline=None)
@given(TEXTS, st.booleans())
def test_tokens_are_the_text(text: str, markup: bool) -> None:
    found = list(tokens(text, markup))
    ends = [*(one.at for one in found), len(text)][1:]
    assert [one.at for one in found] == sorted({one.at for one in found})
    for one, end in zip(found, ends, strict=True):
        assert one.text in text[one.at : end]
        if one.kind in ("text", "element"):
            assert one.text == text[one.at : end]


HOSTILE = {
    "words": "we saw you in the shop and you are not late ",
    "hits": "act now ",
    "opened": "{{",
    "tags": "{%",
    "branches": "{% if name %}a{% endif %}",
    "choices": "{% if name %}act{% else %}now{% endif %} ",
    "nested": "{% if name %}a ",
    "elements": "<a ",
    "quotes": "<a \"'",
    "brackets": "<",
    "comments": "<!--",
    "blank": "\n \n",
    "apostrophes": "'",
    "digits": "1 ",
    "one number": "1",
    "one word": "a",
    "capitals": "ABC ",
    "dots": "a.",
    "hyphens": "a-",
    "links": "http://a ",
    "facts": "{{ name }} ",
    "includes": "<!-- include blocks/y -->",
    "after": "after all we ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_as_the_text_does(name: str) -> None:
    """Four times the text takes about four times as long; where each part looked at all others it would be sixteen."""

    def seconds(size: int) -> float:
        text = (HOSTILE[name] * (size // len(HOSTILE[name]) + 1))[:size]
        begin = time.process_time()
        lint({"blocks/x.mjml": text}, ASKED)
        return time.process_time() - begin

    seconds(1_000)  # its phrases are compiled now
    small = min(seconds(5_000) for _ in range(2))
    assert min(seconds(20_000) for _ in range(2)) < 9 * small + 0.1


def test_a_long_file_is_refused_and_read_no_further() -> None:
    text = "We have a lamp for you.\n" * 50_000
    begin = time.process_time()
    found = lint({"blocks/x.txt": f"{text}Act now."}, ASKED)
    assert time.process_time() - begin < 2
    assert [(one.line, one.rule) for one in found] == [(1, "template-broken")]
