"""The chain of plans: it holds as it was written, after an erasure too, and no decision changes unnoticed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from rekindle.history import chain
from rekindle.history.erasing import forget
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse, open_history

AT = datetime(2026, 11, 23, tzinfo=UTC)


def planned(warehouse: Warehouse, plan: str, customers: str) -> None:
    row = {"plan": plan, "program": "p", "stage": "s", "episode": "e", "propensity": 1 / 3}
    rows = [{**dict.fromkeys(JOURNAL.names), **row, "customer_id": one} for one in customers]
    with warehouse.transaction():
        warehouse.insert("journal", pa.Table.from_pylist(rows, schema=JOURNAL.to_pyarrow()))
        chain.seal(warehouse, plan)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path) as warehouse:
        for plan, customers in (("p1", "abc"), ("p2", ""), ("p3", "ad")):
            planned(warehouse, plan, customers)
        yield warehouse


def good(warehouse: Warehouse) -> list[tuple[str, bool]]:
    return [(link.plan, link.good) for link in chain.verify(warehouse)]


def test_it_holds_and_sealing_twice_changes_nothing(history: Warehouse) -> None:
    assert good(history) == [("p1", True), ("p2", True), ("p3", True)]
    with history.transaction():
        chain.seal(history, "p1")
    assert len(good(history)) == 3


def test_it_holds_after_an_erasure_whatever_the_order(history: Warehouse) -> None:
    for customer in "da":
        forget(history, pa.table({"customer_id": [customer]}), "00" * 32, AT)
    assert good(history) == [("p1", True), ("p2", True), ("p3", True)]
    assert [(link.decisions, link.erased) for link in chain.verify(history)] == [(2, 1), (0, 0), (0, 2)]


def test_a_changed_an_added_and_a_removed_decision_are_noticed(history: Warehouse) -> None:
    journal = history.table("journal")
    whole = history.keep(journal)
    for other in (
        whole.mutate(propensity=(whole.customer_id == "b").ifelse(0.5, whole.propensity)),
        whole.union(whole.filter(whole.plan == "p1").limit(1)),
        whole.filter(~((whole.plan == "p1") & (whole.customer_id == "c"))),
    ):
        history.replace("journal", other)
        assert good(history) == [("p1", False), ("p2", True), ("p3", True)]
    history.replace("journal", whole)
    assert all(fine for _, fine in good(history))


def test_a_plan_taken_out_of_the_chain_breaks_the_next(history: Warehouse) -> None:
    seals = history.table("seals")
    history.replace("seals", seals.filter(seals.plan != "p2"))
    assert good(history) == [("p1", True), ("p3", False)]
