"""What a store means to reach in a quarter: targets, each with an owner, a measure and the range that is expected.

As targets.yaml lists them. Knows nothing of how a measure is computed, nor of whether a target was met.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from rekindle.program.fields import Entry, Name, Named, Number, ProgramName, mistake

_QUARTER = re.compile(r"[0-9]{4}-Q[1-4]")
_MONTHS = 3

TargetMetric = Literal[
    "incremental_margin", "spend_lift", "activation", "retention", "repeat_purchase_rate", "aov_change", "opt_out_rate", "complaint_rate"
]
"""What a target can be about; docs/rhythm.md says what each one is and in which unit."""

LIFTS = frozenset({"incremental_margin", "spend_lift", "activation", "retention"})
"""Measures that are differences to a program's randomised control, so that a target about them names a program."""

MONEY = frozenset({"incremental_margin", "spend_lift"})
"""Measures in units of the store's currency a customer; the others are shares."""

LESS_IS_BETTER = frozenset({"opt_out_rate", "complaint_rate"})
"""Measures whose expected range is an upper bound rather than a lower one."""


def _quarter(value: object) -> str:
    if not isinstance(value, str) or not _QUARTER.fullmatch(value):
        raise mistake("quarter", f"'{value}' is not a quarter", "Write year and quarter, such as 2026-Q4.")
    return value


Quarter = Annotated[
    str, PlainValidator(_quarter), WithJsonSchema({"type": "string", "pattern": f"^{_QUARTER.pattern}$", "examples": ["2026-Q4"]})
]


class Target(Entry):
    """What somebody means to reach in a quarter."""

    name: Annotated[Name, SkipJsonSchema()] = Field(alias="(name)")
    """The target's key in the document."""
    metric: TargetMetric
    """What it is about."""
    program: ProgramName | None = None
    """Of which program; null: of the store, for measures that are no lift."""
    owner: str = Field(max_length=200)
    """The person who answers for it; approval is refused while it is empty."""
    quarter: Quarter | None = None
    """The quarter that it is for, such as 2026-Q4; null: every quarter until it is changed."""
    baseline: Number | None = None
    """What it is compared with; null: the control for a lift, and what the frozen baseline has for everything else."""
    expect: tuple[Number, Number]
    """The range that is expected, from and to, in the unit of the measure."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.expect[0] > self.expect[1]:
            raise mistake("target-range", "the expected range ends before it begins", "Write the smaller number first.")
        if self.metric in LIFTS and self.program is None:
            raise mistake("target-program", f"{self.metric} is a lift, and a lift is a program's", "Name the program.")
        return self

    def holds_in(self, quarter: str) -> bool:
        """Whether the target is for a quarter."""
        return self.quarter in (None, quarter)


class TargetList(Entry):
    """All targets of a store: targets.yaml."""

    targets: Annotated[tuple[Target, ...], Named()]
    """Each under its name."""


def quarter_of(day: date) -> str:
    """The quarter of a day.

    >>> quarter_of(date(2026, 11, 26))
    '2026-Q4'
    """
    return f"{day.year}-Q{(day.month - 1) // _MONTHS + 1}"


def days_of(quarter: str) -> tuple[date, date]:
    """The first and the last day of a quarter.

    >>> days_of("2026-Q4")
    (datetime.date(2026, 10, 1), datetime.date(2026, 12, 31))
    """
    year, number = int(quarter[:4]), int(quarter[-1])
    after = date(year + number // 4, number % 4 * _MONTHS + 1, 1)
    return date(year, (number - 1) * _MONTHS + 1, 1), after - timedelta(days=1)


def standing_targets(targets: Iterable[Target], program: str | None, quarter: str) -> Iterator[Target]:
    """The targets of a program, or of the store for None, that hold in a quarter."""
    return (one for one in targets if one.program == program and one.holds_in(quarter))
