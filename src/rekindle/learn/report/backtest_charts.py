"""The pictures of a backtest: how many were expected, whether chances came true, and the scores against the fixed-day rule.

Knows nothing of how it was measured. Every kind of mark has a colour and a shape of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from rekindle.insight.backtest import Origin
from rekindle.insight.models import Interval
from rekindle.learn.report.charts import EDGE, INK, LINE, SOFT, WIDE, Picture, figure
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html

ROW = 50
MIDDLE = 35                 # of what is drawn in a row
SHAPES = {"model": "circle", "calendar": "diamond", "rule": "square", "best": "triangle-up"}
COLORS = {"model": "var(--bar)", "calendar": "var(--risk)", "rule": "var(--slowing)", "best": "var(--lapsed)"}
GLYPHS = {"model": "●", "calendar": "◆", "rule": "■", "best": "▲"}


@dataclass(frozen=True, slots=True)
class Row:
    """Marks on one line.

    Args:
        label: On the left above them.
        words: On the right above them.
        marks: Where each kind stands.
        span: The interval of the first, if it has one.
    """

    label: str
    words: str
    marks: dict[str, float]
    span: Interval | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """What the marks are measured along.

    Args:
        title: In words; None where a heading says it.
        domain: Its ends.
        format: Of its numbers, d3-format.
        aim: Where the marks should be, if there is such a place.
    """

    title: str | None
    domain: tuple[float, float]
    format: str
    aim: float | None = None


def lines_of_marks(rows: Sequence[Row], axis: Axis, about: str, figures: Figures) -> Html:
    """A line for each row, with marks of several kinds on a common axis."""
    return figure(lambda width: _lines(rows, axis, width), about, figures)


def reliability(origins: Sequence[Origin], figures: Figures) -> Html:
    """A panel for each origin: the chance told against the share who ordered, with intervals; on the diagonal both are equal."""
    about = "Chance of another order as told, against the share of customers who ordered, in ten groups at each origin"
    return figure(lambda width: _panels(origins, width, figures), about, figures)


def _lines(rows: Sequence[Row], axis: Axis, width: int) -> Picture:
    tall = ROW * len(rows)
    down = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[0, tall], range=[0, tall], nice=False))
    values = [
        {
            "row": at * ROW, "label": row.label, "words": row.words, "low": row.span.low if row.span else None,
            "high": row.span.high if row.span else None, **row.marks,
        }
        for at, row in enumerate(rows)
    ]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=values), width=width - EDGE, height=tall)
    scale = alt.Scale(domain=list(axis.domain), nice=False, clamp=True)
    ticks = alt.Axis(format=axis.format, tickCount=width // 90, grid=False, title=axis.title, domain=False)
    line = base.mark_rule(yOffset=MIDDLE, y2Offset=MIDDLE)
    layers = [line.encode(x=alt.value(0), x2=alt.value(width - EDGE), y=down, color=alt.value(LINE))]
    if axis.aim is not None:
        aim = base.mark_rule(strokeWidth=1.5, strokeDash=[4, 3], color=SOFT)
        layers.append(aim.encode(x=alt.X(datum=axis.aim, type="quantitative", scale=scale), y=alt.value(0), y2=alt.value(tall)))
    span = base.mark_rule(yOffset=MIDDLE, y2Offset=MIDDLE, color=COLORS["model"], strokeWidth=4, opacity=0.45)
    span = span.transform_filter("isValid(datum.low)")
    layers.append(span.encode(x=alt.X("low:Q", axis=ticks, scale=scale), x2="high:Q", y=down))
    kinds = {kind for row in rows for kind in row.marks}
    for kind in (kind for kind in reversed(SHAPES) if kind in kinds):
        point = base.mark_point(yOffset=MIDDLE, opacity=1, filled=True, shape=SHAPES[kind], size=95, color=COLORS[kind])
        layers.append(point.encode(x=alt.X(f"{kind}:Q", axis=ticks, scale=scale), y=down))
    left = base.mark_text(align="left", baseline="middle", fontSize=13, color=INK, dy=15, limit=width * 0.5)
    right = base.mark_text(align="right", baseline="middle", fontSize=13, color=SOFT, dy=15)
    layers.append(left.encode(x=alt.value(0), y=down, text="label:N"))
    layers.append(right.encode(x=alt.value(width - EDGE), y=down, text="words:N"))
    return alt.layer(*layers)


def _panels(origins: Sequence[Origin], width: int, figures: Figures) -> Picture:
    columns = min(len(origins), 4 if width == WIDE else 2)
    side = min((width - 50) // columns - 22, 300)
    values = [
        {
            "panel": at, "origin": figures.day(origin.as_of.day), "tenth": tenth, "told": decile.predicted, "came": decile.actual.estimate,
            "low": decile.actual.low, "high": decile.actual.high,
        }
        for at, origin in enumerate(origins) for tenth, decile in enumerate(origin.chances)
    ]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=values), width=side, height=side)
    scale = alt.Scale(domain=[0, 1], nice=False)
    told, came = (alt.Axis(title=title, format=".0%", values=[0, 0.5, 1], domain=False) for title in ("chance told", "share who ordered"))
    across, up = alt.X("told:Q", scale=scale, axis=told), alt.Y("came:Q", scale=scale, axis=came)
    equal = base.mark_rule(color=SOFT, strokeDash=[4, 3]).transform_filter("datum.tenth == 0")
    ends = {name: alt.datum(value) for name, value in (("x", 0), ("y", 0), ("x2", 1), ("y2", 1))}
    span = base.mark_rule(color=COLORS["model"], strokeWidth=3, opacity=0.45).encode(x=across, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    point = base.mark_point(filled=True, opacity=1, size=42, color=COLORS["model"]).encode(x=across, y=up)
    header = alt.Header(title=None, labelColor=INK, labelFontSize=13, labelAnchor="start", labelPadding=6)
    order = [figures.day(origin.as_of.day) for origin in origins]
    return alt.layer(equal.encode(**ends), span, point).facet(
        facet=alt.Facet("origin:N", header=header, sort=order), columns=columns, spacing=18
    )
