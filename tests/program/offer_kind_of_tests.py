"""An offer kind as another package would bring it: an umbrella for who orders on a rainy day."""

import ibis
import ibis.expr.types as ir

from rekindle.program.offer_kinds import Kind
from rekindle.program.offer_kinds.kind import Minor
from rekindle.program.offers import Offer


def _wet(profile: ir.Table, offer: Offer, minor: Minor) -> ir.FloatingValue:
    """Two for who has ordered often."""
    return (profile.orders >= 10).ifelse(2.0, 1.0) * ibis.literal(minor(offer.unit_cost))


UMBRELLA = Kind("an umbrella", cost=_wet, needs=("unit_cost", "redemption"))
