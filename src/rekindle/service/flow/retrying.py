"""What a hand-over's end means for its touch: sent, failed, unknown, or to be tried again and when.

Knows nothing of the ledger and of channels.
"""

from datetime import datetime, timedelta

from rekindle.errors import OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.outbox.models import FAILED, PLANNED, SENT, UNKNOWN, Touch
from rekindle.service.outbox.outcome import Outcome

TRIES = 8
"""So often a message is handed over before it has failed for good."""

FIRST_WAIT = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=10)
"""The wait doubles with every try and is at least what the other side asked for, up to this: 8 tries end within 70 hours."""


def taken(message_id: str, theirs: str) -> Outcome:
    """The outcome of a message that was taken.

    Args:
        message_id: The name that it was handed over under.
        theirs: What the other side calls it.
    """
    return Outcome(SENT, message_id=message_id, provider_id=theirs, tried=True)


def not_taken(touch: Touch, error: Exception, now: datetime, message_id: str = "") -> Outcome:
    """The outcome of a message that was not taken, or of which nobody can say.

    Marketing of which nobody can say stays unknown: it is handed over at most once. News of an order is tried again, under the same name.

    Args:
        touch: As claimed.
        error: What the sender raised; one that no sender promises to raise leaves the outcome unknown.
        now: The instant at which that was known; the wait counts from it.
        message_id: The name that it was handed over under.
    """
    reason = str(error) or type(error).__name__
    if isinstance(error, PermanentFailure):
        return Outcome(FAILED, message_id=message_id, reason=reason, tried=True)
    certain = isinstance(error, TemporaryFailure)
    if not certain and not isinstance(error, OutcomeUnknown):
        reason = f"a defect of the sender, please report it: {type(error).__name__}: {reason}"
    if not certain and not touch.service:
        return Outcome(UNKNOWN, message_id=message_id, reason=reason, tried=True)
    if touch.attempts + 1 >= TRIES:
        return Outcome(FAILED if certain else UNKNOWN, message_id=message_id, reason=f"tried {TRIES} times: {reason}", tried=True)
    asked = error.wait if isinstance(error, TemporaryFailure) else None
    return Outcome(PLANNED, reason=reason, send_at=now + wait(touch.attempts, asked), tried=True)


def wait(attempts: int, asked: timedelta | None = None) -> timedelta:
    """How long to wait before the next try.

    Args:
        attempts: Tries before this one.
        asked: How long the other side asked to be left alone.
    """
    growing = FIRST_WAIT * (1 << min(attempts, TRIES))
    return min(max(growing, asked or growing), LONGEST_WAIT)
