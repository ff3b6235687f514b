"""What stands between the brackets of a call: an event, a number to add up, a window, a category or a product; or a segment's name.

Knows nothing of the rest of a rule, nor of how a question is answered.
"""

import re
from typing import Literal, cast

from rekindle.insight.expression_events import EVENTS, EventSource
from rekindle.insight.expression_tokens import Cursor, Token, nearest
from rekindle.insight.expression_tree import Asked, EventCall, SegmentCall

CALLS = 10
"""The most calls of one rule."""

LONGEST_WINDOW = 3_660
"""Days."""

FUNCTIONS = {
    "count": "count('Product Viewed', within='30d')",
    "sum": "sum('Order Completed', 'net', within='90d')",
    "last": "last('Cart Viewed')",
    "in_segment": "in_segment('new_buyers')",
}
"""The calls and an example of each."""

FILTERS = frozenset({"within", "category", "product"})
_UNIT_DAYS = {"d": 1, "w": 7}
_LISTED_IN = "docs/segments.md lists the events."


def read_call(cursor: Cursor, name: Token) -> EventCall | SegmentCall:
    """Reads a call whose name has been read, from its opening bracket to its closing one.

    Raises:
        ExpressionError: There is no such call, event, number, window or filter, or they do not go together.
    """
    if name.text not in FUNCTIONS:
        remedy = nearest(name.text, FUNCTIONS, f"It may be {', '.join(FUNCTIONS)}.")
        raise cursor.error(name, f"'{name.text}' is a call that there is not", remedy)
    opened = cursor.step()
    first = _text(cursor, name, "a segment's name" if name.text == "in_segment" else "an event's name")
    call = _segment(cursor, first) if name.text == "in_segment" else EventCall(_asked(cursor, name, first))
    cursor.close(opened)
    return call


def _segment(cursor: Cursor, name: Token) -> SegmentCall:
    segment = cursor.quoted(name)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", segment):
        remedy = "A segment's name has small letters, digits and '_', as in in_segment('new_buyers')."
        raise cursor.error(name, f"'{segment}' is no segment's name", remedy)
    return SegmentCall(segment, name.position)


def _asked(cursor: Cursor, name: Token, first: Token) -> Asked:
    event = cursor.quoted(first)
    if event not in EVENTS:
        raise cursor.error(first, f"there is no event '{event}'", nearest(event, EVENTS, _LISTED_IN))
    number = _number(cursor, name, first) if name.text == "sum" else None
    given = _filters(cursor, name)
    source, of_product = EVENTS[event], given.get("category") or given.get("product")
    if of_product and not source.of_product:
        raise cursor.error(of_product, f"'{event}' is not about a product", "Leave category and product out.")
    if number and of_product and source.of_line and cursor.quoted(number) in source.numbers:
        remedy = f"Add up {_listed(source.of_line)}, which are of its lines, or leave category and product out."
        raise cursor.error(number, f"{number.text} is of the whole order", remedy)
    texts = {key: cursor.quoted(token) for key, token in given.items()}
    function = cast(Literal["count", "sum", "last"], name.text)
    window = _window(cursor, given["within"]) if "within" in given else None
    return Asked(function, event, cursor.quoted(number) if number else "", window, texts.get("category"), texts.get("product"))


def _number(cursor: Cursor, name: Token, event: Token) -> Token:
    """What `sum` adds up: the second text."""
    source: EventSource = EVENTS[cursor.quoted(event)]
    known = (*source.numbers, *source.of_line)
    if not known:
        raise cursor.error(event, f"{event.text} has no number to add up", "Write count(...) instead of sum(...).")
    if not cursor.take(",") or cursor.next.kind != "text":
        raise cursor.error(cursor.next, f"{name.text} does not say what to add up", f"It may be {_listed(known)}.")
    number = cursor.step()
    if cursor.quoted(number) not in known:
        remedy = nearest(cursor.quoted(number), frozenset(known), f"It may be {_listed(known)}.")
        raise cursor.error(number, f"{event.text} has no number {number.text}", remedy)
    return number


def _filters(cursor: Cursor, name: Token) -> dict[str, Token]:
    """What narrows the events down, each with the text that it says."""
    found: dict[str, Token] = {}
    while cursor.take(","):
        key = cursor.step()
        if key.kind != "word" or key.text not in FILTERS:
            what = "the end" if key.kind == "end" else f"'{key.text}'"
            otherwise = f"Write it as in {FUNCTIONS[name.text]}."
            raise cursor.error(key, f"{what} is not a filter of {name.text}", nearest(key.text, FILTERS, otherwise))
        if key.text in found:
            raise cursor.error(key, f"'{key.text}' stands twice", "Keep one.")
        if key.text == "within" and name.text == "last":
            raise cursor.error(key, "last looks back without a window", "Compare its days, as in last('Cart Viewed') < 30.")
        if not cursor.take("="):
            raise cursor.error(cursor.next, f"'{key.text}' has no value", f"Write it as in {FUNCTIONS[name.text]}.")
        found[key.text] = _text(cursor, name, f"a text for '{key.text}'")
    return found


def _text(cursor: Cursor, name: Token, what: str) -> Token:
    token = cursor.step()
    if token.kind != "text" or not cursor.quoted(token).strip():
        raise cursor.error(token, f"{name.text} needs {what} here", f"Write it as in {FUNCTIONS[name.text]}.")
    return token


def _window(cursor: Cursor, token: Token) -> int:
    text = cursor.quoted(token)
    days = int(text[:-1]) * _UNIT_DAYS[text[-1]] if re.fullmatch(r"[0-9]{1,4}[dw]", text) else 0
    if not 1 <= days <= LONGEST_WINDOW:
        raise cursor.error(token, f"'{text}' is not a window of 1 to {LONGEST_WINDOW} days", "Write days or weeks, such as '30d' or '4w'.")
    return days


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(f"'{name}'" for name in names)
