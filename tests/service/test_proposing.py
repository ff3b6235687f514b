"""Proposals as changes of the folder's documents: what would change, what is taken, and that plans go by it once a person approves."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection

from rekindle.cli.proposing import _alarms
from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.program.catalogue import scaffold
from rekindle.service.config import use_ledger
from rekindle.service.flow import alarms, documents, proposing
from rekindle.service.flow.policy_proposals import Question
from rekindle.settings import Settings
from tests.decide.shop import MONDAY, ROWS, Decider, crowd, instant

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TIERS = {"days": 730, "high": 10_000, "mid": 4_000, "approved": False, "proposed": {"high": 12_345, "mid": 4_300}, "unit": "minor"}


DECISION = {
    "customer_id": "c", "day": 1, "program": "win-back", "context": "mid/other", "eligible": "reminder|nothing", "arm": "reminder",
    "policy": "equal-chance-1",
}  # fmt: skip


def margin(low: float, high: float, told_apart: bool = True) -> dict[str, object]:
    part = {"low": low, "difference": (low + high) / 2, "high": high, "told_apart": told_apart}
    return {"measures": {"margin": part}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(root=tmp_path)
    use_ledger(settings)
    scaffold(tmp_path, "Ada", "EUR", MONDAY.date())
    documents.approve_all(settings, "Ada", NOW)
    for name, content in (("insight/2026-03-02/insight.json", {"value_tiers": TIERS}), ("learn/2026-03-02.json", {"programs": [
        {"program": "win-back", "stages": [{"stage": "closing", "by": {"arm": {"last_word": margin(-90.0, -30.0)}}}]},
    ]})):  # fmt: skip
        path = settings.var / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
    pq.write_table(pa.Table.from_pylist(crowd(20), schema=ROWS.to_pyarrow()), settings.var / "insight" / "2026-03-02" / "profile.parquet")
    yield settings
    connection.close()


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    with open_history(store.history, store.root) as opened:
        yield opened


def asked(store: Settings, warehouse: Warehouse) -> Question:
    return Question(store, warehouse, documents.approved(store), instant(30))


def test_tiers_are_proposed_as_lines_of_the_rules_and_hold_once_approved(store: Settings, warehouse: Warehouse) -> None:
    (edit,) = proposing.proposals(asked(store, warehouse))
    assert (edit.proposal.name, edit.file) == ("tiers", "rules.yaml")
    added = [line for line in edit.diff.splitlines() if line.startswith("+") and "rules.yaml" not in line]
    assert [line.partition("  #")[0].rstrip() for line in added] == ["+value_tiers: {over: 730d, high: 123.45, mid: 43}"]
    assert proposing.take(store, (edit,), ("tiers",)) == ("rules.yaml",)
    assert (store.root / "rules.yaml").read_text() == edit.text
    assert documents.approved(store).rules.value_tiers is None, "a file changes nothing by itself"
    documents.approve_all(store, "Ada", NOW)
    assert float(documents.approved(store).rules.value_tiers.high) == 123.45


def test_messages_that_harm_are_proposed_to_be_left_out(store: Settings, warehouse: Warehouse) -> None:
    Decider(warehouse).remember(DECISION)
    found = {one.proposal.name: one for one in proposing.proposals(asked(store, warehouse))}
    caps = found["caps-win-back"]
    assert caps.file == "programs/win-back.yaml"
    assert [(change.place, change.before, change.after) for change in caps.proposal.changes] == [(("caps", "touches"), 4, 3)]
    assert "closing last_word -EUR 0.60 (-EUR 0.90 to -EUR 0.30)" in caps.proposal.why
    both = proposing.take(store, tuple(found.values()), ("tiers", "caps-win-back"))
    assert set(both) == {"rules.yaml", "programs/win-back.yaml"}
    documents.approve_all(store, "Ada", NOW)
    assert documents.approved(store).program("win-back").caps.touches == 3


def test_what_is_not_told_apart_is_not_proposed(store: Settings, warehouse: Warehouse) -> None:
    path = store.var / "learn" / "2026-03-03.json"
    stage = {"stage": "closing", "by": {"arm": {"last_word": margin(-90.0, -30.0, told_apart=False)}}}
    path.write_text(json.dumps({"programs": [{"program": "win-back", "stages": [stage]}]}))
    Decider(warehouse).remember(DECISION)
    assert [one.proposal.name for one in proposing.proposals(asked(store, warehouse))] == ["tiers"]


@pytest.mark.parametrize("wrong", [
    {"srm": [{"program": "win-back", "group": "control", "seen": 60, "counted": 1_000, "expected": 100.0, "alarm": True}]},
    {"leaks": {"win-back": 7}},
    {"programs": [{"program": "win-back", "stages": [{"stage": "closing", "by": {"arm": {"last_word": margin(-90.0, -30.0)}}}],
                   "reversed_by": ["tier"]}]},
])  # fmt: skip
def test_nothing_is_proposed_for_a_program_whose_alarm_stands(
    store: Settings, warehouse: Warehouse, wrong: dict[str, object]
) -> None:  # fmt: skip
    path = store.var / "learn" / "2026-03-02.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **wrong}))
    Decider(warehouse).remember(DECISION)
    assert [one.proposal.name for one in proposing.proposals(asked(store, warehouse))] == ["tiers"]
    said = "\n".join(_alarms(alarms.standing(store.var)))
    assert said.startswith("ALARM          win-back: ")
    assert "Nothing is proposed for it, nor for budgets. Find out why first" in said


def test_only_what_is_proposed_can_be_taken(store: Settings, warehouse: Warehouse) -> None:
    edits = proposing.proposals(asked(store, warehouse))
    before = (store.root / "rules.yaml").read_text()
    with pytest.raises(BadData, match="there is no proposal 'budget-all'"):
        proposing.take(store, edits, ("tiers", "budget-all"))
    assert (store.root / "rules.yaml").read_text() == before
