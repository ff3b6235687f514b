"""Budgets by period, program and payer: each is met in expectation, and nothing is scaled down without need."""

from datetime import timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.decide.budget import RESERVE, Part, Spent, limits, scaled, spent
from rekindle.program.documents import Offer, Rules
from rekindle.program.rules import PartBudget
from tests.decide.shop import OFFERS, SHOP, Decider, instant, rules

PARTS = [(program, payer) for program in ("win-back", "birthday", "thank-you") for payer in ("shop", "seller")]
NOW = instant(100)
THEIRS = {**OFFERS, "theirs": {**OFFERS["shipping"], "payer": "seller", "scope": "product"}}
ALL_OFFERS = {name: Offer.model_validate({**offer, "(name)": name}) for name, offer in THEIRS.items()}
BUDGETS = st.lists(
    st.builds(
        lambda **values: PartBudget.model_validate(values), amount=st.integers(0, 50), per=st.sampled_from(["7d", "30d"]),
        program=st.sampled_from([None, "win-back", "birthday"]),
        payer=st.sampled_from([None, "shop", "seller"]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@given(
    budgets=BUDGETS, wanted=st.dictionaries(st.sampled_from(PARTS), st.integers(0, 4_000_000)),
    costs=st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from([7, 30]), st.integers(0, 1_000_000)), max_size=8),
)  # fmt: skip
def test_every_budget_is_met_in_expectation(
    budgets: list[PartBudget], wanted: dict[tuple[str, str], int], costs: list[tuple[tuple[str, str], int, int]]
) -> None:
    spent = [Spent(*one) for one in costs]
    limits = {one: int(one.amount) * 100_000 for one in budgets}
    found = scaled(budgets, limits, wanted, spent)
    assert set(found) == set(wanted)
    assert all(0 <= factor <= 1 for factor in found.values())
    binding = set()
    for one in budgets:
        left = max(0, 0.95 * limits[one] - sum(past.cost for past in spent if past.days == one.per_days and one.covers(*past.part)))
        mine = [part for part in wanted if one.covers(*part)]
        assert sum(wanted[part] * found[part] for part in mine) <= left + 1e-6 * sum(wanted[part] for part in mine)
        if sum(wanted[part] for part in mine) > left:
            binding |= set(mine)
    assert all(found[part] == 1 for part in set(wanted) - binding)
    assert all(found[part] < 1 for part in binding)


def test_the_tightest_of_several_holds() -> None:
    """By hand: all of 100 leaves 95 of 190, win-back's 40 leaves 38 of 100, the sellers' 18 leaves 17.1 of 30."""
    budgets = [
        PartBudget(amount=100, per_days=30), PartBudget(amount=40, per_days=30, program="win-back"),
        PartBudget(amount=18, per_days=7, payer="seller"),
    ]
    wanted = {("win-back", "shop"): 90, ("win-back", "seller"): 10, ("birthday", "shop"): 70, ("birthday", "seller"): 20}
    found = scaled(budgets, {one: int(one.amount) for one in budgets}, wanted, [Spent(("birthday", "seller"), 30, 0)])
    assert found == {
        ("win-back", "shop"): 0.38, ("win-back", "seller"): 0.38, ("birthday", "shop"): 0.5, ("birthday", "seller"): 0.5,
    }
    assert scaled(budgets, {one: int(one.amount) for one in budgets}, wanted, [Spent(("birthday", "seller"), 7, 12)]) == {
        ("win-back", "shop"): 0.38, ("win-back", "seller"): 0.17, ("birthday", "shop"): 0.5, ("birthday", "seller"): 0.17,
    }


CONTACTS = ibis.schema(
    {"program": "string", "offer": "string", "as_of": "timestamp", "expected_cost": "int64", "seller_cost": "int64"}
)


def contact(days_ago: float, cost: int, program: str = "win-back", offer: str = "percent", seller: int | None = 0) -> dict[str, Any]:
    at = NOW.naive - timedelta(days=days_ago)
    return {"program": program, "offer": offer, "as_of": at, "expected_cost": cost, "seller_cost": seller}


PAST = [
    contact(0, 100_000), contact(6.9, 200_000, seller=50_000), contact(7, 400_000), contact(29, 100_000, "birthday"),
    contact(30, 900_000), contact(3, 300_000, offer="theirs", seller=None), contact(2, 70_000, "birthday", "theirs", seller=20_000),
]


def scales(decider: Decider, bound: Rules, contacts: ir.Table, wanted: dict[Part, int]) -> dict[Part, float]:
    budgets = bound.every_budget
    return scaled(budgets, limits(budgets, SHOP), wanted, spent(decider.warehouse, contacts, budgets, NOW, ALL_OFFERS))


def remaining(decider: Decider, bound: Rules, part: tuple[str, str], wanted: int = 10**9) -> float:
    """What a budget has left, from the factor of a want that is far too large."""
    contacts = decider.warehouse.keep(pa.Table.from_pylist(PAST, schema=CONTACTS.to_pyarrow()))
    return scales(decider, bound, contacts, {part: wanted})[part] * wanted


@pytest.mark.parametrize(
    ("budget", "part", "spent"),
    [
        ({"per": "7d"}, ("win-back", "shop"), 100_000 + 200_000 + 300_000 + 70_000),  # to the instant 7 days ago, not at it
        ({"per": "30d"}, ("win-back", "shop"), 100_000 + 200_000 + 400_000 + 100_000 + 300_000 + 70_000),
        ({"per": "30d", "program": "birthday"}, ("birthday", "seller"), 170_000),
        ({"per": "30d", "payer": "seller"}, ("birthday", "seller"), 50_000 + 300_000 + 20_000),  # all of an offer where nothing is written
        ({"per": "30d", "payer": "shop", "program": "win-back"}, ("win-back", "shop"), 100_000 + 150_000 + 400_000),
    ],
)  # fmt: skip
def test_what_was_spent_counts_in_its_period(shared_decider: Decider, budget: dict[str, Any], part: tuple[str, str], spent: int) -> None:
    bound = rules(budget={"amount": 10**8, "per": "1d"}, budgets=[{"amount": 50, **budget}])
    assert remaining(shared_decider, bound, part) == pytest.approx(50 * 100_000 * (1 - RESERVE) - spent, abs=1_000)


def test_one_budget_is_as_it_was(shared_decider: Decider) -> None:
    """The factor of the first rules: 95 % of the amount less what was spent in the period, over what is wanted; at most 1, at least 0."""
    bound = rules(budget={"amount": 20, "per": "30d"})
    wanted = {("win-back", "shop"): 3_000_000, ("birthday", "shop"): 1_000_000}
    contacts = shared_decider.warehouse.keep(pa.Table.from_pylist(PAST, schema=CONTACTS.to_pyarrow()))
    found = scales(shared_decider, bound, contacts, wanted)
    assert found == dict.fromkeys(wanted, round((0.95 * 20 * 100_000 - 1_170_000) / 4_000_000, 6))
    poor = rules(budget={"amount": 10, "per": "30d"})
    assert set(scales(shared_decider, poor, contacts, wanted).values()) == {0}
    none = contacts.filter(contacts.expected_cost < 0)
    rich = rules(budget={"amount": 50, "per": "30d"})
    assert set(scales(shared_decider, rich, none, wanted).values()) == {1}
