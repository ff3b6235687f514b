"""What binds every program of a store: caps, quiet hours, holdout, budgets, fairness, exploration and what may go without a person's yes.

Knows nothing of programs.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from rekindle.program.fields import (
    Amount,
    Clock,
    Count,
    Entry,
    Name,
    Named,
    Number,
    PositiveDays,
    ProgramName,
    Share,
    digest,
    mistake,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Payer = Literal["shop", "seller"]


def _some(value: object) -> object:
    if value == 0 and not isinstance(value, bool):
        raise mistake("cap-zero", "a cap of 0 lets no message through", "Write at least 1; what shall not be sent at all is no program.")
    return value


def _quiet_day(value: object) -> str:
    text = str(value).lower()
    try:
        return text if text in WEEKDAYS else date.fromisoformat(text).isoformat()
    except ValueError:
        raise mistake("quiet-day", f"'{value}' is not a day", "Write a weekday such as sunday, or a date such as 2026-12-25.") from None


Messages = Annotated[Count, BeforeValidator(_some)]
QuietDay = Annotated[str, PlainValidator(_quiet_day), WithJsonSchema({"type": "string", "examples": ["sunday", "2026-12-25"]})]


class Cap(Entry):
    """The most messages in a rolling window."""

    touches: Messages
    """Messages."""
    per_days: Annotated[PositiveDays, Field(alias="per")]
    """The window."""


class StoreCaps(Entry):
    """The most that all programs together do to one customer."""

    touches: Messages
    """Marketing messages in a rolling window, all programs and channels together."""
    per_days: Annotated[PositiveDays, Field(alias="per")]
    """The window."""
    gap_days: Annotated[PositiveDays | None, Field(alias="gap")] = None
    """The shortest time between two marketing messages, of whatever program."""
    price_offers: Cap | None = None
    """The most price offers."""
    programs: dict[ProgramName, Cap] = {}
    """The most messages of a program, over all its rounds."""
    kinds: dict[Name, Cap] = {}
    """The most messages with a kind of offer."""


class QuietHours(Entry):
    """When nobody is written to, in the customer's time zone; may run over midnight."""

    start: Clock = "20:00"
    """From this time on."""
    end: Clock = "09:00"
    """Until this time."""
    days: tuple[QuietDay, ...] = ()
    """Weekdays and dates on which nobody is written to at all."""

    @model_validator(mode="after")
    def _some_hours_left(self) -> Self:
        if self.start == self.end:
            raise mistake("quiet-hours", "quiet hours begin and end at the same time", "Leave some hours to send in.")
        if set(WEEKDAYS) <= set(self.days):
            raise mistake("quiet-hours", "every day of the week is quiet", "Leave some days to send on.")
        return self


class Budget(Entry):
    """What incentives may cost in a period, met in expectation before the draw."""

    amount: Amount
    """In units of the store's currency."""
    per_days: Annotated[PositiveDays, Field(alias="per")]
    """The period."""
    currency: str | None = None
    """The currency of the amount, to be sure of it; no other than the store's."""
    hard: Annotated[bool, Field(strict=True)] = False
    """Whether a code that would take more than the amount is refused at the checkout; its message says so. Else every code is taken."""


class PartBudget(Budget):
    """What a part of the incentives may cost in a period."""

    program: ProgramName | None = None
    """Of this program alone."""
    payer: Payer | None = None
    """What this payer bears alone."""

    def covers(self, program: str, payer: str) -> bool:
        """Whether what a payer bears of a program comes out of it."""
        return self.program in (None, program) and self.payer in (None, payer)


class Fatigue(Entry):
    """When a customer has had enough for now, so that a lower cap holds."""

    ignored: Messages
    """So many messages in a row without an answer: no order, no click, no sign-in, no look at a product."""
    opt_out_risk: Annotated[Number, Field(gt=0, lt=1)] = 0.01
    """Or a chance above this that the next message makes the customer leave."""
    touches: Messages = 1
    """Messages that such a customer may still get in the window of the caps."""


class Gaming(Entry):
    """Who has learned that silence pays, and gets no price offer."""

    rounds: Messages = 2
    """So many lapses that ended with an order by the code of a price offer."""
    over_days: Annotated[PositiveDays, Field(alias="over")] = 730
    """In this time."""


class Fairness(Entry):
    """How far the worth of offers may differ between groups of customers that the rules name."""

    groups: tuple[Name, ...] = Field(min_length=1)
    """Columns of the profile whose values are the groups; they are looked at here and never decide anything."""
    disparity_at_most: Share
    """The most by which the expected offer of a group may be worth less, or more, than that of the rest, as a share of the larger."""
    least: Annotated[int, Field(ge=20, strict=True)] = 100
    """Groups of fewer customers are looked at together."""


class SellerRules(Entry):
    """What holds between the shop and the sellers of a marketplace."""

    collision: Literal["stack", "exclude", "share"] = "exclude"
    """An offer of ours where a seller's own promotion runs: both hold, ours is left out, or the seller bears a part of ours."""
    share: Share = 0.5
    """The seller's part where it is shared."""
    concentration_at_most: Annotated[Number, Field(gt=0, le=1)] = 0.5
    """The most of what the shop spends on goods of sellers that may go to one of them."""


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
    budgets: tuple[PartBudget, ...] = ()
    """Budgets of a program, of a payer or of another period besides; where several hold, the tightest does."""
    fatigue: Fatigue | None = None
    """When a customer has had enough; null: the caps hold for all alike."""
    gaming: Gaming | None = None
    """Who gets no price offer for having learned that silence pays; null: nobody."""
    fairness: Fairness | None = None
    """How far offers may differ between groups; null: it is not looked at."""
    sellers: SellerRules = SellerRules()
    """What holds between the shop and its sellers."""
    exploration: Exploration = Exploration()
    """The least probability of each choice."""
    autopilot: Autopilot | None = None
    """What may be sent without a person's yes; null: nothing, but for the mailbox channel."""
    value_tiers: ValueTiers | None = None
    """Boundaries of the value tiers; null: those of the upper fifth and the upper half of buyers at the first insight."""

    exceptions: Annotated[tuple[ProtectedUse, ...], Named()] = ()
    """Protected attributes that rules may go by, each under its name; without one a rule over them is refused."""

    @property
    def every_budget(self) -> tuple[PartBudget, ...]:
        """All budgets, the one over everything first."""
        return (PartBudget(amount=self.budget.amount, per_days=self.budget.per_days, hard=self.budget.hard), *self.budgets)

    @property
    def digest(self) -> str:
        """A content hash, as a program's."""
        return digest(self)
