"""The report as one HTML page that needs nothing but itself: no network, no script, no font.

Knows nothing of stores or files. The same facts give the same bytes.
"""

from rekindle.learn.report import proposal, situation, verdict
from rekindle.learn.report.facts import ReportFacts
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, join
from rekindle.learn.report.preview import POLICY
from rekindle.learn.report.style import STYLE

CONTENTS = (
    ("map", "Map"),
    ("why", "Why"),
    ("who", "Who"),
    ("sequence", "Proposal"),
    ("money", "Money"),
    ("alone", "Left alone"),
    ("worth", "What we know"),
    ("customers", "Customers"),
    ("assumptions", "Assumptions"),
)


def render_page(facts: ReportFacts) -> str:
    """The whole page.

    Args:
        facts: Everything it says.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    figures = Figures.of(facts)
    main = el(
        "main",
        situation.headline(facts, figures),
        el("nav", *(el("a", words, href=f"#{name}") for name, words in CONTENTS), aria_label="On this page"),
        situation.map_section(facts, figures),
        situation.why_section(facts, figures),
        situation.who_section(facts, figures),
        proposal.sequence_section(facts, figures),
        proposal.money_section(facts, figures),
        proposal.alone_section(facts, figures),
        verdict.worth_section(facts, figures),
        verdict.notable_section(facts, figures),
        verdict.assumptions_section(facts),
    )
    return f"<!doctype html>\n{el('html', _head(facts), el('body', main, _foot(facts, figures)), lang='en')}\n"


def _head(facts: ReportFacts) -> Html:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{facts.shop}: who is slipping away"),
        el("style", Html(STYLE)),
    )


def _foot(facts: ReportFacts, figures: Figures) -> Html:
    kept = " Every message stayed in the mailbox of this machine." if facts.kept_here else ""
    asked = f"As of {figures.day(facts.as_of.day)}, {facts.as_of.timezone}; facts of that day and later are not in it."
    return el("footer", el("p", join((asked, kept, " Written by Rekindle. This page loads nothing from anywhere."))))
