"""Variants against nothing: the truth comes out whatever chances drew them, alone and put together."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest

from rekindle.decide import due
from rekindle.errors import CannotTell
from rekindle.history.warehouse import open_history
from rekindle.insight.models import Interval
from rekindle.learn import outcomes, stages
from rekindle.learn.stages import SHOWN, Against, against, curves_of
from rekindle.learn.sums import Cells, Sums, codes, names
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import order, write

ARMS = ("plain", "light", "nothing")
WORTH = {"plain": 60.0, "light": -20.0, "nothing": 0.0}


def decisions(chance: np.random.Generator, size: int, foretold: float = 0.0, worth: dict[str, float] = WORTH) -> Cells:
    """Decisions of two versions of a table and two contexts; plain is drawn for the rich more often late, and not all could have light."""
    version, rich = (np.arange(size) >= size // 2).astype(int), chance.random(size) < 0.4
    may_light = chance.random(size) < 0.7
    table = {
        (0, False): (0.4, 0.2, 0.4), (0, True): (0.3, 0.3, 0.4), (1, False): (0.1, 0.3, 0.6), (1, True): (0.7, 0.2, 0.1),
    }
    p = np.array([table[int(v), bool(r)] for v, r in zip(version, rich, strict=True)])
    p[~may_light, 1] = 0.0
    p /= p.sum(axis=1, keepdims=True)
    arm = (chance.random(size)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    baseline = chance.gamma(2, 300, size)
    bought = chance.random(size) < 0.3
    margin = 200.0 + 500.0 * rich + np.array([worth[name] for name in ARMS])[arm] + foretold * baseline + chance.normal(0, 300, size)
    keys = {
        "program": np.full(size, "back"), "stage": np.full(size, "reconnect"), "policy": np.char.add("table-", version.astype(str)),
        "context": np.where(rich, "high/other", "mid/other"), "eligible": np.where(may_light, "plain|light|nothing", "plain|nothing"),
        "arm": np.array(ARMS)[arm], "propensity": p[np.arange(size), arm].astype(str), "version": version.astype(str),
        "week": np.where(bought, (np.arange(size) % 4).astype(str), ""),
    }
    place = codes(*keys.values())
    first = np.unique(place, return_index=True)[1]
    parts = {"n": np.ones(size), "x": baseline, "xx": baseline**2}
    for name in SHOWN:
        y = {"margin": margin, "spend": margin * 2, "retained": bought, "orders": bought}[name].astype(float)
        parts |= {f"y:{name}": y, f"yy:{name}": y * y, f"xy:{name}": y * baseline}
    order_ = names(SHOWN, ())
    sums = np.column_stack([np.bincount(place, parts[name]) for name in order_])
    return Cells({name: one[first] for name, one in keys.items()}, Sums(order_, sums))


def interval(found: Against, name: str = "margin") -> Interval:
    told = found.measures[name].difference
    assert isinstance(told, Interval), told
    return told


def test_the_truth_of_each_variant_comes_out_and_the_plain_difference_does_not() -> None:
    cells = decisions(np.random.default_rng(1), 60_000)
    for arm in ("plain", "light"):
        found = against(cells, (arm,))
        told = interval(found)
        assert abs(told.estimate - WORTH[arm]) < 4 * found.measures["margin"].error
        assert interval(found, "spend").estimate == pytest.approx(2 * told.estimate)
    drawn = cells.keys["arm"] == "plain"
    means = [float(cells.sums["y:margin"][side].sum() / cells.sums.n[side].sum()) for side in (drawn, cells.keys["arm"] == "nothing")]
    assert means[0] - means[1] > 120, "rich customers drew it more often"


def test_an_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    """300 shops: 285 expected, three standard deviations either way."""
    chance = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        told = interval(against(decisions(chance, 1_500), ("plain",)))
        held += told.low <= WORTH["plain"] <= told.high
    assert abs(held - 285) <= 3 * (300 * 0.05 * 0.95) ** 0.5


def test_variants_put_together_are_an_average_one_of_them() -> None:
    """Weighed as they were drawn; where only one could be had it stands for both."""
    cells = decisions(np.random.default_rng(3), 60_000)
    drawn = {arm: float(cells.sums.n[cells.keys["arm"] == arm].sum()) for arm in ("plain", "light")}
    share = drawn["light"] / sum(drawn.values())
    could = float(cells.sums.n[cells.keys["eligible"] == "plain|light|nothing"].sum()) / 60_000
    truth = could * (share * WORTH["light"] + (1 - share) * WORTH["plain"]) + (1 - could) * WORTH["plain"]
    found = against(cells, ("plain", "light"))
    assert abs(interval(found).estimate - truth) < 4 * found.measures["margin"].error
    assert found.decisions == sum(drawn.values())


def test_an_experiments_version_without_the_variant_changes_nothing() -> None:
    """As decisions of before `closed` was written down have it: light was eligible by name, and had no chance."""
    cells = decisions(np.random.default_rng(12), 6_000)
    chosen = (cells.keys["eligible"] == "plain|light|nothing") & (cells.keys["arm"] != "light") & (cells.keys["version"] == "1")
    later = cells.only(chosen)
    keys = {**later.keys, "version": np.full(len(later.sums), "2"), "policy": np.full(len(later.sums), "experiment-1")}
    keys["propensity"] = np.full(len(later.sums), "0.5")
    more = Sums(later.sums.names, later.sums.values * 50)
    both = {name: np.concatenate([cells.keys[name].astype("<U40"), keys[name].astype("<U40")]) for name in keys}
    grown = Cells(both, Sums(more.names, np.concatenate([cells.sums.values, more.values])))
    for name in SHOWN:
        assert against(grown, ("light",)).measures[name] == against(cells, ("light",)).measures[name]
    assert against(grown, ("plain",)).nothing > against(cells, ("plain",)).nothing, "and the variants that it compares gain by it"


def test_what_was_expected_anyway_makes_it_narrower_and_moves_nothing() -> None:
    cells = decisions(np.random.default_rng(4), 40_000, foretold=1.0)
    found = against(cells, ("plain",)).measures["margin"]
    assert 0.4 < found.narrower < 0.8
    assert abs(found.difference.estimate - WORTH["plain"]) < 4 * found.error


def test_few_draws_say_nothing() -> None:
    found = against(decisions(np.random.default_rng(6), 60), ("light",))
    assert isinstance(found.measures["margin"].difference, CannotTell)
    assert "of each are needed" in found.measures["margin"].difference.reason


def test_where_too_few_have_ordered_what_would_show_is_told_all_the_same() -> None:
    cells = decisions(np.random.default_rng(6), 2_000)
    values = cells.sums.values.copy()
    values[:, cells.sums.names.index("y:retained")] = 0.0
    few = against(Cells(cells.keys, Sums(cells.sums.names, values)), ("light",)).measures["margin"]
    assert isinstance(few.difference, CannotTell)
    assert "have ordered so far" in few.difference.reason
    assert few.detectable == against(cells, ("light",)).measures["margin"].detectable > 0


@pytest.fixture(scope="module", params=[[("", "")], [("", "c2"), ("c2", "c5"), ("c5", "x"), ("x", "")]], ids=["whole", "parts"])
def told(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[str, tuple[stages.StageLift, ...]]]:
    """Of 300 draws of either a third and two thirds ordered for 10.00 (margin 4.00); a message cost a hundredth of a cent."""
    with pytest.MonkeyPatch.context() as patch, open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("stages")) as opened:
        patch.setattr(outcomes, "parts", lambda *_: request.param)
        rows, orders = [], []
        for number in range(600):
            arm, name = ("plain", "nothing")[number % 2], f"c{number}"
            none = {"channel": None, "offer": None} if arm == "nothing" else {}
            rows.append({
                "customer_id": name, "day": 0, "arm": arm, "propensity": 0.5, "eligible": "plain|nothing", "context": "mid/other",
                "policy": "one", **none,
            })  # fmt: skip
            if number % 3 == 0 or (arm == "plain" and number % 3 == 1):
                orders.append(order(f"o{number}", name, instant(9).naive, 1_000))
        rows += [{**rows[0], "customer_id": f"young{number}", "day": 60} for number in range(9)]
        write(opened, {"orders": orders})
        Decider(opened).remember(*rows)
        as_of, mine = instant(95), program(goal={"metric": "incremental_margin", "horizon": "90d"})
        past = due.past(opened.table("journal"), opened.table("plans"), opened.current("touches"), as_of, inclusive=False)
        window = outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP)
        drawn = opened.keep(stages.counted(opened, past, (mine,), window))
        yield stages.of_programs(opened, past, (mine,), window, drawn)


def test_a_stage_is_counted_from_the_journal(told: dict[str, tuple[stages.StageLift, ...]]) -> None:
    (stage,) = told["back"]
    assert (stage.stage, stage.versions, stage.maturity.window_days, stage.maturity.young) == ("reconnect", 1, 90, 9)
    one = stage.by["arm"]["plain"]
    assert (one.decisions, one.nothing) == (300, 300)
    assert one.measures["margin"].difference.estimate == pytest.approx(400 / 3 - 1, abs=0.5)
    assert one.measures["margin"].control_mean == pytest.approx(400 / 3)
    assert one.measures["margin"].told_apart
    assert one.measures["margin"].adjusted == one.measures["margin"].p_value, "one variant alone has draws"
    assert isinstance(stage.by["arm"]["light"].measures["margin"].difference, CannotTell)
    assert stage.by["offer"]["reminder"].measures["margin"].difference == one.measures["margin"].difference
    assert stage.by["channel"]["preferred"].decisions == 300
    assert set(stage.by["stage"]["reconnect"].arms) == set(stage.by["arm"]), "whatever their channels"
    assert set(stage.curves) == {"plain", "nothing"}
    assert stage.curves["plain"] == pytest.approx((0.0, *[2 / 3] * 12)), "all on the ninth day"
    assert stage.curves["nothing"] == pytest.approx((0.0, *[1 / 3] * 12))


def test_curves_are_of_customers_alike() -> None:
    """Plain went to the rich, who buy more often; weighed by their chances both curves end where everybody's would."""
    cells = decisions(np.random.default_rng(8), 60_000)
    curves = curves_of(cells, 28)
    for arm in ARMS:
        assert curves[arm] == pytest.approx((0.075, 0.15, 0.225, 0.3), abs=0.02)
