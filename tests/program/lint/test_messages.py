"""A message as a whole: its head, length, reading grade, one thing to do, and what an SMS takes."""

import pytest

from rekindle.program.lint import Asked, examine, lint

FACTS = {"shop_url": "https://shop.example/c/" + "x" * 24, "shop_name": "Lumen & Oak", "preferences_url": "", "unsubscribe_url": ""}
ASKED = Asked("en", FACTS, frozenset({"shop.example"}), frozenset({"order-confirmation"}))
HEAD = "Subject: A lamp\nPreheader: It is here.\n\n"
HARD = "Notwithstanding considerable organisational difficulties, representatives systematically investigated alternative possibilities. "
SCHWER = (
    "Ungeachtet beträchtlicher organisatorischer Schwierigkeiten untersuchten die Verantwortlichen systematisch alternative Möglichkeiten. "
)


def rules(texts: dict[str, str], asked: Asked = ASKED) -> list[tuple[str, int, str]]:
    return [(one.file.removeprefix("content/"), one.line, one.rule) for one in lint(texts, asked)]


def of_mail(text: str) -> list[tuple[int, str]]:
    return [(line, rule) for _, line, rule in rules({"win-back/a.txt": text})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD}Hello.\n", []),
        ("Subject: A lamp\n\nHello.\n", [(1, "head-missing")]),
        ("Hello.\n", [(1, "head-missing")] * 2),
        (f"Subject: {'lamp ' * 15}\nPreheader: It is here.\n\nHello.\n", [(1, "subject-long")]),
        (f"Subject: A lamp\nPreheader: {'lamp ' * 23}\n\nHello.\n", [(2, "preheader-long")]),
        (f"Subject: {{% if shop_name %}}{'lamp ' * 15}{{% else %}}a{{% endif %}}\nPreheader: a\n\nHello.\n", []),
        (f"{HEAD}{'We have a lamp. ' * 62}\n", []),
        (f"{HEAD}{'We have a lamp. ' * 63}\n", [(4, "body-long")]),
        (f"{HEAD}{HARD * 4}\n", [(4, "reading-grade")]),
        (f"{HEAD}{SCHWER * 4}\n", [(4, "reading-grade")]),
        (f"{HEAD}Go: {{{{ shop_url }}}}\n", []),
        (f"{HEAD}Go: {{{{ shop_url }}}}\nOr less: {{{{ preferences_url }}}}\nStop: {{{{ unsubscribe_url }}}}\n", []),
        (f"{HEAD}Go: {{{{ shop_url }}}}\nOr go: {{{{ shop_url }}}}\n", [(5, "action-several")]),
        (f"{HEAD}{{% if shop_name %}}Go: {{{{ shop_url }}}}{{% else %}}Come: {{{{ shop_url }}}}{{% endif %}}\n", []),
        (f"{HEAD}We miss you. Look no further. We have a lamp.\n", [(4, "generic"), (4, "generic"), (4, "generic-share")]),
        (f"{HEAD}We miss you. {'We have a lamp. ' * 5}\n", [(4, "generic")]),
    ],
)
def test_a_mail(text: str, expected: list[tuple[int, str]]) -> None:
    assert of_mail(text) == expected


def test_a_text_is_measured_with_what_it_includes() -> None:
    texts = {
        "win-back/a.txt": f"{HEAD}We have a lamp for you.\n<!-- include blocks/end -->\n",
        "blocks/end.txt": "It is {{ shop_name }}.\n" * 10,
    }
    (measured,) = examine(texts, ASKED).messages
    assert (measured.file, measured.language, measured.words, measured.generic) == ("win-back/a.txt", "en", 6 + 40, 0.0)
    assert measured.grade == pytest.approx(0.39 * 36 / 11 + 11.8 * (6 + 10 * 4) / 36 - 15.59, abs=0.05)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<mj-button href='{{ shop_url }}'>Go</mj-button>", []),
        ("<mj-button href='{{ shop_url }}'>Go</mj-button>\n<a href='{{ shop_url }}/x'>Or go</a>", [(2, "action-several")]),
        ("<mj-button href='{{ shop_url }}'>Go</mj-button><a href='{{ preferences_url }}'>Less</a><a href='mailto:x@y'>Write</a>", []),
    ],
)
def test_a_mail_has_one_button(text: str, expected: list[tuple[int, str]]) -> None:
    found = rules({"win-back/a.mjml": text, "win-back/a.txt": f"{HEAD}Hello.\n"})
    assert [(line, rule) for file, line, rule in found if file.endswith(".mjml")] == expected


def test_every_mail_has_a_text() -> None:
    assert rules({"win-back/a.mjml": "<mj-text>Hello.</mj-text>"}) == [("win-back/a.mjml", 1, "text-missing")]
    assert rules({"layout.mjml": "<mj-text>Hello.</mj-text>", "blocks/a.mjml": "<mj-text>Hello.</mj-text>"}) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ shop_name }}: it is here. {{ shop_url }} Reply STOP to stop", []),
        ("{{ shop_name }}: it is here. {{ shop_url }}", ["sms-stop"]),
        ("{{ shop_name }}: es ist da. {{ shop_url }} Antworten Sie mit STOPP.", []),
        ("{{ shop_name }}: it is here 🎁 {{ shop_url }} Reply STOP to stop", ["sms-encoding", "sms-long"]),
        ("{{ shop_name }}: it’s here – now… {{ shop_url }} Reply STOP to stop", []),
        (f"{'It is here. ' * 8}{{{{ shop_url }}}} Reply STOP to stop", ["sms-long"]),
        (f"{{% if shop_name %}}{'It is here. ' * 8}{{% endif %}}{{{{ shop_url }}}} Reply STOP to stop", ["sms-long"]),
    ],
)
def test_an_sms(text: str, expected: list[str]) -> None:
    found = rules({"win-back/a.txt": f"{HEAD}Hello.\n", "win-back/a.sms.txt": text})
    assert [rule for file, _, rule in found if file.endswith(".sms.txt")] == expected


def test_news_of_an_order_need_not_say_how_to_stop() -> None:
    assert rules({"order-confirmation/a.txt": f"{HEAD}Hello.\n", "order-confirmation/a.sms.txt": "We have it. {{ shop_url }}"}) == []


def test_a_language_without_a_lexicon_is_named_once() -> None:
    asked = Asked("fr_FR", FACTS)
    french = "Merci pour votre commande, elle arrive bientôt chez vous.\n"
    assert rules({"blocks/a.txt": french, "blocks/b.txt": french}, asked) == [("blocks/a.txt", 1, "language-unknown")]
    assert rules({"blocks/a.txt": "We hope that this is what you wanted.\n"}, asked) == []


def test_findings_come_by_file_and_line_with_severity_and_remedy() -> None:
    found = lint({"blocks/b.txt": "We miss you.", "blocks/a.txt": "Fine.\nAct now.\nHurry."}, ASKED)
    assert [str(one) for one in found] == [
        "content/blocks/a.txt:2: error: 'Act now' presses the reader. Say what is offered and until when, and leave the choice. [pressure]",
        "content/blocks/a.txt:3: error: 'Hurry' presses the reader. Say what is offered and until when, and leave the choice. [pressure]",
        "content/blocks/b.txt:1: warning: 'We miss you' could be any shop's. Say what is true of this customer or this shop. [generic]",
    ]
