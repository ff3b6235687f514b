"""Django is made ready before any test module imports the ledger's apps; every test has a store of its own.

A module that says `LEDGERS = ("sqlite", "postgresql")` has its stores on both.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rekindle.service.config import configure, use_ledger
from rekindle.settings import Brand, Settings
from tests.postgres import server

configure()

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def make_store(root: Path) -> Settings:
    root.mkdir(parents=True, exist_ok=True)
    sender = {"name": "Marigold", "email": "hello@marigold.example", "postal_address": "12 Garden Row, Bristol"}
    return Settings(root=root, name="Marigold", sender=sender)


def in_earnest(store: Settings) -> Settings:
    """The same store with addresses of its own, without which nothing leaves this machine."""
    return store.model_copy(update={"brand": Brand(url="https://marigold.example"), "public_url": "https://marigold.example/rekindle"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    ledgers = getattr(metafunc.module, "LEDGERS", None)
    if ledgers and "ledger" in metafunc.fixturenames:
        metafunc.parametrize("ledger", ledgers, indirect=True)


def on_postgresql(settings: Settings) -> Settings:
    """The same store with a fresh ledger on the tests' server, its tables made."""
    url = server().fresh(lambda empty: use_ledger(settings.model_copy(update={"database": empty})))
    return settings.model_copy(update={"database": url})


@pytest.fixture(autouse=True)
def nobody_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests asked in the same minute is not counted."""
    from rekindle.service.api.access import STRANGERS
    from rekindle.service.public.forms import LINKS, ORIGINS

    for counted in (STRANGERS, LINKS, ORIGINS):
        monkeypatch.setattr(counted, "_counts", {})


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> str:
    kind: str = getattr(request, "param", "sqlite")
    return kind


@pytest.fixture
def store(tmp_path: Path, ledger: str) -> Iterator[Settings]:
    from django.db import connection

    settings = make_store(tmp_path / "shop")
    if ledger == "postgresql":
        settings = on_postgresql(settings)
    use_ledger(settings)
    yield settings
    connection.close()
    if ledger == "postgresql":
        server().drop(settings.database)
