"""What opens a round of a program: the kinds of moments in a customer's life that a program may answer.

Knows nothing of how such moments are found in history: `decide.openings` does.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rekindle.program.fields import Days, Entry, PositiveDays, mistake

Moment = Literal[
    "lapse", "order", "first_order", "delivery", "late_delivery", "comeback", "run_out", "credit", "anniversary", "birthday",
]

MOMENTS: dict[str, str] = {
    "lapse": "a lapse", "order": "an order", "first_order": "the first order", "delivery": "a delivery", "late_delivery": "a late delivery",
    "comeback": "an order after a lapse", "run_out": "something running out", "credit": "an unspent credit",
    "anniversary": "the anniversary of the first order", "birthday": "a birthday",
}
"""Moments in words that people read."""

TOPICS: dict[str, str] = {
    "offers": "offers and news", "advice": "thanks and advice after an order", "questions": "requests for a review or an answer",
    "occasions": "birthdays and anniversaries",
}
"""What customers may want nothing of, with the words that they read."""

TOPIC_OF: dict[str, str] = {
    "lapse": "offers", "comeback": "offers", "credit": "offers", "order": "advice", "first_order": "advice", "run_out": "advice",
    "delivery": "questions", "late_delivery": "advice", "anniversary": "occasions", "birthday": "occasions",
}
"""Moment to the topic of the marketing that it opens."""

AHEAD: dict[str, int] = {"run_out": 7, "credit": 14, "anniversary": 0, "birthday": 0}
"""Moments that lie ahead, with the days before them that a round begins where a program does not say."""


class Trigger(Entry):
    """What opens a round."""

    on: Moment = "lapse"
    """lapse: the last order, once the audience's rule holds; order, first_order; delivery of an order; late_delivery: a promised day that
    has passed; comeback: the order that ended a lapse; run_out: what was bought will soon be used up; credit: a credit will soon expire;
    anniversary: of the first order; birthday."""
    within_days: Annotated[PositiveDays, Field(alias="within")] = 14
    """How long after its first stage was due a round may still begin; a lapse has no such limit."""
    ahead_days: Annotated[Days | None, Field(alias="ahead")] = None
    """How long before its day a round begins: run_out, credit, anniversary and birthday only."""

    @property
    def ahead(self) -> int:
        """Days before its day that a round begins."""
        return AHEAD.get(self.on, 0) if self.ahead_days is None else self.ahead_days

    @model_validator(mode="after")
    def _some_have_a_day(self) -> Self:
        if self.ahead_days is not None and self.on not in AHEAD:
            raise mistake("trigger-ahead", f"a round on {self.on} has no day ahead of it", "Remove ahead, or give the first stage a delay.")
        return self
