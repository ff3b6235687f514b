"""Effects against a published table, a second implementation with the full covariance matrix, and a truth that is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from rekindle.learn.evidence import Rest
from rekindle.learn.posterior import LEAST_ORDERS, Measured, Posterior, fit, half_cauchy, measured, posterior_of
from tests.learn.known_stages import ARMS, CONTEXTS, PRIOR_MEAN, PRIOR_SD, empty, followed, idle_stage, stage

FLAT = 1e4
SCHOOLS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
QUARTILES = ((7, 10, 16), (3, 8, 12), (2, 7, 11), (4, 8, 11), (1, 5, 10), (2, 6, 10), (7, 10, 15), (3, 8, 13))
"""Of the schools' effects: Gelman et al. (2013), Bayesian Data Analysis, table 5.3, from 200 draws, with a flat prior."""


def schools(spreads: np.ndarray) -> Posterior:
    """The eight schools of Rubin (1981) as contexts of one variant; each one's comparison is known but for its standard error."""
    known = np.zeros((8, 1))
    return fit(Measured(SCHOOLS[:, None], 1 / ERRORS[:, None] ** 2, known, np.zeros(1), np.array([FLAT])), spreads)


def test_eight_schools_as_gelman_et_al_2013_table_5_3() -> None:
    posterior = schools(np.linspace(0.02, 100, 2500))
    drawn = posterior.draws(np.random.default_rng(1), 20_000)[:, :, 0]
    assert np.abs(np.percentile(drawn, [25, 50, 75], axis=0).T - QUARTILES).max() < 1.3
    mean, sd = posterior.moments()
    assert mean[:, 0] == pytest.approx(drawn.mean(axis=0), abs=0.25)
    assert sd[:, 0] == pytest.approx(drawn.std(axis=0), rel=0.04)


def test_eight_schools_pooled_altogether_have_the_published_mean_and_error() -> None:
    """Section 5.5 of the third edition: 7.7, with a variance of 16.6, for effects rounded as above."""
    (mean, _), (sd, _) = schools(np.zeros(1)).pooled_moments()
    assert (round(mean, 1), round(sd, 1)) == (7.7, 4.1)
    own = schools(np.array([1e6])).moments()[0][:, 0]
    assert own == pytest.approx(SCHOOLS, abs=1e-3)  # and not pooled at all they are what was measured


def some_cells(chance: np.random.Generator, contexts: int = 5, variants: int = 3) -> Measured:
    """Cells of which some were not tried."""
    shape = contexts, variants
    precision = chance.gamma(2, 0.01, shape) * (chance.random(shape) < 0.75)
    prior = chance.normal(0, 5, variants), chance.gamma(3, 3, variants)
    return Measured(chance.normal(0, 12, shape), precision, chance.gamma(2, 30, shape), *prior)


def by_hand(cells: Measured, tau: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and covariance of all effects and then of the variants' own, and the log likelihood, by one big normal distribution."""
    contexts, variants = cells.difference.shape
    spread = np.diag(cells.prior_sd**2)
    every = np.kron(np.ones((contexts + 1, contexts + 1)), spread)
    every[: contexts * variants, : contexts * variants] += tau**2 * np.eye(contexts * variants)
    tried = np.flatnonzero(cells.precision.ravel() > 0)
    noise = np.zeros((contexts * variants,) * 2)
    for context in range(contexts):
        part = slice(context * variants, (context + 1) * variants)
        noise[part, part] = np.minimum.outer(cells.rest[context], cells.rest[context])
    seen = every[np.ix_(tried, tried)] + noise[np.ix_(tried, tried)] + np.diag(1 / cells.precision.ravel()[tried])
    prior = np.tile(cells.prior_mean, contexts + 1)
    miss = cells.difference.ravel()[tried] - prior[tried]
    gain = every[:, tried] @ np.linalg.inv(seen)
    likelihood = multivariate_normal(np.zeros(len(tried)), seen).logpdf(miss)
    return prior + gain @ miss, every - gain @ every[tried], float(likelihood)


@pytest.mark.parametrize("tau", [0.0, 0.7, 9.0])
def test_effects_are_those_of_the_full_covariance_matrix(tau: float) -> None:
    cells = some_cells(np.random.default_rng(int(10 * tau)))
    mean, covariance, _ = by_hand(cells, tau)
    posterior = fit(cells, np.array([tau]))
    own, over = posterior.moments(), posterior.pooled_moments()
    assert np.r_[own[0][:, :-1].ravel(), over[0][:-1]] == pytest.approx(mean, abs=1e-8)
    assert np.r_[own[1][:, :-1].ravel(), over[1][:-1]] == pytest.approx(np.sqrt(np.diag(covariance)), abs=1e-8)
    drawn = posterior.draws(np.random.default_rng(1), 40_000)[:, :, :-1].reshape(40_000, -1)
    assert np.cov(drawn.T) == pytest.approx(covariance[:-3, :-3], abs=0.04 * covariance.max())


def test_spreads_and_the_doubt_are_weighed_by_the_likelihood_of_the_full_covariance_matrix() -> None:
    cells, spreads = some_cells(np.random.default_rng(3)), np.array([0.0, 2.0, 8.0])
    likely = np.array([by_hand(cells, tau)[2] for tau in spreads])
    posterior = fit(cells, spreads)
    assert posterior.chance == pytest.approx(np.exp(likely) / np.exp(likely).sum(), abs=1e-9)
    idle = np.random.default_rng(4).normal(-2, 1, cells.difference.shape)
    sure = replace(cells, difference=cells.difference - idle, prior_mean=np.zeros(3), prior_sd=np.zeros(3))
    none, works = by_hand(sure, 0.0)[2], np.log(np.exp(likely).mean())
    assert posterior.doubted(idle).idle_chance == pytest.approx(1 / (1 + np.exp(works - none)), abs=1e-9)


def test_where_nothing_was_not_drawn_variants_are_compared_with_one_another_alone() -> None:
    cells = replace(some_cells(np.random.default_rng(5), 1, 2), precision=np.full((1, 2), 0.1), rest=np.full((1, 2), np.inf))
    shifted = replace(cells, difference=cells.difference + 500.0)
    mean, moved = fit(cells, np.array([3.0])).moments()[0], fit(shifted, np.array([3.0])).moments()[0]
    assert moved == pytest.approx(mean, abs=1e-2)
    apart = cells.difference[0, 0] - cells.difference[0, 1]
    prior = cells.prior_mean[0] - cells.prior_mean[1]
    spread = (cells.prior_sd**2).sum() + 2 * 9.0
    assert mean[0, 0] - mean[0, 1] == pytest.approx(prior + spread / (spread + 20.0) * (apart - prior), abs=1e-3)


def covered(seed: int, seen: float) -> np.ndarray:
    """Whether the interval of each cell has its truth, in one stage drawn from the prior."""
    chance = np.random.default_rng(seed)
    tau = abs(chance.normal(0, 15))
    effect = chance.normal(PRIOR_MEAN, PRIOR_SD) + np.where(PRIOR_SD > 0, chance.normal(0, tau, (len(CONTEXTS), len(ARMS))), 0.0)
    truth = stage(effect)
    decisions = chance.integers(150, 4000, effect.shape).astype(float)
    mean, sd = posterior_of(followed(empty(truth), truth, decisions, chance, seen)).moments()
    true = (truth.chance * truth.margin[:, None] - truth.cost) - (truth.chance * truth.margin[:, None])[:, -1:]
    return (np.abs(mean - true) <= 1.96 * sd)[:, :-1]


@pytest.mark.parametrize("seen", [1.0, 0.4])
def test_intervals_hold_the_truth_in_93_to_97_of_a_hundred(seen: float) -> None:
    """Heavy-tailed margins, most of them nought; of the answers all or two fifths have come."""
    assert 0.93 < np.mean([covered(seed, seen) for seed in range(250)]) < 0.97


def test_a_variant_for_better_customers_is_compared_with_such_customers() -> None:
    """Those who may get the first variant order twice as often whatever they get; that is none of its merit."""
    truth = stage(np.zeros((len(CONTEXTS), len(ARMS))), cost=0.0)
    base = truth.base[:, None] * truth.margin[:, None]
    decisions = np.full(truth.effect.shape, 40_000.0)
    better = np.array([2.0, 1.0, 1.0, 1.5])
    plain = replace(
        empty(truth), decisions=decisions, exposure=decisions, total=decisions * base * better, squares=decisions * base * better * 4000,
        orders=decisions * 0.1,
    )
    half = decisions / 2
    may = Rest(half, half, half * base * [2.0, 1.5, 1.5, 1.5], half * base * 6000, half * 0.1)
    fair = replace(plain, rest=may, total=decisions * base * [2.0, 1.5, 1.5, 1.5])
    naive, mean = posterior_of(plain).moments()[0][:, 0], posterior_of(fair).moments()[0][:, 0]
    assert (naive > 20).all()
    assert np.abs(mean).max() < 2


def test_a_context_goes_by_the_variant_until_it_has_orders_enough() -> None:
    truth = stage(np.tile([10.0, 10.0, 10.0, 0.0], (9, 1)) + np.linspace(-60, 60, 9)[:, None] * [1, 1, 1, 0])
    chance = np.random.default_rng(1)
    evidence = followed(empty(truth), truth, np.full((9, 4), 3000.0), chance)
    orders = evidence.orders.copy()
    orders[0, 0], orders[1, -1] = LEAST_ORDERS - 1, LEAST_ORDERS - 1
    posterior = posterior_of(replace(evidence, orders=orders))
    drawn = posterior.policy_draws(np.random.default_rng(2), 100)
    alike = drawn[:, 1, 0]
    assert (drawn[:, 0, 0] == alike).all()  # too few orders with the variant; of the second context too few without
    assert (drawn[:, 1] == np.c_[drawn[:, 1, :3], np.zeros(100)]).all()
    assert not np.isclose(drawn[:, 0, 1], drawn[:, 1, 1]).any()
    assert not np.isclose(drawn[:, 2, 0], alike).any()
    assert posterior.believed()[0][0, 0] == pytest.approx(posterior.pooled_moments()[0][0], abs=0.5)


def test_where_nothing_works_the_doubt_grows_and_where_something_does_it_goes() -> None:
    chance, decisions = np.random.default_rng(1), np.full((9, 4), 2500.0)
    idle, works = idle_stage(), stage(np.tile([10.0, 25.0, 40.0, 0.0], (9, 1)))
    assert posterior_of(empty(idle)).idle_chance == pytest.approx(0.5)
    doubts = [posterior_of(followed(empty(idle), idle, decisions, chance)).idle_chance for _ in range(10)]
    hopes = [posterior_of(followed(empty(works), works, decisions, chance)).idle_chance for _ in range(10)]
    assert min(doubts) > 0.6
    assert max(hopes) < 0.05
    drawn = posterior_of(followed(empty(idle), idle, decisions, chance)).policy_draws(chance, 100)
    assert ((drawn[:, :, :3] == -idle.cost[:, :3]).all(axis=(1, 2))).sum() > 60


def test_without_data_the_documents_speak() -> None:
    posterior = posterior_of(empty(idle_stage()))
    mean, sd = posterior.pooled_moments()
    assert mean == pytest.approx(PRIOR_MEAN)
    assert sd == pytest.approx(PRIOR_SD)


def test_a_mean_of_young_decisions_is_over_their_exposure() -> None:
    truth = stage(np.zeros((9, 4)))
    evidence = followed(empty(truth), truth, np.full((9, 4), 500_000.0), np.random.default_rng(1), seen=0.25)
    cells = measured(evidence)
    assert np.abs(cells.difference).max() < 25
    assert (1 / np.sqrt(cells.precision)).max() < 6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.sampled_from(["mixed", "none", "alike", "sure"]))
def test_nothing_is_ever_not_a_number(seed: int, contexts: int, arms: int, kind: str) -> None:
    """Empty cells, outcomes without a spread, priors without one, one context, one variant."""
    chance, shape = np.random.default_rng(seed), (contexts, arms)
    decisions = np.zeros(shape) if kind == "none" else chance.integers(0, 3, shape) * 100.0
    total = decisions * (7.0 if kind == "alike" else chance.normal(0, 50, shape))
    names, few = (*[f"variant {place}" for place in range(arms - 1)], "nothing"), np.r_[chance.gamma(1, 20, arms - 1), 0.0]
    evidence = replace(
        empty(idle_stage()), contexts=CONTEXTS[:contexts], arms=names, decisions=decisions, exposure=decisions * chance.random(shape),
        total=total, squares=total**2 / np.maximum(decisions, 1), orders=decisions / 2, candidates=np.ones(contexts), cost=np.zeros(shape),
        allowed=np.ones(shape), prior_mean=few, prior_sd=few * (kind != "sure"), channels=("",) * arms,
    )
    posterior = posterior_of(evidence)
    for array in (*posterior.moments(), *posterior.pooled_moments(), *posterior.believed(), posterior.policy_draws(chance, 20)):
        assert np.isfinite(array).all()
    assert 0 <= posterior.idle_chance <= 1


def test_the_spreads_are_equally_likely_quantiles_of_a_half_cauchy() -> None:
    spreads = half_cauchy(np.array([20.0, 20.0]))
    assert np.median(spreads) == pytest.approx(10.0, rel=0.05)
    assert (spreads < 10 * np.tan(np.pi / 8)).mean() == pytest.approx(0.25)
