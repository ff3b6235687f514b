"""The report's pictures, as inline SVG without scripts.

Knows nothing of the page but its colours, which are CSS variables so that dark mode and print follow. Each picture is drawn
twice, for a wide and for a narrow window: one that is merely scaled cannot be read on a telephone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import vl_convert

from rekindle import money
from rekindle.insight.models import Interval
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, plain

WIDE, NARROW = 808, 340  # pixels
EDGE = 8
ROW = 46
LONGEST = 60  # characters of a label
MIDDLE = 33  # of what is drawn in a row
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
INK, SOFT, LINE = "var(--ink)", "var(--soft)", "var(--line)"

Picture = alt.LayerChart | alt.FacetChart


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its length, the words at its end, and how much of it is filled (all where None)."""

    label: str
    length: float
    words: str
    filled: float | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """A point with its interval in minor units, its words, and the truth where it is known."""

    label: str
    interval: Interval
    words: str
    truth: float | None = None


def bars(rows: Sequence[Bar], about: str, figures: Figures) -> Html:
    """Horizontal bars with their labels above; one longer than half the width is cut."""
    return figure(lambda width: _bar_chart(rows, width), about, figures)


def ranges(rows: Sequence[Range], about: str, figures: Figures) -> Html:
    """Points with intervals on one axis of money, nothing (0) marked; a diamond is the truth."""
    return figure(lambda width: _range_chart(rows, width, figures), about, figures)


def figure(draw: Callable[[int], Picture], about: str, figures: Figures) -> Html:
    """A picture in its two widths; `about` is what a screen reader says."""
    widths = (("wide", WIDE), ("narrow", NARROW))
    drawn = (el("div", _svg(draw(width), figures), class_=kind, role="img", aria_label=about) for kind, width in widths)
    return el("div", *drawn, class_="chart")


def _svg(chart: Picture, figures: Figures) -> Html:
    dressed = (
        chart.configure(font=FONT, background="transparent", aria=False, padding={"left": 0, "top": 4, "right": 8, "bottom": 4})
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=SOFT,
            titleColor=SOFT,
            gridColor=LINE,
            domainColor=LINE,
            tickColor=LINE,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelPadding=6,
        )
    )
    drawn = vl_convert.vegalite_to_svg(dressed.to_dict(), format_locale=figures.format_locale, allowed_base_urls=[])
    return Html(re.sub(r' xmlns(:xlink)?="[^"]*"| version="1\.1"', "", drawn))


def _bar_chart(rows: Sequence[Bar], width: int) -> Picture:
    longest = max((row.length for row in rows), default=0) or 1
    values: list[dict[str, str | float | None]] = [
        {
            "label": row.label,
            "words": row.words,
            "full": row.length / longest,
            "filled": (row.length if row.filled is None else row.filled) / longest,
        }
        for row in rows
    ]
    base, down = _rows(values, width)
    across = alt.Scale(domain=[0, 1], nice=False)
    bar = base.mark_bar(height=11, yOffset=30, cornerRadiusEnd=3)
    return alt.layer(
        bar.encode(x=alt.X("full:Q", axis=None, scale=across), x2=alt.datum(0), y=down, color=alt.value("var(--bar-soft)")),
        bar.encode(x=alt.X("filled:Q", axis=None, scale=across), x2=alt.datum(0), y=down, color=alt.value("var(--bar)")),
        *_words(base, down, width),
    )


def _range_chart(rows: Sequence[Range], width: int, figures: Figures) -> Picture:
    values: list[dict[str, str | float | None]] = [
        {
            "label": row.label,
            "words": row.words,
            "truth": None if row.truth is None else units(row.truth, figures),
            "estimate": units(row.interval.estimate, figures),
            "low": units(row.interval.low, figures),
            "high": units(row.interval.high, figures),
        }
        for row in rows
    ]
    base, down = _rows(values, width)
    axis = alt.Axis(format=",~r", tickCount=width // 110, grid=False, title=figures.currency, domain=False)
    across = alt.X("low:Q", axis=axis, scale=alt.Scale(domain=_domain(rows, figures), nice=False))
    line = base.mark_rule(yOffset=MIDDLE, y2Offset=MIDDLE)
    point = base.mark_point(yOffset=MIDDLE, opacity=1)
    nothing = base.mark_rule(yOffset=MIDDLE - 9, y2Offset=MIDDLE + 9, strokeWidth=1.5)
    return alt.layer(
        line.encode(x=alt.value(0), x2=alt.value(width - EDGE), y=down, color=alt.value(LINE)),
        nothing.encode(x=alt.datum(0), y=down, y2="row:Q", color=alt.value(SOFT)),
        line.encode(x=across, x2="high:Q", y=down, color=alt.value("var(--bar)"), strokeWidth=alt.value(4), opacity=alt.value(0.5)),
        point.encode(x="estimate:Q", y=down, size=alt.value(100), fill=alt.value("var(--bar)"), stroke=alt.value("var(--bar)")),
        point.transform_filter("isValid(datum.truth)").encode(
            x="truth:Q",
            y=down,
            size=alt.value(120),
            shape=alt.value("diamond"),
            stroke=alt.value("var(--risk)"),
            strokeWidth=alt.value(2.5),
        ),
        *_words(base, down, width),
    )


def _rows(values: Sequence[Mapping[str, str | float | None]], width: int) -> tuple[alt.Chart, alt.Y]:
    """A chart with a row for each value, and the channel that sets the rows below each other."""
    tall = ROW * len(values)
    clean = ({name: _drawable(cell) for name, cell in value.items()} for value in values)
    data = alt.InlineData(values=[{**value, "row": at * ROW} for at, value in enumerate(clean)])
    down = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[0, tall], range=[0, tall], nice=False))
    return alt.Chart(data, width=width - EDGE, height=tall), down


def _drawable(cell: str | float | None) -> str | float | None:
    """Text as the renderer can take it: a NUL ends its process, and a long text its speed."""
    if not isinstance(cell, str):
        return cell
    return plain(cell if len(cell) <= LONGEST else f"{cell[:LONGEST]}…")


def _words(base: alt.Chart, down: alt.Y, width: int) -> tuple[alt.Chart, alt.Chart]:
    """A row's label on the left and its figures on the right, above what is drawn."""
    left = base.mark_text(align="left", baseline="middle", fontSize=13, color=INK, dy=13, limit=width * 0.54)
    right = base.mark_text(align="right", baseline="middle", fontSize=13, color=SOFT, dy=13)
    return left.encode(x=alt.value(0), y=down, text="label:N"), right.encode(x=alt.value(width - EDGE), y=down, text="words:N")


def _domain(rows: Sequence[Range], figures: Figures) -> list[float]:
    ends = [units(end, figures) for row in rows for end in (row.interval.low, row.interval.high, row.interval.estimate, row.truth or 0)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    spare = 0.03 * (high - low) or 1.0
    return [low - spare, high + spare]


def units(minor: float, figures: Figures) -> float:
    """Minor units as units, for an axis."""
    return minor / float(10 ** money.exponent(figures.currency))
