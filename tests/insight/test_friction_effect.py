"""The estimator of friction's effects: a published table, closed forms, a second implementation, and what it must not adjust for."""

from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from rekindle.errors import CannotTell
from rekindle.insight.friction_effect import ANSWERED, BUCKETS, COVARIATES, RANK, Effect, effect

Cell = dict[str, object]
FLAGS = (*RANK, ANSWERED)


def cell(n: int, lapses: int, bucket: int = 0, **more: object) -> Cell:
    return {**dict.fromkeys(COVARIATES, 0), **dict.fromkeys(FLAGS, False), "bucket": bucket, "n": n, "lapses": lapses, **more}


def table(cells: list[Cell]) -> pa.Table:
    return pa.Table.from_pylist(cells)


def spread(n: int, lapses: int, chance: np.random.Generator, **more: object) -> list[Cell]:
    """One customer a purchase, dealt to the buckets at random."""
    who = chance.integers(0, BUCKETS, n)
    lapsed = np.arange(n) < lapses
    return [cell(int((who == b).sum()), int(lapsed[who == b].sum()), b, **more) for b in range(BUCKETS)]


def test_the_physicians_health_study() -> None:
    """Infarctions: 104 of 11,037 on aspirin, 189 of 11,034 on placebo: relative risk 0.55 (0.43 to 0.70) without covariates.

    Steering Committee of the Physicians' Health Study (1989), New England Journal of Medicine 321, as in Agresti (2013), section 2.1.
    """
    chance = np.random.default_rng(1)
    found = effect(table([*spread(11_037, 104, chance, stockout=True), *spread(11_034, 189, chance)]), "stockout")
    assert isinstance(found, Effect)
    assert (found.purchases, found.lapsed) == (11_037, 104)
    assert round(found.ratio.estimate, 2) == 0.55
    assert (found.ratio.low, found.ratio.high) == (pytest.approx(0.43, abs=0.04), pytest.approx(0.70, abs=0.05))
    assert found.difference.estimate == pytest.approx(104 / 11_037 - 189 / 11_034, abs=1e-6)
    assert found.expected == pytest.approx(11_037 * 189 / 11_034, rel=1e-5)


def test_expected_lapses_are_those_of_each_cell_without_the_friction() -> None:
    """With one covariate the regression is saturated: each cell's own rate, weighted by the purchases with the friction."""
    counts = {0: ((40, 30), (400, 200)), 1: ((160, 48), (600, 120)), 2: ((10, 9), (90, 60))}
    cells = []
    for level, ((n1, y1), (n0, y0)) in counts.items():
        cells += [cell(n1, y1, 3 * level, season=level, late_delivery=True), cell(n0, y0, 3 * level + 1, season=level)]
    found = effect(table(cells), "late_delivery")
    expected = 40 * 200 / 400 + 160 * 120 / 600 + 10 * 60 / 90
    assert isinstance(found, Effect)
    assert found.expected == pytest.approx(expected, rel=1e-4)
    assert found.ratio.estimate == pytest.approx(87 / expected, rel=1e-4)
    assert found.difference.estimate == pytest.approx((87 - expected) / 210, rel=1e-3)


def marketplace(seed: int, kind: str = "return", ratio: float = 1.5) -> list[Cell]:
    """Cells in which the friction hits the new customers most, and they lapse most."""
    chance = np.random.default_rng(seed)
    cells = []
    for number, value, late, bucket in product(range(4), range(3), (False, True), range(BUCKETS)):
        base = 1 / (1 + np.exp(0.6 + 0.5 * number - 0.2 * value - 0.4 * late))
        for befell, n in ((True, chance.poisson(0.3 + 0.5 * (3 - number) + late)), (False, chance.poisson(6 + number))):
            risk = min(base * (ratio if befell else 1.0), 1.0)
            seen = int(chance.binomial(n, risk))
            cells.append(cell(int(n), seen, bucket, number=number, value=value, late_delivery=late, **{kind: befell}))
    return [one for one in cells if one["n"]]


def by_hand(cells: list[Cell], kind: str, before: list[str]) -> tuple[float, float]:
    """Observed over expected by a dense logistic regression, in logs, with the difference in risk."""
    names = [*COVARIATES, *before]
    levels = {name: sorted({one[name] for one in cells})[1:] for name in names}
    rows = np.array([[1.0, *(float(one[name] == level) for name in names for level in levels[name])] for one in cells])
    n, y = (np.array([one[name] for one in cells], dtype=float) for name in ("n", "lapses"))
    exposed = np.array([one[kind] for one in cells])
    beta = np.zeros(rows.shape[1])
    for _ in range(30):
        risk = 1 / (1 + np.exp(-rows @ beta))
        weight = np.where(exposed, 0.0, n * risk * (1 - risk))
        hessian = np.einsum("ia,i,ib->ab", rows, weight, rows) + 1e-9 * np.eye(len(beta))
        beta = beta + np.linalg.solve(hessian, np.einsum("ia,i->a", rows, np.where(exposed, 0.0, y - n * risk)))
    expected = float((n / (1 + np.exp(-rows @ beta)))[exposed].sum())
    return float(np.log(y[exposed].sum() / expected)), float((y[exposed].sum() - expected) / n[exposed].sum())


def test_a_dense_regression_and_leaving_out_one_bucket_after_another_say_the_same() -> None:
    cells = marketplace(3)
    found = effect(table(cells), "return")
    assert isinstance(found, Effect)
    log_ratio, risk = by_hand(cells, "return", ["late_delivery"])
    assert np.log(found.ratio.estimate) == pytest.approx(log_ratio, abs=2e-5)
    assert found.difference.estimate == pytest.approx(risk, abs=1e-5)
    without = [by_hand([one for one in cells if one["bucket"] != b], "return", ["late_delivery"]) for b in range(BUCKETS)]
    for place, interval in ((0, (np.log(found.ratio.low), np.log(found.ratio.high))), (1, (found.difference.low, found.difference.high))):
        parts = np.array([one[place] for one in without])
        jackknife = np.sqrt((BUCKETS - 1) / BUCKETS * ((parts - parts.mean()) ** 2).sum())
        assert (interval[1] - interval[0]) / 2 / 1.9983 == pytest.approx(jackknife, rel=0.03)


def test_confounding_is_adjusted_away() -> None:
    """The naive ratio is far off: the friction hits those who lapse anyway."""
    cells = marketplace(5, ratio=1.0)
    found = effect(table(cells), "return")
    met, free = ([one for one in cells if one["return"] is befell] for befell in (True, False))
    naive = (sum(one["lapses"] for one in met) / sum(one["n"] for one in met)) / (
        sum(one["lapses"] for one in free) / sum(one["n"] for one in free)
    )
    assert isinstance(found, Effect)
    assert naive > 1.2
    assert found.ratio.low < 1 < found.ratio.high
    assert found.ratio.high < naive


def test_what_a_friction_brings_about_is_part_of_its_effect_and_what_brings_it_about_is_not() -> None:
    """Every late parcel makes a bad review, and only bad reviews make customers leave; late parcels themselves do nothing else."""
    cells = []
    for bucket in range(BUCKETS):
        cells += [
            cell(20, 10, bucket, late_delivery=True, bad_review=True), cell(20, 4, bucket, late_delivery=True),
            cell(100, 20, bucket), cell(2, 1, bucket, bad_review=True),
        ]
    late, bad = (effect(table(cells), kind) for kind in ("late_delivery", "bad_review"))
    assert isinstance(late, Effect)
    assert isinstance(bad, Effect)
    assert late.ratio.estimate == pytest.approx((14 / 40) / (21 / 102), rel=1e-3)
    assert bad.ratio.estimate == pytest.approx(0.5 / 0.2, rel=1e-3)


def test_an_unanswered_ticket_is_compared_with_none() -> None:
    cells = [cell(30, 15, b, open_ticket=True) for b in range(BUCKETS)] + [cell(90, 27, b) for b in range(BUCKETS)]
    answered = [cell(50, 50, b, **{ANSWERED: True}) for b in range(BUCKETS)]
    assert effect(table(cells + answered), "open_ticket") == effect(table(cells), "open_ticket")
    assert effect(table(cells + answered), "stockout") != effect(table(cells), "open_ticket")


@pytest.mark.parametrize(
    ("met", "free", "words"),
    [
        ((9, 5), (1000, 100), "Only 9 purchases with it are"), ((1, 1), (1000, 100), "Only 1 purchase with it is"),
        ((20, 12), (1000, 100), "12 lapses followed it where 2.0 were to be expected"),
        ((200, 0), (1000, 100), "0 lapses followed it"), ((200, 100), (0, 0), "Only 200 purchases"),
    ],
)
def test_few_purchases_give_a_reason_and_no_ratio(met: tuple[int, int], free: tuple[int, int], words: str) -> None:
    found = effect(table([cell(*met, stockout=True), cell(*free, bucket=1)]), "stockout")
    assert isinstance(found, CannotTell)
    assert words in found.reason
