"""A seller's promotion and ours on one line: found, split and summed, a second time in plain Python; and how much one seller gets."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide import funding
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.program.rules import SellerRules
from tests.decide.shop import Decider, instant

Row = dict[str, Any]
SPRING = datetime(2026, 3, 1)
LINES = {
    "order_id": "string", "line_no": "int32", "seller_id": "string", "product_id": "string", "category": "string", "quantity": "int64",
    "amount": "int64", "discount": "int64",
}
ORDERS = {"order_id": "string", "customer_id": "string", "ordered_at": "timestamp", "code": "string", "net": "int64"}
PROMOTIONS = {
    "promotion_id": "string", "seller_id": "string", "product_id": "string", "category": "string", "percent": "float64", "amount": "int64",
    "starts_at": "timestamp", "ends_at": "timestamp",
}
GIVEN = {"customer_id": "string", "code": "string", "share": "float64"}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root: Path = tmp_path_factory.mktemp("funding")
    with open_history(f"duckdb://{root / 'history.duckdb'}", root) as opened:
        yield opened


def table(rows: list[Row], columns: dict[str, str]) -> ibis.Table:
    schema = ibis.schema(columns)
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema.to_pyarrow()), schema=schema)


def rules(collision: str = "stack", share: float = 0.5) -> SellerRules:
    return SellerRules.model_validate({"collision": collision, "share": share})


def found(warehouse: Warehouse, world: dict[str, list[Row]], chosen: SellerRules) -> list[Row]:
    lines = funding.redeemed_lines(table(world["orders"], ORDERS), table(world["lines"], LINES), table(world["given"], GIVEN))
    lines = warehouse.keep(funding.with_promotions(warehouse.keep(lines), table(world["promotions"], PROMOTIONS)))
    rows: list[Row] = warehouse.arrow(funding.borne(lines, chosen).order_by("order_id", "line_no")).to_pylist()
    return rows


def line(number: int, amount: int, discount: int = 0, **changes: object) -> Row:
    row = {"order_id": "o1", "line_no": number, "seller_id": "S1", "product_id": "P1", "category": "Tea", "quantity": 1, "amount": amount,
           "discount": discount}
    return {**row, **changes}


def order(name: str = "o1", customer: str = "c1", day: int = 3, code: str = "CODE1", net: int = 0) -> Row:
    return {"order_id": name, "customer_id": customer, "ordered_at": SPRING + timedelta(days=day), "code": code, "net": net}


def promotion(name: str, seller: str = "S1", days: tuple[int, int | None] = (0, 10), **terms: object) -> Row:
    until = None if days[1] is None else SPRING + timedelta(days=days[1])
    return {**dict.fromkeys(PROMOTIONS), "promotion_id": name, "seller_id": seller, "starts_at": SPRING + timedelta(days=days[0]),
            "ends_at": until, **terms}


OURS = [{"customer_id": "c1", "code": "CODE1", "share": 0.0}]


def test_both_on_one_line_are_told_apart(warehouse: Warehouse) -> None:
    """A list price of 10.00: the seller's fifth is 2.00, the remaining 0.80 of the discount is ours; nothing else is on promotion."""
    world = {
        "orders": [order(net=1_620)], "given": OURS, "promotions": [promotion("A", percent=0.2)],
        "lines": [line(1, 720, 280), line(2, 900, 100, seller_id="S2", product_id="P9", category="Toys")],
    }
    first, second = found(warehouse, world, rules())
    assert first == {"order_id": "o1", "line_no": 1, "code": "CODE1", "seller_id": "S1", "promotion_id": "A", "seller_own": 200, "ours": 80,
                     "by_seller": 0, "by_shop": 80}
    assert (second["promotion_id"], second["seller_own"], second["ours"], second["by_shop"]) == (None, 0, 100, 100)
    shared, alone = found(warehouse, world, rules("share", 0.25))
    assert (shared["by_seller"], shared["by_shop"], alone["by_seller"]) == (20, 60, 0)


@pytest.mark.parametrize(
    ("terms", "days", "own"),
    [
        ({"percent": 0.1}, (0, 10), 100), ({"percent": 0.1}, (3, 10), 100), ({"percent": 0.1}, (0, 3), None),
        ({"percent": 0.1}, (4, 9), None),
        ({"percent": 0.1}, (0, None), 100), ({"amount": 30}, (0, 10), 60), ({"amount": 900}, (0, 10), 280),
        ({"amount": 30, "product_id": "P1"}, (0, 10), 60), ({"amount": 30, "product_id": "P2"}, (0, 10), None),
        ({"amount": 30, "category": "Tea"}, (0, 10), 60), ({"amount": 30, "category": "Toys"}, (0, 10), None),
    ],
)
def test_which_promotions_apply_and_what_they_take_off(
    warehouse: Warehouse, terms: Row, days: tuple[int, int | None], own: int | None
) -> None:
    """Of two pieces at 5.00 each; from its start until before its end; no more than the line's discount."""
    promotions, lines = [promotion("A", days=days, **terms)], [line(1, 720, 280, quantity=2)]
    world = {"orders": [order(net=720)], "given": OURS, "promotions": promotions, "lines": lines}
    (row,) = found(warehouse, world, rules())
    assert (row["promotion_id"], row["seller_own"]) == ("A" if own else None, own or 0)
    assert row["seller_own"] + row["ours"] == 280


def test_the_largest_of_several_promotions_is_the_one(warehouse: Warehouse) -> None:
    promotions = [promotion("A", percent=0.05), promotion("C", amount=90), promotion("B", amount=90)]
    promotions.append(promotion("D", seller="S2", amount=500))
    world = {"orders": [order(net=720)], "given": OURS, "promotions": promotions, "lines": [line(1, 720, 280)]}
    (row,) = found(warehouse, world, rules())
    assert (row["promotion_id"], row["seller_own"]) == ("B", 90)


def test_a_discount_that_no_line_carries_is_spread_to_the_last_cent(warehouse: Warehouse) -> None:
    world = {"orders": [order(net=1_900)], "given": OURS, "promotions": [], "lines": [line(1, 1_000), line(2, 500), line(3, 500)]}
    assert [row["ours"] for row in found(warehouse, world, rules())] == [50, 25, 25]
    world["orders"] = [order(net=1_999)]
    assert [row["ours"] for row in found(warehouse, world, rules())] == [1, 0, 0]


def test_a_code_counts_once_and_for_its_holder_alone(warehouse: Warehouse) -> None:
    world = {
        "orders": [order("o2", day=5), order("o1", day=4), order("o3", customer="c2"), order("o4", code="")],
        "given": OURS, "promotions": [], "lines": [line(1, 0, 10, order_id=name) for name in ("o1", "o2", "o3", "o4")],
    }  # fmt: skip
    assert [row["order_id"] for row in found(warehouse, world, rules())] == ["o1"]


def by_hand(world: dict[str, list[Row]], chosen: SellerRules) -> list[Row]:
    """The same line by line."""
    given, used, told = {row["code"]: row for row in world["given"]}, set(), []
    for bought in sorted(world["orders"], key=lambda row: (row["ordered_at"], row["order_id"])):
        ours = given.get(bought["code"])
        if not ours or ours["customer_id"] != bought["customer_id"] or bought["code"] in used:
            continue
        used.add(bought["code"])
        lines = sorted((row for row in world["lines"] if row["order_id"] == bought["order_id"]), key=lambda row: row["line_no"])
        total = sum(row["amount"] for row in lines)
        uncarried = max(0, total - bought["net"])
        spread = [uncarried * row["amount"] // total for row in lines]
        spread[0] += uncarried - sum(spread)
        for row, rest in zip(lines, spread, strict=True):
            own, name = 0, None
            for one in sorted(world["promotions"], key=lambda one: one["promotion_id"]):
                runs = one["starts_at"] <= bought["ordered_at"] and (one["ends_at"] is None or bought["ordered_at"] < one["ends_at"])
                mine = one["seller_id"] == row["seller_id"] and one["product_id"] in (None, row["product_id"])
                if row["discount"] > 0 and runs and mine and one["category"] in (None, row["category"]):
                    listed = row["amount"] + row["discount"]
                    off = one["amount"] * row["quantity"] if one["percent"] is None else listed * one["percent"]
                    off = min(int(off + 0.5), row["discount"])
                    if name is None or off > own:
                        own, name = off, one["promotion_id"]
            part = max(ours["share"], chosen.share) if chosen.collision == "share" and name else ours["share"]
            taken = row["discount"] - own + rest
            theirs = int(taken * part + 0.5)
            told.append({"order_id": row["order_id"], "line_no": row["line_no"], "code": bought["code"], "seller_id": row["seller_id"],
                         "promotion_id": name, "seller_own": own, "ours": taken, "by_seller": theirs, "by_shop": taken - theirs})
    return sorted(told, key=lambda row: (row["order_id"], row["line_no"]))


def world_of(seed: int) -> dict[str, list[Row]]:
    """A year of a marketplace at random: 150 orders of up to three lines, codes of ours, ten promotions."""
    chance = np.random.default_rng(seed)

    def one(prefix: str, most: int) -> str:
        return f"{prefix}{chance.integers(1, most + 1)}"

    orders, lines = [], []
    for number in range(150):
        mine = [
            line(place, int(chance.integers(100, 9_000)), int(chance.integers(0, 2)) * int(chance.integers(1, 900)),
                 order_id=f"o{number:03d}", seller_id=one("S", 3), product_id=one("P", 5), category=one("K", 3),
                 quantity=int(chance.integers(1, 4)))
            for place in range(1, int(chance.integers(2, 5)))
        ]
        net = sum(row["amount"] for row in mine) - int(chance.integers(0, 2)) * int(chance.integers(0, 90))
        orders.append(order(f"o{number:03d}", one("c", 20), int(chance.integers(0, 300)), one("CODE", 40), net))
        lines += mine
    given = [{"customer_id": one("c", 20), "code": f"CODE{number}", "share": float(chance.choice([0.0, 0.3]))} for number in range(1, 41)]
    promotions = [
        promotion(
            f"A{number}", one("S", 3), (int(chance.integers(0, 200)), int(chance.integers(200, 400)) if chance.random() < 0.7 else None),
            product_id=one("P", 5) if chance.random() < 0.4 else None, category=one("K", 3) if chance.random() < 0.4 else None,
            **({"percent": round(float(chance.random()) / 3, 2)} if chance.random() < 0.5 else {"amount": int(chance.integers(1, 300))}),
        )
        for number in range(10)
    ]
    return {"orders": orders, "lines": lines, "given": given, "promotions": promotions}


@pytest.mark.parametrize("collision", ["stack", "share"])
def test_every_line_a_second_time_in_plain_python(warehouse: Warehouse, collision: str) -> None:
    collided = 0
    for seed in range(4):
        world, chosen = world_of(seed), rules(collision, 0.4)
        told, expected = found(warehouse, world, chosen), by_hand(world_of(seed), chosen)
        for row, other in zip(told, expected, strict=True):
            assert row == pytest.approx(other, abs=1) if row["promotion_id"] else row == other
            assert row["by_seller"] + row["by_shop"] == row["ours"]
        collided += sum(row["promotion_id"] is not None for row in told)
    assert collided > 10


def test_subsidy_by_seller_and_how_much_of_it_one_gets(warehouse: Warehouse) -> None:
    rows = [
        {"seller_id": "S1", "reason": None, "expected_cost": 900, "seller_cost": 300}, {"seller_id": "S2", "reason": None,
         "expected_cost": 400, "seller_cost": 0}, {"seller_id": "S1", "reason": None, "expected_cost": 100, "seller_cost": None},
        {"seller_id": "S1", "reason": "cap_reached", "expected_cost": 5_000, "seller_cost": 0},
        {"seller_id": None, "reason": None, "expected_cost": 7_000, "seller_cost": 0},
    ]  # fmt: skip
    columns = {"seller_id": "string", "reason": "string", "expected_cost": "int64", "seller_cost": "int64"}
    told = warehouse.arrow(funding.planned(table(rows, columns))).to_pylist()
    assert told == [
        {"seller_id": "S1", "touches": 2, "by_shop": 700, "by_seller": 300},
        {"seller_id": "S2", "touches": 1, "by_shop": 400, "by_seller": 0},
    ]
    most = funding.concentration([(row["seller_id"], row["by_shop"]) for row in told], SellerRules())
    assert most == funding.Concentration("S1", 700 / 1_100, 0.5)
    assert not most.passed
    assert funding.Concentration("S1", 0.5, 0.5).passed
    assert isinstance(funding.concentration([], SellerRules()), CannotTell)


def test_redemptions_by_seller_add_up(warehouse: Warehouse) -> None:
    world = world_of(9)
    lines = table(found(warehouse, world, rules("share")), {
        "order_id": "string", "line_no": "int64", "code": "string", "seller_id": "string", "promotion_id": "string", "seller_own": "int64",
        "ours": "int64", "by_seller": "int64", "by_shop": "int64",
    })  # fmt: skip
    told = warehouse.arrow(funding.redeemed(lines)).to_pylist()
    expected = by_hand(world, rules("share"))
    for row in told:
        mine = [one for one in expected if one["seller_id"] == row["seller_id"]]
        assert (row["touches"], row["by_seller"] + row["by_shop"]) == (len(mine), sum(one["ours"] for one in mine))
    assert [row["by_shop"] for row in told] == sorted((row["by_shop"] for row in told), reverse=True)


def test_history_is_asked_with_the_documents_of_the_offers(decider: Decider) -> None:
    """Two price offers were sent and used: one on a line that its seller had on promotion; a delivery and a stranger's order are not."""
    decider.settle(["c1"], "sent", 1, stage="tailor", arm="percent", code="P1")
    decider.settle(["c2"], "sent", 1, stage="tailor", arm="credit", code="C2")
    decider.settle(["c3"], "sent", 1, stage="reconnect", arm="light", code="L3")
    bought = [("o1", "c1", "P1"), ("o2", "c2", "C2"), ("o3", "c3", "L3"), ("o4", "c9", "P1")]
    facts = {
        "orders": [{"order_id": name, "customer_id": holder, "code": code, "ordered_at": instant(2).naive, "purchase_day": instant(2).day,
                    "net": 900, "cancelled": False, "lines": 1} for name, holder, code in bought],
        "order_lines": [{"order_id": name, "line_no": 1, "customer_id": holder, "product_id": "T", "seller_id": seller, "quantity": 1,
                         "purchase_day": instant(2).day, "amount": 900, "discount": 100}
                        for (name, holder, _), seller in zip(bought, ("S1", "S2", "S1", "S1"), strict=True)],
        "products": [{"product_id": "T", "category": "Tea", "seller_id": "S1"}],
        "promotions": [promotion("A", category="Tea", percent=0.03)],
    }  # fmt: skip
    for name, rows in facts.items():
        schema = decider.warehouse.table(name).schema().to_pyarrow()
        known = [{**row, "source": "test", "batch": 1, "digest": ""} for row in rows]
        decider.warehouse.insert(name, pa.Table.from_pylist(known, schema=schema))
    found = funding.subsidies(decider.warehouse, decider.documents, instant(5))
    rows = decider.warehouse.arrow(found.order_by("order_id")).to_pylist()
    assert [(row["order_id"], row["promotion_id"], row["seller_own"], row["ours"], row["by_shop"]) for row in rows] == [
        ("o1", "A", 30, 70, 70), ("o2", None, 0, 100, 100),
    ]  # fmt: skip
    assert decider.warehouse.arrow(funding.redeemed(found)).to_pylist() == [
        {"seller_id": "S2", "touches": 1, "by_shop": 100, "by_seller": 0}, {"seller_id": "S1", "touches": 1, "by_shop": 70, "by_seller": 0},
    ]  # fmt: skip
