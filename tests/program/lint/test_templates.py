"""Templates are read branch by branch: words are found where a reader gets them together, on their own lines."""

import pytest

from rekindle.program.lint import Asked, lint
from rekindle.program.lint.passages import FACT, parse
from rekindle.program.lint.readings import longest, readings, whole

ASKED = Asked(
    "en", dict.fromkeys(("name", "cause", "was_late", "valid_until", "items", "shop_url", "orders"), ""), frozenset({"shop.example"})
)


def broken(text: str, file: str = "blocks/x.txt", asked: Asked = ASKED) -> list[tuple[int, str]]:
    return [(one.line, one.rule) for one in lint({file: text}, asked)]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("Hello.\n\n\nAct now.\n", [(4, "pressure")]),
        ("Do not\nmiss out on it.", [(1, "pressure")]),
        ("Act\n\nnow.", []),
        ("Act{% if name %}, {{ name }}{% endif %} now.", [(1, "pressure")]),
        ("{% if name %}Act{% else %}React{% endif %} now.", [(1, "pressure")]),
        ("{% if name %}React{% else %}Act{% endif %} now.", [(1, "pressure")]),
        ("Act {% if name %}later{% elsif items %}\nnow{% endif %}.", [(1, "pressure")]),
        ("{% case cause %}{% when 'a' %}Fine.{% when 'b' %}Well.\n{% else %}Act now.{% endcase %}", [(2, "pressure")]),
        ("{% for one in items %}Act now, {{ one }}.{% endfor %}", [(1, "pressure")]),
        ("{% unless name %}Act now.{% endunless %}", [(1, "pressure")]),
        ("{% comment %} Act now, {{ nome }}. {% endcomment %}", []),
        ("{% raw %}Act now, {{ nome }}.{% endraw %}", [(1, "pressure")]),
        ("{{ name | default: nome, allow_false: true }}", [(1, "fact-unknown")]),
        ("{% for one in items limit: 3 %}{{ one | join: ', ' }}{% endfor %}", []),
        ("{%\nif\tname %}a{%- endif\n%}", []),
        ("Ac\u200bt n\u00adow.", [(1, "pressure")]),
        ("Don’t miss out.", [(1, "pressure")]),
        ("{% if was_late %}We are sorry.{% endif %}", []),
        ("{% if was_late and name %}Well: {% if name %}we are sorry.{% endif %}{% endif %}", []),
        ("{% case cause %}{% when 'late_delivery' %}We are sorry.{% endcase %}", []),
        ("{% if name %}We are sorry.{% endif %}", [(1, "apology-unbound")]),
        ("{{ nome }}", [(1, "fact-unknown")]),
        ("{% if nome == 'name' %}a{% endif %}", [(1, "fact-unknown")]),
        ("{% assign seen = orders | plus: 1 %}{{ seen }}{{ name | append: 'x' | upcase }}{{ items.size }}", []),
        ("{% for one in (0..orders) %}{{ one }}{{ forloop.last }}{% endfor %}", []),
        ("{% if name %}a", [(1, "template-broken")]),
        ("a{% endif %}", [(1, "template-broken")]),
        ("a\n{% comment %} b", [(2, "template-broken")]),
        ("{% if name %}" * 40 + "{% endif %}" * 40, [(1, "template-broken")]),
    ],
)
def test_a_text(text: str, rules: list[tuple[int, str]]) -> None:
    assert broken(text) == rules


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("<mj-text>Act <strong>now</strong>.</mj-text>", [(1, "pressure")]),
        ("<mj-text>Act</mj-text>\n<mj-text>now.</mj-text>", []),
        ("<mj-text>Act<br />now.</mj-text>", [(1, "pressure")]),
        ("<mj-text>Don&#39;t miss out.</mj-text>", [(1, "pressure")]),
        ("<mj-style>.a { width: 30px; content: 'Act now' }</mj-style>\n<mj-text>Act now.</mj-text>", [(2, "pressure")]),
        ("<mj-image src='x.png' />", [(1, "alt-missing")]),
        ("<mj-image src='x.png' alt='' /><img alt=\"A lamp > a candle\" src='y.png'>", []),
        ("<mj-image src='x.png' alt='{{ name }}, act\nnow' />\n<mj-text>Hello.</mj-text>", [(1, "pressure")]),
        ("<a href='http://shop.example/a'>a</a>", [(1, "link-insecure")]),
        ("<a href='https://www.shop.example/a'>a</a><a href='{{ shop_url }}/a'>b</a>", []),
        ("<a href='https://shop.example'>a</a><a href='https://WWW.Shop.Example:443?x=1'>b</a>", []),
        ("<a href='https://shop.example@bit.ly/a'>a</a>", [(1, "link-shortener")]),
        ("<a href='https://shop.example.evil.example/a'>a</a>", [(1, "link-foreign")]),
        ("<a href='https://bit.ly/a'>a</a>", [(1, "link-shortener")]),
        ("<mj-image alt='' src='https://elsewhere.example/a.png' />", [(1, "link-foreign")]),
        ("<mj-button href='{{ nome }}'>a</mj-button>", [(1, "fact-unknown")]),
        ("<mj-text>5 < 6 <3", [(1, "number-unbound")]),
    ],
)
def test_markup(text: str, rules: list[tuple[int, str]]) -> None:
    assert sorted(set(broken(text, "blocks/x.mjml"))) == rules


def test_an_apology_is_free_in_a_program_about_a_mishap() -> None:
    text = "Subject: It is late, and we are sorry\nPreheader: a\n\nWe are sorry."
    assert [rule for _, rule in broken(text, "delivery-late/late.txt")] == ["apology-unbound"] * 2
    assert broken(text, "delivery-late/late.txt", Asked("en", sorry=frozenset({"delivery-late"}))) == []


def test_every_branch_is_read_once() -> None:
    template = parse("x.txt", "a{% if p %}b{% if q %}c{% else %}d{% endif %}{% elsif r %}e{% endif %}f{{ g }}")
    found = readings(template.nodes)
    assert [one.text for one in found] == [f"abcf{FACT}", f"aef{FACT}", f"af{FACT}", "abd"]
    assert [one.text[slice(*one.own)] for one in found] == [f"abcf{FACT}", "e", "", "d"]
    assert longest(template.nodes, lambda fact: f"<{fact.expression}>") == "abcf<g>"


def test_includes_are_taken_in_and_circles_end() -> None:
    texts = {"a.txt": "1<!-- include b -->2<!-- include c -->", "b.txt": "x<!-- include a -->y", "d.txt": "<!-- include d -->z"}
    templates = {name: parse(name, text) for name, text in texts.items()}
    assert longest(whole(templates["a.txt"], templates), str) == "1xy2"
    assert longest(whole(templates["d.txt"], templates), str) == "z"


def test_includes_do_not_multiply_without_end() -> None:
    texts = {f"{name}.txt": f"<!-- include {chr(ord(name) + 1)} -->x" * 50 for name in "abcdefgh"}
    templates = {name: parse(name, text) for name, text in texts.items()}
    assert len(longest(whole(templates["a.txt"], templates), str)) <= 101 * 50
