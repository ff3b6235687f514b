"""Shares of a whole with their intervals, and how far two of them are apart.

Knows nothing of who is counted. A share of few, or one of nought or of all, has an interval within 0 to 1 that is not empty.
"""

from rekindle.insight.models.risk import Interval

Z = 1.959964                # of a 95 % interval


def share_interval(yes: float, n: int) -> Interval:
    """The 95 % interval of a share by Wilson's score.

    Args:
        yes: How many do.
        n: Of how many, at least one.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.

    >>> found = share_interval(10, 100)
    >>> round(found.low, 4), found.estimate, round(found.high, 4)
    (0.0552, 0.1, 0.1744)
    """
    middle = (yes + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * float(yes * (n - yes) / n + Z**2 / 4) ** 0.5
    return Interval(max(middle - half, 0.0), yes / n, min(middle + half, 1.0))


def share_difference(one: tuple[float, int], other: tuple[float, int]) -> Interval:
    """One share less another with a 95 % interval, by Wilson's interval of each.

    Args:
        one: How many do, and of how many.
        other: The same of those who are taken off.

    Source: Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.

    >>> found = share_difference((56, 70), (48, 80))
    >>> round(found.low, 4), round(found.estimate, 4), round(found.high, 4)
    (0.0524, 0.2, 0.3339)
    """
    here, there = share_interval(*one), share_interval(*other)
    estimate = here.estimate - there.estimate
    below = ((here.estimate - here.low) ** 2 + (there.high - there.estimate) ** 2) ** 0.5
    above = ((here.high - here.estimate) ** 2 + (there.estimate - there.low) ** 2) ** 0.5
    return Interval(estimate - below, estimate, estimate + above)
