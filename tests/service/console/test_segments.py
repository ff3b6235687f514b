"""Segments as the console shows and writes them: validation while one writes, counts, a version that waits, and a yes."""

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from rekindle.insight.profile import COLUMNS
from rekindle.program import checking, reach
from rekindle.program.catalogue import scaffold
from rekindle.program.segments import SegmentList
from rekindle.service.console.roles import Role
from rekindle.service.flow import customer_lists, documents, segment_drafts
from rekindle.service.programs import actions
from rekindle.settings import Settings
from tests.service.conftest import NOON

Enter = Callable[..., Client]

EMPTY = dict.fromkeys(COLUMNS) | {"margin_at_risk": 0, "expected_margin": 0, "p_alive": 0.5, "email_consent": False}


KINDS = {"string": pa.string(), "date": pa.date32(), "boolean": pa.bool_(), "float64": pa.float64(), "int64": pa.int64()}


def profiles(store: Settings, *rows: dict[str, object]) -> None:
    folder: Path = store.var / "insight" / "2026-11-22"
    folder.mkdir(parents=True)
    schema = pa.schema([(name, KINDS[kind]) for name, kind in COLUMNS.items()])
    pq.write_table(pa.Table.from_pylist([{**EMPTY, **row} for row in rows], schema=schema), folder / "profile.parquet")
    told = {"as_of": "2026-11-22T00:00:00+00:00", "lifecycle": {}, "customers": len(rows), "margin_at_risk": {}}
    (folder / "insight.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture
def told(shop: Settings) -> Settings:
    scaffold(shop.root, "Ada", "EUR", date(2026, 11, 20))
    documents.approve_all(shop, "Ada", NOON)
    profiles(
        shop,
        {"customer_id": "c1", "value_tier": "high", "lifecycle": "lapsed", "orders": 9, "discounted_orders": 8, "margin_at_risk": 700},
        {"customer_id": "c2", "value_tier": "mid", "lifecycle": "lapsed", "orders": 4, "discounted_orders": 0, "email_consent": True},
        {"customer_id": "c3", "value_tier": "high", "lifecycle": "repeat", "orders": 2, "discounted_orders": 2},
    )  # fmt: skip
    return shop


def write(rule: str, name: str = "big_spenders", **more: str) -> dict[str, str]:
    return {"name": name, "description": "Those who order often.", "rule": rule, "owner": "Ada", **more}


def trial(client: Client, rule: str, name: str = "big_spenders") -> str:
    answer = client.post("/console/segment-draft/trial", write(rule, name), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_rule_is_counted_while_it_is_written_with_those_who_are_elsewhere_too(told: Settings, enter: Enter) -> None:
    text = trial(enter(Role.EDITOR), "orders >= 2 and lifecycle == 'lapsed'")
    assert '<span class="figure">2</span> customers, 67 % of 3' in text
    assert "1 of them may be written to by e-mail; EUR 7 of margin is at stake" in text
    assert "discount only buyers 1" in text
    assert "slipping high value 1" in text


def test_while_one_is_written_the_other_documents_are_not_validated_again(
    told: Settings, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor, validate, models = enter(Role.EDITOR), checking.validate, []
    trial(editor, "orders >= 2")
    monkeypatch.setattr(checking, "validate", lambda model, reading: models.append(model) or validate(model, reading))
    asked, alone = [], reach._alone
    monkeypatch.setattr(reach, "_alone", lambda rules: asked.extend(one.text for one in rules) or alone(rules))
    assert '<span class="figure">2</span> customers' in trial(editor, "orders >= 3")
    assert models == [SegmentList]
    assert asked == ["orders >= 3"]


def test_a_draft_is_counted_from_the_file_that_lists_are_made_of(told: Settings, enter: Enter) -> None:
    editor, file = enter(Role.EDITOR), told.var / "insight" / "2026-11-22" / "profile.parquet"
    pq.write_table(pq.read_table(file).slice(0, 1), file.with_name(customer_lists.RANKED))
    assert '<span class="figure">1</span> customer,' in trial(editor, "orders >= 2")
    os.utime(file)
    assert '<span class="figure">3</span> customers' in trial(editor, "orders >= 2")


def test_other_segments_are_counted_by_what_is_being_written(told: Settings, enter: Enter) -> None:
    """Of one that others build on, these are asked by the draft, never by what it was before."""
    editor = enter(Role.EDITOR)
    for least, counted in ((4, "2</span> customers"), (9, "1</span> customer"), (4, "2</span> customers")):
        text = trial(editor, f"orders >= {least}")
        assert f'<span class="figure">{counted}' in text
    built = trial(editor, "in_segment('slipping_high_value') and orders >= 9")
    assert "1</span> customer" in built
    assert "slipping high value 1" in built
    text = trial(editor, "orders >= 2", "slipping_high_value")
    assert "3</span> customers" in text
    assert "slipping high value" not in text.partition("In others too")[2]


def test_a_mistake_is_named_with_what_to_write_instead(told: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    assert "Did you mean" in trial(editor, "ordres >= 2")
    assert "there is no segment" in trial(editor, "in_segment('nobody')").lower()
    assert "builds on itself" in trial(editor, "in_segment('big_spenders')")
    assert "Write a name and a rule" in trial(editor, "")
    assert "bad" in trial(editor, "orders >= 2", "Not a name!")


def test_a_rule_that_asks_for_events_is_checked_and_counted_by_the_next_run(told: Settings, enter: Enter) -> None:
    text = trial(enter(Role.EDITOR), "count('Product Viewed', within='30d') >= 3")
    assert "The rule can be used. How many it means cannot be told here" in text


def test_what_is_submitted_waits_for_a_yes_and_is_then_what_plans_go_by(told: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    began = segment_drafts.base(told).digest
    answer = editor.post("/console/segment-draft", write("orders >= 2", began=began, new="yes"))
    assert answer["Location"] == "/console/segments"
    waiting = segment_drafts.base(told)
    assert not waiting.approved
    assert [one.name for one in documents.approved(told).segments].count("big_spenders") == 0
    assert "# What the shop calls its customers." in waiting.text
    shown = editor.get("/console/segments").content.decode()
    assert "A version waits for a yes" in shown
    assert "waits for a yes</span>" in shown
    assert "/console/documents/versions/segments.yaml" in shown
    actions.approve(waiting.digest, "Ada", NOON)
    (mine,) = [one for one in documents.approved(told).segments if one.name == "big_spenders"]
    assert (mine.rule.text, mine.owner) == ("orders >= 2", "Ada")
    assert "waits" not in editor.get("/console/segments").content.decode()


def test_who_began_from_another_version_is_told_so_and_keeps_what_they_wrote(told: Settings, enter: Enter) -> None:
    editor, began = enter(Role.EDITOR), segment_drafts.base(told).digest
    editor.post("/console/segment-draft", write("orders >= 2", began=began, new="yes"))
    late = editor.post("/console/segment-draft", write("orders >= 3", "others", began=began, new="yes"))
    assert late.status_code == 400
    assert "nother version of segments.yaml was submitted" in late.content.decode()
    assert "orders &gt;= 3" in late.content.decode()


def test_a_change_of_the_rule_dates_the_definition_anew(told: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    assert "lifecycle == &#x27;advocate&#x27;" in editor.get("/console/segment-draft?name=advocates").content.decode()
    editor.post("/console/segment-draft", write("orders >= 8", "advocates", began=segment_drafts.base(told).digest))
    (mine,) = [one for one in segment_drafts.segments_of(told, segment_drafts.base(told).text) if one.name == "advocates"]
    assert mine.rule.text == "orders >= 8"
    assert mine.valid_from == mine.reviewed != date(2026, 11, 20)
    assert "a change waits" in editor.get("/console/segments").content.decode()


def test_without_scripts_a_button_checks(told: Settings, enter: Enter) -> None:
    answer = enter(Role.EDITOR).post("/console/segment-draft", write("orders >= 2", check="yes", new="yes"))
    assert answer.status_code == 200
    assert '<span class="figure">3</span> customers' in answer.content.decode()
    assert segment_drafts.base(told).approved


def counted(store: Settings, day: str, customers: int, version: str) -> None:
    folder = store.var / "segments"
    folder.mkdir(exist_ok=True)
    told = {
        "as_of": f"{day}T00:00:00+00:00", "customers": 100,
        "segments": [
            {"name": name, "customers": n, "version": version, "reachable": 1, "expected_margin": 100,
             "margin_at_risk": {"cannot_tell": "x"}, "events_never_had": []}
            for name, n in (("advocates", customers), ("discount_only_buyers", 10))
        ],
        "overlaps": [{"segments": ["advocates", "discount_only_buyers"], "customers": 5}],
    }  # fmt: skip
    (folder / f"{day}.json").write_text(json.dumps(told), encoding="utf-8")


def test_counts_over_time_say_where_the_definition_changed_and_who_is_elsewhere(told: Settings, enter: Enter) -> None:
    for day, n, version in (("2026-11-08", 20, "a"), ("2026-11-15", 24, "a"), ("2026-11-22", 12, "b")):
        counted(told, day, n, version)
    viewer = enter(Role.VIEWER)
    listed = viewer.get("/console/segments").content.decode()
    assert "<strong>12</strong>" in listed
    assert "-12" in listed
    assert 'class="heat-2">5<' in listed
    assert 'class="heat-2">5<' in listed
    one = viewer.get("/console/segments/advocates").content.decode()
    assert one.count("<circle") == 3
    assert one.count('class="turned"') == 1
    assert "5, 42 %" in one
    assert "Change it" not in one
    assert "/console/documents/versions/segments.yaml" in one, "what it was before"
    assert viewer.get("/console/segments/none").status_code == 404
