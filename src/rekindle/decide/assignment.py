"""Which number between 0 and 1 a customer draws: a hash that anyone can recompute by hand.

Knows nothing of arms. The same text gives the same number in Python and on every engine; the golden vectors in the tests say so.
"""

import hashlib

import ibis
import ibis.expr.types as ir

DIGITS = 13
SCALE = float(2 ** (4 * DIGITS))


def draw_of(*parts: str) -> float:
    """The number of a text: the first 13 hex digits of the md5 of the parts joined by colons, over 2^52.

    >>> draw_of("win-back:reconnect:1", "customer", "order")
    0.23183751288673005
    """
    digest = hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()
    return int(digest[:DIGITS], 16) / SCALE


def draw(*parts: ir.StringValue | str) -> ir.FloatingValue:
    """`draw_of` as an expression over text columns and literals."""
    text = ibis.literal(":").join([ibis.literal(part) if isinstance(part, str) else part for part in parts])
    return _hex_to_float(text.hexdigest("md5"))


def _hex_to_float(digest: ir.StringValue) -> ir.FloatingValue:
    """Adds the digits' values; exact in a double because 13 digits are 52 bits."""
    places = "0123456789abcdef"
    total: ir.FloatingValue = ibis.literal(0.0)
    for index in range(DIGITS):
        total = total + ibis.literal(places).find(digest[index : index + 1]).cast("float64") * 16.0 ** (DIGITS - 1 - index)
    return total / SCALE


def salt(program: str, stage: str, version: str) -> str:
    """The salt of a stage's draw."""
    return f"{program}:{stage}:{version}"
