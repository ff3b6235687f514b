"""One step of a program: when it is due, what it says, what it may give, what follows, and what differs for a cohort.

Knows nothing of the program that it stands in.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from rekindle.insight.expression import Expression
from rekindle.program.fields import Amount, Days, Entry, Name, Named, Number, PositiveDays, Rule, mistake

NOTHING = "nothing"
"""The arm that every stage has and no document lists: no message."""

Outcome = Literal["bought", "clicked", "ignored", "complained"]
"""What a message came to: a complaint after it (a ticket, a return, a rating of 1 or 2, a mail marked as spam) where the stage has a branch
for that, else an order, else a click, else nothing. Where the program's exits name it, a complaint ends the round."""

END = "end"
"""Where a branch leads that ends the round."""


class StageGoal(Entry):
    """What a stage wants to happen."""

    metric: Literal["activation", "order", "order_or_preference_kept"]
    """activation: signs in, views a product or answers; a click alone never counts."""
    within_days: Annotated[PositiveDays, Field(alias="within")]
    """How long after the message it counts."""


class Delay(Entry):
    """How long after the stage before (the first: after entry) a stage is due."""

    rhythm: Annotated[Number, Field(ge=0, le=10)]
    """Part of the customer's own average days between orders."""
    at_least_days: Annotated[Days, Field(alias="at_least")] = 0
    """Never sooner."""
    at_most_days: Annotated[Days | None, Field(alias="at_most")] = None
    """Never later."""
    by_category: dict[str, Days] = {}
    """How long things of a category are used before the stage makes sense, in place of `at_least`."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_most_days is not None and self.at_most_days < self.at_least_days:
            why = f"at_most ({self.at_most_days}d) is shorter than at_least ({self.at_least_days}d)"
            raise mistake("delay-order", why, "Make at_most the longer one.")
        return self


class StageOffers(Entry):
    """Which offers a stage permits."""

    price: bool
    """Whether it may make a price offer (percent, amount, credit)."""
    margin_floor: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """The least margin, as a share of the price paid, that an order keeps after the incentive."""
    valid_days: Annotated[PositiveDays | None, Field(alias="valid")] = None
    """How long an offer of this stage holds, where it is shorter than the offer's own validity."""
    value_at_most: Amount | None = None
    """The most that an offer may be worth to the customer, in units of the store's currency."""
    minimum_spend_at_most: Annotated[Number, Field(ge=0, le=1)] = 1.0
    """The most that an offer's minimum spend may be, as a part of the customer's usual order."""


class Prior(Entry):
    """What an arm is assumed to do until data speaks: extra orders a customer."""

    mean: Annotated[Number, Field(ge=-1, le=1)]
    """Expected extra orders."""
    sd: Annotated[Number, Field(gt=0, le=1)]
    """How unsure that is."""
    source: str = "assumed"
    """Where the numbers come from."""


class Arm(Entry):
    """One thing a stage may do: an offer through a channel."""

    name: Annotated[Name, SkipJsonSchema()] = Field(alias="(name)")
    """The arm's key in the document."""
    offer: Name
    """A name of offers.yaml."""
    channel: Literal["preferred", "email", "webpush", "inapp", "sms"] = "preferred"
    """`preferred`: the customer's stated preference, then the program's `channels` in their order."""
    prior: Prior
    """The assumed effect."""
    when: Rule | None = None
    """The rule that holds for customers who may get it; everyone without one."""
    subject: Annotated[str | None, Field(min_length=3, max_length=150, pattern=r"^[^\r\n{}]+$")] = None
    """The subject line of its e-mails, in place of the template's; plain words, the same for everybody."""
    hour: Annotated[int | None, Field(ge=0, le=23, strict=True)] = None
    """The hour at which its messages leave, by the customer's clock; an hour that the customer asked for comes first."""
    before_others: bool = False
    """Whether customers who may get it get no other: what they have unspent comes before anything new."""


class Branch(Entry):
    """What follows a stage where its message came to something."""

    to: Name
    """A later stage, or `end`."""
    after_days: Annotated[Days | None, Field(alias="after")] = None
    """How long after the message, in place of that stage's own delay."""
    change: Literal["channel"] | None = None
    """channel: the message takes another way than the last, where the customer consented to one."""


class Stage(Entry):
    """One step of a program."""

    name: Annotated[Name, SkipJsonSchema()] = Field(alias="(name)")
    """The stage's key in the document."""
    goal: StageGoal
    """What it wants to happen."""
    delay: Delay
    """When it is due."""
    content: tuple[Name, ...] = Field(min_length=1)
    """The blocks that its messages must have."""
    offers: StageOffers
    """The offers it permits."""
    arms: Annotated[tuple[Arm, ...], Named()]
    """What it may do; of marketing, doing nothing is always one more."""
    hold_until: Rule | None = None
    """The stage waits while this does not hold for the customer."""
    only_if: Rule | None = None
    """The stage is passed over by customers for whom this does not hold."""
    branches: dict[Outcome, Branch] = {}
    """What follows where its message came to this; the next stage otherwise."""

    @property
    def rules(self) -> tuple[Expression, ...]:
        """Every rule over the profile that it has."""
        return tuple(rule for rule in (self.hold_until, self.only_if, *(arm.when for arm in self.arms)) if rule is not None)

    def arm(self, name: str) -> Arm:
        """The arm of a name.

        Raises:
            KeyError: The stage has none.
        """
        return {arm.name: arm for arm in self.arms}[name]


class ArmChoice(Entry):
    """Which of a stage's arms a cohort gets: `only` these, all `without` these, and those that are `add`ed for it."""

    only: tuple[Name, ...] | None = None
    """These and no other."""
    without: tuple[Name, ...] = ()
    """All but these."""
    add: tuple[Name, ...] = ()
    """These too; an arm that some variant adds is for such variants alone."""


class StageVariant(Entry):
    """What is different in a stage for a cohort."""

    arms: ArmChoice = ArmChoice()
    """Which arms the cohort may get."""
    content_add: tuple[Name, ...] = ()
    """Blocks that its messages have besides."""
    delay: Delay | None = None
    """When the stage is due for it, in place of the stage's own delay."""
    skip: bool = False
    """Whether it goes straight on to the next stage."""


Variant = dict[Name, StageVariant]
"""What is different for a cohort, by stage."""
