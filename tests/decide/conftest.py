"""A decider with an empty history for each test, or for each module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.decide.shop import Decider
from tests.insight.histories import history


@pytest.fixture
def decider(tmp_path: Path) -> Iterator[Decider]:
    with history(tmp_path) as warehouse:
        yield Decider(warehouse)


@pytest.fixture(scope="module")
def shared_decider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decider]:
    """For tests that keep no plan, and for those that look at one story."""
    with history(tmp_path_factory.mktemp("shared")) as warehouse:
        yield Decider(warehouse)
