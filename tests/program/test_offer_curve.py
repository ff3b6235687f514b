"""A curve never falls and never passes its cap, whoever the customer is; it says what numpy's interpolation says."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekindle.decide.arms import value
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.program.offers import Offer
from tests.decide.shop import SHOP

CAP = 12
Points = list[tuple[int, Decimal]]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root: Path = tmp_path_factory.mktemp("curves")
    with open_history(f"duckdb://{root / 'history.duckdb'}", root) as opened:
        yield opened


def credit(**curve: object) -> Offer:
    return Offer.model_validate(
        {"(name)": "one", "kind": "credit", "label": "One", "redemption": 0.5, "curve": curve, "cap": CAP, "margin_floor": 0.15}
    )


def values(warehouse: Warehouse, offer: Offer, people: list[tuple[int | None, int]]) -> list[float]:
    rows = [{"n": n, "expected_margin": margin, "orders": orders} for n, (margin, orders) in enumerate(people)]
    schema = pa.schema([("n", pa.int64()), ("expected_margin", pa.int64()), ("orders", pa.int64())])
    table = ibis.memtable(pa.Table.from_pylist(rows, schema=schema))
    found: list[float] = warehouse.arrow(table.select("n", value=value(table, offer, SHOP)).order_by("n"))["value"].to_pylist()
    return found


@st.composite
def rising(draw: st.DrawFn, most: int) -> Points:
    """Points in rising order whose values never fall."""
    places = sorted(draw(st.sets(st.integers(0, most), min_size=1, max_size=5)))
    worth = sorted(draw(st.lists(st.integers(0, 900), min_size=len(places), max_size=len(places))))
    return [(place, Decimal(cents) / 100) for place, cents in zip(places, worth, strict=True)]


def by_numpy(points: Points, at: float) -> float:
    return float(np.interp(at, [place for place, _ in points], [float(worth) for _, worth in points]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    margin=rising(200), orders=rising(30),
    people=st.lists(st.tuples(st.integers(-5_000, 30_000), st.integers(1, 40)), min_size=1, max_size=8),
    more=st.tuples(st.integers(0, 9_000), st.integers(0, 9)),
)
def test_it_never_falls_is_capped_and_is_what_numpy_says(
    warehouse: Warehouse, margin: Points, orders: Points, people: list[tuple[int, int]], more: tuple[int, int]
) -> None:
    offer = credit(margin=margin, orders=orders)
    richer = [(earned + more[0], count + more[1]) for earned, count in people]
    found = values(warehouse, offer, people + richer)
    here, there = found[: len(people)], found[len(people) :]
    assert all(one <= other for one, other in zip(here, there, strict=True))
    assert all(0 <= one <= CAP * 100 for one in found)
    for (earned, count), one in zip(people + richer, found, strict=True):
        by_hand = min(100 * (by_numpy(margin, earned / 100) + by_numpy(orders, count)), CAP * 100)
        assert abs(one - by_hand) <= 0.5 + 1e-6, "rounded to whole minor units"


def test_the_shipped_example_by_hand(warehouse: Warehouse) -> None:
    """3.00 at no margin, 5.00 at 50.00, 8.00 at 120.00; 2.00 more at ten orders: at 85.00 and four orders 6.50 + 0.67."""
    offer = credit(margin=[[0, "3.00"], [50, "5.00"], [120, "8.00"]], orders=[[1, 0], [10, "2.00"]])
    people = [(None, 1), (-900, 1), (0, 1), (2_500, 1), (8_500, 4), (12_000, 10), (99_999, 99)]
    assert values(warehouse, offer, people) == [300, 300, 300, 400, 717, 1_000, 1_000]
    assert offer.curve is not None
    assert offer.curve.top == 10


@pytest.mark.parametrize(
    ("curve", "rule", "remedy"),
    [
        ({"margin": [[0, 1], [50, 5], [80, "4.99"]]}, "curve-falls", "Write at least 5 at 80, or leave the point out."),
        ({"orders": [[1, 2], [5, 1]]}, "curve-falls", "Write at least 2 at 5, or leave the point out."),
        ({"margin": [[50, 1], [50, 5]]}, "curve-order", "Write the points in rising order."),
        ({"margin": []}, "curve-empty", "Write margin: [[0, 0], [50, 5.00]]."),
    ],
)
def test_a_curve_that_falls_is_refused(curve: dict[str, object], rule: str, remedy: str) -> None:
    with pytest.raises(ValueError, match="curve") as refused:
        credit(**curve)
    (error,) = refused.value.errors()  # type: ignore[attr-defined]  # a ValidationError is a ValueError
    assert (error["type"], error["ctx"]["remedy"], error["loc"]) == (rule, remedy, ("curve",))
