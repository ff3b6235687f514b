"""How far levels are from those of the frozen baseline, with an interval: before and after, and no lift.

Knows nothing of what changed them: season, prices and everything else did too. Customers of both periods count in each as if they were
others, which makes the intervals wider rather than narrower.
"""

from dataclasses import dataclass
from math import exp, log

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.insight.models.shares import Z, share_difference
from rekindle.learn.baseline import WEEKS, Levels, Spread
from rekindle.learn.maturity import LEAST

SAME = "not yet distinguishable from the baseline"

UNKNOWN = CannotTell("the baseline was frozen before it was written down how much customers differ: freeze another with --again")


@dataclass(frozen=True, slots=True)
class Change:
    """A level now and before.

    Args:
        words: What it is, for people.
        now, before: Minor units of an order, or a share; or why there is none.
        change: How far the two are apart: of an order as a share of before, of a share as a difference; or why that is not known.
        is_share: Whether it is one.
    """

    words: str
    now: float | CannotTell
    before: float | CannotTell
    change: Interval | CannotTell
    is_share: bool

    @property
    def told(self) -> str:
        """The change with its ends in words.

        >>> Change("an order", 5_200.0, 5_000.0, Interval(-0.02, 0.04, 0.1), is_share=False).told
        '+4.0 % (-2.0 to +10.0), not yet distinguishable from the baseline'
        """
        if isinstance(self.change, CannotTell):
            return self.change.reason
        low, middle, high = (f"{100 * one:+.1f}" for one in (self.change.low, self.change.estimate, self.change.high))
        same = f", {SAME}" if self.change.low <= 0 <= self.change.high else ""
        return f"{middle} {'points' if self.is_share else '%'} ({low} to {high}){same}"


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


def changes(now: Period, before: Period, weeks: int) -> tuple[Change, ...]:
    """The average order value, and once a whole week is over the share who ordered again, against the baseline.

    Args:
        now: The period of the question.
        before: The baseline.
        weeks: Whole weeks of it; of a longer one the last.
    """
    worth, was = (one.levels.average_order_value for one in (now, before))
    found = [Change("goods of an order", worth, was, order_value_change(now, before), is_share=False)]
    if weeks := min(weeks, WEEKS):
        what = f"buyers who ordered again, over {weeks} weeks" if weeks > 1 else "buyers who ordered again, over a week"
        again, before_again = (one.repeat_rate(weeks) for one in (now, before))
        found.append(Change(what, again, before_again, repeat_change(now, before, weeks), is_share=True))
    return tuple(found)


def _value(levels: Levels) -> float:
    return levels.spend / levels.orders


def _squared_error(levels: Levels, spread: Spread) -> float:
    """Of the logarithm of the average order value, orders of one customer taken together."""
    value, n = _value(levels), levels.buyers
    squares = spread.spend_spend - 2 * value * spread.spend_orders + value**2 * spread.orders_orders
    return max(squares, 0.0) / levels.spend**2 * n / (n - 1)
