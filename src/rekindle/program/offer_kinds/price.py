"""Kinds that take something off a price: a part of it, an amount, a credit that follows the customer's worth.

Knows nothing of stages that permit them. A part and an amount are not given where the order goes back; a credit is given again.
"""

import ibis
import ibis.expr.types as ir

from rekindle.program.offer_kinds.kind import Kind, Minor, kept
from rekindle.program.offers import Offer


def _percent(profile: ir.Table, offer: Offer, _minor: Minor) -> ir.FloatingValue:
    """The usual order stands for the next one, also where the offer holds for a part of it: the dearest case."""
    return profile.average_order_value.cast("float64") * (offer.percent or 0.0)


def _amount(_profile: ir.Table, offer: Offer, minor: Minor) -> ir.FloatingValue:
    return ibis.literal(minor(offer.amount or offer.unit_cost))


def _credit(profile: ir.Table, offer: Offer, minor: Minor) -> ir.FloatingValue:
    """A fixed amount, a share of the margin that the customer is expected to bring, or a curve over it and the orders so far."""
    if offer.curve is not None:
        return offer.curve.value(profile, minor)
    if offer.share_of_margin is not None:
        return profile.expected_margin.clip(lower=0).cast("float64") * offer.share_of_margin
    return _amount(profile, offer, minor)


_ALLOWS = ("cap", "minimum_spend")

PERCENT = Kind("a part of the price", cost=_percent, due=kept, needs=("percent", "redemption"), allows=_ALLOWS, price=True)
AMOUNT = Kind("an amount off one order", cost=_amount, due=kept, needs=("amount", "redemption"), allows=_ALLOWS, price=True)
CREDIT = Kind(
    "store credit: a fixed amount, a share of the expected margin, or a curve", cost=_credit, needs=("redemption",),
    one_of=("share_of_margin", "curve", "amount"), allows=_ALLOWS, price=True,
)
