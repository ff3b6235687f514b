"""Effects of friction on the simulated marketplace, whose true effects are known."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction_effect import Effect
from rekindle.simulate.friction_truth import true_risk
from rekindle.simulate.purchases import DAY
from tests.insight.histories import history
from tests.simulate.friction_worlds import SIMULATED, coverage, estimated, world


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with history(tmp_path_factory.mktemp("frictions")) as opened:
        yield opened


def test_the_truth_lies_in_the_intervals_of_one_world_and_the_placebo_shows_nothing(warehouse: Warehouse) -> None:
    found = estimated(warehouse, 6_000, 24, 1)
    counts = {kind: (one.purchases, one.lapsed) for kind, one in found.effects.items() if isinstance(one, Effect)}
    assert counts == {
        "stockout": (340, 134), "late_delivery": (905, 348), "return": (735, 297), "bad_review": (243, 92), "open_ticket": (37, 15),
    }
    assert found.effects["late_delivery"].ratio.estimate == pytest.approx(1.1282, abs=1e-4)
    for kind in counts:
        ratio = found.effects[kind].ratio
        assert ratio.low <= found.truths[kind].ratio <= ratio.high, kind
        assert found.truths[kind].purchases == counts[kind][0]
    told = [one for one in found.placebos.values() if isinstance(one, Effect)]
    assert len(told) == 4
    assert all(one.ratio.low <= 1 <= one.ratio.high for one in told)
    assert all(isinstance(found.effects[kind], CannotTell) for kind in ("price_rise", "refund"))


def test_three_more_worlds_come_out_as_they_always_do(tmp_path: Path) -> None:
    """One interval in twenty misses the truth by design: here one of fifteen, and no placebo."""
    held = coverage(tmp_path, range(2, 5), 6_000, 24)
    missed = {kind: part.count(False) for kind, part in held["effect"].items()}
    assert missed == {"late_delivery": 1, "stockout": 0, "return": 0, "bad_review": 0, "open_ticket": 0}
    assert {kind: part.count(False) for kind, part in held["placebo"].items()} == dict.fromkeys(SIMULATED, 0)
    assert sum(map(len, held["effect"].values())) == 15


def test_the_true_chances_are_those_of_the_draws() -> None:
    """Over many customers the mean chance is the share of what the simulator drew; a second look at the same truth."""
    scene, orders = world(40_000, 24, 9)
    end = scene.calendar.first + scene.calendar.days
    day = orders.instant // DAY
    chosen = np.flatnonzero(day + 200 < end)
    nxt = np.full(orders.customer.size, np.iinfo(np.int64).max)
    by_customer = np.lexsort((orders.instant, orders.customer))
    same = orders.customer[by_customer][1:] == orders.customer[by_customer][:-1]
    nxt[by_customer[:-1][same]] = day[by_customer[1:][same]]
    silent = nxt - day > 200
    kinds = [one.kind for one in scene.parameters.frictions]
    for kind in kinds:
        risk = true_risk(scene, orders, chosen, np.full(chosen.size, 200), kind)
        had = chosen[orders.troubles[chosen, kinds.index(kind)]]
        spread = np.sqrt(risk.with_it * (1 - risk.with_it) / had.size)
        assert risk.purchases == had.size
        assert abs(silent[had].mean() - risk.with_it) < 3.5 * spread, kind
        assert 1.02 < risk.ratio < 1.5


def test_a_late_delivery_counts_with_what_it_brings_about() -> None:
    """The total effect is more than the factor on leaving alone would make it."""
    scene, orders = world(3_000, 24, 9)
    chosen = np.arange(orders.customer.size)
    horizon = np.full(chosen.size, 200)
    late = orders.troubles[:, 0]
    people = scene.population.dropout[orders.customer[late]]
    direct = np.minimum(1.8 * people, 0.9).mean()
    risk = true_risk(scene, orders, chosen, horizon, "late_delivery")
    alone = 1 - (1 - direct) * (1 - risk.without) / (1 - people.mean())
    assert risk.with_it > alone


@pytest.mark.long
def test_the_truth_lies_in_92_to_98_of_100_intervals(tmp_path: Path) -> None:
    """400 seeded worlds of 6,000 customers and 24 months."""
    held = coverage(tmp_path, range(1, 401), 6_000, 24)
    shares = {kind: np.mean(held["effect"][kind]) for kind in SIMULATED}
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares
    placebos = {kind: np.mean(held["placebo"][kind]) for kind in SIMULATED if len(held["placebo"][kind]) > 300}
    assert len(placebos) == 4
    assert all(0.92 <= share <= 0.98 for share in placebos.values()), placebos
