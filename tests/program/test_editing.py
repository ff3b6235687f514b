"""Documents changed by place, in a form or by value: what is left alone keeps every byte."""

import json
from pathlib import Path

import pytest

from rekindle.errors import BadData
from rekindle.program.catalogue import scaffold
from rekindle.program.documents import schemas
from rekindle.program.editing import changed, written
from rekindle.program.forms import form, typed
from rekindle.program.reading import Place, Reading, Value, read
from tests.decide.shop import MONDAY

KINDS = {"programs/win-back.yaml": "program.json", "offers.yaml": "offers.json", "rules.yaml": "rules.json"}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("shop")
    scaffold(root, "Ada", "EUR", MONDAY.date())
    return {name: (root / Path(name)).read_text() for name in KINDS}


def leaves(value: Value, place: Place = ()) -> list[tuple[Place, Value]]:
    if isinstance(value, dict):
        return [one for key, below in value.items() for one in leaves(below, (*place, key))]
    if isinstance(value, list):
        return [one for at, below in enumerate(value) for one in leaves(below, (*place, at))]
    return [(place, value)]


def other(value: Value) -> Value:
    return not value if isinstance(value, bool) else 7 if isinstance(value, int | float) else f"{value} it's \"so\": # ü\t"


def at(reading: Reading, place: Place) -> Value:
    here: Value = reading.value
    for part in place:
        here = here[part]  # type: ignore[index, call-overload]  # a place that is there
    return here


@pytest.mark.parametrize("name", KINDS)
def test_every_second_value_is_changed_and_no_other(texts: dict[str, str], name: str) -> None:
    text = texts[name]
    before = leaves(read(text.encode()).value)
    wanted = {place: other(value) for place, value in before[::2]}
    after = changed(text, wanted)
    assert leaves(read(after.encode()).value) == [(place, wanted.get(place, value)) for place, value in before]
    assert after.count("#") >= text.count("#"), "comments stay"
    assert len(after.splitlines()) == len(text.splitlines())
    assert leaves(read(changed(after, dict(before)).encode()).value) == before


def test_what_is_the_same_keeps_how_it_was_written(texts: dict[str, str]) -> None:
    text = texts["programs/win-back.yaml"]
    assert changed(text, {("control",): 0.1, ("caps", "gap"): "7d", ("owner",): "Ada"}) == text


def test_a_key_that_is_not_there_comes_before_the_first(texts: dict[str, str]) -> None:
    arm = ("stages", "reconnect", "arms", "reminder")
    after = changed(texts["programs/win-back.yaml"], {(*arm, "when"): "value_tier == 'high'"})
    assert """reminder:      {when: "value_tier == 'high'", offer: value_summary, """ in after
    block = changed("stages:\n  one:\n    goal: x\nlast: 1\n", {("stages", "one", "delay"): {"rhythm": 0.5}, ("first",): None})
    assert block == "first: null\nstages:\n  one:\n    delay: {rhythm: 0.5}\n    goal: x\nlast: 1\n"
    assert changed("caps: {}\n", {("caps", "gap"): "7d"}) == "caps: {gap: 7d}\n"


def test_a_list_and_a_block_are_replaced_whole() -> None:
    text = "exit:\n  - order\n  - opt_out\ncontrol: 0.1  # a tenth\nempty:  # of what\nlast: 1\n"
    after = changed(text, {("exit",): ["order"], ("empty",): "7d"})
    assert read(after.encode()).value == {"exit": ["order"], "control": 0.1, "empty": "7d", "last": 1}
    assert "0.1  # a tenth\nempty: 7d  # of what\n" in after


def test_what_has_no_place_is_refused() -> None:
    with pytest.raises(BadData, match="nothing is there that could hold caps.gap"):
        changed("caps: 3\n", {("caps", "gap"): "7d"})


def test_words_that_yaml_takes_for_something_else_are_quoted() -> None:
    for text in ("null", "True", "~", "12", "1e3", "", "a: b", "- a", "#", "\u202e", "\U0001f600", "a\nb", "'", '"', "@", "no"):
        assert read(f"key: {written(text)}\n".encode()).value == {"key": text}


@pytest.mark.parametrize("name", KINDS)
def test_a_form_shows_every_value_and_gives_none_back_that_was_left_alone(texts: dict[str, str], name: str) -> None:
    reading = read(texts[name].encode())
    fields = form(json.loads(schemas()[KINDS[name]]), reading)
    places = {field.place for field in fields.every_field() if field.stated}
    stated = {tuple(part for part in place if not isinstance(part, int)) for place, _ in leaves(reading.value)}
    curve = {place for place in stated if "curve" in place}
    assert stated - places == curve | ({("program",)} if "program" in reading.value else set()), "points of a curve are written as text"
    assert typed(fields, {field.name: field.shown for field in fields.every_field()}) == {}


def test_what_was_typed_becomes_values(texts: dict[str, str]) -> None:
    text = texts["programs/win-back.yaml"]
    fields = form(json.loads(schemas()["program.json"]), read(text.encode()))
    kinds = {field.name: (field.kind, field.choices) for field in fields.every_field()}
    assert kinds["class"] == ("choice", ("marketing", "service"))
    assert kinds["review/due"][0] == "day"
    assert kinds["audience/enter"][0] == "rule"
    given = {
        "owner": " Bea ", "control": "0.2", "caps/touches": "three", "exit": "order, opt_out", "stages/tailor/offers/price": "false",
        "stages/tailor/delay/at_most": "", "stages/tailor/arms/bundle/when": "", "unknown": "x",
    }  # fmt: skip
    assert typed(fields, given) == {
        ("owner",): "Bea", ("control",): 0.2, ("caps", "touches"): "three", ("exit",): ["order", "opt_out"],
        ("stages", "tailor", "offers", "price"): False, ("stages", "tailor", "delay", "at_most"): None,
        ("stages", "tailor", "arms", "bundle", "when"): None,
    }  # fmt: skip
    after = read(changed(text, typed(fields, given)).encode())
    assert at(after, ("stages", "tailor", "delay")) == {"rhythm": 0.25, "at_least": "7d", "at_most": None}
