"""Every customer has one stage and one tier, and a cohort only who slips away: whatever the numbers."""

from collections.abc import Iterator
from datetime import date

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import lifecycle
from tests.insight.by_hand import stage as stage_by_hand

TYPES = {
    "purchase_days": pa.int64(), "silence_days": pa.int64(), "rhythm_days": pa.float64(), "previous_gap_days": pa.int64(),
    "cause": pa.string(), "potential": pa.int64(), "own_spike": pa.bool_(), "store_spike": pa.date32(), "open_ticket": pa.bool_(),
    "had_friction": pa.bool_(),
    "lifecycle": pa.string(),
}
CAUSES = ("late_delivery", "open_ticket", "unknown", "price_rise", "need_ended")
NO_FAULT = ("unknown", "price_rise", "need_ended")
HIGH = 5_000
SPIKE = date(2026, 3, 1)
Row = dict[str, object]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("lifecycle")) as opened:
        yield opened


def judged(warehouse: Warehouse, rows: list[Row]) -> list[Row]:
    """Stage and cohort of each row, in the order given."""
    usual = {"cause": "unknown", "potential": 0, "own_spike": False, "open_ticket": False, "had_friction": False}
    filled = [{**usual, **row, "n": number} for number, row in enumerate(rows)]
    table = ibis.memtable(pa.Table.from_pylist(filled, schema=pa.schema({**TYPES, "n": pa.int64()})))
    table = table.drop("lifecycle").mutate(lifecycle=lifecycle.stage(table)) if "lifecycle" not in rows[0] else table
    judged_table = table.select("n", "lifecycle", cohort=lifecycle.lapsed_cohort(table, HIGH))
    found: list[Row] = warehouse.arrow(judged_table.order_by("n")).to_pylist()
    return found


def customers() -> st.SearchStrategy[list[Row]]:
    days = st.one_of(st.integers(0, 400), st.integers(0, 10_000))
    one = st.fixed_dictionaries(
        {
            "purchase_days": st.integers(0, 12), "silence_days": days, "rhythm_days": st.floats(0.5, 5_000),
            "previous_gap_days": st.none() | st.integers(1, 3_000), "cause": st.sampled_from(CAUSES),
            "potential": st.integers(0, 2 * HIGH), "own_spike": st.booleans(), "store_spike": st.none() | st.just(SPIKE),
            "open_ticket": st.booleans(), "had_friction": st.booleans(),
        }
    )
    return st.lists(one, min_size=1, max_size=300)


@settings(max_examples=25)
@given(rows=customers())
def test_stages_are_complete_and_cohorts_exclusive(warehouse: Warehouse, rows: list[Row]) -> None:
    """A stage by its first rule, as a second implementation finds it; a cohort exactly for who slips away."""
    for row, found in zip(rows, judged(warehouse, rows), strict=True):
        numbers = (row["purchase_days"], row["silence_days"], row["rhythm_days"], row["previous_gap_days"])
        assert found["lifecycle"] == stage_by_hand(*numbers)
        assert found["lifecycle"] in lifecycle.STAGES
        slipping = found["lifecycle"] in lifecycle.SLIPPING
        assert (found["cohort"] in lifecycle.COHORTS) == slipping == (found["cohort"] is not None)
        assert (found["cohort"] == "one_bad_experience") == (slipping and row["cause"] not in NO_FAULT)
        if found["cohort"] == "paused_high_potential":
            assert row["potential"] >= HIGH
            assert row["cause"] in NO_FAULT
            assert not row["open_ticket"]
            assert not row["had_friction"]
            assert row["own_spike"] or row["store_spike"]


@pytest.mark.parametrize(
    ("days", "silence", "rhythm", "gap", "expected"),
    [
        (0, None, None, None, "prospect"), (1, 0, 30.0, None, "first_time"), (2, 30, 30.0, 30, "repeat"), (2, 31, 30.0, 30, "cooling"),
        (2, 60, 30.0, 30, "cooling"), (2, 61, 30.0, 30, "lapsing"), (2, 120, 30.0, 30, "lapsing"), (2, 121, 30.0, 30, "lapsed"),
        (9, 13, 1.0, 1, "advocate"), (9, 14, 1.0, 1, "cooling"), (9, 27, 1.0, 1, "cooling"), (9, 28, 1.0, 1, "lapsed"),  # a daily buyer
        (4, 5, 100.0, 90, "mid_tenure"), (8, 5, 100.0, 90, "advocate"), (8, 59, 100.0, 401, "probation"),
        (8, 60, 100.0, 401, "reactivated"),
        (8, 59, 100.0, 400, "advocate"), (3, 179, 180.0, 721, "reactivated"), (3, 180, 180.0, 721, "repeat"),
        (3, 181, 180.0, 721, "cooling"),
    ],
)
def test_where_a_stage_begins(
    warehouse: Warehouse, days: int, silence: int | None, rhythm: float | None, gap: int | None, expected: str
) -> None:
    row = {"purchase_days": days, "silence_days": silence, "rhythm_days": rhythm, "previous_gap_days": gap}
    assert judged(warehouse, [row])[0]["lifecycle"] == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"lifecycle": "cooling", "cause": "return"}, None),
        ({"lifecycle": "lapsed", "cause": "return", "potential": HIGH, "own_spike": True}, "one_bad_experience"),
        ({"lifecycle": "lapsed", "potential": HIGH, "own_spike": True}, "paused_high_potential"),
        ({"lifecycle": "lapsed", "potential": HIGH, "store_spike": SPIKE}, "paused_high_potential"),
        ({"lifecycle": "lapsed", "potential": HIGH, "own_spike": True, "open_ticket": True}, "long_inactive"),
        ({"lifecycle": "lapsed", "potential": HIGH, "own_spike": True, "cause": "need_ended", "had_friction": True}, "long_inactive"),
        ({"lifecycle": "lapsed", "potential": HIGH}, "long_inactive"),
        ({"lifecycle": "lapsed", "potential": HIGH - 1, "own_spike": True}, "long_inactive"),
        ({"lifecycle": "lapsing", "silence_days": 364}, "other"),
        ({"lifecycle": "lapsing", "silence_days": 365}, "long_inactive"),
        ({"lifecycle": "lapsing", "silence_days": 40, "potential": HIGH, "own_spike": True}, "paused_high_potential"),
    ],
)
def test_which_cohort_comes_first(warehouse: Warehouse, row: Row, expected: str | None) -> None:
    assert judged(warehouse, [{"silence_days": 200, **row}])[0]["cohort"] == expected


def test_the_upper_fifth_has_high_potential(warehouse: Warehouse) -> None:
    table = ibis.memtable(pa.table({"potential": list(range(1, 102))}))
    assert warehouse.row(lifecycle.high_potential(table)) == {"potential": 81}


def test_a_cohort_says_which_facts_decided(warehouse: Warehouse) -> None:
    rows = [
        ("one_bad_experience", "shipment 7", False, None), ("paused_high_potential", "", True, None),
        ("paused_high_potential", "", False, SPIKE), ("long_inactive", "", False, None), (None, "", False, None),
    ]
    names = ("lapsed_cohort", "cause_evidence", "own_spike", "store_spike")
    columns = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    shared = {"silence_days": [95] * 5, "rhythm_days": [20.4] * 5, "recent_days": [4] * 5, "n": list(range(5))}
    table = ibis.memtable(pa.table({**columns, **shared}))
    found = warehouse.arrow(table.select("n", why=lifecycle.cohort_evidence(table)).order_by("n"))["why"].to_pylist()
    quiet = "95 days silent at a rhythm of 20"
    assert found == [
        "shipment 7", f"{quiet}; 4 purchase days in the last 30 before it", f"{quiet}; after the store's spike of 2026-03-01", quiet, "",
    ]
