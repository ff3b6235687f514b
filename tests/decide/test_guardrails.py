"""A refusal has one reason, the first that holds; a service message only its program's own wait."""

from itertools import product

import ibis
import pyarrow as pa

from rekindle.decide.guardrails import BEFORE_ENTRY, REASONS, WAITS, before_draw
from tests.decide.shop import Decider

FLAGS = (
    "reachable", "paused", "open_ticket", "open_return", "detractor", "reentry_open", "held_back", "contacts_left", "gap_over", "overtaken",
    "topic_refused", "wished_less",
)  # fmt: skip
SILENCED = {
    "paused": "paused", "topic_refused": "topic_refused", "wished_less": "wished_less", "open_ticket": "open_complaint",
    "open_return": "open_return", "detractor": "detractor",
}  # fmt: skip
ORDER = (
    "overtaken", "no_consent", *SILENCED.values(), "reentry", "held_back", "held_out", "control", "touches_used", "too_soon",
)  # fmt: skip


def reason(row: dict[str, object]) -> str | None:
    """The documented order, a second time."""
    if not row["reachable"]:
        return "no_consent"
    for flag, said in SILENCED.items():
        if row[flag]:
            return said
    if not row["reentry_open"]:
        return "reentry"
    if row["held_back"]:
        return "held_back"
    if row["standing_now"] != "treated":
        return "held_out" if row["standing_now"] == "holdout" else "control"
    if not row["contacts_left"]:
        return "touches_used"
    return None if row["gap_over"] else "too_soon"


def combinations() -> list[dict[str, object]]:
    values = product(*[[True, False]] * len(FLAGS), ["treated", "control", "holdout"])
    return [dict(zip((*FLAGS, "standing_now"), one, strict=True)) for one in values]


def found(decider: Decider, rows: list[dict[str, object]], klass: str) -> list[str | None]:
    table = ibis.memtable(pa.Table.from_pylist([{**row, "n": number, "service": klass == "service"} for number, row in enumerate(rows)]))
    reasons = decider.warehouse.arrow(table.select("n", reason=before_draw(table)).order_by("n"))
    return list(reasons["reason"].to_pylist())


def test_every_combination_has_the_first_reason_that_holds(shared_decider: Decider) -> None:
    rows = combinations()
    reasons = found(shared_decider, rows, "marketing")
    assert reasons == [reason(row) for row in rows]
    assert set(reasons) == {None, *ORDER[1:]}, "nothing but a service message is overtaken"


def test_nothing_withholds_a_service_message_but_its_own_wait_and_a_later_status(shared_decider: Decider) -> None:
    rows = combinations()
    expected = ["overtaken" if row["overtaken"] else "held_back" if row["held_back"] else None for row in rows]
    assert found(shared_decider, rows, "service") == expected


def test_an_answer_that_nobody_gave_silences_nobody(shared_decider: Decider) -> None:
    not_so = dict.fromkeys(("open_ticket", "open_return", "held_back", "overtaken", "paused", "topic_refused", "wished_less"), False)
    fine = {**dict.fromkeys(FLAGS, True), **not_so, "standing_now": "treated"}
    rows = [{**fine, "detractor": None}, {**fine, "detractor": True}]
    assert found(shared_decider, rows, "marketing") == [None, "detractor"]


def test_the_order_is_the_one_that_people_read() -> None:
    assert list(REASONS) == [*ORDER, "no_variant", *WAITS]
    assert list(BEFORE_ENTRY) == list(ORDER[:10])  # nobody gets a standing before, treated or not
