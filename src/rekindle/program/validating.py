"""What is wrong inside one document, and what can still be read of it so that its other mistakes are found too.

Knows nothing of other documents.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rekindle.errors import quoted, wrong_value
from rekindle.insight.expression import nearest
from rekindle.program.fields import NAME, PROGRAM_NAME, Entry, Named
from rekindle.program.reading import Place, Reading, Value
from rekindle.program.vocabulary import BLOCKS

Severity = Literal["error", "warning"]
E = TypeVar("E", bound=Entry)

_ROUNDS = 30
_FORMS = {
    NAME: ("is not a name", "Write small letters, digits and _, a letter first, at most 40, as in free_returns"),
    PROGRAM_NAME: ("is not a name of a program", "Write small letters, digits and -, a letter first, at most 40, as in win-back"),
}
_FORM = ("has signs that may not stand here", "Write one line of plain words, without { and }")
"""What texts look like that have a pattern of their own."""

_STAND_INS: dict[str | int, Value] = {
    "program": "unnamed",
    "version": 1,
    "class": "marketing",
    "owner": "unknown",
    "review": {"due": "9999-12-31"},
    "enter": "true",
    "rule": "true",
    "description": "unknown",
    "valid_from": "1970-01-01",
    "reviewed": "9999-12-31",
    "reason": "no reason stated",
    "exit": ["order", "opt_out", "complaint_opened", "erasure"],
    "caps": {"touches": 1000, "gap": "1d", "duration": "3660d", "per": "1d"},
    "goal": {"metric": "order", "within": "1d"},
    "delay": {"rhythm": 0},
    "content": list(BLOCKS),
    "prior": {"mean": 0, "sd": 1},
    "metric": "complaint_rate",
    "expect": [0, 1],
}
"""What stands in for a required key that is missing or wrong while the rest is checked; chosen to break no rule."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong in one document.

    Args:
        path: Where.
        rule: The rule it breaks.
        why: What is wrong.
        remedy: What to do about it.
        severity: A warning does not keep a document from being used.
    """

    path: Place
    rule: str
    why: str
    remedy: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Validated(Generic[E]):
    """One document after validation.

    Args:
        entry: The document, or what is left of it without its mistakes; None where nothing is.
        mistakes: What was wrong in it.
    """

    entry: E | None
    mistakes: tuple[Mistake, ...]


def validate(model: type[E], reading: Reading) -> Validated[E]:
    """Validates a document; where it has mistakes, the rest of it is still returned for the rules between its parts."""
    found: list[Mistake] = []
    rest = Reading(copy.deepcopy(reading.value), reading.lines)
    for turn in range(_ROUNDS):
        try:
            return Validated(model.model_validate(rest.value, by_alias=True, by_name=False), tuple(found))
        except ValidationError as error:
            details = error.errors(include_url=False)
            if turn == 0:
                found = list(dict.fromkeys(_mistake(model, reading, one) for one in details))
            if not _mend(rest, details):
                break
    return Validated(None, tuple(found))


def _mistake(model: type[Entry], reading: Reading, error: ErrorDetails) -> Mistake:
    path, key = reading.found(error["loc"]), str(error["loc"][-1]) if error["loc"] else ""
    where = ".".join(str(part) for part in path)
    context = error.get("ctx", {})
    if "remedy" in context:
        return Mistake(path, error["type"], f"{where}: {context['why']}" if where else context["why"], context["remedy"])
    if error["type"] == "missing":
        return Mistake(path, "key-missing", f"{where or 'the document'} has no '{key}'", f"Add {key}; docs/programs.md says what it means.")
    if error["type"] == "extra_forbidden":
        keys = frozenset(_keys(model, path[:-1]))
        remedy = nearest(key, keys, f"It may be {', '.join(sorted(keys))}.")
        return Mistake(path, "key-unknown", f"{where}: there is no key '{key}' here", remedy)
    why, remedy = _wrong(error)
    choices = frozenset(re.findall("'([^']+)'", str(context.get("expected", ""))))
    means = "" if choices or error["type"] == "string_pattern_mismatch" else _means(model, path)
    otherwise = f"{remedy}: {means}." if means else f"{remedy}."
    return Mistake(path, "value-bad", f"{where}: {why}", nearest(str(error["input"]), choices, otherwise))


def _wrong(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong with a value, and what to write."""
    shown = quoted(error["input"])
    if error["type"] == "string_pattern_mismatch":
        why, remedy = _FORMS.get(error["ctx"]["pattern"], _FORM)
        return f"{shown} {why}", remedy
    return wrong_value(error["type"], shown, error.get("ctx", {}))


def _means(model: type[Entry], path: Place) -> str:
    """What the key at a path is for, as its documentation begins; empty where it is no key of an entry."""
    holder = _at(model, path[:-1]) if path else None
    if not (isinstance(holder, type) and issubclass(holder, Entry)):
        return ""
    fields = {field.alias or name: field for name, field in holder.model_fields.items()}
    said = (fields[str(path[-1])].description or "") if str(path[-1]) in fields else ""
    first = said.partition(".")[0].partition(":")[0].partition(";")[0]
    return first[:1].lower() + first[1:]


def _at(model: type[Entry], path: Place) -> Any:  # noqa: ANN401  annotations have no common type
    """The annotation of what stands at a path of a document."""
    here: Any = model
    for part in path:
        here = _fields(here).get(str(part)) if _fields(here) else _bare(get_args(here)[-1 if get_args(here)[-1] is not Ellipsis else 0])
    return here


def _keys(model: type[Entry], path: Place) -> Iterator[str]:
    """The keys that may stand at a path of a document."""
    yield from _fields(_at(model, path))


def _fields(annotation: Any) -> dict[str, Any]:  # noqa: ANN401  annotations have no common type
    """Key to annotation where an entry is expected; empty elsewhere. A name stands before its entry, never in it."""
    if not (isinstance(annotation, type) and issubclass(annotation, Entry)):
        return {}
    fields = {field.alias or name: _bare(field.annotation) for name, field in annotation.model_fields.items()}
    return {key: kind for key, kind in fields.items() if key != Named.KEY}


def _bare(annotation: Any) -> Any:  # noqa: ANN401  annotations have no common type
    """An annotation without its `| None`."""
    arguments = get_args(annotation)
    return arguments[0] if type(None) in arguments else annotation


def _mend(rest: Reading, details: list[ErrorDetails]) -> bool:
    """Takes what is wrong out of a document, or puts a stand-in in its place; false where nothing would be left."""
    missing = {(*rest.found(one["loc"]), one["loc"][-1]) for one in details if one["type"] == "missing"}
    wrong = {rest.found(one["loc"]) for one in details if one["type"] != "missing"}
    last_first = sorted(missing | wrong, key=lambda path: [str(part).zfill(5) for part in path], reverse=True)
    return all(_replace(rest.value, path) for path in last_first)


def _replace(value: dict[str, Value], path: Place) -> bool:
    holder: Any = value
    for part in path[:-1]:
        if not _there(holder, part):
            return True
        holder = holder[part]
    if not path:
        return False
    if path[-1] in _STAND_INS:
        stand_in = copy.deepcopy(_STAND_INS[path[-1]])
        changed = holder.get(path[-1]) != stand_in
        holder[path[-1]] = stand_in
        return bool(changed)
    if not _there(holder, path[-1]):
        return _replace(value, path[:-1])
    del holder[path[-1]]
    return True


def _there(holder: object, part: str | int) -> bool:
    return part in holder if isinstance(holder, dict) else isinstance(holder, list) and isinstance(part, int) and part < len(holder)
