"""Rows that were not taken wait, and come in when the mapping or a setting is mended."""

import stat

import pytest

from rekindle.errors import BadData
from rekindle.ingest import replay
from tests.ingest.conftest import NOW

LINES = "sources: [{kind: lines, columns: {order_id: id, customer_id: who, ordered_at: at, product_id: sku, price: price}%s}]\n"
TEXT = "id,who,at,sku,price\n1,a,2026-01-01,x,5\n1,a,01.01.2026 00:00,y,6\n2,b,2026-01-02,x,5\n"


def test_parked_rows_are_their_owners(shop):
    report = shop.load(shop.file("lines.csv", TEXT), mapping=shop.file("map.yaml", LINES % "")).report
    assert report.rejected == {"date": 1}
    (name,) = report.parked
    path = shop.settings.root / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert shop.rows("orders", "order_id", "net", "lines") == [("1", 500, 1), ("2", 500, 1)]


def test_a_replay_completes_the_order(shop):
    shop.load(shop.file("lines.csv", TEXT), mapping=shop.file("map.yaml", LINES % ""))
    mended = shop.file("map.yaml", LINES % ', time_format: "%d.%m.%Y %H:%M"')
    report = replay(shop.settings, shop.warehouse, mapping=mended, recorded_at=NOW).report
    assert (report.read, report.accepted, report.rejected) == (2, 2, {})
    assert shop.rows("orders", "order_id", "net", "lines") == [("1", 1100, 2), ("2", 500, 1)]
    assert shop.parked() == []
    with pytest.raises(BadData, match="no rows are parked"):
        replay(shop.settings, shop.warehouse, mapping=mended, recorded_at=NOW)


def test_the_same_file_again_parks_in_the_same_place(shop):
    mapping = shop.file("map.yaml", LINES % "")
    shop.load(shop.file("lines.csv", TEXT), mapping=mapping)
    before = shop.parked()
    shop.load(shop.file("lines.csv", TEXT), mapping=mapping)
    assert shop.parked() == before
    shop.load(shop.file("lines.csv", TEXT), mapping=shop.file("map.yaml", LINES % ', time_format: "%d.%m.%Y %H:%M"'))
    assert shop.parked() == []
