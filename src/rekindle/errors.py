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

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
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


_LENGTH = 60
_NUMBER = ("is not a number", "Write a number, such as 0.25, without quotes")
_WHOLE = ("is not a whole number", "Write a whole number, such as 3, without quotes")
_DAY = ("is not a day", "Write it as 2026-12-25")
_KEYS = ("is not a mapping of keys", "Write key: value")
_WRONG: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("float_type", "float_parsing", "finite_number", "decimal_type", "decimal_parsing"), _NUMBER),
        **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
        **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _DAY),
        **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), _KEYS),
        **dict.fromkeys(("bool_type", "bool_parsing"), ("is neither true nor false", "Write true or false, without quotes")),
        "tuple_type": ("is not a list", "Write a list, such as [one, another]"),
        "string_type": ("is not a text", "Write a text, in quotes"),
        "greater_than": ("is not above {gt}", "Write a number above {gt}"),
        "greater_than_equal": ("is below {ge}", "Write {ge} or more"),
        "less_than": ("is not below {lt}", "Write a number below {lt}"),
        "less_than_equal": ("is above {le}", "Write {le} or less"),
        "string_too_short": ("is too short", "Write at least {min_length} characters"),
        "string_too_long": ("is too long", "Write at most {max_length} characters"),
        "too_short": ("lists {actual_length}, which is too few", "List at least {min_length}"),
        "too_long": ("lists {actual_length}, which is too many", "List at most {max_length}"),
        "literal_error": ("may not stand here", "It may be {expected}"),
    }
)


def quoted(value: object) -> str:
    """A value as it may be repeated in a sentence.

    >>> quoted("soon"), quoted(True), quoted([1, 2])
    ("'soon'", 'true', 'what stands here')
    """
    if isinstance(value, Mapping | list | tuple):
        return "what stands here"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}..."


def wrong_value(kind: str, shown: str, terms: Mapping[str, object]) -> tuple[str, str]:
    """What is wrong with a value that Pydantic refused, and what to write, in words of our own; the second without a full stop.

    Args:
        kind: What Pydantic calls it.
        shown: The value, as it may be repeated.
        terms: The numbers and names that Pydantic gives with it.

    >>> wrong_value("less_than_equal", "900", {"le": 1.0})
    ('900 is above 1', 'Write 1 or less')
    """
    why, remedy = _WRONG.get(kind, ("cannot stand here", "Write another value"))
    said = {name: f"{one:g}" if isinstance(one, float) else one for name, one in terms.items()}
    return f"{shown} {why.format(**said)}", remedy.format(**said)
