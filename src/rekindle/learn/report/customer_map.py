"""Where customers stand: how long past their next order, and what they are expected to bring.

Knows nothing of why. Customers at the same place are one larger dot, so that the picture stays small however many there are.
"""

import math
from dataclasses import dataclass
from typing import Literal

import altair as alt
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.learn.report.charts import SOFT, WIDE, Picture, figure, units
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html
from rekindle.learn.report.standings import STANDINGS

CELL = 7  # pixels
LOWEST = 1.0  # units of money: what is less is drawn here


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the map shows: days from and to, units of money from `LOWEST` to `top`, and its size in pixels."""

    since: float
    until: float
    top: float
    width: int
    height: int

    @property
    def day(self) -> float:
        """Days in a cell."""
        return (self.until - self.since) * CELL / self.width

    @property
    def rise(self) -> float:
        """Powers of ten in a cell."""
        return math.log10(self.top / LOWEST) * CELL / self.height


def customer_map(customers: pa.Table, figures: Figures) -> Html:
    """Overdue days against expected margin; a dot is larger where several customers stand.

    Args:
        customers: Columns of `facts.MAP`; customers without an order have no place on it.
        figures: The store's locale and currency.
    """
    stages = pa.array([stage for standing in STANDINGS for stage in standing.stages])
    placed = customers.filter(pc.is_in(customers["lifecycle"], stages))
    about = "Map of customers: days past the expected next order against expected margin"
    return figure(lambda width: _chart(placed, width, figures), about, figures)


def _chart(customers: pa.Table, width: int, figures: Figures) -> Picture:
    frame = _frame(customers, (width - 74, 430) if width == WIDE else (width - 66, 330), figures)
    cells = _cells(customers, frame, figures)
    powers = [10.0**power for power in range(math.floor(math.log10(frame.top)) + 1)]
    days = alt.X(
        "overdue:Q",
        title="days past the expected next order",
        axis=alt.Axis(tickCount=frame.width // 90, grid=False, format=",d"),
        scale=alt.Scale(domain=[frame.since - frame.day, frame.until + frame.day], nice=False),
    )
    worth = alt.Y(
        "margin:Q",
        title=None,
        axis=alt.Axis(values=powers, format="$,~r", ticks=False, domain=False),
        scale=alt.Scale(type="log", domain=[LOWEST * 0.8, frame.top * 1.3], nice=False),
    )
    colors = alt.Scale(domain=[each.name for each in STANDINGS], range=[f"var(--{each.color})" for each in STANDINGS])
    color = alt.Color("standing:N", legend=None, scale=colors)
    size = alt.Size("customers:Q", legend=None, scale=alt.Scale(type="sqrt", domain=[1, 20], range=[20, 180], clamp=True))
    dots = alt.Chart(alt.InlineData(values=cells)).mark_circle(opacity=0.78).encode(x=days, y=worth, color=color, size=size)
    layers = alt.layer(*_due(frame), dots, _corner("not yet due", 0, "left"), _corner("quiet for too long", frame.width, "right"))
    return layers.properties(width=frame.width, height=frame.height)


def _due(frame: _Frame) -> tuple[alt.Chart, alt.Chart]:
    """The day an order was expected, and a tint over what comes after it."""
    here = alt.Chart(alt.InlineData(values=[{"due": 0, "end": frame.until + frame.day}]))
    tint: alt.Chart = here.mark_rect(opacity=0.06, color="var(--risk)").encode(
        x="due:Q", x2="end:Q", y=alt.value(0), y2=alt.value(frame.height)
    )
    return tint, here.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x="due:Q")


def _corner(words: str, x: int, align: Literal["left", "right"]) -> alt.Chart:
    here = alt.Chart(alt.InlineData(values=[{}]))
    text: alt.Chart = here.mark_text(align=align, baseline="bottom", fontSize=12, fontStyle="italic", color=SOFT, text=words).encode(
        x=alt.value(x), y=alt.value(-8)
    )
    return text


def _frame(customers: pa.Table, size: tuple[int, int], figures: Figures) -> _Frame:
    """Leaves out the furthest hundredth on either side, and the dearest two hundredths."""
    if not customers.num_rows:
        return _Frame(-30.0, 60.0, 100.0, *size)
    since, until = pc.quantile(customers["overdue"], q=[0.01, 0.99]).to_pylist()
    (top,) = pc.quantile(customers["expected_margin"], q=[0.998]).to_pylist()
    return _Frame(min(since, -7.0), max(until, 7.0), max(units(top, figures), 10 * LOWEST), *size)


def _cells(customers: pa.Table, frame: _Frame, figures: Figures) -> list[dict[str, str | float]]:
    """Customers counted by cell and standing, at the cell's mean; who is beyond the frame is drawn at its edge."""
    days = _within(pc.cast(customers["overdue"], pa.float64()), frame.since, frame.until)
    worth = pc.log10(_within(pc.multiply(pc.cast(customers["expected_margin"], pa.float64()), units(1, figures)), LOWEST, frame.top))
    standing = pa.array([_standing(stage) for stage in customers["lifecycle"].to_pylist()], pa.int64())
    cell = {"standing": standing, "across": pc.floor(pc.divide(days, frame.day)), "up": pc.floor(pc.divide(worth, frame.rise))}
    table = pa.table({**cell, "days": days, "worth": worth})
    counted = table.group_by(list(cell)).aggregate([("days", "mean"), ("worth", "mean"), ([], "count_all")])
    return [
        {
            "overdue": round(row["days_mean"], 1),
            "margin": round(10 ** row["worth_mean"], 1),
            "standing": STANDINGS[row["standing"]].name,
            "customers": row["count_all"],
        }
        for row in counted.sort_by([(name, "ascending") for name in cell]).to_pylist()
    ]


def _within(column: pa.ChunkedArray, low: float, high: float) -> pa.ChunkedArray:
    return pc.min_element_wise(pc.max_element_wise(column, low), high)


def _standing(stage: str) -> int:
    return next(at for at, standing in enumerate(STANDINGS) if stage in standing.stages)
