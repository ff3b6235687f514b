"""Where a customer's rounds of a program stand at an instant: due, or why not, and from when on.

Knows nothing of arms and of expressions: it reads what `due.stands` found of one round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rekindle.decide import rule_parts
from rekindle.decide.due import STATES as STATES
from rekindle.decide.rule_parts import RuleVerdict
from rekindle.decide.rule_words import Show
from rekindle.program.documents import Program


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


def stand(row: Mapping[str, Any], customer: Mapping[str, Any], program: Program, show: Show) -> Round:
    """Where a round stands.

    Args:
        row: Of `due.stands`.
        customer: The profile's row, with the columns of `rule_parts.columns`.
        program: The program.
        show: Minor units as an amount that people read.
    """
    names, last, number = [stage.name for stage in program.stages], row["last_no"], row["stage_no"]
    return Round(
        row["episode"], row["opened_at"], row["opening_order"], row["opening_product"], row["opening_category"], row["opening_day"],
        row["entered_at"], row["standing"], names[last] if 0 <= last < len(names) else None, row["reached_arm"], row["reached_at"],
        names[number] if number < len(names) else None, row["delay_days"], row["due_at"], row["begins_by"], row["ends_at"], row["state"],
        row["why"] or "", rule_parts.verdict(program.audience.enter, customer, show), tuple(names[last + 1 : number]),
    )  # fmt: skip
