"""What a report by mail consists of: its parts, their fields, and which of our messages it is about.

Knows nothing of what a report says. Reads bytes that anybody may have sent: it never fails, and its work is bounded by their size.
"""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

AT_MOST = 1_000_000
"""Octets that are read of one report; what it says stands at its beginning."""

_PARTS, _DEPTH, _FIELDS = 20, 3, 500
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_FIELD = re.compile(rb"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)")
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,100})"|([^\s;"]{1,100}))', re.IGNORECASE)
_TOKEN = re.compile(r"<?([a-z2-7]{26})@[A-Za-z0-9.-]{1,253}>?")
_ENVELOPE = re.compile(r"<?([a-z2-7]{26})(?:@[A-Za-z0-9.-]{1,253})?>?")
_RETURN_PATH = re.compile(r"<?[^\s<>@+]{1,64}\+([a-z2-7]{26})@[A-Za-z0-9.-]{1,253}>?")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a report: its media type in lower case, and its content without transfer encoding."""

    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """A message of type multipart/report, taken apart.

    Args:
        head: The message's own fields, names in lower case.
        parts: What is not itself multipart.
    """

    head: Fields
    parts: tuple[Part, ...]

    def content(self, *kinds: str) -> bytes | None:
        """What the first part of one of these types holds."""
        return next((part.content for part in self.parts if part.kind in kinds), None)


def taken_apart(raw: bytes) -> Report | None:
    """The report that these octets are; None where they are no report. Source: RFC 6522."""
    raw = raw[:AT_MOST]
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    head, body = _split(raw)
    kind = head.get("content-type", "")
    if not kind.lower().startswith("multipart/report"):
        return None
    return Report(head, tuple(_leaves(kind, body, _DEPTH))[:_PARTS])


def fields(block: bytes) -> dict[str, str]:
    r"""The fields of a block by their names in lower case, unfolded; of a name that comes twice the first counts.

    >>> fields(b"Action: failed\r\nDiagnostic-Code: smtp;\r\n 550 no such user\r\naction: delayed")
    {'action': 'failed', 'diagnostic-code': 'smtp; 550 no such user'}
    """
    found: dict[str, str] = {}
    for line in _FOLD.sub(b" ", block).split(b"\n", _FIELDS)[:_FIELDS]:
        if field := _FIELD.fullmatch(line.rstrip(b"\r")):
            found.setdefault(field[1].decode("ascii").lower(), field[2].decode("utf-8", "replace").strip())
    return found


def blocks(content: bytes) -> tuple[dict[str, str], ...]:
    """The groups of fields that empty lines part."""
    return tuple(read for block in _BLANK.split(content, _FIELDS) if (read := fields(block)))


def token_in(report: Report, *envelope_ids: str) -> str:
    """The token of the touch that a report is about; empty where no field of its own carries one.

    Looked for in the envelope's id, in the Message-ID of what was returned, in what the report answers, and in the address that it came
    to. Never in the text: anybody can write that.

    Source: RFC 3464, 2.2.1; RFC 3461, 4.4 and 4 (xtext); RFC 5322, 3.6.4.
    """
    for stated in envelope_ids:
        if found := _ENVELOPE.fullmatch(_XTEXT.sub(lambda code: chr(int(code[1], 16)), stated.strip())):
            return found[1]
    for part in report.parts:
        returned = fields(_split_at_blank(part.content)[0]) if part.kind in _RETURNED else {}
        if found := _TOKEN.fullmatch(returned.get("message-id", "")):
            return found[1]
    answered = [report.head.get("in-reply-to", ""), *report.head.get("references", "").split()[-1:]]
    if found := next(filter(None, map(_TOKEN.fullmatch, answered)), None):
        return found[1]
    came_to = (report.head.get(name, "") for name in ("x-original-to", "delivered-to", "to"))
    return next((found[1] for found in map(_RETURN_PATH.fullmatch, came_to) if found), "")


def instant(text: str, otherwise: datetime) -> datetime:
    """The instant that a Date field states, UTC; the other one where it states none, or one after that."""
    try:
        stated = parsedate_to_datetime(text)
        told = (stated if stated.tzinfo else stated.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return otherwise
    return min(told, otherwise)


def address_in(text: str) -> str:
    """The address of a field such as Final-Recipient, without its type.

    >>> address_in("rfc822; Ada@People.example"), address_in("<ada@people.example>")
    ('Ada@People.example', 'ada@people.example')
    """
    return text.rpartition(";")[2].strip().strip("<>")[:254]


def _leaves(kind: str, body: bytes, depth: int) -> Iterator[Part]:
    boundary = _BOUNDARY.search(kind)
    if boundary is None or not depth:
        return
    mark = re.escape((boundary[1] or boundary[2]).encode("utf-8", "replace"))
    for piece in re.split(rb"(?:\A|\r?\n)--" + mark + rb"(?:--)?[ \t]*(?=\r?\n|\Z)", body, maxsplit=_PARTS)[1:]:
        head, content = _split(re.sub(rb"\A\r?\n", b"", piece))
        inner = head.get("content-type", "text/plain")
        if inner.lower().startswith("multipart/"):
            yield from _leaves(inner, content, depth - 1)
        else:
            yield Part(inner.partition(";")[0].strip().lower(), _decoded(content, head.get("content-transfer-encoding", "")))


def _split(raw: bytes) -> tuple[dict[str, str], bytes]:
    head, body = _split_at_blank(raw)
    return fields(head), body


def _split_at_blank(raw: bytes) -> tuple[bytes, bytes]:
    if re.match(rb"\r?\n", raw):
        return b"", raw
    found = _BLANK.search(raw)
    return (raw[: found.start()], raw[found.end() :]) if found else (raw, b"")


def _decoded(content: bytes, encoding: str) -> bytes:
    try:
        if encoding.lower() == "base64":
            return binascii.a2b_base64(content)
        return binascii.a2b_qp(content) if encoding.lower() == "quoted-printable" else content
    except binascii.Error:
        return content
