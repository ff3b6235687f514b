"""How far levels are from those of the frozen baseline, with an interval: before and after, and no lift.

Knows nothing of what changed them: season, prices and everything else did too. Customers of both periods count in each as if they were
others, which makes the intervals wider rather than narrower.
"""

from dataclasses import dataclass
from math import exp, log

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.insight.models.shares import Z, share_difference
from rekindle.learn.baseline import Levels, Spread
from rekindle.learn.maturity import LEAST

UNKNOWN = CannotTell("the baseline was frozen before it was written down how much customers differ: freeze another with --again")


@dataclass(frozen=True, slots=True)
class Period:
    """What everyone did in a period.

    Args:
        levels: In all.
        spread: How much customers differ; None of baselines of before that was written down.
    """

    levels: Levels
    spread: Spread | None

    def repeat_rate(self, weeks: int) -> float | CannotTell:
        """The share of buyers of the last weeks who ordered on two days or more in them.

        Args:
            weeks: So many, one at least.
        """
        if self.spread is None:
            return UNKNOWN
        buyers, repeaters = self.spread.weeks[weeks - 1]
        return repeaters / buyers if buyers else CannotTell("nobody has ordered in the period")


def repeat_change(now: Period, before: Period, weeks: int) -> Interval | CannotTell:
    """The share of buyers who ordered on two days or more, less that of the baseline's last weeks, as many.

    Args:
        now: The period of the question.
        before: The baseline.
        weeks: The last so many of either are compared, for in a longer period more people order twice.
    """
    if now.spread is None or before.spread is None:
        return UNKNOWN
    (buyers, repeaters), (buyers_before, repeaters_before) = now.spread.weeks[weeks - 1], before.spread.weeks[weeks - 1]
    if min(buyers, buyers_before) < LEAST:
        return CannotTell(f"{buyers} buyers in {weeks} weeks, {buyers_before} in the baseline's; {LEAST} are needed")
    return share_difference((repeaters, buyers), (repeaters_before, buyers_before))


def order_value_change(now: Period, before: Period) -> Interval | CannotTell:
    """The average order value against the baseline's, as a share of it: 0.05 is five in a hundred more.

    The interval is that of the ratio on the scale of its logarithm, by the delta method, with customers and not orders as what varies.
    """
    if now.spread is None or before.spread is None:
        return UNKNOWN
    buyers = now.levels.buyers, before.levels.buyers
    if min(buyers) < LEAST:
        return CannotTell(f"{buyers[0]} buyers so far, {buyers[1]} in the baseline; {LEAST} are needed")
    if min(now.levels.spend, before.levels.spend) <= 0:
        return CannotTell("goods were given away for nothing, so that there is no share of it")
    ratio = log(_value(now.levels)) - log(_value(before.levels))
    half = Z * (_squared_error(now.levels, now.spread) + _squared_error(before.levels, before.spread)) ** 0.5
    return Interval(exp(ratio - half) - 1, exp(ratio) - 1, exp(ratio + half) - 1)


def _value(levels: Levels) -> float:
    return levels.spend / levels.orders


def _squared_error(levels: Levels, spread: Spread) -> float:
    """Of the logarithm of the average order value, orders of one customer taken together."""
    value, n = _value(levels), levels.buyers
    squares = spread.spend_spend - 2 * value * spread.spend_orders + value**2 * spread.orders_orders
    return max(squares, 0.0) / levels.spend**2 * n / (n - 1)
