"""How near the next threshold is, which one, and where tiers lie; a second time in plain Python."""

from collections.abc import Iterator
from datetime import date, timedelta

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import thresholds, tiers
from rekindle.insight.thresholds import Thresholds
from rekindle.insight.tiers import Boundaries, Tiers

DAY = date(2026, 2, 20)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("thresholds")) as opened:
        yield opened


def by_hand(margin: int, orders: int, usual: int, left: int | None, held: Thresholds) -> tuple[str | None, float | None]:
    ahead = []
    for name, reached, options in (
        ("tier:", margin, {"mid": held.tiers.mid, "high": held.tiers.high}), ("orders:", orders, {str(n): n for n in held.orders}),
        ("free_shipping", usual, {"": held.free_shipping}),
    ):
        following = next(((label, limit) for label, limit in options.items() if limit > 0 and reached < limit), None)
        if following:
            ahead.append((min((following[1] - reached) / following[1], 1.0), name + following[0]))
    if left is not None and 0 <= left <= 30:
        ahead.append((left / 30, "credit"))
    if not ahead:
        return None, None
    distance = min(one for one, _ in ahead)
    return next(name for one, name in ahead if one == distance), distance


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.integers(-500, 30_000), st.integers(1, 40), st.integers(0, 9_000), st.none() | st.integers(-2, 40)), min_size=1,
        max_size=50,
    ),
    mid=st.integers(1, 9_000), more=st.integers(0, 9_000), milestones=st.sets(st.integers(2, 30), max_size=4),
    shipping=st.sampled_from([0, 4_900]),
)
def test_the_nearest_threshold_ahead(warehouse: Warehouse, rows, mid, more, milestones, shipping) -> None:
    held = Thresholds(Boundaries(mid + more, mid), tuple(sorted(milestones)), shipping, DAY)
    margin, orders, usual, left = (list(column) for column in zip(*rows, strict=True))
    expiry = pa.array([None if days is None else DAY + timedelta(days=days) for days in left], pa.date32())
    buyers = {"tier_margin": margin, "orders": orders, "average_order_value": usual, "credit_expires_on": expiry}
    table = ibis.memtable(pa.table({**buyers, "n": list(range(len(rows)))}))
    found = warehouse.arrow(thresholds.with_thresholds(table, held).order_by("n"))
    for at, row in enumerate(rows):
        name, distance = by_hand(*row, held)
        assert found["next_threshold"][at].as_py() == name
        assert found["threshold_distance"][at].as_py() == (None if distance is None else pytest.approx(distance, rel=1e-12))


def test_a_fifth_is_of_high_value_and_the_half_of_at_least_middle(warehouse: Warehouse) -> None:
    table = ibis.memtable(pa.table({"tier_margin": list(range(1, 102))}))
    found = warehouse.row(tiers.limits(table))
    assert found == {"high": 81, "mid": 51}
    tier = tiers.value_tier(table.tier_margin, Boundaries(**found))
    assert warehouse.arrow(table.select("tier_margin", tier=tier).order_by("tier_margin"))["tier"].to_pylist() == (
        ["occasional"] * 50 + ["mid"] * 30 + ["high"] * 21
    )


def test_a_proposal_is_shown_when_it_has_moved_by_a_tenth() -> None:
    def moved(high: int, mid: int, approved: bool = True) -> bool:
        return Tiers(730, Boundaries(1_000, 400), approved, Boundaries(high, mid)).moved

    assert (moved(1_000, 400), moved(1_100, 440), moved(1_101, 400), moved(1_000, 359)) == (False, False, True, True)
    assert moved(2_000, 800, approved=False)
