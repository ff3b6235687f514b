"""Batislam, Denizel & Filiztekin (2007), the modified BG/NBD, on CDNOW: the values that SCIENCE.md measured."""

import pytest

from rekindle.insight.models import MbgNbd, fit_mbg_nbd
from tests.published.cdnow import area_under_curve, cdnow, individual_errors


@pytest.fixture(scope="module")
def model() -> MbgNbd:
    fitted = fit_mbg_nbd(cdnow().histories)
    assert isinstance(fitted, MbgNbd)
    return fitted


def test_parameters_and_log_likelihood(model: MbgNbd) -> None:
    assert (model.customers, model.quality) == (2_357, "good")
    assert model.r == pytest.approx(0.5248, abs=0.00005)
    assert model.alpha == pytest.approx(6.1831, abs=0.00005)
    assert model.a == pytest.approx(0.8914, abs=0.00005)
    assert model.b == pytest.approx(1.614, abs=0.0005)
    assert model.log_likelihood == pytest.approx(-9582.136, abs=0.0005)


def test_individual_errors(model: MbgNbd) -> None:
    mae, rmse = individual_errors(model.expected_orders(cdnow().histories, 39))
    assert (round(mae, 4), round(rmse, 3)) == (0.7648, 1.607)


def test_ranking_by_p_alive_and_by_expected_orders(model: MbgNbd) -> None:
    histories = cdnow().histories
    assert round(area_under_curve(model.p_alive(histories)), 3) == 0.687
    assert round(area_under_curve(model.expected_orders(histories, 39)), 3) == 0.773


def test_nobody_is_alive_for_certain(model: MbgNbd) -> None:
    alive = model.p_alive(cdnow().histories)
    assert alive.min() > 0
    assert alive.max() < 1
