"""A document as a form: a field for every value that it states, and what was typed into them as values again.

Knows nothing of pages. Words, choices and kinds come from the document's published schema, so that form and text mean the same.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rekindle.program.reading import Place, Reading, Value

Kind = Literal["text", "rule", "number", "truth", "choice", "list", "day"]
Schema = Mapping[str, Any]

OFFERED = frozenset(
    {"when", "channel", "at_most", "margin_floor", "valid", "value_at_most", "hold_until", "only_if", "every", "not_before"}
)
"""Keys that have a field where the document leaves them out; all others are added in the text."""

FIXED = frozenset({("program",)})
"""What a document is called is not changed in a form."""

RULE = 1_000
"""A text that may be so long is written in more than one line."""

_WORDS = {
    "class": "Kind of message", "enter": "Who enters", "reenter": "Coming back into it", "not_before": "Not before", "touches": "Messages",
    "per": "In a period of", "gap": "Time between two messages", "duration": "First to last message", "control": "Share without it",
    "mean": "Assumed extra orders", "sd": "How unsure that is", "arms": "Variants", "prior": "Assumed effect", "when": "Only for",
    "at_least": "Not before", "at_most": "Not later than", "rhythm": "Part of the customer’s own rhythm", "stages": "Steps",
    "variants": "Differences by lapsed cohort", "exit": "What ends a round", "due": "Next review", "every": "Then every",
    "grace": "Grace after it", "trigger": "What opens a round", "on": "Moment", "within": "Within", "valid": "Holds for",
    "hold_until": "Waits until", "only_if": "Only if", "holdout": "Share held out of everything", "amount": "Amount",
    "price": "May lower the price", "redemption": "Share who take it", "unit_cost": "Cost of one",
}  # fmt: skip
_DIGITS = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class Field:
    """One value.

    Args:
        place: Where it stands.
        words: What it is called.
        about: What it means.
        kind: How it is typed.
        shown: As the field shows it; empty where the document leaves it out.
        choices: What it may be, of a choice.
        empty: Whether it may be null.
        stated: Whether the document states it.
    """

    place: Place
    words: str
    about: str
    kind: Kind
    shown: str
    choices: tuple[str, ...] = ()
    empty: bool = False
    stated: bool = True

    @property
    def name(self) -> str:
        """The place as the name of a field."""
        return "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in self.place)


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together, and groups below them.

    Args:
        name: The last key of its place; empty for the whole document.
        words: What it is called.
        about: What it means.
        fields: Its values.
        groups: What stands below it.
    """

    name: str
    words: str
    about: str
    fields: tuple[Field, ...]
    groups: tuple["Group", ...]

    def every_field(self) -> Iterator[Field]:
        """Its fields and those of every group below it."""
        yield from self.fields
        for group in self.groups:
            yield from group.every_field()


def form(schema: Schema, reading: Reading) -> Group:
    """The fields of a document, grouped as it is.

    Args:
        schema: The JSON schema of its kind.
        reading: What it says.
    """
    return _group(schema, schema, reading.value, ())


def typed(fields: Group, given: Mapping[str, str]) -> dict[Place, Value]:
    """What was typed, by place: only what differs from what the form showed.

    Args:
        fields: The form that was shown.
        given: Names of fields to what was typed into them; a field that is not named stays.
    """
    found = ((field, given[field.name].strip()) for field in fields.every_field() if field.name in given)
    return {field.place: _value(field, text) for field, text in found if text != field.shown}


def _group(root: Schema, here: Schema, value: Mapping[str, Value], place: Place) -> Group:
    fields: list[Field] = []
    groups: list[Group] = []
    for key, below in value.items():
        at, found = (*place, key), _property(here, key)
        if isinstance(below, dict):
            groups.append(_group(root, _resolved(root, found), below, at))
        elif at not in FIXED and _simple(below):
            fields.append(_field(root, at, found, below))
    left_out = [key for key in here.get("properties", {}) if key in OFFERED and key not in value]
    fields += [_field(root, (*place, key), here["properties"][key], None, stated=False) for key in left_out]
    name = str(place[-1]) if place else ""
    return Group(name, words_of(name), _about(here), tuple(fields), tuple(groups))


def words_of(key: str) -> str:
    """What a key is called.

    >>> words_of("enter"), words_of("price_offers_per_year")
    ('Who enters', 'Price offers per year')
    """
    said = key.replace("_", " ")
    return _WORDS.get(key, said[:1].upper() + said[1:])


def _about(found: Schema) -> str:
    """What a key means, as a sentence for people: names of keys and values stand in it without their marks."""
    said = str(found.get("description", "")).replace("`", "")
    return said[:1].upper() + said[1:]


def _property(here: Schema, key: str) -> Schema:
    """The schema of a key: of that name, or of any where keys are names."""
    named: Schema | None = here.get("properties", {}).get(key)
    if named is not None:
        return named
    patterns = list(here.get("patternProperties", {}).values())
    other = here.get("additionalProperties")
    return patterns[0] if patterns else other if isinstance(other, Mapping) else {}


def _resolved(root: Schema, one: Schema) -> Schema:
    """A schema with what it refers to, and without its null."""
    if "anyOf" in one:
        some = [other for other in one["anyOf"] if other.get("type") != "null"]
        rest = {key: value for key, value in one.items() if key != "anyOf"}
        return {**_resolved(root, some[0]), **rest} if some else one
    if "$ref" in one:
        target: Schema = root["$defs"][str(one["$ref"]).rpartition("/")[2]]
        rest = {key: value for key, value in one.items() if key != "$ref"}
        return {**_resolved(root, target), **rest}
    return one


def _simple(value: Value) -> bool:
    return not isinstance(value, list) or not any(isinstance(one, dict | list) for one in value)


def _field(root: Schema, place: Place, stated_as: Schema, value: Value, stated: bool = True) -> Field:
    found = _resolved(root, stated_as)
    kind, empty = _kind(found, value), any(other.get("type") == "null" for other in stated_as.get("anyOf", ()))
    choices = tuple(map(str, found.get("enum", ()))) if kind == "choice" else ()
    return Field(place, words_of(str(place[-1])), _about(found), kind, _shown(value), choices, empty, stated)


def _kind(found: Schema, value: Value) -> Kind:
    if isinstance(value, list) or found.get("type") == "array":
        return "list"
    if found.get("type") == "boolean":
        return "truth"
    if found.get("enum"):
        return "choice"
    if found.get("type") in ("number", "integer"):
        return "number"
    if found.get("format") == "date":
        return "day"
    return "rule" if found.get("maxLength", 0) > RULE else "text"


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _value(field: Field, text: str) -> Value:
    """What was typed, as the document would hold it; what is no number stays a text, and validation says so."""
    if field.kind == "list":
        return [part for one in text.split(",") if (part := one.strip())]
    if not text and (field.empty or field.kind in ("number", "truth")):
        return None
    if field.kind == "truth":
        return text == "true"
    if field.kind == "number" and _DIGITS.fullmatch(text):
        return int(text)
    if field.kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    return text
