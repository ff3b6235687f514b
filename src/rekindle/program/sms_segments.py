"""How many segments a text takes as an SMS, and in which encoding it is sent.

Knows nothing of providers, prices and what a text says. National shift tables are left out: few providers send them.
"""

from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each. Source: 3GPP TS 23.038, 6.2.1."""

_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Two septets each, the first an escape. Source: 3GPP TS 23.038, 6.2.1.1."""

_PLAINER = str.maketrans({"\N{NO-BREAK SPACE}": " ", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
_PLANE = 0xFFFF
Encoding = Literal["GSM-7", "UCS-2"]

ALONE: dict[Encoding, int] = {"GSM-7": 160, "UCS-2": 70}
"""Units in a message of one segment. Source: 3GPP TS 23.040, 9.2.3.24."""

JOINED: dict[Encoding, int] = {"GSM-7": 153, "UCS-2": 67}
"""Units in each segment of a longer message, after the header of six octets that joins them. Source: 3GPP TS 23.040, 9.2.3.24.1."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text takes as an SMS.

    Args:
        encoding: GSM-7 where its alphabet has every character, UCS-2 otherwise.
        units: Septets, or 16-bit units.
        count: Segments, each of which is paid; 0 for an empty text.
    """

    encoding: Encoding
    units: int
    count: int


def segments(text: str) -> Segments:
    """Counts the segments of a text; no character is split over two.

    >>> segments("Reply STOP to stop.")
    Segments(encoding='GSM-7', units=19, count=1)
    >>> segments("€" * 80), segments("€" * 81)
    (Segments(encoding='GSM-7', units=160, count=1), Segments(encoding='GSM-7', units=162, count=2))
    >>> segments("ç" * 71)
    Segments(encoding='UCS-2', units=71, count=2)

    Source: 3GPP TS 23.038, 6.1 and 6.2; TS 23.040, 9.2.3.24.
    """
    encoding: Encoding = "UCS-2" if foreign(text) else "GSM-7"
    sizes = [_septets(one) if encoding == "GSM-7" else 1 + (ord(one) > _PLANE) for one in text]
    units = sum(sizes)
    if units <= ALONE[encoding]:
        return Segments(encoding, units, min(units, 1))
    count, room = 0, 0
    for size in sizes:
        if size > room:
            count, room = count + 1, JOINED[encoding]
        room -= size
    return Segments(encoding, units, count)


def plain(text: str) -> str:
    """A text with the signs that GSM-7 lacks written by those that it has; letters stay.

    >>> plain("It\N{RIGHT SINGLE QUOTATION MARK}s here \N{EN DASH} façade")
    "It's here - façade"
    """
    return text.translate(_PLAINER)


def foreign(text: str) -> tuple[str, ...]:
    """The characters that GSM-7 lacks, each once, in the order of the text; one of them makes the whole text UCS-2.

    >>> foreign("Voilà, naïve façade…")
    ('ï', 'ç', '…')
    """
    return tuple(dict.fromkeys(one for one in text if one not in _BASIC and one not in _EXTENDED))


def _septets(char: str) -> int:
    return 2 if char in _EXTENDED else 1
