"""A logged decision recomputed by hand: arm, propensity and draw of every row agree, however many rows there are.

The second implementation knows the table of chances, the salt and what the journal says of the row: hashlib and numpy, no expression.
"""

from hashlib import md5

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide import chances
from rekindle.decide.policy import Policy
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import NOTHING
from tests.decide.shop import Decider, certainly, crowd, documents, program

PROGRAM = program(version=7)
STAGE = PROGRAM.stages[0]
ARMS = [arm.name for arm in STAGE.arms]
TABLE = {
    "high/other": {"plain": 0.17, "lesson": 0.05, "light": 0.7, NOTHING: 0.08},
    "mid/other": {"plain": 1 / 3, "lesson": 1 / 3, "light": 0.02, NOTHING: 0.3133333333333333},
    "occasional/other": {"plain": 0.02, "lesson": 0.02, "light": 0.02, NOTHING: 0.94},
    "*": dict.fromkeys((*ARMS, NOTHING), 0.25),
}
POLICY = Policy(
    "learned", tuple(("back", STAGE.name, where, arm, chance) for where, cell in TABLE.items() for arm, chance in cell.items())
)
CONTEXTS = ("high/other", "mid/other", "occasional/other", "mid/none")
SCALES = {"plain": 1.0, "lesson": 0.73, "light": 0.415}
"""What budgets leave of each variant's chances."""

COLUMNS = ("ceiling", "cost", "margin", "spread", "subsidised", "theirs", "worth")


def candidates(size: int) -> ibis.Table:
    """Candidates of one stage with what each may get, as `side_by_side` leaves them."""
    number = np.arange(size)
    columns: dict[str, object] = {
        "customer_id": [f"C{one:07d}" for one in number], "episode": [f"order-{one % 7919}" for one in number],
        "context": np.array(CONTEXTS)[number * 13 % 4], "held_arm": pa.nulls(size, pa.string()),
        "held_propensity": pa.nulls(size, pa.float64()),
    }
    for at, arm in enumerate(ARMS):
        columns |= {f"can:{arm}": number * (at + 3) % 11 < 8, f"channel:{arm}": ["email"] * size}
        columns |= {f"{name}:{arm}": np.ones(size, dtype=np.int64) for name in COLUMNS}
        columns |= {f"{name}:{arm}": pa.nulls(size, pa.string()) for name in ("scope", "seller")}
    return ibis.memtable(pa.table(columns))


def drawn(warehouse: Warehouse, size: int) -> pa.Table:
    """What the planner's own expressions write of the candidates."""
    table = warehouse.keep(chances.spread_chances(warehouse.keep(candidates(size)), PROGRAM, STAGE, POLICY))
    return warehouse.arrow(chances.drawn(chances.Chances(PROGRAM, STAGE, table), SCALES))


def logged(warehouse: Warehouse, size: int) -> pa.Table:
    """The same, columns of the journal only that a decision is recomputed from."""
    return drawn(warehouse, size).select(["customer_id", "episode", "context", "eligible", "closed", "arm", "propensity", "draw"])


def recomputed(rows: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arm, propensity and draw of each row from its ids, context and eligible variants."""
    salt = f"back:{STAGE.name}:7"
    ids = zip(rows["customer_id"].to_pylist(), rows["episode"].to_pylist(), strict=True)
    numbers = np.array([int(md5(f"{salt}:{one}:{other}".encode(), usedforsecurity=False).hexdigest()[:13], 16) for one, other in ids])
    draws = numbers / 2**52
    where, at = np.unique(rows["context"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    weights = np.array([[TABLE.get(one, TABLE["*"])[arm] for arm in (*ARMS, NOTHING)] for one in where])[at]
    sets, which = np.unique(rows["eligible"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    may = np.array([[arm in one.split("|") for arm in ARMS] for one in sets])[which]
    weights[:, :-1] *= may
    total = weights[:, -1].copy()
    for column in range(len(ARMS)):
        total = total + weights[:, column]
    arm, propensity = np.full(len(draws), NOTHING, dtype=object), np.full(len(draws), np.nan)
    edge, open_still = np.zeros(len(draws)), np.ones(len(draws), dtype=bool)
    for column, name in enumerate(ARMS):
        share = weights[:, column] / total * SCALES[name]
        edge = edge + share
        taken = open_still & (draws < edge)
        arm[taken], propensity[taken] = name, share[taken]
        open_still &= ~taken
    propensity[open_still] = 1.0 - edge[open_still]
    return arm, propensity, draws


def agree(rows: pa.Table, size: int) -> None:
    arm, propensity, draws = recomputed(rows)
    assert rows.num_rows == size
    assert np.array_equal(rows["draw"].to_numpy(), draws)
    assert np.array_equal(rows["arm"].to_numpy(zero_copy_only=False), arm)
    assert np.array_equal(rows["propensity"].to_numpy(), propensity)
    assert set(arm) == {*ARMS, NOTHING}


def test_every_logged_decision_is_what_anyone_recomputes(decider: Decider) -> None:
    agree(logged(decider.warehouse, 10_000), 10_000)


@pytest.mark.long
def test_a_million_logged_decisions_are_what_anyone_recomputes(decider: Decider) -> None:
    agree(logged(decider.warehouse, 1_000_000), 1_000_000)


def test_variants_are_drawn_as_often_as_their_propensity_says(decider: Decider) -> None:
    """Inverse propensities of what was drawn sum to the number of those who could have drawn it."""
    rows = logged(decider.warehouse, 10_000)
    arm, propensity = rows["arm"].to_numpy(zero_copy_only=False), rows["propensity"].to_numpy()
    eligible = rows["eligible"].to_pylist()
    for name in (*ARMS, NOTHING):
        could = sum(name in one.split("|") for one in eligible)
        inverse = np.where(arm == name, 1 / propensity, 0.0)
        assert abs(inverse.sum() - could) < 4 * np.sqrt((inverse**2).sum())


def test_a_plan_of_the_whole_planner_is_recomputed_too(decider: Decider) -> None:
    """From profiles to rows, without a budget that binds: what the journal keeps is enough to draw again.

    Its `version` is the digest of the program's document; the salt has the number that is written in there.
    """
    decider.documents = documents(PROGRAM)
    decider.policy = Policy("learned", (*POLICY.rows, *certainly("tailor:nothing:percent:credit", "closing:nothing:last_word")))
    tiers = ("high", "mid", "occasional")
    people = [row | {"value_tier": tiers[at % 3], "orders": 3 + at % 2} for at, row in enumerate(crowd(80))]
    found = decider.decide(0, people)
    draws = [row for row in found.values() if row["arm"] is not None]
    assert len(draws) == 80
    for row in draws:
        text = f"back:{row['stage']}:7:{row['customer_id']}:{row['episode']}"
        number = int(md5(text.encode(), usedforsecurity=False).hexdigest()[:13], 16) / 2**52
        cell = {arm: TABLE[row["context"]][arm] for arm in row["eligible"].split("|")}
        whole, edge, arm = sum(cell.values()), 0.0, NOTHING
        for name in ARMS:
            edge += cell.get(name, 0.0) / whole
            if number < edge:
                arm = name
                break
        assert (row["draw"], row["arm"]) == (number, arm), text
        assert row["propensity"] == pytest.approx(cell[arm] / whole, rel=1e-12)
