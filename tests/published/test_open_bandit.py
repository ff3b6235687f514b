"""Saito et al. (2020), Open Bandit Dataset, public samples of 10,000 rows: two policies of a shop, with propensities.

Some 46 clicks in 10,000 rows cannot rank estimators, and nothing here does: what is tested is that values say so by their intervals.
"""

import numpy as np
import pyarrow.parquet as pq
import pytest

from rekindle.insight.models import Interval
from rekindle.learn.off_policy import DOUBLY_ROBUST, IPS, SNIPS, Estimate, Logged, one_by_one, overlap, spread, value
from tests.data import shared

ITEMS, POSITIONS = 34, 3


def log(policy: str) -> Logged:
    """Context: the position shown at; variant: the item; outcome: a click."""
    table = pq.read_table(shared(f"open_bandit/obd_{policy}_men.parquet"))
    columns = {name: table[name].to_numpy() for name in ("position", "item_id", "propensity_score", "click")}
    place = np.unique(columns["position"], return_inverse=True)[1]
    return one_by_one(place, columns["item_id"], columns["propensity_score"], columns["click"], (POSITIONS, ITEMS))


UNIFORM = np.full((POSITIONS, ITEMS), 1 / ITEMS)


def test_click_rates_and_propensities_are_as_published() -> None:
    random, thompson = log("random"), log("bts")
    assert (random.total.mean(), thompson.total.mean()) == (0.0046, 0.0069)
    assert random.propensity == pytest.approx(1 / 34)


@pytest.mark.parametrize("method", [IPS, SNIPS, DOUBLY_ROBUST])
def test_the_uniform_policy_from_the_log_of_the_other(method: str) -> None:
    """Within the errors of both of what it got in its own log; the interval is too wide to tell methods apart."""
    thompson, own = log("bts"), value(log("random"), UNIFORM, method)
    found = value(thompson, UNIFORM, method)
    assert isinstance(found, Estimate)
    assert isinstance(own, Estimate)
    assert isinstance(found.interval, Interval)
    assert abs(found.value - own.value) < 1.96 * np.hypot(float(found.error), float(own.error))
    assert found.interval.high - found.interval.low > 0.5 * found.value
    assert found.overlap.effective < 0.15 * found.overlap.decisions


def test_its_own_policy_needs_no_weights() -> None:
    random = log("random")
    for method in (IPS, SNIPS):
        found = value(random, UNIFORM, method)
        assert isinstance(found, Estimate)
        assert found.value == pytest.approx(0.0046)
    assert overlap(random, spread(random, UNIFORM)).effective == pytest.approx(10_000)
