"""What a shop lays down of its voice, what it registers as true, and the exceptions that it makes."""

import pytest

from rekindle.program.lint import Asked, Place, lint

ASKED = Asked("en", {"name": ""}, frozenset({"shop.example"}))
WHY = 'because "the poet wrote it"'


def found(texts: dict[str, str], asked: Asked = ASKED) -> list[tuple[str, int, str]]:
    return [(one.file, one.line, one.rule) for one in lint(texts, asked)]


def of_text(text: str, brand: str, locale: str = "en") -> list[tuple[int, str]]:
    return [(line, rule) for _, line, rule in found({"blocks/x.txt": text, "brand.yaml": brand}, Asked(locale))]


@pytest.mark.parametrize(
    ("text", "brand", "expected"),
    [
        ("Lumen & Oak, and Lumen & Oak's lamps.", "name: Lumen & Oak", []),
        ("Here is\nlumen & oak.", "name: Lumen & Oak", [(2, "brand-name")]),
        ("LumenOak and Lumen and Oak.", "name: Lumen & Oak", [(1, "brand-name"), (1, "brand-name")]),
        ("A cheap lamp, a cheaper one.", "never: [cheap]", [(1, "brand-never")]),
        ("Dear all, hello.", "never: ['dear all']", [(1, "brand-never")]),
        ("Your purchase is here.", "rather: {purchase: order}", [(1, "brand-rather")]),
        ("# nothing but a comment", "# nothing but a comment", []),
    ],
)
def test_words_of_the_brand(text: str, brand: str, expected: list[tuple[int, str]]) -> None:
    assert of_text(text, brand) == expected


@pytest.mark.parametrize(
    ("text", "address", "expected"),
    [
        ("Guten Tag, Ihre Lampe ist da, und wir danken Ihnen.", "formal", []),
        ("Hallo, deine Lampe ist da, und wir danken dir.", "formal", [(1, "brand-address"), (1, "brand-address")]),
        ("Hallo, deine Lampe ist da. Sie leuchtet.", "informal", []),
        ("Hallo, hier ist Ihre Lampe.", "informal", [(1, "brand-address")]),
    ],
)
def test_the_address_is_kept(text: str, address: str, expected: list[tuple[int, str]]) -> None:
    assert of_text(text, f"address: {address}", "de") == expected


def test_what_is_said_instead_is_named() -> None:
    (one,) = lint({"blocks/x.txt": "Your Purchase is here.", "brand.yaml": "rather: {purchase: order}"}, ASKED)
    assert one.message == "'Purchase' has a word that the brand says differently: order"


@pytest.mark.parametrize(
    ("brand", "line", "rule", "message"),
    [
        ("\nnames: X", 2, "brand-unusable", "there is no key 'names' here. Did you mean 'name'?"),
        ("name: [X]", 1, "brand-unusable", "name is not a text"),
        ("address: casual", 1, "brand-unusable", "address is neither formal nor informal"),
        ("never: cheap", 1, "brand-unusable", "never: not a list of words"),
        ("never:\n  - fine\n  - 'a(b|c)*'", 3, "brand-unusable", "never: 'a(b|c)*' is not words alone"),
        ("rather: [a]", 1, "brand-unusable", "rather: not a table of words"),
        ("rather:\n  a: 1", 2, "brand-unusable", "rather: 'a' is not words alone"),
        ("exceptions: {}", 1, "brand-unusable", "exceptions is not a list"),
        ("exceptions:\n  - guilt", 2, "exception-bad", "an exception is not {rule: ..., file: ..., reason: ...}"),
        ("exceptions:\n  - {rule: guilt, file: a.txt}", 2, "exception-bad", "the exception to 'guilt' has no reason"),
        ("exceptions:\n  - {rule: guild, file: a.txt, reason: because}", 2, "exception-bad", "there is no rule 'guild'"),
        ("exceptions:\n  - {rule: sms-stop, file: a.txt, reason: because}", 2, "exception-bad", "there is no exception to 'sms-stop'"),
        ("exceptions:\n  - {rule: guilt, reason: because}", 2, "exception-bad", "an exception names no file"),
        ("a: b: c", 1, "brand-unusable", "content/brand.yaml: not YAML: mapping values are not allowed here"),
        ("never: [*x]", 1, "brand-unusable", "content/brand.yaml: anchors (&) and aliases (*) are not read"),
    ],
)
def test_a_brand_that_cannot_be_used_is_named(brand: str, line: int, rule: str, message: str) -> None:
    assert [(one.file, one.line, one.rule, one.message) for one in lint({"brand.yaml": brand}, ASKED)] == [
        ("content/brand.yaml", line, rule, message)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{{% comment %}} lint: allow pressure {WHY} {{% endcomment %}}\nAct now.", []),
        (f"Act now. {{% # lint: allow pressure {WHY} %}}", []),
        (f"{{% comment %}}\n lint: allow pressure {WHY}\n{{% endcomment %}}Act now.\nAct now.", [(4, "pressure")]),
        (f"{{% comment %}} lint: allow guilt {WHY} {{% endcomment %}}\nAct now.", [(1, "exception-unused"), (2, "pressure")]),
        ("{% comment %} lint: allow pressure {% endcomment %}\nAct now.", [(1, "exception-bad"), (2, "pressure")]),
        ('{% comment %} lint: allow pressure because "" {% endcomment %}\nAct now.', [(1, "exception-bad"), (2, "pressure")]),
        (f"{{% comment %}} lint: allow fact-unknown {WHY} {{% endcomment %}}\n{{{{ x }}}}", [(1, "exception-bad"), (2, "fact-unknown")]),
    ],
)
def test_an_exception_in_a_file(text: str, expected: list[tuple[int, str]]) -> None:
    assert [(line, rule) for _, line, rule in found({"blocks/x.txt": text})] == expected


def test_an_exception_in_the_brand() -> None:
    brand = (
        "exceptions:\n  - {rule: pressure, file: content/blocks/x.txt, reason: a poem}\n  - {rule: pressure, file: b.txt, reason: a poem}"
    )
    texts = {"blocks/x.txt": "Act now.\n\nAct now.", "blocks/y.txt": "Act now.", "brand.yaml": brand}
    assert found(texts) == [("content/blocks/y.txt", 1, "pressure"), ("content/brand.yaml", 3, "exception-unused")]


def test_registered_facts_bear_their_numbers_and_are_held_to_the_rest() -> None:
    fix = 'fix: ["We are sorry, it is mended."]\n'
    facts = f'returns_policy: "30 days, with a label."\nguarantee: {{text: "Act now.", evidence: "only 3 left"}}\n{fix}'
    texts = {"blocks/x.txt": "You have 30 days.\n\nYou have 40 days.", "facts.yaml": facts}
    assert found(texts) == [("content/blocks/x.txt", 3, "number-unbound"), ("content/facts.yaml", 2, "pressure")]


def test_texts_of_other_documents_are_held_to_the_rules_too() -> None:
    said = ((Place("offers.yaml", 7), "20 % off, only today"), (Place("offers.yaml", 9), "Free delivery"))
    assert found({}, Asked(spoken=said)) == [("offers.yaml", 7, "deadline-unbound")]
    exempt = "exceptions: [{rule: deadline-unbound, file: offers.yaml, reason: a poem}]"
    assert found({"brand.yaml": exempt}, Asked(spoken=said)) == []
