"""Every change of stage is noted once, with its facts; the same instant twice and a look back note nothing."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.insight.lifecycle import STAGES
from rekindle.moment import parse_as_of
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings
from tests.insight.histories import BEGIN_2025, Facts, history, order, write

configure()

from rekindle.service.flow import insights  # noqa: E402  Django is made ready first

COUNTED = "customer_id", "from_stage", "to_stage", "at", "silence_days", "purchase_days", "last_order_id"


def regular(customer: str, gap: int, count: int) -> Facts:
    at = [BEGIN_2025 + timedelta(days=gap * number) for number in range(count)]
    return {"orders": [order(f"{customer}-{number}", customer, when, 5_000) for number, when in enumerate(at)]}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path / "var", regular("weekly", 7, 9), regular("monthly", 30, 7), regular("once", 1, 1)) as opened:
        yield opened


def shop(folder: Path) -> Settings:
    settings = Settings(root=folder, timezone="Europe/Berlin")
    use_ledger(settings)
    return settings


def look(warehouse: Warehouse, folder: Path, day: str) -> int | None:
    settings = shop(folder)
    _, found = insights.profiles(settings, warehouse, parse_as_of(day, "Europe/Berlin"))
    return found.transitions


def moved(folder: Path, before: str, after: str) -> int:
    """How many stages differ between two snapshots."""
    tables = [pq.read_table(folder / "var" / "insight" / day / "profile.parquet") for day in (before, after)]
    first, second = (dict(zip(table["customer_id"].to_pylist(), table["lifecycle"].to_pylist(), strict=True)) for table in tables)
    return sum(stage != first.get(customer) for customer, stage in second.items())


def noted(warehouse: Warehouse, customer: str) -> list[tuple[object, ...]]:
    rows = warehouse.arrow(warehouse.table("transitions").filter(lambda t: t.customer_id == customer).order_by("at"))
    return [tuple(row[name] for name in COUNTED[1:3]) for row in rows.to_pylist()]


def test_stages_are_noted_as_they_change_and_never_twice(warehouse: Warehouse, tmp_path: Path) -> None:
    assert look(warehouse, tmp_path, "2025-03-01") == 3
    assert look(warehouse, tmp_path, "2025-03-01") == 0
    assert look(warehouse, tmp_path, "2025-08-01") == moved(tmp_path, "2025-03-01", "2025-08-01") >= 1
    assert noted(warehouse, "weekly") == [(None, "advocate"), ("advocate", "lapsed")]
    rows = warehouse.arrow(warehouse.table("transitions")).to_pylist()
    assert all(row["to_stage"] in STAGES and row["from_stage"] != row["to_stage"] for row in rows)
    last = max((row for row in rows if row["customer_id"] == "weekly"), key=lambda row: row["at"])
    assert (last["last_order_id"], last["purchase_days"], last["silence_days"]) == ("weekly-8", 9, 155)
    assert last["silence_days"] > 4 * last["rhythm_days"]


def test_a_look_back_notes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    look(warehouse, tmp_path, "2025-08-01")
    before = warehouse.arrow(warehouse.table("transitions")).num_rows
    assert look(warehouse, tmp_path, "2025-03-01") is None
    assert warehouse.arrow(warehouse.table("transitions")).num_rows == before


def test_a_chain_of_transitions_has_no_gap(warehouse: Warehouse, tmp_path: Path) -> None:
    for day in ("2025-02-01", "2025-04-01", "2025-08-01"):
        look(warehouse, tmp_path, day)
    write(warehouse, {"orders": [order("back", "monthly", BEGIN_2025 + timedelta(days=400), 5_000)]})
    look(warehouse, tmp_path, "2026-02-10")
    for customer in ("weekly", "monthly", "once"):
        chain = noted(warehouse, customer)
        assert chain[0][0] is None
        assert all(later[0] == earlier[1] for earlier, later in zip(chain, chain[1:], strict=False))
    assert noted(warehouse, "monthly")[-1][1] == "probation"


def test_a_dry_look_notes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    settings = shop(tmp_path)
    _, found = insights.profiles(settings, warehouse, parse_as_of("2025-03-01", "Europe/Berlin"), publish=False)
    assert found.transitions is None
    assert warehouse.arrow(warehouse.table("transitions")).num_rows == 0
