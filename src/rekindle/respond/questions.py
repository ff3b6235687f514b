"""The questions that messages ask, and what may be answered to each.

Knows nothing of pages and of what follows from an answer.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rekindle.insight.friction import REASONS

WHY, RATE, REVIEW = "why", "rate", "review"
OTHER = "other"
"""A reason that none of the coded ones says: it is kept, and is no evidence of a cause."""

TEXT_AT_MOST = 2_000

VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {WHY: (*REASONS, OTHER), RATE: tuple(map(str, range(11))), REVIEW: tuple(map(str, range(1, 6)))}
)
"""Question to the values that it offers, in their order on the page."""


def answered(question: str, value: str) -> str | None:
    """The value where the question offers it; None for anything else.

    >>> answered(RATE, "10"), answered(RATE, "11"), answered(REVIEW, "0"), answered(WHY, "price")
    ('10', None, None, 'price')
    """
    return value if value in VALUES[question] else None


def written(text: str) -> str:
    r"""What somebody wrote freely, as it is kept: at most 2,000 characters, without ones that no text has.

    >>> written("  Late\x00, twice.  ")
    'Late, twice.'
    """
    return "".join(char for char in text if char in "\n\t" or char.isprintable()).strip()[:TEXT_AT_MOST]
