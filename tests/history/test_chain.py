"""The chain of plans: it holds as it was written, after an erasure too, and no decision changes unnoticed."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from rekindle.history import chain
from rekindle.history.erasing import forget, row_digest
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse, open_history

AT = datetime(2026, 11, 23, tzinfo=UTC)


def planned(warehouse: Warehouse, plan: str, customers: str, **more: object) -> None:
    row = {"plan": plan, "program": "p", "stage": "s", "episode": "e", "propensity": 1 / 3, **more}
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


INPUTS = {
    "version": "v", "standing": "treated", "context": "mid/other", "eligible": "light|nothing", "closed": "", "policy": "equal-chance",
    "scales": "light=0.5", "draw": 3 / 2**52,
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_what_a_decision_was_drawn_from_is_sealed_too(history: Warehouse, name: str) -> None:
    """Whoever changes an input, so that another variant would come out of it, is found."""
    planned(history, "p4", "b", **INPUTS, arm="light")
    whole = history.keep(history.table("journal"))
    changed = 4 / 2**52 if name == "draw" else "other"
    history.replace("journal", whole.mutate(**{name: (whole.plan == "p4").ifelse(changed, whole[name])}))
    assert good(history) == [("p1", True), ("p2", True), ("p3", True), ("p4", False)]


def test_a_drawn_decision_is_verified_after_its_erasure(history: Warehouse) -> None:
    planned(history, "p4", "ab", **INPUTS, arm="light")
    forget(history, pa.table({"customer_id": ["a"]}), "00" * 32, AT)
    assert all(fine for _, fine in good(history))


def test_decisions_of_before_inputs_were_sealed_keep_their_digest(history: Warehouse) -> None:
    """By hand: the text of what was sealed from the first chain on."""
    journal = history.table("journal").mutate(version=ibis.literal("v"), draw=ibis.literal(0.25))
    text = "c|p|s|e|~|~|~|0.333333"
    found = history.arrow(journal.filter(journal.customer_id == "c").select(digest=row_digest(journal)))
    assert found["digest"].to_pylist() == [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()]


def test_a_plan_taken_out_of_the_chain_breaks_the_next(history: Warehouse) -> None:
    seals = history.table("seals")
    history.replace("seals", seals.filter(seals.plan != "p2"))
    assert good(history) == [("p1", True), ("p3", False)]
