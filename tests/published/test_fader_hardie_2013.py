"""Fader & Hardie (2013), The gamma-gamma model of monetary value: 946 repeat buyers of CDNOW."""

import numpy as np
import pytest

from rekindle.insight.models import GammaGamma, fit_gamma_gamma
from tests.published.cdnow import cdnow


@pytest.fixture(scope="module")
def model() -> GammaGamma:
    data = cdnow()
    fitted = fit_gamma_gamma(data.histories.repeats, data.repeat_value)
    assert isinstance(fitted, GammaGamma)
    return fitted


def test_parameters_and_log_likelihood(model: GammaGamma) -> None:
    assert (model.customers, model.quality) == (946, "good")
    assert [round(value, 2) for value in (model.p, model.q, model.v)] == [6.25, 3.74, 15.44]
    assert model.log_likelihood == pytest.approx(-4055.918, abs=0.0005)


def test_expected_value_at_the_papers_parameters(model: GammaGamma) -> None:
    """The mean over customers, and a customer pulled towards it: p (v + x m) / (p x + q - 1)."""
    assert model.mean == pytest.approx(6.25 * 15.44 / 2.74, rel=3e-3)
    got = model.expected_value(np.array([0, 2]), np.array([np.nan, 20.0]))
    assert got == pytest.approx([model.mean, model.p * (model.v + 40.0) / (2 * model.p + model.q - 1)], rel=1e-12)
    assert 20.0 < got[1] < model.mean


def test_cents_and_yen_make_no_difference(model: GammaGamma) -> None:
    data = cdnow()
    yen = fit_gamma_gamma(data.histories.repeats, data.repeat_value * 1e7)
    assert isinstance(yen, GammaGamma)
    assert (yen.p, yen.q, yen.v / 1e7) == pytest.approx((model.p, model.q, model.v), rel=1e-9)
    assert yen.log_likelihood == pytest.approx(model.log_likelihood - 946 * np.log(1e7), abs=1e-6)
