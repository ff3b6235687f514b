"""What decisions brought: a small shop whose every decision and order is drawn here, and added up again in plain Python."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rekindle.decide import due
from rekindle.history.warehouse import Warehouse
from rekindle.learn import delay, outcomes
from rekindle.learn.evidence import Evidence, gather
from rekindle.program.documents import NOTHING
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import history, order, write

HORIZON, NOW, PERIOD = 56, 80.5, 30
PROGRAM = program(goal={"metric": "incremental_margin", "horizon": f"{HORIZON}d"})
ARMS = {"reconnect": ("plain", "lesson", "light", NOTHING), "tailor": ("percent", "credit", NOTHING)}
OFFER = {"plain": "reminder", "lesson": "education", "light": "shipping", "percent": "percent", "credit": "credit", NOTHING: None}
CONTEXTS = ("high/other", "mid/long_inactive", "mid/other")
DAY = 86_400
MARGIN, MAIL, DELIVERY = 0.40, 1.0, 300
DELAYS = delay.Delays(
    HORIZON,
    {("reconnect", "plain"): delay.Curve(np.minimum(np.arange(HORIZON + 1) / 10, 1.0), 9),
     ("tailor", "credit"): delay.Curve(np.sqrt(np.arange(HORIZON + 1) / HORIZON), 9)},
    {"reconnect": delay.Curve((np.arange(HORIZON + 1) / HORIZON) ** 0.7, 9)},
)
Row = dict[str, Any]


def at(day: float) -> datetime:
    return instant(day).naive


@dataclass
class World:
    """Decisions as rows for the journal (with `day`), orders (customer, day, net, code) and deliveries promised by code."""

    decisions: list[Row]
    orders: list[tuple[str, float, int, str]]


def world(seed: int, customers: int) -> World:
    """Every customer is decided for once or twice; one in three orders, some long after, some before."""
    chance = np.random.default_rng(seed)
    made = World([], [])
    for number in range(customers):
        name, day = f"c{number}", int(chance.integers(0, 80))
        where = CONTEXTS[chance.integers(3)]
        for stage in ("reconnect", "tailor")[: chance.integers(1, 3)]:
            may = [arm for arm in ARMS[stage][:-1] if chance.random() < 0.7] or [ARMS[stage][0]]
            arm = [*may, NOTHING][chance.integers(len(may) + 1)]
            cost = 0 if arm == NOTHING else int(chance.integers(1_000, 90_000))
            made.decisions.append({
                "customer_id": name, "day": day, "stage": stage, "context": where, "eligible": "|".join([*may, NOTHING]), "arm": arm,
                "offer": OFFER[arm], "channel": None if arm == NOTHING else "email", "send_at": at(day), "expected_cost": cost,
                "expected_margin": int(chance.integers(-20_000, 60_000)), "baseline": int(chance.integers(0, 3_000)), "seller_cost": 0,
            })
            day += 9
            if day >= NOW:
                break
        for _ in range(chance.poisson(0.7)):
            code = f"code-{name}" if chance.random() < 0.3 else ""
            made.orders.append((name, round(float(chance.uniform(-20, NOW - 0.01)), 3), int(chance.integers(100, 9_000)) * 10, code))
    return made


def told(warehouse: Warehouse, made: World) -> Warehouse:
    """The world as history: one who was mailed and got a code may redeem it; what is no decision stands between them."""
    decider = Decider(warehouse)
    idle = {"arm": None, "propensity": None, "channel": None, "offer": None}
    noise: list[Row] = [
        {"customer_id": "idle", "day": 2, **idle, "standing": "control", "reason": "control", "context": CONTEXTS[0]},
        {"customer_id": "held out", "day": 2, **idle, "standing": "holdout", "reason": "held_out", "context": CONTEXTS[0]},
        {"customer_id": "no variant", "day": 2, **idle, "reason": "no_variant", "context": CONTEXTS[0]},
        {"customer_id": "c0", "day": 2, "program": "elsewhere", "context": CONTEXTS[0], "eligible": "plain|nothing"},
        {"customer_id": "old", "day": 2, "context": "", "eligible": "plain|nothing"},
        {"customer_id": "gone arm", "day": 2, "arm": "dropped", "context": CONTEXTS[0], "eligible": "dropped|nothing"},
    ]
    decider.remember(*made.decisions, *noise)
    touches = [
        {
            "touch_key": f"{row['customer_id']}:{row['stage']}", "customer_id": row["customer_id"], "program": "back",
            "stage": row["stage"], "episode": f"order-{row['customer_id']}", "arm": row["arm"], "channel": "email",
            "code": f"code-{row['customer_id']}", "status": "sent", "settled_at": at(1),
        }
        for row in made.decisions if row["arm"] in ("light", "percent")
    ]
    sold = [order(f"o{n}", who, at(day), net, code=code) for n, (who, day, net, code) in enumerate(made.orders)]
    sold += [order("idle", "idle", at(5), 77_777), order("held", "held out", at(5), 88_888)]
    sold.append(order("void", "c0", at(5), 99_999, cancelled=True))
    write(warehouse, {"orders": sold, "touches": touches})
    return warehouse


def seen(warehouse: Warehouse, day: float = NOW, delays: delay.Delays | None = DELAYS) -> dict[str, Evidence]:
    as_of = instant(day)
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, Decimal(str(MARGIN)), documents().offers, SHOP)
    return {one.stage: one for one in gather(warehouse, past, PROGRAM, window, delays, PERIOD)}


@pytest.fixture(scope="module")
def made() -> World:
    return world(5, 400)


@pytest.fixture(scope="module")
def found(made: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Evidence]]:
    with history(tmp_path_factory.mktemp("evidence")) as warehouse:
        yield seen(told(warehouse, made))


def by_hand(row: Row, made: World) -> tuple[float, float, bool]:
    """A decision's exposure and margin so far, and whether an order followed."""
    begin, end = float(row["day"]), min(row["day"] + HORIZON, NOW)
    shares = DELAYS.of(row["stage"], row["arm"]).shares
    age = end - begin
    low = int(age)
    exposure = float(shares[low] + (age - low) * (shares[min(low + 1, HORIZON)] - shares[low]))
    mine = [(net, code) for who, day, net, code in made.orders if who == row["customer_id"] and begin <= day < end]
    others = [one for one in made.decisions if one["customer_id"] == row["customer_id"]]
    gift = any(one["arm"] == "light" for one in others)
    mails = sum(begin <= one["day"] < end and one["arm"] != NOTHING for one in others)
    paid = DELIVERY * sum(bool(code) and gift for _, code in mine)
    return exposure, sum(net * MARGIN for net, _ in mine) - paid - mails * MAIL * exposure, bool(mine)


@pytest.mark.parametrize("stage", ARMS)
def test_plain_python_adds_up_the_same(found: dict[str, Evidence], made: World, stage: str) -> None:
    one = found[stage]
    assert (one.program, one.arms, one.contexts) == ("back", ARMS[stage], CONTEXTS)
    sums = {name: np.zeros((3, len(one.arms))) for name in ("decisions", "exposure", "total", "squares", "orders")}
    for row in made.decisions:
        if row["stage"] == stage:
            exposure, margin, ordered = by_hand(row, made)
            cell = CONTEXTS.index(row["context"]), one.arms.index(row["arm"])
            for name, value in (("decisions", 1), ("exposure", exposure), ("total", margin), ("squares", margin**2), ("orders", ordered)):
                sums[name][cell] += value
    assert (sums["decisions"] > 0).all()
    assert 0.5 < one.exposure.sum() / one.decisions.sum() < 0.95
    np.testing.assert_array_equal(one.decisions, sums["decisions"])
    np.testing.assert_array_equal(one.orders, sums["orders"])
    np.testing.assert_allclose(one.exposure, sums["exposure"], atol=1e-4)
    np.testing.assert_allclose(one.total, sums["total"], atol=0.1)
    np.testing.assert_allclose(one.squares, sums["squares"], rtol=1e-3)


@pytest.mark.parametrize("stage", ARMS)
def test_candidates_costs_and_who_may_get_what_by_hand(found: dict[str, Evidence], made: World, stage: str) -> None:
    one = found[stage]
    mine = [row for row in made.decisions if row["stage"] == stage]
    for c, where in enumerate(CONTEXTS):
        here = [row for row in mine if row["context"] == where]
        assert one.candidates[c] == sum(row["day"] > NOW - PERIOD for row in here)
        for a, arm in enumerate(one.arms):
            costs = [row["expected_cost"] / 1_000 for row in here if row["arm"] == arm]
            assert one.cost[c, a] == pytest.approx(sum(costs) / len(costs))
            assert one.allowed[c, a] == pytest.approx(sum(arm in row["eligible"].split("|") for row in here) / len(here))
    assert one.allowed[:, -1].tolist() == [1.0, 1.0, 1.0]
    assert one.cost[:, -1].tolist() == [0.0, 0.0, 0.0]
    assert one.channels == (*["email"] * (len(one.arms) - 1), "")


@pytest.mark.parametrize("stage", ARMS)
def test_the_rest_is_nothing_among_those_who_might_have_got_a_variant(found: dict[str, Evidence], made: World, stage: str) -> None:
    one = found[stage]
    assert one.rest is not None
    for c, where in enumerate(CONTEXTS):
        for a, arm in enumerate(one.arms):
            idle = [
                by_hand(row, made) for row in made.decisions
                if (row["stage"], row["context"], row["arm"]) == (stage, where, NOTHING) and arm in row["eligible"].split("|")
            ]
            assert (one.rest.decisions[c, a], one.rest.orders[c, a]) == (len(idle), sum(ordered for *_, ordered in idle))
            assert one.rest.exposure[c, a] == pytest.approx(sum(exposure for exposure, *_ in idle), abs=1e-4)
            assert one.rest.total[c, a] == pytest.approx(sum(margin for _, margin, _ in idle), abs=0.1)
    np.testing.assert_array_equal(one.rest.total[:, -1], one.total[:, -1])


def test_priors_are_what_the_planner_expected_of_the_messages(found: dict[str, Evidence], made: World) -> None:
    """E = d m - (p0 + d) r c - channel - opt-out; so d m, and with it what an order is taken to bring, can be told from the journal."""
    for stage, one in found.items():
        for a, arm in enumerate(PROGRAM.stage(stage).arms):
            mine = [row for row in made.decisions if (row["stage"], row["arm"]) == (stage, arm.name)]
            expected = [row["expected_margin"] / 1_000 for row in mine]
            assert one.prior_mean[a] == pytest.approx(sum(expected) / len(mine))
            gains = [e + row["expected_cost"] / 1_000 + 0.002 * row["baseline"] for e, row in zip(expected, mine, strict=True)]
            assert one.prior_sd[a] == pytest.approx(arm.prior.sd * sum(gains) / len(mine) / arm.prior.mean)
        assert (one.prior_mean[-1], one.prior_sd[-1]) == (0.0, 0.0)


def test_a_draw_counts_once_and_from_its_first_day(tmp_path: Path) -> None:
    """A cap put the message off three times, another variant was drawn in the end: who was assigned to the first stays with the first."""
    first = {"customer_id": "put off", "context": "mid/other", "eligible": "plain|light|nothing"}
    off = {"reason": "cap_reached", "arm": "light", "offer": None, "channel": None}
    rows = [{**first, **off, "day": 0}, {**first, **off, "day": 3, "reason": "gap"}]
    rows.append({**first, "arm": "plain", "day": 6, "expected_cost": 5_000})
    with history(tmp_path, {"orders": [order("o", "put off", at(2), 10_000)]}) as warehouse:
        Decider(warehouse).remember(*rows)
        one = seen(warehouse, 7)["reconnect"]
        assert (one.contexts, one.decisions.tolist(), one.orders.tolist()) == (("mid/other",), [[0, 0, 1, 0]], [[0, 0, 1, 0]])
        later = by_hand_share("light", 7)
        assert one.total[0, 2] == pytest.approx(10_000 * MARGIN - MAIL * later, abs=0.01)
        assert one.exposure[0, 2] == pytest.approx(later, abs=1e-6)
        assert one.cost.tolist() == [[5.0, pytest.approx(1.0), pytest.approx(1.0 + 0.014 * 0.8 * 300), 0.0]]


def by_hand_share(arm: str, days: int) -> float:
    return float(DELAYS.of("reconnect", arm).shares[days])


def test_a_margin_is_the_same_whatever_the_order_of_the_rows(tmp_path: Path, made: World, found: dict[str, Evidence]) -> None:
    turned = replace(made, decisions=made.decisions[::-1], orders=made.orders[::-1])
    with history(tmp_path) as warehouse:
        again = seen(told(warehouse, turned))
    for stage, one in found.items():
        for name in ("exposure", "total", "squares"):
            np.testing.assert_array_equal(getattr(one, name), getattr(again[stage], name))


def test_a_stage_without_a_decision_has_no_evidence(tmp_path: Path) -> None:
    with history(tmp_path) as warehouse:
        assert seen(warehouse) == {}
        Decider(warehouse).remember({"customer_id": "c", "day": 1, "arm": "last_word", "stage": "closing", "context": "mid/other",
                                     "eligible": "last_word|nothing"})
        one = seen(warehouse, delays=None)
        assert set(one) == {"closing"}
        assert one["closing"].exposure.tolist() == [[1.0, 0.0]]  # its horizon is over


def test_without_curves_given_the_decisions_own_are_taken(tmp_path: Path) -> None:
    """All answers of the one variant come on the first day and none of `nothing`'s before the thirtieth."""
    rows: list[Row] = []
    sold = []
    for number in range(400):
        name, arm, day = f"c{number}", ("plain", NOTHING)[number % 2], number // 10
        rows.append({"customer_id": name, "day": day, "arm": arm, "context": "mid/other", "eligible": "plain|nothing"})
        if number % 4 < 2:
            sold.append(order(f"o{number}", name, at(day + (0.5 if arm == "plain" else 30.5)), 1_000))
    with history(tmp_path, {"orders": sold}) as warehouse:
        Decider(warehouse).remember(*rows)
        one = seen(warehouse, 40, None)["reconnect"]
    plain, nothing = one.exposure[0, 0] / 200, one.exposure[0, -1] / 200
    assert plain > 0.85
    assert nothing < 0.35
    assert one.total[0, 0] / one.exposure[0, 0] == pytest.approx(200, rel=0.15)
    assert one.total[0, -1] / one.exposure[0, -1] == pytest.approx(200, rel=0.35)


def test_what_an_experiment_closed_may_be_had_and_is_not_held_against_nothing_meanwhile(tmp_path: Path) -> None:
    """Or the table learned from it would leave out for ever what nobody could draw for a while."""
    usual = {"context": "mid/other", "arm": NOTHING, "day": 0}
    rows: list[Row] = [{**usual, "customer_id": f"c{number}", "eligible": "light|nothing", "closed": "plain|"} for number in range(30)]
    rows += [{**usual, "customer_id": f"d{number}", "eligible": "plain|light|nothing", "closed": ""} for number in range(10)]
    with history(tmp_path) as warehouse:
        Decider(warehouse).remember(*rows)
        one = seen(warehouse, 7)["reconnect"]
    at = {arm: one.arms.index(arm) for arm in ("plain", "light")}
    assert {arm: one.allowed[0, place] for arm, place in at.items()} == {"plain": 1.0, "light": 1.0}
    assert {arm: one.rest.decisions[0, place] for arm, place in at.items()} == {"plain": 10.0, "light": 40.0}
