"""HTML that is safe by construction: text is escaped unless it is already `Html`.

Knows nothing of the report.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

# Controls and direction overrides: no name needs them, and they can rewrite a terminal or a line of text.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
VOID = frozenset({"meta", "br", "hr", "img", "col"})


class Html(str):
    """Markup that needs no more escaping."""

    __slots__ = ()


def plain(text: str) -> str:
    r"""Text without characters that are never part of a name.

    >>> plain("Ann\x1b[31m")
    'Ann\ufffd[31m'
    """
    return UNPRINTABLE.sub("\ufffd", text)


def safe(text: str) -> Html:
    """Text as markup.

    >>> safe("<b>")
    '&lt;b&gt;'
    """
    return text if isinstance(text, Html) else Html(escape(plain(text)))


def el(tag: str, *children: str, **attributes: str | int) -> Html:
    """An element; a trailing underscore of an attribute's name goes, others become hyphens.

    >>> el("p", "a < b", class_="x", aria_label='"')
    '<p class="x" aria-label="&quot;">a &lt; b</p>'
    """
    pairs = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(plain(str(value)))}"' for name, value in attributes.items())
    return Html(f"<{tag}{pairs}>" if tag in VOID else f"<{tag}{pairs}>{join(children)}</{tag}>")


def join(parts: Iterable[str]) -> Html:
    """Parts one after the other."""
    return Html("".join(safe(part) for part in parts))


def unbroken(text: str) -> Html:
    """Text whose amounts and percentages stay on one line.

    >>> unbroken("at most EUR 620")
    'at most <span class="unbroken">EUR 620</span>'
    """
    return Html(re.sub(r"\b[A-Z]{3} [+-]?\d[\d.,]*\d|\b\d[\d.,]* %", r'<span class="unbroken">\g<0></span>', safe(text)))


def capital(label: str) -> str:
    """A label as it begins a line."""
    return label[:1].upper() + label[1:]


def listing(items: Iterable[str], **attributes: str | int) -> Html:
    """A list without order."""
    return el("ul", *(el("li", item) for item in items), **attributes)


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: frozenset[int] = frozenset()) -> Html:
    """A table that a phone shows as cards; the first cell of a row names it.

    Roles are spelled out because cards lose a table's own. `numeric` are the columns set to the right.
    """
    columns = (el("th", name, scope="col", role="columnheader", class_=_kind(at, numeric)) for at, name in enumerate(heads))
    head = el("tr", *columns, role="row")
    body = [el("tr", *(_cell(at, heads[at], cell, numeric) for at, cell in enumerate(row)), role="row") for row in rows]
    return el(
        "table",
        el("caption", caption),
        el("thead", head, role="rowgroup"),
        el("tbody", *body, role="rowgroup"),
        role="table",
    )


def _cell(at: int, head: str, content: str, numeric: frozenset[int]) -> Html:
    if at == 0:
        return el("th", content, scope="row", role="rowheader", class_="name")
    return el("td", el("span", head, class_="head", aria_hidden="true"), el("span", content), role="cell", class_=_kind(at, numeric))


def _kind(at: int, numeric: frozenset[int]) -> str:
    return "number" if at in numeric else "words"
