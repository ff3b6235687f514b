"""The report's first half: how many slip away, where customers stand, why, and who they are.

Knows nothing of what is proposed.
"""

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.report.charts import Bar, bars
from rekindle.learn.report.customer_map import customer_map
from rekindle.learn.report.facts import Cause, Cohort, ReportFacts, Slipping
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.headlines import message_word
from rekindle.learn.report.markup import Html, capital, el, join, listing, table, unbroken
from rekindle.learn.report.section import section
from rekindle.learn.report.standings import STANDINGS

EXAMPLES = 3
SIMULATED = "This marketplace is made up, so the true effect of contact is known, and printed beside the estimate."
REHEARSAL = "No contact data is known: everything is decided as if every customer had agreed to be written to, and nothing can be sent."
MAP_NOTE = (
    "A larger dot is several customers. Overdue is counted from each customer's own expected next order, so thirty days can be late for "
    "one and early for another. Whoever lies beyond an edge is drawn on it."
)
NO_PROOF = "A cause is only named where a registered event came before the silence. That it came before does not prove that it is why."


def headline(facts: ReportFacts, figures: Figures) -> Html:
    """The page's first sentence, where its numbers come from, and what is proposed."""
    found = facts.slipping
    everyone = figures.many(facts.customers, "customer", "customers")
    if found.customers:
        who = f"{figures.count(found.customers)} of {everyone} {'is' if found.customers == 1 else 'are'} quieter than their own rhythm"
        risk = found.at_risk
        sentence = f"{who}." if isinstance(risk, CannotTell) else f"{who}, with {figures.rough(risk.estimate)} of margin at risk."
    else:
        sentence = f"None of {everyone} is quieter than their own rhythm." if facts.customers else "No customer is known yet."
    return el(
        "header",
        el("p", facts.shop, class_="shop"),
        el("h1", unbroken(sentence)),
        el("p", _source(facts, figures), class_="lede"),
        _standing_note(facts),
    )


def _source(facts: ReportFacts, figures: Figures) -> str:
    length = f"{figures.many(facts.months, 'month', 'months')} to {figures.day(facts.as_of.last_day)}"
    history = f"{figures.many(facts.orders, 'order', 'orders')} over {length}"
    margin = _margin_at_risk(facts.slipping, figures) if facts.slipping.customers else ""
    if not facts.proposed:
        return f"From {history}.{margin} No message is proposed."
    messages = f"{figures.count(facts.proposed)} {message_word(facts, facts.proposed)}"
    whose = "who were due" if not facts.others else "rounds that were due"
    alone = f" {figures.count(facts.spared)} {whose} are left alone, each for a reason." if facts.spared else ""
    return f"From {history}.{margin} Proposed: {messages} at a cost of at most {figures.most(facts.money.ceiling)}.{alone}"


def _margin_at_risk(found: Slipping, figures: Figures) -> str:
    if isinstance(found.at_risk, CannotTell):
        return f" Their margin at risk cannot be told: {found.at_risk.reason}"
    guess = f" Take it for a guess. {found.unsure}" if found.unsure else ""
    return f" The margin at risk lies between {figures.rough_range(found.at_risk, ' and ')} (95 % interval).{guess}"


def _standing_note(facts: ReportFacts) -> Html:
    notes = (("Simulated", SIMULATED, facts.simulated), ("Rehearsal", REHEARSAL, facts.rehearsal))
    return join(el("p", el("strong", f"{name}."), f" {words}", class_="note") for name, words, holds in notes if holds)


def map_section(facts: ReportFacts, figures: Figures) -> Html:
    """The customer map with its legend."""
    if not facts.map.num_rows:
        return section("map", "Customer map", "There is nobody to draw yet", el("p", "A customer is on the map from the first order on."))
    drawn = f"{figures.count(facts.map.num_rows)} of {figures.many(facts.customers, 'customer', 'customers')}"
    sample = f"{drawn}, drawn at random. " if facts.map.num_rows < facts.customers else ""
    return section(
        "map",
        "Customer map",
        "The further right, the longer overdue; the higher, the more there is to lose",
        el(
            "figure",
            el("p", f"Margin expected in the next {figures.many(facts.horizon_weeks, 'week', 'weeks')}", class_="axis"),
            customer_map(facts.map, figures),
            _legend(facts, figures),
            el("figcaption", sample, MAP_NOTE),
        ),
    )


def _legend(facts: ReportFacts, figures: Figures) -> Html:
    counts = {row.name: row.customers for row in facts.lifecycle}
    totals = [(standing, sum(counts.get(stage, 0) for stage in standing.stages)) for standing in STANDINGS]
    return listing(
        (
            join((el("span", "", class_=f"dot {standing.color}"), f"{capital(standing.name)} ", el("b", figures.count(total))))
            for standing, total in totals
            if total
        ),
        class_="legend",
        aria_label="All customers by where they stand",
    )


def why_section(facts: ReportFacts, figures: Figures) -> Html:
    """Causes with their evidence, and the share without any."""
    if not facts.reasons:
        return section("why", "Why", "Nobody is slipping away, so there is nothing to explain")
    unknown = sum(cause.share for cause in facts.reasons if cause.name == "unknown")
    title = f"For {figures.share(1 - unknown)} the data shows a reason; for {figures.share(unknown)} it shows none"
    rows = [_share(cause, figures) for cause in facts.reasons]
    return section(
        "why",
        "Why",
        title if unknown else "The data shows a reason for every customer who is slipping away",
        bars(rows, "Share of slipping customers by cause", figures),
        table(
            "What supports each cause",
            ("Cause", "Margin at risk (95 % interval)", "Evidence, some of it"),
            ((capital(cause.label), _with_range(cause.margin_at_risk, figures), _evidence(cause)) for cause in facts.reasons),
            frozenset({1}),
        ),
        el("p", NO_PROOF, class_="small"),
    )


def _with_range(amount: Interval | CannotTell, figures: Figures) -> str:
    """An estimate with its 95 % interval."""
    if isinstance(amount, CannotTell):
        return "cannot be told"
    return f"{figures.rough(amount.estimate)} ({figures.rough_range(amount, ' to ')})"


def _share(cause: Cause, figures: Figures) -> Bar:
    words = f"{figures.share(cause.share)} · {figures.many(cause.customers, 'customer', 'customers')}"
    return Bar(capital(cause.label), cause.share, words, 0 if cause.name == "unknown" else None)


def _evidence(cause: Cause) -> Html:
    if cause.name == "unknown":
        return el("em", "No evidence. Rekindle does not guess: no message will claim a reason.")
    if not cause.examples:
        return el("em", "none recorded")
    return listing((el("span", example) for example in cause.examples[:EXAMPLES]), class_="plain")


def who_section(facts: ReportFacts, figures: Figures) -> Html:
    """Cohorts, what they are expected to bring, and how many may be written to."""
    cohorts = [row for row in facts.cohorts if row.customers]
    if not cohorts:
        return section("who", "Who", "No cohort has anybody in it")
    known = [row for row in cohorts if row.reachable is not None]
    everybody, reached = sum(row.customers for row in cohorts), sum(row.reachable or 0 for row in known)
    reach = f"{figures.count(reached)} of {figures.count(everybody)} can be reached with their consent"
    title = reach if known else "Whom we could reach is not known: there are no contacts"
    rows = [Bar(capital(row.label), row.customers, _reach(row, figures), row.reachable) for row in cohorts]
    return section(
        "who",
        "Who",
        title,
        bars(rows, "Customers by cohort, and how many of them can be reached", figures),
        table(
            f"Cohorts, and the margin each is expected to bring in {figures.many(facts.horizon_weeks, 'week', 'weeks')} if nothing is done",
            ("Cohort", "Customers", "Reachable", "Expected margin (95 % interval)", "Who they are"),
            (
                (
                    capital(row.label),
                    figures.count(row.customers),
                    "not known" if row.reachable is None else figures.count(row.reachable),
                    _with_range(row.expected_margin, figures),
                    row.meaning,
                )
                for row in cohorts
            ),
            frozenset({1, 2, 3}),
        ),
    )


def _reach(row: Cohort, figures: Figures) -> str:
    if row.reachable is None:
        return figures.many(row.customers, "customer", "customers")
    return f"{figures.count(row.reachable)} of {figures.count(row.customers)} reachable"
