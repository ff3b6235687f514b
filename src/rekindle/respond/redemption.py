"""Whether a code may be redeemed with an order, and what it takes off: rules only.

Knows nothing of where codes and redemptions are kept, nor of how often one was redeemed: that is counted where it is written.
Money is integer minor units of the store's currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

CATEGORY, PRODUCT = "category:", "product:"


class Reason(StrEnum):
    """Why a code is not taken."""

    UNKNOWN = "unknown"
    NOT_YET = "not_yet"
    NOT_YOURS = "not_yours"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    USED = "used"
    OTHER_CURRENCY = "other_currency"
    BELOW_MINIMUM = "below_minimum"
    OUT_OF_SCOPE = "out_of_scope"
    NOT_STACKABLE = "not_stackable"
    BUDGET_SPENT = "budget_spent"


WORDS: Mapping[Reason, str] = {
    Reason.UNKNOWN: "there is no such code",
    Reason.NOT_YET: "the message with this code has not been sent yet",
    Reason.NOT_YOURS: "the code belongs to another customer",
    Reason.EXPIRED: "the last day of the code has passed",
    Reason.CANCELLED: "the code was taken back before it was sent",
    Reason.USED: "the code has been redeemed",
    Reason.OTHER_CURRENCY: "the order is in another currency than the code",
    Reason.BELOW_MINIMUM: "the order is below the amount from which the code holds",
    Reason.OUT_OF_SCOPE: "nothing in the order is what the code holds for",
    Reason.NOT_STACKABLE: "the order has another code already",
    Reason.BUDGET_SPENT: "the budget of the code's offer is spent for now",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order: what, and what it costs after its own discounts, minor units."""

    product: str
    category: str
    amount: int


@dataclass(frozen=True, slots=True)
class Basket:
    """What a code is to be redeemed with.

    Args:
        customer_id: Who orders; empty where the shop does not know, and then no personal code is taken.
        currency: ISO 4217.
        lines: At least one.
        others: Further codes of the same order.
    """

    customer_id: str
    currency: str
    lines: tuple[Line, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a code gives, and under which conditions.

    Args:
        customer_id: Whose it is.
        currency: ISO 4217.
        last_day: On which it holds, in the customer's time zone; None without an end.
        scope: "order", "category:NAME" or "product:ID".
        minimum: The order from which it holds; 0 for any.
        percent: Share off what it holds for; 0 where it takes an amount off.
        amount: What it takes off at most; None where a percentage has no limit. 0 where it takes nothing off the goods.
        price: Whether it lowers the price: of two such codes an order takes one.
    """

    customer_id: str
    currency: str
    last_day: date | None
    scope: str
    minimum: int
    percent: float
    amount: int | None
    price: bool


def judged(terms: Terms, basket: Basket, today: date, lowering: frozenset[str]) -> Reason | None:
    """Why the code is not taken with this order; None where it is.

    Args:
        terms: Of the code.
        basket: The order.
        today: The day where its holder is.
        lowering: Those of the order's other codes that lower the price.
    """
    if basket.customer_id != terms.customer_id:
        return Reason.NOT_YOURS
    if terms.last_day is not None and today > terms.last_day:
        return Reason.EXPIRED
    if basket.currency != terms.currency:
        return Reason.OTHER_CURRENCY
    if terms.price and lowering:
        return Reason.NOT_STACKABLE
    if not _covered(terms, basket):
        return Reason.OUT_OF_SCOPE
    return Reason.BELOW_MINIMUM if sum(line.amount for line in basket.lines) < terms.minimum else None


def discount(terms: Terms, basket: Basket) -> int:
    """What the code takes off the order, minor units: never more than what it holds for costs.

    >>> lines = (Line("p1", "Lighting", 5000), Line("p2", "Vases", 3000))
    >>> ten = Terms("c1", "EUR", None, "category:Lighting", 0, 0.10, None, price=True)
    >>> discount(ten, Basket("c1", "EUR", lines))
    500
    """
    covered = sum(line.amount for line in _covered(terms, basket))
    if terms.percent:
        off = int(covered * round(terms.percent * 10_000) // 10_000)
        return off if terms.amount is None else min(off, terms.amount)
    return min(terms.amount or 0, covered)


def _covered(terms: Terms, basket: Basket) -> tuple[Line, ...]:
    """The lines that the code holds for."""
    if terms.scope.startswith(CATEGORY):
        return tuple(line for line in basket.lines if line.category == terms.scope.removeprefix(CATEGORY))
    if terms.scope.startswith(PRODUCT):
        return tuple(line for line in basket.lines if line.product == terms.scope.removeprefix(PRODUCT))
    return basket.lines
