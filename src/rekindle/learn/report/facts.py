"""What the report knows: the whole input of the page, of its JSON and of the eight lines in the terminal.

Knows nothing of how a fact was found or how it is shown. Money is in minor units of the store's currency, shares are 0 to 1,
days are whole days, and an interval is a 95 % interval unless a field says otherwise.
"""

import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime

import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.moment import AsOf

MAP = pa.schema([("overdue", pa.int64()), ("expected_margin", pa.int64()), ("lifecycle", pa.string())])
MAP_ROWS = 3_000


@dataclass(frozen=True, slots=True)
class Slipping:
    """Customers who are slowing down, at risk or lapsed by their own rhythm.

    Args:
        customers: Count.
        at_risk: Their margin at risk in the horizon, minor units, summed; or why it cannot be told.
        unsure: Why the model behind it is weak, a whole sentence; empty where it is good.
    """

    customers: int
    at_risk: Interval | CannotTell
    unsure: str = ""


@dataclass(frozen=True, slots=True)
class LifecycleCount:
    """How many customers are in a lifecycle stage, of all and not of the map's sample.

    Args:
        name: Stage as the profile has it, such as `lapsing`.
        customers: Count.
    """

    name: str
    customers: int


@dataclass(frozen=True, slots=True)
class Cause:
    """An evidenced reason why customers slip; `unknown` is the cause without evidence.

    Args:
        name: As the profile has it.
        label: For people, lower case, such as `late delivery`.
        customers: Count.
        share: Of the customers whose cause was looked for; all shares add up to 1.
        margin_at_risk: Theirs, minor units, summed; or why it cannot be told.
        examples: A few evidence strings such as `shipment 123, ticket 9`.
    """

    name: str
    label: str
    customers: int
    share: float
    margin_at_risk: Interval | CannotTell
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cohort:
    """A lapsed cohort.

    Args:
        name: As the profile has it.
        label: For people, lower case.
        meaning: Who belongs to it, one sentence.
        customers: Count.
        reachable: Those with a consented channel, count; None in a rehearsal, where no contact is known.
        expected_margin: In the horizon if nothing is done, minor units, summed; or why it cannot be told.
    """

    name: str
    label: str
    meaning: str
    customers: int
    reachable: int | None
    expected_margin: Interval | CannotTell


@dataclass(frozen=True, slots=True)
class ArmCount:
    """A variant and how many customers it was drawn for in this plan.

    Args:
        name: Arm as the program has it.
        label: For people and in the plural, such as `reminders`.
        count: Messages of this plan.
    """

    name: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage of the program in words.

    Args:
        name: As the program has it.
        goal: What it is for and by when, such as `signs in or answers within 14 days`.
        delay: When it is due, such as `a quarter of the customer's own rhythm, 7 to 28 days`.
        offers: What it may offer, such as `no price offers; up to EUR 3.00`.
        arms: Every variant of the stage, with 0 where this plan has none.
    """

    name: str
    goal: str
    delay: str
    offers: str
    arms: tuple[ArmCount, ...]


@dataclass(frozen=True, slots=True)
class OtherProgram:
    """A program beside the one whose stages are shown.

    Args:
        name: As it is called.
        moment: What opens its rounds, in words.
        service: Whether its messages are about the customer's own order.
        messages: In this plan.
        alone: Customers who were due and are left alone.
        detectable: Smallest true effect that its control of this plan would show, minor units a customer; None where it is measured
            already, or has no control.
    """

    name: str
    moment: str
    service: bool
    messages: int
    alone: int
    detectable: float | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as a customer of a cohort would read it.

    Args:
        cohort: Cohort name.
        label: Cohort for people.
        stage: Stage name.
        subject: Plain text.
        html: The rendered mail; shown inert, empty where there is none.
        text: The text part.
    """

    cohort: str
    label: str
    stage: str
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Money:
    """What the plan may cost and bring, minor units.

    Args:
        ceiling: Cost if everybody takes what is offered; never exceeded.
        expected_cost: Incentives, their use by customers who would have ordered anyway included, and channels.
        expected_margin: Net of that cost, against doing nothing.
        assumed: True while the effect is a stated prior and not yet measured.
        subsidised_orders: Orders that use an offer and would have been placed without it, expected count.
    """

    ceiling: int
    expected_cost: int
    expected_margin: Interval
    assumed: bool
    subsidised_orders: float


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Customers who were due and are not contacted, by reason.

    Args:
        reason: As the journal has it.
        label: For people, lower case, such as `no consent`.
        count: Customers.
    """

    reason: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class CohortWorth:
    """What contact changed in one cohort, as differences to its control; None where it cannot be told.

    Args:
        label: Cohort for people.
        treated: Customers assigned to contact.
        control: Customers assigned to none.
        activation: Difference of the share that came back to life, -1 to 1.
        retention: Difference of the share that ordered, -1 to 1.
        spend: Difference of spend a customer, minor units.
        margin: Difference of margin a customer, minor units.
        truth: The simulator's own value of that margin, minor units; None on real data.
        detectable: The smallest margin a customer that would show, minor units; None where it is told apart, or where that is not known.
    """

    label: str
    treated: int
    control: int
    activation: Interval | None
    retention: Interval | None
    spend: Interval | None
    margin: Interval | None
    truth: float | None = None
    detectable: float | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """What the program was worth, by assignment.

    Args:
        estimate: Incremental margin a customer, minor units; or why it is not known.
        truth: The simulator's own value, minor units a customer; None on real data.
        weeks: Over which the estimate runs.
        treated: Customers assigned to the program.
        control: Customers assigned to its control.
        detectable: Smallest true effect that today's control would show, minor units a customer; None if that is not known either.
        known_by: The day by which such an effect could be known; None if not known.
        note: One more sentence for the reader, or empty.
        cohorts: By lapsed cohort; empty where nothing is measured.
    """

    estimate: Interval | CannotTell
    truth: float | None
    weeks: int
    treated: int
    control: int
    detectable: float | None
    known_by: date | None
    note: str = ""
    cohorts: tuple[CohortWorth, ...] = ()


@dataclass(frozen=True, slots=True)
class Notable:
    """A customer worth looking at.

    Args:
        customer_id: Opaque id of history.
        why: One phrase, such as `highest margin at risk`.
        expected_margin: In the horizon, minor units.
        overdue: Days past the expected next order; negative where it is not yet due.
        command: What shows everything, such as `rekindle explain AbC123dEf456`.
    """

    customer_id: str
    why: str
    expected_margin: int
    overdue: int
    command: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that was taken as given, and where to change it.

    Args:
        text: What is assumed, one phrase.
        value: As it stands in the file.
        file: Path relative to the store folder.
        line: Counted from 1; 0 where the value is a default that no line sets yet.
    """

    text: str
    value: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything that the report says.

    Args:
        shop: The store's name, as its owner wrote it.
        currency: ISO 4217 code.
        locale: For numbers, such as `en` or `de_DE`.
        as_of: The instant of the plan, exclusive.
        horizon_weeks: Over which expected margin and margin at risk run.
        simulated: True where the truth is known because the marketplace is made up.
        rehearsal: True where no contact is known and the plan was decided as if everybody had consented.
        kept_here: True where every message stayed in the mailbox of this machine.
        customers: Known customers, count.
        orders: Orders, count.
        months: Whole months of history.
        slipping: Who is slipping away.
        lifecycle: All stages with at least one customer.
        map: At most `MAP_ROWS` sampled customers, columns of `MAP`: overdue days (negative = not yet due), expected margin in minor
            units, lifecycle stage as the profile has it.
        causes: In the order to show; `unknown` is shown last wherever it stands.
        cohorts: In the order to show.
        sequence: The program's stages in order.
        messages: One a cohort.
        money: What the plan may cost and bring.
        left_alone: In the order to show.
        worth: What is known of the effect.
        notable: At most ten.
        assumptions: In the order to show.
        next_steps: Commands for the last line of the terminal, such as `open reports/index.html`.
        others: Programs beside the one whose stages are shown.
    """

    shop: str
    currency: str
    locale: str
    as_of: AsOf
    horizon_weeks: int
    simulated: bool
    rehearsal: bool
    kept_here: bool
    customers: int
    orders: int
    months: int
    slipping: Slipping
    lifecycle: tuple[LifecycleCount, ...]
    map: pa.Table
    causes: tuple[Cause, ...]
    cohorts: tuple[Cohort, ...]
    sequence: tuple[StageView, ...]
    messages: tuple[MessageView, ...]
    money: Money
    left_alone: tuple[LeftAlone, ...]
    worth: Worth
    notable: tuple[Notable, ...]
    assumptions: tuple[Assumption, ...]
    next_steps: tuple[str, ...]
    others: tuple[OtherProgram, ...] = ()

    @property
    def proposed(self) -> int:
        """Messages of this plan, all programs."""
        return self.led + sum(other.messages for other in self.others)

    @property
    def led(self) -> int:
        """Messages of the program whose stages are shown."""
        return sum(arm.count for stage in self.sequence for arm in stage.arms)

    @property
    def spared(self) -> int:
        """Customers who were due and are left alone."""
        return sum(row.count for row in self.left_alone)

    @property
    def spared_words(self) -> tuple[str, str]:
        """What those left alone are counted in, one and many: of several programs a customer may have several rounds."""
        return ("round", "rounds") if self.others else ("customer", "customers")

    @property
    def reasons(self) -> tuple[Cause, ...]:
        """Causes with at least one customer, the one without evidence last."""
        return tuple(sorted((cause for cause in self.causes if cause.customers), key=lambda cause: cause.name == "unknown"))


def to_json(facts: ReportFacts) -> str:
    """The facts as one JSON object with the fields' names and units; the map is an object of columns, days and instants are ISO 8601.

    Raises:
        ValueError: A number is not finite.
    """
    return json.dumps(facts, default=_jsonable, allow_nan=False, indent=2)


def _jsonable(value: object) -> object:
    if isinstance(value, pa.Table):
        return value.to_pydict()
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, CannotTell):
        return {"cannot_tell": value.reason}
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return {field.name: getattr(value, field.name) for field in fields(value)}
