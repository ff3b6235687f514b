"""Fader, Hardie & Lee (2005), "Counting your customers" the easy way: BG/NBD on CDNOW, and the points that BTYD's walkthrough prints."""

import numpy as np
import pytest

from rekindle.insight.models import BgNbd, LapseTuples, fit_bg_nbd
from tests.published.cdnow import area_under_curve, cdnow, individual_errors


@pytest.fixture(scope="module")
def model() -> BgNbd:
    fitted = fit_bg_nbd(cdnow().histories)
    assert isinstance(fitted, BgNbd)
    return fitted


def one(repeats: int, last: float, age: float) -> LapseTuples:
    return LapseTuples(np.array([repeats]), np.array([last]), np.array([age]), np.array([1]))


def test_parameters_and_log_likelihood(model: BgNbd) -> None:
    assert (model.customers, model.quality) == (2_357, "good")
    assert model.r == pytest.approx(0.243, abs=0.0005)
    assert model.alpha == pytest.approx(4.414, abs=0.0005)
    assert model.a == pytest.approx(0.793, abs=0.0005)
    assert model.b == pytest.approx(2.426, abs=0.0005)
    assert model.log_likelihood == pytest.approx(-9582.429, abs=0.0005)


def test_points_of_the_walkthrough(model: BgNbd) -> None:
    """To 3 in 100,000: the walkthrough's search stops that much earlier than ours."""
    assert model.expected_orders(one(0, 0.0, 0.0), 52)[0] == pytest.approx(1.444004, rel=3e-5)
    assert model.expected_orders(one(26, 30.857, 31.0), 52)[0] == pytest.approx(25.75659, rel=3e-5)
    assert model.p_alive(one(26, 30.857, 31.0))[0] == pytest.approx(0.9688523, rel=3e-5)


def test_holdout_by_calibration_frequency(model: BgNbd) -> None:
    data = cdnow()
    group = np.minimum(data.histories.repeats, 7)
    actual = np.bincount(group, data.holdout) / np.bincount(group)
    expected = np.bincount(group, model.expected_orders(data.histories, 39)) / np.bincount(group)
    assert actual.round(3).tolist() == [0.237, 0.697, 1.393, 1.56, 2.532, 2.947, 3.862, 6.359]
    assert expected.round(3).tolist() == [0.225, 0.523, 1.044, 1.52, 2.164, 2.654, 3.504, 6.157]


def test_individual_errors_and_a_ranking_worse_than_chance(model: BgNbd) -> None:
    mae, rmse = individual_errors(model.expected_orders(cdnow().histories, 39))
    assert (round(mae, 4), round(rmse, 3)) == (0.7855, 1.608)
    assert round(area_under_curve(model.p_alive(cdnow().histories)), 3) == 0.316


def test_the_summary_with_rounded_weeks_gives_the_same_within_its_rounding() -> None:
    fitted = fit_bg_nbd(cdnow(rounded=True).histories)
    assert isinstance(fitted, BgNbd)
    assert fitted.log_likelihood == pytest.approx(-9582.429, abs=0.01)
    assert list(fitted.parameters.values()) == pytest.approx([0.243, 4.414, 0.793, 2.426], abs=0.0005)
