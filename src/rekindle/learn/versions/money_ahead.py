"""What a version is expected to cost against the budget and to bring, beside the table in force; and what logged decisions say of both.

Knows nothing of single chances.
"""

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.report.charts import Range, ranges
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, table
from rekindle.learn.report.section import section, tiles
from rekindle.learn.versions.facts import Outlook, Version
from rekindle.learn.versions.words import stage_words


def cost_section(version: Version, figures: Figures) -> Html:
    """Spending, gain and the difference, in the period of the budget."""
    ahead = version.outlook
    if isinstance(ahead, CannotTell):
        why = el("p", f"{_capital(ahead.reason)}.")
        return section("cost", "Cost", "What it will cost cannot be told yet", why, *_judged(version, figures))
    days = f"{ahead.days} days"
    budget = "there is no limit" if ahead.budget is None else f"of at most {figures.exact(ahead.budget)}, the budget less its reserve"
    boxes = tiles(
        (f"Expected cost in {days}", figures.exact(ahead.spend), f"{budget}; the table before: {figures.exact(ahead.spend_before)}"),
        (
            f"Expected gain in {days}", figures.whole(ahead.gain.estimate),
            f"{figures.rough_range(ahead.gain, ' to ')}: margin above contacting nobody, all costs taken off",
        ),
        ("More than the table before", figures.signed(ahead.more.estimate), f"{figures.rough_range(ahead.more, ' to ')}"),
    )  # fmt: skip
    rows = [
        Range("the table before", ahead.gain_before, figures.whole(ahead.gain_before.estimate)),
        Range("the new table", ahead.gain, figures.whole(ahead.gain.estimate)),
    ]
    caveat = (
        f"If as many customers come due as in the last {days}, and answer as they did. The intervals hold what is not yet known of the "
        "messages’ effects, with what the programs assume where little was seen; not the luck of single orders."
    )
    return section(
        "cost", "Cost", _finding(ahead, figures), boxes, ranges(rows, "Expected margin above contacting nobody", figures),
        el("p", caveat, class_="small"), *_judged(version, figures),
    )  # fmt: skip


def _finding(ahead: Outlook, figures: Figures) -> str:
    spent = f"It is expected to cost {figures.exact(ahead.spend)} in {ahead.days} days"
    if ahead.more.low > 0:
        return f"{spent} and to bring more than the table before"
    if ahead.more.high < 0:
        return f"{spent} and to bring less than the table before"
    return f"{spent}; whether it brings more than the table before is not certain"


def _judged(version: Version, figures: Figures) -> list[Html]:
    """What decisions that were drawn by chance say of both tables, though the new one was never tried."""
    if not version.value:
        return []
    rows = [
        (stage_words(one.program, one.stage), *(_told(value, figures) for value in (one.before, one.after, one.more)))
        for one in version.value
    ]
    words = (
        "Every decision was drawn by a known chance, so earlier decisions can be weighted as if the new table had drawn them. Margin a "
        "decision, with a 95 % interval; where too few decisions are like the new table’s, it is not told. A table that was learned from "
        "these very decisions looks somewhat better than it is, and what is answered slowly looks worse while answers are still to come."
    )
    return [
        el("h3", "What earlier decisions say of both tables"), el("p", words, class_="small"),
        table("Worth of a decision", ("Stage", "Table before", "New table", "Difference"), rows, frozenset()),
    ]  # fmt: skip


def _told(value: Interval | CannotTell, figures: Figures) -> str:
    if isinstance(value, CannotTell):
        return f"cannot tell: {value.reason}"
    return f"{figures.exact(value.estimate)} ({figures.bare(value.low)} to {figures.bare(value.high)})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

