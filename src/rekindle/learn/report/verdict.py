"""The report's end: what is known and not, customers worth looking at, and what was assumed.

Knows nothing of how an effect was estimated.
"""

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.doubt import ZERO
from rekindle.learn.report.charts import Range, ranges
from rekindle.learn.report.facts import Assumption, CohortWorth, ReportFacts, Worth
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, capital, el, join, listing, table
from rekindle.learn.report.section import section

UNTOLD = "cannot be told"
FINANCE = "Every program, with its costs, credit and targets, is on the page for finance: finance.html, beside this one."


def worth_section(facts: ReportFacts, figures: Figures) -> Html:
    """What we know, what we do not know, and when we will."""
    worth = facts.worth
    columns = (("We know", _known(facts, figures)), ("We do not know", _unknown(facts, figures)), ("When we will", _when(worth, figures)))
    return section(
        "worth",
        "What we know",
        _finding(worth, figures),
        el("div", *(el("div", el("h3", title), listing(items)) for title, items in columns), class_="columns"),
        *_measured(worth, figures),
        el("p", FINANCE, class_="small"),
    )


def _finding(worth: Worth, figures: Figures) -> str:
    if isinstance(worth.estimate, CannotTell):
        return "What the program is worth is not yet known"
    lift = worth.estimate
    clear = "" if lift.low > 0 or lift.high < 0 else f", which is {ZERO}"
    return f"{figures.signed(lift.estimate)} of margin a customer in {figures.many(worth.weeks, 'week', 'weeks')}{clear}"


def _known(facts: ReportFacts, figures: Figures) -> list[str]:
    worth, risk = facts.worth, facts.slipping
    everyone = figures.many(facts.customers, "customer", "customers")
    lines = [
        f"{figures.count(risk.customers) if risk.customers else 'None'} of {everyone} {_is(risk.customers)} quieter than their own rhythm."
    ]
    if not isinstance(worth.estimate, CannotTell):
        lift = worth.estimate
        compared = f"{figures.count(worth.treated)} assigned to the program against {figures.count(worth.control)} in its control"
        ends = f"between {figures.signed(lift.low)} and {figures.signed(lift.high)}"
        lines.append(f"Against customers drawn by chance to hear nothing, the effect lies {ends} (95 % interval; {compared}).")
        if worth.truth is not None:
            inside = "inside" if lift.low <= worth.truth <= lift.high else "outside"
            lines.append(f"The simulated truth is {figures.signed(worth.truth)}, {inside} that interval.")
    return lines


def _is(count: int) -> str:
    return "are" if count > 1 else "is"


def _unknown(facts: ReportFacts, figures: Figures) -> list[str]:
    lines = []
    if isinstance(facts.worth.estimate, CannotTell):
        lines.append(f"What contact changes: {facts.worth.estimate.reason}.")
    if unknown := sum(cause.customers for cause in facts.reasons if cause.name == "unknown"):
        lines.append(f"Why {figures.many(unknown, 'customer is', 'customers are')} slipping away: there is no evidence.")
    if facts.money.assumed and facts.proposed:
        lines.append("What each variant brings: the numbers above are assumed.")
    if facts.rehearsal:
        lines.append("Who may be written to: no contacts are known.")
    return lines or ["Nothing that this page relies on."]


def _when(worth: Worth, figures: Figures) -> list[str]:
    lines = []
    if worth.detectable is not None:
        by = f" by {figures.day(worth.known_by)}" if worth.known_by else ""
        lines.append(
            f"Today's control can detect {figures.exact(worth.detectable)} a customer{by}; less needs more customers or more time."
        )
    elif worth.known_by:
        lines.append(f"By {figures.day(worth.known_by)}.")
    return [*lines, *([worth.note] if worth.note else [])] or ["Not known yet: it takes customers in the control, and time."]


def _measured(worth: Worth, figures: Figures) -> tuple[Html, ...]:
    rows = [Range(capital(row.label), row.margin, _told(row.margin, figures), row.truth) for row in worth.cohorts if row.margin]
    if not isinstance(worth.estimate, CannotTell):
        rows.insert(0, Range("Whole program", worth.estimate, _told(worth.estimate, figures), worth.truth))
    if not rows:
        return ()
    truth = " A diamond is the simulated truth." if any(row.truth is not None for row in rows) else ""
    drawn = el(
        "figure",
        ranges(rows, "Margin a customer against the control, with 95 % intervals", figures),
        el("figcaption", f"Margin a customer against the control, with its 95 % interval; the upright stroke is no effect.{truth}"),
    )
    return (drawn, _by_cohort(worth, figures)) if worth.cohorts else (drawn,)


def _told(interval: Interval, figures: Figures) -> str:
    return f"{figures.signed(interval.estimate)} ({figures.bare(interval.low)} to {figures.bare(interval.high)})"


def _by_cohort(worth: Worth, figures: Figures) -> Html:
    def row(cohort: CohortWorth) -> tuple[str, ...]:
        shares = (UNTOLD if one is None else figures.points_range(one) for one in (cohort.activation, cohort.retention))
        spend = UNTOLD if cohort.spend is None else _told(cohort.spend, figures)
        shows = figures.exact(cohort.detectable) if cohort.detectable else "-"
        return (capital(cohort.label), f"{figures.count(cohort.treated)} / {figures.count(cohort.control)}", *shares, spend, shows)

    return table(
        "Difference to the control by cohort, 95 % intervals; shares in percentage points, spend a customer. Where its margin is "
        f"{ZERO}, the last column has the smallest that would show four times in five",
        ("Cohort", "Program / control", "Came back to life", "Ordered", "Spend", "Margin that would show"),
        (row(cohort) for cohort in worth.cohorts),
        frozenset({1, 2, 3, 4, 5}),
    )


def notable_section(facts: ReportFacts, figures: Figures) -> Html:
    """Ten customers worth looking at, each with its command."""
    if not facts.notable:
        return section("customers", "Worth looking at", "No customer stands out yet")
    return section(
        "customers",
        "Worth looking at",
        f"{figures.many(len(facts.notable), 'customer', 'customers')} to judge this plan by",
        table(
            "Run the command to see everything that is known and was decided about a customer, and why",
            ("Why look", "Expected margin", "Overdue", "Command"),
            (
                (
                    capital(row.why),
                    figures.whole(row.expected_margin),
                    _overdue(row.overdue, figures),
                    el("code", row.command),
                )
                for row in facts.notable
            ),
            frozenset({1, 2}),
        ),
    )


def _overdue(days: int, figures: Figures) -> str:
    return figures.many(days, "day", "days") if days >= 0 else f"due in {figures.many(-days, 'day', 'days')}"


def assumptions_section(facts: ReportFacts) -> Html:
    """What was taken as given, each with the place to change it."""
    if not facts.assumptions:
        return section("assumptions", "Assumptions", "Nothing is assumed")
    rows = ((row.text, row.value, _place(row)) for row in facts.assumptions)
    return section(
        "assumptions",
        "Assumptions",
        "Change any of these and run again",
        table("What was taken as given, and the line that says so", ("Assumed", "Value", "Where"), rows),
    )


def _place(row: Assumption) -> Html:
    return el("code", f"{row.file}:{row.line}") if row.line else join((el("code", row.file), " (add it)"))
