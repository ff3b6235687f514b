"""A whole HTML page that needs nothing but itself: no network, no script, no font.

Knows nothing of what it says. The same parts give the same bytes.
"""

from collections.abc import Iterable

from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, join
from rekindle.learn.report.preview import POLICY
from rekindle.learn.report.style import STYLE
from rekindle.moment import AsOf


def sheet(title: str, main: Html, foot: Html, own_style: str = "") -> str:
    """The document around a page's parts.

    Args:
        title: Of the window.
        main: The element `main`.
        foot: From `made_of`.
        own_style: Rules that no other page has.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", Html(STYLE + own_style)),
    )
    return f"<!doctype html>\n{el('html', head, el('body', main, foot), lang='en')}\n"


def contents(parts: Iterable[tuple[str, str]]) -> Html:
    """Links to the page's own sections, by their ids."""
    return el("nav", *(el("a", words, href=f"#{name}") for name, words in parts), aria_label="On this page")


def made_of(as_of: AsOf, figures: Figures, more: str = "") -> Html:
    """The last line: of which instant, and by whom."""
    asked = f"As of {figures.day(as_of.day)}, {as_of.timezone}; facts of that day and later are not in it."
    return el("footer", el("p", join((asked, more, " Written by Rekindle. This page loads nothing from anywhere."))))
