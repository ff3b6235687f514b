"""The rest of the finance page: what is not known and when it will be, messages, credit, targets and what experiments taught.

Knows nothing of how any of it was measured.
"""

from collections.abc import Iterator

from rekindle.errors import CannotTell
from rekindle.learn import credit_words, scorecard
from rekindle.learn.attribution import METHODS, Credit
from rekindle.learn.baseline import Baseline
from rekindle.learn.before_after import Change
from rekindle.learn.lift import Lift
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.finance_facts import FUNNEL, FinanceFacts, Step
from rekindle.learn.report.markup import Html, capital, el, table
from rekindle.learn.report.section import section

STEPS = ("Planned", "Handed over", "Opened", "Clicked", "Ordered after")
MOST_ROWS = 20
LATEST = 12


def pending(facts: FinanceFacts, figures: Figures) -> Html:
    """What is not known yet, and when it will be."""
    waiting = [one for one in facts.begun if one.maturity.young or one.maturity.early]
    asleep = [one.program for one in facts.lifts if one not in facts.begun]
    idle = [el("p", f"Nobody has entered: {', '.join(asleep)}.", class_="small")] if asleep else []
    if not waiting:
        return section("pending", "Not yet known", "Every round that has begun is old enough to count", *idle)
    days = [one.maturity.next_on for one in waiting if one.maturity.next_on]
    first = f"; the next on {figures.day(min(days))}" if days else ""
    young = sum(one.maturity.young for one in waiting)
    return section(
        "pending",
        "Not yet known",
        f"{figures.many(young, 'round is', 'rounds are')} too young to count{first}",
        table(
            "A round counts once it is as old as the program is judged over; a reading before that is early, and errs more often",
            ("Program", "Counted", "Too young", "Counted over", "Next whole", "All whole", "Smallest that would show"),
            (_young(one, figures) for one in waiting),
            frozenset({1, 2}),
        ),
        el("p", "The smallest that would show is the true effect that a comparison of this size finds four times in five.", class_="small"),
        *idle,
    )


def _young(lift: Lift, figures: Figures) -> tuple[str, ...]:
    found = lift.maturity
    early = f"{found.window_days} of {found.horizon_days} days, early" if found.early else f"{found.horizon_days} days"
    days = (figures.day(day) if day else "-" for day in (found.next_on, found.all_on))
    least = "cannot be told" if isinstance(lift.detectable, CannotTell) else f"{figures.exact(lift.detectable)} a customer"
    over = early if found.window_days else "nothing yet"
    return (lift.program, figures.count(found.counted), figures.count(found.young), over, *days, least)


def funnel(facts: FinanceFacts, figures: Figures) -> Html:
    """What became of messages, by cohort and offer."""
    if not facts.funnel:
        return section("funnel", "Messages", "No message has left in the last 90 days")
    rows = sorted(facts.funnel, key=lambda one: (-one.counts[0], one.program, one.customers, one.offer))
    sums = [sum(one.counts[at] for one in rows) for at in range(len(FUNNEL))]
    handed = figures.many(sums[1], "message", "messages")
    shown = rows[:MOST_ROWS]
    total = [("All", "", *map(figures.count, sums))]
    return section(
        "funnel",
        "Messages",
        f"{handed} of {figures.count(sums[0])} planned were handed over in 90 days; {figures.count(sums[4])} were followed by an order",
        table(
            "Where messages get lost, not what they were worth: who opens would have ordered more anyway. Machines' opens are left out",
            ("Program and customers", "Offer", *STEPS),
            [*(_messages(one, figures) for one in shown), *total],
            frozenset(range(2, 2 + len(STEPS))),
        ),
        *(el("p", f"{count} smaller rows are in the sum alone.", class_="small") for count in (len(rows) - len(shown),) if count),
    )


def _messages(one: Step, figures: Figures) -> tuple[str, ...]:
    who = f"{one.program}, {one.customers}" if one.customers else one.program
    return (who, one.offer.replace("_", " ") or "none", *map(figures.count, one.counts))


def credit(facts: FinanceFacts, figures: Figures) -> Html:
    """Credit beside lift, and why they differ."""
    known = [(name, one) for name, one in facts.credits.items() if isinstance(one, Credit) and one.followed]
    if not known:
        return section("credit", "Credit beside lift", "No order has followed a message yet")
    followed = sum(one.followed for _, one in known)
    return section(
        "credit",
        "Credit beside lift",
        f"{figures.rough(followed)} of margin followed messages; that is credit, not what they caused",
        *(part for name, one in known for part in _credit(name, one, figures)),
    )


def _credit(program: str, found: Credit, figures: Figures) -> Iterator[Html]:
    yield el("h3", program)
    yield el("p", f"{figures.rough(found.followed)} of margin followed its messages. {credit_words.why(found)}")
    scaled, heads = found.scaled, tuple(capital(credit_words.WORDS[method]) for method in METHODS)
    more = ("Of what it caused",) if scaled else ()
    rows = [
        (
            f"{capital(kind)} {one}",
            *(figures.rough(methods[method].get(one, 0.0)) for method in METHODS),
            *((figures.rough_signed(scaled[kind][METHODS[-1]].get(one, 0.0)),) if scaled else ()),
        )
        for kind, methods in found.by.items() for one in methods[METHODS[-1]]
    ]  # fmt: skip
    last = "; the last column is the Shapley share, scaled so that it adds up to the lift" if scaled else ""
    caption = f"Three ways to share the margin of orders that followed messages{last}"
    yield table(caption, ("To", *heads, *more), rows, frozenset(range(1, 5)))


def targets(facts: FinanceFacts, figures: Figures) -> Html:
    """What was meant to be reached, and what it is held against."""
    frozen = [*_changes(facts, figures), _baseline(facts.baseline, figures)] if facts.baseline else [
        el("p", "No baseline is frozen yet.", class_="small")
    ]
    if not facts.targets:
        return section("targets", "Baseline and targets", "No target is written down for this quarter", *frozen)
    behind = sum(one.status == "behind" for one in facts.targets)
    on = sum(one.status == "on track" for one in facts.targets)
    return section(
        "targets",
        "Baseline and targets",
        f"{facts.targets[0].quarter}: {on} on track, {behind} behind, {len(facts.targets) - on - behind} that cannot be told yet",
        table(
            "Targets of the quarter, each with its owner",
            ("Target", "Owner", "Expected", "Found (95 % interval)", "Against", "Status"),
            (
                (
                    f"{capital(scorecard.WORDS[one.target.metric])}{f' ({one.target.program})' if one.target.program else ''}",
                    one.target.owner,
                    scorecard.shown_range(one.target, facts.currency),
                    scorecard.shown_found(one, facts.currency),
                    scorecard.shown_baseline(one, facts.currency) or "-",
                    f"{one.status}: {one.why}" if one.why else one.status,
                )
                for one in facts.targets
            ),
            frozenset({2, 3}),
        ),
        *frozen,
    )


def _changes(facts: FinanceFacts, figures: Figures) -> Iterator[Html]:
    if not facts.changes:
        return
    yield table(
        "The quarter so far against the frozen baseline: before and after, which is no lift, with 95 % intervals",
        ("Measure", "Now", "Baseline", "Change"),
        ((capital(one.words), *(_level(one, value, figures) for value in (one.now, one.before)), one.told) for one in facts.changes),
        frozenset({1, 2}),
    )


def _level(one: Change, value: float | CannotTell, figures: Figures) -> str:
    if isinstance(value, CannotTell):
        return "-"
    return scorecard.shown("repeat_purchase_rate", value, figures.currency) if one.is_share else figures.exact(value)


def _baseline(found: Baseline, figures: Figures) -> Html:
    period = f"{figures.day(found.since)} to {figures.day(found.until)}"
    order = found.everyone.average_order_value
    value = "" if isinstance(order, CannotTell) else f", {figures.exact(order)} of goods an order"
    level = f"{figures.many(found.everyone.orders, 'order', 'orders')}, {figures.rough(found.everyone.margin)} of margin{value}"
    return el("p", f"Frozen baseline, {period}: {level}. It says how things stood; only a control says what changed them. ",
              el("code", found.digest[:12]), class_="small")  # fmt: skip


def learnings(facts: FinanceFacts, figures: Figures) -> Html:
    """What experiments that ended taught."""
    if not facts.learnings:
        return section("learnings", "Learnings", "No experiment has ended yet")
    latest = facts.learnings[:LATEST]
    return section(
        "learnings",
        "Learnings",
        f"{figures.many(len(facts.learnings), 'experiment has', 'experiments have')} taught something",
        table(
            "What was believed, what was found, and what was decided; the latest first",
            ("Experiment", "Hypothesis", "Found", "Decision", "Holds for", "Ended"),
            (
                (one.experiment, one.hypothesis, one.result, one.decision, one.scope, figures.day(one.at.date()))
                for one in latest
            ),
        ),
    )
