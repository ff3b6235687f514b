"""The handbook of a store as one HTML page: its programs and their journeys, segments, measures, targets and rules, from the documents.

Knows nothing of stores or files. What people would otherwise write down by hand and forget to change is written from what plans go by.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from rekindle.learn import scorecard
from rekindle.learn.measures import CATALOGUE
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, capital, el, listing, table
from rekindle.learn.report.section import section
from rekindle.learn.report.sheet import contents, made_of, sheet
from rekindle.moment import AsOf
from rekindle.program.documents import Delay, Documents, Program, Rules, Stage
from rekindle.program.offers import Offer
from rekindle.program.rules import Cap
from rekindle.program.segments import version
from rekindle.program.triggers import MOMENTS
from rekindle.program.vocabulary import BLOCKS

GOALS = {"activation": "sign in, look at a product or answer", "order": "order", "order_or_preference_kept": "order, or say how often"}

EXITS = {
    "order": "an order", "opt_out": "an opt-out", "pause": "a pause that they asked for", "complaint_opened": "an open complaint",
    "return_opened": "an open return", "reviewed": "their review", "erasure": "their erasure",
}  # fmt: skip

UNITS = {"money": "money", "share": "share", "count": "number", "days": "days"}

OWN_STYLE = """
.rule{display:block;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem;margin:0 0 1rem;
white-space:pre-wrap}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.6rem 1.25rem;margin:0 0 1rem}
.facts dt{font-size:.8rem;color:var(--soft)}.facts dd{margin:0;font-size:.925rem}
@media print{@page{size:A4;margin:16mm}body{font-size:10pt}section{break-inside:auto}.heading,h3,h4,caption{break-after:avoid}
.stages li{break-inside:avoid}}
"""


@dataclass(frozen=True, slots=True)
class HandbookFacts:
    """What the handbook says besides the documents.

    Args:
        shop: Its name.
        currency, locale: For figures.
        as_of: The instant.
        documents: The approved ones.
        sizes: Customers by segment, as counted last.
        reviews: The day by which each program's next review is due.
        baselines: Of which period each program's baseline is, in words.
    """

    shop: str
    currency: str
    locale: str
    as_of: AsOf
    documents: Documents
    sizes: Mapping[str, int]
    reviews: Mapping[str, date]
    baselines: Mapping[str, str]


def render_handbook(facts: HandbookFacts) -> str:
    """The whole page.

    Args:
        facts: Everything it says.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    figures, held = Figures(facts.currency, facts.locale.replace("-", "_")), facts.documents
    parts = [("rules", "Rules"), ("segments", "Segments"), ("measures", "Measures"), ("targets", "Targets")]
    main = el(
        "main",
        _headline(facts, figures),
        contents([*((one.name, capital(one.name.replace("-", " "))) for one in held.programs), *parts]),
        *(_program(one, facts, figures) for one in held.programs),
        _rules(held.rules, facts),
        _segments(facts, figures),
        _measures(),
        _targets(facts),
    )
    return sheet(f"{facts.shop}: handbook", main, made_of(facts.as_of, figures), OWN_STYLE)


def _headline(facts: HandbookFacts, figures: Figures) -> Html:
    held = facts.documents
    counted = f"{figures.many(len(held.programs), 'program', 'programs')}, {figures.many(len(held.segments), 'segment', 'segments')}"
    lede = "What the store does on its own, to whom, when and within which bounds. Written from the approved documents that plans go by."
    return el("header", el("p", f"{facts.shop}: handbook", class_="shop"), el("h1", counted), el("p", lede, class_="lede"))


def _program(program: Program, facts: HandbookFacts, figures: Figures) -> Html:
    due = facts.reviews.get(program.name, program.review.due)
    pairs = [
        ("Owner", program.owner or "nobody"), ("Next review", f"{figures.day(due)}, then every {program.review.every_days} days"),
        ("Kind", "news of the customer's own order" if program.service else "marketing: needs consent"),
        ("Version", f"{program.version} ({program.digest[:12]})"),
    ]
    if not program.service:
        pairs += [
            ("Control", figures.share(program.control)), ("Judged by", f"margin within {program.goal.horizon_days} days"),
            ("Baseline", facts.baselines.get(program.name, "none is frozen")),
        ]
    ends = ", ".join(EXITS[one] for one in program.exit)
    caps = program.caps
    messages, offers = figures.many(caps.touches, "message", "messages"), figures.many(caps.price_offers, "price offer", "price offers")
    bounds = f"At most {messages} in a round, {caps.gap_days} days apart, over {caps.duration_days} days; " \
             f"{offers} in a round, {caps.price_offers_per_year} in a year."
    again = f"Not again before {program.audience.reenter.not_before_days} days."
    return section(
        program.name, capital(program.name.replace("-", " ")), f"Begins with {MOMENTS[program.trigger.on]}", _facts(pairs),
        el("h3", "For whom"), el("code", program.audience.enter.text, class_="rule"),
        el("h3", "The journey"), el("ol", *(el("li", *_stage(one, facts.documents.offers)) for one in program.stages), class_="stages"),
        el("p", f"A round ends at once with {ends}. {again} {bounds}"), *_cohorts(program),
    )


def _facts(pairs: Iterable[tuple[str, str]]) -> Html:
    return el("dl", *(el("div", el("dt", name), el("dd", said)) for name, said in pairs), class_="facts")


def _stage(stage: Stage, offers: Mapping[str, Offer]) -> Iterator[Html]:
    yield el("h3", stage.name)
    yield el("p", f"That they {GOALS[stage.goal.metric]}, within {stage.goal.within_days} days.", class_="small")
    details = [("When", _when(stage.delay)), ("Offers", _permits(stage))]
    details += [("Only if", stage.only_if.text)] if stage.only_if else []
    details += [("Waits until", stage.hold_until.text)] if stage.hold_until else []
    details += [("Then", f"{one}: {branch.to}") for one, branch in stage.branches.items()]
    yield el("dl", *(part for name, said in details for part in (el("dt", name), el("dd", said))))
    named = ((one.name, _offer(offers[one.offer])) for one in stage.arms)
    yield el("ul", *(el("li", el("span", name), el("span", offer, class_="none")) for name, offer in named), class_="arms")
    yield el("p", f"Says: {'; '.join(BLOCKS[block] for block in stage.content)}.", class_="small")


def _offer(offer: Offer) -> str:
    return "no offer" if offer.kind == "none" else offer.kind.replace("_", " ")


def _when(delay: Delay) -> str:
    parts = [f"{delay.rhythm:g} of the customer's rhythm"] if delay.rhythm else []
    parts += [f"at least {delay.at_least_days} days"] if delay.at_least_days else []
    parts += [f"at most {delay.at_most_days} days"] if delay.at_most_days is not None and delay.rhythm else []
    return ", ".join(parts) or "at once"


def _permits(stage: Stage) -> str:
    return f"price offers that leave {100 * stage.offers.margin_floor:.0f} % margin" if stage.offers.price else "no price offers"


def _cohorts(program: Program) -> Iterator[Html]:
    rows = [
        (cohort.replace("_", " "), name, "is left out" if variant.skip else ", ".join(sorted(program.arms_for(name, cohort))))
        for cohort, stages in program.variants.items() for name, variant in stages.items()
    ]
    if rows:
        yield table("What is different for customers who lapsed in another way.", ("Cohort", "Stage", "Variants"), rows)


def _rules(rules: Rules, facts: HandbookFacts) -> Html:
    quiet, holdout, priced = rules.quiet_hours, 100 * rules.holdout, rules.caps.price_offers
    said = [
        _cap_words("Marketing of all programs", rules.caps.touches, rules.caps.per_days),
        *([f"At least {rules.caps.gap_days} days between two of them."] if rules.caps.gap_days else []),
        *([_cap_words("Price offers", priced.touches, priced.per_days)] if priced else []),
        *(_named(rules.caps.programs, "Messages of")), *(_named(rules.caps.kinds, "Offers of the kind")),
        f"Nobody is written to from {quiet.start} to {quiet.end} in their own time zone"
        + (f", nor on {', '.join(quiet.days)}." if quiet.days else "."),
        f"{holdout:g} % of customers get no marketing for a calendar year: what the programs are worth together is measured against them.",
        *(f"Incentives{_scope(one.program, one.payer)} may cost {facts.currency} {one.amount:,.2f} in {one.per_days} days."
          for one in rules.every_budget),
        f"Every variant keeps a chance of {100 * rules.exploration.arm:g} %, and doing nothing of {100 * rules.exploration.nothing:g} %.",
        "Nothing leaves this machine without a person's yes." if rules.autopilot is None else
        f"Plans of at most {rules.autopilot.max_touches} messages and {facts.currency} {rules.autopilot.max_cost:,.2f} go without a yes.",
    ]
    if rules.fairness:
        groups, share = ", ".join(rules.fairness.groups), 100 * rules.fairness.disparity_at_most
        said.append(f"Offers to groups by {groups} may differ in worth by {share:g} % at most.")
    return section("rules", "Rules", "What binds every program", listing(said))


def _scope(program: str | None, payer: str | None) -> str:
    return (f" of {program}" if program else "") + (f" borne by the {payer}" if payer else "")


def _cap_words(what: str, touches: int, days: int) -> str:
    return f"{what}: at most {touches} in {days} days to one customer."


def _named(caps: Mapping[str, Cap], what: str) -> Iterator[str]:
    for name, cap in caps.items():
        yield _cap_words(f"{what} {name}", cap.touches, cap.per_days)


def _segments(facts: HandbookFacts, figures: Figures) -> Html:
    def one(name: str, description: str, rule: str, owner: str, reviewed: date) -> tuple[str, ...]:
        size = figures.count(facts.sizes[name]) if name in facts.sizes else "not counted"
        return (capital(name.replace("_", " ")), description, el("code", rule), size, owner or "nobody", figures.day(reviewed),
                version(name, facts.documents.segments))

    rows = [one(each.name, each.description, each.rule.text, each.owner, each.reviewed) for each in facts.documents.segments]
    heads = ("Segment", "Who", "Rule", "Customers", "Owner", "Reviewed", "Version")
    finding = f"{figures.many(len(rows), 'segment', 'segments')}, by what customers did" if rows else "There are none"
    return section("segments", "Segments", finding, table("Counted at the last insight.", heads, rows, frozenset({3})))


def _measures() -> Html:
    better = {1: "more", -1: "less", 0: "neither"}
    rows = [(name.replace("_", " "), one.words, UNITS[one.unit], better[one.better]) for name, one in CATALOGUE.items()]
    caption = "Of those who were assigned to a program, against its control; the first decides. Opens and clicks are no measure."
    content = table(caption, ("Measure", "What it is", "Unit", "Better"), rows)
    return section("measures", "Measures", "How success is measured", content)


def _targets(facts: HandbookFacts) -> Html:
    rows = [
        (
            capital(one.name.replace("_", " ")), one.owner or "nobody", one.program or "the store", capital(scorecard.WORDS[one.metric]),
            scorecard.shown_range(one, facts.currency), one.quarter or "every quarter",
        )
        for one in facts.documents.targets
    ]
    heads = ("Target", "Owner", "Of", "Measure", "Expected", "Quarter")
    finding = "What is to be reached" if rows else "There are none"
    return section("targets", "Targets", finding, table("How they stand is in the monthly review.", heads, rows))
