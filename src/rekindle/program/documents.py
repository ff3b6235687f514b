"""What a store intends, as frozen values: programs with stages and arms, offers, and the rules that bind them all.

Knows nothing of files and lines, nor of what is wrong between two documents: `reading` and `checking` do.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field

from rekindle.insight.expression import Expression
from rekindle.program.experiments import Experiment as Experiment
from rekindle.program.fields import (
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
)
from rekindle.program.offers import Offer as Offer
from rekindle.program.offers import OfferList
from rekindle.program.reading import Place, Reading
from rekindle.program.rules import Messages
from rekindle.program.rules import Rules as Rules
from rekindle.program.segments import Segment, SegmentList
from rekindle.program.stages import NOTHING as NOTHING
from rekindle.program.stages import Arm as Arm
from rekindle.program.stages import Delay as Delay
from rekindle.program.stages import Prior as Prior
from rekindle.program.stages import Stage as Stage
from rekindle.program.stages import StageVariant as StageVariant
from rekindle.program.stages import Variant
from rekindle.program.targets import Target, TargetList
from rekindle.program.triggers import TOPIC_OF
from rekindle.program.triggers import Trigger as Trigger

Channel = Literal["email", "webpush", "inapp", "sms"]
Exit = Literal["order", "opt_out", "pause", "complaint_opened", "return_opened", "reviewed", "erasure"]
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
    """When a customer who was in the program may enter again; after a lapse always after an order and a new lapse."""

    not_before_days: Annotated[Days, Field(alias="not_before")] = 30
    """The shortest time since the last round that a lapse opened ended, or since another one began; 0d: every moment has its round."""


class Audience(Entry):
    """Whom the program is for."""

    enter: Rule
    """The rule that holds for a customer who enters."""
    reenter: Reentry = Reentry()
    """When a customer may enter again."""


class ProgramCaps(Entry):
    """The most that the program does to one customer."""

    touches: Messages
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
    trigger: Trigger = Trigger()
    """What opens a round."""
    audience: Audience
    """Whom it is for."""
    exit: tuple[Exit, ...]
    """What ends a round at once, looked at before planning and again before sending; pause: the customer asked for one."""
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
        return (self.audience.enter, *(rule for stage in self.stages for rule in stage.rules))

    @property
    def service(self) -> bool:
        """Whether its messages are about the customer's own order: neither asked for nor held back."""
        return self.klass == "service"

    @property
    def topic(self) -> str:
        """What its marketing is about, as customers may want nothing of it: a key of `triggers.TOPICS`."""
        return TOPIC_OF[self.trigger.on]

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
        targets: What is to be reached, in the order of their document.
        experiments: What is to be found out, in the order of their files.
    """

    programs: tuple[Program, ...]
    offers: dict[str, Offer]
    rules: Rules
    segments: tuple[Segment, ...] = ()
    readings: dict[str, Reading] = field(default_factory=dict, compare=False, repr=False)
    targets: tuple[Target, ...] = ()
    experiments: tuple[Experiment, ...] = ()

    @property
    def lead(self) -> Program:
        """The program that a report leads with: the first that a lapse opens, else the first of marketing, else the first."""
        return min(self.programs, key=lambda program: (program.trigger.on != "lapse", program.service))

    def program(self, name: str) -> Program:
        """The program of a name.

        Raises:
            KeyError: There is none.
        """
        return {program.name: program for program in self.programs}[name]

    def file_of(self, program: str) -> str:
        """The file, relative to the store folder, that a program was read from; empty where it came from code."""
        return next((file for file, reading in self.readings.items() if _is_program(reading, program)), "")

    def place(self, file: str, *path: str) -> str:
        """Where something stands, as `file:line`, for whoever wants to change it."""
        keys: Place = path
        return f"{file}:{self.readings[file].line(keys)}" if file in self.readings else file


def _is_program(reading: Reading, name: str) -> bool:
    return reading.value.get("program") == name and "experiment" not in reading.value


@cache
def schemas() -> MappingProxyType[str, str]:
    """The published JSON schema of each document, by file name."""
    models: dict[str, type[Entry]] = {
        "program": Program, "offers": OfferList, "rules": Rules, "segments": SegmentList, "targets": TargetList,
        "experiment": Experiment,
    }  # fmt: skip
    texts = {f"{name}.json": json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n" for name, model in models.items()}
    return MappingProxyType(texts)
