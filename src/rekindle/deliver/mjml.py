"""How MJML becomes HTML: without a way to other files, and never so deep that its reader would fall.

Knows nothing of Liquid and facts.
"""

import re

import mrml

from rekindle.deliver.sandbox import SOURCE_LIMIT
from rekindle.errors import BadData

DEPTH_LIMIT = 200
"""Tags within one another; mrml 0.2 ends the whole process at some more than a thousand, 2026-11."""

_TOKEN = re.compile(
    r"""(<!--(?!\[if)(?:.*?-->|.*))|<(/?)([^\s<>"'/=!?][^\s<>"'/=]*+)(?:[^<>"']|"[^"]*"|'[^']*')*?(/?)>""", re.DOTALL | re.IGNORECASE
)
"""A comment, or a tag. What stands in a comment for one mail program counts as if it stood outside: mrml reads it."""

_OPENING = re.compile(r"<[^\s/!]")
_EMPTY = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
"""Tags that hold nothing. Source: HTML, section 13.1.2, void elements."""


def page_of(mjml: str, name: str) -> str:
    """The HTML of an MJML document.

    Args:
        mjml: The document, with what it includes.
        name: What it is called in an error.

    Raises:
        BadData: It is no MJML, or longer or deeper than it may be.
    """
    if len(mjml) > SOURCE_LIMIT or _depth(mjml) > DEPTH_LIMIT:
        cause = f"{name}: the MJML has more than {SOURCE_LIMIT:,} characters or {DEPTH_LIMIT} tags within one another"
        raise BadData(cause, "Make it shorter; close every tag.")
    try:
        page: str = mrml.to_html(mjml, render_options=mrml.RenderOptions(fonts={})).content
    except Exception as error:  # mrml raises OSError for every mistake in a document, 2026-11
        raise BadData(f"{name}: the MJML cannot be read: {error}", "Mend the tag that it names.") from error
    return page


def _depth(mjml: str) -> int:
    """How many tags are open at most, or more."""
    most = now = 0
    for comment, closing, tag, closed in _TOKEN.findall(mjml):
        if comment:  # what mrml takes for one is not always the same, so nothing in it closes
            now += len(_OPENING.findall(comment))
        elif not closed and tag not in _EMPTY:
            now += -1 if closing else 1
        most = max(most, now)
    return most
