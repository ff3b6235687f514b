"""Kinds that put something into the parcel or onto the account: a gift, a set, a trial, points.

Knows nothing of stock. A gift and a trial are spent when they are given; points for an order that goes back are taken back.
"""

import ibis
import ibis.expr.types as ir

from rekindle.program.offer_kinds.kind import Kind, Minor, kept
from rekindle.program.offers import Offer


def _points(_profile: ir.Table, offer: Offer, minor: Minor) -> ir.FloatingValue:
    return ibis.literal(minor(offer.amount or offer.unit_cost))


_NEEDS = ("unit_cost", "redemption")

GIFT = Kind("something extra in the parcel, which stays there whatever goes back", needs=_NEEDS, allows=("minimum_spend",))
BUNDLE = Kind("things that belong together, put together", allows=("unit_cost", "redemption", "minimum_spend"))
FREE_TRIAL = Kind("something to try before paying for it", needs=_NEEDS)
POINTS = Kind(
    "points on the account, worth `amount` when they are spent", cost=_points, due=kept, needs=("amount", "redemption"),
    allows=("minimum_spend",),
)
