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
    # DuckDB reads a text that begins with 0x as a hexadecimal integer; another engine gets its own lowering here, held to the same
    # golden vectors. Taking the digits apart by arithmetic is portable, and computes the hash once per digit.
    return (ibis.literal("0x") + text.hexdigest("md5")[:DIGITS]).cast("int64").cast("float64") / SCALE


def salt(program: str, stage: str, version: str) -> str:
    """The salt of a stage's draw."""
    return f"{program}:{stage}:{version}"
