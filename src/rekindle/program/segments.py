"""What a store calls its customers: segments, each a named rule with an owner and a version, as segments.yaml lists them.

Knows nothing of customers. A version covers what a segment builds on: where that changes, it is another version.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from rekindle.insight.expression import Expression
from rekindle.program.fields import Day, Entry, Name, Named, PositiveDays, Rule, digest

VERSION_DIGITS = 12


class Segment(Entry):
    """Customers that a rule means, under a name."""

    name: Annotated[Name, SkipJsonSchema()] = Field(alias="(name)")
    """The segment's key in the document."""
    description: str = Field(min_length=1, max_length=300)
    """Who that is, in words, and what the segment is for."""
    rule: Rule
    """The rule that holds for its customers."""
    owner: str = Field(max_length=200)
    """The person who answers for it; approval is refused while it is empty."""
    valid_from: Day
    """The day from which the definition holds."""
    reviewed: Day
    """The day on which a person last looked at it."""
    review_every_days: Annotated[PositiveDays, Field(alias="review_every")] = 180
    """How long after a review the next one is due."""


class SegmentList(Entry):
    """All segments of a store: segments.yaml."""

    segments: Annotated[tuple[Segment, ...], Named()]
    """Each under its name."""


def definitions(segments: Iterable[Segment]) -> dict[str, Expression]:
    """Name to rule, in the order of the document."""
    return {segment.name: segment.rule for segment in segments}


def builds_on(name: str, rules: Mapping[str, Expression]) -> dict[str, Expression]:
    """A segment's rule and the rules that it builds on, directly or through others, by name.

    Raises:
        KeyError: It, or what it builds on, is not there.
    """
    covered: dict[str, Expression] = {}
    open_names = [name]
    while open_names:
        one = open_names.pop()
        if one not in covered:
            covered[one] = rules[one]
            open_names.extend(call.segment for call in rules[one].segments)
    return covered


def version(name: str, segments: Iterable[Segment]) -> str:
    """What names a segment's definition: a hash of its rule and of the rules that it builds on; owner and dates do not count.

    Raises:
        KeyError: It, or what it builds on, is not there.
    """
    covered = {one: rule.text for one, rule in builds_on(name, definitions(segments)).items()}
    content = "\n".join((covered.pop(name), *(f"{other} {covered[other]}" for other in sorted(covered))))
    return hashlib.sha256(content.encode()).hexdigest()[:VERSION_DIGITS]


def segments_digest(segments: Iterable[Segment]) -> str:
    """A content hash of all segments, as a program's of one."""
    return digest(SegmentList(segments=tuple(segments)))


def overdue(segment: Segment, today: date) -> bool:
    """Whether its next review is past."""
    return (today - segment.reviewed).days > segment.review_every_days
