"""Who objects to being scored has no score and is targeted by nothing; an agreement takes the objection back."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from rekindle.insight.profile import Question, build
from rekindle.moment import parse_as_of
from tests.insight.histories import Fact, history, order

NOW = datetime(2026, 5, 1)
SCORES = ("expected_orders", "expected_margin", "p_alive", "value_tier", "personas", "overdue", "margin_at_risk", "last_day")


def word(customer: str, purpose: str, granted: bool, days: float = 1) -> Fact:
    return {
        "consent_key": f"{customer}:{purpose}", "customer_id": customer, "channel": "email", "purpose": purpose, "granted": granted,
        "recorded_at": NOW - timedelta(days=days),
    }  # fmt: skip


def test_an_objector_is_a_stranger_and_the_others_are_scored(tmp_path: Path) -> None:
    names = ["objects", "took-back", "later", "silent"]
    orders = [
        order(f"{name}{number}", name, NOW - timedelta(days=40 * number + 3), 5000) for name in names for number in range(1, 6)
    ]
    said = [word("objects", "profiling", False), word("took-back", "profiling", True), word("later", "profiling", False, days=-1)]
    agreed = [word(name, "marketing", True) for name in names]
    known = {"customers": [{"customer_id": name} for name in names], "orders": orders, "consents": [*said, *agreed]}
    with history(tmp_path / "shop", known) as warehouse:
        made = build(warehouse, Question(parse_as_of("2026-05-01", "UTC"), Decimal("0.4"), 26))
        rows = {row["customer_id"]: row for row in warehouse.arrow(made.table).to_pylist()}
    assert set(rows) == set(names)
    mine = rows["objects"]
    assert (mine["orders"], mine["lifecycle"], mine["email_consent"]) == (0, "prospect", False)
    assert [name for name in SCORES if mine[name]] == []
    for name in names[1:]:
        assert (rows[name]["orders"], rows[name]["email_consent"]) == (5, True)
