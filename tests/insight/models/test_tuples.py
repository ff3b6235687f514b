"""Grouping, sorting and pairing histories, against NumPy's slow and plain ways."""

import numpy as np
import pytest

from rekindle.insight.models import LapseTuples, tuples
from rekindle.insight.models.tuples import ranked, silences, standings


def customers(whole_days: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    age = rng.integers(0, 60, 5_000)
    repeats = np.minimum(rng.poisson(1.5, 5_000), age)
    last = np.where(repeats > 0, np.minimum(repeats + rng.integers(0, 30, 5_000), age), 0)
    return repeats, last / (7 if whole_days else np.pi), age / (7 if whole_days else np.pi)


@pytest.mark.parametrize("whole_days", [True, False])
@pytest.mark.parametrize("widest", [2**62, 1])
def test_grouping_is_numpys_unique_rows(monkeypatch: pytest.MonkeyPatch, whole_days: bool, widest: int) -> None:
    monkeypatch.setattr(tuples, "WIDEST", widest)
    repeats, last, age = customers(whole_days)
    rows, counts = np.unique(np.stack([repeats, age, last]), axis=1, return_counts=True)
    got = LapseTuples.grouped(repeats, last, age)
    assert (got.repeats == rows[0]).all()
    assert (got.age == rows[1]).all()
    assert (got.last == rows[2]).all()
    assert (got.customers == counts).all()
    mixed = np.random.default_rng(4).permutation(len(got))
    again = LapseTuples(got.repeats[mixed], got.last[mixed], got.age[mixed], got.customers[mixed]).sorted()
    for column in ("repeats", "last", "age", "customers"):
        assert (getattr(again, column) == getattr(got, column)).all()


@pytest.mark.parametrize("whole_days", [True, False])
def test_pairs_are_distinct_sorted_and_lead_back(whole_days: bool) -> None:
    rows = LapseTuples(*customers(whole_days), np.ones(5_000, dtype=np.int64))
    pairs, row = standings(rows)
    assert (pairs.repeats[row] == rows.repeats).all()
    assert (pairs.age[row] == rows.age).all()
    both, began, today = silences(rows)
    assert (both.age[began] == rows.last).all()
    assert (both.age[today] == rows.age).all()
    assert (both.repeats[began] == rows.repeats).all()
    for found in (pairs, both):
        assert len(np.unique(np.stack([found.repeats, found.age]), axis=1).T) == len(found)
        assert (np.lexsort((found.age, found.repeats)) == np.arange(len(found))).all()


@pytest.mark.parametrize("values", [[], [5.0], [0.0, 3 / 7, 1 / 7, 3 / 7], [0.1, 1e6, 0.1], [1_000.5, 0.25]])
def test_ranks_lead_back_to_the_values(values: list[float]) -> None:
    distinct, row = ranked(np.array(values))
    assert distinct.tolist() == sorted(set(values))
    assert distinct[row].tolist() == values


def test_nobody_is_grouped_to_nothing() -> None:
    none = np.array([], dtype=np.int64)
    assert len(LapseTuples.grouped(none, none.astype(float), none.astype(float))) == 0
