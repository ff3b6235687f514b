"""How targets stand: a lift by the rounds of the quarter alone, a level against as long a part of the frozen baseline."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.learn.baseline import Spread, write
from rekindle.learn.scorecard import Standing
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.program.targets import Target
from rekindle.service.flow import baselines, documents, targets
from rekindle.service.programs import actions
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.queries import BASELINE
from rekindle.settings import Settings
from tests.insight import histories
from tests.service.conftest import NOON
from tests.service.live import LEVELS, approve_shipped, baseline

OCTOBER, NOVEMBER = AsOf(datetime(2026, 10, 1, tzinfo=UTC), "UTC"), AsOf(datetime(2026, 11, 23, tzinfo=UTC), "UTC")
"""The last instant of a quarter, and 53 days into the next."""


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    approve_shipped(store)
    with open_history(store.history, store.root) as opened:
        yield opened


def measures(low: float, high: float) -> dict[str, object]:
    return {"measures": {"margin": {"low": low, "difference": (low + high) / 2, "high": high}}}


def learned(store: Settings, as_of: AsOf, quarters: dict[str, dict[str, object]]) -> None:
    """What `learn` found: over all rounds a gain, whatever single quarters were."""
    program = {"program": "win-back", **measures(100, 300), "quarters": quarters}
    path = store.var / "learn" / f"{as_of.day}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"as_of": as_of.instant.isoformat(), "programs": [program]}), encoding="utf-8")


def with_target(store: Settings, **more: object) -> Documents:
    given = {"(name)": "t", "owner": "Ada", "expect": (0.0, 2.0), **more}
    return replace(documents.approved(store), targets=(Target.model_validate(given),))


def standing(store: Settings, warehouse: Warehouse, held: Documents, as_of: AsOf) -> Standing:
    (found,) = targets.standings(store, warehouse, held, as_of, publish=False)
    return found


def test_a_quarter_s_lift_is_of_the_rounds_that_came_to_their_end_in_it(store: Settings, warehouse: Warehouse) -> None:
    """The third quarter lost and the fourth gained; together it is a gain, which is neither."""
    held = with_target(store, metric="incremental_margin", program="win-back")
    quarters = {"2026-Q3": measures(-300, -100), "2026-Q4": measures(50, 150)}
    learned(store, OCTOBER, {"2026-Q3": quarters["2026-Q3"]})
    learned(store, NOVEMBER, quarters)
    before, now = (standing(store, warehouse, held, one) for one in (OCTOBER, NOVEMBER))
    assert (before.quarter, before.status, before.found.high) == ("2026-Q3", "behind", -1.0)
    assert (now.quarter, now.status, now.found.low) == ("2026-Q4", "on track", 0.5)


def test_a_quarter_without_such_rounds_cannot_be_told_though_others_could(store: Settings, warehouse: Warehouse) -> None:
    held = with_target(store, metric="incremental_margin", program="win-back")
    learned(store, NOVEMBER, {"2026-Q3": measures(100, 200)})
    found = standing(store, warehouse, held, NOVEMBER)
    assert (found.status, found.why) == ("cannot tell", "no round of win-back has come to the end of its window in 2026-Q4 yet")


def bought(warehouse: Warehouse, worth: float) -> None:
    """Two hundred buyers of October and November, a fifth of them twice."""
    chance, orders = np.random.default_rng(6), []
    for number in range(200):
        for time in range(1 + (number % 5 == 0)):
            at = datetime(2026, 10, 6 + number % 20, 12, tzinfo=UTC) + timedelta(days=15 * time)
            spent = round(worth * float(chance.lognormal(-0.02, 0.2)))
            orders.append(histories.order(f"o{number}-{time}", f"c{number}", at.replace(tzinfo=None), spent))
    histories.write(warehouse, {"orders": orders})


def frozen(store: Settings, spread: Spread | None) -> None:
    """A baseline of 400 buyers with 600 orders of 50.00, in every number of weeks a fifth of its buyers twice."""
    one = replace(baseline("win-back"), spread=spread)
    actions.submit([Submission(f"{baselines.PREFIX}win-back", BASELINE, write(one), "Ada", one.digest)], NOON)


SPREAD = Spread(3e6**2 / 300, 3e6 * 600 / 300, 600**2 / 300, ((100, 20),) * 13)


def test_levels_are_held_against_the_frozen_baseline_with_an_interval(store: Settings, warehouse: Warehouse) -> None:
    assert LEVELS.spend / LEVELS.orders == 5_000
    frozen(store, SPREAD)
    bought(warehouse, 6_000)
    worth = standing(store, warehouse, with_target(store, metric="aov_change", expect=(0.05, 0.3)), NOVEMBER)
    assert worth.found.estimate == pytest.approx(0.2, abs=0.03)
    assert worth.found.low < worth.found.estimate < worth.found.high
    assert (worth.status, worth.why) == ("on track", "as expected")
    again = standing(store, warehouse, with_target(store, metric="repeat_purchase_rate", expect=(0.1, 0.3)), NOVEMBER)
    assert (again.found, again.baseline) == (0.2, 0.2)
    assert again.change.low < 0 < again.change.high
    assert again.why == "as expected; not yet distinguishable from the baseline"
    told = targets.to_json((again,), NOVEMBER, "EUR")["targets"][0]["change"]
    assert told == {"estimate": 0.0, "low": again.change.low, "high": again.change.high}


def test_levels_are_told_without_a_target_too(store: Settings, warehouse: Warehouse) -> None:
    assert targets.changes(store, warehouse, NOVEMBER) == ()
    frozen(store, SPREAD)
    bought(warehouse, 6_000)
    worth, again = targets.changes(store, warehouse, NOVEMBER)
    assert (worth.before, again.now, again.before) == (5_000, 0.2, 0.2)
    assert worth.change.estimate == pytest.approx(0.2, abs=0.03)
    assert again.words == "buyers who ordered again, over 7 weeks"


def test_a_baseline_without_a_spread_gives_no_interval_and_one_that_has_it_takes_its_place(store: Settings, warehouse: Warehouse) -> None:
    frozen(store, None)
    bought(warehouse, 6_000)
    held = with_target(store, metric="aov_change", expect=(0.05, 0.3))
    assert standing(store, warehouse, held, NOVEMBER).why.endswith("freeze another with --again")
    again = replace(baseline("win-back"), spread=SPREAD)
    later = NOON + timedelta(hours=1)
    actions.submit([Submission(f"{baselines.PREFIX}win-back", BASELINE, write(again), "Ada", again.digest)], later)
    assert standing(store, warehouse, held, NOVEMBER).status == "on track"


def test_the_first_days_of_a_quarter_say_nothing_of_who_orders_again(store: Settings, warehouse: Warehouse) -> None:
    frozen(store, SPREAD)
    held = with_target(store, metric="repeat_purchase_rate", expect=(0.1, 0.3))
    found = standing(store, warehouse, held, AsOf(datetime(2026, 10, 7, tzinfo=UTC), "UTC"))
    assert (found.status, found.why) == ("cannot tell", "the quarter has no whole week yet")
