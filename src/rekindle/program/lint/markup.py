"""What a template is made of: texts, Liquid tags and outputs, elements of MJML and HTML, and comments, each with its place.

Knows nothing of what they say. Each character is looked at a bounded number of times, whatever the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_ELEMENT_AT_MOST = 4_000
_MARKS = re.compile(r"[<>\"']")
_OPENINGS = re.compile(r"\{\{|\{%|<(?=[a-zA-Z/!])")
_LIQUID_ALONE = re.compile(r"\{\{|\{%|<(?=!--)")
_ATTRIBUTE = re.compile(r"([a-zA-Z_:][\w:.-]{0,60})(?:\s{0,9}=\s{0,9}(\"[^\"]*\"|'[^']*'|[^\s\"'>]{1,999}))?")
_NAME = re.compile(r"</?([a-zA-Z][\w-]{0,60})")

Kind = Literal["text", "output", "tag", "element", "comment"]

_PAIRS: tuple[tuple[str, str, Kind], ...] = (("{{", "}}", "output"), ("{%", "%}", "tag"), ("<!--", "-->", "comment"))


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a template.

    Args:
        kind: output is `{{ ... }}`, tag is `{% ... %}`, element is `<...>`, comment is `<!-- ... -->`.
        text: As written; of outputs, tags and comments what stands between the marks.
        at: Where it begins, in characters.
    """

    kind: Kind
    text: str
    at: int


def tokens(source: str, markup: bool) -> Iterator[Token]:
    """Takes a template apart.

    Args:
        source: The template.
        markup: Whether `<...>` is an element; in a text it is what it is, but for comments.

    >>> [(one.kind, one.text) for one in tokens("<b>{{ name }}</b>{% if x -%}!", True)]
    [('element', '<b>'), ('output', 'name'), ('element', '</b>'), ('tag', 'if x'), ('text', '!')]
    """
    at, missing = 0, set[str]()
    said = 0
    opening = _OPENINGS if markup else _LIQUID_ALONE
    while found := opening.search(source, at):
        token, end = _special(source, found.start(), missing)
        if token is None:
            at = found.end()
            continue
        if found.start() > said:
            yield Token("text", source[said : found.start()], said)
        yield token
        at = said = end
    if said < len(source):
        yield Token("text", source[said:], said)


def attributes(element: str) -> dict[str, str]:
    """The attributes of an element, names in small letters.

    >>> attributes('<mj-image src="a.png" ALT="A lamp" hidden />')
    {'src': 'a.png', 'alt': 'A lamp', 'hidden': ''}
    """
    start = _NAME.match(element)
    found = _ATTRIBUTE.finditer(element, start.end()) if start else iter(())
    return {one[1].lower(): (one[2] or "").strip("\"'") for one in found}


def element_name(element: str) -> str:
    """The name of an element in small letters, with a slash before it where it closes one."""
    found = _NAME.match(element)
    return ("/" if element.startswith("</") else "") + (found[1].lower() if found else "")


def _special(source: str, at: int, missing: set[str]) -> tuple[Token | None, int]:
    """What begins with a mark, and where it ends; None where it is only text."""
    for mark, closing, kind in _PAIRS:
        if source.startswith(mark, at):
            end = _next(source, closing, at + len(mark), missing)
            if end < 0:
                return None, at
            inside = source[at + len(mark) : end].strip().strip("-").strip()
            return Token(kind, inside, at), end + len(closing)
    end = _element_end(source, at, missing)
    return (Token("element", source[at:end], at), end) if end >= 0 else (None, at)


def _element_end(source: str, at: int, missing: set[str]) -> int:
    """Where an element ends, past signs in quotes; -1 where it is none."""
    here, limit = at + 1, at + _ELEMENT_AT_MOST
    while found := _MARKS.search(source, here, limit):
        if found[0] == ">":
            return found.end()
        if found[0] == "<":
            return -1
        closing = _next(source, found[0], found.end(), missing)
        here = closing + 1 if closing >= 0 else found.end()
    return -1


def _next(source: str, mark: str, at: int, missing: set[str]) -> int:
    """Where a mark comes next; a mark that came no more is not looked for again."""
    if mark in missing:
        return -1
    found = source.find(mark, at)
    if found < 0:
        missing.add(mark)
    return found
