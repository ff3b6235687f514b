"""How a piece of text is written as quoted-printable, so that pieces can be written apart and joined.

Knows nothing of what the text says.
"""

from binascii import a2b_qp, b2a_qp

_LONGEST = 76
"""Octets a line, with the sign that it goes on. Source: RFC 2045, section 6.7, rule 5."""


def encoded(text: str) -> bytes:
    r"""Text as lines of quoted-printable in UTF-8; it ends where a line begins, so that anything may follow.

    NUL is left out, and every kind of line break is one. What is no character, half a surrogate pair, becomes a question mark.

    >>> encoded("a = b"), encoded("Zoë" + chr(10)), encoded("")
    (b'a =3D b=\r\n', b'Zo=C3=AB\r\n', b'')

    Source: RFC 2045, section 6.7.
    """
    if 0 < len(text) < _LONGEST and text.isascii() and text.isprintable() and "=" not in text and text[0] != "." and text[-1] != " ":
        return text.encode("ascii") + b"=\r\n"  # nothing in it needs a sign: most of the facts of most messages
    octets = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").encode("utf-8", "replace")
    lines = b2a_qp(octets, istext=True).replace(b"\n", b"\r\n")
    if not lines or lines.endswith(b"\n"):
        return lines
    if len(lines) - lines.rfind(b"\n") - 1 < _LONGEST:
        return lines + b"=\r\n"
    kept = -3 if lines[-3:-2] == b"=" else -1
    return b"%s=\r\n%s=\r\n" % (lines[:kept], lines[kept:])


def decoded(lines: bytes) -> str:
    """The text that was encoded, with a line feed for each line break.

    >>> decoded(encoded("Zoë = ½"))
    'Zoë = ½'
    """
    return a2b_qp(lines).decode("utf-8").replace("\r\n", "\n")
