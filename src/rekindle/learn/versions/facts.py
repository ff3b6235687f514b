"""What a version of the table of chances is, what it changes, and on which evidence.

Knows nothing of how it was chosen, nor of who approved it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rekindle.decide.policy import ANY, Policy
from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.program.documents import NOTHING, Program

LEAST = 0.0005
"""Chances that differ by less are the same: a digit after the point of a per cent."""


@dataclass(frozen=True, slots=True)
class Change:
    """One chance before and after.

    Args:
        program, stage, context, arm: Where; `*` is any other context.
        before, after: The chance, before it is renormalised over what a customer may get.
    """

    program: str
    stage: str
    context: str
    arm: str
    before: float
    after: float

    @property
    def moved(self) -> float:
        """By how much it changes."""
        return self.after - self.before

    @property
    def differs(self) -> bool:
        """Whether it changes at all, rounding apart."""
        return abs(self.moved) >= LEAST


@dataclass(frozen=True, slots=True)
class Evident:
    """What is known of one chance.

    Args:
        decisions: Drawn for it in its context.
        orders: Those of them that an order followed.
        margin: What a decision brings more than `nothing`, minor units, 95 % interval; by the documents' assumptions alone before any
            decision.
        best_chance: How likely it is the best of its context, 0 to 1.
        why: Why its chance is what it is, in words.
        customers: Who come due in the context in a period of the budget.
        reach: The share of them who may get it, 0 to 1.
    """

    decisions: int
    orders: int
    margin: Interval
    best_chance: float
    why: str
    customers: int
    reach: float = 1.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a table is expected to do in a period; money in minor units.

    Args:
        days: The period.
        budget: The most that it may spend; None: no limit.
        spend: What the version is expected to spend.
        spend_before: What the table in force is expected to spend.
        gain: What the version is expected to bring more than contacting nobody.
        gain_before: The same of the table in force.
        more: The difference of both.
    """

    days: int
    budget: float | None
    spend: float
    spend_before: float
    gain: Interval
    gain_before: Interval
    more: Interval


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the table, with what was known when it was proposed.

    Args:
        policy: The table.
        way: How it came about, such as `learning` or `by hand`.
        as_of: Later facts were not seen.
        before: The version that was in force.
        changes: Every chance of every context of a stage that either table names.
        evidence: (program, stage, context, arm) to what is known of it.
        outlook: What it is expected to cost and bring; or why that cannot be told.
        maturity: (program, stage) to the share of answers that should have come by now; or why it cannot be told.
        value: What the logged decisions say each table is worth a decision, by the name of the estimate; empty where they were not asked.
        notes: What a reader has to know besides.
    """

    policy: Policy
    way: str
    as_of: datetime
    before: str
    changes: tuple[Change, ...]
    evidence: dict[tuple[str, str, str, str], Evident]
    outlook: Outlook | CannotTell
    maturity: dict[tuple[str, str], float | CannotTell]
    value: tuple["Judged", ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The version."""
        return self.policy.version

    @property
    def decisions(self) -> int:
        """Decisions that it was learned from."""
        return sum(one.decisions for one in self.evidence.values())

    @property
    def orders(self) -> int:
        """Those of them that an order followed."""
        return sum(one.orders for one in self.evidence.values())

    @property
    def differing(self) -> tuple[Change, ...]:
        """The chances that change, first those that change most for most customers who may get the variant."""

        def weight(one: Change) -> float:
            return abs(one.moved) * max(1, self.customers(one)) * self.reach(one)

        return tuple(sorted((one for one in self.changes if one.differs), key=lambda one: (-weight(one), -abs(one.moved))))

    def reach(self, one: Change) -> float:
        """The share of a context's customers who may get a variant; 1 where it is not known."""
        known = self.evidence.get((one.program, one.stage, one.context, one.arm))
        return known.reach if known else 1.0

    def customers(self, one: Change) -> int:
        """Customers who come due in a change's context in a period; 0 where none were counted."""
        known = self.evidence.get((one.program, one.stage, one.context, one.arm))
        return known.customers if known else 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What the logged decisions of a stage say two tables are worth, without either having been tried.

    Args:
        program, stage: Where.
        before, after: Margin a decision under each, minor units; or why it cannot be told.
        more: The difference, whose interval is narrower than those of both.
    """

    program: str
    stage: str
    before: Interval | CannotTell
    after: Interval | CannotTell
    more: Interval | CannotTell


def changes(one: Policy, other: Policy, programs: Iterable[Program]) -> tuple[Change, ...]:
    """From one table to another: every chance of the contexts that either names, program by program and stage by stage.

    Args:
        one: Before.
        other: After.
        programs: As they are now; what else a table names is not read.
    """
    found = []
    for program in programs:
        for stage in program.stages:
            contexts = {*one.contexts(program.name, stage.name), *other.contexts(program.name, stage.name)}
            for where in sorted(contexts, key=lambda name: (name == ANY, name)):
                before, after = (table.chances(program.name, stage, where) for table in (one, other))
                arms = (*(arm.name for arm in stage.arms), NOTHING)
                found += [Change(program.name, stage.name, where, arm, before[arm], after[arm]) for arm in arms]
    return tuple(found)
