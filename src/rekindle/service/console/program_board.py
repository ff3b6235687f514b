"""A program as its page shows it: its steps on the days of a round, what was decided in each, and what each variant brought.

Knows nothing of pages. Read from approved documents, the counts of plans, and what was learned last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rekindle.decide.policy import Policy
from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.funnel import RECENT_DAYS
from rekindle.program.documents import NOTHING, Arm, Delay, Documents, Program, Stage
from rekindle.service.flow.plan_counts import Cell, Counts

USUAL_RHYTHM = 40
"""Days between two orders of the customer for whom a round is drawn."""

LEAST_WIDE = 1.5
"""Of a picture that is 100 wide."""

OUTCOMES = {"bought": "an order", "clicked": "a click", "ignored": "no answer", "complained": "a complaint"}
GOALS = {
    "activation": "the customer looks in or signs in again", "order": "the customer orders",
    "order_or_preference_kept": "the customer orders, or stays subscribed",
}  # fmt: skip
EXITS = {
    "order": "an order", "opt_out": "an opt-out", "pause": "a pause that they ask for", "complaint_opened": "a complaint",
    "return_opened": "a return", "reviewed": "a review", "erasure": "the erasure of their data",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a round on which a step comes.

    Args:
        first, usual, last: From the round's beginning: the earliest, that of a customer of usual rhythm, the latest.
        words: The same in words.
    """

    first: int
    usual: int
    last: int
    words: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a step.

    Args:
        name: In documents.
        offer: What it gives: the label of the offer.
        kind: Of the offer.
        condition: The rule for whom it is; empty: for everybody.
        low, high: Its chance in the context where it is lowest, and highest.
        drawn: How often it was drawn in the plans that are counted.
        worth: Margin that it brings a decision more than nothing, minor units; or why that cannot be told.
        told_apart: Whether that differs from nothing for sure.
    """

    name: str
    offer: str
    kind: str
    condition: str
    low: float
    high: float
    drawn: int
    worth: Interval | CannotTell
    told_apart: bool

    @property
    def nothing(self) -> bool:
        """Whether it is to be left alone."""
        return self.name == NOTHING


BECAME = ("sent", "delivered", "clicked", "ordered")


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a step's messages, each counted once; None where nothing was measured of it.

    Args:
        sent: Handed over.
        delivered: Of these, what did not come back.
        clicked: Of these, what a person followed a link of.
        ordered: Delivered ones after which the customer ordered.
    """

    sent: int | None = None
    delivered: int | None = None
    clicked: int | None = None
    ordered: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step's variants brought together against nothing.

    Args:
        days: Over how many days from a decision on.
        ordered: The share of customers with a message who ordered; None where it cannot be told.
        otherwise: The same of those who were drawn to hear nothing.
        worth: Margin that a message brings more than nothing, minor units; or why that cannot be told.
        told_apart: Whether that differs from nothing for sure.
        due: The day before which nothing more is known; None where no decision waits for its answer.
    """

    days: int
    ordered: float | None
    otherwise: float | None
    worth: Interval | CannotTell
    told_apart: bool
    due: date | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a program.

    Args:
        number: From 1.
        stage: As it is written.
        span: When it comes.
        x, usual_x, width: The same in hundredths of the longest round, as a picture of 100 has them.
        goal: What it wants to happen.
        offers: What it may give.
        branches: What follows where its message came to something.
        variants: What it may do, to leave alone among them.
        answer: What they brought together.
        decided, messages, left: Decisions, those that are a message, and customers left alone, of the plans that are counted.
        became: What became of its messages.
    """

    number: int
    stage: Stage
    span: Span
    x: float
    usual_x: float
    width: float
    goal: str
    offers: str
    branches: tuple[str, ...]
    variants: tuple[Variant, ...]
    answer: Answer
    decided: int
    messages: int
    left: int
    became: Became


def recent(plans: Sequence[Counts]) -> Sequence[Counts]:
    """Of plans, the newest first, those of the days that a funnel is of."""
    return [plan for plan in plans if plan.at >= plans[0].at - timedelta(days=RECENT_DAYS)]


def steps(program: Program, documents: Documents, table: Policy, plans: Iterable[Counts], learned: Mapping[str, Any]) -> tuple[Step, ...]:
    """A program's steps.

    Args:
        program: The program.
        documents: What it belongs to.
        table: The chances in force.
        plans: The counted ones.
        learned: What was learned last; empty where nothing was.
    """
    known: Mapping[str, Any] = of_program(learned, program.name)
    rows = [one for one in learned.get("stage_funnel", ()) if one["program"] == program.name]
    none = Became(0, 0, 0, 0) if "stage_funnel" in learned else Became()
    became = {one["stage"]: Became(*(one[step] for step in BECAME)) for one in rows}
    cells = [cell for plan in plans for cell in plan.cells if cell.program == program.name and cell.fresh]
    spans = list(_spans(program.stages))
    longest = max((span.last for span in spans), default=0) or 1
    found = {one["stage"]: one for one in known.get("stages", ())}
    return tuple(
        Step(
            at + 1, stage, span, *_drawn(span, longest), f"{GOALS[stage.goal.metric]} within {stage.goal.within_days} days",
            _offers(stage), tuple(_branches(stage)),
            tuple(_variants(program, stage, documents, table, mine, told.get("by", {}).get("arm", {}))), _answer(stage.name, told),
            sum(cell.customers for cell in mine if _decided(cell)), sum(cell.customers for cell in mine if _message(cell)),
            sum(cell.customers for cell in mine if cell.reason), became.get(stage.name, none),
        )
        for at, (stage, span) in enumerate(zip(program.stages, spans, strict=True))
        for mine, told in (([cell for cell in cells if cell.stage == stage.name], found.get(stage.name, {})),)
    )


def of_program(learned: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What was learned of a program; empty where nothing was."""
    return next((one for one in learned.get("programs", ()) if one["program"] == name), {})


def _drawn(span: Span, longest: int) -> tuple[float, float, float]:
    """Where a step begins, is usual, and how wide it is, so that even a single day is seen."""
    wide = max(100 * (span.last - span.first) / longest, LEAST_WIDE)
    return min(100 * span.first / longest, 100 - wide), min(100 * span.usual / longest, 100 - LEAST_WIDE), wide


def _decided(cell: Cell) -> bool:
    return cell.arm is not None and cell.reason is None


def _message(cell: Cell) -> bool:
    return _decided(cell) and cell.arm != NOTHING


def _spans(stages: Iterable[Stage]) -> Iterable[Span]:
    first = usual = last = 0
    for stage in stages:
        low, middle, high = _days(stage.delay)
        first, usual, last = first + low, usual + middle, last + high
        yield Span(first, usual, last, _when(first, last))


def _days(delay: Delay) -> tuple[int, int, int]:
    """The shortest, the usual and the longest wait, in days."""
    usual = max(delay.at_least_days, round(delay.rhythm * USUAL_RHYTHM))
    if delay.at_most_days is not None:
        usual = min(usual, delay.at_most_days)
    most = delay.at_most_days if delay.at_most_days is not None else usual
    return delay.at_least_days, usual, max(most, usual)


def _when(first: int, last: int) -> str:
    if not last:
        return "at once"
    return f"day {first}" if first == last else f"day {first} to {last}"


def _offers(stage: Stage) -> str:
    return "may lower the price" if stage.offers.price else "lowers no price"


def _branches(stage: Stage) -> Iterable[str]:
    for outcome, branch in stage.branches.items():
        to = "the round ends" if branch.to == "end" else f"on to {branch.to.replace('_', ' ')}"
        after = f", {branch.after_days} days later" if branch.after_days is not None else ""
        yield f"After {OUTCOMES[outcome]}: {to}{after}{', by another channel' if branch.change else ''}"


def _variants(
    program: Program, stage: Stage, documents: Documents, table: Policy, cells: list[Cell], learned: Mapping[str, Any]
) -> Iterable[Variant]:
    places = table.contexts(program.name, stage.name) or ("*",)
    chances = [table.chances(program.name, stage, where) for where in places]
    names = [arm.name for arm in stage.arms] + ([] if program.service else [NOTHING])
    arms: dict[str, Arm] = {arm.name: arm for arm in stage.arms}
    for name in names:
        arm = arms.get(name)
        offer = documents.offers[arm.offer] if arm else None
        drawn = sum(cell.customers for cell in cells if cell.arm == name and cell.reason is None)
        worth, apart = _worth(learned.get(name))
        shares = [one[name] for one in chances]
        yield Variant(
            name, offer.label if offer else "No message", offer.kind if offer else "", arm.when.text if arm and arm.when else "",
            min(shares), max(shares), drawn, worth, apart,
        )


def _answer(stage: str, known: Mapping[str, Any]) -> Answer:
    """Of the comparison that has every variant of the step in it."""
    ripe = known.get("maturity", {})
    whole = known.get("by", {}).get("stage", {}).get(stage)
    retained = (whole or {}).get("measures", {}).get("retained", {})
    told = "difference" in retained
    due = date.fromisoformat(ripe["next_on"]) if ripe.get("next_on") else None
    return Answer(
        ripe.get("window_days", 0), retained["control_mean"] + retained["difference"] if told else None,
        retained["control_mean"] if told else None, *_worth(whole), due,
    )  # fmt: skip


def _worth(found: Mapping[str, Any] | None) -> tuple[Interval | CannotTell, bool]:
    margin = (found or {}).get("measures", {}).get("margin")
    if margin is None:
        return CannotTell("nothing has been measured of it yet"), False
    if "cannot_tell" in margin:
        return CannotTell(margin["cannot_tell"]), False
    return Interval(margin["low"], margin["difference"], margin["high"]), bool(margin.get("told_apart"))
