"""A refusal has one reason, the first that holds; and a cap lets the best pass."""

from itertools import product

import ibis
import pyarrow as pa

from rekindle.decide.guardrails import BEFORE_ENTRY, REASONS, before_draw, capped
from tests.decide.shop import Decider

FLAGS = ("reachable", "open_ticket", "open_return", "reentry_open", "contacts_left", "gap_over")
ORDER = ("no_consent", "open_complaint", "open_return", "reentry", "held_out", "control", "touches_used", "too_soon")


def reason(row: dict[str, object]) -> str | None:
    """The documented order, a second time."""
    if not row["reachable"]:
        return "no_consent"
    if row["open_ticket"]:
        return "open_complaint"
    if row["open_return"]:
        return "open_return"
    if not row["reentry_open"]:
        return "reentry"
    if row["standing_now"] != "treated":
        return "held_out" if row["standing_now"] == "holdout" else "control"
    if not row["contacts_left"]:
        return "touches_used"
    return None if row["gap_over"] else "too_soon"


def test_every_combination_has_the_first_reason_that_holds(decider: Decider) -> None:
    combinations = product(*[[True, False]] * len(FLAGS), ["treated", "control", "holdout"])
    rows = [dict(zip((*FLAGS, "standing_now"), values, strict=True)) for values in combinations]
    table = ibis.memtable(pa.Table.from_pylist([{**row, "n": number} for number, row in enumerate(rows)]))
    found = decider.warehouse.arrow(table.select("n", reason=before_draw(table)).order_by("n"))["reason"].to_pylist()
    assert found == [reason(row) for row in rows]
    assert set(found) == {None, *ORDER}


def test_the_order_is_the_one_that_people_read() -> None:
    assert list(REASONS) == [*ORDER, "no_variant", "cap_reached"]
    assert list(BEFORE_ENTRY) == list(ORDER[:4])  # nobody gets a standing before, treated or not


def test_the_highest_margin_passes_while_there_is_room(decider: Decider) -> None:
    rows = [
        ("a", "p1", "s", "x", 10, None), ("a", "p2", "s", "x", 30, None), ("a", "p3", "s", "x", 20, None),  # room for two
        ("b", "p2", "s", "x", 5, None), ("b", "p1", "s", "x", 5, None),  # one was used: the first by name of equals
        ("c", "p1", "s", "x", 99, None), ("c", "p2", "s", "nothing", 0, None),  # no room, and nothing takes none
        ("d", "p1", "s", None, 0, "control"), ("d", "p2", "s", "x", -4, None), ("d", "p3", "s", "x", -5, None),  # a refusal takes none
    ]
    names = ("customer_id", "program", "stage", "arm", "arm_margin", "reason")
    decided = ibis.memtable(pa.table(list(map(list, zip(*rows, strict=True))), names=names))
    used = ibis.memtable(pa.table({"customer_id": ["b", "c", "nobody"], "used": [1, 5, 1]}))
    found = decider.warehouse.arrow(capped(decided, used, 2).order_by("customer_id", "program"))
    reasons = {(row["customer_id"], row["program"]): row["reason"] for row in found.to_pylist()}
    assert found.num_rows == len(rows)
    assert {key for key, value in reasons.items() if value == "cap_reached"} == {("a", "p1"), ("b", "p2"), ("c", "p1")}
    assert {key for key, value in reasons.items() if value == "control"} == {("d", "p1")}
    assert sum(value is None for value in reasons.values()) == 6
