"""A version of the table of chances as one HTML page: what it changes, on which evidence, and what it is expected to cost.

Knows nothing of stores or files. The same version in the same standing gives the same bytes.
"""

from dataclasses import dataclass

from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, listing, unbroken
from rekindle.learn.report.section import section
from rekindle.learn.report.sheet import contents, made_of, sheet
from rekindle.learn.versions import evidence, money_ahead, table
from rekindle.learn.versions.facts import Version
from rekindle.moment import AsOf

STYLE = (
    ".mark{margin-right:.45rem}.mark.before{color:var(--slowing)}.mark.after{color:var(--bar)}.stage{margin:0 0 2rem}"
    ".stage h3{margin-bottom:.2rem}details table{margin-top:.6rem}"
)
CONTENTS = (("changes", "What changes"), ("evidence", "Why"), ("cost", "Cost"), ("table", "The whole table"), ("read", "How to read it"))
WAYS = {"learning": "learned from what decisions brought", "by hand": "written by hand", "equal chance": "equal chances by rule"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a version stands.

    Args:
        words: Whether it is in force, and who approved it when; a sentence.
        next_step: The command that a reader may type next; empty where there is none.
    """

    words: str
    next_step: str = ""


def render_page(version: Version, standing: Standing, shop: str, figures: Figures, as_of: AsOf, simulated: bool = False) -> str:
    """The whole page.

    Args:
        version: What it tells of.
        standing: Whether it is in force.
        shop: The shop's name.
        figures: Writes numbers and days.
        as_of: The instant of the evidence.
        simulated: Whether the shop is made up.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    main = el(
        "main", _header(version, standing, shop, figures, simulated), contents(CONTENTS), table.changes_section(version, figures),
        evidence.evidence_section(version, figures), money_ahead.cost_section(version, figures), table.table_section(version, figures),
        _reading(),
    )  # fmt: skip
    return sheet(f"{shop}: chances {version.name}", main, made_of(as_of, figures), STYLE)


def _header(version: Version, standing: Standing, shop: str, figures: Figures, simulated: bool) -> Html:
    way = WAYS.get(version.way, f"chosen by the policy {version.way}")
    basis = f"It was {way}: {figures.many(version.decisions, 'decision', 'decisions')} so far, "
    basis += f"{figures.many(version.orders, 'of them', 'of them')} followed by an order."
    told = f"A new version of the table that says how likely each kind of customer is to get each message, or none. {basis}"
    names = el("p", "Version ", el("code", version.name), ", to replace ", el("code", version.before), ". ", standing.words, class_="small")
    step = (el("p", "To go on: ", el("code", standing.next_step), class_="small"),) if standing.next_step else ()
    notes = []
    if simulated:
        notes.append(el("p", el("strong", "Simulated."), " This marketplace is made up, and so are its customers.", class_="note"))
    heading = el("h1", unbroken(table.headline(version, figures)))
    return el("header", el("p", shop, class_="shop"), heading, el("p", told, class_="lede"), names, *step, *notes)


def _reading() -> Html:
    lines = (
        "A chance is how often a variant is drawn for a customer of a kind, before variants that this customer may not get are left out: "
        "the others then share its chance in proportion. The pictures show chances after that, the tables before it.",
        "Left alone: drawn to get nothing. Some always are, so that what a message is worth is measured against them.",
        "What a decision brings is the margin that followed it within the program’s horizon, less what offer and message cost, over that "
        "of customers who were left alone. Answers that have not had their time yet are allowed for.",
        "A kind of customer goes by what was seen of all kinds together until enough orders followed its own decisions; only then may its "
        "best variant be another one.",
        "Every variant keeps a small chance, so that a change of heart of the customers is noticed.",
    )
    return section("read", "How to read it", "What the words of this page mean", listing(lines))

