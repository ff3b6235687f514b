"""An audit makes decisions again by what the journal says that budgets left, and of older ones by what they agree on."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from rekindle.decide.policy import equal_chance
from rekindle.decide.replay import Logged, replay, written
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.program.documents import NOTHING, Program
from rekindle.service.flow import documents, policies, replaying
from rekindle.service.flow.replaying import Replayed
from rekindle.settings import Settings
from tests.decide.shop import Decider, instant
from tests.service.live import approve_shipped

CUSTOMERS = 60


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    approve_shipped(store)
    with open_history(store.history, store.root) as opened:
        yield opened


@pytest.fixture
def program(store: Settings, warehouse: Warehouse) -> Program:
    """The store's, whose first stage has two variants and more."""
    return next(one for one in documents.approved(store).programs if one.name == "win-back")


def decided(store: Settings, warehouse: Warehouse, program: Program, scales: Mapping[str, float], told: str | None) -> None:
    """Decisions of the program's first stage whose chances budgets scaled, the journal saying what is told of that."""
    table, stage = equal_chance((program,)), program.stages[0]
    policies.keep_rule(store, table, instant(0))
    eligible, rows = (*(arm.name for arm in stage.arms), NOTHING), []
    for number in range(CUSTOMERS):
        logged = Logged(f"c{number}", program.name, stage.name, "order", "mid/other", eligible, "", 0.0, 0.0)
        made = replay(logged, program, table, scales)
        rows.append({
            "customer_id": logged.customer_id, "day": 0, "program": program.name, "version": program.digest, "stage": stage.name,
            "episode": "order", "context": "mid/other", "eligible": "|".join(eligible), "closed": "", "policy": table.version,
            "arm": made.arm, "propensity": made.propensity, "draw": made.draw, "scales": told,
        })  # fmt: skip
    Decider(warehouse).remember(*rows)


def again(store: Settings, warehouse: Warehouse) -> tuple[Replayed, ...]:
    found = replaying.of_sample(store, warehouse, instant(0).naive - timedelta(days=1))
    assert len(found) == CUSTOMERS
    return found


def two_payers(program: Program) -> dict[str, float]:
    first, second, *rest = (arm.name for arm in program.stages[0].arms)
    return {**dict.fromkeys(rest, 1.0), first: 0.37, second: 0.81}


def test_what_several_payers_budgets_left_is_read_from_the_journal(store: Settings, warehouse: Warehouse, program: Program) -> None:
    scales = two_payers(program)
    decided(store, warehouse, program, scales, written(scales))
    found = again(store, warehouse)
    assert {one.same for one in found} == {True}
    first, second, *_ = (arm.name.replace("_", " ") for arm in program.stages[0].arms)
    assert {one.why for one in found} == {f"budgets left 0.370 of {first}, 0.810 of {second}"}


def test_a_scale_that_was_changed_does_not_come_out(store: Settings, warehouse: Warehouse, program: Program) -> None:
    scales = two_payers(program)
    decided(store, warehouse, program, scales, written({**scales, program.stages[0].arms[0].name: 0.5}))
    found = again(store, warehouse)
    assert any(one.same is False for one in found)


def test_an_older_decision_comes_out_by_the_scale_that_all_agree_on(store: Settings, warehouse: Warehouse, program: Program) -> None:
    decided(store, warehouse, program, dict.fromkeys(two_payers(program), 0.25), None)
    found = again(store, warehouse)
    assert {(one.same, one.why) for one in found} == {(True, "budgets left 0.250 of the chances")}


def test_of_older_decisions_of_several_payers_it_still_cannot_be_told(store: Settings, warehouse: Warehouse, program: Program) -> None:
    decided(store, warehouse, program, two_payers(program), None)
    found = again(store, warehouse)
    why = "several payers' budgets scaled its chances, and it was not written down by how much"
    assert {(one.same, one.why) for one in found} == {(None, why)}


def test_a_budget_that_left_all_is_not_spoken_of(store: Settings, warehouse: Warehouse, program: Program) -> None:
    decided(store, warehouse, program, {}, "")
    assert {(one.same, one.why) for one in again(store, warehouse)} == {(True, "")}
