"""Caps, tired customers, who waits for offers, budgets and fairness come out the same on every engine, row for row."""

from collections.abc import Iterator
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide import arbitration, budget, fairness, fatigue, gaming
from rekindle.decide.due import Past
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse, open_history
from tests.contracts.engines import QUIETLY, URLS, spark
from tests.decide.shop import SHOP, rules
from tests.decide.test_arbitration import ALL_OFFERS, NOW, OWN, ROWS, key, message, random_store, table
from tests.decide.test_gaming import NOW as LATER
from tests.decide.test_gaming import told
from tests.insight.histories import order, write

pytestmark = [pytest.mark.engines, *QUIETLY]

NARROW = {"price_offers": {"touches": 1, "per": "90d"}, "kinds": {"shipping": {"touches": 1, "per": "7d"}}}
BOUND = rules(
    caps={"touches": 3, "per": "30d", "gap": "2d", **NARROW},
    budgets=[{"amount": 1, "per": "7d", "program": "win-back", "payer": "seller"}], fatigue={"ignored": 2}, gaming={"rounds": 2},
    fairness={"groups": ["country"], "disparity_at_most": 0.25, "least": 20},
)  # fmt: skip
PLAN = ibis.schema({**ROWS.fields, "offer_value": "int64"})
Answers = dict[str, Any]
SEEN: dict[str, Answers] = {}
"""What each engine answered."""


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "spark":
        spark()
    return request.param


@pytest.fixture(scope="module")
def warehouse(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history(URLS[engine], tmp_path_factory.mktemp(engine)) as opened:
        yield opened


def journal(contacts: list[dict[str, Any]]) -> pa.Table:
    usual = {**dict.fromkeys(JOURNAL.names), "expected_cost": 20_000, "seller_cost": 5_000}
    return pa.Table.from_pylist([{**usual, **one} for one in contacts], schema=JOURNAL.to_pyarrow())


def answers(warehouse: Warehouse) -> Answers:
    rows, contacts, own = random_store(3, 40)
    story = told()
    write(warehouse, {"touches": story.touches, "orders": [*story.orders, order("x", "c03", NOW.naive, 10)]})
    kept, stories = (warehouse.keep(journal(one)) for one in (contacts, story.contacts))
    seen, profile = Past(kept, kept), ibis.memtable(pa.table({"customer_id": sorted({one["customer_id"] for one in contacts})}))
    own_caps = warehouse.keep(table(({"customer_id": name, "streak": 4, "own_cap": cap} for name, cap in own.items()), OWN))
    question = arbitration.Question(BOUND, NOW, ALL_OFFERS, own_caps)
    settled = arbitration.settled(warehouse, warehouse.keep(table(rows, ROWS)), kept, question)
    rng = np.random.default_rng(5)
    worth = [message(f"w{place}", "birthday", 0, "percent", offer_value=int(rng.integers(0, 900))) for place in range(90)]
    plan = warehouse.keep(pa.Table.from_pylist(worth, schema=PLAN.to_pyarrow()))
    whose = warehouse.keep(pa.table({"customer_id": [f"w{place}" for place in range(60)], "country": ["DE", "FR", "IT"] * 20}))
    waits = gaming.waiting(warehouse, Past(stories, stories), ALL_OFFERS, BOUND, LATER)
    wanted = {("win-back", "shop"): 10**9, ("win-back", "seller"): 10**7, ("birthday", "shop"): 10**6}
    budgets = BOUND.every_budget
    return {
        "settled": sorted(warehouse.arrow(settled).to_pylist(), key=key),
        "tired": warehouse.arrow(fatigue.own_caps(warehouse, seen, profile, NOW, BOUND).order_by("customer_id")).to_pylist(),
        "waiting": warehouse.arrow(waits.order_by("customer_id")).to_pylist(),
        "scales": budget.scaled(budgets, budget.limits(budgets, SHOP), wanted, budget.spent(warehouse, kept, budgets, NOW, ALL_OFFERS)),
        "verdicts": fairness.verdicts(warehouse, plan, whose, BOUND),
    }


def test_the_same_on_every_engine(warehouse: Warehouse, engine: str) -> None:
    found = SEEN[engine] = answers(warehouse)
    first = next(iter(SEEN.values()))
    for name, answer in found.items():
        assert answer, name
        assert answer == first[name], name
