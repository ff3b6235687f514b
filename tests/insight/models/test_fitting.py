"""Fits find the truth of simulated shops, the same optimum from anywhere, and an honest answer where there is little to see."""

import numpy as np
import pytest

from rekindle.errors import BadData, CannotTell
from rekindle.insight.models import BgNbd, LapseTuples, MbgNbd, ParetoNbd, fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd
from rekindle.insight.models.beta_geometric import PRIOR
from rekindle.insight.models.fitting import Optimum, Slope, maximise
from rekindle.insight.models.lapse_likelihood import LapseLikelihood
from rekindle.insight.models.pareto_likelihood import ParetoLikelihood
from rekindle.insight.models.pareto_nbd import PRIOR as PARETO_PRIOR
from rekindle.insight.models.tuples import Floats
from tests.insight.models.truth import Truth, histories, leaving_shop, shop

TRUTH = (0.9, 6.0, 0.7, 2.5)
LEAVING = (0.9, 6.0, 0.7, 20.0)


def played(kind, rng: np.random.Generator, customers: int, weeks: float) -> tuple[Truth, tuple[float, ...]]:
    """A shop of the kind that a model assumes, and its parameters."""
    if kind is ParetoNbd:
        return leaving_shop(rng, customers, LEAVING, weeks), LEAVING
    return shop(rng, customers, TRUTH, weeks, kind.first_coin), TRUTH


FITS = [(fit_pareto_nbd, ParetoNbd), (fit_mbg_nbd, MbgNbd), (fit_bg_nbd, BgNbd)]


@pytest.mark.parametrize(("fit", "kind"), FITS)
def test_simulated_parameters_are_recovered_within_three_standard_errors(fit, kind) -> None:
    world, truth = played(kind, np.random.default_rng(11), 30_000, 104.0)
    fitted = fit(world.histories)
    assert isinstance(fitted, kind)
    assert (fitted.customers, fitted.quality) == (30_000, "good")
    deviation = (np.log(list(fitted.parameters.values())) - np.log(truth)) / np.sqrt(np.diag(fitted.covariance))
    assert np.abs(deviation).max() < 3
    assert np.sqrt(np.diag(fitted.covariance)).max() < 0.1
    own = np.array(list(fitted.standard_errors.values())) / list(fitted.parameters.values())
    assert own == pytest.approx(np.sqrt(np.diag(fitted.covariance)))


@pytest.mark.parametrize(("fit", "kind"), FITS[:2])
def test_p_alive_is_calibrated_against_the_known_fates(fit, kind) -> None:
    truth, _ = played(kind, np.random.default_rng(12), 30_000, 104.0)
    fitted = fit(truth.histories)
    assert isinstance(fitted, kind)
    alive = fitted.p_alive(truth.histories)
    tenth = np.argsort(np.argsort(alive)) // 3_000
    assert np.bincount(tenth, truth.alive) / 3_000 == pytest.approx(np.bincount(tenth, alive) / 3_000, abs=0.03)


@pytest.mark.parametrize(("fit", "kind"), FITS)
def test_twenty_random_starts_and_any_order_of_rows_end_in_one_place(fit, kind) -> None:
    rng = np.random.default_rng(5)
    rows = played(kind, rng, 1_000, 60.0)[0].histories
    best = fit(rows)
    assert isinstance(best, kind)
    for start in np.exp(rng.uniform(-3, 3, (20, 4))):
        found = fit(rows, tuple(start))
        assert isinstance(found, kind)
        assert list(found.parameters.values()) == pytest.approx(list(best.parameters.values()), rel=1e-6)
    shuffled = rng.permutation(1_000)
    assert fit(LapseTuples(rows.repeats[shuffled], rows.last[shuffled], rows.age[shuffled], rows.customers[shuffled])) == best


def test_counts_stand_for_customers() -> None:
    rows = shop(np.random.default_rng(6), 500, TRUTH, 60.0, 1).histories
    counted = fit_mbg_nbd(LapseTuples(rows.repeats, rows.last, rows.age, np.full(500, 3)))
    spelled = fit_mbg_nbd(LapseTuples(*(np.tile(column, 3) for column in (rows.repeats, rows.last, rows.age, rows.customers))))
    assert isinstance(counted, MbgNbd)
    assert isinstance(spelled, MbgNbd)
    assert counted.customers == spelled.customers == 1_500
    assert counted.log_likelihood == pytest.approx(spelled.log_likelihood, rel=1e-12)


def test_a_large_fit_starts_from_a_sample_and_ends_on_all() -> None:
    rows = shop(np.random.default_rng(7), 40_000, TRUTH, 80.0, 1).histories
    fitted = fit_mbg_nbd(rows)
    assert isinstance(fitted, MbgNbd)
    assert fitted.customers == 40_000
    deviation = (np.log(list(fitted.parameters.values())) - np.log(TRUTH)) / np.sqrt(np.diag(fitted.covariance))
    assert np.abs(deviation).max() < 3
    whole = maximise(LapseLikelihood.of(rows.sorted(), 1), PRIOR, PRIOR.start)
    assert isinstance(whole, Optimum)
    assert list(fitted.parameters.values()) == pytest.approx(np.exp(whole.point).tolist(), rel=1e-7)


def test_a_large_fit_on_whole_days_starts_from_a_sample_and_ends_on_all() -> None:
    world = leaving_shop(np.random.default_rng(8), 100_000, LEAVING, 80.0).histories
    days = LapseTuples.grouped(world.repeats, np.ceil(world.last * 7) / 7, np.ceil(world.age * 7) / 7)
    assert 16_000 < len(days) < 70_000
    fitted = fit_pareto_nbd(days)
    assert isinstance(fitted, ParetoNbd)
    assert fitted.customers == 100_000
    whole = maximise(ParetoLikelihood.of(days), PARETO_PRIOR, PARETO_PRIOR.start)
    assert isinstance(whole, Optimum)
    assert list(fitted.parameters.values()) == pytest.approx(np.exp(whole.point).tolist(), rel=1e-7)
    assert fitted.log_likelihood == pytest.approx(whole.height, rel=1e-12)


TINY = {
    "nobody": ([], "prior only"),
    "one customer": ([(0, 0.0, 8.0)], "prior only"),
    "a shop one day old": ([(0, 0.0, 0.0)] * 40, "prior only"),
    "everyone once": ([(0, 0.0, float(age)) for age in range(1, 200)], "prior only"),
    "five customers": ([(0, 0.0, 20.0), (1, 3.0, 20.0), (2, 9.0, 11.0), (0, 0.0, 5.0), (4, 12.0, 14.0)], "weak"),
    "one regular": ([(100, 100.0, 100.0)], "weak"),
    "clockwork": ([(52, 52.0, 52.5)] * 3_000, "weak"),
    "all gone at once": ([(1, 1 / 7, 104.0)] * 3_000, "weak"),
}


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("fit", [fit_pareto_nbd, fit_mbg_nbd, fit_bg_nbd])
def test_little_to_see_gives_a_usable_model_that_says_so(fit, name: str) -> None:
    rows, quality = TINY[name]
    fitted = fit(histories(*rows))
    assert isinstance(fitted, ParetoNbd | MbgNbd | BgNbd)
    assert fitted.quality == quality, fitted
    assert fitted.customers == len(rows)
    asked = histories((0, 0.0, 0.0), (0, 0.0, 300.0), (5, 20.0, 40.0), (10_000, 1_000.0, 1_043.0))
    values = np.concatenate([fitted.p_alive(asked), fitted.expected_orders(asked, 26.0), fitted.rate(asked), fitted.covariance.ravel()])
    assert np.isfinite(values).all()
    assert np.linalg.eigvalsh(fitted.covariance)[0] > 0


def test_the_prior_alone_is_the_answer_about_nobody() -> None:
    fitted = fit_mbg_nbd(histories())
    assert isinstance(fitted, MbgNbd)
    assert list(fitted.parameters.values()) == pytest.approx(PRIOR.centre)
    assert np.diag(fitted.covariance) == pytest.approx([1.0, 2.25, 1.0, 1.0], rel=1e-6)
    assert "assumed" in fitted.quality_reason


def test_a_search_that_does_not_arrive_cannot_tell() -> None:
    def nowhere(point: Floats) -> Slope:
        return Slope(float("nan"), np.full(len(point), np.nan), np.full((len(point), len(point)), np.nan))

    found = maximise(nowhere, PRIOR, PRIOR.start)
    assert isinstance(found, CannotTell)
    assert "did not arrive" in found.reason


@pytest.mark.parametrize("row", [(-1, 0.0, 1.0), (1, 2.0, 1.0), (0, 1.0, 2.0), (1, 1.0, float("inf")), (1, float("nan"), 2.0)])
def test_histories_that_cannot_be_are_refused(row: tuple[int, float, float]) -> None:
    with pytest.raises(BadData, match="the first in row 1"):
        histories((0, 0.0, 1.0), row)
