"""The pieces of a proposal: cells and their reasons, notes, chances among customers who may get different things, terms of the rules."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from rekindle.errors import BadData, CannotTell
from rekindle.learn.board import board, rounded
from rekindle.learn.evidence import Evidence
from rekindle.learn.policies import BestFixedArm, Learning
from rekindle.learn.policy_update import Belief, Cell, Group, Terms
from rekindle.program.rules import Budget, Exploration, PartBudget, Rules, StoreCaps
from tests.learn.known_stages import ARMS, CONTEXTS, empty, followed, idle_stage, stage

EFFECT = np.tile([8.0, 15.0, 60.0, 0.0], (9, 1))


def learned(decisions: float = 3000.0, seen: float = 1.0) -> Evidence:
    truth = stage(EFFECT)
    return followed(empty(truth), truth, np.full(EFFECT.shape, decisions), np.random.default_rng(1), seen)


def cells(found: tuple[Cell, ...], arm: str) -> list[Cell]:
    return [cell for cell in found if cell.arm == arm]


def test_a_cell_has_its_evidence_its_effect_and_the_chance_that_it_is_best() -> None:
    evidence = learned(seen=0.5)
    found = Learning().propose([evidence], Terms())
    assert [(cell.context, cell.arm) for cell in found.cells] == [(where, arm) for where in CONTEXTS for arm in ARMS]
    assert {(cell.decisions, cell.exposure) for cell in found.cells} == {(3000.0, 1500.0)}
    assert found.maturity == {("win-back", "reconnect"): 0.5}
    for cell in cells(found.cells, "credit"):
        assert cell.low < 60 < cell.high
        assert cell.low < cell.mean < cell.high
    for context in range(9):
        assert sum(cell.best_chance for cell in found.cells[4 * context : 4 * context + 4]) == pytest.approx(1.0)
    assert {(cell.mean, cell.low, cell.high) for cell in cells(found.cells, "nothing")} == {(0.0, 0.0, 0.0)}


def test_the_reasons_say_what_a_chance_rests_on() -> None:
    evidence = learned()
    orders = evidence.orders.copy()
    orders[0, 2] = 39.0
    found = Learning().propose([replace(evidence, orders=orders)], Terms()).cells
    credit = cells(found, "credit")
    assert "39 orders with it here and" in credit[0].why
    assert "40 of each are needed before it may differ" in credit[0].why
    assert f"brings {credit[1].mean:+.1f} a decision here" in credit[1].why
    assert f"the best single variant, best of this context with a chance of {100 * credit[1].best_chance:.0f} %" in credit[1].why
    assert "kept at its least chance" in cells(found, "reminder")[1].why
    assert "so that there is always something to compare with" in cells(found, "nothing")[1].why
    untried = Learning().propose([empty(idle_stage())], Terms()).cells
    assert "not tried yet: the documents assume +25.0 a decision" in cells(untried, "credit")[0].why


def test_a_stage_that_may_not_work_is_said_to() -> None:
    found = Learning().propose([empty(idle_stage())], Terms())
    said = "win-back/reconnect: with a chance of 50 % no variant brings an order more; so often their chances are their floors"
    assert found.notes == (said,)
    assert found.maturity[("win-back", "reconnect")] == CannotTell("no decision of this stage has been drawn yet")
    assert Learning().propose([learned()], Terms()).notes == ()


def test_what_a_table_is_expected_to_bring_is_its_chances_times_what_is_believed() -> None:
    found = BestFixedArm().propose([learned()], Terms())
    worth = Belief.of(learned(), 10, 0).worth
    weights = np.array([0.02, 0.02, 0.91, 0.05])
    assert found.margin_expected == pytest.approx(500 * float((worth * weights).sum()), rel=1e-6)
    assert found.spend_expected == pytest.approx(500 * 9 * (0.02 * 0.1 + 0.02 * 10 + 0.91 * 20), rel=1e-6)


def test_the_best_single_variant_is_nothing_where_nothing_brings_anything() -> None:
    truth = idle_stage()
    evidence = followed(empty(truth), truth, np.full((9, 4), 20_000.0), np.random.default_rng(1))
    belief = Belief.of(replace(evidence, cost=truth.cost + 1.0), 50, 0)
    assert belief.fixed == 3
    found = BestFixedArm().propose([evidence], Terms())
    assert {cell.weight for cell in cells(found.cells, "nothing")} == {0.94}


def test_chances_are_those_of_customers_who_may_get_different_things() -> None:
    """Against customers drawn one by one, each with what is left renormalised."""
    share = np.array([0.9, 0.4, 0.0, 1.0])
    rows = board([replace(learned(), allowed=np.tile(share, (9, 1)))], Terms())
    may = np.random.default_rng(1).random((300_000, 4)) < share
    for weights in ([0.3, 0.2, 0.4, 0.1], [0.02, 0.91, 0.02, 0.05]):
        left = may * weights
        expected = (left / left.sum(axis=1, keepdims=True)).mean(axis=0)
        assert rows.chances(np.tile(weights, (9, 1)))[3] == pytest.approx(expected, abs=0.003)


def test_floors_of_whom_others_leave_more_chance_keep_the_budget_too() -> None:
    """Where few may get the free variants, the floors of the costly ones weigh more once renormalised."""
    evidence = replace(learned(), allowed=np.tile([0.1, 0.1, 1.0, 1.0], (9, 1)))
    found = Learning().propose([evidence], Terms(budget=500.0))
    assert found.spend_expected == pytest.approx(500.0, rel=0.005)
    assert found.spend_expected <= 500.0


def test_groups_that_the_terms_name_fare_alike() -> None:
    evidence = learned()
    north = {where: 0.9 if where.startswith("high") else 0.2 for where in CONTEXTS}
    costs = evidence.cost * np.repeat([[3.0], [1.0], [0.5]], 3, axis=0)
    terms = Terms(budget=30_000.0, groups=(Group("north", north),), disparity=0.2)
    found = Learning(draws=40).propose([replace(evidence, cost=costs)], terms)
    given = (np.array([cell.weight for cell in found.cells]).reshape(9, 4) * costs).sum(axis=1)
    share = np.array([north[where] for where in CONTEXTS])
    mine, others = given @ share / share.sum(), given @ (1 - share) / (1 - share).sum()
    assert 1 - min(mine, others) / max(mine, others) <= 0.2 + 1e-4
    free = Learning(draws=40).propose([replace(evidence, cost=costs)], Terms(budget=30_000.0))
    assert free.margin_expected > found.margin_expected


def test_chances_are_rounded_in_favour_of_nothing() -> None:
    found = rounded(np.array([[1 / 3, 0.02, 1 - 1 / 3 - 0.02]]))
    assert found.tolist() == [[0.333333, 0.02, 0.646667]]


def test_terms_of_the_rules_are_in_the_period_of_the_budget_less_the_reserve() -> None:
    rules = Rules(
        caps=StoreCaps(touches=3, per="30d"), budget=Budget(amount="100", per="30d"),
        budgets=(
            PartBudget(amount="10", per="15d", program="welcome"), PartBudget(amount="90", per="30d"),
            PartBudget(amount="1", per="30d", payer="seller"),
        ),
        exploration=Exploration(arm=0.03, nothing=0.1),
    )
    terms = Terms.of_rules(rules, lambda units: float(units * Decimal(100)))
    assert terms.budget == pytest.approx(0.95 * 9_000)
    assert terms.budgets == {"welcome": pytest.approx(0.95 * 2_000)}
    assert (terms.floor_arm, terms.floor_nothing) == (0.03, 0.1)


def test_evidence_whose_parts_do_not_fit_is_bad_data() -> None:
    evidence = learned()
    for change in ({"arms": ARMS[:3]}, {"channels": ("",)}, {"cost": evidence.cost[:, :2]}, {"orders": -evidence.orders}):
        with pytest.raises(BadData, match="win-back/reconnect"):
            replace(evidence, **change)
