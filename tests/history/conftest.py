"""An empty history for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.history.warehouse import Warehouse, open_history

URL = "duckdb://var/history.duckdb"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_history(URL, tmp_path) as opened:
        yield opened
