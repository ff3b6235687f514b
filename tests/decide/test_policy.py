"""The table of chances, read for each context; and its version, a hash of its content."""

import ibis
import pyarrow as pa
import pytest

from rekindle.decide.policy import Policy, context, equal_chance
from tests.decide.shop import Decider, program

STAGE = program().stages[0]
LEARNED = Policy(
    "learned",
    (
        ("back", "reconnect", "*", "nothing", 0.4), ("back", "reconnect", "*", "plain", 0.6),
        ("back", "reconnect", "high/other", "nothing", 0.1), ("back", "reconnect", "high/other", "light", 0.9),
        ("other", "reconnect", "high/other", "plain", 1.0), ("back", "tailor", "high/other", "plain", 1.0),
    ),
)


def weights(decider: Decider, policy: Policy, *contexts: str | None) -> list[dict[str, float]]:
    table = ibis.memtable(pa.table({"context": pa.array(contexts, pa.string()), "n": list(range(len(contexts)))}))
    found = decider.warehouse.arrow(policy.weights("back", STAGE, table).order_by("n")).to_pylist()
    return [{name.removeprefix("weight:"): value for name, value in row.items() if name.startswith("weight:")} for row in found]


def test_a_context_has_its_own_row_and_any_other_the_common_one(decider: Decider) -> None:
    own = {"nothing": 0.1, "plain": 0.0, "lesson": 0.0, "light": 0.9}
    common = {"nothing": 0.4, "plain": 0.6, "lesson": 0.0, "light": 0.0}
    assert weights(decider, LEARNED, "high/other", "mid/other", None, "high/other") == [own, common, common, own]


def test_a_stage_that_the_table_does_not_know_has_equal_chances(decider: Decider) -> None:
    known = Policy("other", (("back", "tailor", "*", "percent", 1.0),))
    assert weights(decider, known, "mid/other") == [dict.fromkeys(("nothing", "plain", "lesson", "light"), 0.25)]


def test_equal_chance_gives_every_variant_and_nothing_the_same() -> None:
    rows = equal_chance((program(),)).rows
    assert {(stage, arm): weight for _, stage, where, arm, weight in rows if where == "*"} == {
        **{("reconnect", arm): 1 / 4 for arm in ("nothing", "plain", "lesson", "light")},
        **{("tailor", arm): 1 / 3 for arm in ("nothing", "percent", "credit")},
        **{("closing", arm): 1 / 2 for arm in ("nothing", "last_word")},
    }


def test_a_version_is_its_content_whatever_the_order() -> None:
    assert LEARNED.version == Policy("learned", LEARNED.rows[::-1]).version
    assert LEARNED.version != Policy("learned", LEARNED.rows[1:]).version
    assert LEARNED.version.startswith("learned-")


@pytest.mark.parametrize(("tier", "cohort", "expected"), [("high", "other", "high/other"), ("mid", None, "mid/none")])
def test_a_context_is_tier_and_cohort(decider: Decider, tier: str, cohort: str | None, expected: str) -> None:
    table = ibis.memtable(pa.table({"value_tier": [tier], "lapsed_cohort": pa.array([cohort], pa.string())}))
    assert decider.warehouse.scalar(table.select(c=context(table)).c.max()) == expected
