"""What may be said of a comparison: that it is not told apart from zero, and what would have shown, the one never without the other.

Knows nothing of how it was measured, nor of how a number is written.
"""

from collections.abc import Callable

from rekindle.errors import CannotTell
from rekindle.learn.comparison import Comparison

ZERO = "not yet distinguishable from zero"


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
