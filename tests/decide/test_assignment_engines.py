"""Spark draws what Python and DuckDB draw, to the last bit: odd texts under every salt, and whole decisions with their propensities.

Its golden vectors are in `tests/contracts/test_profiles.py`.
"""

from collections.abc import Iterator

import pytest

from rekindle.decide.assignment import draw_of
from rekindle.history.warehouse import Warehouse, open_history
from tests.contracts.engines import QUIETLY, URLS, spark
from tests.decide.test_assignment_replay import agree, logged
from tests.decide.test_assignment_salts import IDS, ODD, on_the_engine

pytestmark = [pytest.mark.engines, *QUIETLY]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    spark()
    with open_history(URLS["spark"], tmp_path_factory.mktemp("draws")) as opened:
        yield opened


def test_odd_texts_and_every_salt(lake: Warehouse) -> None:
    texts = [*ODD, *IDS[:1_000]]
    for one, numbers in on_the_engine(lake, texts).items():
        assert numbers.tolist() == [draw_of(*one, text) for text in texts]


def test_logged_decisions_are_what_anyone_recomputes(lake: Warehouse) -> None:
    agree(logged(lake, 3_000), 3_000)
