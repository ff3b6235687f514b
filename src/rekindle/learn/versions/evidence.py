"""On what a version rests: the chances that change most, what was seen of them, how much of the answers has come, and why.

Knows nothing of money ahead.
"""

from rekindle.errors import CannotTell
from rekindle.learn.report.charts import Range, ranges
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, listing, table
from rekindle.learn.report.section import section
from rekindle.learn.versions.facts import Change, Evident, Version
from rekindle.learn.versions.words import arm_words, context_words, stage_words
from rekindle.program.documents import NOTHING

SHOWN = 8
"""Changes that have a line of their own."""

HALF = 0.5
FEW = 3
"""So many notes stand open."""


def evidence_section(version: Version, figures: Figures) -> Html:
    """The changes of most weight with what is known of each, and why."""
    known = [(one, version.evidence[_key(one)]) for one in version.differing if _key(one) in version.evidence]
    compared = [(one, found) for one, found in known if one.arm != NOTHING and found.reach > 0][:SHOWN]
    if not compared:
        words = "No decision has been drawn for what it changes: nothing was seen that speaks for it or against it."
        return section("evidence", "Why", "Nothing has been seen yet", el("p", words), *_notes(version))
    tried = sum(found.decisions > 0 for _, found in compared)
    finding = f"Of the {len(compared)} changes of most weight, {tried} were tried before; the others rest on what the programs assume"
    if tried == len(compared):
        finding = f"All {len(compared)} changes of most weight were tried before"
    axis = "What a decision brings more than leaving the customer alone, with a 95 % interval; the short line is no difference."
    return section(
        "evidence", "Why", finding, el("p", axis, class_="axis"),
        ranges([_range(one, found, figures) for one, found in compared], "What a decision brings more than nothing", figures),
        table(
            "The changes of most weight (how far they move, for how many customers), and why",
            ("Where", "Chance", "Decisions", "Orders", "Likely the best", "Why"),
            [_row(one, found, figures) for one, found in compared], frozenset({1, 2, 3, 4}),
        ),
        *_maturity(version, figures), *_notes(version),
    )  # fmt: skip


def _key(one: Change) -> tuple[str, str, str, str]:
    return one.program, one.stage, one.context, one.arm


def _label(one: Change) -> str:
    return f"{arm_words(one.arm)}, {context_words(one.context)}"


def _range(one: Change, found: Evident, figures: Figures) -> Range:
    return Range(f"{_label(one)} ({one.stage})", found.margin, figures.signed(found.margin.estimate))


def _row(one: Change, found: Evident, figures: Figures) -> tuple[str, ...]:
    where = f"{stage_words(one.program, one.stage)}: {_label(one)}"
    chance = f"{figures.share(one.before)} → {figures.share(one.after)}"
    return where, chance, figures.count(found.decisions), figures.count(found.orders), figures.share(found.best_chance), found.why


def _maturity(version: Version, figures: Figures) -> list[Html]:
    """How much of the answers has come, and where so little that the table may well change again."""
    shares = {stage_words(*key): share for key, share in version.maturity.items() if not isinstance(share, CannotTell)}
    unknown = [stage_words(*key) for key, share in version.maturity.items() if isinstance(share, CannotTell)]
    said = []
    if shares:
        listed = "; ".join(f"{name} {figures.share(share)}" for name, share in shares.items())
        said.append(el("p", f"Of the answers that these decisions will have, so much should have come by now: {listed}.", class_="small"))
    if early := [name for name, share in shares.items() if share < HALF]:
        said.append(el("p", f"Early: most answers are still to come at {'; '.join(early)}.", class_="small"))
    if unknown:
        said.append(el("p", f"No decision yet at {'; '.join(unknown)}.", class_="small"))
    return said


def _notes(version: Version) -> list[Html]:
    """What a reader has to know besides, behind a fold where it is much."""
    said = [f"{one[:1].upper()}{one[1:]}." for one in version.notes]
    if not said:
        return []
    return [el("details", el("summary", "What to know besides"), listing(said), **({} if len(said) > FEW else {"open": "open"}))]
