"""Django is made ready before any test module imports the ledger's apps; every test has a store of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings

configure()

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def make_store(root: Path) -> Settings:
    root.mkdir(parents=True, exist_ok=True)
    sender = {"name": "Marigold", "email": "hello@marigold.example", "postal_address": "12 Garden Row, Bristol"}
    return Settings(root=root, name="Marigold", sender=sender)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Settings]:
    settings = make_store(tmp_path / "shop")
    use_ledger(settings)
    yield settings
    from django.db import connection

    connection.close()
