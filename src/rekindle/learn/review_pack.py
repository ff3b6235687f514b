"""The monthly review as one HTML page that prints well: what happened, against baseline and target, learned, proposed, and in the way.

Knows nothing of stores or files. The same facts give the same bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from rekindle.learn import scorecard
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, capital, el, listing, table
from rekindle.learn.report.section import section, tiles
from rekindle.learn.report.sheet import contents, made_of, sheet
from rekindle.learn.scorecard import Standing
from rekindle.moment import AsOf

FUNCTIONS = ("marketing", "product", "support", "data", "operations")
"""Who sits at the table; a blocker belongs to one of them."""

CONTENTS = (
    ("happened", "What happened"), ("targets", "Targets"), ("learned", "Learned"), ("proposed", "Proposed"), ("reviews", "Reviews"),
    ("blockers", "In the way"), ("functions", "By function"), ("audit", "Audit"),
)  # fmt: skip

OWN_STYLE = """
.state{font-weight:600;white-space:nowrap}.under{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}
.under.behind{color:var(--risk)}.behind{color:var(--risk)}.good{color:var(--back)}.open{color:var(--soft)}
.functions{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1.5rem 2rem}
.functions ul{padding-left:1.1rem;margin:0}.functions li{margin-bottom:.5rem}
.sign{border-top:1px solid var(--ink);margin-top:3.5rem;padding-top:.4rem;max-width:22rem;font-size:.875rem;color:var(--soft)}
@media print{@page{size:A4;margin:16mm}body{font-size:10.5pt}section{break-inside:auto}.heading,h3,caption{break-after:avoid}
header{padding-bottom:.5rem}h1{font-size:22pt}.functions{grid-template-columns:1fr 1fr}.functions div{break-inside:avoid}}
"""

SO_FAR = (
    "A lift is of the rounds whose window ended in the quarter, and of no others. "
    "Numbers with ends lie between these, 95 times in 100."
)
STATES = {"on track": "good", "behind": "behind", "cannot tell": "open"}


@dataclass(frozen=True, slots=True)
class Level:
    """A number of the period beside the baseline's for as many days.

    Args:
        words: What it is.
        now: As people read it.
        before: The baseline's; empty where none is frozen.
        change: The relative change; None where there is none to tell.
        told: The change with its interval in words, where it has one.
    """

    words: str
    now: str
    before: str
    change: float | None
    told: str = ""


@dataclass(frozen=True, slots=True)
class ProgramPart:
    """A program in the period.

    Args:
        name: Its name.
        owner: Who answers for it.
        messages: Handed over.
        opt_outs: Customers who took a consent back after one.
        complaints: Customers who called one spam.
        worth: What it was worth, in words.
        state: Running, or why it waits.
    """

    name: str
    owner: str
    messages: int
    opt_outs: int
    complaints: int
    worth: str
    state: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """When a program is reviewed, in words of a day's state."""

    program: str
    owner: str
    on: date
    state: str
    last: date | None
    note: str


@dataclass(frozen=True, slots=True)
class BlockerRow:
    """What stands in the way: its number, whose it is, and by when it is to be gone."""

    number: int
    text: str
    function: str
    program: str
    owner: str
    due: date


@dataclass(frozen=True, slots=True)
class AuditRow:
    """The last audit: its day, what it found, and who stands for it; no name where nobody does yet."""

    day: date
    digest: str
    findings: tuple[str, ...]
    signed_by: str


@dataclass(frozen=True, slots=True)
class PackFacts:
    """Everything that the page says.

    Args:
        shop: Its name.
        currency, locale: For figures.
        as_of: The instant.
        since: The first day of the period.
        simulated: Whether the store is made up.
        levels: Of the period beside the baseline.
        baseline: Of which period that is, in words; empty where none is frozen.
        programs: Each in the period.
        targets: How they stand.
        learned: What is known now, sentences.
        proposed: What waits for a yes, sentences.
        reviews: When each program is reviewed.
        blockers: What is in the way.
        functions: What each function should know, sentences.
        audit: The last one; None before the first.
    """

    shop: str
    currency: str
    locale: str
    as_of: AsOf
    since: date
    simulated: bool
    levels: tuple[Level, ...]
    baseline: str
    programs: tuple[ProgramPart, ...]
    targets: tuple[Standing, ...]
    learned: tuple[str, ...]
    proposed: tuple[str, ...]
    reviews: tuple[ReviewRow, ...]
    blockers: tuple[BlockerRow, ...]
    functions: Mapping[str, tuple[str, ...]]
    audit: AuditRow | None

    def counted(self, status: str) -> int:
        """How many targets stand so."""
        return sum(one.status == status for one in self.targets)


def render_pack(facts: PackFacts) -> str:
    """The whole page.

    Args:
        facts: Everything it says.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    figures = Figures(facts.currency, facts.locale.replace("-", "_"))
    main = el(
        "main", _headline(facts, figures), contents(CONTENTS), _happened(facts, figures), _targets(facts), _learned(facts),
        _proposed(facts), _reviews(facts, figures), _blockers(facts, figures), _functions(facts), _audit(facts, figures),
    )
    return sheet(f"{facts.shop}: review of {facts.as_of.last_day:%B %Y}", main, made_of(facts.as_of, figures), OWN_STYLE)


def _headline(facts: PackFacts, figures: Figures) -> Html:
    behind, on_track, open_ = (facts.counted(one) for one in ("behind", "on track", "cannot tell"))
    late = sum(one.state in ("overdue", "past its grace") for one in facts.reviews)
    sentence = f"{on_track} of {figures.many(len(facts.targets), 'target', 'targets')} on track, {behind} behind"
    lede = f"Of {open_} it cannot be told yet." if open_ else "Every target can be told."
    parts = [
        el("p", f"{facts.shop}: monthly review", class_="shop"), el("h1", sentence),
        el("p", f"{figures.day(facts.since)} to {figures.day(facts.as_of.last_day)}. {lede}", class_="lede"),
    ]
    if late:
        of = figures.many(late, "program", "programs")
        parts.append(el("p", el("strong", "Reviews are overdue."), f" Of {of}: see below.", class_="note"))
    if facts.simulated:
        parts.append(el("p", el("strong", "Simulated."), " This marketplace is made up, and so are its customers.", class_="note"))
    return el("header", *parts)


def _happened(facts: PackFacts, figures: Figures) -> Html:
    boxes = ((one.words, one.now, _against(one)) for one in facts.levels)
    rows = [
        (
            el("span", one.name, *([el("span", one.state, class_="under behind")] if one.state != "running" else [])),
            figures.count(one.messages), figures.count(one.complaints), figures.count(one.opt_outs), capital(one.worth),
        )
        for one in facts.programs
    ]
    heads = ("Program", "Messages", "Complaints", "Opt-outs", "Worth so far")
    against = f"Figures are against {facts.baseline}, for as many days: season and growth are in the difference"
    caption = f"{against if facts.baseline else 'No baseline is frozen'}. What programs are worth is against their controls, at random."
    messages = sum(one.messages for one in facts.programs)
    finding = f"{figures.many(messages, 'message', 'messages')} went out, by {figures.many(_at_work(facts), 'program', 'programs')}"
    return section("happened", "What happened", finding, tiles(*boxes), table(caption, heads, rows, frozenset({1, 2, 3})))


def _at_work(facts: PackFacts) -> int:
    return sum(one.messages > 0 for one in facts.programs)


def _against(one: Level) -> str:
    if not one.before:
        return "nothing to compare with yet"
    change = f"{100 * one.change:+.0f} %, " if one.change is not None else ""
    return f"{one.told}; {one.before} in the baseline" if one.told else f"{change}{one.before} in the baseline"


def _targets(facts: PackFacts) -> Html:
    rows = [
        (
            el("span", _spoken(one.target.name), el("span", one.target.owner or "nobody", class_="under")),
            capital(scorecard.WORDS[one.target.metric]),
            el("span", scorecard.shown_range(one.target, facts.currency), _under(_compared(one, facts.currency))),
            scorecard.shown_found(one, facts.currency),
            el("span", el("span", one.status, class_=f"state {STATES[one.status]}"), _under(one.why)),
        )
        for one in facts.targets
    ]
    heads = ("Target and owner", "Measure", "Expected", "So far", "Status")
    quarter = facts.targets[0].quarter if facts.targets else ""
    finding = f"{facts.counted('behind')} behind in {quarter}" if facts.targets else "No target is written down for this quarter"
    return section("targets", "Targets", finding, table(SO_FAR, heads, rows))


def _under(said: str) -> Html:
    return el("span", said, class_="under")


def _compared(one: Standing, currency: str) -> str:
    said = scorecard.shown_baseline(one, currency)
    return f"against {said}" if said else ""


def _learned(facts: PackFacts) -> Html:
    finding = "What can be said now" if facts.learned else "Nothing new can be said yet"
    none = el("p", "Results are said when rounds are old enough and the difference is more than chance.", class_="small")
    return section("learned", "Learned", finding, listing(facts.learned) if facts.learned else none)


def _proposed(facts: PackFacts) -> Html:
    finding = f"{len(facts.proposed)} to decide" if facts.proposed else "Nothing waits for a decision"
    none = el("p", "No plan, table of chances or experiment waits for a yes.", class_="small")
    return section("proposed", "Proposed", finding, listing(facts.proposed) if facts.proposed else none)


def _reviews(facts: PackFacts, figures: Figures) -> Html:
    rows = [
        (
            one.program, one.owner or "nobody", figures.day(one.on), el("span", one.state, class_=f"state {_shade(one.state)}"),
            figures.day(one.last) if one.last else "never", one.note or "-",
        )
        for one in facts.reviews
    ]
    heads = ("Program", "Owner", "Due", "State", "Last held", "What it found")
    first = facts.reviews[0] if facts.reviews else None
    finding = f"{first.program} is the next, on {figures.day(first.on)}" if first else "There is no program"
    caption = "Past its grace a program's marketing waits until the review is held."
    return section("reviews", "Reviews", finding, table(caption, heads, rows))


def _shade(state: str) -> str:
    return {"later": "good", "soon": "open"}.get(state, "behind")


def _blockers(facts: PackFacts, figures: Figures) -> Html:
    rows = [
        (f"{one.number}. {one.text}", one.function, one.program or "all", one.owner, _due(one.due, facts, figures))
        for one in facts.blockers
    ]
    heads = ("What", "Function", "Program", "Owner", "To be gone by")
    finding = f"{figures.many(len(rows), 'blocker is', 'blockers are')} open" if rows else "Nothing is in the way"
    content = table("The most urgent first.", heads, rows) if rows else el("p", "Write one down: rekindle blocker add.", class_="small")
    return section("blockers", "In the way", finding, content)


def _due(due: date, facts: PackFacts, figures: Figures) -> Html:
    late = due < facts.as_of.day
    return el("span", figures.day(due) + (", late" if late else ""), class_="state behind" if late else "state open")


def _functions(facts: PackFacts) -> Html:
    def part(name: str) -> Html:
        mine = (*facts.functions.get(name, ()), *_mine(facts, name))
        said = listing(mine) if mine else el("p", "Nothing to say.", class_="small")
        return el("div", el("h3", capital(name)), said)

    finding = "What each of you should know, and whose move it is"
    return section("functions", "By function", finding, el("div", *(part(name) for name in FUNCTIONS), class_="functions"))


def _mine(facts: PackFacts, function: str) -> Iterator[str]:
    for one in facts.blockers:
        if one.function == function:
            yield f"In the way: {one.text} ({one.owner}, by {one.due})"


def _audit(facts: PackFacts, figures: Figures) -> Html:
    if facts.audit is None:
        return section("audit", "Audit", "No audit was made yet", el("p", "Make one: rekindle audit.", class_="small"))
    found = facts.audit.findings
    finding = f"{figures.many(len(found), 'finding', 'findings')} on {figures.day(facts.audit.day)}" if found else "Nothing was found"
    yes = facts.audit.signed_by
    signed = f"Signed off by {yes}." if yes else "It waits for a sign-off: rekindle audit --sign-off last"
    told = el("p", f"Audit {facts.audit.digest[:12]} of {figures.day(facts.audit.day)}. {signed}")
    parts = [listing(found)] if found else []
    return section("audit", "Audit", finding, *parts, told, el("p", "Read and agreed, name and day", class_="sign"))


def _spoken(name: str) -> str:
    return capital(name.replace("_", " "))
