"""The report in eight lines, as the terminal shows it.

Knows nothing of the terminal. Says what the page says, from the same facts.
"""

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.doubt import ZERO
from rekindle.learn.report.facts import ReportFacts, Worth
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import plain

LABEL_WIDTH = 15


def headlines(facts: ReportFacts) -> tuple[str, ...]:
    """Eight lines: the shop, who slips away, why, who they are, what is proposed, who is left alone, its worth, what to do next."""
    figures = Figures.of(facts)
    lines = (
        ("Slipping away", _slipping(facts, figures)),
        ("Why", ", ".join(f"{cause.label} {figures.share(cause.share)}" for cause in facts.reasons) or "nothing to explain"),
        ("Who", ", ".join(f"{row.label} {figures.count(row.customers)}" for row in facts.cohorts if row.customers) or "nobody"),
        ("Proposed", _proposed(facts, figures)),
        ("Left alone", ", ".join(f"{row.label} {figures.count(row.count)}" for row in facts.left_alone if row.count) or "nobody"),
        ("Worth", _worth(facts, figures)),
        ("Next", " | ".join(facts.next_steps)),
    )
    return (_shop(facts, figures), *(f"{label:<{LABEL_WIDTH}}{_one_line(words)}".rstrip() for label, words in lines))


def message_word(facts: ReportFacts, number: float) -> str:
    """What the plan's messages are called: first messages where only the first stage has any."""
    later = any(arm.count for stage in facts.sequence[1:] for arm in stage.arms) or any(other.messages for other in facts.others)
    first = "" if later else "first "
    return f"{first}message{'' if number == 1 else 's'}"


def _shop(facts: ReportFacts, figures: Figures) -> str:
    name = f'Simulated "{facts.shop}"' if facts.simulated else facts.shop
    size = ", ".join(
        (
            figures.many(facts.customers, "customer", "customers"),
            figures.many(facts.orders, "order", "orders"),
            f"{figures.many(facts.months, 'month', 'months')} to {facts.as_of.last_day.isoformat()}",
        )
    )
    return _one_line(f"{name}: {size}")


def _one_line(words: str) -> str:
    return " ".join(plain(words).split())


def _slipping(facts: ReportFacts, figures: Figures) -> str:
    found = facts.slipping
    if not found.customers:
        return "nobody is quieter than their own rhythm"
    who = f"{figures.count(found.customers)} {'is' if found.customers == 1 else 'are'} quieter than their own rhythm"
    if isinstance(found.at_risk, CannotTell):
        return f"{who}; their margin at risk cannot be told"
    guess = ", a guess: orders say little yet about who has left" if found.unsure else ""
    return f"{who}; {figures.rough(found.at_risk.estimate)} margin at risk ({figures.rough_range(found.at_risk)}){guess}"


def _proposed(facts: ReportFacts, figures: Figures) -> str:
    if not facts.proposed:
        return "no messages"
    counts: dict[str, int] = {}
    for arm in (arm for stage in facts.sequence for arm in stage.arms if arm.count):
        counts[arm.label] = counts.get(arm.label, 0) + arm.count
    arms = ", ".join(f"{figures.count(count)} {_counted(label, count)}" for label, count in counts.items())
    if more := sum(other.messages for other in facts.others):
        busy = sum(1 for other in facts.others if other.messages)
        arms += f"{', and ' if arms else ''}{figures.count(more)} of {busy} other program{'' if busy == 1 else 's'}"
    rehearsed = "; a rehearsal, no contacts are known" if facts.rehearsal else ""
    total = f"{figures.count(facts.proposed)} {message_word(facts, facts.proposed)}"
    return f"{total}: {arms}; at most {figures.most(facts.money.ceiling)}{rehearsed}"


def _counted(label: str, count: int) -> str:
    """A plural label as one of it is called: `1 reminder`; what is not counted stays, such as `free returns`."""
    return label[:-1] if count == 1 and label.endswith("s") and not label.startswith(("free ", "amounts ")) else label


def _worth(facts: ReportFacts, figures: Figures) -> str:
    worth = facts.worth
    if isinstance(worth.estimate, CannotTell):
        return f"not yet known: {_when(worth, worth.estimate, figures)}"
    kept = " Nothing left this machine." if facts.kept_here else ""
    return f"{_lift(worth, worth.estimate, figures)}.{kept}"


def _lift(worth: Worth, lift: Interval, figures: Figures) -> str:
    truth = "" if worth.truth is None else f"; truth {figures.bare(worth.truth)}"
    ends = f"({figures.bare(lift.low)} to {figures.bare(lift.high)}{truth})"
    over = figures.many(worth.weeks, "week", "weeks")
    return f"{figures.signed(lift.estimate)} margin a customer in {over} {ends}{_unclear(worth, lift, figures)}"


def _unclear(worth: Worth, lift: Interval, figures: Figures) -> str:
    if not lift.low <= 0 <= lift.high:
        return ""
    return f", {ZERO}" if worth.detectable is None else f", {ZERO}; {figures.exact(worth.detectable)} would show four times in five"


def _when(worth: Worth, unknown: CannotTell, figures: Figures) -> str:
    if worth.detectable is None:
        return unknown.reason
    by = f", by {worth.known_by.isoformat()}" if worth.known_by else ""
    return f"today's control can detect {figures.exact(worth.detectable)} a customer{by}"
