"""How a message is written for mail: headers that nothing can be smuggled into, and both forms of the body.

Knows nothing of templates and of how it is handed over.
"""

import hashlib
import re
from base64 import b32encode, b64encode
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from rekindle.deliver.dkim import DkimKey, aligned, sign
from rekindle.deliver.facts import Facts
from rekindle.deliver.quoted_printable import encoded
from rekindle.deliver.templates import Rendered, TemplateSet, render
from rekindle.errors import PermanentFailure, Refused

_FORBIDDEN = re.compile(r"[\r\n\x00]")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[a-z0-9-]+(?:\.[a-z0-9-]+)*")
"""Source: RFC 5322, section 3.4.1, without the forms that need quotes or brackets."""

_QUOTED = re.compile(r'(["\\])')
_BREAKABLE = re.compile(r"(?<=[^ ])(?= [^ ])")
_LINE, _LINE_AT_MOST = 78, 998
_REMEMBERED = 64
"""Mailboxes and dates that are kept as they are written: a run has one sender and one date."""

_date = lru_cache(_REMEMBERED)(format_datetime)
_OCTETS_A_WORD = 42
"""So that a word of them stands on one line with the longest header's name. A multiple of three needs no padding."""

_BOUNDARY = "=_form"
"""Quoted-printable never has these two signs one after the other, so no text can end its part. Source: RFC 2045, section 6.7, note 5."""

_PART = f"--{_BOUNDARY}\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_BEFORE_TEXT, _BEFORE_PAGE = (_PART % "plain").encode(), f"\r\n{_PART % 'html'}".encode()
_AFTER_ALL = f"\r\n--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, when, and how the reader stops it; None where it is about the reader's own order, which nobody can stop."""

    from_name: str
    from_address: str
    to_name: str
    to_address: str
    reply_to: str
    message_id: str
    unsubscribe_url: str | None
    date: datetime


def message_id(token: str, sender_address: str) -> str:
    """The Message-ID of a touch, without its angle brackets: the same on every attempt, under the sender's domain.

    >>> message_id(token_of("win-back:c1:o1:reconnect"), "hello@shop.example")
    'fzxw5ov2s6anth2ntglf63rrxi@shop.example'

    Source: RFC 5322, 3.6.4.
    """
    return f"{token}@{sender_address.rpartition('@')[2]}"


def token_of(touch_key: str) -> str:
    """A touch's name for the other side, the same on every attempt: 26 letters and digits that tell nothing of the customer.

    >>> token_of("win-back:c1:o1:reconnect")
    'fzxw5ov2s6anth2ntglf63rrxi'
    """
    return b32encode(hashlib.sha256(touch_key.encode()).digest()[:16]).decode("ascii").rstrip("=").lower()


def mail(templates: TemplateSet, facts: Facts, envelope: Envelope, key: DkimKey | None = None) -> bytes:
    """A stage's message for one customer as it goes over the wire.

    Args:
        templates: The store's content.
        facts: What it may state.
        envelope: Who writes to whom.
        key: What signs it; None leaves it unsigned.

    Raises:
        Refused: The message lacks what the law, the offer or its content asks for, or the key is not the sender's.
        BadData: The stage has no template, or it has a mistake.
        PermanentFailure: As `build`.
    """
    return build(envelope, render(templates, facts), key)


def build(envelope: Envelope, rendered: Rendered, key: DkimKey | None = None) -> bytes:
    """The message as it goes over the wire.

    Args:
        envelope: Who writes to whom.
        rendered: What it says.
        key: What signs it; None leaves it unsigned.

    Source: RFC 5322, RFC 2046 section 5.1.4, RFC 2047, RFC 8058 section 3.1.

    Raises:
        PermanentFailure: A header's value has a line break or NUL, an address is not one, or the link to stop is not HTTPS.
        Refused: The key's domain is not the sender's.
    """
    if key and not aligned(key.domain, envelope.from_address):
        raise Refused(f"dkim.domain is {key.domain}, and {envelope.from_address} is of another", "Write dkim.domain as in sender.email.")
    fields = _fields(envelope, rendered.subject)
    body = (_BEFORE_TEXT, encoded(rendered.text), _BEFORE_PAGE, rendered.encoded, _AFTER_ALL)
    signed = [("DKIM-Signature", sign(key, fields, body, envelope.date)), *fields] if key else fields
    head = "".join([_folded(f"{name}: {value}") for name, value in signed])
    if max(map(len, head.split("\r\n"))) > _LINE_AT_MOST:
        raise PermanentFailure("a line of the message is over 998 octets", "Shorten public_url or the sender's name.")
    return b"".join((head.encode("ascii"), b"\r\n", *body))


def _fields(envelope: Envelope, subject: str) -> list[tuple[str, str]]:
    """The headers' names and values, not folded."""
    stop = envelope.unsubscribe_url
    if stop is not None and not stop.startswith("https://"):
        raise PermanentFailure("the link to unsubscribe is not HTTPS", "Write public_url = \"https://...\" in rekindle.toml.")
    unsubscribing = [("List-Unsubscribe", _ascii(f"<{stop}>")), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] if stop else []
    return [
        ("From", _mailbox(envelope.from_name, envelope.from_address)),
        ("To", _mailbox(envelope.to_name, envelope.to_address)),
        ("Reply-To", _mailbox("", envelope.reply_to)),
        ("Subject", _words(subject)),
        ("Date", _date(envelope.date)),
        ("Message-ID", _ascii(f"<{envelope.message_id}>")),
        *unsubscribing,
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'),
    ]


def _folded(line: str) -> str:
    """A header's lines, broken before single spaces where they are long. Source: RFC 5322, section 2.2.3."""
    if len(line) <= _LINE or line.count(" ") == 1:
        return f"{line}\r\n"
    name, *words = _BREAKABLE.split(line)
    lines = [name]
    for word in words:
        if len(lines[-1]) + len(word) > _LINE and lines[-1] is not name:
            lines.append(word)
        else:
            lines[-1] += word
    return "".join(f"{one}\r\n" for one in lines)


def _clean(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise PermanentFailure("a header's value has a line break or NUL in it", "Mend the name or the address that it comes from.")
    return value


def _ascii(value: str) -> str:
    if not _PLAIN.fullmatch(value):
        raise PermanentFailure("a link or an id in a header has signs that no header can hold", "Mend public_url or sender.email.")
    return value


def _words(value: str) -> str:
    """Text for a header: as it is, or as encoded words where it has other characters or looks like one.

    What is no character, half a surrogate pair, becomes a question mark.

    Source: RFC 2047, section 2: at most 75 characters a word, and whole characters in each.
    """
    if _PLAIN.fullmatch(_clean(value)) and "=?" not in value:
        return value
    words, held = [], b""
    for char in value:
        octets = char.encode("utf-8", "replace")
        if len(held) + len(octets) > _OCTETS_A_WORD:
            words.append(held)
            held = b""
        held += octets
    return " ".join(f"=?utf-8?b?{b64encode(word).decode('ascii')}?=" for word in [*words, held])


@lru_cache(_REMEMBERED)
def _mailbox(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(_clean(address)):
        raise PermanentFailure("an address cannot be written in a header", "Mend the address.")
    if not name:
        return address
    if _PLAIN.fullmatch(_clean(name)) and "=?" not in name:
        quoted = _QUOTED.sub(r"\\\1", name)
        return f'"{quoted}" <{address}>'
    return f"{_words(name)} <{address}>"
