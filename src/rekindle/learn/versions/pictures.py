"""The pictures of a version: each chance before and after on one line, and what is known of what a decision brings.

Knows nothing of which chances are worth showing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from rekindle.learn.report.charts import EDGE, INK, LINE, SOFT, Picture, figure
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, plain

ROW = 46
MIDDLE = 33  # of what is drawn in a row
LONGEST = 60  # characters of a label
BEFORE, AFTER = "var(--slowing)", "var(--bar)"
GLYPHS = {"before": "◇", "after": "●"}


@dataclass(frozen=True, slots=True)
class Shift:
    """A chance before and after, each from 0 to 1, with the words above its line."""

    label: str
    words: str
    before: float
    after: float


def shifts(rows: Sequence[Shift], about: str, figures: Figures) -> Html:
    """A line from 0 to 100 % for each chance: a diamond where it was, a dot where it goes, a bar between both."""
    return figure(lambda width: _lines(rows, width), about, figures)


def _lines(rows: Sequence[Shift], width: int) -> Picture:
    tall = ROW * len(rows)
    values = [
        {"row": at * ROW, "label": _short(one.label), "words": _short(one.words), "before": one.before, "after": one.after}
        for at, one in enumerate(rows)
    ]
    base = alt.Chart(alt.InlineData(values=values), width=width - EDGE, height=tall)
    down = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[0, tall], range=[0, tall], nice=False))
    ticks = alt.Axis(format=".0%", tickCount=5, grid=False, title=None, domain=False)
    scale = alt.Scale(domain=[0, 1], nice=False)
    line = base.mark_rule(yOffset=MIDDLE, y2Offset=MIDDLE)
    moved = line.encode(x=alt.X("before:Q", axis=ticks, scale=scale), x2="after:Q", y=down, color=alt.value(AFTER))
    was = base.mark_point(yOffset=MIDDLE, shape="diamond", size=110, filled=False, opacity=1, stroke=BEFORE, strokeWidth=2.5)
    goes = base.mark_point(yOffset=MIDDLE, shape="circle", size=95, filled=True, opacity=1, color=AFTER)
    left = base.mark_text(align="left", baseline="middle", fontSize=13, color=INK, dy=13, limit=width * 0.6)
    right = base.mark_text(align="right", baseline="middle", fontSize=13, color=SOFT, dy=13)
    return alt.layer(
        line.encode(x=alt.value(0), x2=alt.value(width - EDGE), y=down, color=alt.value(LINE)),
        moved.encode(strokeWidth=alt.value(4), opacity=alt.value(0.45)),
        was.encode(x=alt.X("before:Q", axis=ticks, scale=scale), y=down),
        goes.encode(x=alt.X("after:Q", axis=ticks, scale=scale), y=down),
        left.encode(x=alt.value(0), y=down, text="label:N"),
        right.encode(x=alt.value(width - EDGE), y=down, text="words:N"),
    )


def _short(text: str) -> str:
    """Text as the renderer can take it."""
    return plain(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
