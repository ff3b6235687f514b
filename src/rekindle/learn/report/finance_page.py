"""The page for whoever answers for the money: what programs brought, by how much that may err, and what is not known yet.

Knows nothing of stores or files. Nothing on it is called lift that was not compared with customers drawn by chance at the same time. The
same facts give the same bytes.
"""

from collections.abc import Callable, Iterator, Mapping

from rekindle.errors import CannotTell
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.models import Interval
from rekindle.learn.comparison import Comparison
from rekindle.learn.credit_words import in_all
from rekindle.learn.doubt import ONCE, ZERO, doubt, of_control, only_at_once
from rekindle.learn.lift import Lift
from rekindle.learn.measures import CATALOGUE, FIRST
from rekindle.learn.report import finance_parts
from rekindle.learn.report.charts import Range, ranges
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.finance_facts import FinanceFacts, Headline, cost_of
from rekindle.learn.report.markup import Html, capital, el, listing, table, unbroken
from rekindle.learn.report.section import section, tiles
from rekindle.learn.report.sheet import contents, made_of, sheet
from rekindle.learn.trend import trend

CONTENTS = (
    ("programs", "By program"), ("parts", "By customers"), ("variants", "By variant"), ("pending", "Not yet known"), ("funnel", "Messages"),
    ("credit", "Credit"), ("targets", "Targets"), ("learnings", "Learnings"),
)  # fmt: skip

WRONG = "What programs brought cannot be believed yet."
MOST_ROWS = 24
CHANGED = {
    "margin": "Margin", "spend": "Spend", "reactivated": "Spend of customers who were lapsed at entry", "activated": "Came back",
    "retained": "Ordered",
}  # fmt: skip
"""Measures that are shown of every program, for people."""

BESIDE = ("activated", "retained", "spend")
"""Of these those that are shown of every group of customers, besides the margin."""

PARTS = {"cohort": "", "tier": "value tier", "cause": "cause", "segment": "segment"}
STAYS = "It is what customers who were assigned brought more than those drawn by chance to hear nothing, whether they were reached or not."
OWN_STYLE = "@media print{@page{size:A4;margin:16mm}section{break-inside:auto}.heading,h3,caption{break-after:avoid}}"


def render_finance(facts: FinanceFacts) -> str:
    """The whole page.

    Args:
        facts: Everything it says.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    figures = Figures(facts.currency, facts.locale.replace("-", "_"))
    main = el(
        "main",
        _header(facts, figures),
        contents(CONTENTS),
        _programs(facts, figures),
        _parts(facts, figures),
        _variants(facts, figures),
        finance_parts.pending(facts, figures),
        finance_parts.funnel(facts, figures),
        finance_parts.credit(facts, figures),
        finance_parts.targets(facts, figures),
        finance_parts.learnings(facts, figures),
    )
    return sheet(f"{facts.shop}: what it was worth", main, made_of(facts.as_of, figures), OWN_STYLE)


def _header(facts: FinanceFacts, figures: Figures) -> Html:
    found = facts.headline
    alarms = [el("p", el("strong", "Believe no number of it yet."), f" {one}.", class_="note") for one in facts.wrong]
    made_up = [el("p", el("strong", "Simulated."), " A made-up marketplace: no real money.", class_="note")] if facts.simulated else []
    if found is None:
        words = WRONG if alarms else "Nothing has been compared yet, so nothing is known of what programs are worth."
        return el("header", el("p", facts.shop, class_="shop"), *alarms, el("h1", words), *made_up)
    return el(
        "header",
        el("p", facts.shop, class_="shop"),
        *alarms,
        el("h1", WRONG if alarms else unbroken(_sentence(found, figures))),
        el("p", unbroken(_against(found, figures)), class_="lede"),
        *_tiles(found, figures),
        *made_up,
    )


def _sentence(found: Headline, figures: Figures) -> str:
    if isinstance(found.total, CannotTell):
        return "What programs are worth is not known yet."
    if not _clear(found.margin):
        return f"What programs brought is {ZERO}."
    much = figures.rough(abs(found.total.estimate))
    return f"Programs brought {much} of margin {'more' if found.total.estimate > 0 else 'less'} than doing nothing."


def _clear(part: Comparison) -> bool:
    """Whether the interval that is shown leaves nought out."""
    return isinstance(part.difference, Interval) and not part.difference.low <= 0 <= part.difference.high


def _against(found: Headline, figures: Figures) -> str:
    sizes = f"{figures.many(found.treated, 'customer', 'customers')} and {figures.count(found.control)} who hear nothing"
    if isinstance(found.total, CannotTell):
        return f"The comparison is of {found.what}: {doubt(found.margin, figures.exact)}."
    over = f"each counted over {figures.many(found.maturity.window_days, 'day', 'days')} from the first round on"
    return f"The comparison is of {found.what}: {sizes}, parted by chance, {over}. {STAYS} {_often(found, figures)}"


def _often(found: Headline, figures: Figures) -> str:
    """How often the interval may be read."""
    if found.anytime:
        return "The interval holds however often it is looked at."
    if found.maturity.early:
        early = f"This is an early look, over {found.maturity.window_days} of {found.maturity.horizon_days} days"
        return f"{early}: it may not be read again and again, for who does is fooled by chance more often than the interval says."
    once = "The interval is for one look: who reads it again and again is fooled by chance more often than it says."
    lasting = found.margin.any_day
    return f"{once} However often it is looked at, it lies from {_ends(lasting, figures)} a customer." if lasting else once


def _tiles(found: Headline, figures: Figures) -> Iterator[Html]:
    margin = found.margin.difference
    if isinstance(margin, CannotTell) or isinstance(found.total, CannotTell):
        return
    detectable = found.margin.detectable
    shown = f"Less than {figures.exact(detectable)} a customer would not show four times in five." if detectable else ""
    over = figures.many(found.maturity.window_days, "day", "days")
    of_whom = f"Of these {figures.many(found.treated, 'customer', 'customers')} over {over}"
    yield tiles(
        ("Incremental margin", figures.rough_signed(found.total.estimate), f"95 % interval: {_rough(found.total, figures)}"),
        ("A customer", figures.signed(margin.estimate), f"95 % interval: {_ends(margin, figures)}. {shown}"),
        ("Offers and messages cost", figures.rough(found.cost), f"{of_whom}; taken off already, as are lower prices."),
    )


def _rough(total: Interval, figures: Figures) -> str:
    return f"{figures.rough_signed(total.low)} to {figures.rough_signed(total.high)}"


def _ends(found: Interval, figures: Figures) -> str:
    return f"{figures.signed(found.low)} to {figures.signed(found.high)}"


def told(found: Interval, figures: Figures) -> str:
    """An amount a customer with its interval, short enough for a picture."""
    return f"{figures.signed(found.estimate)} ({figures.bare(found.low)} to {figures.bare(found.high)})"


def verdict(part: Comparison, write: Callable[[float], str]) -> str:
    """What may be said of a comparison, in a word or two; where that is nothing, what would have shown, as `write` writes it."""
    if isinstance(part.difference, CannotTell) or not part.told_apart:
        return doubt(part, write)
    words = "more than chance" if part.difference.estimate > 0 else "a loss, more than chance"
    return f"{words} {ONCE}" if only_at_once(part) else words


def _programs(facts: FinanceFacts, figures: Figures) -> Html:
    begun = tuple(one for one in facts.begun if one.maturity.counted)
    if not begun:
        return section("programs", "By program", "No program has rounds that are old enough to count")
    clear = [one for one in begun if one.measures[FIRST].told_apart]
    finding = f"{_told_apart(len(clear), 'program', figures)}, of {len(begun)} that can be counted"
    known = [(one.program, one.measures[FIRST].difference) for one in begun]
    rows = [Range(name, found, told(found, figures)) for name, found in known if isinstance(found, Interval)]
    return section(
        "programs",
        "By program",
        finding,
        *_forest(rows, "Margin a customer against the program's own control", figures),
        table(
            "Each program against its own control; the total is for all who were assigned, with its 95 % interval for one look and "
            "the one that holds however often it is looked at. Each is judged alone: of twenty programs that bring nothing, chance tells "
            "one apart",
            ("Program", "Assigned / control", "Incremental margin", "However often looked at", "Offers and messages cost", "So"),
            (_program(one, figures) for one in begun),
            frozenset({1, 2, 3, 4}),
        ),
        table(
            "What each program changed a customer, with 95 % intervals for one look; beside money what share of the control's that is",
            ("Program", "What", "Difference", "So"),
            (row for one in begun for row in _changed(one, figures)),
            frozenset({2}),
        ),
        *_turned(begun),
    )


def _told_apart(number: int, what: str, figures: Figures) -> str:
    much = figures.many(number, f"{what} is", f"{what}s are") if number else f"No {what} is"
    return f"{much} told apart from zero"


def _program(lift: Lift, figures: Figures) -> tuple[str, ...]:
    total = in_all(lift.measures[FIRST].difference, lift.treated)
    worth = "-" if isinstance(total, CannotTell) else f"{figures.rough_signed(total.estimate)} ({figures.rough_range(total, ' to ')})"
    sizes, lasting = f"{figures.count(lift.treated)} / {figures.count(lift.control)}", lift.measures[FIRST].any_day
    ever = in_all(lasting, lift.treated) if lasting else None
    often = figures.rough_range(ever, " to ") if isinstance(ever, Interval) else "-"
    return (lift.program, sizes, worth, often, figures.rough(cost_of(lift)), verdict(lift.measures[FIRST], figures.exact))


def _changed(lift: Lift, figures: Figures) -> Iterator[tuple[str, ...]]:
    for name, words in CHANGED.items():
        part = lift.measures.get(name)
        if part is None or isinstance(part.difference, CannotTell):
            continue
        is_share = CATALOGUE[name].unit == "share"
        much = f"{figures.points_range(part.difference)} points" if is_share else told(part.difference, figures)
        share = of_control(part)
        so = verdict(part, (lambda value: _in_points(value, figures)) if is_share else figures.exact)
        yield (lift.program, words, f"{much}; {share}" if share else much, so)


def _turned(begun: tuple[Lift, ...]) -> Iterator[Html]:
    """Simpson: where the number over everybody says the opposite of the numbers of like with like."""
    for one in (one for one in begun if one.reversed_by):
        words = f" Over everybody at once {one.program} has the other sign: the mix of customers changed ({', '.join(one.reversed_by)})."
        yield el("p", el("strong", "Compare like with like."), words, class_="note")


def _forest(rows: list[Range], about: str, figures: Figures) -> tuple[Html, ...]:
    if not rows:
        return ()
    caption = el("figcaption", f"{about}, with its 95 % interval; the upright stroke is no effect.")
    return (el("figure", ranges(rows[:MOST_ROWS], about, figures), caption),)


def _parts(facts: FinanceFacts, figures: Figures) -> Html:
    found = [(one.program, kind, value, part) for one in facts.begun for kind, parts in one.parts.items() for value, part in parts.items()]
    known = [row for row in found if isinstance(row[3].measures[FIRST].difference, Interval)]
    if not known:
        return section("parts", "By customers", "No group of customers is large enough to be told of yet")
    several = len({row[0] for row in known}) > 1
    clear = [row for row in known if row[3].measures[FIRST].told_apart]
    rows, lines, others = [], [], []
    for program, kind, value, part in known[:MOST_ROWS]:
        name = f"{program}: {_part(kind, value)}" if several else _part(kind, value)
        margin = part.measures[FIRST]
        if isinstance(margin.difference, Interval):
            rows.append(Range(capital(name), margin.difference, told(margin.difference, figures)))
            sizes = f"{figures.count(part.treated)} / {figures.count(part.control)}"
            lines.append((capital(name), sizes, told(margin.difference, figures), verdict(margin, figures.exact)))
            others.append((capital(name), *(_short(one, part.measures, figures) for one in BESIDE)))
    return section(
        "parts",
        "By customers",
        f"{_told_apart(len(clear), 'group', figures)}, of {figures.count(len(known))} looked at",
        *_forest(rows, "Margin a customer against the control, by where customers stood at entry", figures),
        table(
            "Who looks at many groups finds one that stands out by chance: more than chance is meant with all of them looked at",
            ("Customers", "Assigned / control", "Margin a customer", "So"),
            lines,
            frozenset({1, 2}),
        ),
        table(
            f"What else changed, shares in percentage points, spend a customer; where that is {ZERO}, all groups looked at, what would "
            "have shown four times in five stands behind it",
            ("Customers", *(CHANGED[one] for one in BESIDE)),
            others,
            frozenset({1, 2, 3}),
        ),
        *_left_out(len(found) - len(known), len(known) - len(lines), figures),
    )


def _short(name: str, measures: Mapping[str, Comparison], figures: Figures) -> str:
    """A measure of a group as short as it can be said with what would have shown."""
    part, is_share = measures.get(name), CATALOGUE[name].unit == "share"
    if part is None or isinstance(part.difference, CannotTell):
        return "-"
    much = figures.points_range(part.difference) if is_share else told(part.difference, figures)
    if part.told_apart or not part.detectable:
        return much
    return f"{much}; {_in_points(part.detectable, figures) if is_share else figures.exact(part.detectable)}"


def _in_points(value: float, figures: Figures) -> str:
    return f"{figures.points(value).removeprefix('+')} points"


def _part(kind: str, value: str) -> str:
    name = COHORTS.get(value, value).replace("_", " ") if kind == "cohort" else value.replace("_", " ")
    return f"{PARTS[kind]} {name}".strip()


def _left_out(small: int, unshown: int, figures: Figures) -> Iterator[Html]:
    if small:
        yield el("p", f"{figures.many(small, 'group is', 'groups are')} too small or too young to be told of.", class_="small")
    if unshown:
        yield el("p", f"{figures.count(unshown)} more are in the result of rekindle learn --json.", class_="small")


def _variants(facts: FinanceFacts, figures: Figures) -> Html:
    found = [
        (program, stage.stage, arm, one)
        for program, stages in facts.stages.items() for stage in stages for arm, one in stage.by["arm"].items()
    ]  # fmt: skip
    rows, lines = [], []
    for program, stage, arm, one in found:
        margin = one.measures[FIRST]
        if isinstance(margin.difference, Interval):
            name = f"{program}, {stage}: {arm}".replace("_", " ")
            rows.append(Range(capital(name), margin.difference, told(margin.difference, figures)))
            sizes = f"{figures.count(one.decisions)} / {figures.count(one.nothing)}"
            lines.append((capital(name), sizes, told(margin.difference, figures), verdict(margin, figures.exact)))
    if not lines:
        return section("variants", "By variant", "No variant has been drawn often enough to be told of yet")
    return section(
        "variants",
        "By variant",
        "What each variant brought against drawing nothing, by the chances that were logged",
        *_forest(rows, "Margin a decision against drawing nothing in the same stage", figures),
        table(
            "Chances differ and were learned: each draw is weighed by its chance; more than chance is meant with all variants looked at",
            ("Variant", "Drawn / nothing", "Margin a decision", "So"),
            lines[:MOST_ROWS],
            frozenset({1, 2}),
        ),
        *_left_out(len(found) - len(lines), max(0, len(lines) - MOST_ROWS), figures),
        listing(_worse(facts)),
    )


def _worse(facts: FinanceFacts) -> Iterator[str]:
    for lift in facts.begun:
        yield from (f"{lift.program}, {words}." for words in trend(lift).alarms)
