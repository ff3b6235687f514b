"""A skeleton says what Liquid says of the same template and the same facts, whatever both are."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from rekindle.deliver.quoted_printable import decoded, encoded
from rekindle.deliver.sandbox import OUTPUT_LIMIT, parse
from rekindle.deliver.skeleton import fill, prepare

NAMES = ("first_name", "offer_kind", "orders", "has_card", "products", "none")
VALUES: dict[str, st.SearchStrategy[object]] = {
    "first_name": st.none() | st.text(max_size=8) | st.sampled_from(["Ada", "<b>", "Zoë & Co", "=3D", " ", ""]),
    "offer_kind": st.sampled_from(["percent", "shipping", "none", ""]) | st.none(),
    "orders": st.integers(-1, 3) | st.booleans(),
    "has_card": st.booleans(),
    "products": st.lists(st.sampled_from(["Vase", "a=b", "<i>"]), max_size=3).map(tuple),
    "none": st.none(),
}
FACTS = st.fixed_dictionaries(VALUES)
LITERALS = st.sampled_from(['""', '"percent"', '"Ada"', "0", "1", "2", "true", "false", "nil", "empty", "blank"])
OPERATORS = st.sampled_from(["==", "!=", "<>", "<", ">", "<=", ">=", "contains"])
PATHS = st.sampled_from([*NAMES, "products[0]", "products.size", "mine"])
IN_LOOPS = st.sampled_from(
    ["{{ one }}", "{% if forloop.last == false %}, {% endif %}", "{{ forloop.index }}{{ forloop }}", "{% if one == 'Vase' %}!{% endif %}"]
)
COMPARISONS = st.builds("{} {} {}".format, PATHS | LITERALS, OPERATORS, LITERALS | PATHS)
CONDITIONS = st.recursive(
    PATHS | LITERALS | COMPARISONS, lambda inner: st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner)
)
TEXTS = st.sampled_from(["Hello", " ", "\n", "a = b\n", "x" * 90, "", "\r\n", "é"])
FILTERS = st.sampled_from(["", "-", '| append: "!" ', "| size ", "| first "])
OUTPUTS = st.builds("{{{{{} {} {}}}}}".format, st.sampled_from(["", "-"]), PATHS, FILTERS)
ASSIGNS = st.builds("{{% assign {} = {} %}}".format, st.sampled_from(["mine", "first_name", "orders"]), PATHS | LITERALS)
LEAVES = TEXTS | OUTPUTS | ASSIGNS | st.sampled_from(["{% comment %}no{% endcomment %}", "{% # no %}", "{% break %}"])


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    dash = st.sampled_from(["", "-"])
    return (
        st.builds("{{%{} if {} {}%}}{}{{% endif %}}".format, dash, CONDITIONS, dash, inner)
        | st.builds("{{% if {} %}}{}{{% elsif {} %}}{}{{% else %}}{}{{% endif -%}}".format, CONDITIONS, inner, CONDITIONS, inner, inner)
        | st.builds("{{% unless {} %}}{}{{% endunless %}}".format, CONDITIONS, inner)
        | st.builds(
            "{{% case {} %}}{{% when {}, {} %}}{}{{% when {} %}}{}{{% else %}}{}{{% endcase %}}".format,
            PATHS, LITERALS, LITERALS, inner, LITERALS, inner, inner,
        )  # fmt: skip
        | st.builds("{{% for one in {} %}}{}{}{{% endfor %}}".format, PATHS, IN_LOOPS, IN_LOOPS | inner)
        | st.builds("{{% capture mine %}}{}{{% endcapture %}}".format, inner)
        | st.builds("{}{}".format, inner, inner)
    )


TEMPLATES = st.recursive(LEAVES, blocks, max_leaves=12)


def outcome(do: Any) -> str:
    """What is said, or that it cannot be."""
    try:
        return str(do())
    except LiquidError:
        return "refused"


@settings(max_examples=250, deadline=None)
@given(TEMPLATES, FACTS, st.booleans())
def test_a_skeleton_says_what_liquid_says(source: str, said: dict[str, object], escaping: bool) -> None:
    template = parse(source, escaping=escaping)
    expected = outcome(lambda: template.render(**said))
    assert outcome(lambda: "".join(fill(prepare(template, str), said))) == expected
    plain = expected.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    assert outcome(lambda: decoded(b"".join(fill(prepare(template, encoded), said)))) == plain


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% assign first_name = "Eve" %}{{ first_name }}{% if first_name == "Eve" %}!{% endif %}', "Eve!"),
        ("{% capture orders %}many{% endcapture %}{{ orders }}", "many"),
        ('{% case orders %}{% when "2" %}text{% when "3" %}text{% else %}number{% endcase %}', "number"),
        ('{% case first_name %}{% when "Ada" %}1{% when "Ada" %}2{% endcase %}', "12"),
        ('{% case first_name %}{% else %}rest{% when "Ada" %}1{% endcase %}', "rest1"),
        ("{% for one in products %}{{ one }}{% if forloop.last == false %}, {% endif %}{% endfor %}", "Vase, Cup"),
        ("{% for one in products %}{{ forloop.index }}{% if one == 'Cup' and first_name %}{{ one }}{% endif %}{% endfor %}", "12Cup"),
        ("{% for one in products reversed %}{{ one }}{% endfor %}{% for one in products limit: 1 %}{{ one }}{% endfor %}", "CupVaseVase"),
        ("{% for one in products %}{% if forloop.index == 2 %}{% break %}{% endif %}{{ one }}{% endfor %}", "Vase"),
        ("{% for one in products %}{% assign last = one %}{% endfor %}{{ last }}", "Cup"),
        ("{% for one in orders %}{{ one }}{% else %}none{% endfor %}{% for one in first_name %}{{ one }}{% endfor %}", "noneAda"),
        ("{% for a in products %}{% for b in products %}{{ forloop.parentloop.index }}{% endfor %}{{ a }}{% endfor %}", "11Vase22Cup"),
        ("{% if orders %} {% endif %}|{% if orders %} {% else %}x{% endif %}|", "| |"),
    ],
)
def test_what_a_template_says_of_ada_who_ordered_twice(source: str, expected: str) -> None:
    template, said = parse(source, escaping=False), {"first_name": "Ada", "orders": 2, "products": ("Vase", "Cup")}
    assert "".join(fill(prepare(template, str), said)) == template.render(**said) == expected


def test_truth_and_one_are_two_things() -> None:
    skeleton = prepare(parse("{{ orders }}", escaping=False), str)
    assert [fill(skeleton, {"orders": value}) for value in (1, True, 0, False)] == [["1"], ["true"], ["0"], ["false"]]


@pytest.mark.parametrize("source", ["{{ nobody }}", "{% if nobody %}{% endif %}", "{% case nobody %}{% when 'a' %}{% endcase %}"])
def test_a_name_that_stands_for_nothing_is_refused(source: str) -> None:
    with pytest.raises(LiquidError, match="'nobody' is undefined"):
        fill(prepare(parse(source, escaping=False), str), {})


def test_what_facts_make_long_is_refused() -> None:
    skeleton = prepare(parse("{{ long }}{{ long }}", escaping=False), str)
    with pytest.raises(LiquidError, match="more than 200,000 characters"):
        fill(skeleton, {"long": "x" * (OUTPUT_LIMIT // 2 + 1)})


def test_plain_words_are_never_asked_of_liquid(monkeypatch: pytest.MonkeyPatch) -> None:
    source = '{% if a and b != "" or c == false %}{{ a }}{% else %}-{% endif %}{% case b %}{% when "x", "y" %}1{% else %}2{% endcase %}'
    skeleton = prepare(parse(source, escaping=True), str)
    monkeypatch.setattr("rekindle.deliver.skeleton.Watched", None)
    assert "".join(fill(skeleton, {"a": "A", "b": "y", "c": True})) == "A1"
    assert "".join(fill(skeleton, {"a": None, "b": "", "c": True})) == "-2"
