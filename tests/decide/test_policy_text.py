"""A table of chances as JSON and back; every way in which one by hand may be wrong has an error of its own."""

import json
from typing import Any

import pytest

from rekindle.decide.policy import Policy, equal_chance
from rekindle.decide.policy_text import from_json, require_fitting, to_json
from rekindle.errors import BadData
from tests.decide.shop import program

ROWS = (
    ("back", "reconnect", "*", "nothing", 1 / 3), ("back", "reconnect", "*", "plain", 2 / 3),
    ("back", "closing", "high/other", "nothing", 0.25), ("back", "closing", "high/other", "last_word", 0.75),
)  # fmt: skip


def table(chances: object, where: str = "*", **named: object) -> dict[str, Any]:
    stage = {"program": "back", "stage": "reconnect", "chances": {where: chances}, **named}
    return {"name": "tried", "stages": [stage]}


def test_a_table_comes_back_as_it_was() -> None:
    kept = Policy("learned", ROWS)
    read = from_json(json.loads(json.dumps(to_json(kept))))
    assert read.version == kept.version
    assert sorted(read.rows) == sorted(kept.rows)
    chances = {"high/other": {"last_word": 0.75, "nothing": 0.25}}
    assert to_json(kept)["stages"][0] == {"program": "back", "stage": "closing", "chances": chances}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "no object with a name and stages"),
        ({"name": "x"}, "no object with a name and stages"),
        ({"name": "x", "stages": [[]]}, "no program, stage and chances"),
        (table(None), "back, reconnect, any other context has no chances"),
        (table({}), "has no chances"),
        (table({"nothing": 0.5, "plain": 0.4}), "back, reconnect, any other context sum to 0.9000"),
        (table({"nothing": 0.5, "plain": 0.6}, "high/other"), "back, reconnect, high/other sum to 1.1000"),
        (table({"nothing": 1.2, "plain": -0.2}), "gives nothing a chance of 1.2"),
        (table({"nothing": True}), "gives nothing a chance of True"),
        (table({"nothing": "1"}), "gives nothing a chance of '1'"),
        (table({"nothing": float("nan")}), "gives nothing a chance of nan"),
        (table({"nothing": 1.0}, "golden/other"), "a context 'golden/other' that no customer can have"),
        ({"name": "x", "stages": table({"nothing": 1})["stages"] * 2}, "has back, reconnect, any other context twice"),
    ],
)
def test_a_table_by_hand_that_cannot_be_used(data: object, said: str) -> None:
    with pytest.raises(BadData, match=said) as raised:
        from_json(data)
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("stage", "chances", "said"),
    [
        ({"program": "forth"}, {"nothing": 1.0}, "there is no program 'forth'"),
        ({"stage": "zeroth"}, {"nothing": 1.0}, "the program back has no stage 'zeroth'"),
        ({}, {"nothing": 0.5, "gone": 0.5}, "has no variant 'gone'"),
        ({}, {"nothing": 0.04, "plain": 0.96}, "leaves 0.0400 of the customers alone"),
        ({}, {"plain": 1.0}, "leaves 0.0000 of the customers alone"),
    ],
)
def test_a_table_by_hand_fits_the_programs(stage: dict[str, object], chances: dict[str, float], said: str) -> None:
    with pytest.raises(BadData, match=said):
        require_fitting(from_json(table(chances, **stage)), (program(),))


def test_a_table_that_fits_passes() -> None:
    require_fitting(equal_chance((program(),)), (program(),))
    require_fitting(from_json(table({"nothing": 0.333, "plain": 0.333, "lesson": 0.333, "light": 0.001})), (program(),))
