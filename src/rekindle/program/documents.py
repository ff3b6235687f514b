"""What a store intends, as frozen values: programs with stages and arms, offers, and the rules that bind them all.

Knows nothing of files and lines, nor of what is wrong between two documents: `reading` and `checking` do.
"""

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from rekindle.insight.expression import Expression
from rekindle.program.fields import (
    Amount,
    Count,
    Day,
    Days,
    Entry,
    Name,
    Named,
    Number,
    PositiveDays,
    ProgramName,
    Rule,
    Version,
    digest,
    mistake,
)
from rekindle.program.offers import Offer as Offer
from rekindle.program.offers import OfferList
from rekindle.program.reading import Place, Reading
from rekindle.program.rules import Rules as Rules
from rekindle.program.segments import Segment, SegmentList

NOTHING = "nothing"
"""The arm that every stage has and no document lists: no message."""

Channel = Literal["email", "webpush", "inapp", "sms"]
Exit = Literal["order", "opt_out", "pause", "complaint_opened", "return_opened", "erasure"]
Cohort = Literal["one_bad_experience", "paused_high_potential", "long_inactive", "other"]
Metric = Literal["activation", "retention", "spend_lift", "repeat_purchase_rate", "aov_change"]
class Review(Entry):
    """When a person looks at the program again."""

    due: Day
    """The day by which the next review is due."""
    every_days: Annotated[PositiveDays, Field(alias="every")] = 30
    """How long after a review the next one is due."""
    grace_days: Annotated[Days, Field(alias="grace")] = 7
    """How long an overdue review is borne before it is an error."""


class Goal(Entry):
    """What the program is for."""

    metric: Literal["incremental_margin"] = "incremental_margin"
    """What the program is judged by: margin against its randomised control."""
    horizon_days: Annotated[PositiveDays, Field(alias="horizon")] = 90
    """How long after entry margin is counted."""
    show: tuple[Metric, ...] = get_args(Metric)
    """What the report shows beside it, by lapsed cohort."""


class Reentry(Entry):
    """When a customer who was in the program may enter again; always after an order and a new lapse."""

    not_before_days: Annotated[Days, Field(alias="not_before")] = 30
    """The shortest time since the last round ended."""


class Audience(Entry):
    """Whom the program is for."""

    enter: Rule
    """The rule that holds for a customer who enters."""
    reenter: Reentry = Reentry()
    """When a customer may enter again."""


class ProgramCaps(Entry):
    """The most that the program does to one customer."""

    touches: Count
    """Messages in one round."""
    gap_days: Annotated[PositiveDays, Field(alias="gap")]
    """The shortest time between two messages."""
    duration_days: Annotated[PositiveDays, Field(alias="duration")]
    """The longest time from the first message to the last."""
    price_offers: Annotated[int, Field(ge=0, strict=True)] = 1
    """Price offers in one round."""
    price_offers_per_year: Annotated[int, Field(ge=0, strict=True)] = 2
    """Price offers in any 365 days, so that silence does not pay."""
    same_kind_in_a_row: Count = 1
    """How often one kind of offer may follow itself."""


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
    """What it may do; doing nothing is always one more."""

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


class Program(Entry):
    """An owned, versioned plan of what to do about one kind of moment in a customer's life."""

    name: ProgramName = Field(alias="program")
    """What the program is called; two programs never share a name."""
    version: Version
    """Raised by hand with every change that should draw customers anew."""
    klass: Literal["marketing", "service"] = Field(alias="class")
    """marketing needs consent and is held out; service is neither asked nor held back."""
    owner: str = Field(max_length=200)
    """The person who answers for it; approval is refused while it is empty."""
    review: Review
    """When a person looks at it again."""
    goal: Goal = Goal()
    """What it is for."""
    audience: Audience
    """Whom it is for."""
    exit: tuple[Exit, ...]
    """What ends a round at once, looked at before planning and again before sending."""
    control: Annotated[Number, Field(ge=0, le=0.5)] = 0.10
    """The share of its audience that gets nothing from it, drawn per person and calendar year."""
    caps: ProgramCaps
    """The most it does to one customer."""
    channels: tuple[Channel, ...] = Field(default=get_args(Channel), min_length=1)
    """The order in which `preferred` looks for a consented channel after the stated preference."""
    content_always: tuple[Name, ...] = ("why_you_got_this", "preferences_and_pause")
    """The blocks that every message has, besides its stage's."""
    stages: Annotated[tuple[Stage, ...], Named()]
    """Its steps, in order."""
    variants: dict[Cohort, Variant] = {}
    """What is different for a lapsed cohort; `other` and customers without one take the program as it stands."""

    @property
    def rules(self) -> tuple[Expression, ...]:
        """Every rule over the profile that it has."""
        return (self.audience.enter, *(arm.when for stage in self.stages for arm in stage.arms if arm.when))

    @property
    def digest(self) -> str:
        """A content hash: SHA-256 of the program as canonical JSON; comments and spacing do not count."""
        return digest(self)

    def stage(self, name: str) -> Stage:
        """The stage of a name.

        Raises:
            KeyError: The program has none.
        """
        return {stage.name: stage for stage in self.stages}[name]

    def arms_for(self, stage: str, cohort: str | None) -> frozenset[str]:
        """The names of a stage's arms that a cohort may get; none where the cohort skips the stage.

        Args:
            stage: A stage's name.
            cohort: A lapsed cohort, or None for a customer without one.
        """
        variant = self._variant(stage, cohort)
        if variant.skip:
            return frozenset()
        special = {name for stages in self.variants.values() if stage in stages for name in stages[stage].arms.add}
        choice = variant.arms
        usual = {arm.name for arm in self.stage(stage).arms} - special - set(choice.without)
        return frozenset(usual if choice.only is None else usual & set(choice.only)) | frozenset(choice.add)

    def delay_for(self, stage: str, cohort: str | None) -> Delay:
        """When a stage is due for a cohort."""
        return self._variant(stage, cohort).delay or self.stage(stage).delay

    def content_for(self, stage: str, cohort: str | None) -> tuple[str, ...]:
        """The blocks that a stage's messages to a cohort must have, the program's own first."""
        blocks = (*self.content_always, *self.stage(stage).content, *self._variant(stage, cohort).content_add)
        return tuple(dict.fromkeys(blocks))

    def stages_for(self, cohort: str | None) -> tuple[Stage, ...]:
        """The stages that a cohort goes through, in order."""
        return tuple(stage for stage in self.stages if not self._variant(stage.name, cohort).skip)

    def _variant(self, stage: str, cohort: str | None) -> StageVariant:
        variants: dict[str, Variant] = {str(name): variant for name, variant in self.variants.items()}
        return variants.get(cohort or "", {}).get(stage, _AS_IT_STANDS)


_AS_IT_STANDS = StageVariant()


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents of a store.

    Args:
        programs: By name.
        offers: Each by its name.
        rules: What binds all programs.
        segments: What customers are called, in the order of their document.
        readings: What was read, by file.
    """

    programs: tuple[Program, ...]
    offers: dict[str, Offer]
    rules: Rules
    segments: tuple[Segment, ...] = ()
    readings: dict[str, Reading] = field(default_factory=dict, compare=False, repr=False)

    def program(self, name: str) -> Program:
        """The program of a name.

        Raises:
            KeyError: There is none.
        """
        return {program.name: program for program in self.programs}[name]

    def file_of(self, program: str) -> str:
        """The file, relative to the store folder, that a program was read from; empty where it came from code."""
        return next((file for file, reading in self.readings.items() if reading.value.get("program") == program), "")

    def place(self, file: str, *path: str) -> str:
        """Where something stands, as `file:line`, for whoever wants to change it."""
        keys: Place = path
        return f"{file}:{self.readings[file].line(keys)}" if file in self.readings else file


def schemas() -> MappingProxyType[str, str]:
    """The published JSON schema of each document, by file name."""
    models: dict[str, type[Entry]] = {"program": Program, "offers": OfferList, "rules": Rules, "segments": SegmentList}
    texts = {f"{name}.json": json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n" for name, model in models.items()}
    return MappingProxyType(texts)
