"""A program walked over past history: what it would have decided, week after week, had it been live.

Knows nothing of how a profile comes about, and writes no journal. Messages are taken as sent, and customers do what they did in history:
nobody answers a message, so that every round goes as far as its facts let it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide import due, openings, planner, settling
from rekindle.decide.arms import Shop
from rekindle.decide.policy import Policy, equal_chance
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse
from rekindle.insight.segments import with_calls
from rekindle.moment import AsOf, start_of_day
from rekindle.program.documents import NOTHING, Documents, Program
from rekindle.program.segments import definitions

WEEK = 7

DECISIONS = {**JOURNAL, "arm_spread": "int64", "subsidised": "int64"}
"""A row of a walk: what the journal would have, and of a message the spread of its expected margin and the redemptions in orders that
would come anyway (thousandths)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is walked.

    Args:
        documents: The program alone, offers, rules and segments; other programs are not walked, so caps that they share are not felt.
        shop: The store's costs and channels.
        first: The first day that is planned for.
        weeks: How long.
        every: Days from one plan to the next.
        timezone: The store's.
        policy: The table of chances; equal chances where not given.
    """

    documents: Documents
    shop: Shop
    first: date
    weeks: int
    every: int
    timezone: str
    policy: Policy | None = None

    @property
    def program(self) -> Program:
        """The program that is walked."""
        return self.documents.programs[0]

    @property
    def days(self) -> int:
        """How many days the walk covers."""
        return WEEK * self.weeks

    @property
    def ticks(self) -> tuple[AsOf, ...]:
        """The instants that are planned for: the beginnings of days in the store's time zone."""
        days = (self.first + timedelta(days=passed) for passed in range(0, self.days, self.every))
        return tuple(AsOf(start_of_day(day, self.timezone), self.timezone, shifted=True) for day in days)

    @property
    def columns(self) -> frozenset[str]:
        """The profile's columns that the program's plans read."""
        asked = (rule for rule in (*self.program.rules, *definitions(self.documents.segments).values()))
        return openings.READ.union(due.READ, *(rule.columns for rule in asked))

    def as_walked(self) -> Documents:
        """The documents for a plan that is made once in `every` days: a moment may be answered at least so long after it was due."""
        trigger = self.program.trigger
        patient = trigger.model_copy(update={"within_days": max(trigger.within_days, self.every)})
        return replace(self.documents, programs=(self.program.model_copy(update={"trigger": patient}),))


@dataclass(frozen=True, slots=True)
class Met:
    """Whom a plan looked at where nobody was due for anything.

    Args:
        opened: Customers for whom something had opened a round.
        fitting: Customers for whom the audience's rule held.
        both: Customers for whom both was so.
    """

    opened: int = 0
    fitting: int = 0
    both: int = 0


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk.

    Args:
        decisions: `DECISIONS`, kept: a decision, or a refusal whose reason changed.
        met: The most of each that any plan without a due customer looked at.
        scale: The least that budgets left of any chance of a message.
    """

    decisions: ir.Table
    met: Met
    scale: float


def walk(warehouse: Warehouse, question: Question, profile_at: Callable[[AsOf], ir.Table]) -> Walked:
    """Plans at every tick from facts before it and from what the walk itself decided before.

    Args:
        warehouse: Runs the expressions; nothing is written to what it stores.
        question: What is walked.
        profile_at: Profiles as of an instant, kept.
    """
    documents = question.as_walked()
    policy = question.policy or equal_chance(documents.programs)
    gone = [warehouse.arrow(settling.nobody(DECISIONS))]
    scale, met = 1.0, Met()
    for as_of in question.ticks:
        with warehouse.forgetting():
            profile = profile_at(as_of)
            inputs = planner.Inputs(profile, documents, policy, question.shop, as_of, past=_past(warehouse, gone))
            made = planner.plan(warehouse, inputs)
            rows = _rows(warehouse, made).cast(gone[0].schema)
            scale = min(scale, made.scale)
            if not len(rows):
                met = _most(met, _met(warehouse, profile, documents, as_of))
            gone.append(rows)
    return Walked(warehouse.keep(pa.concat_tables(gone)), met, scale)


def _past(warehouse: Warehouse, gone: list[pa.Table]) -> due.Past:
    """The walk's own journal; a message that was drawn and not put off is taken as sent."""
    journal = warehouse.hold(pa.concat_tables(gone), ibis.schema(DECISIONS)).select(*JOURNAL.names)
    made = journal.filter(journal.arm.notnull(), journal.arm != NOTHING, journal.reason.isnull())
    return due.Past(journal, made)


def _rows(warehouse: Warehouse, made: planner.Plan) -> pa.Table:
    fresh = made.rows.filter(made.rows.fresh).mutate(plan=ibis.literal(made.digest))
    return warehouse.arrow(fresh.select(**{name: fresh[name].cast(kind) for name, kind in DECISIONS.items()}))


def _met(warehouse: Warehouse, profile: ir.Table, documents: Documents, as_of: AsOf) -> Met:
    program = documents.programs[0]
    told = with_calls(warehouse, profile, program.rules, as_of, definitions(documents.segments))
    opened = warehouse.keep(openings.find(warehouse, told, program, as_of).select("customer_id").distinct())
    fitting = warehouse.keep(told.filter(program.audience.enter.compile(told)).select("customer_id"))
    counts = (opened, fitting, fitting.semi_join(opened, "customer_id"))
    return Met(*(int(warehouse.scalar(table.count())) for table in counts))


def _most(one: Met, other: Met) -> Met:
    return Met(max(one.opened, other.opened), max(one.fitting, other.fitting), max(one.both, other.both))
