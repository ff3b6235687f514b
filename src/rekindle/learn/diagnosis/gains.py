"""The second half of a diagnosis: who comes back by themselves, where there is most to gain, and the audit of what it rests on.

Knows nothing of causes.
"""

from collections.abc import Iterator
from datetime import datetime

from rekindle.errors import CannotTell
from rekindle.insight import opportunity
from rekindle.insight.audit import Audit, Row
from rekindle.insight.models import Interval
from rekindle.insight.opportunity import PER_MILLION, Opportunity
from rekindle.insight.reactivation import Curve
from rekindle.learn.diagnosis.facts import Diagnosis, Opportunities
from rekindle.learn.diagnosis.pictures import survival
from rekindle.learn.report.charts import Bar, bars
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, capital, el, join, listing, table
from rekindle.learn.report.section import section
from rekindle.moment import AsOf, local_day

DRAWN = 6
YEAR, QUARTER = 365.0, 90.0
READ = (
    "Each step down is customers who ordered again. Who has not yet is counted for as long as they were watched (Kaplan-Meier); "
    "the band, of the three largest groups, is the 95 % interval. "
)
NO_LIFT = (
    "After a message the curve shows when orders came, not what the message brought: who is written to was not chosen by chance alone. "
    "Only the report's randomised comparison says that."
)

COLUMNS = (
    "Days between purchases are the median, with the middle half. Full price is the share of net from orders without a discount or a code; "
    "discounts are a share of goods before them. Used / seen: orders with the code of one of the shop's messages, and messages received."
)


def return_section(found: Diagnosis, figures: Figures) -> Html:
    """Time to the next order, by category and by kind of offer."""
    drawn = _drawn(found.by_category)
    if not drawn:
        return section("return", "Coming back", "Nobody has come back after a lapse yet")
    parts = [
        el("h3", "Still away, by category of the last order"),
        survival(drawn, "Share still away by day since the lapse began, by category", "days since the lapse began", YEAR, figures),
        el("p", READ, class_="small"),
        _table(found.by_category, "Category", figures),
    ]
    by_offer = {_offer(name): one for name, one in found.by_offer.items()}
    offers = _drawn(by_offer)
    if offers:
        most = min(QUARTER, max(1.0, *(one.followed for one in offers.values())))
        picture = survival(offers, "Share without an order by day since a message, by offer", "days since the message", most, figures)
        parts += [el("h3", "Still away, by kind of offer"), picture, el("p", NO_LIFT, class_="small")]
    if by_offer:
        parts.append(_table(by_offer, "Offer", figures))
    return section("return", "Coming back", _most_back(drawn, figures), *parts)


def _most_back(drawn: dict[str, Curve], figures: Figures) -> str:
    """The group of which the most are back, of those that were followed for long enough."""
    shares = {name: share for name, one in drawn.items() if isinstance(share := one.back_by(QUARTER), Interval)}
    if not shares:
        longest = max(one.followed for one in drawn.values())
        return f"How many are back after {QUARTER:.0f} days cannot be told: followed for {longest:.0f} days so far"
    name, share = max(shares.items(), key=lambda one: one[1].estimate)
    low, high = figures.share(share.low), figures.share(share.high)
    return f"{capital(name)}: {figures.share(share.estimate)} are back {QUARTER:.0f} days after a lapse began ({low} to {high})"


def _offer(kind: str) -> str:
    """A kind of offer in people's words."""
    return "Message without an offer" if kind == "none" else capital(kind.replace("_", " "))


def _drawn(curves: dict[str, Curve | CannotTell]) -> dict[str, Curve]:
    """The largest groups that a curve can be drawn of."""
    return dict([(name, one) for name, one in curves.items() if isinstance(one, Curve)][:DRAWN])


def _table(curves: dict[str, Curve | CannotTell], head: str, figures: Figures) -> Html:
    heads = (head, "Watched", "Came back", f"Back in {QUARTER:.0f} days", "Half are back after")
    rows = ((capital(name), *_times(one, figures)) for name, one in curves.items())
    return table("With 95 % intervals", heads, rows, frozenset({1, 2, 3, 4}))


def _times(one: Curve | CannotTell, figures: Figures) -> tuple[str, ...]:
    if isinstance(one, CannotTell):
        return "", "", "cannot tell", one.reason
    back = _back(one.back_by(QUARTER), figures)
    if isinstance(one.median, CannotTell):
        return figures.count(one.spells), figures.count(one.returned), back, "not yet half"
    until = figures.count(one.median.high) if one.median.high != float("inf") else "not known"
    half = f"{figures.count(one.median.estimate)} days ({figures.count(one.median.low)} to {until})"
    return figures.count(one.spells), figures.count(one.returned), back, half


def _back(share: Interval | CannotTell, figures: Figures) -> str:
    if isinstance(share, CannotTell):
        return f"cannot tell: {share.reason[:1].lower()}{share.reason[1:].removesuffix('.')}"
    return f"{figures.share(share.estimate)} ({figures.share(share.low)} to {figures.share(share.high)})"


def opportunity_section(found: Diagnosis, figures: Figures) -> Html:
    """The frozen ranking of segments before any launch."""
    held = found.opportunities
    rows = [row for row in held.ranking.rows if row.customers]
    if not rows:
        return section("opportunity", "Opportunity", "Nobody slips away, so there is nobody to win back")
    best = rows[0]
    title = f"Most is to be gained from {opportunity.name(best)}: {figures.rough(best.incremental_margin)}, assumed"
    if not best.incremental_margin:
        title = "No gain is assumed of any segment"
    drawn = [Bar(capital(opportunity.name(row)), row.incremental_margin, _gain(row, figures)) for row in rows]
    return section(
        "opportunity", "Opportunity", title, bars(drawn, "Assumed incremental margin by segment", figures),
        el("p", f"Assumed, not measured: {held.ranking.source} {_alike(rows)}", class_="small"),
        el("p", _frozen(held, found.as_of, figures), class_="small"),
        _came(held, found.as_of, figures),
    )


def _gain(row: Opportunity, figures: Figures) -> str:
    """A segment's amount, what that is for each customer who can be reached, and how many those are."""
    each = f"{figures.exact(row.incremental_margin / row.reachable)} each · " if row.reachable else ""
    return f"{figures.rough(row.incremental_margin)} · {each}{figures.count(row.reachable)} of {figures.count(row.customers)} reachable"


def _alike(rows: list[Opportunity]) -> str:
    """Whether the same is assumed of every segment, and what the amounts are."""
    extra = [row.extra_orders / PER_MILLION for row in rows]
    total = "a segment's amount is a total, so a large segment comes first where nothing sets it apart."
    if min(extra) == max(extra):
        return f"The same {extra[0]:.3g} extra orders are assumed of every customer; {total}"
    return f"Between {min(extra):.3g} and {max(extra):.3g} extra orders are assumed of a customer, by cohort; {total}"


def _frozen(held: Opportunities, as_of: AsOf, figures: Figures) -> str:
    state = "Frozen" if held.frozen else "Not on file"
    note = " What is known now would rank otherwise; the first ranking stands." if held.differs else ""
    left_out = f" Left out: {'; '.join(held.damaged)}." if held.damaged else ""
    return f"{state} as {held.ranking.digest[:12]}, as of {_day(held.ranking.as_of, as_of, figures)}.{note}{left_out}"


def _day(instant: str, as_of: AsOf, figures: Figures) -> str:
    """The store's day of an instant."""
    return figures.day(local_day(datetime.fromisoformat(instant), as_of.timezone))


def _came(held: Opportunities, as_of: AsOf, figures: Figures) -> Html:
    if not held.came:
        return Html("")
    rows = (
        (
            capital(one.cohort.replace("_", " ")), figures.signed(one.assumed),
            "cannot tell" if isinstance(one.measured, CannotTell) else figures.signed(one.measured.estimate),
            one.measured.reason if isinstance(one.measured, CannotTell)
            else f"{figures.signed(one.measured.low)} to {figures.signed(one.measured.high)}",
        )
        for one in held.came
    )
    heads = ("Cohort", "Assumed a customer", "Measured a customer", "95 % interval")
    since = "after the programs had begun" if held.launched else "before any launch"
    return table(f"What came of the ranking of {_day(held.earlier, as_of, figures)}, {since}", heads, rows, frozenset({1, 2, 3}))


def audit_section(found: Diagnosis, figures: Figures) -> Html:
    """Orders, gaps, order value, categories and promotions per segment, held against the orders."""
    wrong = {by: one.differences for by, one in found.audits.items() if one.differences}
    title = "The segments do not add up to the orders" if wrong else "Every segment adds up to the orders, to the cent"
    parts = [part for by, one in found.audits.items() for part in _audited(by, one, figures)]
    parts.insert(0, el("p", COLUMNS, class_="small"))
    if wrong:
        text = [f"By {by}: {', '.join(f'{name} {value:+,}' for name, value in one.items())} (minor units)" for by, one in wrong.items()]
        parts.insert(0, el("div", el("strong", "Difference."), listing(text), class_="note"))
    return section("audit", "Audit", title, *parts)


def _audited(by: str, one: Audit, figures: Figures) -> Iterator[Html]:
    heads = (capital(by), "Customers", "Orders", "Net", "An order", "Days between", "Full price", "Discounts", "Used / seen")
    yield table(f"By {by}", heads, [_row(row, figures) for row in (*one.segments, one.total)], frozenset(range(1, 9)))
    ledger = f"{figures.count(one.ledger['orders'])} orders of {figures.exact(one.ledger['net'])} net"
    agree = "The rows differ from the orders themselves" if one.differences else "The rows add up to the orders themselves"
    lines = f" {figures.many(one.unlike, 'order differs', 'orders differ')} from the sum of the lines." if one.unlike else ""
    yield el("p", f"{agree}: {ledger}.{lines}", class_="small")
    mixes = ((capital(row.name.replace("_", " ")), _mix(row, figures)) for row in (*one.segments, one.total) if row.mix)
    yield el("details", el("summary", "Categories"), table("Share of what lines cost", (capital(by), "Categories"), mixes))


def _row(row: Row, figures: Figures) -> tuple[str, ...]:
    gaps = "none" if isinstance(row.gaps, CannotTell) else f"{row.gaps[1]:.0f} ({row.gaps[0]:.0f} to {row.gaps[2]:.0f})"
    return (
        capital(row.name.replace("_", " ")), figures.count(row.customers), figures.count(row.orders), figures.exact(row.net),
        figures.exact(row.average_order), gaps, figures.share(row.full_price_share), figures.share(row.discount_share),
        f"{figures.count(row.redeemed)} / {figures.count(row.seen)}",
    )


def _mix(row: Row, figures: Figures) -> Html:
    return join((", ".join(f"{name} {figures.share(share)}" for name, share in row.mix),))
