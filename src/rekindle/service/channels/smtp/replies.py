"""What a mail server's answer means: the message was taken, was not and may come again, must not come again, or nobody can say.

Knows nothing of connections.
"""

import re
from datetime import timedelta

from rekindle.errors import DeliveryError, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.people.addresses import masked

CONNECTION, MAIL, RCPT, DATA, DOT = "the connection", "MAIL", "RCPT", "DATA", "the message"
"""Where an answer came: before any message, to one of the three commands, or to the final dot."""
GREY = timedelta(minutes=5)
"""How long a greylisted message waits where the server does not say: what the usual greylisters ask for, 2026-11."""
_LONGEST_WAIT = timedelta(hours=4)
_SHUTTING_DOWN = 421
_GREYLISTED = (450, 451)
_SIGN_IN = (530, 534, 535, 538)
_ASKED = re.compile(r"\b(\d{1,5})\s*(s|secs?|seconds?|m|mins?|minutes?)\b", re.IGNORECASE)
_QUEUED = re.compile(r"\b(?:queued as |ok id=|ok (?=\S*\d))<?([A-Za-z0-9][\w.@-]{5,99})", re.IGNORECASE)
_NO_SUCH_MAILBOX = re.compile(r"5\.(?:1\.(?:1|2|3|6|10)|2\.1)\b")
_UNREADABLE = re.compile(r"[^\x20-\x7e]+")
_SHOWN = 160


def taken(step: str, code: int) -> bool:
    """Whether an answer says that the step is done.

    Source: RFC 5321, section 4.3.2.
    """
    return code // 10 == (35 if step == DATA else 25)


def final(code: int) -> bool:
    """Whether the connection is of no use after an answer: the server ends it, or it is none of a mail server."""
    return code == _SHUTTING_DOWN or code // 100 not in (2, 4, 5)


def refusal(step: str, code: int, text: bytes) -> DeliveryError:
    """What an answer means that does not say that the step is done.

    Args:
        step: Where it came.
        code: Its three digits; -1 where there are none.
        text: What follows them.

    Source: RFC 5321, sections 4.2.1 and 4.2.2; RFC 4954, section 6, for what concerns the sign-in and no message; RFC 3463, section 3,
    and RFC 7505 for mailboxes that are no more.
    """
    said = f"the mail server answered {step} with {code} {masked(readable(text))}".rstrip(" .")
    if code == _SHUTTING_DOWN:
        return TemporaryFailure(said, "Nothing: it is tried again.", _asked(text), lane=True)
    if code in _SIGN_IN:
        return TemporaryFailure(said, "Check smtp.user, smtp.password and smtp.security.", lane=True)
    if code // 100 == 4:
        wait = _asked(text) or (GREY if step == RCPT and code in _GREYLISTED else None)
        return TemporaryFailure(said, "Nothing: it is tried again.", wait, lane=step in (CONNECTION, MAIL))
    if code // 100 == 5 and step != CONNECTION:
        gone = step == RCPT and _NO_SUCH_MAILBOX.match(readable(text)) is not None
        return PermanentFailure(said, "Mend the address, or what the server names.", gone=gone)
    if step == DOT:
        return OutcomeUnknown(said, "A bounce would settle it.")
    return TemporaryFailure(said, "Check smtp.host and smtp.port, and what the server names.", lane=True)


def queue_id(text: bytes) -> str:
    """What the server calls a message that it has taken; empty where it does not say."""
    found = _QUEUED.search(readable(text))
    return found[1] if found else ""


def readable(text: bytes) -> str:
    """A server's words on one line, printable and short."""
    return _UNREADABLE.sub(" ", text.decode("ascii", "replace"))[:_SHOWN].strip()


def _asked(text: bytes) -> timedelta | None:
    found = _ASKED.search(readable(text))
    if not found:
        return None
    unit = "minutes" if found[2].lower().startswith("m") else "seconds"
    return min(timedelta(**{unit: int(found[1])}), _LONGEST_WAIT)
