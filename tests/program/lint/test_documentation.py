"""docs/lint.md has every rule as the code has it, and its examples break the rules that they stand for."""

import re
from pathlib import Path

import pytest

from rekindle.program.lint import Asked, lint
from rekindle.program.lint.rules import RULES
from rekindle.service.flow.content import shipped_content

PAGE = (Path(__file__).parents[3] / "docs" / "lint.md").read_text(encoding="utf-8")
ROWS = {
    rule: (severity, says, example)
    for rule, severity, says, example in re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.*?) \| (.*) \|$", PAGE, re.MULTILINE)
}
BRAND = "name: Lumen & Oak\nnever: [cheap, dear all]\nrather: {purchase: order}\naddress: formal\n"
ASKED = Asked("en", {"shop_url": "", "category": ""}, frozenset({"shop.example"}))
QUOTED = {rule: quoted[0] for rule, (_, _, example) in ROWS.items() if (quoted := re.findall(r"`([^`]+)`", example))}
OF_A_MESSAGE = {"generic-share", "head-missing", "text-missing", "action-several", "sms-stop", "sms-encoding"}


def test_the_page_has_every_rule_as_it_is() -> None:
    assert {rule: row[:2] for rule, row in ROWS.items()} == {name: (rule.severity, rule.says) for name, rule in RULES.items()}


@pytest.mark.parametrize("rule", sorted(set(QUOTED) - OF_A_MESSAGE))
def test_an_example_breaks_its_rule(rule: str) -> None:
    file = "blocks/x.mjml" if rule == "alt-missing" else "blocks/x.txt"
    found = lint({file: f"{QUOTED[rule]}.\n", "brand.yaml": BRAND}, ASKED)
    assert {one.rule for one in found} == {rule}


def test_the_page_names_the_rules_without_exceptions() -> None:
    (named,) = re.findall(r"one to a rule that has none: (.*?)\.\n", PAGE, re.DOTALL)
    assert set(re.findall(r"`([a-z-]+)`", named)) == {name for name, rule in RULES.items() if rule.firm}


def test_the_examples_of_the_page_are_heard() -> None:
    (brand,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (comment,) = re.findall(r"```liquid\n(.*?)```", PAGE, re.DOTALL)
    assert {one.rule for one in lint({"brand.yaml": brand, "blocks/x.txt": f"{comment}From 0 on.\n"}, ASKED)} == {"exception-unused"}
    shipped = shipped_content().texts["brand.yaml"]
    assert [line.lstrip("# ").split("#")[0].strip() for line in shipped.splitlines()[2:]] == [
        line.split("#")[0].strip() for line in brand.splitlines()
    ]
