"""An experiment in words: what it compares, how it stands, and what was found, so that nobody reads more into it than it says.

Knows nothing of how it is measured.
"""

from collections.abc import Iterator, Sequence

from rekindle import money
from rekindle.learn.experiments import Difference, Gathered, Reading, share_of
from rekindle.program.experiments import Experiment

STATUS: dict[str, str] = {
    "planned": "planned", "running": "running", "scale": "scaled", "retire": "retired", "trial": "ended on trial: nothing was shown",
}  # fmt: skip

MEASURES = {"margin": "margin", "spend": "spend", "orders": "orders", "retained": "in a hundred ordered"}


def design(experiment: Experiment, factor: str) -> str:
    """What is compared, by what, how many and how often, in a sentence."""
    looks = "one look" if experiment.looks == 1 else f"{experiment.looks} looks"
    arms = f"{', '.join(experiment.arms)} against {experiment.against}"
    varied = f"{factor} varied" if factor != "contact" else "a message or none"
    size = f"{experiment.size:,} decisions each, {looks}"
    return f"{arms} in {experiment.program}, {experiment.stage} ({varied}), by {experiment.metric}, {size}"


def shown(value: float, metric: str, currency: str) -> str:
    """A difference a decision as people read it.

    >>> shown(42.0, "margin", "EUR"), shown(0.013, "retained", "EUR"), shown(-0.02, "orders", "EUR")
    ('EUR 0.42 margin', '+1.3 in a hundred ordered', '-2.0 orders in a hundred')
    """
    if metric in ("margin", "spend"):
        return f"{money.show(round(value), currency)} {metric}"
    return f"{value * 100:+.1f} in a hundred ordered" if metric == "retained" else f"{value * 100:+.1f} orders in a hundred"


def told(one: Difference, metric: str, currency: str) -> str:
    """One difference with its interval, and whether it can be told from nought."""
    low, middle, high = (shown(value, metric, currency) for value in (one.interval.low, one.interval.estimate, one.interval.high))
    verdict = ("more" if one.z > 0 else "less") if one.crossed else "not yet distinguishable from zero"
    counts = f"{one.decisions:,} against {one.others:,} decisions"
    seen = "" if one.crossed else f"; {shown(one.detectable, metric, currency)} would have shown four times in five"
    return f"{one.arm}: {middle} a decision more than {one.against} ({low} to {high}), {counts}: {verdict}{seen}"


def found_words(experiment: Experiment, last: Reading | None, currency: str) -> str:
    """What was found, in sentences."""
    if last is None:
        return "It was ended before its first look: nothing is known."
    at = f"At look {last.number} of {experiment.looks}, {last.share:.0%} of the planned decisions. "
    return at + ". ".join(told(one, experiment.metric, currency) for one in last.differences) + "."


def headline(experiment: Experiment, looks: Sequence[Reading]) -> str:
    """How a running experiment stands, in a line."""
    if not looks:
        return f"{experiment.name}: before its first look of {experiment.looks}"
    last = looks[-1]
    stop = f"it may stop: {last.verdict}" if last.over else "not yet distinguishable from zero"
    return f"{experiment.name}: look {last.number} of {experiment.looks}, {stop}"


def standing(experiment: Experiment, found: Gathered, horizon_days: int) -> Iterator[str]:
    """How far a running experiment has come, without a word of what it has brought."""
    counts = ", ".join(f"{arm} {count:,}" for arm, count in found.counts.items() if arm in (*experiment.arms, experiment.against))
    yield f"{share_of(experiment, found):.0%} of {experiment.size:,} decisions each with {horizon_days} days behind them: {counts}"
    if found.young:
        yield f"{found.young:,} decisions are younger and not counted yet"
