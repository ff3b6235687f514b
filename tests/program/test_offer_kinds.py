"""Every kind of offer keeps one contract: what it states, what it costs by expression and by hand, and what it never does."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from pydantic import ValidationError

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.program import offer_kinds
from rekindle.program.offers import COST_KEYS, Offer

FAKE = "tests.program.offer_kind_of_tests:UMBRELLA"
STATES: dict[str, object] = {
    "percent": 0.10, "amount": "6.00", "share_of_margin": 0.20, "curve": {"margin": [[0, 1], [50, 9]]}, "cap": "7.00", "unit_cost": "4.00",
    "returns_share": 0.25, "redemption": 0.5, "minimum_spend": "30.00",
}
PEOPLE = [
    {"n": 0, "average_order_value": 5_000, "expected_margin": 2_500, "orders": 3, "return_share": 0.0},
    {"n": 1, "average_order_value": 30_000, "expected_margin": 90_000, "orders": 20, "return_share": 0.4},
    {"n": 2, "average_order_value": 0, "expected_margin": -300, "orders": 1, "return_share": None},
]
COSTS: dict[str, tuple[list[float], list[float | None]]] = {
    "none": ([0, 0, 0], [None] * 3), "reminder": ([0, 0, 0], [None] * 3), "education": ([0, 0, 0], [None] * 3),
    "early_access": ([400] * 3, [None] * 3), "limited_edition": ([400] * 3, [None] * 3), "preview": ([400] * 3, [None] * 3),
    "badge": ([0, 0, 0], [None] * 3), "support": ([400] * 3, [None] * 3), "shipping": ([400] * 3, [None] * 3),
    "returns": ([400] * 3, [0.25, 0.4, 0.25]), "extended_window": ([400] * 3, [0.25, 0.4, 0.25]),
    "gift": ([400] * 3, [None] * 3), "bundle": ([400] * 3, [None] * 3), "free_trial": ([400] * 3, [None] * 3),
    "points": ([600] * 3, [1.0, 0.6, 1.0]), "percent": ([500, 3_000, 0], [1.0, 0.6, 1.0]), "amount": ([600] * 3, [1.0, 0.6, 1.0]),
    "credit": ([500, 18_000, 0], [None] * 3), "umbrella": ([400, 800, 400], [None] * 3),
}
"""Of the three people: what one redemption costs before the cap, minor units, and the share of it that falls due (None: all)."""


@pytest.fixture(autouse=True)
def _another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(offer_kinds.KINDS, "umbrella", FAKE)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root: Path = tmp_path_factory.mktemp("kinds")
    with open_history(f"duckdb://{root / 'history.duckdb'}", root) as opened:
        yield opened


def stating(name: str, **changes: object) -> dict[str, object]:
    """An offer of a kind with everything that it may state, of several ways to state its value the first."""
    kind = offer_kinds.kind(name)
    keys = {*kind.needs, *kind.one_of[:1], *kind.allows}
    return {"(name)": "one", "kind": name, "label": "One", **{key: STATES[key] for key in keys}, **changes}


def rule(document: dict[str, object]) -> Any:
    with pytest.raises(ValidationError) as refused:
        Offer.model_validate(document)
    return refused.value.errors()[0]


NAMES = (*offer_kinds.KINDS, "umbrella")


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_keeps_the_contract(warehouse: Warehouse, name: str) -> None:
    """It states what it needs, costs by expression what it costs by hand, never less than nothing, and falls due for a share at most."""
    kind, offer = offer_kinds.kind(name), Offer.model_validate(stating(name))
    assert kind.keys <= set(COST_KEYS)
    assert kind.words
    assert kind.card >= kind.redeemed >= kind.price, "a price is redeemed, and what is redeemed is on a card"
    table = ibis.memtable(pa.Table.from_pylist(PEOPLE))
    cost, due = kind.cost(table, offer, lambda units: float(units * 100)), kind.due(table, offer)
    told = warehouse.arrow(table.select("n", cost=cost, due=ibis.null("float64") if due is None else due).order_by("n"))
    assert told["cost"].to_pylist() == pytest.approx(COSTS[name][0])
    assert told["due"].to_pylist() == pytest.approx(COSTS[name][1])
    assert all(amount >= 0 for amount in told["cost"].to_pylist())


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_refuses_what_it_does_not_have_and_asks_for_what_it_needs(name: str) -> None:
    kind = offer_kinds.kind(name)
    for key in kind.needs:
        document = stating(name)
        del document[key]
        found = rule(document)
        assert (found["type"], found["ctx"]["remedy"]) == ("offer-incomplete", f"Add {key}.")
    for key in set(COST_KEYS) - kind.keys:
        found = rule(stating(name, **{key: STATES[key]}))
        assert (found["type"], found["ctx"]["remedy"]) == ("offer-mixed", f"Remove {key} or change the kind.")


def test_the_registry_says_which_are_prices_cards_and_codes() -> None:
    assert offer_kinds.priced() == {"percent", "amount", "credit"}
    assert set(NAMES) - offer_kinds.carded() == {"none", "reminder", "education"}
    assert {name for name in NAMES if not offer_kinds.kind(name).redeemed} == {"none", "reminder", "education", "badge"}


def test_a_kind_that_is_not_there_is_named_with_what_may_be_meant() -> None:
    found = rule({"(name)": "one", "kind": "percnt", "label": "One"})
    assert (found["type"], found["ctx"]["remedy"]) == ("value-bad", "Did you mean 'percent'?")


@pytest.mark.parametrize(
    ("stated", "value", "cap"), [("share_of_margin", 0.2, "7"), ("curve", {"margin": [[0, 1]]}, "7"), ("amount", 5, None)]
)
def test_a_credit_is_worth_what_one_key_says(stated: str, value: object, cap: object) -> None:
    document = {"(name)": "one", "kind": "credit", "label": "One", "redemption": 0.5, stated: value, "cap": cap}
    offer = Offer.model_validate(document)
    assert (offer.price, offer.redeemed, offer.worth) == (True, True, Decimal(7 if cap else 5))
    two = rule({**document, "cap": 7, "curve": {"margin": [[0, 1]]}, "share_of_margin": 0.1})
    assert two["type"] == "offer-mixed"
    if cap:
        assert rule({**document, "cap": None})["ctx"]["remedy"] == "Add cap."


def test_what_costs_says_who_takes_it() -> None:
    found = rule({"(name)": "one", "kind": "bundle", "label": "One", "unit_cost": 2})
    assert (found["type"], found["ctx"]["why"]) == ("offer-incomplete", "an offer that costs 2 needs redemption")
