"""How a message is written for mail: headers that nothing can be smuggled into, and both forms of the body.

Knows nothing of templates and of how it is handed over.
"""

import hashlib
import re
from base64 import b32encode, b64encode
from dataclasses import dataclass
from datetime import datetime
from email.charset import QP, Charset
from email.generator import BytesGenerator
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime
from io import BytesIO

from rekindle.deliver.templates import Rendered
from rekindle.errors import PermanentFailure

_FORBIDDEN = re.compile(r"[\r\n\x00]")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_ADDRESS = re.compile(r"[!-?A-~]+@[a-z0-9.-]+")
_QUOTED = re.compile(r'(["\\])')
_WIRE = compat32.clone(linesep="\r\n", max_line_length=78)
_LINE_AT_MOST = 998
_OCTETS_A_WORD = 45


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


def message_id(touch_key: str, sender_address: str) -> str:
    """The Message-ID of a touch, without its angle brackets: the same on every attempt, under the sender's domain.

    >>> message_id("win-back:c1:o1:reconnect", "hello@shop.example")
    'fzxw5ov2s6anth2ntglf63rrxi@shop.example'

    Source: RFC 5322, 3.6.4.
    """
    return f"{token_of(touch_key)}@{sender_address.rpartition('@')[2]}"


def token_of(touch_key: str) -> str:
    """A touch's name for the other side, the same on every attempt: 26 letters and digits that tell nothing of the customer.

    >>> token_of("win-back:c1:o1:reconnect")
    'fzxw5ov2s6anth2ntglf63rrxi'
    """
    return b32encode(hashlib.sha256(touch_key.encode()).digest()[:16]).decode("ascii").rstrip("=").lower()


def build(envelope: Envelope, rendered: Rendered) -> bytes:
    """The message as it goes over the wire.

    Source: RFC 5322, RFC 2047, RFC 8058 section 3.1.

    Raises:
        PermanentFailure: A header's value has a line break or NUL, an address is not one, or the link to stop is not HTTPS.
    """
    stop = envelope.unsubscribe_url
    if stop is not None and not stop.startswith("https://"):
        raise PermanentFailure("the link to unsubscribe is not HTTPS", "Write public_url = \"https://...\" in rekindle.toml.")
    message = MIMEMultipart("alternative", policy=_WIRE)
    message["From"] = _mailbox(envelope.from_name, envelope.from_address)
    message["To"] = _mailbox(envelope.to_name, envelope.to_address)
    message["Reply-To"] = _mailbox("", envelope.reply_to)
    message["Subject"] = _words(rendered.subject)
    message["Date"] = format_datetime(envelope.date)
    message["Message-ID"] = _clean(f"<{envelope.message_id}>")
    if stop is not None:
        message["List-Unsubscribe"] = _clean(f"<{stop}>")
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.attach(_part("plain", rendered.text))
    message.attach(_part("html", rendered.html))
    return _wire_form(message)


def _wire_form(message: MIMEMultipart) -> bytes:
    buffer = BytesIO()
    BytesGenerator(buffer, mangle_from_=False, policy=_WIRE).flatten(message)
    wire = buffer.getvalue()
    if max(map(len, wire.split(b"\r\n"))) > _LINE_AT_MOST:
        raise PermanentFailure("a line of the message is over 998 octets", "Shorten public_url or the sender's name.")
    return wire


def _part(kind: str, text: str) -> MIMENonMultipart:
    charset = Charset("utf-8")
    charset.body_encoding = QP
    part = MIMENonMultipart("text", kind, charset="utf-8")
    part.set_payload(text.replace("\x00", ""), charset)
    return part


def _clean(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise PermanentFailure("a header's value has a line break or NUL in it", "Mend the name or the address that it comes from.")
    return value


def _words(value: str) -> str:
    """Text for a header: as it is, or as encoded words where it has other characters or looks like one.

    Source: RFC 2047, section 2: at most 75 characters a word, and whole characters in each.
    """
    if _PLAIN.fullmatch(_clean(value)) and "=?" not in value:
        return value
    words, held = [], b""
    for char in value:
        if len(held) + len(char.encode()) > _OCTETS_A_WORD:
            words.append(held)
            held = b""
        held += char.encode()
    return " ".join(f"=?utf-8?b?{b64encode(word).decode('ascii')}?=" for word in [*words, held])


def _mailbox(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(_clean(address)):
        raise PermanentFailure("an address cannot be written in a header", "Mend the address.")
    if not name:
        return address
    if _PLAIN.fullmatch(_clean(name)) and "=?" not in name:
        quoted = _QUOTED.sub(r"\\\1", name)
        return f'"{quoted}" <{address}>'
    return f"{_words(name)} <{address}>"
