"""segments.yaml: what it says, every mistake in it by line, and exceptions for protected attributes."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from rekindle.insight.segments import MOST
from rekindle.program.checking import check, load
from rekindle.program.segments import definitions, version
from tests.program.store import TODAY, WIN_BACK, Store

SEGMENTS = "segments.yaml"
NAMES = [
    "slipping_high_value", "slipping_after_ticket", "new_first_time_buyers", "browsing_not_buying", "cart_left", "discount_only_buyers",
    "advocates",
]  # fmt: skip
HEAD = "segments:\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def entry(name: str, rule: str) -> str:
    return f'  {name}: {{description: "x", rule: "{rule}", owner: Ada, valid_from: 2026-01-01, reviewed: 2026-11-01}}\n'


def written(store: Store, text: str) -> list[tuple[int, str, str]]:
    (store.root / SEGMENTS).write_text(text, encoding="utf-8")
    return [(one.line, one.rule, one.severity) for one in store.findings() if one.file == SEGMENTS]


def test_the_shipped_segments(store: Store) -> None:
    documents = load(store.root)
    assert list(definitions(documents.segments)) == NAMES
    assert {(one.owner, one.valid_from, one.reviewed) for one in documents.segments} == {("Ada Example", TODAY, TODAY)}
    assert check(store.root, approving=True, today=TODAY) == ()


def test_a_store_without_segments_is_whole(store: Store) -> None:
    (store.root / SEGMENTS).unlink()
    assert load(store.root).segments == ()


MISTAKES = [
    ("count('Product Viewed', within", "count('Product View', within", "rule", "Did you mean 'Product Viewed'?"),
    ("silence_days <= 60", "silence_dys <= 60", "rule", "Did you mean 'silence_days'?"),
    ("silence_days <= 60", "age <= 60", "rule", "Go by what the customer did"),
    ("silence_days <= 60", "country == 'DE'", "protected", "exceptions: {country: {reason: ..., owner: ...}}"),
    ("in_segment('slipping_high_value')", "in_segment('slipping_high_valu')", "segment-unknown", "Did you mean 'slipping_high_value'?"),
    ("silence_days <= 60", "lifecycle == 'lapsed'", "rule-never", "its conditions exclude each other"),
    ("  advocates:", "  Advocates:", "value-bad", "Write small letters"),
    ("  advocates:", "  advocates:\n    colour: red", "key-unknown", "It may be"),
]


@pytest.mark.parametrize(("old", "new", "rule", "remedy"), MISTAKES)
def test_each_mistake_of_a_segment(store: Store, old: str, new: str, rule: str, remedy: str) -> None:
    line = store.change(old, new, SEGMENTS)
    found = [one for one in store.findings() if one.rule == rule]
    assert [(one.file, one.severity) for one in found] == [(SEGMENTS, "error")]
    assert remedy in found[0].remedy
    assert found[0].line in (line, line + 1) if rule == "key-unknown" else found[0].line == line


def test_a_protected_attribute_is_named_with_its_character(store: Store) -> None:
    store.change("silence_days <= 60", "country == 'DE'", SEGMENTS)
    (finding,) = store.findings()
    where = "segments.new_first_time_buyers.rule: character 31, near “== 'first_time' and country == 'DE'”: "
    assert finding.message == where + "'country' is a protected attribute (place): rules go by what customers did"


def test_an_exception_with_its_reason_permits_it_everywhere(store: Store) -> None:
    store.change("overdue > 0", "country == 'DE'")
    assert [(one.file, one.rule) for one in store.findings()] == [(WIN_BACK, "protected")]
    with (store.root / "rules.yaml").open("a", encoding="utf-8") as rules:
        rules.write('exceptions:\n  country: {reason: "We ship to Germany alone", owner: Ada}\n')
    assert store.findings() == []
    assert load(store.root).rules.exceptions[0].reason == "We ship to Germany alone"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('exceptions: {country: {reason: "why not", owner: Ada}}', "value-bad"),
        ('exceptions: {country: {reason: "We ship to Germany alone"}}', "key-missing"),
        ("exceptions: {country: yes}", "value-bad"),
        ('exceptions: {orders: {reason: "We ship to Germany alone", owner: Ada}}', "exception-idle"),
        ('exceptions: {gender: {reason: "We sell dresses to women", owner: Ada}}', "exception-idle"),
    ],
)
def test_exceptions_that_do_not_do(store: Store, text: str, rule: str) -> None:
    with (store.root / "rules.yaml").open("a", encoding="utf-8") as rules:
        rules.write(text + "\n")
    assert [(one.file, one.rule) for one in store.findings()] == [("rules.yaml", rule)]


def test_segments_that_go_in_circles_are_named_by_line(store: Store) -> None:
    text = HEAD + entry("a", "in_segment('b')") + entry("b", "in_segment('c') or orders > 1") + entry("c", "in_segment('a')")
    text += entry("d", "in_segment('a')") + entry("e", "in_segment('e')")
    assert written(store, text) == [(2, "segment-circle", "error"), (3, "segment-circle", "error"), (4, "segment-circle", "error"),
                                    (6, "segment-circle", "error")]  # fmt: skip
    assert "a -> b -> c -> a" in store.findings()[0].message


def test_a_thousand_laughs_are_refused_by_their_number(store: Store) -> None:
    laughs = "".join(entry(f"s{n}", f"in_segment('s{n - 1}') and in_segment('s{n - 1}')") for n in range(1, MOST + 1))
    assert written(store, HEAD + entry("s0", "orders > 1") + laughs) == [(1, "segments-many", "error")]
    assert written(store, HEAD + entry("s0", "orders > 1") + laughs[: laughs.rindex("  s")]) == []


def test_owners_and_reviews(store: Store) -> None:
    line = store.change('rule: "orders >= 2 and discounted_orders * 2 > orders"\n    owner: "Ada Example"',
                        'rule: "orders >= 2 and discounted_orders * 2 > orders"\n    owner: ""', SEGMENTS)  # fmt: skip
    assert [(one.line, one.rule, one.severity) for one in store.findings()] == [(line + 1, "owner-empty", "warning")]
    assert [one.severity for one in check(store.root, approving=True)] == ["error"]
    late = check(store.root, today=TODAY + timedelta(days=181))
    assert [one.rule for one in late if one.file == SEGMENTS].count("review-overdue") == len(NAMES)
    assert {one.severity for one in late if one.file == SEGMENTS} == {"warning"}


def test_a_version_covers_what_a_segment_builds_on(store: Store) -> None:
    before = load(store.root).segments
    store.change("lifecycle in ('lapsing', 'lapsed')", "lifecycle == 'lapsed'", SEGMENTS)
    store.change("The upper fifth of buyers", "The best buyers", SEGMENTS)
    after = load(store.root).segments
    changed = {name for name in NAMES if version(name, before) != version(name, after)}
    assert changed == {"slipping_high_value", "slipping_after_ticket"}
    assert all(len(version(name, after)) == 12 for name in NAMES)


@pytest.mark.parametrize("text", ["", "segments: {}", "segments: []", "segments: &a {x: *a}", "- a", "segments: {a: 1}"])
def test_what_is_no_list_of_segments(store: Store, text: str) -> None:
    assert [severity for _, _, severity in written(store, text)] == ["error"]


def test_a_review_far_ahead_is_no_mistake(store: Store) -> None:
    assert check(store.root, today=date(2020, 1, 1)) == ()
