"""What a kind of offer is: whether it is a price, what an offer of it states, and what one redemption costs.

Knows nothing of any one kind, nor of who gets it. A cost is in two parts: what one redemption costs at the most, and the share of that
which falls due once what customers send back is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

if TYPE_CHECKING:
    from rekindle.program.offers import Offer

Minor = Callable[[Decimal], float]
"""Units of the store's currency as minor units, fractions kept."""
Cost = Callable[[ir.Table, "Offer", Minor], ir.FloatingValue]
Due = Callable[[ir.Table, "Offer"], ir.FloatingValue | None]


def spent(_profile: ir.Table, offer: "Offer", minor: Minor) -> ir.FloatingValue:
    """What the offer states: `unit_cost`."""
    return ibis.literal(minor(offer.unit_cost))


def kept(profile: ir.Table, _offer: "Offer") -> ir.FloatingValue:
    """What is taken off an order costs nothing where the order is sent back: the share that the customer keeps."""
    return 1 - profile.return_share.fill_null(0.0).clip(0.0, 1.0)


def sent_back(profile: ir.Table, offer: "Offer") -> ir.FloatingValue:
    """What is paid for a return costs only where there is one: the customer's share of returns, and no less than the offer assumes."""
    return ibis.greatest(profile.return_share.fill_null(0.0), ibis.literal(offer.returns_share)).clip(0.0, 1.0)


def whole(_profile: ir.Table, _offer: "Offer") -> None:
    """What is spent with the order, whatever becomes of it: all of it, so that there is nothing to multiply."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of offer.

    Args:
        words: What it is, for people.
        cost: What one redemption costs at the most, minor units, as an expression over candidates: before the offer's `cap`.
        due: The share of it that falls due, as an expression; None for all of it.
        needs: Keys that such an offer states.
        one_of: Keys of which it states exactly one, the preferred first; none where there is no choice.
        allows: Keys that it may state besides.
        price: Whether it takes something off a price.
        card: Whether a message shows it on a card: something is given.
        redeemed: Whether it is taken with an order, so that it has a code and an end.
    """

    words: str
    cost: Cost = spent
    due: Due = whole
    needs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    price: bool = False
    card: bool = True
    redeemed: bool = True

    @property
    def keys(self) -> frozenset[str]:
        """Every key of a cost that such an offer may state."""
        return frozenset({*self.needs, *self.one_of, *self.allows})
