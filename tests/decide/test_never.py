"""No random store, program and rules ever give a decision that breaks a guardrail: every plan is held against plain Python.

Hypothesis draws offers, programs and rules: every variant that a customer could have drawn is judged, not only the one that was. For each
set of documents chance draws stores of one customer with a past: guardrails are about one customer, and a plan for many takes hardly
longer than for one.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rekindle.program.documents import Documents, Offer, Program
from rekindle.program.rules import WEEKDAYS
from tests.decide.never import NOW, PROGRAMS, Judge, Row, stores
from tests.decide.shop import RECONNECT, SHOP, Decider, program, rules
from tests.decide.test_arbitration import CAPS
from tests.insight.histories import write

UNSHRUNK: dict[str, Any] = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "phases": [Phase.explicit, Phase.reuse, Phase.generate],
}  # fmt: skip
"""A plan takes seconds: what it breaks is told by customer, and not made smaller."""

EACH = 24
"""Stores of each set of documents."""

DAYS = [None, NOW.naive.date() + timedelta(days=5), NOW.naive.date() + timedelta(days=7), NOW.naive.date() + timedelta(days=30)]
PRICE: Row = {"cap": st.sampled_from([4, 10]), "margin_floor": st.sampled_from([0.0, 0.15, 0.3]), "redemption": st.just(0.6)}
OPEN: Row = {"minimum_spend": st.sampled_from([None, 20, 60]), "valid_until": st.sampled_from(DAYS), "once": st.booleans()}
COST: Row = {"unit_cost": st.sampled_from([1, 3, 6]), "redemption": st.sampled_from([0.2, 0.8])}
OFFERS = st.fixed_dictionaries(
    {
        "reminder": st.just({"kind": "reminder"}),
        "preview": st.fixed_dictionaries({"kind": st.just("early_access"), "redemption": st.just(0.2)}),
        "shipping": st.fixed_dictionaries({"kind": st.just("shipping"), "valid": st.just("14d"), **COST, **OPEN}),
        "first": st.fixed_dictionaries({"kind": st.just("gift"), "ladder": st.just({"name": "steps", "rung": 1}), **COST}),
        "percent": st.fixed_dictionaries({"kind": st.just("percent"), "percent": st.sampled_from([0.05, 0.1]), **PRICE, **OPEN}),
        "credit": st.fixed_dictionaries({"kind": st.just("credit"), "share_of_margin": st.sampled_from([0.1, 0.3]), **PRICE, **OPEN}),
        "second": st.fixed_dictionaries(
            {"kind": st.just("credit"), "amount": st.just(4), "ladder": st.just({"name": "steps", "rung": 2}), "redemption": st.just(0.6)}
        ),
    }
)
NAMES = ("reminder", "preview", "shipping", "first", "percent", "credit", "second")
STAGE = st.fixed_dictionaries(
    {
        "offers": st.fixed_dictionaries(
            {
                "price": st.booleans(), "margin_floor": st.sampled_from([0.0, 0.15]), "value_at_most": st.sampled_from([None, 3]),
                "minimum_spend_at_most": st.sampled_from([0.5, 1.0]), "valid": st.sampled_from([None, "10d"]),
            }
        ),
        "arms": st.dictionaries(
            st.sampled_from(NAMES),
            st.fixed_dictionaries(
                {
                    "prior": st.fixed_dictionaries({"mean": st.sampled_from([-0.01, 0.03, 0.2, 0.2]), "sd": st.just(0.01)}),
                    "channel": st.sampled_from(["preferred", "preferred", "sms"]),
                }
            ),
            min_size=1,
        ),
    }
)
PROGRAM = st.fixed_dictionaries(
    {
        "first": STAGE, "then": STAGE, "control": st.sampled_from([0.0, 0.2]),
        "caps": st.fixed_dictionaries(
            {
                "touches": st.integers(1, 3), "gap": st.just("7d"), "duration": st.just("120d"), "price_offers": st.integers(0, 2),
                "price_offers_per_year": st.sampled_from([2, 9, 1, 0]), "same_kind_in_a_row": st.integers(1, 2),
            }
        ),
    }
)  # fmt: skip
QUIET = st.fixed_dictionaries(
    {"start": st.sampled_from(["20:00", "12:00"]), "end": st.sampled_from(["09:00", "13:30"])},
    optional={"days": st.lists(st.sampled_from([*WEEKDAYS[:6], "2027-04-06"]), max_size=4, unique=True)},
)
RULES = st.fixed_dictionaries(
    {
        "caps": CAPS, "holdout": st.sampled_from([0.0, 0.3]),
        "budget": st.sampled_from([{"amount": amount, "per": "30d"} for amount in (9_999, 9_999, 1, 0)]),
    },
    optional={
        "quiet_hours": QUIET, "fatigue": st.fixed_dictionaries({"ignored": st.integers(1, 4)}),
        "gaming": st.just({"rounds": 2, "over": "730d"}),
        "sellers": st.fixed_dictionaries({"collision": st.sampled_from(["stack", "share"])}),
    },
)  # fmt: skip
INTENDED = st.fixed_dictionaries({"rules": RULES, "offers": OFFERS, "programs": st.tuples(*[PROGRAM] * len(PROGRAMS))})
"""What three programs of a store are to do."""

TOLD = {**RECONNECT, "arms": {"told": {"offer": "reminder", "prior": {"mean": 0.0, "sd": 0.01}}}, "hold_until": "not open_return"}
NEWS = program(
    "news", **{"class": "service"}, trigger={"on": "order"}, audience={"enter": "orders > 0", "reenter": {"not_before": "0d"}},
    exit=["erasure"], stages={"told": TOLD},
)  # fmt: skip


def staged(name: str, said: Row) -> Program:
    stages = {
        stage: {
            **RECONNECT, "delay": {"rhythm": rhythm, "at_most": "28d"}, "offers": one["offers"],
            "arms": {f"{stage}_{offer}": {"offer": offer, **arm} for offer, arm in one["arms"].items()},
        }
        for stage, rhythm, one in (("reconnect", 0.0, said["first"]), ("tailor", 0.25, said["then"]))
    }  # fmt: skip
    return program(name, caps=said["caps"], control=said["control"], stages=stages)


def check(decider: Decider, said: Row, seed: int) -> None:
    offers = {name: Offer.model_validate({"label": name, "(name)": name, **one}) for name, one in said["offers"].items()}
    programs = [staged(name, one) for name, one in zip(PROGRAMS, said["programs"], strict=True)]
    documents = Documents((*programs, NEWS), offers, rules(**said["rules"]))
    shops = stores(np.random.default_rng(seed), EACH, [*offers, "reminder", "reminder"])
    facts = {name: [one for store in shops.values() for one in getattr(store, name)] for name in ("orders", "touches")}
    write(decider.warehouse, facts)
    decider.remember(*({key: value for key, value in one.items() if key != "as_of"} for store in shops.values() for one in store.past))
    shop = replace(SHOP, channels=("email", "sms"), channel_costs={"email": Decimal("0.01"), "sms": Decimal("0.07")})
    made = replace(decider, documents=documents, shop=shop).plan(400, [store.row for store in shops.values()])
    rows = decider.rows(made)
    assert len({(row["customer_id"], row["program"], row["episode"]) for row in rows}) == len(rows)
    judge = Judge(documents)
    broken = [
        (name, store, fault) for name, store in shops.items()
        for fault in judge.broken(store, [row for row in rows if row["customer_id"] == name])
    ]  # fmt: skip
    assert [fault for _, _, fault in broken] == [], broken[:2]
    assert {row["customer_id"] for row in rows} == set(shops)  # and nobody who is due has no row


@settings(max_examples=67, **UNSHRUNK)
@given(said=INTENDED, seed=st.integers(0, 10**6))
def test_no_decision_breaks_a_guardrail(decider: Decider, said: Row, seed: int) -> None:
    """67 sets of three programs are 201 examples, for 1,608 stores."""
    check(decider, said, seed)


@pytest.mark.long
@settings(max_examples=667, **UNSHRUNK)
@given(said=INTENDED, seed=st.integers(0, 10**6))
def test_no_decision_breaks_a_guardrail_at_length(decider: Decider, said: Row, seed: int) -> None:
    """667 sets of three programs are 2,001 examples, for 16,008 stores."""
    check(decider, said, seed)
