"""Why a customer gets a message, in words: from the decision that its touch froze, and from nothing else.

Knows nothing of templates.
"""

from collections.abc import Callable, Mapping

from rekindle.deliver.facts import Facts
from rekindle.deliver.words import month, one_line, readable, weekday, written_out

_HAPPENED = {
    "late_delivery": "a parcel of yours came late", "stockout": "something that you looked for was out of stock",
    "return": "you sent something back", "bad_review": "you told us that something was not right",
}
"""Registered events, as the customer knows them."""


def why(facts: Facts) -> str:
    """Why this customer gets this message: an order of theirs, or consent and what opened the round.

    Args:
        facts: As the touch froze them: moment, cohort, cause, days, and how many messages the round has at most.
    """
    shop = one_line(facts.shop_name)
    if facts.service:
        order = f" (order {one_line(facts.order_number)})" if facts.order_number else ""
        return f"You get this because you ordered from {shop}{order}. It is about that order and no advertising: every buyer gets it."
    reason = _opened(facts)
    series = f" It is one of at most {facts.series} e-mails in this series." if facts.series > 1 else ""
    return f"You get this because you agreed to e-mail from {shop}{f', and because {reason}' if reason else ''}.{series}"


def _opened(facts: Facts) -> str:
    """What opened the round, as the customer knows it; empty where too little is known."""
    reason = _OPENED[facts.moment](facts) if facts.moment in _OPENED else ""
    return reason or _lapsed(facts)


def _ordered(facts: Facts) -> str:
    return f"on {weekday(facts.ordered_day, facts.locale)}" if facts.ordered_day else ""


def _ends(facts: Facts) -> str:
    return f", and it ends on {written_out(facts.day, facts.locale)}" if facts.day else ""


_OPENED: Mapping[str, Callable[[Facts], str]] = {
    "run_out": lambda facts: f"you have bought {readable(facts.product)} more than once" if facts.product else "",
    "anniversary": lambda facts: f"your first order was in {month(facts.first_day)}" if facts.first_day else "",
    "birthday": lambda _facts: "you told us your birthday",
    "credit": lambda facts: f"a credit of yours has not been used{_ends(facts)}",
    "order": lambda facts: (on := _ordered(facts)) and f"you ordered {on}",
    "first_order": lambda facts: (on := _ordered(facts)) and f"you ordered for the first time {on}",
    "delivery": lambda facts: f"your order arrived on {weekday(facts.delivered_day, facts.locale)}" if facts.delivered_day else "",
    "comeback": lambda facts: (on := _ordered(facts)) and f"you ordered again {on}, after a while",
}


def _lapsed(facts: Facts) -> str:
    """Since when nothing was ordered, and what stood in the way where a cause decided."""
    if not facts.last_day:
        return ""
    long = ", longer ago than is usual for you" if facts.overdue else ""
    event = _HAPPENED.get(facts.cause or "", "") if facts.cohort == "one_bad_experience" else ""
    return f"your last order was in {month(facts.last_day)}{long}{f', and {event}' if event else ''}"
