"""A page of which all but a few places is the same for many customers: written once, filled in for each.

Knows nothing of pages.
"""

import re
from collections.abc import Mapping
from html import escape

_PLACE = re.compile("\x02([^\x03]*)\x03")  # no text of a page has these characters


def place(name: str) -> str:
    """What a template writes where something is to be filled in."""
    return f"\x02{name}\x03"


class Blank:
    """A page with places.

    Args:
        text: What a template made.

    >>> Blank(f"<p>{place('who')}, {place('what')}</p>").filled({"who": "A & B"})
    b'<p>A &amp; B, </p>'
    """

    def __init__(self, text: str) -> None:
        parts = _PLACE.split(text)
        self._parts = [part.encode() for part in parts]
        self._parts[1::2] = [b""] * (len(parts) // 2)
        self._places: dict[str, list[int]] = {}
        for number, name in enumerate(parts[1::2]):
            self._places.setdefault(name, []).append(2 * number + 1)

    def filled(self, said: Mapping[str, str]) -> bytes:
        """The page, UTF-8, with plain text in its places; a place of which nothing is said stays empty."""
        parts = list(self._parts)
        for name, text in said.items():
            for at in self._places.get(name, ()):
                parts[at] = escape(text).encode()
        return b"".join(parts)
