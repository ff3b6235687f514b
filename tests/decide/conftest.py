"""A decider with an empty history for each test, or for each module; an empty one is made once and copied."""

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.history.warehouse import open_history
from tests.decide.shop import Decider

URL = "duckdb://history.duckdb"


@pytest.fixture(scope="session", autouse=True)
def _less_collecting() -> None:
    """Expressions are very many small objects, hardly any of them garbage: looking for it takes a quarter of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture(scope="session")
def empty_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    with open_history(URL, folder):
        pass
    return folder / "history.duckdb"


@pytest.fixture
def decider(empty_history: Path, tmp_path: Path) -> Iterator[Decider]:
    shutil.copy(empty_history, tmp_path)
    with open_history(URL, tmp_path) as warehouse:
        yield Decider(warehouse)


@pytest.fixture(scope="module")
def shared_decider(empty_history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decider]:
    """For tests that keep no plan."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(empty_history, folder)
    with open_history(URL, folder) as warehouse:
        yield Decider(warehouse)
