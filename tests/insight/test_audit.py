"""The audit adds up to the orders to the cent, and says so where it does not."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from ibis import memtable

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import audit
from rekindle.moment import AsOf
from tests.insight.histories import Facts, Marketplace, history, write

CUSTOMERS = [f"c{n}" for n in range(30)]
BEGIN = datetime(2025, 1, 1)
AS_OF = AsOf(datetime(2025, 11, 1, tzinfo=UTC), "Europe/Berlin", shifted=True)


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Marketplace(5, "a", CUSTOMERS, BEGIN, 320).tell(4)


@pytest.fixture(scope="module")
def warehouse(facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with history(tmp_path_factory.mktemp("audit"), facts) as opened:
        at = datetime(2025, 6, 1)
        sent = [
            {
                "touch_key": key, "customer_id": who, "program": "p", "stage": "s", "episode": "e", "code": code, "status": status,
                "settled_at": at,
            }
            for key, who, code, status in (
                ("1", "c0", "COME", "sent"), ("2", "c1", None, "sent"), ("3", "c2", "COME", "failed"), ("4", "c3", "COME", "sent"),
            )
        ]
        write(opened, {"touches": sent, "orders": [redeemed("c0"), redeemed("c2"), redeemed("c3")]})
        blank = opened.table("journal").schema().to_pyarrow()
        held = {"customer_id": "c3", "program": "p", "episode": "e", "standing": "control", "plan": "x"}
        opened.insert("journal", pa.Table.from_pylist([{**dict.fromkeys(blank.names), **held}], schema=blank))
        yield opened


def redeemed(customer: str) -> dict[str, object]:
    at = datetime(2025, 6, 3, 12)
    return {
        "order_id": f"r{customer}", "customer_id": customer, "ordered_at": at, "purchase_day": at.date(), "net": 900, "discount": 100,
        "shipping": 0, "tax": 0, "code": "COME", "cancelled": False, "lines": 0,
    }


def segments(customers: list[str] = CUSTOMERS) -> ir.Table:
    return memtable({"customer_id": customers, "segment": ["even" if int(one[1:]) % 2 == 0 else "odd" for one in customers]})


def standing(facts: Facts) -> list[dict[str, object]]:
    kept = [row for row in facts["orders"] if not row["cancelled"] and row["ordered_at"] < AS_OF.naive]
    return [*kept, redeemed("c0"), redeemed("c2"), redeemed("c3")]


def test_every_figure_is_what_plain_python_makes_of_the_orders(warehouse: Warehouse, facts: Facts) -> None:
    found = audit.audit(warehouse, segments(), AS_OF)
    orders = standing(facts)
    for row in (*found.segments, found.total):
        mine = [one for one in orders if row.name == "all" or (int(one["customer_id"][1:]) % 2 == 0) == (row.name == "even")]
        assert (row.orders, row.customers) == (len(mine), len({one["customer_id"] for one in mine}))
        assert (row.net, row.discount) == (sum(one["net"] for one in mine), sum(one["discount"] for one in mine))
        assert row.full_price == sum(one["net"] for one in mine if not one["discount"] and not one.get("code"))
        assert row.average_order == row.net / row.orders
        assert row.discount_share == row.discount / (row.net + row.discount)
        names = {one["order_id"] for one in mine}
        lines = [one for one in facts["order_lines"] if one["order_id"] in names]
        kinds = {one["product_id"]: one["category"] or "unknown" for one in facts["products"]}
        spent: Counter[str] = Counter()
        for one in lines:
            spent[kinds.get(one["product_id"], "unknown")] += one["amount"]
        assert row.lines_amount == sum(spent.values())
        assert dict(row.mix) == pytest.approx({name: amount / row.lines_amount for name, amount in spent.most_common(5)})
    assert found.differences == {}
    assert found.ledger == {name: getattr(found.total, name) for name in audit.SUMS}


def test_gaps_are_those_between_purchase_days(warehouse: Warehouse, facts: Facts) -> None:
    days: dict[str, set[object]] = {}
    for one in standing(facts):
        days.setdefault(one["customer_id"], set()).add(one["purchase_day"])
    gaps = sorted((b - a).days for mine in days.values() for a, b in zip(sorted(mine), sorted(mine)[1:], strict=False))
    found = audit.audit(warehouse, segments(), AS_OF).total.gaps
    assert not isinstance(found, CannotTell)
    for mine, exact in zip(found, quantiles(gaps, n=4), strict=True):
        assert mine in gaps
        assert mine == pytest.approx(exact, abs=4)


def test_messages_count_that_were_sent_to_who_was_not_in_the_control(warehouse: Warehouse) -> None:
    found = audit.audit(warehouse, segments(), AS_OF)
    assert {row.name: (row.seen, row.redeemed) for row in (*found.segments, found.total)} == {"even": (1, 1), "odd": (1, 0), "all": (2, 1)}


def test_a_planted_discrepancy_is_said_to_the_cent(warehouse: Warehouse, facts: Facts) -> None:
    lost = [one for one in standing(facts) if one["customer_id"] == "c7"]
    found = audit.audit(warehouse, segments([one for one in CUSTOMERS if one != "c7"]), AS_OF)
    assert found.differences["orders"] == -len(lost)
    assert found.differences["net"] == -sum(one["net"] for one in lost)
    twice = audit.audit(warehouse, segments([*CUSTOMERS, "c7"]), AS_OF)
    assert twice.differences["net"] == sum(one["net"] for one in lost)


def test_orders_that_are_not_the_sum_of_their_lines_are_counted(warehouse: Warehouse, facts: Facts) -> None:
    sums: Counter[str] = Counter()
    for one in facts["order_lines"]:
        sums[one["order_id"]] += one["amount"]
    unlike = [one for one in standing(facts) if one["lines"] and one["net"] != sums[one["order_id"]]]
    assert len(unlike) > 0
    assert audit.audit(warehouse, segments(), AS_OF).unlike == len(unlike)


def test_who_never_ordered_twice_has_no_gap(tmp_path: Path) -> None:
    with history(tmp_path) as warehouse:
        write(warehouse, {"orders": [redeemed("c0")]})
        found = audit.audit(warehouse, segments(), AS_OF)
    assert isinstance(found.total.gaps, CannotTell)
    assert (found.total.net, found.differences) == (900, {})
