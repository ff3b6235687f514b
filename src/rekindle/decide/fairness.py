"""Whether the offers of a plan are worth as much to one group of customers as to the rest, group by group, with an interval.

Knows nothing of why they differ. Counts and sums are reduced in the warehouse; everything after is arithmetic on them. Groups are looked
at here and never decide anything.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.errors import CannotTell, Refused
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.program.documents import NOTHING, Rules

_Z95 = 1.959964
_TAIL = 0.025
UNKNOWN = "unknown"
OTHERS = "all smaller groups"


@dataclass(frozen=True, slots=True)
class Moments:
    """What is left of a group's customers after reduction.

    Args:
        customers: How many.
        offered: How many of them are offered something of worth.
        total: Sum over customers of what their offers are worth, minor units.
        squares: Sum of its squares.
    """

    customers: int
    offered: int
    total: int
    squares: int

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.customers + other.customers, self.offered + other.offered, self.total + other.total, self.squares + other.squares
        )

    def __sub__(self, other: "Moments") -> "Moments":
        return Moments(
            self.customers - other.customers, self.offered - other.offered, self.total - other.total, self.squares - other.squares
        )

    @property
    def mean(self) -> float:
        """Worth per customer, minor units."""
        return self.total / self.customers

    @property
    def relative_variance(self) -> float:
        """Variance of the mean over its square; the mean is above 0."""
        spread = (self.squares - self.total * self.mean) / (self.customers - 1)
        return max(0.0, spread) / self.customers / self.mean**2


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one group of customers fares in a plan.

    Args:
        column: Of the profile.
        group: One of its values, or all smaller groups together.
        customers: How many of the group a variant was drawn for.
        worth: What their offers are worth on average, minor units.
        rest: The same of all others.
        disparity: By how much the lesser of the two is below the greater, as a share of the greater, 95 % interval; or why it cannot be
            told.
        passed: False where even the lower end is more than the rules allow.
    """

    column: str
    group: str
    customers: int
    worth: float
    rest: float
    disparity: Interval | CannotTell
    passed: bool

    @property
    def words(self) -> str:
        """The verdict in one sentence."""
        whom = f"customers with {self.column} {self.group}"
        if isinstance(self.disparity, CannotTell):
            return f"{whom}: {self.disparity.reason}"
        way = "less" if self.worth < self.rest else "more"
        low, middle, high = (f"{100 * share:.0f}" for share in (self.disparity.low, self.disparity.estimate, self.disparity.high))
        return f"offers to {whom} are worth {middle} % {way} than to others, as a share of the larger ({low} to {high} %)"


def verdicts(warehouse: Warehouse, rows: ir.Table, profile: ir.Table, rules: Rules) -> tuple[Verdict, ...]:
    """One verdict for each group of each column that the rules name; none where they name none.

    The worth of an offer is what one redemption is worth to the customer. What was drawn counts, `nothing` and messages put off as
    nothing: over a group that is its expected worth, as every variant is drawn with its own chance. Customers for whom nothing could be
    drawn (held out, no consent, a complaint) are left out of both sides.

    Args:
        warehouse: Reduces.
        rows: Of a plan: customer_id, arm, reason, offer_value (minor units), service.
        profile: customer_id and the columns that the rules name.
        rules: The groups and the threshold.
    """
    if rules.fairness is None:
        return ()
    worth = warehouse.keep(_worth(rows))
    found: list[Verdict] = []
    for column in rules.fairness.groups:
        groups = _pooled(_reduced(warehouse, worth, profile, column), rules.fairness.least)
        found += judged(column, groups, rules.fairness.least, rules.fairness.disparity_at_most)
    return tuple(found)


def require(found: Iterable[Verdict]) -> None:
    """Lets a plan pass only where no group's verdict failed.

    Raises:
        Refused: Names the first group that fares worse or better than the rules allow, and how many do.
    """
    failed = [one for one in found if not one.passed]
    if failed:
        more = f", and {len(failed) - 1} more of the groups differ so" if len(failed) > 1 else ""
        remedy = "Look at which variants these customers may get and why; rules.yaml, fairness.disparity_at_most, says what is allowed."
        raise Refused(f"{failed[0].words}: more than the rules allow{more}", remedy)


def judged(column: str, groups: Mapping[str, Moments], least: int, at_most: float) -> tuple[Verdict, ...]:
    """A verdict for each group, in the order of their names.

    Args:
        column: That parts the customers.
        groups: Each group's moments.
        least: Groups of fewer customers, or that leave fewer, cannot be told.
        at_most: The disparity that the rules allow.
    """
    whole = sum(groups.values(), Moments(0, 0, 0, 0))
    found = []
    for name in sorted(groups):
        mine, rest = groups[name], whole - groups[name]
        share: Interval | CannotTell = CannotTell(f"fewer than {least} customers in it, or in all other groups")
        if min(mine.customers, rest.customers) >= max(least, 2):
            share = disparity(mine, rest)
        passed = isinstance(share, CannotTell) or share.low <= at_most
        means = [one.mean if one.customers else 0.0 for one in (mine, rest)]
        found.append(Verdict(column, name, mine.customers, means[0], means[1], share, passed))
    return tuple(found)


def disparity(mine: Moments, rest: Moments) -> Interval | CannotTell:
    """By how much the lesser of two means is below the greater, as a share of the greater: 1 less their ratio, with a 95 % interval.

    The interval is that of the logarithm of the ratio, by the delta method (Katz et al. 1978; Agresti, Categorical Data Analysis,
    section 3.1, for shares). Where a group is offered nothing at all there is no logarithm: the highest share of it that could be
    offered something and yet nobody of its size was (Clopper and Pearson 1934) takes the place of the upper end, at the others' worth.

    Args:
        mine: Of a group, at least 2 customers.
        rest: Of the others, at least 2 customers.

    >>> disparity(Moments(40, 12, 12, 12), Moments(80, 48, 48, 48)).estimate
    0.5
    """
    lesser, greater = sorted((mine, rest), key=lambda one: one.mean)
    if greater.total <= 0:
        return CannotTell("nobody is offered anything of worth")
    if lesser.total <= 0:
        unseen = 1 - _TAIL ** (1 / lesser.customers)
        return Interval(max(0.0, 1 - unseen * (greater.total / greater.offered) / greater.mean), 1.0, 1.0)
    ratio = math.log(lesser.mean / greater.mean)
    half = _Z95 * math.sqrt(lesser.relative_variance + greater.relative_variance)
    ends = ratio - half, ratio + half
    low = 0.0 if ends[1] >= 0 else -math.expm1(ends[1])
    return Interval(low, -math.expm1(ratio), -math.expm1(-max(abs(end) for end in ends)))


def _worth(rows: ir.Table) -> ir.Table:
    """What the offers of a plan are worth to each customer for whom something could be drawn: customer_id, worth."""
    asked = rows.filter(rows.arm.notnull() | (rows.reason == "no_variant").fill_null(False), ~rows.service)
    goes = asked.reason.isnull() & (asked.arm != NOTHING)
    given = goes.fill_null(False).ifelse(asked.offer_value.fill_null(0), 0)
    return asked.mutate(given=given).group_by("customer_id").aggregate(worth=lambda t: t.given.sum().cast("int64"))


def _reduced(warehouse: Warehouse, worth: ir.Table, profile: ir.Table, column: str) -> dict[str, Moments]:
    known = profile.select("customer_id", group=profile[column].cast("string").fill_null(UNKNOWN))
    joined = worth.left_join(known, "customer_id").drop("customer_id_right")
    grouped = joined.mutate(group=joined.group.fill_null(UNKNOWN)).group_by("group").aggregate(
        customers=ibis._.count(), offered=(ibis._.worth > 0).cast("int64").sum(), total=ibis._.worth.sum(),
        squares=(ibis._.worth * ibis._.worth).sum(),
    )
    rows = warehouse.arrow(grouped).to_pylist()
    return {row["group"]: Moments(row["customers"], row["offered"], row["total"], row["squares"]) for row in rows}


def _pooled(groups: Mapping[str, Moments], least: int) -> dict[str, Moments]:
    """Groups of fewer customers together."""
    large = {name: one for name, one in groups.items() if one.customers >= least}
    small = [one for name, one in groups.items() if name not in large]
    return {**large, OTHERS: sum(small, Moments(0, 0, 0, 0))} if small else large
