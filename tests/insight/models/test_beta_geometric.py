"""Both lapse models against a second implementation that integrates over every rate and every chance to lapse."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln, gammaln

from rekindle.insight.models import BgNbd, MbgNbd
from rekindle.insight.models.beta_geometric import BetaGeometric
from rekindle.insight.models.lapse_likelihood import LapseLikelihood
from rekindle.insight.models.tuples import standings
from tests.insight.models.truth import histories, shop

PARAMETERS = (0.6, 5.0, 0.8, 2.1)
ROWS = [(0, 0.0, 3.0), (0, 0.0, 60.0), (1, 2.0, 50.0), (3, 30.0, 31.0), (12, 40.0, 90.0)]


def model(kind: type[BetaGeometric], parameters: tuple[float, ...] = PARAMETERS) -> BetaGeometric:
    return kind(*parameters, 0.0, 0, np.eye(4), "good", "given")


@dataclass(frozen=True, slots=True)
class Integrated:
    """Likelihood, P(alive), orders if alive and mean rate of one history, by sums over a grid of rates and chances."""

    likelihood: float
    alive: float
    orders: float
    order_pairs: float
    rate: float


def integrated(kind: type[BetaGeometric], row: tuple[int, float, float], weeks: float) -> Integrated:
    x, last, age = row
    r, alpha, a, b = PARAMETERS
    log_rate = np.arange(-60, 8, 0.05)[:, None]
    logit = np.arange(-48, 20, 0.05)[None, :]
    rate, p, q = np.exp(log_rate), 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(logit))
    prior = np.exp(r * (np.log(alpha) + log_rate) - alpha * rate - gammaln(r) + a * np.log(p) + b * np.log(q) - betaln(a, b)) * 0.05**2
    coins = x + kind.first_coin
    alive = prior * rate**x * q**coins * np.exp(-rate * age)
    lapsed = prior * rate**x * p * q ** (coins - 1) * np.exp(-rate * last) if coins else 0 * prior
    total = (alive + lapsed).sum()
    ahead, most = -np.expm1(-rate * p * weeks) / p, rate * p * weeks
    twice = np.where(most < 1e-4, (rate * weeks) ** 2 * (1 - 2 * most / 3), 2 * (-np.expm1(-most) - most * np.exp(-most)) / p**2)
    mean, mean_pairs = ((alive * what).sum() / alive.sum() for what in (ahead, twice * q))
    return Integrated(total, alive.sum() / total, mean, mean_pairs, ((alive + lapsed) * rate).sum() / total)


@pytest.mark.parametrize("kind", [MbgNbd, BgNbd])
@pytest.mark.parametrize("row", ROWS)
def test_closed_forms_are_the_integrals(kind: type[BetaGeometric], row: tuple[int, float, float]) -> None:
    truth, one, given_model = integrated(kind, row, 26.0), histories(row), model(kind)
    log_likelihood = LapseLikelihood.of(one, kind.first_coin)(np.log(np.array(PARAMETERS))).height
    assert log_likelihood == pytest.approx(np.log(truth.likelihood), rel=1e-8)
    assert given_model.p_alive(one)[0] == pytest.approx(truth.alive, rel=1e-8)
    assert given_model.expected_orders_if_alive(one, 26.0)[0] == pytest.approx(truth.orders, rel=1e-8)
    assert given_model.expected_orders(one, 26.0)[0] == pytest.approx(truth.orders * truth.alive, rel=1e-8)
    assert given_model.order_pairs_of(standings(one)[0], 26.0)[0] == pytest.approx(truth.order_pairs, rel=1e-6)
    assert given_model.rate(one)[0] == pytest.approx(truth.rate, rel=1e-8)


@pytest.mark.parametrize("kind", [MbgNbd, BgNbd])
def test_gradients_are_the_slopes(kind: type[BetaGeometric]) -> None:
    rows = shop(np.random.default_rng(3), 300, PARAMETERS, 60.0, kind.first_coin).histories
    surface, point = LapseLikelihood.of(rows.sorted(), kind.first_coin), np.log(np.array(PARAMETERS))
    steps = 1e-5 * np.eye(4)
    slopes = [(surface(point + step).height - surface(point - step).height) / 2e-5 for step in steps]
    bends = [(surface(point + step).gradient - surface(point - step).gradient) / 2e-5 for step in steps]
    assert surface(point).gradient == pytest.approx(slopes, rel=1e-6, abs=1e-5)
    assert surface(point).hessian == pytest.approx(np.array(bends), rel=1e-6, abs=1e-5)
    lapsed = [(model(kind, np.exp(point - h)).p_alive(rows) - model(kind, np.exp(point + h)).p_alive(rows)) / 2e-5 for h in steps]
    assert model(kind).lapsed_gradient(rows) == pytest.approx(np.array(lapsed), abs=1e-9)


def test_only_the_bg_nbd_holds_one_time_buyers_for_alive() -> None:
    once = histories((0, 0.0, 0.0), (0, 0.0, 500.0))
    assert model(BgNbd).p_alive(once).tolist() == [1.0, 1.0]
    fresh, old = model(MbgNbd).p_alive(once)
    assert fresh == pytest.approx(2.1 / 2.9)
    assert 0 < old < fresh < 1


positive = st.floats(-3.0, 6.0).map(np.exp)


@given(
    parameters=st.tuples(positive, positive, positive, positive),
    repeats=st.integers(0, 10_000),
    age=st.floats(0.0, 1_043.0),
    share=st.floats(0.0, 1.0),
    weeks=st.floats(0.01, 1_043.0),
    kind=st.sampled_from([MbgNbd, BgNbd]),
)
def test_twenty_years_and_ten_thousand_orders_stay_in_bounds(
    parameters: tuple[float, ...], repeats: int, age: float, share: float, weeks: float, kind: type[BetaGeometric]
) -> None:
    """Probabilities in (0, 1], lower after longer silence; orders finite, growing with time, never more than the rate times the time."""
    last = age * share if repeats else 0.0
    one, older = histories((repeats, last, age)), histories((repeats, last, age + 1))
    later = histories((repeats, age if repeats else 0.0, age))
    given_model = model(kind, parameters)
    alive = given_model.p_alive(one)[0]
    assert 0 < alive <= 1
    assert given_model.p_alive(older)[0] <= alive <= given_model.p_alive(later)[0]
    orders = given_model.expected_orders_if_alive(one, weeks)[0]
    limit = (parameters[0] + repeats) / (parameters[1] + age) * weeks
    assert 0 <= orders <= limit * (1 + 1e-6)
    assert orders <= given_model.expected_orders_if_alive(one, 1.1 * weeks)[0] * (1 + 1e-6)
    assert 0 < given_model.rate(one)[0] < np.inf
