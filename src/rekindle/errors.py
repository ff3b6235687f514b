"""What can go wrong, why, and what to do about it.

Knows nothing of the parts that raise. The tree, with the exit code of the command line:

    RekindleError              1   failed
    |-- UsageError             2   the command or its arguments are wrong
    |-- BadData                3   a file, document or setting cannot be used
    |-- Refused                4   a guardrail said no
    |-- StoreUnavailable       1   the folder, history or ledger cannot be opened or written
    `-- DeliveryError          1   a channel did not take a message
        |-- TemporaryFailure   1   the same message may be tried again
        |   `-- LookAgain      1   at once, after another look whether it may go
        |-- PermanentFailure   1   it may not
        `-- OutcomeUnknown     1   nobody can say whether it was taken
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


class RekindleError(Exception):
    """Something failed for a known reason.

    Args:
        cause: What happened and why, one sentence without a full stop.
        remedy: What the reader can do about it, one sentence.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}. {remedy}")
        self.cause = cause
        self.remedy = remedy


class UsageError(RekindleError):
    """The command or its arguments are wrong."""

    exit_code = 2


class BadData(RekindleError):
    """A file, a document or a setting cannot be used; nothing was changed."""

    exit_code = 3


class Refused(RekindleError):
    """A guardrail said no; nothing was changed."""

    exit_code = 4


class StoreUnavailable(RekindleError):
    """The store folder, its history or its ledger cannot be opened or written."""


class DeliveryError(RekindleError):
    """A channel did not take a message."""


class TemporaryFailure(DeliveryError):
    """The message was certainly not taken and may be tried again later.

    Args:
        cause: As everywhere.
        remedy: As everywhere.
        wait: How long the other side asked to be left alone; None where it is the sender's to choose.
        lane: Whether every other message on the same way would fail now too, so that the way is to rest.
    """

    def __init__(self, cause: str, remedy: str, wait: timedelta | None = None, *, lane: bool = False) -> None:
        super().__init__(cause, remedy)
        self.wait = wait
        self.lane = lane


class LookAgain(TemporaryFailure):
    """No byte has gone: it is too long ago that somebody looked whether the message may go. It is looked at again, and goes at once."""


class PermanentFailure(DeliveryError):
    """The message was certainly not taken and must not be tried again.

    Args:
        cause: As everywhere.
        remedy: As everywhere.
        gone: Whether the address itself is no more, so that nothing is to be sent there again.
    """

    def __init__(self, cause: str, remedy: str, *, gone: bool = False) -> None:
        super().__init__(cause, remedy)
        self.gone = gone


class OutcomeUnknown(DeliveryError):
    """The message was handed over and no answer came: it may or may not have been taken."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """An answer that the data does not support. A value, not an exception.

    Args:
        reason: Why, in words a person can read.
    """

    reason: str
