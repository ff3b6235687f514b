"""Off-policy values against plain loops, against truths that are known, and what they refuse to say."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from rekindle.errors import BadData, CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.off_policy import (
    DIRECT,
    DOUBLY_ROBUST,
    FOLDS,
    IPS,
    LEAN,
    METHODS,
    SNIPS,
    Estimate,
    Logged,
    always,
    difference,
    held_out,
    one_by_one,
    overlap,
    spread,
    value,
    value_of_chances,
)
from tests.learn.bandits import ARMS, CONTEXTS, Bandit, bandit, main_effects

FEW = 200


def told(found: Estimate | CannotTell) -> Estimate:
    assert isinstance(found, Estimate), found
    return found


def bounds(found: Estimate | CannotTell) -> Interval:
    interval = told(found).interval
    assert isinstance(interval, Interval)
    return interval


def why(found: Estimate | CannotTell) -> str:
    assert isinstance(found, CannotTell), found
    return found.reason


def with_the_unfit(truth: Bandit, chance: np.random.Generator, rounds: int) -> Logged:
    """Decisions of which a third could not have the first variant; those who had drawn it draw again, so they are left out here."""
    logged = truth.log(chance, rounds)
    unfit = chance.random(rounds) < 1 / 3
    eligible = logged.eligible.copy()
    eligible[unfit, 0] = False
    rest = np.where(unfit, 1 - truth.drawn[logged.context, 0], 1.0)
    fitting = ~unfit | (logged.arm != 0)
    columns = {name: getattr(logged, name)[fitting] for name in ("context", "arm", "decisions", "total", "answered")}
    unit = np.arange(np.count_nonzero(fitting))
    return Logged(propensity=(logged.propensity / rest)[fitting], eligible=eligible[fitting], unit=unit, contexts=CONTEXTS, **columns)


def loop_means(logged: Logged, part: int, context: int) -> list[float]:
    """What each variant brought in a context, by rows of other parts: plain sums."""
    others = [at for at in range(len(logged.arm)) if logged.unit[at] % FOLDS != part]
    whole = sum(logged.total[at] for at in others) / sum(logged.decisions[at] for at in others)
    means = []
    for arm in range(logged.arms):
        mine = [at for at in others if logged.arm[at] == arm]
        variant = (sum(logged.total[at] for at in mine) + LEAN * whole) / (sum(logged.decisions[at] for at in mine) + LEAN)
        here = [at for at in mine if logged.context[at] == context]
        means.append((sum(logged.total[at] for at in here) + LEAN * variant) / (sum(logged.decisions[at] for at in here) + LEAN))
    return means


def loop(logged: Logged, table: np.ndarray, method: str) -> tuple[float, float]:
    """Value and standard error, row by row, as obp's `InverseProbabilityWeighting`, `...Normalized...`, `DirectMethod`, `DoublyRobust`."""
    rounds, weights = [], []
    means = {(part, context): loop_means(logged, part, context) for part in range(FOLDS) for context in range(CONTEXTS)}
    for row in range(len(logged.arm)):
        can = [weight if fits else 0.0 for weight, fits in zip(table[logged.context[row]], logged.eligible[row], strict=True)]
        action_dist = [one / sum(can) for one in can]
        iw = action_dist[logged.arm[row]] / logged.propensity[row]
        q_hat = means[logged.unit[row] % FOLDS, logged.context[row]]
        estimate = sum(chance * mean for chance, mean in zip(action_dist, q_hat, strict=True))
        reward = logged.total[row]
        robust = estimate + iw * (reward - q_hat[logged.arm[row]])
        rounds.append({IPS: iw * reward, SNIPS: iw * reward, DIRECT: estimate, DOUBLY_ROBUST: robust}[method])
        weights.append(iw if method == SNIPS else 1.0)
    found = sum(rounds) / sum(weights)
    left = [one - found * weight for one, weight in zip(rounds, weights, strict=True)]
    count = len(rounds)
    return found, sqrt(count / (count - 1) * sum(one * one for one in left)) / sum(weights)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_what_plain_loops_have(method: str) -> None:
    chance = np.random.default_rng(1)
    truth = bandit(chance)
    logged = with_the_unfit(truth, chance, 2_000)
    found = told(value(logged, truth.wanted, method))
    expected, error = loop(logged, truth.wanted, method)
    assert found.value == pytest.approx(expected, rel=1e-12)
    if method == DIRECT:
        assert isinstance(found.interval, CannotTell)
        assert isinstance(found.error, CannotTell)
    else:
        reach = stats.t.ppf(0.975, len(logged.arm) - 1) * error
        interval = bounds(found)
        assert (interval.low, interval.high) == pytest.approx((expected - reach, expected + reach), rel=1e-9)
        assert found.error == pytest.approx(reach / stats.norm.ppf(0.975), rel=1e-6)


def test_overlap_is_what_plain_loops_have() -> None:
    chance = np.random.default_rng(2)
    truth = bandit(chance)
    logged = truth.log(chance, 900)
    weights = [truth.wanted[c, a] / truth.drawn[c, a] for c, a in zip(logged.context, logged.arm, strict=True)]
    found = overlap(logged, spread(logged, truth.wanted))
    assert found.decisions == 900
    assert found.effective == pytest.approx(sum(weights) ** 2 / sum(one**2 for one in weights))
    assert found.mean_weight == pytest.approx(sum(weights) / 900)
    assert found.largest == pytest.approx(max(weights) / sum(weights))
    for context, effective in enumerate(found.by_context):
        mine = [one for one, at in zip(weights, logged.context, strict=True) if at == context]
        assert effective == pytest.approx(sum(mine) ** 2 / sum(one**2 for one in mine))
    yes = [one for one, total in zip(weights, logged.total, strict=True) if total]
    assert found.answered == pytest.approx(sum(yes) ** 2 / sum(one**2 for one in yes))


def test_doubly_robust_errs_least_and_a_wrong_model_alone_most() -> None:
    """A hundred stages of known value; the outcome model knows contexts and variants, but not what suits whom.

    What contexts and variants bring is most of what varies: where luck is most of it, the second and the third are level.
    """
    errors: dict[str, list[float]] = {method: [] for method in METHODS}
    for seed in range(100):
        chance = np.random.default_rng(seed)
        truth = bandit(chance)
        logged = truth.log(chance, 10_000, steady=True)
        model = main_effects(logged)
        for method in METHODS:
            found = told(value(logged, truth.wanted, method, model))
            errors[method].append(abs(found.value / truth.value - 1))
    middle = {method: float(np.median(found)) for method, found in errors.items()}
    assert middle[DOUBLY_ROBUST] <= middle[SNIPS] <= middle[DIRECT]
    assert middle[DIRECT] > 3 * middle[DOUBLY_ROBUST]  # the order is no matter of luck
    assert middle[DOUBLY_ROBUST] < 0.02


def coverage(simulations: int) -> dict[str, float]:
    """How often 95 % intervals hold the truth, by method: most decisions bring nothing, orders have gamma margins."""
    truth = bandit(np.random.default_rng(3))
    held = dict.fromkeys((IPS, SNIPS, DOUBLY_ROBUST, "difference"), 0)
    for seed in range(simulations):
        logged = truth.log(np.random.default_rng(seed), 2_500)
        for method in (IPS, SNIPS, DOUBLY_ROBUST):
            interval = bounds(value(logged, truth.wanted, method))
            held[method] += interval.low <= truth.value <= interval.high
        interval = bounds(difference(logged, spread(logged, truth.wanted), spread(logged, truth.drawn)))
        held["difference"] += interval.low <= truth.value - truth.value_of(truth.drawn) <= interval.high
    return {name: count / simulations for name, count in held.items()}


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    reach = 3 * sqrt(0.95 * 0.05 / FEW)
    assert all(abs(share - 0.95) < reach for share in coverage(FEW).values())


@pytest.mark.long
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    shares = coverage(2_000)
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


def test_doubly_robust_is_right_where_only_the_model_is() -> None:
    """Logged chances off by up to a third either way, 1 on average: weights alone mislead, the right model saves the value."""
    chance = np.random.default_rng(4)
    truth = bandit(chance)
    logged = truth.log(chance, 40_000)
    off = np.exp(np.where(logged.total > 0, 0.3, -0.05))  # worst: those who bought seem to have been likelier
    wrong = replace(logged, propensity=np.minimum(logged.propensity * off, 1.0))
    wrong = replace(wrong, propensity=np.minimum(wrong.propensity * overlap(wrong, spread(wrong, truth.wanted)).mean_weight, 1.0))
    model = truth.pays[logged.context]
    errors = {method: abs(told(value(wrong, truth.wanted, method, model)).value / truth.value - 1) for method in (IPS, DOUBLY_ROBUST)}
    assert errors[IPS] > 0.1
    assert errors[DOUBLY_ROBUST] < errors[IPS]


def summed(logged: Logged) -> Logged:
    """The same decisions, those alike in one row: context, variant, group of customers."""
    keys = np.stack([logged.context, logged.arm, logged.unit])
    (context, arm, unit), row = np.unique(keys, axis=1, return_inverse=True)
    first = np.unique(row, return_index=True)[1]
    sums = [np.bincount(row, one) for one in (logged.decisions, logged.total, logged.answered)]
    unit = np.unique(unit, return_inverse=True)[1]
    return Logged(context, arm, logged.propensity[first], *sums, logged.eligible[first], unit, logged.contexts)


@pytest.mark.parametrize("method", METHODS)
def test_decisions_alike_may_come_as_one_row(method: str) -> None:
    chance = np.random.default_rng(5)
    truth = bandit(chance)
    single = truth.log(chance, 6_000)
    single = replace(single, unit=chance.integers(0, 200, 6_000))
    grouped = summed(single)
    assert len(grouped.arm) < 4_000
    one, many = told(value(single, truth.wanted, method)), told(value(grouped, truth.wanted, method))
    assert many.value == pytest.approx(one.value, rel=1e-12)
    assert many.overlap.effective == pytest.approx(one.overlap.effective, rel=1e-12)
    assert many.overlap.answered == pytest.approx(one.overlap.answered, rel=1e-12)
    if method != DIRECT:
        assert bounds(many).low == pytest.approx(bounds(one).low, rel=1e-10)


def test_a_customer_met_again_makes_no_interval_narrower() -> None:
    """Every decision twice, of the same customer with the same answer, is not twice as much evidence."""
    chance = np.random.default_rng(6)
    truth = bandit(chance)
    logged = truth.log(chance, 3_000)
    names = ("context", "arm", "propensity", "decisions", "total", "answered", "unit")
    columns = {name: np.tile(getattr(logged, name), 2) for name in names}
    twice = replace(logged, eligible=np.tile(logged.eligible, (2, 1)), **columns)
    for method in (IPS, SNIPS):
        one, many = bounds(value(logged, truth.wanted, method)), bounds(value(twice, truth.wanted, method))
        assert (many.low, many.high) == pytest.approx((one.low, one.high), rel=1e-9)


def test_the_value_of_a_table_on_its_own_decisions_flatters_and_held_out_does_not() -> None:
    """Nothing works: every table is worth 1, but the best of what was seen seems worth more."""
    equal = np.full((CONTEXTS, ARMS), 1 / ARMS)
    flat = Bandit(np.ones((CONTEXTS, ARMS)), equal, equal, np.full(CONTEXTS, 1 / CONTEXTS))
    own, honest = [], []
    for seed in range(60):
        logged = flat.log(np.random.default_rng(seed), 3_000)
        own.append(told(value(logged, best_seen(logged))).value)
        honest.append(told(value_of_chances(logged, held_out(logged, best_seen))).value)
    error = np.std(honest) / sqrt(60)
    assert np.mean(own) > 1 + 5 * error
    assert abs(np.mean(honest) - 1) < 3 * error


def best_seen(logged: Logged) -> np.ndarray:
    """The variant of the highest mean in each context, always."""
    at, size = logged.context * ARMS + logged.arm, CONTEXTS * ARMS
    means = np.bincount(at, logged.total, size) / np.maximum(np.bincount(at, logged.decisions, size), 1)
    return np.eye(ARMS)[means.reshape(CONTEXTS, ARMS).argmax(axis=1)]


def test_held_out_tables_never_see_what_they_are_valued_on() -> None:
    chance = np.random.default_rng(7)
    logged = bandit(chance).log(chance, 1_000)
    seen: list[set[float]] = []

    def learn(others: Logged) -> np.ndarray:
        seen.append(set(others.total[others.total > 0].tolist()))
        return np.full((CONTEXTS, ARMS), 1.0)

    held_out(logged, learn)
    whole = set(logged.total[logged.total > 0].tolist())
    left = [whole - one for one in seen]
    assert len(left) == FOLDS
    assert set.union(*left) == whole
    assert sum(map(len, left)) == len(whole)


def test_chances_go_to_what_a_customer_can_have_and_to_nothing_where_that_is_none() -> None:
    eligible = np.array([[True, True, True], [False, True, True], [False, True, True]])
    logged = replace(
        one_by_one(np.array([0, 0, 1]), np.array([0, 1, 2]), np.full(3, 0.5), np.zeros(3), (2, 3)), eligible=eligible
    )
    table = np.array([[0.5, 0.2, 0.3], [1.0, 0.0, 0.0]])
    assert spread(logged, table) == pytest.approx(np.array([[0.5, 0.2, 0.3], [0.0, 0.4, 0.6], [0.0, 0.0, 1.0]]))
    assert always(logged, 0).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


def test_too_few_effective_decisions_are_refused() -> None:
    """A table that nearly always gives what was seldom drawn: many decisions, few that speak for it."""
    chance = np.random.default_rng(8)
    drawn = np.tile([0.01, 0.33, 0.33, 0.33], (CONTEXTS, 1))
    truth = Bandit(np.full((CONTEXTS, ARMS), 5.0), drawn, np.eye(ARMS)[[0] * CONTEXTS], np.full(CONTEXTS, 1 / CONTEXTS))
    for method in METHODS:
        reason = why(value(truth.log(chance, 10_000), truth.wanted, method))
        assert reason.startswith("10000 decisions speak for this table as ")
        assert reason.endswith(" of its own would; 200 are needed")
    assert isinstance(value(truth.log(chance, 40_000), truth.wanted), Estimate)
    few = truth.log(chance, 10_000)
    assert "200 are needed" in why(difference(few, spread(few, drawn), spread(few, truth.wanted)))


def test_what_was_never_drawn_is_refused() -> None:
    """Of one context nobody drew the first variant: what it brings there is not in the decisions."""
    chance = np.random.default_rng(9)
    truth = bandit(chance)
    drawn = truth.drawn.copy()
    drawn[2] = [0.0, 0.4, 0.3, 0.3]
    logged = replace(truth, drawn=drawn).log(chance, 20_000)
    assert "go to variants that nobody in the context has had" in why(value(logged, np.eye(ARMS)[[0] * CONTEXTS]))
    assert isinstance(value(logged, drawn), Estimate)


def test_too_few_answers_and_customers_are_refused() -> None:
    chance = np.random.default_rng(10)
    truth = bandit(chance)
    logged = truth.log(chance, 2_000)
    rare = replace(logged, total=np.where(np.arange(2_000) < 12, 1.0, 0.0), answered=(np.arange(2_000) < 12).astype(float))
    assert why(value(rare, truth.wanted)).startswith("something followed on ")
    group = replace(logged, unit=np.arange(2_000) % 20)
    assert why(value(group, truth.wanted)) == "20 customers or groups of them were decided on; 30 are needed"


def test_chances_that_do_not_fit_the_draws_are_refused() -> None:
    """The log says equal chances, and one variant was drawn twice as often as that."""
    chance = np.random.default_rng(11)
    truth = bandit(chance)
    skewed = replace(truth, drawn=np.tile([0.5, 0.2, 0.2, 0.1], (CONTEXTS, 1))).log(chance, 5_000)
    claimed = replace(skewed, propensity=np.full(5_000, 0.25))
    assert why(value(claimed, np.eye(ARMS)[[0] * CONTEXTS])).startswith("the logged chances do not fit the draws: weights should average 1")
    assert isinstance(value(skewed, np.eye(ARMS)[[0] * CONTEXTS]), Estimate)


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"arm": np.array([0, 3])}, "that there is not"), ({"context": np.array([0, 1])}, "that there is not"),
        ({"propensity": np.array([0.5, 0.0])}, "a chance of nought"), ({"propensity": np.array([0.5, 1.5])}, "of more than one"),
        ({"total": np.array([1.0, np.nan])}, "no number"), ({"decisions": np.array([1.0, 0.0])}, "no decision"),
        ({"total": np.array([1.0])}, "differ in length"), ({"eligible": np.array([[True, True], [False, True]])}, "could not be had"),
    ],
)
def test_decisions_that_cannot_be_are_refused(wrong: dict[str, np.ndarray], cause: str) -> None:
    right = one_by_one(np.zeros(2, dtype=int), np.zeros(2, dtype=int), np.full(2, 0.5), np.ones(2), (1, 2))
    with pytest.raises(BadData, match=cause):
        replace(right, **wrong)


def test_tables_and_methods_that_cannot_be_are_refused() -> None:
    chance = np.random.default_rng(12)
    logged = bandit(chance).log(chance, 1_000)
    with pytest.raises(BadData, match="has the shape"):
        value(logged, np.ones((CONTEXTS, ARMS + 1)))
    with pytest.raises(BadData, match="a weight that is none"):
        value(logged, np.full((CONTEXTS, ARMS), -1.0))
    with pytest.raises(BadData, match="there is no method 'magic'"):
        value(logged, np.ones((CONTEXTS, ARMS)), "magic")
    with pytest.raises(BadData, match="wanted chances have the shape"):
        value_of_chances(logged, np.ones((2, ARMS)))
