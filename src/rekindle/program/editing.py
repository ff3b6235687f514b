"""A document with some of its values changed and everything else, comments among it, as it was.

Knows nothing of what a value means: what comes out is validated like any other text.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rekindle.errors import BadData
from rekindle.program.reading import Place, Value, read_once

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|[0-9]{1,4}[dw]|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_TEXTS = frozenset({"null", "true", "false"})


def changed(text: str, values: Mapping[Place, Value]) -> str:
    r"""A document with other values at some places.

    A value that is there already is not touched, so that what a form leaves alone keeps how it was written. A key that is not there is
    added to the mapping that would hold it.

    >>> changed("owner: Ada  # answers for it\ncaps: {touches: 4}\n", {("caps", "touches"): 3, ("caps", "gap"): "7d"})
    'owner: Ada  # answers for it\ncaps: {gap: 7d, touches: 3}\n'

    Args:
        text: The document; one that can be read.
        values: By place.

    Raises:
        Unreadable: The text cannot be read.
        BadData: Nothing that could hold a place is there.
    """
    held, root = read_once(text.encode()).value, _composed(text)
    edits = [_edit(text, root, place, value) for place, value in values.items() if _at(held, place) != (True, value)]
    for start, end, instead in sorted(edits, reverse=True, key=lambda one: one[:2]):
        text = text[:start] + instead + text[end:]
    return text


@lru_cache(maxsize=16)
def _composed(text: str) -> Node:
    """A document as nodes that know their places; the same one is edited again while somebody types."""
    found: Node = YAML(typ="safe", pure=True).compose(text)
    return found


def written(value: Value) -> str:
    r"""A value as YAML on one line.

    >>> written(True), written("14d"), written("orders >= 4"), written('lifecycle in ("lapsing")'), written(["email", "sms"])
    ('true', '14d', '"orders >= 4"', '\'lifecycle in ("lapsing")\'', '[email, sms]')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.10g}" if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return f"[{', '.join(written(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {written(one)}' for key, one in value.items())}}}"
    return _text(value)


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXTS:
        return value
    if '"' in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    escaped = "".join(one if one.isprintable() and one not in '"\\' else _escape(one) for one in value)
    return f'"{escaped}"'


def _escape(one: str) -> str:
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return named.get(one) or (f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}")


def _at(held: Value, place: Place) -> tuple[bool, Value]:
    """Whether something stands at a place, and what."""
    for part in place:
        if isinstance(held, dict) and part in held:
            held = held[str(part)]
        elif isinstance(held, list) and isinstance(part, int) and part < len(held):
            held = held[part]
        else:
            return False, None
    return True, held


def _edit(text: str, node: Node, place: Place, value: Value) -> tuple[int, int, str]:
    """What is to stand between two characters of a text."""
    key = 0
    for depth, part in enumerate(place):
        key, below = _below(node, part)
        if below is None:
            if depth + 1 == len(place) and isinstance(node, MappingNode):
                return _addition(node, str(part), value)
            raise BadData(f"nothing is there that could hold {'.'.join(map(str, place))}", "Write it into the text of the document.")
        node = below
    start, end = node.start_mark.index, node.end_mark.index
    if start == end:  # nothing stands there, and the mark is that of whatever comes next
        after = text.index(":", key) + 1
        return after, after, f" {written(value)}"
    return start, start + len(text[start:end].rstrip()), written(value)


def _below(node: Node, part: str | int) -> tuple[int, Node | None]:
    """Where the key of what stands below a node ends, and that; None where nothing does."""
    if isinstance(node, MappingNode):
        return next(((key.end_mark.index, value) for key, value in node.value if key.value == str(part)), (0, None))
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return 0, node.value[part]
    return 0, None


def _addition(node: MappingNode, key: str, value: Value) -> tuple[int, int, str]:
    """A key before the first of a mapping, in the mapping's own way of writing."""
    if not node.value:
        at = node.start_mark.index + 1
        return at, at, f"{key}: {written(value)}"
    first = node.value[0][0].start_mark
    apart = ", " if node.flow_style else "\n" + " " * first.column
    return first.index, first.index, f"{key}: {written(value)}{apart}"
