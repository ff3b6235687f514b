"""The report as one HTML page that needs nothing but itself: no network, no script, no font.

Knows nothing of stores or files. The same facts give the same bytes.
"""

from rekindle.learn.report import proposal, situation, verdict
from rekindle.learn.report.facts import ReportFacts
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import el
from rekindle.learn.report.sheet import contents, made_of, sheet

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
        contents(CONTENTS),
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
    kept = " Every message stayed in the mailbox of this machine." if facts.kept_here else ""
    return sheet(f"{facts.shop}: who is slipping away", main, made_of(facts.as_of, figures, kept))
