"""Where a customer's rounds of a program stand at an instant: due, or why not, and from when on.

Knows nothing of arms and of expressions. The steps of `due.candidates`, which keeps the rounds that are due and forgets the others, for
one round in plain arithmetic.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rekindle.decide import rule_parts
from rekindle.decide.rule_parts import RuleVerdict
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Delay, Program, Stage
from rekindle.program.stages import END, Outcome

STATES = {
    "due": "due", "not_for": "not for this customer", "not_due": "not due yet", "missed": "began too long ago", "ended": "ended",
    "done": "went through all its stages", "over": "lasted as long as it may", "passed_over": "every stage is passed over",
    "no_round": "nothing opened a round", "cannot_tell": "cannot be told",
}
"""Where a round can stand, with the words people read."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a program.

    Args:
        episode: Its id: that of the fact that opened it.
        opened_at, opening_order, opening_product, opening_category, opening_day: What opened it, and the day that it is about; naive UTC.
        entered_at: When it got its standing; None before.
        standing: What it got: treated, control or holdout.
        last_stage, last_arm, last_at: The last stage drawn, what was drawn and when; None before the first.
        stage: The stage that follows; None where none does.
        delay_days: Days after the last stage, or the opening, that it is due.
        due_at: From when on it is due.
        begins_by: A round that has not begun by then never does; None without such a limit.
        ends_at: When a round that has begun is over; None before.
        state: A key of `STATES`.
        why: What ended it: order, reviewed, opt_out, complaint_opened or return_opened; empty where nothing did.
        enter: The audience's rule over the customer.
        passed: Stages after the last that are passed over, by name.
    """

    episode: str
    opened_at: datetime
    opening_order: str | None
    opening_product: str | None
    opening_category: str | None
    opening_day: date | None
    entered_at: datetime | None
    standing: str | None
    last_stage: str | None
    last_arm: str | None
    last_at: datetime | None
    stage: str | None
    delay_days: int
    due_at: datetime
    begins_by: datetime | None
    ends_at: datetime | None
    state: str
    why: str
    enter: RuleVerdict
    passed: tuple[str, ...]


def stand(row: Mapping[str, Any], customer: Mapping[str, Any], program: Program, as_of: AsOf) -> Round:
    """Where a round stands.

    Args:
        row: `openings.COLUMNS` and what `due.places` says of the round, with `clicked` of `sequence.outcomes`; None where neither knows it.
        customer: The profile's row, with the columns of `rule_parts.columns`.
        program: The program.
        as_of: The instant.
    """
    last = row["stage_no"] if row["stage_no"] is not None else -1
    number, days = _next(row, customer, program, last)
    due_at = (row["reached_at"] or row["opened_at"]) + timedelta(days=days)
    names, entered = [stage.name for stage in program.stages], row["entered_at"]
    enter = rule_parts.verdict(program.audience.enter, customer)
    limited = entered is None and program.trigger.on != "lapse"
    begins_by = due_at + timedelta(days=program.trigger.within_days) if limited else None
    ends_at = entered + timedelta(days=program.caps.duration_days) if entered else None
    why = _ended_by(row, program)
    state = "ended" if why else _state(as_of.naive, entered is not None or enter.holds, ends_at, begins_by)
    if state == "due" and number >= len(names):
        state = "done" if last >= 0 else "passed_over"
    elif state == "due" and as_of.naive < due_at:
        state = "not_due"
    return Round(
        row["episode"], row["opened_at"], row["opening_order"], row["opening_product"], row["opening_category"], row["opening_day"],
        entered, row["standing"], names[last] if last >= 0 else None, row["reached_arm"], row["reached_at"],
        names[number] if number < len(names) else None, days, due_at, begins_by, ends_at, state, why, enter,
        tuple(names[last + 1 : number]),
    )  # fmt: skip


def _next(row: Mapping[str, Any], customer: Mapping[str, Any], program: Program, last: int) -> tuple[int, int]:
    """The number of the stage that follows, and after how many days: by the last message's outcome where a branch says so."""
    outcome = _outcome(row, customer)
    branch = program.stages[last].branches.get(outcome) if last >= 0 and outcome is not None else None
    names = [stage.name for stage in program.stages]
    number = last + 1 if branch is None else len(names) if branch.to == END else names.index(branch.to)
    cohort = customer["lapsed_cohort"]
    while number < len(names) and _passed_over(program, program.stages[number], cohort, customer):
        number += 1
    if branch is not None and branch.after_days is not None and names[number : number + 1] == [branch.to]:
        return number, branch.after_days
    return number, _days(program.delay_for(names[number], cohort), row, customer) if number < len(names) else 0


def _outcome(row: Mapping[str, Any], customer: Mapping[str, Any]) -> Outcome | None:
    """What the last message came to; None of a round drawn to hear nothing."""
    if row["reached_arm"] in (None, NOTHING):
        return None
    if customer["last_day"] is not None and customer["last_day"] >= row["reached_at"].date():
        return "bought"
    return "clicked" if row["clicked"] else "ignored"


def _passed_over(program: Program, stage: Stage, cohort: str | None, customer: Mapping[str, Any]) -> bool:
    skipped = cohort in program.variants and stage not in program.stages_for(cohort)
    return skipped or (stage.only_if is not None and not rule_parts.verdict(stage.only_if, customer).holds)


def _days(delay: Delay, row: Mapping[str, Any], customer: Mapping[str, Any]) -> int:
    """A delay in the customer's own rhythm, halves away from zero."""
    least = delay.by_category.get(row["opening_category"] or "", delay.at_least_days)
    own = math.floor((customer["average_days_between_orders"] or 0.0) * delay.rhythm + 0.5)
    days = max(own, least)
    return days if delay.at_most_days is None else min(days, delay.at_most_days)


def _state(instant: datetime, may: bool, ends_at: datetime | None, begins_by: datetime | None) -> str:
    if not may:
        return "not_for"
    if ends_at is not None and instant >= ends_at:
        return "over"
    return "missed" if begins_by is not None and instant >= begins_by else "due"


def _ended_by(row: Mapping[str, Any], program: Program) -> str:
    """The exit that ended a round; empty where none did."""
    if row["ended_by"]:
        return str(row["ended_by"])
    over = {"order": row["later_order"], "reviewed": row["reviewed"]}
    return next((exit_ for exit_, holds in over.items() if holds and exit_ in program.exit), "")
