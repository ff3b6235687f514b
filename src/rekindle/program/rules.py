"""What binds every program of a store: caps, quiet hours, holdout, budget, exploration and what may go without a person's yes.

Knows nothing of programs.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from rekindle.program.fields import Amount, Clock, Count, Entry, Name, Named, Number, PositiveDays, digest, mistake


class StoreCaps(Entry):
    """The most that all programs together do to one customer."""

    touches: Count
    """Marketing messages in a rolling window."""
    per_days: Annotated[PositiveDays, Field(alias="per")]
    """The window."""


class QuietHours(Entry):
    """When nobody is written to, in the customer's time zone; may run over midnight."""

    start: Clock = "20:00"
    """From this time on."""
    end: Clock = "09:00"
    """Until this time."""

    @model_validator(mode="after")
    def _some_hours_left(self) -> Self:
        if self.start == self.end:
            raise mistake("quiet-hours", "quiet hours begin and end at the same time", "Leave some hours to send in.")
        return self


class Budget(Entry):
    """What incentives may cost in a period, met in expectation before the draw."""

    amount: Amount
    """In units of the store's currency."""
    per_days: Annotated[PositiveDays, Field(alias="per")]
    """The period."""


class Exploration(Entry):
    """The least probability that learning leaves to each choice."""

    arm: Annotated[Number, Field(ge=0.01, le=0.2)] = 0.02
    """To every arm."""
    nothing: Annotated[Number, Field(ge=0.01, le=0.5)] = 0.05
    """To doing nothing."""


class Autopilot(Entry):
    """Plans that may be sent without a person's yes."""

    max_touches: Annotated[int, Field(ge=0, strict=True)]
    """At most so many messages a plan."""
    max_cost: Amount
    """At most this cost ceiling a plan, in units of the store's currency."""


class ValueTiers(Entry):
    """Boundaries of the value tiers that a person has decided on."""

    over_days: Annotated[PositiveDays, Field(alias="over")] = 730
    """Margin counts over this time up to the instant."""
    high: Amount
    """The least margin of the upper tier, in units of the store's currency."""
    mid: Amount
    """The least margin of the middle tier."""

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if self.mid >= self.high:
            raise mistake("value-tiers", "the middle tier begins at or above the upper one", "Give high the larger amount.")
        return self


class ProtectedUse(Entry):
    """A protected attribute that rules may go by, and why."""

    attribute: Annotated[Name, SkipJsonSchema()] = Field(alias="(name)")
    """The attribute's key in the document."""
    reason: str = Field(min_length=10, max_length=300)
    """Why behaviour alone does not do."""
    owner: str = Field(min_length=1, max_length=200)
    """The person who answers for it."""


class Rules(Entry):
    """What binds every program of a store: rules.yaml."""

    caps: StoreCaps
    """The most that all programs together do to one customer."""
    quiet_hours: QuietHours = QuietHours()
    """When nobody is written to."""
    holdout: Annotated[Number, Field(ge=0, le=0.5)] = 0.05
    """The share of customers that gets no marketing at all for a calendar year; the suite's worth is measured against it."""
    budget: Budget
    """What incentives may cost in a period."""
    exploration: Exploration = Exploration()
    """The least probability of each choice."""
    autopilot: Autopilot | None = None
    """What may be sent without a person's yes; null: nothing, but for the mailbox channel."""
    value_tiers: ValueTiers | None = None
    """Boundaries of the value tiers; null: those of the upper fifth and the upper half of buyers at the first insight."""

    exceptions: Annotated[tuple[ProtectedUse, ...], Named()] = ()
    """Protected attributes that rules may go by, each under its name; without one a rule over them is refused."""

    @property
    def digest(self) -> str:
        """A content hash, as a program's."""
        return digest(self)
