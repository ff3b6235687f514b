"""Sample ratio mismatch: silent where the draw is as logged, loud where it is not, and who had a message that was to have none."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from rekindle.decide import due
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.learn import mismatch, outcomes, stages
from rekindle.learn.mismatch import Check, of_share, of_variant
from tests.decide.shop import SHOP, Decider, documents, instant, program

DAYS = [f"2026-03-{day:02d}" for day in range(1, 29)]


def control(chance: np.random.Generator, true: float, logged: float, size: int = 400) -> Check:
    counted = np.full(len(DAYS), float(size))
    return of_share("control", DAYS, counted, chance.binomial(size, true, len(DAYS)).astype(float), np.full(len(DAYS), logged))


def variant(chance: np.random.Generator, true: float, cells: int = 40, size: int = 150, logged: float | None = None) -> Check:
    """A variant's cells whose chances differ; only who drew it knows its chance."""
    p = chance.uniform(0.05, 0.5, cells) if logged is None else np.full(cells, logged)
    seen = chance.binomial(size, np.minimum(p * true, 1.0)).astype(float)
    names = [f"cell {number}" for number in range(cells)]
    return of_variant("reconnect:plain", names, np.full(cells, float(size)), seen, seen / p, seen / p**2)


def test_a_fair_draw_hardly_ever_alarms() -> None:
    """Two ways to alarm at one in a thousand each: of 2,000 fair draws four are expected, of each kind."""
    chance = np.random.default_rng(20261126)
    assert sum(control(chance, 0.1, 0.1).alarm for _ in range(2_000)) <= 12
    assert sum(variant(chance, 1.0).alarm for _ in range(2_000)) <= 14


def test_a_share_that_is_off_everywhere_by_a_little_shows_in_the_whole() -> None:
    chance = np.random.default_rng(2)
    found = [control(chance, 0.12, 0.1) for _ in range(50)]
    assert all(one.p_value < 0.001 for one in found)
    assert sum(one.worst.p_value < 0.001 for one in found) < 10, "no single day would have told"
    assert all(variant(chance, 1.2).p_value < 0.001 for _ in range(50))


def test_one_bad_day_shows_in_its_cell() -> None:
    counted, seen = np.full(28, 4_000.0), np.full(28, 400.0)
    seen[9] = 520
    found = of_share("control", DAYS, counted, seen, np.full(28, 0.1))
    assert found.worst.cell == DAYS[9]
    assert (found.worst.seen, found.worst.expected, found.cells) == (520, 400, 28)
    assert found.worst.p_value == pytest.approx(28 * 2 * binomtest(520, 4_000, 0.1, "greater").pvalue)
    assert found.p_value > 0.01
    assert found.alarm


def test_small_cells_count_in_the_whole_alone() -> None:
    found = of_share("control", DAYS, np.full(28, 20.0), np.zeros(28), np.full(28, 0.1))
    assert (found.cells, found.worst) == (0, None)
    assert found.alarm, "56 were expected, and nobody came"


def test_what_was_never_logged_is_counted_and_says_nothing() -> None:
    found = of_share("control", [], np.zeros(0), np.zeros(0), np.zeros(0), unlogged=500)
    assert (found.p_value, found.unlogged, found.alarm) == (1.0, 500, False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decider]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("mismatch")) as opened:
        yield Decider(opened)


def past(warehouse: Warehouse) -> due.Past:
    return due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), instant(100), inclusive=False)


WINDOW = outcomes.Window(instant(100), Decimal("0.40"), documents().offers, SHOP)


def test_groups_are_counted_against_the_chances_in_the_journal(shop: Decider) -> None:
    """Of three hundred a day two hundred were control where the journal says a third; a variant was drawn half as often as it says."""
    rows = []
    for day in (0, 7):
        for number in range(300):
            idle = number >= 100
            who = {"customer_id": f"d{day}n{number}", "day": day, "control_share": 0.333, "holdout_share": 0.0, "context": "mid/other"}
            refused = {"standing": "control", "reason": "control", "arm": None, "propensity": None, "channel": None, "offer": None}
            arm, propensity = ("light", 0.5) if number < 25 else ("nothing", 0.75)
            drawn = {"eligible": "plain|light|nothing", "arm": arm, "propensity": propensity}
            rows.append({**who, **(refused if idle else drawn)})
    shop.remember(*rows, {"customer_id": "old", "day": 7})
    mine = program()
    entered = shop.warehouse.keep(outcomes.rounds(past(shop.warehouse), (mine,), WINDOW))
    found = mismatch.of_controls(shop.warehouse, entered)["back"]
    assert (found.counted, found.seen, found.unlogged, found.alarm) == (600, 400, 1, True)
    assert found.expected == pytest.approx(199.8)
    assert found.worst.cell in ("2026-03-02", "2026-03-09")
    drawn = stages.counted(shop.warehouse, past(shop.warehouse), (mine,), WINDOW)
    checks = {one.group: one for one in mismatch.of_draws(shop.warehouse, drawn, (mine,))["back"]}
    assert set(checks) == {"reconnect:plain", "reconnect:light", "reconnect:nothing"}
    assert (checks["reconnect:light"].counted, checks["reconnect:light"].seen, checks["reconnect:light"].expected) == (200, 50, 100)
    assert checks["reconnect:light"].alarm
    assert not checks["reconnect:nothing"].alarm, "it was drawn 150 times of 200 at 75 %"


def test_an_experiment_with_two_of_three_variants_that_starts_in_the_middle_is_silent(tmp_path: Path) -> None:
    """A thousand at 25 % each, and then a thousand of whom nobody could draw the third: by its name among the eligible, or closed."""
    rows = []
    for number in range(2_000):
        late, who = number >= 1_000, {"customer_id": f"c{number}", "context": "mid/other"}
        arms = ("lesson", "light", "nothing") if late else ("plain", "lesson", "light", "nothing")
        eligible, closed = ("lesson|light|nothing", "plain|") if number >= 1_500 else ("plain|lesson|light|nothing", None)
        drawn = {"arm": arms[number % len(arms)], "propensity": 1 / len(arms), "eligible": eligible, "closed": closed}
        rows.append({**who, **drawn, "day": 7 + late + (number >= 1_500), "policy": "experiment-1" if late else "equal-chance-1"})
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        Decider(opened).remember(*rows)
        drawn = stages.counted(opened, past(opened), (program(),), WINDOW)
        checks = {one.group: one for one in mismatch.of_draws(opened, drawn, (program(),))["back"]}
    assert (checks["reconnect:plain"].counted, checks["reconnect:plain"].seen) == (1_000, 250)
    assert checks["reconnect:plain"].expected == pytest.approx(250)
    assert not any(one.alarm for one in checks.values())
    assert checks["reconnect:light"].counted == 2_000


def test_a_message_to_somebody_held_out_or_in_the_control_is_a_leak(shop: Decider, tmp_path: Path) -> None:
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        decider = Decider(opened)
        idle = {"arm": None, "propensity": None, "channel": None, "offer": None}
        decider.remember(
            {"customer_id": "fine", "day": 0},
            {"customer_id": "idle", "day": 0, **idle, "standing": "control", "reason": "control"},
            {"customer_id": "out", "day": 0, **idle, "standing": "holdout", "reason": "held_out"},
            {"customer_id": "out", "day": 9, "program": "other", "episode": "another"},
            {"customer_id": "planned", "day": 0, "standing": "control"},
            {"customer_id": "elsewhere", "day": 0, **idle, "standing": "control", "reason": "control"},
            {"customer_id": "elsewhere", "day": 3, "program": "other"},
        )
        decider.settle(["fine", "idle"], "sent", 1)
        decider.settle(["elsewhere"], "suppressed", 4, program="other")
        rows = opened.arrow(mismatch.leaks(opened, past(opened), (program(), program("other")), instant(100))).to_pylist()
    assert sorted((row["customer_id"], row["program"], row["kind"]) for row in rows) == [
        ("idle", "back", "sent"), ("out", "other", "planned"), ("planned", "back", "planned"),
    ]  # fmt: skip
