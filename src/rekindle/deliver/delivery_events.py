"""What became of a message after it was handed over, in one form, whoever tells it: a mail server, a mailbox provider, a provider of mail.

Knows nothing of the ledger. What a source said stands beside, word for word.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

ACCEPTED, DELIVERED, DEFERRED, OPENED, CLICKED = "accepted", "delivered", "deferred", "opened", "clicked"
BOUNCED, REJECTED, COMPLAINED, UNSUBSCRIBED = "bounced", "rejected", "complained", "unsubscribed"

TAKEN: Final = frozenset({ACCEPTED, DELIVERED, DEFERRED, OPENED, CLICKED, COMPLAINED, UNSUBSCRIBED})
"""What only happens to a message that was handed over."""

LOST: Final = frozenset({BOUNCED, REJECTED})
"""What only happens to a message that nobody got."""

RATE, AT_LEAST = 0.001, 1_000
"""A program pauses where this share of its delivered messages brought a complaint, from this number of messages on. Source: Gmail's
guidelines for senders, 2024: keep the rate under 0.10 %."""

RAW_AT_MOST = 64_000
_ADDRESS = re.compile(r"[^\s<>@:;,\"'()]{1,64}@[^\s<>@:;,\"'()]{1,254}")
_DETAIL_AT_MOST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvent:
    """One thing that a source told of one message.

    Args:
        kind: One of this module's words.
        source: Who told it: dsn, arf, or a provider's name.
        event_id: What the source calls it; with the source it is unique, so that what is told twice counts once.
        at: When it happened, aware.
        token: The touch's own name, 26 letters and digits; empty where the source does not tell it.
        provider_id: What the provider calls the message; empty where there is none.
        recipient: Whom the source names; told for the record, and never what an event is matched by.
        permanent: Of a bounce or a rejection: whether the address itself is at fault, so that nothing should go there again.
        detail: The source's reason, one line.
        agent: Of an open or a click: what the program that did it calls itself, one line.
        raw: What the source said.
    """

    kind: str
    source: str
    event_id: str
    at: datetime
    token: str = ""
    provider_id: str = ""
    recipient: str = ""
    permanent: bool = False
    detail: str = ""
    agent: str = ""
    raw: str = ""


def stops(event: DeliveryEvent) -> str:
    """Why nothing should go to the address any more, as the reason of a suppression; empty where it may.

    Source: RFC 3464, 2.3.4: a class of 4 is no failure for good.

    >>> from datetime import UTC
    >>> told = {"source": "dsn", "event_id": "1", "at": datetime(2026, 11, 26, tzinfo=UTC)}
    >>> [stops(DeliveryEvent(kind=kind, permanent=True, **told)) for kind in (BOUNCED, COMPLAINED, DEFERRED)]
    ['bounce', 'complaint', '']
    >>> stops(DeliveryEvent(kind=BOUNCED, **told))
    ''
    """
    if event.kind == COMPLAINED:
        return "complaint"
    return {BOUNCED: "bounce", REJECTED: "rejection"}.get(event.kind, "") if event.permanent else ""


def too_many(complaints: int, delivered: int) -> bool:
    """Whether a program must pause.

    >>> too_many(1, 1_000), too_many(1, 1_001), too_many(1, 999), too_many(5, 20)
    (True, False, False, False)
    """
    return delivered >= AT_LEAST and complaints >= RATE * delivered


def name_of(*parts: str) -> str:
    """A name for an event whose source has none: the same whenever it says the same."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:40]


def one_line(text: str) -> str:
    r"""A reason as it is kept: one line of visible characters, not too long.

    >>> one_line("550 5.1.1\r\n no such\x00 user")
    '550 5.1.1 no such user'
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * _DETAIL_AT_MOST]).split())[:_DETAIL_AT_MOST]


def reason(text: str) -> str:
    """A source's reason, without the addresses in it: it stands where an erased customer's address must not.

    >>> reason("550 5.1.1 <ada@people.example>: no such user")
    '550 5.1.1 <...>: no such user'
    """
    return _ADDRESS.sub("...", one_line(text))


def as_text(raw: bytes) -> str:
    """What a source said, as text that any database keeps."""
    return raw[:RAW_AT_MOST].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
