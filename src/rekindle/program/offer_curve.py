"""What a credit is worth to each customer: a curve over the margin that the customer brings and the orders so far.

Knows nothing of its cap. A curve never falls: who is worth more is never given less.
"""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Self

import ibis
import ibis.expr.types as ir
from pydantic import Field, model_validator

from rekindle.program.fields import Amount, Entry, mistake
from rekindle.program.offer_kinds.kind import Minor

Points = Annotated[tuple[tuple[Amount, Amount], ...], Field(max_length=20)]
"""Points in rising order, each a place and the value there; straight between them, level before the first and after the last."""


class Curve(Entry):
    """A credit's value: what its parts say, added."""

    margin: Points = ()
    """Points over the margin expected of the customer, both in units: [50, 5.00] is 5.00 at an expected margin of 50."""
    orders: Points = ()
    """Points over the orders so far: [10, 2.00] is 2.00 at ten orders."""

    @property
    def top(self) -> Decimal:
        """The most that it comes to, in units."""
        return sum((points[-1][1] for points in (self.margin, self.orders) if points), Decimal(0))

    @property
    def bottom(self) -> Decimal:
        """The least that it comes to, in units."""
        return sum((points[0][1] for points in (self.margin, self.orders) if points), Decimal(0))

    @model_validator(mode="after")
    def _never_falls(self) -> Self:
        if not self.margin and not self.orders:
            raise mistake("curve-empty", "the curve has no points", "Write margin: [[0, 0], [50, 5.00]].")
        for name, points in (("margin", self.margin), ("orders", self.orders)):
            for (here, value), (there, later) in pairwise(points):
                if there <= here:
                    raise mistake("curve-order", f"{name} goes from {here} to {there}", "Write the points in rising order.")
                if later < value:
                    why = f"{name} falls from {value} at {here} to {later} at {there}"
                    raise mistake("curve-falls", why, f"Write at least {value} at {there}, or leave the point out.")
        return self

    def value(self, profile: ir.Table, minor: Minor) -> ir.FloatingValue:
        """What it comes to for every customer, minor units, as an expression.

        Args:
            profile: expected_margin (minor units), orders.
            minor: Units to minor units.
        """
        found: ir.FloatingValue = ibis.literal(0.0)
        if self.margin:
            found = found + _along(profile.expected_margin, [(minor(place), minor(value)) for place, value in self.margin])
        if self.orders:
            found = found + _along(profile.orders, [(float(place), minor(value)) for place, value in self.orders])
        return found


def _along(place: ir.NumericValue, points: list[tuple[float, float]]) -> ir.FloatingValue:
    """Straight between points: a sum of climbs, each of which never falls, so that rounding makes none fall either."""
    at = place.cast("float64").fill_null(points[0][0])
    found: ir.FloatingValue = ibis.literal(points[0][1])
    for (here, value), (there, later) in pairwise(points):
        if later > value:
            found = found + (at.clip(here, there) - here) * ((later - value) / (there - here))
    return found
