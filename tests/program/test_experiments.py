"""Experiments as documents: what they say, what is wrong with them, and that nothing opened or clicked decides one."""

from pathlib import Path

import pytest

from rekindle.program import checking
from rekindle.program.documents import Documents
from tests.program.store import WIN_BACK, Store

FILE = "experiments/subject.yaml"
REMINDER = "      reminder:      {offer: value_summary,       prior: {mean: 0.010, sd: 0.010}}\n"
QUESTION = REMINDER + (
    "      question:      {offer: value_summary, subject: Anything we can help with?, prior: {mean: 0.010, sd: 0.010}}\n"
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    held = Store(tmp_path)
    held.change(REMINDER, QUESTION)
    return held


def write(store: Store, file: str = FILE, **changed: object) -> None:
    said = {
        "experiment": "subject", "owner": "Ada", "hypothesis": "A question brings more orders than a statement.",
        "program": "win-back", "stage": "reconnect", "arms": "[question]", "against": "reminder", "size": 500,
    } | changed  # fmt: skip
    path = store.root / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{key}: {value}\n" for key, value in said.items() if value is not None), encoding="utf-8")


def said(store: Store, file: str = FILE) -> list[tuple[str, str]]:
    return [(one.rule, one.severity) for one in store.findings() if one.file == file]


def documents(store: Store) -> Documents:
    return checking.load(store.root)


def test_an_experiment_is_read(store: Store) -> None:
    write(store)
    assert said(store) == []
    held = documents(store)
    found = held.experiments[0]
    assert (found.name, found.compared, found.metric, found.looks) == ("subject", ("question", "reminder"), "margin", 4)
    assert found.factor(held.program("win-back").stage("reconnect")) == "subject"
    assert held.file_of("win-back") == WIN_BACK, "an experiment names a program and is none"


@pytest.mark.parametrize(
    ("changed", "factor"),
    [
        ({"against": "nothing", "arms": "[reminder]"}, "contact"),
        ({"against": "how_to", "arms": "[reminder]"}, "offer"),
        ({"against": "how_to", "arms": "[question]"}, "several"),
        ({"against": "nothing", "arms": "[question, reminder]"}, "subject"),
    ],
)
def test_what_is_varied_follows_from_the_arms(store: Store, changed: dict[str, object], factor: str) -> None:
    write(store, **changed)
    held = documents(store)
    assert held.experiments[0].factor(held.program("win-back").stage("reconnect")) == factor


@pytest.mark.parametrize("metric", ["opens", "clicks", "click_rate", "visits"])
def test_what_was_opened_or_clicked_decides_nothing(store: Store, metric: str) -> None:
    write(store, metric=metric)
    assert said(store) == [("experiment-metric", "error")]


@pytest.mark.parametrize(
    ("changed", "rule", "severity"),
    [
        ({"owner": '""'}, "owner-empty", "warning"),
        ({"program": "win-bak"}, "program-unknown", "warning"),
        ({"stage": "remind"}, "stage-unknown", "warning"),
        ({"against": "remainder"}, "arm-unknown", "warning"),
        ({"arms": "[question, question]"}, "experiment-arms", "error"),
        ({"arms": "[reminder]"}, "experiment-arms", "error"),
        ({"arms": "[nothing]"}, "experiment-arms", "error"),
        ({"against": "how_to"}, "experiment-mixed", "warning"),
        ({"size": 10}, "value-bad", "error"),
        ({"looks": 0}, "value-bad", "error"),
        ({"hypothesis": "works"}, "value-bad", "error"),
        ({"sizes": 10}, "key-unknown", "error"),
    ],
)
def test_mistakes_are_named(store: Store, changed: dict[str, object], rule: str, severity: str) -> None:
    write(store, **changed)
    assert (rule, severity) in said(store)


def test_arms_that_are_alike_tell_nothing(store: Store) -> None:
    store.change(QUESTION, REMINDER + REMINDER.replace("reminder:", "twin:"))
    write(store, arms="[twin]")
    assert said(store) == [("experiment-alike", "error")]


def test_an_owner_is_needed_for_approval(store: Store) -> None:
    write(store, owner='""')
    findings = [one for one in checking.check(store.root, approving=True) if one.file == FILE]
    assert [(one.rule, one.severity) for one in findings] == [("owner-empty", "error")]


def test_two_experiments_do_not_share_a_name(store: Store) -> None:
    write(store)
    write(store, "experiments/again.yaml")
    assert ("experiment-twice", "error") in said(store)


def test_an_experiment_whose_arm_is_gone_keeps_nobody_from_planning(store: Store) -> None:
    write(store, against="nothing", arms="[question]")
    store.change(QUESTION, REMINDER)
    assert said(store) == [("arm-unknown", "warning")]
    assert documents(store).experiments[0].arms == ("question",)


@pytest.mark.parametrize(("hour", "found"), [(8, ["hour-quiet"]), (20, ["hour-quiet"]), (9, []), (19, []), (24, ["value-bad"])])
def test_an_hour_is_outside_of_the_quiet_hours(store: Store, hour: int, found: list[str]) -> None:
    store.change("subject: Anything we can help with?", f"hour: {hour}")
    assert [one.rule for one in store.findings() if "hour" in one.message] == found


def test_a_subject_is_plain_words_on_one_line(store: Store) -> None:
    store.change("Anything we can help with?", '"Hi {{ first_name }}"')
    assert [one.rule for one in store.findings() if "subject" in one.message] == ["value-bad"]
