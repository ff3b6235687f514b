"""Which rounds are old enough to be counted, over how long a window, and when the others will be.

Knows nothing of outcomes. Every counted round has the same window, so that no group is flattered by having been watched for longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

LEAST = 20
"""Rounds on either side from which on a window counts."""

STEP = 28
"""Before the horizon is reached, windows grow by so many days: an early reading."""


@dataclass(frozen=True, slots=True)
class Maturity:
    """How far rounds have come.

    Args:
        horizon_days: Over how long the program is to be judged.
        window_days: Over how long it is counted now: the horizon, or less in an early reading, or 0 where nothing can be counted yet.
        counted: Rounds that are as old as that.
        young: Rounds that are not yet.
        next_on: The day on which the next rounds complete the horizon; None where all have.
        all_on: The day by which all that have begun will have.
    """

    horizon_days: int
    window_days: int
    counted: int
    young: int
    next_on: date | None
    all_on: date | None

    @property
    def early(self) -> bool:
        """Whether the horizon is not over yet for enough rounds."""
        return self.window_days < self.horizon_days


def windows(horizon_days: int) -> tuple[int, ...]:
    """The windows that may be counted, the longest first.

    >>> windows(90)
    (90, 84, 56, 28)
    """
    last = (horizon_days - 1) // STEP * STEP
    return (horizon_days, *range(last, 0, -STEP))


def maturity(ages: Mapping[str, Mapping[int, int]], horizon_days: int, day: date, never: bool = False) -> Maturity:
    """The longest window that enough rounds of every side have come through.

    Args:
        ages: Side to how many of its rounds are so many whole days old.
        horizon_days: Of the program.
        day: Of the question.
        never: Nothing can be counted whatever the ages are, for a side has nobody.

    >>> maturity({"treated": {60: 90, 10: 9}, "control": {60: 25}}, 90, date(2026, 5, 1)).window_days
    56
    """
    known = ages and not never
    found = next((days for days in windows(horizon_days) if known and all(_at_least(one, days) >= LEAST for one in ages.values())), 0)
    total = sum(count for one in ages.values() for count in one.values())
    counted = sum(_at_least(one, found) for one in ages.values()) if found else 0
    waiting = [age for one in ages.values() for age in one if age < horizon_days]
    return Maturity(
        horizon_days, found, counted, total - counted,
        day + timedelta(days=horizon_days - max(waiting)) if waiting else None,
        day + timedelta(days=horizon_days - min(waiting)) if waiting else None,
    )


def _at_least(ages: Mapping[int, int], days: int) -> int:
    return sum(count for age, count in ages.items() if age >= days)
