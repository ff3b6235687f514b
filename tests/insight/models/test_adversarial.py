"""Two hundred shops that nobody would wish for: a model or a reason, no number that is none, and order where there must be order."""

import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.insight.models import LapseTuples, at_risk_interval, fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd, orders_interval
from tests.insight.models.truth import histories

KINDS = ("mixed", "once", "loyal", "gone at once", "clockwork", "one giant", "hours old", "few heavy")


def shop(rng: np.random.Generator, kind: str) -> LapseTuples:
    """Histories of 50 to a million customers, from one day to 20 years, with up to 10,000 repeats."""
    rows, weeks = int(rng.integers(8, 120)), 7 ** rng.uniform(-1, 3.57)
    repeats = np.floor(np.exp(rng.uniform(0, np.log(10_001), rows))).astype(np.int64) - 1
    age = weeks * rng.beta(1, 0.5, rows)
    share = rng.random(rows) ** rng.uniform(0.05, 3)
    if kind == "once":
        repeats[:] = 0
    elif kind == "loyal":
        repeats, share = repeats + 1, np.ones(rows)
    elif kind == "gone at once":
        repeats, share = np.minimum(repeats, 3), np.full(rows, 1e-4)
    elif kind == "clockwork":
        age, repeats, share = np.full(rows, weeks), np.full(rows, max(int(weeks), 1)), np.full(rows, 0.999)
    elif kind == "one giant":
        repeats = np.where(np.arange(rows) == 0, 10_000, 0)
    elif kind == "hours old":
        age = np.zeros(rows)
    elif kind == "few heavy":
        repeats = np.where(np.arange(rows) < 3, 5_000, np.minimum(repeats, 2))
    customers = 50 * 20_000 ** rng.random()
    counts = 1 + rng.multinomial(max(int(customers) - rows, 0), rng.dirichlet(np.full(rows, 0.3)))
    return LapseTuples(repeats, np.where(repeats > 0, age * share, 0.0), age, counts)


def asked(oldest: float) -> LapseTuples:
    """For each of some repeats and ages, last purchases from the first day to today."""
    grid = [(x, t * age, age) for x in (1, 7, 300, 10_000) for age in (1 / 7, 10.0, oldest + 1) for t in (0.01, 0.5, 0.9, 0.999, 1.0)]
    return histories(*grid, (0, 0.0, 0.0), (0, 0.0, oldest))


def survive(fit, sets: int) -> dict[str, int]:
    """Fits and scores shops of every kind in turn; how many of each quality there were."""
    rng, qualities = np.random.default_rng(2026), {"good": 0, "weak": 0, "prior only": 0, "cannot tell": 0}
    for number in range(sets):
        rows = shop(rng, KINDS[number % len(KINDS)])
        fitted = fit(rows)
        if isinstance(fitted, CannotTell):
            assert "customers" in fitted.reason
            qualities["cannot tell"] += 1
            continue
        qualities[fitted.quality] += 1
        assert fitted.customers == rows.customers.sum()
        for tuples in (asked(float(rows.age.max())), rows):
            alive, orders, rate = fitted.p_alive(tuples), fitted.expected_orders(tuples, 26.0), fitted.rate(tuples)
            assert ((alive >= 0) & (alive <= 1)).all(), (number, fitted)
            assert np.isfinite(np.concatenate([alive, orders, rate, fitted.lapsed_gradient(tuples).ravel()])).all(), (number, fitted)
            assert ((orders >= 0) & (rate > 0)).all(), (number, fitted)
        tuples = asked(float(rows.age.max()))
        for values in (fitted.p_alive(tuples), fitted.expected_orders(tuples, 26.0)):
            later = values[:-2].reshape(-1, 5)
            assert (later[:, 1:] >= later[:, :-1] * (1 - 1e-9)).all(), (number, fitted)
        for of in (at_risk_interval, orders_interval) if number % 5 == 0 else ():
            interval = of(fitted, rows, rows.customers * 1.0, 26.0)
            assert 0 <= interval.low <= interval.estimate <= interval.high < np.inf, (number, fitted)
    return qualities


FITS = [fit_pareto_nbd, fit_mbg_nbd, fit_bg_nbd]


@pytest.mark.parametrize("fit", FITS)
def test_adversarial_shops_of_every_kind(fit) -> None:
    qualities = survive(fit, 24)
    assert qualities["cannot tell"] == 0, qualities
    assert min(qualities["weak"], qualities["prior only"]) > 0, qualities


@pytest.mark.long
@pytest.mark.parametrize("fit", FITS)
def test_two_hundred_adversarial_shops(fit) -> None:
    qualities = survive(fit, 200)
    assert qualities["cannot tell"] <= 2, qualities
    assert min(qualities["good"], qualities["weak"], qualities["prior only"]) >= 5, qualities
