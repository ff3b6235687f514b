"""A decider with an empty history for each test, or for each module."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.decide.shop import Decider
from tests.insight.histories import history


@pytest.fixture(scope="session", autouse=True)
def _less_collecting() -> None:
    """Expressions are very many small objects, hardly any of them garbage: looking for it takes a quarter of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture
def decider(tmp_path: Path) -> Iterator[Decider]:
    with history(tmp_path) as warehouse:
        yield Decider(warehouse)


@pytest.fixture(scope="module")
def shared_decider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decider]:
    """For tests that keep no plan, and for those that look at one story."""
    with history(tmp_path_factory.mktemp("shared")) as warehouse:
        yield Decider(warehouse)
