"""Whether targets are being met: each held against what was measured, and the answer in words.

Knows nothing of where numbers come from. A measure that is only known to lie between two ends is on track when the whole of it is, behind
when none of it is, and otherwise it cannot be told yet.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.before_after import SAME
from rekindle.program.targets import LESS_IS_BETTER, LIFTS, MONEY, Target

Status = Literal["on track", "behind", "cannot tell"]

MEASURE = {"incremental_margin": "margin", "spend_lift": "spend", "activation": "activated", "retention": "retained"}
"""What a lift of a target is called among the measures of a program."""

WORDS = {
    "incremental_margin": "margin a customer, against the control", "spend_lift": "spend a customer, against the control",
    "activation": "came back to look, sign in or order, against the control", "retention": "ordered, against the control",
    "repeat_purchase_rate": "buyers who ordered on two days or more", "aov_change": "average order value, against the frozen baseline",
    "opt_out_rate": "opt-outs, of messages handed over", "complaint_rate": "complaints, of mails handed over",
}  # fmt: skip
"""What a target's measure is, for people."""

Found = Interval | float | CannotTell
"""What was measured: an estimate with its ends, an exact number, or why there is none. In the unit of the target."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a target stands.

    Args:
        target: The target.
        quarter: Of which quarter.
        status: In a word.
        found: What was measured.
        baseline: What it is compared with; None where that is the control.
        as_of: The last whole day that was seen.
        change: How far it is from the frozen baseline, before and after and no lift; None where it is compared with no period of before.
    """

    target: Target
    quarter: str
    status: Status
    found: Found
    baseline: float | CannotTell | None
    as_of: date
    change: Interval | CannotTell | None = None

    @property
    def why(self) -> str:
        """The status in a sentence without a full stop; numbers are shown beside it."""
        return f"{self._why}; {SAME}" if isinstance(self.change, Interval) and self.change.low <= 0 <= self.change.high else self._why

    @property
    def _why(self) -> str:
        if isinstance(self.found, CannotTell):
            return self.found.reason
        if self.status == "cannot tell":
            return "what is known so far reaches to both sides of what is expected"
        if self.status == "behind":
            return "more than is expected at most" if self.target.metric in LESS_IS_BETTER else "less than is expected at least"
        above = self.target.metric not in LESS_IS_BETTER and _ends(self.found)[0] > self.target.expect[1]
        return "more than was expected at most: see that it is right" if above else "as expected"


def judged(
    target: Target, quarter: str, found: Found, baseline: float | CannotTell | None, as_of: date,
    change: Interval | CannotTell | None = None,
) -> Standing:
    """How a target stands.

    Args:
        target: The target.
        quarter: Of which quarter.
        found: What was measured of it.
        baseline: What it is compared with.
        as_of: The last whole day that was seen.
        change: How far it is from the frozen baseline.

    >>> wanted = Target(name="t", metric="retention", program="win-back", owner="Ada", expect=(0.01, 0.1))
    >>> [judged(wanted, "2026-Q4", one, None, date(2026, 11, 1)).status for one in (Interval(.02, .03, .04), Interval(-.1, -.05, .0), .05)]
    ['on track', 'behind', 'on track']
    >>> judged(wanted, "2026-Q4", Interval(-0.01, 0.03, 0.07), None, date(2026, 11, 1)).status
    'cannot tell'
    """
    return Standing(target, quarter, _status(target, found), found, baseline, as_of, change)


def _status(target: Target, found: Found) -> Status:
    if isinstance(found, CannotTell):
        return "cannot tell"
    low, high = _ends(found)
    if target.metric in LESS_IS_BETTER:
        bound = target.expect[1]
        return "on track" if high <= bound else "behind" if low > bound else "cannot tell"
    bound = target.expect[0]
    return "on track" if low >= bound else "behind" if high < bound else "cannot tell"


def _ends(found: Interval | float) -> tuple[float, float]:
    return (found.low, found.high) if isinstance(found, Interval) else (found, found)


def shown(metric: str, value: float, currency: str) -> str:
    """A number of a measure as people read it.

    >>> shown("incremental_margin", 0.4, "EUR"), shown("retention", 0.021, "EUR"), shown("complaint_rate", 0.0004, "EUR")
    ('EUR +0.40', '+2.1 points', '0.04 %')
    """
    if metric in MONEY:
        return f"{currency} {value:+,.2f}"
    if metric in LIFTS:
        return f"{100 * value:+.1f} points"
    if metric == "aov_change":
        return f"{100 * value:+.1f} %"
    return f"{100 * value:.2f} %" if metric in LESS_IS_BETTER else f"{100 * value:.1f} %"


def shown_found(standing: Standing, currency: str) -> str:
    """What was measured, with its ends where it has some; a dash where there is nothing."""
    metric, found = standing.target.metric, standing.found
    if isinstance(found, CannotTell):
        return "-"
    if isinstance(found, Interval):
        ends = (shown(metric, end, currency) for end in (found.low, found.high))
        return f"{shown(metric, found.estimate, currency)} ({' to '.join(ends)})"
    return shown(metric, found, currency)


def shown_range(target: Target, currency: str) -> str:
    """What is expected."""
    if target.metric in MONEY:
        return f"{currency} {target.expect[0]:,.2f} to {target.expect[1]:,.2f}"
    low, high = (shown(target.metric, end, currency) for end in target.expect)
    return f"at most {high}" if target.metric in LESS_IS_BETTER else f"{low} to {high}"


def shown_baseline(standing: Standing, currency: str) -> str:
    """What it is compared with; empty where a measure is compared with nothing."""
    if standing.target.metric in LIFTS and standing.baseline is None:
        return "the control"
    if standing.baseline is None:
        return ""
    if isinstance(standing.baseline, CannotTell):
        return "no baseline yet"
    level, change = shown(standing.target.metric, standing.baseline, currency), standing.change
    if standing.target.metric == "aov_change" or not isinstance(change, Interval):
        return level
    return f"{level}: {100 * change.estimate:+.1f} points ({100 * change.low:+.1f} to {100 * change.high:+.1f})"
