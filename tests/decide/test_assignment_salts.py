"""Any two salts have nothing in common: of all the salts that a shop uses, in Python and on the engine."""

from itertools import combinations
from math import sqrt

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide.assignment import draw, draw_of, salt
from rekindle.history.warehouse import Warehouse
from tests.decide.shop import Decider

SALTS = [
    *(("holdout", str(year)) for year in (2025, 2026, 2027)),
    *(("control", program, str(year)) for program in ("win-back", "welcome", "thanks", "back-in-stock") for year in (2026, 2027)),
    *((salt(program, stage, version),)
      for program in ("win-back", "welcome") for stage in ("reconnect", "tailor", "closing") for version in ("1", "2", "12")),
    ("a",), ("b",), ("aa",), ("win-back:reconnect:1",), ("win-back:reconnect:1", "1"),
]
"""Years, programs, stages and versions that differ by one letter or digit, as they do in a shop."""

ODD = [
    "", " ", ":", "a:b", "it's", 'say "x"', "line\nend", "tab\t", "back\\slash", "%_", "Zoë", "Zoe\u0308",
    "北京", "🛒", "0x1f", "-0",
]
"""Quotes, colons, line ends, emoji, combining letters and empty texts, as ids of shops have them."""

SIZE = 6_000
IDS = [f"customer-{number}" for number in range(SIZE)]
PAIRS = [pair for pair in combinations(dict.fromkeys(SALTS), 2)]


def numbers() -> dict[tuple[str, ...], np.ndarray]:
    return {one: np.array([draw_of(*one, customer) for customer in IDS]) for one in dict.fromkeys(SALTS)}


def on_the_engine(warehouse: Warehouse, ids: list[str]) -> dict[tuple[str, ...], np.ndarray]:
    table = ibis.memtable(pa.table({"id": ids, "n": list(range(len(ids)))}))
    columns = {f"u{at}": draw(*one, table.id) for at, one in enumerate(dict.fromkeys(SALTS))}
    found = warehouse.arrow(table.select("n", **columns).order_by("n"))
    return {one: found[f"u{at}"].to_numpy() for at, one in enumerate(dict.fromkeys(SALTS))}


@pytest.fixture(scope="module")
def drawn() -> dict[tuple[str, ...], np.ndarray]:
    return numbers()


def test_every_salt_draws_the_same_to_the_last_bit_in_python_and_on_the_engine(
    decider: Decider, drawn: dict[tuple[str, ...], np.ndarray]
) -> None:
    found = on_the_engine(decider.warehouse, IDS)
    assert {one: bool((found[one] == drawn[one]).all()) for one in found} == dict.fromkeys(found, True)


def test_no_two_salts_are_correlated(drawn: dict[tuple[str, ...], np.ndarray]) -> None:
    """Under 4 / sqrt(n), every pair; by chance alone one in 16,000 would be above."""
    correlations = np.corrcoef(np.stack(list(drawn.values())))
    off = [(pair, correlations[list(drawn).index(pair[0]), list(drawn).index(pair[1])]) for pair in PAIRS]
    assert len(off) > 400
    assert [pair for pair, one in off if abs(one) >= 4 / sqrt(SIZE)] == []
    assert np.std([one for _, one in off]) == pytest.approx(1 / sqrt(SIZE), rel=0.15)  # as of independent draws, not less by design


def test_the_low_end_of_one_salt_is_everywhere_in_another(drawn: dict[tuple[str, ...], np.ndarray]) -> None:
    """Correlation would not see it if the held out had their draws in the middle, or at both ends, of another salt."""
    for first, second in PAIRS:
        low = drawn[second][drawn[first] < 0.05]
        counts = np.bincount((low * 4).astype(int), minlength=4)
        expected = len(low) / 4
        assert ((counts - expected) ** 2 / expected).sum() < 27.0, (first, second)  # chi-square with 3 degrees of freedom: 6 in a million


def test_a_longer_salt_is_another_salt(drawn: dict[tuple[str, ...], np.ndarray]) -> None:
    """`win-back:reconnect:1` and `win-back:reconnect:12` begin alike; so do a salt and the same with a customer's first letter in it."""
    assert draw_of("win-back:reconnect:1", "2") != draw_of("win-back:reconnect:12", "")
    short, long = drawn[("win-back:reconnect:1",)], drawn[("win-back:reconnect:12",)]
    assert abs(np.corrcoef(short, long)[0, 1]) < 4 / sqrt(SIZE)


def test_an_odd_text_draws_the_same_in_python_and_on_the_engine(decider: Decider) -> None:
    found = on_the_engine(decider.warehouse, ODD)
    assert all(numbers.tolist() == [draw_of(*one, text) for text in ODD] for one, numbers in found.items())
