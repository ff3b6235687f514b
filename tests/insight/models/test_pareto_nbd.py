"""The Pareto/NBD against sums over every rate of ordering and of lapse, against the hypergeometric formula, and at the extremes."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1

from rekindle.insight.models import ParetoNbd
from rekindle.insight.models.pareto_likelihood import ParetoLikelihood
from rekindle.insight.models.tuples import standings
from tests.insight.models.truth import histories, leaving_shop

PARAMETERS = (0.6, 5.0, 0.8, 12.0)
ROWS = [(0, 0.0, 3.0), (0, 0.0, 60.0), (1, 2.0, 50.0), (3, 30.0, 31.0), (12, 40.0, 90.0), (2, 8.0, 8.0)]


def model(parameters: tuple[float, ...] = PARAMETERS) -> ParetoNbd:
    return ParetoNbd(*parameters, 0.0, 0, np.eye(4), "good", "given")


def log_likelihood(parameters: tuple[float, ...], row: tuple[int, float, float]) -> float:
    return ParetoLikelihood.of(histories(row))(np.log(np.array(parameters))).height


@dataclass(frozen=True, slots=True)
class Integrated:
    """What is known of one history, by sums over a grid of order rates and rates of lapse."""

    likelihood: float
    alive: float
    orders: float
    order_pairs: float
    rate: float


def integrated(row: tuple[int, float, float], weeks: float) -> Integrated:
    x, last, age = row
    r, alpha, s, beta = PARAMETERS
    log_rate, log_lapse = np.arange(-60, 8, 0.05)[:, None], np.arange(-48, 8, 0.05)[None, :]
    rate, lapse = np.exp(log_rate), np.exp(log_lapse)
    prior = np.exp(r * (np.log(alpha) + log_rate) - alpha * rate - gammaln(r) + s * (np.log(beta) + log_lapse) - beta * lapse - gammaln(s))
    alive = prior * 0.05**2 * rate**x * np.exp(-(rate + lapse) * age)
    lapsed = prior * 0.05**2 * rate**x * lapse * np.exp(-(rate + lapse) * last) * -np.expm1(-(rate + lapse) * (age - last)) / (rate + lapse)
    total = (alive + lapsed).sum()
    stay = -np.expm1(-lapse * weeks) / lapse
    stay_squared = 2 * (stay - weeks * np.exp(-lapse * weeks)) / lapse
    stay_squared = np.where(lapse * weeks < 1e-4, weeks**2 * (1 - 2 * lapse * weeks / 3), stay_squared)
    ahead, twice = (alive * rate * stay).sum() / alive.sum(), (alive * rate**2 * stay_squared).sum() / alive.sum()
    return Integrated(total, alive.sum() / total, ahead, twice, ((alive + lapsed) * rate).sum() / total)


@pytest.mark.parametrize("row", ROWS)
def test_one_integral_over_the_time_of_death_is_the_sum_over_every_rate(row: tuple[int, float, float]) -> None:
    truth, one, given_model = integrated(row, 26.0), histories(row), model()
    assert log_likelihood(PARAMETERS, row) == pytest.approx(np.log(truth.likelihood), rel=1e-8)
    assert given_model.p_alive(one)[0] == pytest.approx(truth.alive, rel=1e-8)
    assert given_model.expected_orders_if_alive(one, 26.0)[0] == pytest.approx(truth.orders, rel=1e-8)
    assert given_model.expected_orders(one, 26.0)[0] == pytest.approx(truth.orders * truth.alive, rel=1e-8)
    assert given_model.order_pairs_of(standings(one)[0], 26.0)[0] == pytest.approx(truth.order_pairs, rel=1e-7)
    assert given_model.rate(one)[0] == pytest.approx(truth.rate, rel=1e-8)


def by_hypergeometric(parameters: tuple[float, ...], row: tuple[int, float, float]) -> tuple[float, float]:
    """Log-likelihood and P(alive) as Fader & Hardie (2005), A note on deriving the Pareto/NBD model, print them."""
    r, alpha, s, beta = parameters
    x, last, age = row
    more, exponent = abs(alpha - beta), r + s + x
    first, from_one = (s + 1, alpha) if alpha >= beta else (r + x, beta)

    def term(time: float) -> float:
        return hyp2f1(exponent, first, exponent + 1, more / (from_one + time)) / (from_one + time) ** exponent

    alive = (alpha + age) ** -(r + x) * (beta + age) ** -s
    whole = alive + s / exponent * (term(last) - term(age))
    return gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(whole), alive / whole


@pytest.mark.parametrize("parameters", [PARAMETERS, (2.0, 20.0, 0.3, 4.0), (0.553, 10.578, 0.606, 11.669), (1.0, 6.0, 3.0, 6.0)])
@pytest.mark.parametrize("row", ROWS)
def test_it_is_the_hypergeometric_formula_of_the_literature(parameters: tuple[float, ...], row: tuple[int, float, float]) -> None:
    log, alive = by_hypergeometric(parameters, row)
    assert log_likelihood(parameters, row) == pytest.approx(log, rel=1e-10)
    assert model(parameters).p_alive(histories(row))[0] == pytest.approx(alive, rel=1e-10)


def by_adaptive_quadrature(parameters: tuple[float, ...], row: tuple[int, float, float]) -> float:
    """Odds of having lapsed, adaptively, in the logarithm of time since the last purchase."""
    r, alpha, s, beta = parameters
    x, last, age = row

    def integrand(log_time: float) -> float:
        u = last + np.exp(log_time)
        fallen = (r + x) * np.log((alpha + age) / (alpha + u)) + s * np.log((beta + age) / (beta + u))
        return float(s / (beta + u) * np.exp(fallen + log_time))

    edges = np.linspace(np.log(1e-20 * (age - last)), np.log(age - last), 60)
    return sum(quad(integrand, a, b, epsabs=0.0, epsrel=1e-13)[0] for a, b in zip(edges, edges[1:], strict=False))


@pytest.mark.parametrize("parameters", [PARAMETERS, (3.0, 0.02, 0.05, 0.4), (0.05, 300.0, 4.0, 2_000.0), (1.0, 2.0, 300.0, 7_000.0)])
@pytest.mark.parametrize("row", [(10_000, 1_042.0, 1_043.0), (400, 90.0, 104.0), (30, 0.5, 3.0), (1, 1 / 7, 1_043.0), (0, 0.0, 1_043.0)])
def test_it_is_exact_where_the_hypergeometric_function_is_not(parameters: tuple[float, ...], row: tuple[int, float, float]) -> None:
    odds = by_adaptive_quadrature(parameters, row)
    r, alpha, s, beta = parameters
    x, _, age = row
    log = gammaln(r + x) - gammaln(r) - x * np.log(alpha) - (r + x) * np.log1p(age / alpha) - s * np.log1p(age / beta) + np.log1p(odds)
    assert log_likelihood(parameters, row) == pytest.approx(log, rel=1e-10)
    assert model(parameters).p_alive(histories(row))[0] == pytest.approx(1 / (1 + odds), rel=1e-9)


def test_gradient_and_hessian_are_the_slopes() -> None:
    rows = leaving_shop(np.random.default_rng(3), 300, PARAMETERS, 60.0).histories.sorted()
    surface, point = ParetoLikelihood.of(rows), np.log(np.array(PARAMETERS))
    steps = 1e-5 * np.eye(4)
    slopes = [(surface(point + step).height - surface(point - step).height) / 2e-5 for step in steps]
    bends = [(surface(point + step).gradient - surface(point - step).gradient) / 2e-5 for step in steps]
    assert surface(point).gradient == pytest.approx(slopes, rel=1e-6, abs=1e-5)
    assert surface(point).hessian == pytest.approx(np.array(bends), rel=1e-6, abs=1e-5)
    lapsed = [(model().moved(-step).p_alive(rows) - model().moved(step).p_alive(rows)) / 2e-5 for step in steps]
    assert model().lapsed_gradient(rows) == pytest.approx(np.array(lapsed), abs=1e-9)


def test_a_shape_of_lapse_near_one_is_no_hole() -> None:
    one = histories((3, 30.0, 40.0))
    below, at, above = (model((0.6, 5.0, s, 12.0)).expected_orders_if_alive(one, 26.0)[0] for s in (1 - 1e-9, 1.0, 1 + 1e-9))
    assert below > at > above
    assert below == pytest.approx(above, rel=1e-8)
    assert at == pytest.approx(3.6 / 45 * 52 * np.log(78 / 52), rel=1e-12)


positive = st.floats(-6.0, 6.0).map(np.exp)


@given(
    parameters=st.tuples(positive, positive, positive, positive),
    repeats=st.integers(0, 10_000),
    age=st.floats(0.0, 1_043.0),
    share=st.floats(0.0, 1.0),
    weeks=st.floats(0.01, 1_043.0),
)
def test_twenty_years_and_ten_thousand_orders_stay_in_bounds(
    parameters: tuple[float, ...], repeats: int, age: float, share: float, weeks: float
) -> None:
    """Probabilities in (0, 1], lower after longer silence; orders finite, growing with time, never more than the rate times the time."""
    last = age * share if repeats else 0.0
    one, older = histories((repeats, last, age)), histories((repeats, last, age + 1))
    later = histories((repeats, age if repeats else 0.0, age))
    given_model = model(parameters)
    alive = given_model.p_alive(one)[0]
    assert 0 < alive <= 1
    assert given_model.p_alive(older)[0] <= alive * (1 + 1e-9) <= given_model.p_alive(later)[0] * (1 + 2e-9)
    orders = given_model.expected_orders_if_alive(one, weeks)[0]
    limit = (parameters[0] + repeats) / (parameters[1] + age) * weeks
    assert 0 <= orders <= limit * (1 + 1e-9)
    assert orders <= given_model.expected_orders_if_alive(one, 1.1 * weeks)[0] * (1 + 1e-9)
    assert 0 <= given_model.order_pairs_of(standings(one)[0], weeks)[0] < np.inf
    assert 0 < given_model.rate(one)[0] < np.inf
    assert np.isfinite(given_model.lapsed_gradient(one)).all()
