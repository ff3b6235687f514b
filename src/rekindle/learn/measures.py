"""What is measured, defined once: the name, unit and reading of every measure, and what each is computed from.

Knows nothing of groups and intervals. A measure is a mean over those who were assigned, or a ratio of two such means; never over those who
reacted, so that it compares alike with alike.
"""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["money", "share", "count", "days"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Args:
        words: What it is, for people.
        unit: `money` is minor units.
        better: 1 where more is better, -1 where less is, 0 where neither.
        column: Of a round's outcomes, whose mean it is.
        over: The column by whose mean that one is divided, of a ratio; empty otherwise.
        of_some: Whether orders of some customers alone count, so that it takes enough of those.
    """

    words: str
    unit: Unit
    better: Literal[-1, 0, 1]
    column: str
    over: str = ""
    of_some: bool = False


CATALOGUE: dict[str, Measure] = {
    "margin": Measure("contribution margin a customer, net of offers and messages", "money", 1, "margin"),
    "spend": Measure("spend a customer", "money", 1, "spend"),
    "reactivated": Measure("spend a customer of those lapsed at entry, nothing of others", "money", 1, "reactivated", of_some=True),
    "orders": Measure("orders a customer", "count", 1, "orders"),
    "retained": Measure("customers who ordered", "share", 1, "retained"),
    "repeated": Measure("customers who ordered on two days or more", "share", 1, "repeated"),
    "aov": Measure("spend an order", "money", 0, "spend", "orders"),
    "regularity": Measure("four-week periods with an order", "share", 1, "regularity"),
    "days_to_order": Measure("days until the first order, the whole window without one", "days", -1, "days_to_order"),
    "activated": Measure("customers who came back to look, sign in or order", "share", 1, "activated"),
    "opted_out": Measure("customers who took a consent back", "share", -1, "opted_out"),
}
"""Every measure by name, the one that decides first."""

FIRST = "margin"
"""What a program, a stage, an offer or an experiment is judged by. What was opened or clicked is no measure at all."""

SHOWN = ("margin", "spend", "retained", "activated")
"""What is shown of every part of a program too, such as a tier."""

COLUMNS = tuple(dict.fromkeys(part for one in CATALOGUE.values() for part in (one.column, one.over) if part))
"""The columns of a round's outcomes that measures are computed from."""

RATIOS = tuple(name for name, one in CATALOGUE.items() if one.over)
"""The measures that are a ratio of two means."""
