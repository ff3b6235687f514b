"""The draw is the same number in every language, uniform, and independent from one salt to another."""

from math import sqrt

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide.assignment import draw, draw_of, salt
from rekindle.decide.guardrails import standing
from tests.decide.shop import Decider

GOLDEN = [
    (("win-back:reconnect:1", "AbCdEf0123_.", "536365"), 3942046100848735),
    (("win-back:tailor:2", "AbCdEf0123_.", "536365"), 3533483414838599),
    (("holdout", "2026", "AbCdEf0123_."), 3869729202499479),
    (("control", "win-back", "2026", "AbCdEf0123_."), 2252870855536101),
    (("holdout", "2027", "AbCdEf0123_."), 1680494020754209),
    (("a", "b"), 3801427398089760),
    (("", "", ""), 1213981248914278),
    (("win-back:closing:1", "Zoë", "№ 7"), 2571758540955061),
    (("0", "0"), 1102543669358418),
    (("x", "y" * 100), 1005921349757847),
]
"""From `printf '%s' a:b | md5sum | cut -c1-13`, read as a hexadecimal number; over 2^52 it is the draw."""

SIZE = 20_000
IDS = [f"customer-{number}" for number in range(SIZE)]
MODEST = 4 / sqrt(SIZE)


def python(*parts: str) -> np.ndarray:
    return np.array([draw_of(*parts, one) for one in IDS])


def test_golden_vectors_in_python() -> None:
    assert [(parts, draw_of(*parts) * 2**52) for parts, _ in GOLDEN] == [(parts, float(number)) for parts, number in GOLDEN]


def test_golden_vectors_in_the_engine(decider: Decider) -> None:
    for parts, number in GOLDEN:
        table = ibis.memtable(pa.table({f"p{at}": [part] for at, part in enumerate(parts)}))
        assert decider.warehouse.scalar(table.select(u=draw(*(table[name] for name in table.columns))).u.max()) == number / 2**52


def test_many_ids_draw_the_same_to_the_last_bit_in_python_and_in_the_engine(decider: Decider) -> None:
    table = ibis.memtable(pa.table({"id": IDS, "n": list(range(SIZE))}))
    found = decider.warehouse.arrow(table.select("n", u=draw(salt("win-back", "tailor", "3"), table.id, "o1")).order_by("n"))
    assert found["u"].to_pylist() == [draw_of("win-back:tailor:3", one, "o1") for one in IDS]


def test_draws_are_uniform_and_leave_no_number_out() -> None:
    draws = python("holdout", "2026")
    assert draws.min() >= 0
    assert draws.max() < 1
    counts = np.bincount((draws * 20).astype(int), minlength=20)
    assert ((counts - SIZE / 20) ** 2 / (SIZE / 20)).sum() < 43.8  # chi-square with 19 degrees of freedom at .001


@pytest.mark.parametrize(
    "other",
    [("holdout", "2027"), ("control", "win-back", "2026"), ("control", "thanks", "2026"), ("back:reconnect:1",), ("back:reconnect:2",)],
)
def test_two_salts_have_nothing_in_common(other: tuple[str, ...]) -> None:
    first, second = python("holdout", "2026"), python(*other)
    assert abs(np.corrcoef(first, second)[0, 1]) < MODEST
    assert abs((second[first < 0.05] < 0.5).mean() - 0.5) < 4 * sqrt(0.25 / (first < 0.05).sum())


def test_shares_of_holdout_and_control_are_what_was_asked_for_and_independent(decider: Decider) -> None:
    people = ibis.memtable(pa.table({"customer_id": IDS, "standing": pa.nulls(SIZE, pa.string())}))
    people = people.mutate(program=ibis.literal("win-back"), control=0.10, service=False)
    drawn = people.mutate(now=standing(people, 0.05, ibis.literal("2026")))
    listed = decider.warehouse.arrow(drawn.group_by("now").aggregate(n=drawn.count()))
    counts = dict(zip(listed["now"].to_pylist(), listed["n"].to_pylist(), strict=True))
    expected = {"holdout": 0.05, "control": 0.95 * 0.10, "treated": 0.95 * 0.90}
    assert counts.keys() == expected.keys()
    for name, share in expected.items():
        assert abs(counts[name] - SIZE * share) < 4 * sqrt(SIZE * share * (1 - share))


def test_the_arm_does_not_depend_on_the_standing() -> None:
    """One salt for all would put every held out customer into one arm."""
    held, drawn = python("holdout", "2026") < 0.05, python("win-back:reconnect:1")
    arms = (drawn * 4).astype(int)
    shares = np.bincount(arms[held], minlength=4) / held.sum()
    assert abs(shares - 0.25).max() < 4 * sqrt(0.25 * 0.75 / held.sum())


def test_a_standing_that_was_given_stays(decider: Decider) -> None:
    given = ["treated", "control", "holdout"]
    people = ibis.memtable(pa.table({"customer_id": given, "standing": given}))
    people = people.mutate(program=ibis.literal("win-back"), control=0.99, service=False)
    kept = standing(people, 0.99, ibis.literal("2026"))
    assert decider.warehouse.arrow(people.select("standing", kept=kept).order_by("standing"))["kept"].to_pylist() == sorted(given)
