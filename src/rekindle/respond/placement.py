"""Which of a customer's decisions counts on the shop's own pages, and why nothing is shown of one.

Knows nothing of pages, plans and messages. Nothing is decided here: who was drawn to hear nothing sees nothing either, so that what
is shown can never blur what is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

NOTHING = "nothing"


class Silence(StrEnum):
    """Why nothing is shown."""

    UNDECIDED = "undecided"
    DRAWN = "drawn"
    NOT_YET = "not_yet"
    WITHDRAWN = "withdrawn"
    USED = "used"
    SPENT = "spent"
    UNWANTED = "unwanted"
    PAUSED = "paused"


WORDS = {
    Silence.UNDECIDED: "nothing was decided for the customer lately",
    Silence.DRAWN: "drawn to hear nothing",
    Silence.NOT_YET: "the message has not left yet",
    Silence.WITHDRAWN: "the message never left",
    Silence.USED: "its code was redeemed",
    Silence.SPENT: "the budget of its offer is spent for now",
    Silence.UNWANTED: "the customer asked for none of this",
    Silence.PAUSED: "the program is paused",
}
"""Reasons in the words that people read."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of a plan for one customer.

    Args:
        plan: Its hash.
        program: The program.
        stage: The stage.
        episode: The round.
        arm: What was drawn, `nothing` among it.
        propensity: The chance that it was drawn with.
        eligible: What it was drawn among.
        policy: The version of the table of chances.
        last_day: On which its offer holds; None for `nothing`.
    """

    plan: str
    program: str
    stage: str
    episode: str
    arm: str
    propensity: float
    eligible: tuple[str, ...]
    policy: str
    last_day: date | None


def counting(decisions: Sequence[Decided], today: date) -> Decided | None:
    """The decision that counts: the latest message that holds still, else the latest that was drawn to be nothing.

    Args:
        decisions: Of one customer, the latest plan's first, none of them refused.
        today: Where the customer is.

    >>> quiet = Decided("p2", "news", "hello", "o2", NOTHING, 0.5, ("card", NOTHING), "equal-1", None)
    >>> loud = Decided("p1", "back", "tailor", "o1", "credit", 0.25, ("credit", NOTHING), "equal-1", date(2026, 3, 9))
    >>> counting([quiet, loud], date(2026, 3, 9)).arm, counting([quiet, loud], date(2026, 3, 10)).arm, counting([], date(2026, 3, 9))
    ('credit', 'nothing', None)
    """
    live = (one for one in decisions if one.last_day is not None and one.last_day >= today)
    quiet = (one for one in decisions if one.arm == NOTHING)
    return next(live, None) or next(quiet, None)
