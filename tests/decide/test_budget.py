"""Budgets by period, program and payer: each is met in expectation, and nothing is scaled down without need."""

from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.decide.budget import RESERVE, Part, Spent, binding, limits, redeemed, scaled, spent
from rekindle.history.tables import FACTS
from rekindle.program.documents import Offer, Rules
from rekindle.program.rules import PartBudget
from tests.decide.shop import OFFERS, RECONNECT, SHOP, TAILOR, Decider, crowd, documents, instant, program, rules

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


def redeem(decider: Decider, *days: tuple[date, str, str, int]) -> None:
    """Tells history what redemptions cost: day, program, payer, minor units."""
    rows = [
        {"spend_id": f"{name}:{payer}:{day}", "program": name, "payer": payer, "spent_on": day, "cost": cost, "source": "ledger",
         "batch": 1, "digest": ""}
        for day, name, payer, cost in days
    ]  # fmt: skip
    decider.warehouse.insert("spend", pa.Table.from_pylist(rows, schema=FACTS["spend"].schema.to_pyarrow()))


def test_redemptions_count_by_day_up_to_the_last_that_is_seen(decider: Decider) -> None:
    """At midnight of 10 June the last day seen is the 9th: of 7 days the first is the 3rd."""
    days = {2: 1, 3: 20, 9: 300, 10: 4000}
    redeem(decider, *((date(2026, 6, day), "win-back", "shop", cost) for day, cost in days.items()), (date(2026, 6, 9), "b", "seller", 5))
    budgets = rules(budget={"amount": 1, "per": "7d"}).every_budget
    assert sorted(redeemed(decider.warehouse, budgets, NOW), key=lambda one: one.part) == [
        Spent(("b", "seller"), 7, 0, 5_000), Spent(("win-back", "shop"), 7, 0, 320_000),
    ]
    assert redeemed(decider.warehouse, budgets, instant(100.5))[0].days == 7
    at_noon = {one.part: one.redeemed for one in redeemed(decider.warehouse, budgets, instant(100.5))}
    assert at_noon == {("b", "seller"): 5_000, ("win-back", "shop"): 4_300_000}


def test_of_what_was_expected_and_what_was_redeemed_the_more_is_gone() -> None:
    budget, part = PartBudget(amount=100, per_days=30), ("win-back", "shop")
    for expected, taken, factor in ((40, 30, 0.55), (30, 40, 0.55), (0, 95, 0.0), (0, 0, 0.95)):
        assert scaled([budget], {budget: 100}, {part: 100}, [Spent(part, 30, expected), Spent(part, 30, 0, taken)]) == {part: factor}


def test_nothing_is_offered_of_a_budget_that_redemptions_have_spent(decider: Decider) -> None:
    """Once 95 of 100 are redeemed, no more of that program's offers are made; another program writes as before."""
    both = (program("back", stages={"tailor": {**TAILOR, "delay": {"rhythm": 0.0}}}), program("words", stages={"reconnect": RECONNECT}))
    decider.documents = documents(*both, budgets=[{"amount": 100, "per": "30d", "program": "back", "hard": True}])
    before = {row["arm"] for row in decider.rows(decider.plan(100, crowd(60))) if row["program"] == "back" and row["reason"] is None}
    assert "credit" in before or "percent" in before
    redeem(decider, (NOW.seen_day, "back", "shop", 9_500))
    made = decider.plan(100, crowd(60))
    assert made.scales[("back", "shop")] == 0
    rows = decider.rows(made)
    assert {row["arm"] for row in rows if row["program"] == "back" and row["reason"] is None} <= {"nothing"}
    assert {row["arm"] for row in rows if row["program"] == "words" and row["reason"] is None} > {"nothing"}


def test_which_hard_budgets_bind_an_offer() -> None:
    """Of what costs nothing or takes no code none does; where a seller may bear a part, both payers' budgets do."""
    hard = {"amount": 9, "per": "30d", "hard": True}
    held = rules(budget={"amount": 9, "per": "30d"}, budgets=[{**hard, "program": "win-back"}, {**hard, "payer": "seller", "amount": 8}])
    whole, sellers = held.budgets

    def of(name: str, program: str = "win-back") -> tuple[PartBudget, ...]:
        return binding(program, ALL_OFFERS[name], held)

    assert (of("percent"), of("percent", "birthday"), of("reminder"), of("theirs")) == ((whole,), (), (), (whole, sellers))
    shares = held.model_copy(update={"sellers": held.sellers.model_copy(update={"collision": "share"})})
    assert binding("birthday", ALL_OFFERS["percent"], shares) == (sellers,)
