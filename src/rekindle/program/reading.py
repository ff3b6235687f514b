"""What a YAML document says and on which line: plain values with the line of every key.

Knows nothing of what the keys mean. Refuses what a document of ours never needs: aliases, tags, doubled keys, deep nesting, size.
The one door of this package to the file system.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from rekindle.errors import BadData, StoreUnavailable

OFFERS, RULES, SEGMENTS, TARGETS, PROGRAMS = "offers.yaml", "rules.yaml", "segments.yaml", "targets.yaml", "programs"
EXPERIMENTS = "experiments"
MANY = (PROGRAMS, EXPERIMENTS)
"""Folders of documents, each file one."""

SIZE = 64 * 1024
DEPTH = 16
NUMERAL = 24

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
Place = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Unreadable(BadData):
    """A document is not one that can be read.

    Args:
        line: Counted from 1.
        why: What is wrong there.
        remedy: What to do about it.
    """

    def __init__(self, line: int, why: str, remedy: str) -> None:
        super().__init__(f"line {line}: {why}", remedy)
        self.line, self.why = line, why


@dataclass(frozen=True, slots=True)
class Reading:
    """A document's values, and where they stand.

    Args:
        value: Mappings, lists, texts, numbers, truths and nulls.
        lines: The line of every key and item by its path.
    """

    value: dict[str, Value]
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, path: Place) -> int:
        """The line of a path, or of the nearest thing above it that is there; a number counts a mapping's keys too."""
        return self.lines.get(self.found(path), 1)

    def found(self, path: Place) -> Place:
        """As much of a path as is there, by names: a number counts the keys of a mapping too."""
        here: Value = self.value
        known: Place = ()
        for part in path:
            if isinstance(here, dict):
                part = list(here)[part] if isinstance(part, int) and part < len(here) else part
                if part not in here:
                    break
                here = here[str(part)]
            elif isinstance(here, list) and isinstance(part, int) and part < len(here):
                here = here[part]
            else:
                break
            known = (*known, part)
        return known


def read(document: bytes) -> Reading:
    """Reads one YAML document.

    Raises:
        Unreadable: It is not YAML, not UTF-8, or has what documents may not have.
    """
    if len(document) > SIZE:
        raise Unreadable(1, f"the document has {len(document):,} bytes", f"Keep it under {SIZE:,}.")
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, f"byte {error.start} is not UTF-8", "Save the file as UTF-8.") from None
    try:
        return _document(YAML(typ="safe", pure=True).parse(text))
    except (MarkedYAMLError, ReaderError) as error:
        raise _syntax(error, text) from None
    except YAMLError as error:
        raise Unreadable(1, str(error).splitlines()[0], "Mend the YAML.") from None


read_once = lru_cache(maxsize=64)(read)
"""`read` of texts that are asked for again and again, such as those beside which a draft is examined; nobody changes what it gives."""


def folder(root: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """The texts of a store folder's documents by path within it, and why others cannot be read."""
    texts: dict[str, bytes] = {}
    unreadable: dict[str, str] = {}
    for path in (path for many in MANY for path in (root / many).glob("*.yml")):
        unreadable[path.relative_to(root).as_posix()] = "its name does not end in .yaml"
    several = (path for many in MANY for path in sorted((root / many).glob("*.yaml")))
    for path in (*(root / name for name in (OFFERS, RULES, SEGMENTS, TARGETS)), *several):
        name = path.relative_to(root).as_posix()
        try:
            with path.open("rb") as file:
                texts[name] = file.read(SIZE + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            unreadable[name] = str(error.strerror)
    return texts, unreadable


def write_missing(root: Path, texts: Mapping[str, str]) -> tuple[Path, ...]:
    """Writes documents by path within a store folder and returns the new files; a document that is there stays as it is.

    Raises:
        StoreUnavailable: The folder cannot be written.
    """
    written = []
    for name, text in texts.items():
        path = root / name
        if path.exists():
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be written: {error.strerror}", "Make the folder writable.") from error
        written.append(path)
    return tuple(written)


def _syntax(error: MarkedYAMLError | ReaderError, text: str) -> Unreadable:
    if isinstance(error, ReaderError):
        return Unreadable(text.count("\n", 0, error.position) + 1, "a character that cannot be printed", "Remove it.")
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if isinstance(mark, StringMark) else 1
    return Unreadable(line, f"not YAML: {error.problem or error.context}", "Mend it; put texts with signs in quotes.")


def _document(events: Iterator[Event]) -> Reading:
    lines: dict[Place, int] = {}
    found: list[Value] = []
    for event in events:
        if found and not isinstance(event, DocumentEndEvent | StreamEndEvent):
            raise Unreadable(_line(event), "a second document begins", "Keep one document a file.")
        if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
            raise Unreadable(_line(event), "a directive (%) is not read", "Remove it.")
        if isinstance(event, NodeEvent):
            found.append(_value(event, events, (), lines))
    if not found or not isinstance(found[0], dict):
        raise Unreadable(1, "the document is not a mapping of keys", "Write it as key: value lines.")
    return Reading(found[0], lines)


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _value(event: Event, events: Iterator[Event], place: Place, lines: dict[Place, int]) -> Value:
    if not isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent) or event.anchor:
        raise Unreadable(_line(event), "anchors (&) and aliases (*) are not read", "Write the value out, or put the text in quotes.")
    if event.tag:
        raise Unreadable(_line(event), f"the tag {event.tag} is not read", "Write a plain text, number, list or mapping.")
    if len(place) > DEPTH:
        raise Unreadable(_line(event), f"nested more than {DEPTH} deep", "Write fewer levels.")
    if isinstance(event, MappingStartEvent):
        return _mapping(events, place, lines)
    if isinstance(event, SequenceStartEvent):
        return _sequence(events, place, lines)
    return _scalar(event)


def _mapping(events: Iterator[Event], place: Place, lines: dict[Place, int]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for event in events:
        if isinstance(event, MappingEndEvent):
            break
        if not isinstance(event, ScalarEvent):
            raise Unreadable(_line(event), "a key is not a text", "Write key: value.")
        key = str(event.value)
        if key in found:
            raise Unreadable(_line(event), f"the key '{key}' stands twice, first on line {lines[*place, key]}", "Keep one.")
        lines[*place, key] = _line(event)
        found[key] = _value(next(events), events, (*place, key), lines)
    return found


def _sequence(events: Iterator[Event], place: Place, lines: dict[Place, int]) -> list[Value]:
    items: list[Value] = []
    for event in events:
        if isinstance(event, SequenceEndEvent):
            break
        here = (*place, len(items))
        lines[here] = _line(event)
        items.append(_value(event, events, here, lines))
    return items


def _scalar(event: ScalarEvent) -> Value:
    """A plain scalar by the core schema of YAML 1.2, without its octal, hexadecimal and infinite numbers: these stay texts."""
    text = str(event.value)
    if any("\ud800" <= one <= "\udfff" for one in text):
        raise Unreadable(_line(event), "half of a character (\\ud800 to \\udfff)", "Write the character itself.")
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    if len(text) > NUMERAL:
        raise Unreadable(_line(event), f"a number has {len(text):,} digits", "Write a smaller one.")
    return int(text) if text.lstrip("+-").isdigit() else float(text)
