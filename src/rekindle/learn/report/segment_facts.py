"""What the catalogue of segments says, as values: definitions, counts over time, overlaps.

Knows nothing of how they were counted, nor of how they look.
"""

from dataclasses import dataclass
from datetime import date, datetime

from rekindle.insight.segments import Segment
from rekindle.moment import AsOf


@dataclass(frozen=True, slots=True)
class Point:
    """A segment's count at one instant, in the store's time zone, by one version of its definition."""

    at: datetime
    customers: int
    version: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One segment.

    Args:
        counted: What it amounts to.
        description: Who that is, in words.
        rule: Its rule as written.
        version: The hash of its definition.
        owner: Who answers for it; empty where nobody does.
        valid_from: The day from which the definition holds.
        reviewed: The day of the last review.
        history: Its counts, oldest first; the last is this instant's.
        never_had: Events that its rule asks for, itself or through other segments, and that history never had.
    """

    counted: Segment
    description: str
    rule: str
    version: str
    owner: str
    valid_from: date
    reviewed: date
    history: tuple[Point, ...]
    never_had: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name."""
        return self.counted.name

    @property
    def since(self) -> datetime | None:
        """The instant before this one at which it was counted."""
        return self.history[-2].at if len(self.history) > 1 else None

    @property
    def change(self) -> int | None:
        """How many more customers than then."""
        return self.history[-1].customers - self.history[-2].customers if len(self.history) > 1 else None

    @property
    def redefined(self) -> bool:
        """Whether its definition was another one then."""
        return len(self.history) > 1 and self.history[-1].version != self.history[-2].version

    @property
    def lacks(self) -> str:
        """What the data lack for its rule, in words; empty where they lack nothing."""
        names = [f"'{name}'" for name in self.never_had]
        listed = " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
        return f"your data has no {listed} events" if names else ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All segments of a store as of an instant.

    Args:
        shop: The store's name.
        currency: ISO 4217.
        locale: Babel's name of a locale.
        as_of: The instant.
        customers: Known customers.
        entries: In the order of segments.yaml.
        overlaps: Customers in both, by two names in that order.
        simulated: Whether the store is made up.
        newest: The newest instant counted so far where that is later than this one, in the store's time zone; else None.
    """

    shop: str
    currency: str
    locale: str
    as_of: AsOf
    customers: int
    entries: tuple[Entry, ...]
    overlaps: dict[tuple[str, str], int]
    simulated: bool
    newest: datetime | None

    def both(self, one: str, other: str) -> int:
        """How many customers are in two segments."""
        return self.overlaps[one, other] if (one, other) in self.overlaps else self.overlaps[other, one]
