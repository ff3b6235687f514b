"""Fixtures for modules whose tests each change a copy of one store: import them beside a fixture `made`, the folder that is copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.config import use_ledger
from rekindle.settings import Settings


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(root=shutil.copytree(made, tmp_path / "shop"))
    use_ledger(settings)
    yield settings
    connection.close()


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    with open_history(store.history, store.root) as opened:
        yield opened
