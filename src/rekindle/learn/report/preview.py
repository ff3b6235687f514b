"""How a mail looks, as a document that can neither load, run, send nor leave its frame.

Knows nothing of the report. What is not on the lists below is dropped, so a new trick has to be let in first.
"""

import re
from html import escape
from html.parser import HTMLParser

from rekindle.learn.report.markup import plain

# fmt: off
TAGS = frozenset(
    {
        "a", "b", "blockquote", "br", "center", "code", "div", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
        "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "style", "sub", "sup", "table", "tbody", "td",
        "tfoot", "th", "thead", "tr", "u", "ul",
    }
)
RENAMED = {"body": "div"}
SILENCED = frozenset(
    {
        "script", "title", "iframe", "object", "template", "svg", "math", "noscript", "textarea", "select", "button",
        "video", "audio",
    }
)
VOID = frozenset({"br", "hr", "img"})
ATTRIBUTES = frozenset(
    {
        "align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color", "colspan", "dir", "face",
        "height", "lang", "role", "rowspan", "size", "style", "title", "valign", "width",
    }
)
# fmt: on
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
UNSEEN = re.compile(r"<!--.*?-->|<!\[[^>]*>", re.DOTALL)  # comments, and what old mail programs read as conditions
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")
REMOTE_STYLE = re.compile(r"@import[^;]*;?|url\s*\([^)]*\)", re.IGNORECASE)
SUSPECT_STYLE = re.compile(r"//|\\|<|image-set|expression\s*\(|@import|url\s*\(|javascript:", re.IGNORECASE)
LOOK = "body{margin:0;background:#fff;color:#222;font-family:sans-serif}a{color:inherit}img{max-width:100%}"


def inert(mail: str) -> str:
    """A mail's HTML as a document for a sandboxed frame: same look, dead links, no remote pictures or fonts.

    >>> "onclick" in inert('<p onclick="x()">Hello</p>')
    False
    """
    reader = _Inert()
    reader.feed(UNSEEN.sub("", mail))
    reader.close()
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>Preview</title><style>{LOOK}</style></head><body>{''.join(reader.parts)}</body></html>"
    )


def inert_style(css: str) -> str:
    """A style without what fetches; empty where something suspect remains.

    >>> inert_style("color:red;background:url(https://x.example/a.png)")
    'color:red;background:'
    """
    kept = REMOTE_STYLE.sub("", css)
    return "" if SUSPECT_STYLE.search(kept) else kept


class _Inert(HTMLParser):
    """Writes a mail again from its parts, leaving out what may act; comments (also those for old mail programs) go."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silenced = 0
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps a listed element with its listed attributes; of a remote picture only its words."""
        if tag in SILENCED:
            self._silenced += 1
        tag = RENAMED.get(tag, tag)
        if self._silenced or tag not in TAGS:
            return
        if tag == "img" and not PICTURE.match(dict(attrs).get("src") or ""):
            self.handle_data(dict(attrs).get("alt") or "")
            return
        self._in_style = tag == "style"
        kept = "".join(f' {name}="{escape(plain(value))}"' for name, value in _attributes(tag, attrs))
        self.parts.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps a listed element that closes itself."""
        if tag not in SILENCED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Closes what was opened."""
        if tag in SILENCED:
            self._silenced = max(0, self._silenced - 1)
        tag = RENAMED.get(tag, tag)
        self._in_style = False
        if not self._silenced and tag in TAGS and tag not in VOID:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Keeps text; a style sheet loses what fetches."""
        if not self._silenced:
            self.parts.append(inert_style(data) if self._in_style else escape(plain(data)))


def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> list[tuple[str, str]]:
    kept = [(name, inert_style(value or "") if name == "style" else value or "") for name, value in attrs if name in ATTRIBUTES]
    return [*kept, ("src", dict(attrs).get("src") or "")] if tag == "img" else kept
