"""Which instant a question is asked at where none is given, and what is published of the answer."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse
from rekindle.insight.profile import COLUMNS
from rekindle.insight.tiers import Tiers
from rekindle.moment import parse_as_of
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings
from tests.insight.histories import Facts, history, order, write

configure()

from rekindle.service.flow import insights  # noqa: E402  Django is made ready first

LAST = datetime(2026, 5, 1, 22, 30)  # the second of May in Berlin
ORDERS: Facts = {
    "orders": [
        order(f"o{n}-{at}", f"c{n}", LAST - timedelta(days=at * (n % 9 + 1)), 1_000 + 37 * n) for n in range(40) for at in range(n % 4 + 1)
    ]
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path / "var") as opened:
        yield opened


def shop(folder: Path) -> Settings:
    settings = Settings(root=folder, timezone="Europe/Berlin")
    use_ledger(settings)
    return settings


def test_now_is_the_instant_while_orders_are_fresh_and_then_the_day_after_the_last(warehouse: Warehouse, tmp_path: Path) -> None:
    write(warehouse, ORDERS)
    fresh = LAST.replace(tzinfo=UTC) + timedelta(days=14)
    assert insights.default_as_of(shop(tmp_path), warehouse, fresh).instant == fresh
    assert not insights.default_as_of(shop(tmp_path), warehouse, fresh).shifted
    stale = insights.default_as_of(shop(tmp_path), warehouse, fresh + timedelta(seconds=1))
    assert (stale.instant, stale.shifted) == (datetime(2026, 5, 2, 22, tzinfo=UTC), True)  # midnight to the third in Berlin
    assert stale.naive > LAST


def test_without_an_order_there_is_nothing_to_ask(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no orders yet"):
        insights.default_as_of(shop(tmp_path), warehouse, datetime(2026, 5, 1, tzinfo=UTC))
    write(warehouse, ORDERS)
    with pytest.raises(BadData, match="no orders before 2020-01-01"):
        insights.profiles(shop(tmp_path), warehouse, parse_as_of("2020-01-01", "Europe/Berlin"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2026-05-03", "2026-05-03"), ("2026-05-02T22:00:00Z", "2026-05-03"), ("2026-05-03T00:00:00Z", "2026-05-03T000000Z"),
        ("2026-05-03T12:34:56+02:00", "2026-05-03T103456Z"),
    ],
)
def test_a_snapshot_is_called_by_its_day_or_its_instant(text: str, name: str) -> None:
    assert insights.label(parse_as_of(text, "Europe/Berlin")) == name


def test_a_snapshot_holds_every_customer_and_its_summary(warehouse: Warehouse, tmp_path: Path) -> None:
    write(warehouse, ORDERS)
    built, insight = insights.profiles(shop(tmp_path), warehouse, parse_as_of("2026-05-03", "Europe/Berlin"))
    table = pq.read_table(insight.snapshot)
    assert table.column_names == list(COLUMNS)
    assert (table.num_rows, insight.customers, insight.orders) == (40, 40, len(ORDERS["orders"]))
    written = json.loads((insight.snapshot.parent / "insight.json").read_text())
    assert written == json.loads(json.dumps(insights.to_json(insight)))
    assert {model["name"] for model in written["models"]} | set(written["cannot_tell"])
    assert sum(written["lifecycle"].values()) == 40
    assert sorted(table["customer_id"].to_pylist()) == sorted(warehouse.arrow(built.table)["customer_id"].to_pylist())


def test_the_first_boundaries_of_value_tiers_hold(warehouse: Warehouse, tmp_path: Path) -> None:
    """What today's buyers would give is a proposal alone; a look back before the first finds its own."""
    write(warehouse, ORDERS)

    def tiers(day: str, publish: bool = True) -> Tiers:
        return insights.profiles(shop(tmp_path), warehouse, parse_as_of(day, "Europe/Berlin"), publish=publish)[1].tiers

    first = tiers("2026-04-28")
    assert first.held == first.proposed
    write(warehouse, {"orders": [order(f"rich{n}", f"r{n}", LAST - timedelta(hours=n), 90_000) for n in range(30)]})
    second = tiers("2026-05-03")
    assert (second.held, second.approved, second.moved) == (first.held, False, True)
    assert second.proposed.high > 2 * first.held.high
    back = tiers("2026-04-20", publish=False)
    assert back.held == back.proposed
    assert warehouse.arrow(warehouse.table("tiers")).num_rows == 1
