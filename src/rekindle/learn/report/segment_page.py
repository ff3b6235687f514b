"""The catalogue of segments as one HTML page that needs nothing but itself.

Knows nothing of stores or files. The same facts give the same bytes.
"""

from collections.abc import Iterator, Sequence

import altair as alt

from rekindle.errors import CannotTell
from rekindle.learn.report.charts import EDGE, Picture, figure
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, capital, el, table
from rekindle.learn.report.section import section, tiles
from rekindle.learn.report.segment_facts import Catalogue, Entry, Point
from rekindle.learn.report.sheet import contents, made_of, sheet

TALL = 120
SHADES = 5
OWN_STYLE = """
.rule{display:block;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem;margin:0 0 1rem;
white-space:pre-wrap}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem 1.25rem;margin:0 0 1rem}
.facts dt{font-size:.8rem;color:var(--soft)}.facts dd{margin:0;font-size:.925rem}
.heat{overflow-x:auto}.heat table{font-size:.85rem}.heat td{text-align:right;padding:.45rem .6rem;border:1px solid var(--line)}
.heat thead td{border:0}
.heat thead th{text-align:right;padding:.3rem .6rem;vertical-align:bottom}.heat tbody th{padding-right:.8rem;white-space:nowrap}
.heat .own{color:var(--soft)}
.s1{background:color-mix(in srgb,var(--bar) 12%,transparent)}.s2{background:color-mix(in srgb,var(--bar) 26%,transparent)}
.s3{background:color-mix(in srgb,var(--bar) 42%,transparent)}.s4{background:color-mix(in srgb,var(--bar) 60%,transparent)}
.s5{background:color-mix(in srgb,var(--bar) 80%,transparent)}
@media (max-width:48rem){.heat table{display:table}.heat thead{display:table-header-group}.heat tbody{display:table-row-group}
.heat tr{display:table-row}.heat th,.heat td{display:table-cell;border:1px solid var(--line);padding:.35rem .5rem}
.heat caption{display:table-caption}}
"""


def render_segments(found: Catalogue) -> str:
    """The whole page.

    Args:
        found: Everything it says.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    figures = Figures(found.currency, found.locale.replace("-", "_"))
    main = el(
        "main",
        _headline(found, figures),
        contents((_id(entry), _spoken(entry.name)) for entry in found.entries),
        _overview(found, figures),
        *(_segment(entry, found, figures) for entry in found.entries),
        _overlaps(found, figures),
    )
    return sheet(f"{found.shop}: segments", main, made_of(found.as_of, figures), OWN_STYLE)


def _headline(found: Catalogue, figures: Figures) -> Html:
    lede = "What the shop calls its customers: each segment's definition, its owner, how many it holds, and what it shares with others."
    counted = f"{figures.many(len(found.entries), 'segment', 'segments')} of {figures.many(found.customers, 'customer', 'customers')}"
    return el("header", el("p", found.shop, class_="shop"), el("h1", counted), el("p", lede, class_="lede"), *_notes(found, figures))


def _notes(found: Catalogue, figures: Figures) -> Iterator[Html]:
    if found.newest:
        earlier = f" Counted as of {figures.day(found.as_of.day)}; the newest count is of {figures.day(found.newest.date())}."
        yield el("p", el("strong", "An earlier day."), earlier, class_="note")
    if found.simulated:
        yield el("p", el("strong", "Simulated."), " This marketplace is made up, and so are its customers.", class_="note")


def _overview(found: Catalogue, figures: Figures) -> Html:
    rows = [
        (
            el("a", _spoken(entry.name), href=f"#{_id(entry)}"), figures.count(entry.counted.customers), _changed(entry, figures),
            figures.count(entry.counted.reachable), _money(entry.counted.margin_at_risk, figures), entry.owner or "nobody",
        )
        for entry in found.entries
    ]
    heads = ("Segment", "Customers", "Change", "By e-mail", "Margin at risk", "Owner")
    content = table("A customer may be in several segments, or in none.", heads, rows, frozenset({1, 2, 3, 4}))
    largest = max(found.entries, key=lambda entry: entry.counted.customers)
    finding = f"{_spoken(largest.name)} is the largest, with {figures.many(largest.counted.customers, 'customer', 'customers')}"
    return section("all", "All segments", finding, content)


def _segment(entry: Entry, found: Catalogue, figures: Figures) -> Html:
    counted = entry.counted
    share = figures.share(counted.customers / found.customers) if found.customers else "none"
    boxes = tiles(
        ("Customers", figures.count(counted.customers), f"{share} of all; {_changed(entry, figures)}"),
        ("May be written to", figures.count(counted.reachable), "have agreed to e-mail"),
        ("Margin expected", _money(counted.expected_margin, figures), f"{_money(counted.margin_at_risk, figures)} more is at risk"),
    )
    facts = (
        ("Version", el("code", entry.version)), ("Valid from", figures.day(entry.valid_from)),
        ("Last reviewed", figures.day(entry.reviewed)), ("Owner", entry.owner or "nobody"),
    )
    definition = el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in facts), class_="facts")
    lacks = [el("p", el("strong", "Not in your data."), f" {capital(entry.lacks)}.", class_="note")] if entry.lacks else []
    return section(_id(entry), _spoken(entry.name), entry.description, el("code", entry.rule, class_="rule"), *lacks, definition, boxes,
                   _over_time(entry, figures))  # fmt: skip


def _over_time(entry: Entry, figures: Figures) -> Html:
    if len(entry.history) == 1:
        return el("p", "Counted for the first time: its course is drawn from the second count on.", class_="small")
    if not any(point.customers for point in entry.history):
        return el("p", f"Nobody has been in it at any of {len(entry.history)} counts.", class_="small")
    first, last = entry.history[0], entry.history[-1]
    about = f"{_spoken(entry.name)}: {first.customers} customers on {first.at:%Y-%m-%d}, {last.customers} on {last.at:%Y-%m-%d}"
    picture = figure(lambda width: _course(entry.history, width), about, figures)
    versions = len({point.version for point in entry.history})
    told = f"Customers at each count, by {versions} definitions: a dashed line is a change." if versions > 1 else "Customers at each count."
    return el("figure", picture, el("figcaption", told))


def _course(history: Sequence[Point], width: int) -> Picture:
    """A line through the counts, a dot at each; a thin upright line where the definition changed."""
    values = [{"at": f"{point.at:%Y-%m-%dT%H:%M:%S}", "customers": point.customers} for point in history]
    anew_at = [after["at"] for after, one, two in zip(values[1:], history, history[1:], strict=False) if one.version != two.version]
    breaks = [{"at": at} for at in anew_at]
    base = alt.Chart(alt.InlineData(values=values), width=width - EDGE - 50, height=TALL)
    across = alt.X("at:T", axis=alt.Axis(title=None, format="%-d %b %Y", tickCount=min(len(values), width // 130), grid=False))
    most = max(point.customers for point in history) or 1
    axis = alt.Axis(title=None, tickCount=3, tickMinStep=1, format=",d", domain=False)
    up = alt.Y("customers:Q", axis=axis, scale=alt.Scale(domain=[0, most], nice=True))
    line = base.mark_line(strokeWidth=2).encode(x=across, y=up, color=alt.value("var(--bar)"))
    dots = base.mark_point(opacity=1, filled=True).encode(x=across, y=up, size=alt.value(40), color=alt.value("var(--bar)"))
    anew = alt.Chart(alt.InlineData(values=breaks)).mark_rule(strokeDash=[3, 3]).encode(x=across, color=alt.value("var(--slowing)"))
    return alt.layer(line, dots, *([anew] if breaks else []))


def _overlaps(found: Catalogue, figures: Figures) -> Html:
    names = [entry.name for entry in found.entries]
    heads = el("tr", el("td", ""), *(el("th", _spoken(name), scope="col") for name in names))
    rows = [
        el("tr", el("th", _spoken(entry.name), scope="row"), *(_cell(entry, other, found, figures) for other in names))
        for entry in found.entries
    ]
    caption = "Customers in both; the shade is their share of the segment that the row names."
    heat = el("div", el("table", el("caption", caption), el("thead", heads), el("tbody", *rows)), class_="heat", tabindex="0")
    return section("overlaps", "Overlaps", _most_alike(found, figures), heat)


def _cell(entry: Entry, other: str, found: Catalogue, figures: Figures) -> Html:
    own = entry.name == other
    both = entry.counted.customers if own else found.both(entry.name, other)
    if own or not both:
        return el("td", figures.count(both), class_="own")
    share = both / entry.counted.customers
    told = f"{figures.share(share)} of {_spoken(entry.name)}"
    return el("td", figures.count(both), class_=f"s{min(SHADES, 1 + int(share * SHADES))}", title=told)


def _most_alike(found: Catalogue, figures: Figures) -> str:
    counts = {entry.name: entry.counted.customers for entry in found.entries}
    shares = {pair: both / (counts[pair[0]] + counts[pair[1]] - both) for pair, both in found.overlaps.items() if both}
    if not shares:
        return "No customer is in two segments"
    one, other = max(sorted(shares), key=lambda pair: shares[pair])
    many = figures.many(found.both(one, other), "customer", "customers")
    return f"{_spoken(one)} and {_spoken(other).lower()} are most alike: {many} in both"


def _changed(entry: Entry, figures: Figures) -> str:
    if entry.change is None or entry.since is None:
        return "first count"
    redefined = ", defined anew" if entry.redefined else ""
    more = f"{'+' if entry.change > 0 else '-'}{figures.count(abs(entry.change))}" if entry.change else "unchanged"
    return f"{more} since {figures.day(entry.since.date())}{redefined}"


def _money(value: int | CannotTell, figures: Figures) -> str:
    return "not known" if isinstance(value, CannotTell) else figures.rough(value)


def _id(entry: Entry) -> str:
    """Where the page has a segment: never where it has something else, whatever the segment is called."""
    return f"segment-{entry.name}"


def _spoken(name: str) -> str:
    return capital(name.replace("_", " "))
