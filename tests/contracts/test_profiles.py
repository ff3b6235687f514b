"""The same facts give the same profiles and the same draws on every engine, row for row."""

import math
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from rekindle.decide.assignment import draw, draw_of, salt
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import purchases
from rekindle.insight.profile import COLUMNS, Profiles, Question, build
from rekindle.moment import parse_as_of
from tests.contracts.engines import QUIETLY, URLS, spark
from tests.decide.test_assignment import GOLDEN
from tests.insight.histories import Facts, Marketplace, together, write

pytestmark = [pytest.mark.engines, *QUIETLY]

CUSTOMERS = [f"c{number:03d}" for number in range(160)]
FACTS = together(
    Marketplace(5, "", CUSTOMERS[:100], datetime(2023, 1, 1), 1_000).tell(6.0),
    Marketplace(7, "early-", CUSTOMERS[100:], datetime(2024, 1, 1), 130).tell(5.0),
)
"""Long enough that a tier's 730 days leave something out."""
AS_OF = parse_as_of("2025-10-01", "Europe/Berlin")
WEEKS, MARGIN = 26, Decimal("0.35")
Row = dict[str, object]


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "spark":
        spark()
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="module")
def warehouse(engine: str, folder: Path) -> Iterator[Warehouse]:
    with open_history(URLS[engine], folder) as opened:
        write(opened, with_codes(FACTS))
        yield opened


def with_codes(facts: Facts) -> Facts:
    """Some orders with a code, some with an empty one."""
    orders = [{**one, "code": (None, "", "MAY")[place % 3]} for place, one in enumerate(facts["orders"])]
    return {**facts, "orders": orders}


@pytest.fixture(scope="module")
def profiles(warehouse: Warehouse) -> Profiles:
    return build(warehouse, Question(AS_OF, MARGIN, WEEKS))


SEEN: dict[str, dict[str, list[Row]]] = {}
"""What each question was answered, by engine; the second engine is compared with the first."""


def same(question: str, engine: str, rows: list[Row]) -> None:
    """Integers, days, texts and truths are equal, floats to 1e-9 of their size."""
    answers = SEEN.setdefault(question, {})
    answers[engine] = rows
    first = next(iter(answers.values()))
    assert len(rows) == len(first) > 0
    for row, other in zip(rows, first, strict=True):
        assert row.keys() == other.keys()
        assert [(name, row[name], other[name]) for name in row if not alike(row[name], other[name])] == []


def alike(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=0.0)
    return type(one) is type(other) and one == other


def test_the_profile_is_the_same_row_for_row(engine: str, warehouse: Warehouse, profiles: Profiles) -> None:
    rows = warehouse.arrow(profiles.table.select(*COLUMNS).order_by("customer_id")).to_pylist()
    assert {row["cause"] for row in rows} >= {None, "late_delivery", "stockout", "return", "bad_review", "open_ticket", "unknown"}
    assert any(", " in row["cause_evidence"] for row in rows)
    assert any(row["margin"] != row["tier_margin"] for row in rows)
    same("profile", engine, rows)


def test_the_models_are_the_same(engine: str, profiles: Profiles) -> None:
    fitted = [profiles.scored.model.parameters, profiles.value.parameters]
    same("models", engine, [{name: float(value) for name, value in one.items()} for one in fitted])


def test_a_snapshot_is_one_file_with_the_same_rows(engine: str, warehouse: Warehouse, profiles: Profiles, folder: Path) -> None:
    path = folder / engine / "profile.parquet"
    for _ in range(2):
        warehouse.write_parquet(profiles.table, path)
    assert [one.name for one in path.parent.iterdir()] == ["profile.parquet"]
    table = warehouse.read_parquet(path)
    assert table.columns == tuple(COLUMNS)
    same("snapshot", engine, warehouse.arrow(table.order_by("customer_id")).to_pylist())


def test_golden_vectors_are_drawn_to_the_last_bit(warehouse: Warehouse) -> None:
    for parts, number in GOLDEN:
        table = ibis.memtable(pa.table({f"p{at}": [part] for at, part in enumerate(parts)}))
        assert warehouse.scalar(table.select(u=draw(*(table[name] for name in table.columns))).u.max()) == number / 2**52


def test_many_ids_draw_the_same_as_in_python(warehouse: Warehouse) -> None:
    ids = [f"customer-{number}" for number in range(5_000)]
    table = ibis.memtable(pa.table({"id": ids, "n": list(range(len(ids)))}))
    found = warehouse.arrow(table.select("n", u=draw(salt("win-back", "tailor", "3"), table.id, "o1")).order_by("n"))
    assert found["u"].to_pylist() == [draw_of("win-back:tailor:3", one, "o1") for one in ids]


def test_an_instant_in_the_evening_is_the_same_instant(engine: str, warehouse: Warehouse) -> None:
    """Ten in the evening UTC is the next day in Berlin: a session's own time zone would move it."""
    late = parse_as_of("2024-06-15T22:30:00Z", "Europe/Berlin")
    rows = warehouse.arrow(purchases.per_customer(purchases.sales(warehouse, late)).order_by("customer_id")).to_pylist()
    assert max(row["last_ordered_at"] for row in rows) < late.naive
    same("evening", engine, rows)


def test_whole_numbers_beside_nulls_stay_whole(engine: str, warehouse: Warehouse) -> None:
    given = {"n": pa.array([2**53 + 1, None, -7], pa.int64()), "at": pa.array([datetime(2026, 3, 29, 1, 30, 0, 7), None, None])}
    for table in (ibis.memtable(pa.table(given)), warehouse.keep(pa.table(given))):
        assert warehouse.arrow(table.order_by("n")).to_pylist()[-2:] == [
            {"n": 2**53 + 1, "at": datetime(2026, 3, 29, 1, 30, 0, 7)}, {"n": None, "at": None},
        ]
