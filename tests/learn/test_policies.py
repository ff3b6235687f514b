"""Policies on stages whose truth is known: what they keep, what they learn, what they lose where nothing works, what they spend."""

from dataclasses import replace

import numpy as np
import pytest

from rekindle.decide.assignment import draw_of, salt
from rekindle.decide.policy import ANY
from rekindle.errors import BadData
from rekindle.learn.evidence import Evidence
from rekindle.learn.policies import POLICIES, BestFixedArm, EqualChance, Learning, Proposer, Ranked
from rekindle.learn.policy_update import Proposal, Terms
from tests.learn.known_stages import ARMS, CONTEXTS, Stage, empty, followed, idle_stage, stage

PROPOSERS: tuple[Proposer, ...] = (EqualChance(), BestFixedArm(), Ranked(), Learning())
EFFECT = np.tile([8.0, 15.0, 30.0, 0.0], (9, 1))
FLOORS = np.array([0.02, 0.02, 0.02, 0.94])


def learned(truth: Stage, decisions: float = 3000.0, seed: int = 1) -> Evidence:
    """A year of equal chances."""
    return followed(empty(truth), truth, np.full(truth.effect.shape, decisions), np.random.default_rng(seed))


def table(found: Proposal, stage_name: str = "reconnect") -> np.ndarray:
    """(C, A)."""
    rows = {(where, arm): weight for _, name, where, arm, weight in found.policy.rows if name == stage_name}
    return np.array([[rows[where, arm] for arm in ARMS] for where in CONTEXTS])


def customers(evidence: Evidence, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Contexts of customers in the order in which they come due, and the number each draws, as the planner draws it."""
    context = np.random.default_rng(5).choice(len(CONTEXTS), count, p=evidence.candidates / evidence.candidates.sum())
    where = salt(evidence.program, evidence.stage, "1")
    return context, np.array([draw_of(where, f"customer-{place}", f"order-{place}") for place in range(count)])


@pytest.mark.parametrize("proposer", PROPOSERS, ids=lambda one: one.name)
@pytest.mark.parametrize("budget", [None, 10_000.0])
def test_every_policy_keeps_floors_and_budget(proposer: Proposer, budget: float | None) -> None:
    found = proposer.propose([learned(stage(EFFECT))], Terms(budget=budget))
    weights = table(found)
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert (weights[:, :-1] >= 0.02).all()
    assert (weights[:, -1] >= 0.05).all()
    if budget is not None:
        assert found.spend_expected <= budget * (1 + 1e-9)
        assert found.spend_expected == pytest.approx(budget, rel=0.005)
    assert found.policy.name == proposer.name
    assert found.notes == ()


def test_each_policy_chooses_as_its_name_says() -> None:
    effect = EFFECT.copy()
    effect[:3] = [8.0, 90.0, -20.0, 0.0]
    evidence = learned(stage(effect), 20_000.0)
    chances = {one.name: table(one.propose([evidence], Terms())) for one in PROPOSERS}
    assert chances["equal-chance"] == pytest.approx(0.89 / 4 + FLOORS * [1, 1, 1, 0.05 / 0.94] * np.ones((9, 1)), abs=1e-6)
    assert (chances["best-fixed-arm"] == chances["best-fixed-arm"][0]).all()
    assert chances["best-fixed-arm"][0, 1] == pytest.approx(0.91, abs=1e-6)  # over all contexts `shipping` brings most
    assert chances["ranked"].argmax(axis=1).tolist() == [1] * 3 + [2] * 6
    assert set(np.unique(chances["ranked"].round(6))) == {0.02, 0.05, 0.91}
    assert chances["learning"].argmax(axis=1).tolist() == [1] * 3 + [2] * 6
    assert chances["learning"][0, 1] > 0.85


def test_the_registry_names_every_policy_once() -> None:
    assert {name: made().name for name, made in POLICIES.items()} == {one.name: one.name for one in PROPOSERS}


def test_the_same_evidence_makes_the_same_version_in_any_order_of_stages() -> None:
    one = learned(stage(EFFECT))
    other = replace(learned(stage(EFFECT * 2), seed=2), stage="remind")
    terms = Terms(budget=20_000.0)
    first, again = Learning(seed=3).propose([one, other], terms), Learning(seed=3).propose([other, one], terms)
    assert first.policy.version == again.policy.version
    assert first.policy.version != Learning(seed=4).propose([one, other], terms).policy.version


def test_stages_with_more_and_fewer_variants_share_the_budget() -> None:
    one = learned(stage(EFFECT * 3))
    few = replace(
        one, program="welcome", arms=("credit", "nothing"), channels=("email", ""),
        prior_mean=one.prior_mean[2:], prior_sd=one.prior_sd[2:], total=one.total[:, 2:] * [[0.2, 1.0]],
        **{name: getattr(one, name)[:, 2:] for name in ("exposure", "squares", "orders", "cost", "allowed", "decisions")},
    )
    found = Learning().propose([one, few], Terms(budget=30_000.0, budgets={"welcome": 3_000.0}))
    cost = sum(cell.weight * 500 * one.cost[CONTEXTS.index(cell.context), ARMS.index(cell.arm)] for cell in found.cells)
    theirs = sum(cell.weight * 500 * 20 for cell in found.cells if cell.program == "welcome" and cell.arm == "credit")
    assert cost == pytest.approx(found.spend_expected)
    assert found.spend_expected == pytest.approx(30_000.0, rel=0.005)
    assert theirs <= 3_000.0 + 1e-6
    assert {row[3] for row in found.policy.rows if row[0] == "welcome"} == {"credit", "nothing"}


def test_a_channel_is_used_no_more_than_it_holds() -> None:
    found = Learning().propose([learned(stage(EFFECT))], Terms(capacity={"sms": 900.0}))
    assert 0.98 * 900 < table(found)[:, 2].sum() * 500 <= 900.0  # less where some draw says that credit brings less
    assert table(found)[:, 1].sum() > 2  # who gets no credit for want of messages gets the next best


def test_what_is_barred_or_may_not_be_given_is_never_given() -> None:
    evidence = learned(stage(EFFECT))
    allowed = evidence.allowed.copy()
    allowed[1, 1] = 0.0
    terms = Terms(barred=frozenset({("win-back", "reconnect", CONTEXTS[0], "credit")}))
    for proposer in PROPOSERS:
        found = proposer.propose([replace(evidence, allowed=allowed)], terms)
        assert (table(found)[0, 2], table(found)[1, 1]) == (0.0, 0.0)
        assert "no customer of this context may get it" in next(cell.why for cell in found.cells if cell.arm == "credit")


def test_any_other_context_gets_the_mean_of_those_known() -> None:
    evidence = learned(stage(EFFECT))
    found = Ranked().propose([replace(evidence, candidates=np.arange(9.0))], Terms(budget=8_000.0))
    other = [weight for _, _, where, _, weight in found.policy.rows if where == ANY]
    assert other == pytest.approx(np.arange(9.0) @ table(found) / 36, abs=3e-6)
    assert sum(other) == pytest.approx(1.0)


def test_what_assignment_spends_is_what_was_expected() -> None:
    evidence = learned(stage(EFFECT))
    count, budget = 60_000, 6.0 * 60_000
    evidence = replace(evidence, candidates=np.bincount(customers(evidence, count)[0], minlength=9).astype(float))
    found = Learning().propose([evidence], Terms(budget=budget))
    assert found.spend_expected == pytest.approx(budget, rel=0.005)
    context, number = customers(evidence, count)
    edges = table(found).cumsum(axis=1)
    arm = (number[:, None] >= edges[context][:, :-1]).sum(axis=1)
    assert evidence.cost[context, arm].sum() == pytest.approx(budget, rel=0.02)


def test_what_assignment_spends_where_not_all_may_get_all() -> None:
    """Eligibility falls independently; the planner renormalises customer by customer."""
    evidence, count, budget = learned(stage(EFFECT)), 60_000, 5.0 * 60_000
    share = np.tile([0.9, 0.4, 0.6, 1.0], (9, 1))
    evidence = replace(evidence, candidates=np.bincount(customers(evidence, count)[0], minlength=9).astype(float), allowed=share)
    found = Learning().propose([evidence], Terms(budget=budget))
    context, number = customers(evidence, count)
    may = np.random.default_rng(8).random((count, 4)) < share[context]
    chances = table(found)[context] * may
    edges = (chances / chances.sum(axis=1, keepdims=True)).cumsum(axis=1)
    arm = (number[:, None] >= edges[:, :-1]).sum(axis=1)
    assert found.spend_expected == pytest.approx(budget, rel=0.005)
    assert evidence.cost[context, arm].sum() == pytest.approx(budget, rel=0.02)


def test_overspending_lowers_the_next_table_for_all_alike_and_drops_no_tail() -> None:
    evidence = learned(stage(EFFECT))
    plain, throttled = (Learning().propose([evidence], Terms(budget=40_000.0, overspent=over)) for over in (0.0, 10_000.0))
    assert throttled.spend_expected == pytest.approx(30_000.0, rel=0.005)
    assert "spent 10000 minor units above its budget" in throttled.notes[0]
    contacted = 1 - table(throttled)[:, -1]
    assert contacted.sum() < (1 - table(plain)[:, -1]).sum()
    context, number = customers(evidence, 40_000)
    sent = number < contacted[context]
    first, last = sent[:20_000].mean(), sent[20_000:].mean()
    assert first == pytest.approx(last, abs=4 * np.sqrt(first * (1 - first) / 10_000))
    assert last > 0.3


def test_floors_that_the_budget_cannot_pay_give_way_and_the_proposal_says_so() -> None:
    for proposer in PROPOSERS:
        found = proposer.propose([learned(stage(EFFECT))], Terms(budget=1_000.0))
        assert found.spend_expected <= 1_000.0 * (1 + 1e-9)
        assert found.spend_expected == pytest.approx(1_000.0, rel=0.005)
        assert "too small for the least chance of every variant: budget" in found.notes[-1]
        assert table(found)[:, 2] == pytest.approx(1_000 / (4500 * 0.02 * 30.1) * 0.02, rel=1e-3)


def course(truth: Stage, proposer: Proposer, seed: int, months: int = 12) -> list[float]:
    """What each month's table truly brings above contacting nobody, minor units a customer; the first month is at equal chances."""
    chance, evidence = np.random.default_rng(seed), empty(truth)
    weights, brought = np.full(truth.effect.shape, 0.25), []
    for _ in range(months):
        brought.append(float((weights * truth.effect).sum() / len(CONTEXTS)))
        decisions = np.array([chance.multinomial(500, row) for row in weights], dtype=float)
        evidence = followed(evidence, truth, decisions, chance)
        weights = table(proposer.propose([evidence], Terms()))
    return brought


def test_where_nothing_works_the_table_loses_little_more_than_its_floors_cost() -> None:
    truth = idle_stage()
    floors = float((FLOORS * truth.effect).sum(axis=1).mean())
    courses = np.array([course(truth, Learning(), seed) for seed in range(8)])
    late, equal = courses[:, 6:].mean(), courses[:, 0].mean()
    assert floors < 0
    assert late >= 1.5 * floors
    assert equal < 10 * floors  # an equal-chance table would lose ten times as much


def test_where_variants_work_the_table_comes_near_the_best_there_is() -> None:
    truth = stage(EFFECT * np.linspace(0.5, 2.0, 9)[:, None])
    best = float(np.mean([[8, 15, 30, 0] @ np.array([0.02, 0.02, 0.91, 0.05])]) * np.linspace(0.5, 2.0, 9).mean())
    courses = np.array([course(truth, Learning(), seed) for seed in range(6)])
    assert courses[:, 6:].mean() >= 0.75 * best
    assert courses[:, 6:].mean() > 1.4 * courses[:, 0].mean()


def test_doubt_and_caution_keep_more_for_nothing() -> None:
    evidence = learned(stage(EFFECT / 2), 300.0)
    proposers = (
        Learning(spread=1.0), Learning(spread=1.0, doubt=0.0), Learning(spread=1.0, doubt=0.9), Learning(spread=1.0, caution=1.0),
    )
    plain, sure, unsure, careful = (table(one.propose([evidence], Terms()))[:, -1].mean() for one in proposers)
    assert sure < plain < unsure
    assert plain < careful


def test_with_few_orders_every_context_has_the_same_table() -> None:
    """Where no context may differ and all costs are equal, the table is that of the best single variant, softened."""
    evidence = learned(stage(EFFECT * np.linspace(-2, 4, 9)[:, None]), decisions=150.0)
    assert evidence.orders.max() < 100
    few = replace(evidence, orders=np.minimum(evidence.orders, 39.0))
    weights = table(Learning().propose([few], Terms()))
    assert (weights == weights[0]).all()
    assert not (table(Learning().propose([learned(stage(EFFECT * np.linspace(-2, 4, 9)[:, None]), 20_000.0)], Terms())) == weights).all()


def test_without_evidence_there_is_no_table() -> None:
    evidence = learned(stage(EFFECT))
    for none in ([], [evidence, evidence]):
        with pytest.raises(BadData, match="names no stage, or one twice"):
            Learning().propose(none, Terms())
