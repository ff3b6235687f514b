"""What CLVTools' own tests state of the Pareto/NBD: standard errors on CDNOW, and customers on whom an earlier version overflowed."""

import numpy as np
import pytest

from rekindle.insight.models import LapseTuples, ParetoNbd, fit_pareto_nbd
from tests.published.cdnow import cdnow


def test_parameters_and_standard_errors_on_cdnow() -> None:
    """Its search stops where parameters are right to 3 in 10,000; its standard errors are those of the parameters, not their logarithms."""
    fitted = fit_pareto_nbd(cdnow().histories)
    assert isinstance(fitted, ParetoNbd)
    assert list(fitted.parameters.values()) == pytest.approx([0.55315, 10.57633, 0.60625, 11.67150], rel=3e-4)
    assert list(fitted.standard_errors.values()) == pytest.approx([0.0476264, 0.8427222, 0.1872594, 6.2105448], rel=2e-4)
    printed = [f"{error:.3g}" for error in fitted.standard_errors.values()]
    assert printed == ["0.0476", "0.843", "0.187", "6.21"]


def test_customers_on_whom_an_earlier_version_overflowed() -> None:
    """CLVTools asserts that they are finite; the values are those of an integral with 40 digits."""
    x = np.array([221, 254, 161, 204])
    last = np.array([103.42857, 97.14286, 94.71429, 98.57143])
    age = np.array([103.57143, 97.28571, 98.00000, 99.42857])
    model = ParetoNbd(0.5143, 2.8845, 0.2856, 14.1087, 0.0, 0, np.eye(4), "good", "given")
    alive = model.p_alive(LapseTuples(x, last, age, np.ones(4, dtype=np.int64)))
    assert alive == pytest.approx([0.999596052318, 0.999558226123, 0.749487752258, 0.994255079638], abs=1e-11)
    assert alive == pytest.approx([0.99960, 0.99956, 0.74949, 0.99425], abs=0.00001)
