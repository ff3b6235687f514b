"""What opened a round, as a key of customers' pages and the days and names that its words hold.

Knows nothing of languages and pages.
"""

from dataclasses import dataclass
from datetime import date

from rekindle.deliver.facts import Facts
from rekindle.deliver.words import one_line, readable


@dataclass(frozen=True, slots=True)
class Because:
    """A reason.

    Args:
        key: Of the words that say it.
        day: That they name, if any.
        name: Of an order or a product that they name, if any.
    """

    key: str
    day: date | None = None
    name: str = ""


HAPPENED = frozenset({"late_delivery", "stockout", "return", "bad_review"})
"""Registered events, each with words of its own."""


def because(facts: Facts) -> Because:
    """Why a message came, from the decision that its touch froze, and from nothing else.

    >>> because(Facts(stage="ask", moment="delivery", delivered_day=date(2026, 11, 3)))
    Because(key='because_delivery', day=datetime.date(2026, 11, 3), name='')
    >>> because(Facts(stage="reconnect"))
    Because(key='because_agreed', day=None, name='')
    """
    if facts.service:
        return Because("because_service", name=one_line(facts.order_number or ""))
    found = {
        "run_out": Because("because_run_out", name=readable(facts.product) or ""),
        "anniversary": Because("because_anniversary", facts.first_day),
        "birthday": Because("because_birthday"),
        "credit": Because("because_credit"),
        "order": Because("because_order", facts.ordered_day),
        "first_order": Because("because_first_order", facts.ordered_day),
        "delivery": Because("because_delivery", facts.delivered_day),
        "comeback": Because("because_comeback", facts.ordered_day),
    }.get(facts.moment)
    told = found is not None and (found.day or found.name or facts.moment in ("birthday", "credit"))
    if found is not None and told:
        return found
    return Because("because_lapse", facts.last_day) if facts.last_day else Because("because_agreed")


def happened(facts: Facts) -> str:
    """The key of what stood in the way, where that decided what was sent; empty where nothing did."""
    return f"happened_{facts.cause}" if facts.cohort == "one_bad_experience" and facts.cause in HAPPENED else ""
