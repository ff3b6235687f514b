"""Stores of known lift, through the very code that reads history: how often the reported interval holds the truth, and how far before and
after are from it.

Customers come into the program because they have been silent for a horizon, so they come back by themselves: what an untreated customer
brings afterwards looks like an effect to whoever compares with before.
"""

import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide import due
from rekindle.history.tables import FACTS, JOURNAL
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.models import Interval
from rekindle.learn import lift, outcomes
from tests.decide.shop import SHOP, documents, instant, program

HORIZON, CONTROL = 56, 0.3
MESSAGE, DELIVERY, MARGIN = 1.0, 300.0, 0.4
"""What an e-mail costs and a delivery that the shop paid for, minor units; and the margin of goods of unknown cost."""

ENTERED = instant(0).naive


@dataclass(frozen=True, slots=True)
class Stores:
    """Customers of several stores, and what is true of them. One store is one program; each customer is a row.

    Args:
        store: (N,); which.
        treated: (N,).
        rate: (N,); orders in a horizon without a message.
        worth: (N,); mean of an order's goods, minor units.
        extra: (N,); chance of one more order by the message.
        redeems: (N,); chance that the first order after the message uses its code.
    """

    store: np.ndarray
    treated: np.ndarray
    rate: np.ndarray
    worth: np.ndarray
    extra: np.ndarray
    redeems: np.ndarray

    @property
    def effect(self) -> np.ndarray:
        """(N,); what the message brings each customer's margin in the mean: more orders, less deliveries given away and the message."""
        ordering = 1 - (1 - self.extra) * np.exp(-self.rate)
        return MARGIN * self.worth * self.extra - DELIVERY * self.redeems * ordering - MESSAGE


def drawn(chance: np.random.Generator, stores: int, customers: int) -> Stores:
    """Stores in which the message is worth anything from a loss to a good gain; customers who have been silent for a horizon."""
    size = stores * customers
    store = np.repeat(np.arange(stores), customers)
    rate = chance.gamma(0.8, 0.5, size)
    silent = chance.random(size) < np.exp(-rate)
    while not silent.all():
        again = np.flatnonzero(~silent)
        rate[again] = chance.gamma(0.8, 0.5, len(again))
        silent[again] = chance.random(len(again)) < np.exp(-rate[again])
    power = chance.uniform(0.0, 0.15, stores)[store]
    return Stores(
        store, chance.random(size) >= CONTROL, rate, chance.gamma(4.0, 1_500.0, size), power * chance.beta(2, 2, size) * 2,
        np.full(size, 0.5),
    )


def write(warehouse: Warehouse, known: Stores, chance: np.random.Generator) -> None:
    """Journal, messages and orders."""
    size = len(known.store)
    names = np.char.add("c", np.arange(size).astype(str))
    plans, codes = np.char.add("store-", known.store.astype(str)), np.char.add("CODE", np.arange(size).astype(str))
    count = chance.poisson(known.rate) + (known.treated & (chance.random(size) < known.extra))
    who = np.repeat(np.arange(size), count)
    first = np.append(True, who[1:] != who[:-1])[: len(who)]
    uses = first & known.treated[who] & (chance.random(len(who)) < known.redeems[who])
    day = chance.uniform(0.5, HORIZON - 1.0, len(who))
    at = np.datetime64(ENTERED) + (day * 86_400).astype("timedelta64[s]")
    net = np.rint(known.worth[who] * chance.lognormal(-0.18, 0.6, len(who))).astype(int)
    orders = {
        "order_id": np.char.add("o", np.arange(len(who)).astype(str)), "customer_id": names[who], "ordered_at": at.astype("datetime64[us]"),
        "purchase_day": at.astype("datetime64[D]"), "net": net, "code": np.where(uses, codes[who], ""),
        **{name: np.zeros(len(who), dtype=int) for name in ("discount", "shipping", "tax", "lines")}, "cancelled": np.zeros(len(who), bool),
    }  # fmt: skip
    expected = np.rint(MARGIN * known.worth * known.rate * chance.lognormal(0.0, 0.5, size)).astype(int)
    treated = known.treated
    journal = {
        "plan": np.full(size, "first"), "as_of": np.full(size, np.datetime64(ENTERED, "us")), "program": plans, "customer_id": names,
        "stage": np.full(size, "reconnect"), "episode": np.char.add("e", names), "entered_at": np.full(size, np.datetime64(ENTERED, "us")),
        "standing": np.where(treated, "treated", "control"), "arm": pa.array(np.where(treated, "light", None), pa.string()),
        "channel": pa.array(np.where(treated, "email", None), pa.string()),
        "offer": pa.array(np.where(treated, "shipping", None), pa.string()),
        "reason": pa.array(np.where(treated, None, "control"), pa.string()), "baseline": expected, "cohort": np.full(size, "other"),
        "context": np.full(size, "mid/other"), "control_share": np.full(size, CONTROL),
        **{name: np.zeros(size, int) for name in ("cost_ceiling", "expected_cost", "expected_margin")},
    }  # fmt: skip
    touches = _sent(names[treated], plans[treated], codes[treated])
    warehouse.insert("journal", _table(journal, JOURNAL.to_pyarrow(), {}))
    plan = {"plan": ["first"], "as_of": pa.array([ENTERED], pa.timestamp("us")), "rehearsal": [False], "decisions": [size]}
    warehouse.insert("plans", pa.table(plan))
    for name, columns in (("orders", orders), ("touches", touches)):
        warehouse.insert(name, _table(columns, FACTS[name].schema.to_pyarrow(), {"source": "shop", "batch": 1, "digest": ""}))


def _sent(names: np.ndarray, plans: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
    usual = {"stage": "reconnect", "arm": "light", "channel": "email", "status": "sent", "settled_at": np.datetime64(ENTERED, "us")}
    return {
        "touch_key": np.char.add("t", names), "customer_id": names, "program": plans, "episode": np.char.add("e", names), "code": codes,
        **{name: np.full(len(names), value) for name, value in usual.items()},
    }  # fmt: skip


def _table(columns: dict, schema: pa.Schema, usual: dict[str, object]) -> pa.Table:
    size = len(next(iter(columns.values())))
    filled = {
        one.name: columns[one.name] if one.name in columns else pa.array([usual.get(one.name)] * size, one.type) for one in schema
    }
    return pa.table({name: pa.array(values).cast(schema.field(name).type) for name, values in filled.items()})


@dataclass(frozen=True, slots=True)
class Found:
    """Per store: whether the interval holds the truth, the estimate's and before/after's distance from it, and the truth, minor units."""

    held: np.ndarray
    error: np.ndarray
    before_after: np.ndarray
    truth: np.ndarray


def reported(folder: Path, stores: int, customers: int, seed: int) -> Found:
    chance = np.random.default_rng(seed)
    known = drawn(chance, stores, customers)
    as_of = instant(HORIZON + 1)
    programs = [program(f"store-{number}", goal={"metric": "incremental_margin", "horizon": f"{HORIZON}d"}) for number in range(stores)]
    with open_history("duckdb://history.duckdb", folder) as warehouse:
        write(warehouse, known, chance)
        past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
        window = outcomes.Window(as_of, Decimal(str(MARGIN)), documents(*programs).offers, SHOP)
        entered = warehouse.keep(outcomes.rounds(past, programs, window))
        lifts = lift.of_programs(warehouse, past, programs, window, entered)
    rows = []
    for number, one in enumerate(lifts):
        margin = one.measures["margin"]
        if not isinstance(margin.difference, Interval):
            continue
        mine = known.store == number
        truth = float(known.effect[mine].mean())
        after = margin.control_mean + margin.difference.estimate  # before it was nought: they were silent
        rows.append((margin.difference.low <= truth <= margin.difference.high, margin.difference.estimate - truth, after - truth, truth))
    held, error, before_after, truths = (np.array(part) for part in zip(*rows, strict=True))
    return Found(held.astype(bool), error, before_after, truths)


def judge(found: Found, least: int) -> None:
    assert len(found.held) >= least, "nearly every store can be told of"
    assert abs(found.error.mean()) < 4 * found.error.std() / len(found.error) ** 0.5, "the estimate leans to neither side"
    assert found.before_after.mean() > 3 * np.abs(found.truth).mean(), "before and after call the natural return an effect"
    assert (found.before_after > 0).all()


def test_in_a_few_stores_the_interval_holds_the_truth(tmp_path: Path) -> None:
    found = reported(tmp_path, stores=40, customers=600, seed=4)
    judge(found, 38)
    assert 34 <= found.held.sum() * 40 / len(found.held) <= 40


@pytest.mark.long
def test_in_400_stores_the_interval_holds_the_truth_92_to_98_times_in_100(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = reported(tmp_path, stores=400, customers=1_000, seed=5)
    judge(found, 395)
    assert 0.92 <= found.held.mean() <= 0.98
    told = (
        f"\n{len(found.held)} stores: the interval held the truth in {found.held.mean():.1%}. True lift {found.truth.mean() / 100:.2f} a "
        f"customer ({found.truth.min() / 100:.2f} to {found.truth.max() / 100:.2f}), bias of the estimate {found.error.mean() / 100:+.3f}, "
        f"of before and after {found.before_after.mean() / 100:+.2f}\n"
    )
    with capsys.disabled():
        sys.stdout.write(told)
