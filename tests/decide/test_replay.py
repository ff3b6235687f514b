"""A decision made again from the journal's own words: every one of a crowd, whatever budgets left, and none that was changed."""

from dataclasses import replace

import ibis
import numpy as np
import pytest

from rekindle.decide import chances
from rekindle.decide.policy import equal_chance
from rekindle.decide.replay import Logged, arms_of, implied_scale, one_scale, replay, scales_of, written
from rekindle.program.documents import NOTHING, Offer
from tests.decide import test_assignment_replay as crowd
from tests.decide.shop import OFFERS, RECONNECT, Decider, documents, program
from tests.decide.shop import crowd as crowd_of
from tests.decide.test_assignment_replay import POLICY, PROGRAM, STAGE, candidates, drawn, logged

SIZE = 400


@pytest.fixture(params=[1.0, 0.37])
def scale(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """What budgets leave of every chance."""
    share: float = request.param
    monkeypatch.setattr(crowd, "SCALES", dict.fromkeys(crowd.SCALES, share))
    return share


@pytest.fixture
def decisions(decider: Decider, scale: float) -> list[Logged]:
    """What the planner's expressions log of a crowd."""
    assert 0 < scale <= 1
    return as_logged(decider)


def as_logged(decider: Decider) -> list[Logged]:
    return [
        Logged(
            row["customer_id"], PROGRAM.name, STAGE.name, row["episode"], row["context"],
            (*row["closed"].split("|")[:-1], *row["eligible"].split("|")), row["arm"], row["propensity"], row["draw"],
        )
        for row in logged(decider.warehouse, SIZE).to_pylist()
    ]


def test_every_decision_comes_out_again_by_the_scale_that_they_agree_on(decisions: list[Logged], scale: float) -> None:
    found = one_scale(implied_scale(one, PROGRAM, POLICY) for one in decisions)
    assert found == pytest.approx(scale)
    again = [replay(one, PROGRAM, POLICY, arms_of(STAGE, found)) for one in decisions]
    assert all(one.same for one in again)
    assert {one.arm for one in again} == {*(arm.name for arm in STAGE.arms), NOTHING}
    assert np.mean([one.arm == NOTHING for one in again]) > (1 - scale) / 2


def test_what_was_changed_does_not(decisions: list[Logged], scale: float) -> None:
    scales, one = arms_of(STAGE, scale), next(one for one in decisions if one.arm != NOTHING)
    other = next(arm.name for arm in STAGE.arms if arm.name != one.arm)
    changed = [
        replace(one, arm=NOTHING), replace(one, arm=other), replace(one, propensity=one.propensity + 1e-6), replace(one, draw=one.draw / 2),
        replace(one, episode="another"), replace(one, customer_id="another"), replace(one, eligible=(NOTHING,)),
    ]
    assert replay(one, PROGRAM, POLICY, scales).same
    assert not any(replay(row, PROGRAM, POLICY, scales).same for row in changed)
    assert not replay(one, PROGRAM.model_copy(update={"version": PROGRAM.version + 1}), POLICY, scales).same


def test_decisions_of_several_payers_agree_on_no_scale(decider: Decider) -> None:
    assert one_scale(implied_scale(one, PROGRAM, POLICY) for one in as_logged(decider)) is None
    assert one_scale([1.5, 1.5]) is None, "no budget makes chances larger"


def test_decisions_of_several_payers_come_out_again_by_what_the_journal_has(decider: Decider) -> None:
    """Each payer's budget left its own part; the number in the journal is the whole of it, so that chances agree to the last bit."""
    told = set(drawn(decider.warehouse, SIZE)["scales"].to_pylist())
    assert told == {"lesson=0.73|light=0.415"}
    scales = scales_of(*told)
    assert {**dict.fromkeys(crowd.SCALES, 1.0), **scales} == crowd.SCALES
    assert all(replay(one, PROGRAM, POLICY, scales).same for one in as_logged(decider))
    assert scales_of(written({"light": 1 / 3})) == {"light": 1 / 3}, "nothing is rounded"


def test_a_draw_that_is_kept_has_the_scales_of_its_own_day(decider: Decider) -> None:
    table = candidates(1).mutate(held_arm=ibis.literal("plain"), held_propensity=0.3, **{"can:plain": True})
    table = decider.warehouse.keep(chances.spread_chances(decider.warehouse.keep(table), PROGRAM, STAGE, POLICY))
    (row,) = decider.warehouse.arrow(chances.drawn(chances.Chances(PROGRAM, STAGE, table), crowd.SCALES)).to_pylist()
    assert (row["arm"], row["propensity"], row["scales"]) == ("plain", 0.3, None)


def test_what_a_budget_leaves_nothing_is_closed_and_comes_out_again_all_the_same(decider: Decider, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = {"plain": 1.0, "lesson": 1.0, "light": 0.0}
    monkeypatch.setattr(crowd, "SCALES", spent)
    rows = logged(decider.warehouse, SIZE).to_pylist()
    assert not any("light" in row["eligible"] for row in rows)
    assert {row["closed"] for row in rows} == {"", "light|"}
    assert all(replay(one, PROGRAM, POLICY, spent).same for one in as_logged(decider))


def test_a_plan_under_two_payers_budgets_is_made_again_from_its_own_rows(decider: Decider) -> None:
    """The shop pays one delivery and the seller another; each has a budget of its own, and each row says what both left."""
    offers = {**OFFERS, "theirs": {**OFFERS["shipping"], "payer": "seller", "scope": "product"}}
    prior = {"prior": {"mean": 0.01, "sd": 0.01}}
    arms = {name: {"offer": offer, **prior} for name, offer in (("plain", "reminder"), ("light", "shipping"), ("theirs", "theirs"))}
    mine = program(version=7, stages={"reconnect": {**RECONNECT, "arms": arms}})
    budgets = [{"amount": 6, "per": "30d", "payer": "shop"}, {"amount": 3, "per": "30d", "payer": "seller"}]
    held = {name: Offer.model_validate({**one, "(name)": name}) for name, one in offers.items()}
    decider.documents = replace(documents(mine, budgets=budgets), offers=held)
    table = equal_chance((mine,))
    rows = [row for row in decider.decide(0, crowd_of(200, offer_product="P1", seller_id="S1")).values() if row["arm"] is not None]
    (told,) = {row["scales"] for row in rows}
    scales = scales_of(told)
    assert 0 < scales["theirs"] < scales["light"] < 1
    for row in rows:
        among = (*row["closed"].split("|")[:-1], *row["eligible"].split("|"))
        one = Logged(
            row["customer_id"], "back", row["stage"], row["episode"], row["context"], among, row["arm"], row["propensity"], row["draw"],
        )
        assert replay(one, mine, table, scales).same
