"""The trial of policies in the known world: worth is what chance averages to, nothing leaks, the terms are kept."""

import dataclasses

import numpy as np
import pytest

from rekindle.decide.budget import RESERVE
from rekindle.errors import UsageError
from rekindle.learn.policies import EqualChance
from rekindle.simulate.chance import Chance
from rekindle.simulate.parameters import USUAL, Parameters
from rekindle.simulate.trial import HALF, WEEKS, by_equal_chance, learning, nothing_works, play, terms, trial
from rekindle.simulate.trial_course import begun
from rekindle.simulate.trial_evidence import evidence
from rekindle.simulate.trial_practices import PARTS, ByTable, Usual
from rekindle.simulate.trial_program import CONTEXTS, HORIZON, with_usual
from rekindle.simulate.trial_rounds import Rounds
from rekindle.simulate.trial_shop import MAIL, context, slipping
from rekindle.simulate.trial_truth import Luck, chance, happen, worth
from rekindle.simulate.trial_world import WIDE, trial_world

PARAMETERS = with_usual(Parameters())
NUMBERS = {arm.name: number for number, arm in enumerate(PARAMETERS.arms)}


@pytest.fixture(scope="module")
def world():
    return trial_world(PARAMETERS, 2_000, 3)


@pytest.fixture(scope="module")
def played(world):
    """A year at equal chances, with its course."""
    course, practice, weeks = begun(world), by_equal_chance(world), []
    for _ in range(WEEKS):
        weeks.append(practice.act(course))
        course.pass_week()
    return course, practice, np.array(weeks)


@pytest.mark.parametrize("arm", ["percent", "credit", "light", "express", "usual"])
def test_worth_is_the_mean_of_what_happens(world, arm):
    number, course = NUMBERS[arm], begun(world)
    eager = tuple(dataclasses.replace(one, lift=one.lift * 5) for one in PARAMETERS.arms)
    scene = dataclasses.replace(world.scene, parameters=dataclasses.replace(PARAMETERS, arms=eager, lift_most=0.9, unsubscribe=0.05))
    world = dataclasses.replace(world, scene=scene)
    who = np.flatnonzero(course.shop.orders > 0)
    could = chance(world, course.shop, who, number, course.day)
    expected, sums = worth(world, who, number, could), []
    for seed in range(200):
        lucky = dataclasses.replace(world, scene=dataclasses.replace(scene, chance=Chance(seed)))
        done = happen(Luck(lucky), who, np.zeros(who.size, dtype=np.int64), number, could, course.day)
        kept = (done.extra * done.margin).sum() - done.organic.sum()
        sums.append((done.extra.sum(), kept, done.organic.sum(), (done.service + MAIL).sum(), (done.opted_out * could.loss).sum()))
    real = np.array(sums)
    means = (expected.orders, expected.margin - expected.subsidy - expected.organic, expected.organic, expected.running, expected.opt_outs)
    for column, mean in enumerate(means):
        error = real[:, column].std(ddof=1) / np.sqrt(len(real))
        assert abs(real[:, column].mean() - mean.sum()) < 4 * error + 0.5 * len(who) * 0.02, column
    assert expected.net.sum() == pytest.approx((expected.margin - expected.subsidy - expected.organic - expected.running
                                                - expected.opt_outs).sum())
    if arm != "express":
        assert expected.organic.sum() > 0


def test_only_who_may_be_written_to_is_decided_and_each_stage_once_a_round(world, played):
    course, practice, weeks = played
    for one in practice.log:
        assert world.consent[one.customer].all()
        assert not (world.holdout | world.control)[one.customer].any()
        assert np.unique(one.customer).size == one.customer.size
        got = one.arm < one.can.shape[1]
        assert one.can[np.flatnonzero(got), one.arm[got]].all()
        assert (one.propensity > 0).all()
    assert weeks[:, PARTS.index("messages")].sum() == pytest.approx(course.shop.touches.sum(), rel=0.05)
    reached = [sum(one.customer.size for one in practice.log if one.step == number) for number in range(4)]
    assert reached[0] > reached[1] > reached[2] > 50 < reached[3]


def test_who_opted_out_is_left_alone_from_then_on(world):
    often = dataclasses.replace(world.scene.parameters, unsubscribe=0.5)
    tired = dataclasses.replace(world, scene=dataclasses.replace(world.scene, parameters=often))
    course, practice = begun(tired), by_equal_chance(tired)
    for _ in range(12):
        out = course.shop.opted_out.copy()
        logged = len(practice.log)
        practice.act(course)
        assert not any(out[one.customer].any() for one in practice.log[logged:])
        course.pass_week()
    assert out.sum() > 100


def test_the_budget_is_kept_in_expectation_in_every_period(world):
    poor = dataclasses.replace(world, budget=world.budget / 10)
    course, practice = begun(poor), by_equal_chance(poor)
    for _ in range(20):
        practice.act(course)
        course.pass_week()
    spent = np.zeros(20)
    for one in practice.log:
        got = one.arm < one.can.shape[1]
        spent[(one.day - poor.start) // 7] += one.cost[np.flatnonzero(got), one.arm[got]].sum()
    months = np.convolve(spent, np.ones(5))[:20]
    assert months.max() < poor.budget * 1.2  # draws vary about what is expected of them
    assert months.max() > poor.budget * (1 - RESERVE) * 0.7


def test_the_usual_practice_writes_once_a_silence_and_after_ninety_days(world):
    course, usual, seen = begun(world), Usual(NUMBERS["usual"]), []
    for _ in range(20):
        before, silence = course.shop.touches.copy(), course.day - course.shop.days[:, 0]
        orders = course.shop.orders.copy()
        usual.act(course)
        sent = np.flatnonzero(course.shop.touches > before)
        assert (silence[sent] >= 90).all()
        assert world.consent[sent].all()
        seen += list(zip(sent.tolist(), orders[sent].tolist(), strict=True))
        course.pass_week()
    assert len(seen) == len(set(seen)) > 300
    assert USUAL.percent == 0.15


def test_contexts_are_what_the_shop_sees(world):
    course = begun(world)
    who = slipping(world, course.shop, course.day)
    where = context(world, course.shop, course.tiers, who, course.day)
    assert set(np.unique(where).tolist()) <= set(range(len(CONTEXTS)))
    silent = np.array([name.endswith("one_bad_experience") for name in CONTEXTS])[where]
    assert (course.shop.befell[who].any(axis=1) == silent).all()
    people = world.scene.population
    strangers = dataclasses.replace(people, responsiveness=np.flip(people.responsiveness), persona=np.flip(people.persona))
    other = dataclasses.replace(world, scene=dataclasses.replace(world.scene, population=strangers))
    assert (context(other, course.shop, course.tiers, who, course.day) == where).all()


@pytest.fixture(scope="module")
def facts(world, played):
    """Every order, and everything else that margins are made of: customer, day, margin."""
    course, own = played[0], world.own
    orders = [(own.customer, own.day, own.margin), *((one.customer, one.day, one.margin) for one in course.extra)]
    return [[np.concatenate([part[column] for part in parts]) for column in range(3)] for parts in (orders, course.others)]


def by_hand(facts, customer, day, now):
    """Margin and whether there was an order within the horizon of one decision, from every fact that is known."""
    until, total, count = min(day + HORIZON, now), 0.0, []
    for who, when, margin in facts:
        here = (who == customer) & (when >= day) & (when < until)
        total += float(margin[here].sum())
        count.append(int(here.sum()))
    return total, count[0] > 0


def test_evidence_is_the_sum_over_decisions_by_hand(world, played, facts):
    course, practice, _ = played
    found = {one.stage: one for one in evidence(course, practice.log)}
    assert set(found) == {step.name for step in world.tried.steps}
    for number, step in enumerate(world.tried.steps):
        one, logged = found[step.name], [part for part in practice.log if part.step == number]
        assert one.decisions.sum() == sum(part.customer.size for part in logged)
        assert (one.exposure <= one.decisions + 1e-9).all()
        assert 0.5 < one.exposure.sum() / one.decisions.sum() <= 1.0
    closing, logged = found["closing"], [part for part in practice.log if part.step == 3]
    total, orders = np.zeros(closing.total.shape), np.zeros(closing.total.shape)
    for part in logged:
        for customer, where, arm in zip(part.customer.tolist(), part.context.tolist(), part.arm.tolist(), strict=True):
            margin, ordered = by_hand(facts, customer, part.day, course.day)
            total[where, arm] += margin
            orders[where, arm] += ordered
    np.testing.assert_allclose(closing.total, total, atol=1e-6)
    np.testing.assert_allclose(closing.orders, orders)
    assert orders.sum() > 10


def test_evidence_knows_nothing_of_what_is_not_known_yet_or_never(world, played):
    course, practice, _ = played
    truthless = [dataclasses.replace(one, worth=np.full_like(one.worth, np.nan)) for one in practice.log]
    early = dataclasses.replace(course, day=world.start + 70)
    logged = [one for one in truthless if one.day < early.day]
    told = evidence(early, logged)
    later = [dataclasses.replace(part, day=np.where(part.day < early.day, part.day, part.day + 5), margin=part.margin + 0)
             for part in course.extra]
    again = evidence(dataclasses.replace(early, extra=later), logged)
    for one, other in zip(told, again, strict=True):
        np.testing.assert_array_equal(one.total, other.total)
        assert np.isfinite(one.total).all()
        assert one.exposure.sum() < one.decisions.sum()


def test_margins_by_customer_and_day(world, played, facts):
    course, _, _ = played
    sums, draw = course.margins(), np.random.default_rng(1)
    for customer in draw.choice(np.unique(course.world.own.customer), 40).tolist():
        day = int(draw.integers(world.start - 100, world.start + 200))
        until = np.array([min(day + HORIZON, course.day)])
        margin, ordered = by_hand(facts, customer, day, course.day)
        assert sums.within(np.array([customer]), np.array([day]), until)[0] == pytest.approx(margin, abs=1e-6)
        first = sums.first_order(np.array([customer]), np.array([day]))[0]
        assert (first < until[0]) == ordered
        assert first == WIDE or first >= day


@pytest.fixture(scope="module")
def years():
    """Two seeds of 5,000 customers."""
    return [{one.name: one for one in trial(5_000, seed, prices=(0.0,))} for seed in (1, 2)]


def test_no_practice_beats_the_oracle_and_all_beat_the_floors(years):
    for one in years:
        second = {name: year.per_thousand()[2] for name, year in one.items()}
        assert second["oracle"] == max(second.values())
        assert min(second["rekindle"], second["equal-chance"]) > second["floors"] > 0
        assert one["usual"].weekly.shape == (WEEKS, len(PARTS))
        assert one["oracle"].lapsed == one["usual"].lapsed
        whole, first, later = one["oracle"].lapsed
        assert max(first, later) <= whole <= first + later
    mean = {name: np.mean([one[name].per_thousand()[2] for one in years]) for name in years[0]}
    assert mean["rekindle"] > 2 * max(mean["usual"], 0)
    assert mean["rekindle"] > 3 * mean["floors"]


def test_the_parts_of_worth_add_up(years):
    for year in years[0].values():
        part = {name: year.weekly[:, place] for place, name in enumerate(PARTS)}
        spent = part["subsidy"] + part["organic"] + part["running"] + part["opt_outs"]
        np.testing.assert_allclose(part["net"], part["margin"] - spent, rtol=1e-9)


def test_the_same_seed_gives_the_same_year_and_other_luck_another(world, played):
    one = play(world, by_equal_chance(world))
    np.testing.assert_array_equal(one, played[2])
    other = dataclasses.replace(world, scene=dataclasses.replace(world.scene, chance=Chance(99)))
    assert not np.array_equal(play(other, by_equal_chance(other)), one)


def test_where_nothing_works_no_order_is_won_and_offers_cost(world):
    assert not any(arm.lift for arm in nothing_works(Parameters()).every_arm)
    assert nothing_works(Parameters()).arms[-1].percent == USUAL.percent
    null = dataclasses.replace(world, scene=dataclasses.replace(world.scene, parameters=nothing_works(PARAMETERS)))
    for practice in (Usual(NUMBERS["usual"]), by_equal_chance(null)):
        year = play(null, practice)
        assert year[:, PARTS.index("orders")].sum() == 0
        assert year[:, PARTS.index("net")].sum() < 0


class Always:
    """Proposes equal chances, and remembers what it was told."""

    name = "always"

    def __init__(self):
        self.told = []

    def propose(self, evidence, terms):
        self.told.append((evidence, terms))
        return EqualChance().propose(evidence, terms)


def test_a_new_table_comes_every_two_weeks_under_the_rules_terms(world, played):
    always = Always()
    year = learning(world, always)
    assert len(always.told) == WEEKS // 2 - 1
    decisions = [sum(one.decisions.sum() for one in told) for told, _ in always.told]
    assert (np.diff(decisions) > 0).all()
    kept = always.told[0][1]
    assert kept == terms(world)
    assert (kept.budget, kept.floor_arm, kept.floor_nothing) == (pytest.approx(4_000 * (1 - RESERVE)), 0.02, 0.05)
    usual = played[2]
    assert year[HALF:, -1].sum() == pytest.approx(usual[HALF:, -1].sum(), rel=0.5)


def test_a_round_ends_with_an_order_and_opens_once_a_silence(world):
    course, rounds = begun(world), Rounds.none(world.size)
    rounds.settle(course)
    first = np.flatnonzero(rounds.stage == 0)
    assert first.size > 100
    rounds.stage[first[:20]] = -1
    rounds.settle(course)
    assert (rounds.stage[first[:20]] == -1).all()
    course.shop.orders[first[20]] += 1
    course.shop.days[first[20], 0] = course.day
    rounds.settle(course)
    assert rounds.stage[first[20]] == -1
    course.day += 130
    rounds.settle(course)
    assert (rounds.stage[first[21:40]] == -1).all()


def test_a_world_too_small_is_refused():
    with pytest.raises(UsageError, match="out of range"):
        trial(5, 1)


@pytest.mark.long
def test_over_many_seeds_rekindle_comes_near_the_oracle_and_beats_the_usual_practice():
    second = {"rekindle": [], "oracle": [], "usual": [], "equal-chance": []}
    for seed in range(11, 17):
        for one in trial(20_000, seed):
            if one.name in second:
                second[one.name].append(one.per_thousand()[2])
    mean = {name: float(np.mean(values)) for name, values in second.items()}
    assert mean["rekindle"] > 0.6 * mean["oracle"]
    assert mean["rekindle"] > 2 * max(mean["usual"], 0.0)


def test_tables_are_read_as_the_planner_reads_them(world):
    equal = world.tried.weights(None)
    assert [one.shape for one in equal] == [(len(CONTEXTS), len(step.arms)) for step in world.tried.steps]
    assert all(np.allclose(one.sum(axis=1), 1) for one in equal)
    assert isinstance(by_equal_chance(world), ByTable)
