"""Whatever is put in the place of a value, what is said of it is said in words of our own."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rekindle.errors import wrong_value
from rekindle.program.documents import Program
from rekindle.program.fields import Entry
from rekindle.program.offers import OfferList
from rekindle.program.reading import Place, Reading, Value, read
from rekindle.program.rules import Rules
from rekindle.program.segments import SegmentList
from rekindle.program.validating import validate
from tests.program.store import WIN_BACK, Store

FOREIGN = re.compile(r"should (?:match|have|be)|valid (?:number|date|string)|Value error|Write another value|\\[a-z|\{[0-9]")
INSTEAD: tuple[Value, ...] = (
    None, True, "", "x" * 400, "2026-13-41", ".nan", "a\nb", -1, 10**9, 0.5, -0.5, 1e300, [], {}, [1], ["a"] * 99, {"a": 1}, {"A b": {}},
)  # fmt: skip


def places(value: Value, here: Place = ()) -> Iterator[Place]:
    """Every place below a value, and the value's own."""
    yield here
    for key, below in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(below, (*here, key))


def instead(document: dict[str, Value], place: Place, value: Value) -> Reading:
    changed = copy.deepcopy(document)
    holder: Any = changed
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    return Reading(changed)


@pytest.mark.parametrize(
    ("model", "file"), [(Program, WIN_BACK), (OfferList, "offers.yaml"), (Rules, "rules.yaml"), (SegmentList, "segments.yaml")]
)
def test_no_words_of_the_validator_are_told(model: type[Entry], file: str, tmp_path: Path) -> None:
    document = read((Store(tmp_path).root / file).read_bytes()).value
    kinds = {tuple(part for part in place if isinstance(part, str))[-3:]: place for place in places(document) if place}
    said = [
        (place, value, f"{one.why}. {one.remedy}")
        for place in kinds.values() for value in INSTEAD for one in validate(model, instead(document, place, value)).mistakes
    ]
    assert len(said) > 100
    assert [one for one in said if FOREIGN.search(one[2])] == []


def test_a_kind_of_mistake_that_is_not_known_is_told_without_details() -> None:
    assert wrong_value("newly_invented", "3", {}) == ("3 cannot stand here", "Write another value")
