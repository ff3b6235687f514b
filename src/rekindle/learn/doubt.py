"""What may be said of a comparison: that it is not told apart from zero, what would have shown, and how much it is of what there was.

Knows nothing of how it was measured, nor of how a number is written.
"""

from collections.abc import Callable

from rekindle.errors import CannotTell
from rekindle.learn.comparison import Comparison

ZERO = "not yet distinguishable from zero"
ONCE = "on one look, but not however often one looks"
"""What is said of a difference that only the interval for one look tells apart."""


def doubt(part: Comparison, write: Callable[[float], str]) -> str:
    """Why a comparison says nothing, with the smallest true difference that it would show; empty where it is told apart.

    Args:
        part: The comparison.
        write: Writes a number of its unit.

    >>> from rekindle.insight.models import Interval
    >>> doubt(Comparison(Interval(-1, 1, 3), 0.0, p_value=0.3, detectable=2.9), "{:.1f}".format)
    'not yet distinguishable from zero; 2.9 would show four times in five'
    >>> doubt(Comparison(CannotTell("nobody has ordered yet"), 0.0), "{:.1f}".format)
    'not yet known: nobody has ordered yet'
    >>> doubt(Comparison(Interval(1, 2, 3), 0.0, p_value=0.001, detectable=1.4), "{:.1f}".format)
    ''
    """
    if part.told_apart:
        return ""
    why = f"not yet known: {part.difference.reason}" if isinstance(part.difference, CannotTell) else ZERO
    return f"{why}; {write(part.detectable)} would show four times in five" if part.detectable else why


def of_control(part: Comparison) -> str:
    """A difference as a share of the control's mean, with its ends; empty where there is no such share.

    Args:
        part: The comparison.

    >>> from rekindle.insight.models import Interval
    >>> from rekindle.learn.comparison import Relative
    >>> of_control(Comparison(Interval(1, 2, 3), 20.0, relative=Relative(Interval(0.05, 0.1, 0.154), 0.01)))
    '+10 % (+5 % to +15 %) of the control'
    """
    if part.relative is None:
        return ""
    found = part.relative.difference
    return f"{100 * found.estimate:+.0f} % ({100 * found.low:+.0f} % to {100 * found.high:+.0f} %) of the control"


def only_at_once(part: Comparison) -> bool:
    """Whether a difference is told apart on one look, but not by the interval that holds however often it is looked at."""
    return part.told_apart and part.any_day is not None and part.any_day.low <= 0 <= part.any_day.high
