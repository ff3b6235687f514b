"""What rules.yaml may say beyond one cap and one budget, and what is refused, with its place and remedy."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from rekindle.program.reading import read
from rekindle.program.rule_contracts import of_rules
from rekindle.program.rules import PartBudget, Rules
from tests.program.documentation import DOCS
from tests.program.store import Store

PLAIN: dict[str, object] = {"caps": {"touches": 3, "per": "30d"}, "budget": {"amount": 1000, "per": "30d"}}
PROGRAMS = frozenset({"win-back", "birthday"})


def rules(**changes: object) -> Rules:
    return Rules.model_validate({**PLAIN, **changes})


def test_rules_as_they_were_bind_as_they_did() -> None:
    plain = rules()
    assert (plain.caps.gap_days, plain.caps.price_offers, plain.caps.programs, plain.caps.kinds) == (None, None, {}, {})
    assert (plain.fatigue, plain.gaming, plain.fairness, plain.quiet_hours.days) == (None, None, None, ())
    assert plain.every_budget == (PartBudget(amount=Decimal(1000), per_days=30),)
    assert list(of_rules(plain, "EUR", PROGRAMS)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "remedy"),
    [
        ("touches: 3", "touches: 0", "cap-zero", "Write at least 1"),
        ("price_offers: {touches: 1", "price_offers: {touches: 0", "cap-zero", "Write at least 1"),
        ("caps: {touches: 3", "caps: {programs: {win-back: {touches: 0, per: 90d}}, touches: 3", "cap-zero", "Write at least 1"),
        ("caps: {touches: 3", "caps: {kinds: {credit: {touches: 0, per: 90d}}, touches: 3", "cap-zero", "Write at least 1"),
        ("gap: 2d", "gap: 0d", "duration", "Write at least 1d."),
        ('end: "09:00"', 'end: "09:00", days: [sundays]', "quiet-day", "a weekday such as sunday"),
        ('end: "09:00"', 'end: "09:00", days: [2026-02-30]', "quiet-day", "2026-12-25"),
        (
            'end: "09:00"', 'end: "09:00", days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]', "quiet-hours",
            "Leave some days",
        ),
    ],
)  # fmt: skip
def test_each_mistake_of_the_rules_by_line(tmp_path: Path, old: str, new: str, rule: str, remedy: str) -> None:
    store = Store(tmp_path)
    line = store.change(old, new, "rules.yaml")
    found = store.findings()
    assert [(one.file, one.line, one.rule) for one in found] == [("rules.yaml", line, rule)]
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    ("changes", "path", "rule", "words"),
    [
        (
            {"budget": {"amount": 1000, "per": "30d", "currency": "USD"}}, ("budget", "currency"), "budget-currency",
            "budget.currency: the budget is in USD, and the store's currency is EUR",
        ),
        (
            {"budgets": [{"amount": 9, "per": "7d", "currency": "EUR"}, {"amount": 9, "per": "7d", "currency": "GBP"}]},
            ("budgets", 1, "currency"), "budget-currency", "budgets.1.currency: the budget is in GBP, and the store's currency is EUR",
        ),
        (
            {"budgets": [{"amount": 9, "per": "7d", "program": "birthdays"}]}, ("budgets", 0, "program"), "program-unknown",
            "budgets.0.program: there is no program 'birthdays'",
        ),
        (
            {"caps": {"touches": 3, "per": "30d", "programs": {"winback": {"touches": 1, "per": "9d"}}}}, ("caps", "programs", "winback"),
            "program-unknown", "caps.programs.winback: there is no program 'winback'",
        ),
        (
            {"caps": {"touches": 3, "per": "30d", "kinds": {"credits": {"touches": 1, "per": "9d"}}}}, ("caps", "kinds", "credits"),
            "kind-unknown", "caps.kinds.credits: there is no kind of offer 'credits'",
        ),
        (
            {"fairness": {"groups": ["country", "contry"], "disparity_at_most": 0.25}}, ("fairness", "groups", 1), "group-unknown",
            "fairness.groups: 'contry' is no column of the profile whose values are names",
        ),
        (
            {"fairness": {"groups": ["orders"], "disparity_at_most": 0.25}}, ("fairness", "groups", 0), "group-unknown",
            "fairness.groups: 'orders' is no column of the profile whose values are names",
        ),
        (
            {"fatigue": {"ignored": 4, "touches": 3}}, ("fatigue", "touches"), "fatigue-idle",
            "fatigue.touches: 3 is no less than caps.touches, 3",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_store(changes: dict[str, object], path: tuple[str | int, ...], rule: str, words: str) -> None:
    (mistake,) = of_rules(rules(**changes), "EUR", PROGRAMS)
    assert (mistake.path, mistake.rule, mistake.why) == (path, rule, words)
    assert mistake.remedy
    assert mistake.severity == ("warning" if rule == "fatigue-idle" else "error")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("amount: 1000.00", "amount: 1000.00, currency: USD", "budget-currency"),
        ("caps: {touches: 3", "caps: {programs: {win-bak: {touches: 1, per: 9d}}, touches: 3", "program-unknown"),
        ("groups: [country]", "groups: [contry]", "group-unknown"),
        ("{ignored: 4, touches: 1}", "{ignored: 4, touches: 3}", "fatigue-idle"),
    ],
)  # fmt: skip
def test_check_holds_the_rules_against_the_store(tmp_path: Path, old: str, new: str, rule: str) -> None:
    store = Store(tmp_path)
    (tmp_path / "rekindle.toml").write_text('currency = "EUR"\n', encoding="utf-8")
    assert store.findings() == []
    line = store.change(old, new, "rules.yaml")
    assert [(one.file, one.line, one.rule) for one in store.findings()] == [("rules.yaml", line, rule)]


def test_a_store_whose_currency_is_not_known_yet_is_not_held_to_one() -> None:
    assert list(of_rules(rules(budget={"amount": 1000, "per": "30d", "currency": "USD"}), "")) == []


def test_programs_that_cannot_all_be_read_are_not_held_against_a_cap() -> None:
    assert list(of_rules(rules(budgets=[{"amount": 9, "per": "7d", "program": "any"}]), "EUR")) == []


def test_the_example_of_the_page_passes() -> None:
    example = re.search(r"```yaml\n(.*?)```", (DOCS / "rules.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    written = Rules.model_validate(read(example[1].encode()).value)
    assert list(of_rules(written, "EUR", PROGRAMS)) == []
    assert written.model_fields_set == {
        "caps", "quiet_hours", "holdout", "budget", "budgets", "fatigue", "gaming", "fairness", "sellers",
    }  # fmt: skip


def test_what_a_budget_covers() -> None:
    every, win_back, sellers = (PartBudget(amount=1, per_days=7, **part) for part in ({}, {"program": "win-back"}, {"payer": "seller"}))
    keys = [("win-back", "shop"), ("win-back", "seller"), ("birthday", "shop"), ("birthday", "seller")]
    assert [every.covers(*key) for key in keys] == [True] * 4
    assert [win_back.covers(*key) for key in keys] == [True, True, False, False]
    assert [sellers.covers(*key) for key in keys] == [False, True, False, True]
