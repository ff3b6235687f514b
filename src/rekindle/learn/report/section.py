"""The frame of a section of the report: what it is about on the left, what it found on the right.

Knows nothing of any section.
"""

from rekindle.learn.report.markup import Html, el, unbroken


def section(name: str, topic: str, finding: str, *content: Html) -> Html:
    """A section with its topic, its finding as the heading, and its content."""
    heading = el("div", el("p", topic, class_="topic"), el("h2", unbroken(finding), id=f"{name}-finding"), class_="heading")
    return el("section", heading, el("div", *content, class_="content"), id=name, aria_labelledby=f"{name}-finding")


def tiles(*pairs: tuple[str, str, str]) -> Html:
    """Large figures: each with the words above it and the sentence below it."""
    boxes = (
        el("div", el("dt", above), el("dd", figure, class_="figure"), el("dd", below, class_="small")) for above, figure, below in pairs
    )
    return el("dl", *boxes, class_="tiles")
