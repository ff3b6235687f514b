"""The table of chances, read for each context; and its version, a hash of its content."""

from dataclasses import replace

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pytest

from rekindle.decide.policy import CONTEXT, FLOOR, Policy, context, equal_chance, fixed, of_columns
from rekindle.errors import BadData
from rekindle.insight.profile import COLUMNS
from rekindle.insight.protected import PROTECTED, protected_kind
from tests.decide.shop import Decider, crowd, program

STAGE = program().stages[0]
OWN = {"nothing": 0.1, "plain": 0.0, "lesson": 0.0, "light": 0.9}
COMMON = {"nothing": 0.4, "plain": 0.6, "lesson": 0.0, "light": 0.0}
LEARNED = Policy(
    "learned",
    (
        *(("back", "reconnect", "*", arm, weight) for arm, weight in COMMON.items()),
        *(("back", "reconnect", "high/other", arm, weight) for arm, weight in OWN.items()),
        ("other", "reconnect", "high/other", "plain", 1.0), ("back", "tailor", "high/other", "plain", 1.0),
    ),
)


def weights(decider: Decider, policy: Policy, *contexts: str | None) -> list[dict[str, float]]:
    table = ibis.memtable(pa.table({"context": pa.array(contexts, pa.string()), "n": list(range(len(contexts)))}))
    found = decider.warehouse.arrow(policy.weights("back", STAGE, table).order_by("n")).to_pylist()
    return [{name.removeprefix("weight:"): value for name, value in row.items() if name.startswith("weight:")} for row in found]


def test_a_context_has_its_own_row_and_any_other_the_common_one(decider: Decider) -> None:
    assert weights(decider, LEARNED, "high/other", "mid/other", None, "high/other") == [OWN, COMMON, COMMON, OWN]
    assert LEARNED.chances("back", STAGE, "high/other") == OWN
    assert LEARNED.chances("back", STAGE, "mid/other") == COMMON
    assert LEARNED.contexts("back", "reconnect") == ("*", "high/other")


def test_a_variant_that_the_table_does_not_know_has_the_exploration_floor(decider: Decider) -> None:
    """`lesson` and `light` came after the table; `gone` was taken out of the stage, and its chance goes to the others."""
    old = Policy("old", (*(("back", "reconnect", "*", arm, w) for arm, w in {"nothing": 0.2, "plain": 0.6, "gone": 0.2}.items()),))
    (found,) = weights(decider, old, "mid/other")
    assert found == pytest.approx({"nothing": 0.24, "plain": 0.72, "lesson": FLOOR, "light": FLOOR})
    assert sum(found.values()) == pytest.approx(1.0)
    assert old.chances("back", STAGE, "mid/other") == found


def test_a_table_of_variants_that_are_all_gone_has_equal_chances(decider: Decider) -> None:
    old = Policy("old", (("back", "reconnect", "*", "gone", 1.0), ("back", "reconnect", "high/other", "nothing", 0.0)))
    assert weights(decider, old, "mid/other", "high/other") == [dict.fromkeys(("nothing", "plain", "lesson", "light"), 0.25)] * 2


def test_a_stage_that_the_table_does_not_know_has_equal_chances(decider: Decider) -> None:
    known = Policy("other", (("back", "tailor", "*", "percent", 1.0),))
    assert weights(decider, known, "mid/other") == [dict.fromkeys(("nothing", "plain", "lesson", "light"), 0.25)]


def test_an_experiment_fixes_its_stage_alone(decider: Decider) -> None:
    held = fixed(LEARNED, "back", STAGE, ("plain", "light"))
    third = pytest.approx({"nothing": 1 / 3, "plain": 1 / 3, "lesson": 0.0, "light": 1 / 3})
    assert weights(decider, held, "high/other", "mid/other") == [third, third]
    elsewhere = [{row for row in one.rows if row[:2] != ("back", "reconnect")} for one in (held, LEARNED)]
    assert elsewhere[0] == elsewhere[1]
    assert held.version.startswith("experiment-")
    assert fixed(LEARNED, "back", STAGE, ("nothing", "plain")).chances("back", STAGE, "mid/other")["plain"] == 0.5


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


def test_a_context_reads_nothing_of_who_a_customer_is() -> None:
    """What the expression itself reads, whatever the code says."""
    profile = ibis.table(COLUMNS, name="profile")
    read = {field.name for field in context(profile).op().find(ops.Field)}
    assert read == set(CONTEXT)
    assert not {name for name in read if protected_kind(name)}
    assert {name for name in COLUMNS if protected_kind(name)} == {"country", "age_days"}  # the latter is since the first order


def test_no_protected_attribute_enters_a_context() -> None:
    names = sorted({name for names in PROTECTED.values() for name in names})
    profile = ibis.table({"value_tier": "string", **dict.fromkeys((*names, "customer_age"), "string")}, name="profile")
    for name in (*names, "customer_age"):
        with pytest.raises(BadData, match=f"a context would hold {name}: '{name}' is a protected attribute"):
            of_columns(profile, ("value_tier", name))
    assert len(names) > 80


@pytest.mark.parametrize("where", ["DE", "high/DE", "high/other/female", "other/high", ""])
def test_a_table_of_chances_knows_no_other_context(where: str) -> None:
    with pytest.raises(BadData, match="that no customer can have"):
        Policy("learned", (("back", "reconnect", "*", "plain", 1.0), ("back", "reconnect", where, "plain", 1.0)))


def test_only_variants_with_a_chance_are_eligible_and_the_others_that_might_be_had_are_closed(decider: Decider) -> None:
    """While an experiment compares two of three; the plan is the same when it is made again."""
    mine = program()
    fixed_one = replace(decider, policy=fixed(equal_chance((mine,)), "back", mine.stages[0], ("lesson", "light")))
    rows = fixed_one.rows(fixed_one.plan(0, crowd(60)))
    assert {(row["eligible"], row["closed"]) for row in rows} == {("lesson|light|nothing", "plain|")}
    assert {row["arm"] for row in rows} == {"lesson", "light", "nothing"}
    assert fixed_one.plan(0, crowd(60)).digest == fixed_one.plan(0, crowd(60)).digest
