"""The pictures of a diagnosis: effects with their placebos, and how many are still away by day.

Knows nothing of what is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from rekindle.insight.models import Interval
from rekindle.insight.reactivation import Curve
from rekindle.learn.report.charts import EDGE, INK, SOFT, WIDE, Picture, figure
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, plain

ROW = 58
FURTHEST = 4.0
"""Ratios beyond it, or below its inverse, end at the edge."""

BANDS = 3
"""The largest groups that are drawn with their bands; more would cover each other."""

LINES = ("var(--bar)", "var(--risk)", "var(--slowing)", "var(--lapsed)", "var(--back)", "var(--usual)")
TALL = 260
TIMES = "times as many lapses as without it (1: no difference)"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A row of the forest: a ratio with its interval, the placebo's, and words; None where one cannot be told."""

    label: str
    words: str
    ratio: Interval | None
    placebo: Interval | None


def forest(rows: Sequence[Ratio], about: str, figures: Figures) -> Html:
    """Ratios on one logarithmic axis with 1 marked; below each, hollow, its placebo."""
    return figure(lambda width: _forest(rows, width), about, figures)


def _forest(rows: Sequence[Ratio], width: int) -> Picture:
    values = [value for at, row in enumerate(rows) for value in _marks(row, at * ROW)]
    tall = ROW * len(rows)
    base = alt.Chart(alt.InlineData(values=values), width=width - EDGE, height=tall)
    down = {name: alt.Y(f"{name}:Q", axis=None, scale=alt.Scale(domain=[0, tall], range=[0, tall], nice=False)) for name in ("row", "top")}
    ticks = [0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 3]
    axis = alt.Axis(values=ticks, format=".2~f", grid=True, gridDash=[2, 3], domain=False, title=TIMES)
    low, high = _limits(rows)
    across = alt.Scale(type="log", domain=[low, high], nice=False)
    told = base.transform_filter("isValid(datum.estimate)")
    color = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["effect", "placebo"], range=["var(--bar)", SOFT]))
    one = base.mark_rule(strokeWidth=1.5, color=INK, opacity=0.35).encode(x=alt.datum(1, scale=across))
    wide = alt.StrokeWidth("kind:N", legend=None, scale=alt.Scale(domain=["effect", "placebo"], range=[4, 1.5]))
    line = told.mark_rule().encode(x=alt.X("low:Q", axis=axis, scale=across), x2="high:Q", y=down["row"], color=color, strokeWidth=wide)
    point = told.mark_point(opacity=1, size=90).encode(
        x=alt.X("estimate:Q", scale=across), y=down["row"], color=color,
        fill=alt.Fill("kind:N", legend=None, scale=alt.Scale(domain=["effect", "placebo"], range=["var(--bar)", "var(--paper)"])),
    )
    left = base.mark_text(align="left", fontSize=13, color=INK, limit=width * 0.5).encode(x=alt.value(0), y=down["top"], text="label:N")
    right = base.mark_text(align="right", fontSize=13, color=SOFT).encode(x=alt.value(width - EDGE), y=down["top"], text="words:N")
    return alt.layer(one, line, point, left, right)


def _marks(row: Ratio, top: int) -> list[dict[str, str | float | None]]:
    """The effect and its placebo as what is drawn; the words stand once."""
    drawn: list[dict[str, str | float | None]] = []
    for kind, found, below in (("effect", row.ratio, 31), ("placebo", row.placebo, 44)):
        ends = (None, None, None) if found is None else (_inside(found.low), _inside(found.estimate), _inside(found.high))
        words = (plain(row.label), plain(row.words)) if kind == "effect" else ("", "")
        place = {"row": top + below, "top": top + 12, "low": ends[0], "estimate": ends[1], "high": ends[2]}
        drawn.append({**place, "kind": kind, "label": words[0], "words": words[1]})
    return drawn


def _inside(value: float) -> float:
    return min(max(value, 1 / FURTHEST), FURTHEST)


def _limits(rows: Sequence[Ratio]) -> tuple[float, float]:
    ends = [_inside(end) for row in rows for found in (row.ratio, row.placebo) if found for end in (found.low, found.high)]
    return min([0.7, *ends]) * 0.97, max([1.5, *ends]) * 1.03


def survival(curves: dict[str, Curve], about: str, title: str, most_days: float, figures: Figures) -> Html:
    """Shares still away by day as steps, the largest groups with their 95 % bands."""
    return figure(lambda width: _survival(curves, title, most_days, width), about, figures)


def _survival(curves: dict[str, Curve], title: str, most_days: float, width: int) -> Picture:
    largest = frozenset(list(curves)[:BANDS])
    values = [
        {"name": plain(name), "day": float(day), "away": float(away), "low": float(low), "high": float(high), "banded": name in largest}
        for name, one in curves.items()
        for day, away, low, high in (
            (0.0, 1.0, 1.0, 1.0), *(row for row in zip(one.days, one.staying, one.low, one.high, strict=True) if row[0] <= most_days)
        )
    ]
    names = [plain(name) for name in curves]
    key = alt.Legend(
        title=None, orient="top", columns=3 if width == WIDE else 1, labelColor=INK, labelFontSize=12, symbolType="stroke",
        symbolOpacity=1, symbolStrokeWidth=2, columnPadding=16,
    )
    color = alt.Color("name:N", scale=alt.Scale(domain=names, range=list(LINES[: len(names)])), legend=key)
    base = alt.Chart(alt.InlineData(values=values), width=width - 56, height=TALL)
    days = alt.X("day:Q", title=title, scale=alt.Scale(domain=[0, most_days], nice=False), axis=alt.Axis(grid=False, tickCount=width // 90))
    share = alt.Y("away:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False))
    low = alt.Y("low:Q", scale=alt.Scale(domain=[0, 1]))
    largely = base.transform_filter("datum.banded")
    band = largely.mark_area(opacity=0.13, interpolate="step-after").encode(x=days, y=low, y2="high:Q", color=color)
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(x=days, y=share, color=color)
    return alt.layer(band, line)
